"""Made-up results for the report's tests: every verdict, every part of a page, and names that mean harm."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from random import Random

from gradcheck.data import to_json
from gradcheck.report import differential
from gradcheck.results import (
    AtPoint,
    Boxes,
    Cause,
    ClaimResult,
    ComponentResult,
    ContractResult,
    Curve,
    Digits,
    Entry,
    Heat,
    Kept,
    Kink,
    Matrices,
    Note,
    Piece,
    Proof,
    Unjudged,
)
from gradcheck.verdicts import Reach, Verdict
from tests.gradcheck import report_kinds as kinds

HOSTILE = (
    '<script>document.title = "taken over"</script>',
    "\"><img src=x onerror=alert(1)>'",
    "../../../outside",
    "/absolute/name",
    "مرحبا.طبقة",
    "a\u202egnp.exe",
    "long." + "x" * 5000,
    "nul\0and\x1b[31mescape",
    "lone\ud800surrogate",
    "{{ 7 * 7 }}{% raise %}",
    "index",
    "tensorflow",
    "CON",
    ".hidden",
    "",
)


MATRICES = Matrices(
    ("[0]", "[1]"),
    ("[0, 0]", "[0, 1]", "[0, 2]"),
    ((-0.42, 0.0, 0.0), (0.0, 1.0, 2.000002)),
    ((0.42, 0.0, 0.0), (0.0, 1.0, 2.0)),
    ((-0.84, 0.0, 0.0), (0.0, 0.0, 2e-6)),
    ((True, False, False), (False, False, True)),
    (0, 5),
)


def at(i: int, dtype: str = "float64", ratio: float = 0.02, verdict: Verdict = "correct", message: str = "") -> AtPoint:
    """One point whose numbers hang together."""
    eps = {"float64": 2.2e-16, "float32": 1.2e-7, "float16": 9.8e-4}[dtype]
    truncation, rounding, claim = 3.1e-13, 1.7e-13, 40 * eps
    tolerance = truncation + rounding + claim
    error = ratio * tolerance
    point = f"seed {i // 4}, batch {1 + i % 5}, {('generic', 'saturated', 'tiny', 'huge')[i % 4]}"
    return AtPoint(
        point, dtype, verdict, 60, error, tolerance, truncation, rounding, claim, ratio, 2 * tolerance, 1.5, message
    )


def claim(
    name: str = "get_input_gradients[x]",
    verdict: Verdict = "correct",
    points: int = 40,
    ratio: float = 0.3,
    seed: int = 0,
) -> ClaimResult:
    """One claim, with a curve and a heat map."""
    random = Random(seed)
    every = tuple(
        at(i, "float32" if i % 3 == 2 else "float64", ratio * 10 ** -(5 * random.random())) for i in range(points)
    )
    steps = tuple(2.0**-i for i in range(2, 36))
    curve = Curve(
        "output[0, 1] by x[2, 0]",
        steps,
        tuple(0.3 * h**2 + 1.1e-16 / h * random.random() for h in steps),
        2.0**-17,
        8e-12,
    )
    heat = Heat(
        "seed 0, batch 5, generic",
        tuple(
            tuple(ratio * 10 ** (-4 * random.random()) if i // 3 == j // 4 else 0.0 for j in range(20))
            for i in range(15)
        ),
    )
    method, wrt = name.rstrip("]").split("[") if "[" in name else (name, "x")
    worst = Entry((0, 1), (2, 0), 0.123456789012, 0.123456789015, 4.8e-13, 9.4e-12, 2.0**-17)
    where = every[0].point if every else ""
    return ClaimResult(name, method, wrt, verdict, points=every, worst=worst, worst_point=where, curve=curve, heat=heat)


def component(name: str = "beras.layers.Dense", claims: int = 6, points: int = 40, seed: int = 0) -> ComponentResult:
    """A correct component of the size that Beras has."""
    names = (
        "get_input_gradients[x]", "get_weight_gradients[w]", "get_weight_gradients[b]", "compose_input_gradients[x]",
        "compose_weight_gradients[w]", "tape[x]",
    )  # fmt: skip
    return ComponentResult(
        name=name,
        source=f"beras/layers.py:{12 + seed}",
        verdict="correct",
        doc="y = x @ w + b\n\nx: (batch, in), w: (in, out), b: (out,)\ny: (batch, out)\n\nSource: Goodfellow, eq. 6.2",
        claims=tuple(claim(names[i % 6], points=points, seed=seed * 100 + i) for i in range(claims)),
        contract=(
            ContractResult("purity", "kept", "inputs, weights and upstream are unchanged"),
            ContractResult("determinism", "kept"),
            ContractResult("batch independence", "not tried", "the batch was never larger than 1"),
        ),
        calls=(("structure", 12), ("steps", 480), ("certificate", 24)),
        rows=(("structure", 60), ("steps", 2400), ("certificate", 120)),
        structures=(("x", "block-diagonal over the batch"), ("w", "column by column")),
        versions=(("gradcheck", "0.1.0"), ("numpy", "2.1.0")),
    )


def proved() -> ComponentResult:
    """A component whose only claim is proved, and loses digits where it saturates."""
    digits = Digits("float64", 15, 15, 2, "saturation ±40", (0, 1), 40.0, "layers.py:12")
    piece = Piece(((5, 4),), ("layers.py:9: greater False and True",), ("generic", "exact zeros"))
    places = tuple(float(x) for x in range(-40, 41, 4))
    kept = tuple(15.0 if x < 0 else max(0.0, 15.0 - x / 2.5) for x in places)
    boxes = Boxes(-40.0, 40.0, 1e-9, ((-40.0, -0.5), (0.5, 40.0)), undecided=((-0.5, 0.5),))
    proof = Proof(14, (piece,), digits=(digits,), kept=(Kept("float64", places, kept),), boxes=boxes)
    whole = component(claims=1)
    return replace(whole, claims=(replace(whole.claims[0], basis="both", proof=proof),))


def plain(name: str = "beras.layers.Dense") -> ComponentResult:
    """A correct component without pictures: quick to paint."""
    one = replace(claim(points=2), curve=None, heat=None, points=())
    return replace(component(name, claims=0), claims=(one,))


def wrong() -> ComponentResult:
    """A component with a diagnosed mistake, a counterexample, wrong entries, a traceback and a broken contract."""
    good = component("beras.activations.Tanh", claims=3, seed=1)
    bad = claim("get_input_gradients[x]", "wrong", seed=5, ratio=3e4)
    points = (at(99, ratio=math.inf, verdict="wrong", message="the claim is NaN at [0, 1]"), *(
        replace(p, verdict="wrong" if p.ratio > 1 else "correct") for p in bad.points
    ))  # fmt: skip
    entries = tuple(Entry((0, i), (2, i), -0.42 - i, 0.42 + i, 3e-13, 4e-13) for i in range(12))
    bad = replace(
        bad,
        reach="everywhere",
        where="everywhere",
        points=points,
        wrong=entries,
        wrong_count=40,
        matrices=MATRICES,
        source="beras/activations.py:77",
        traceback="layers.py, line 7, in backward\n    return self.y @ upstream\nValueError: shapes (3,) and (4,)",
        worst=replace(claim().worst or Entry((), (), 0, 0, 0, 1), claim=-0.419974341614),
        causes=(
            Cause("sign", "The sign is flipped.", "−1 × the claim is within tolerance at all 41 points."),
            Cause("constant", "It could be a constant factor of −1.", "The ratio claim ÷ estimate is −1 everywhere."),
        ),
        counterexample="x = np.array([[1.0]])\nclaimed  −0.41997434161402\nmeasured  0.41997434161402 ± 3e-13",
        test="def test_tanh_derivative_at_one():\n    layer = Tanh()\n    ...\n",
    )
    broken = ContractResult(
        "upstream unchanged", "broken", "compose_input_gradients changed the upstream gradient in place"
    )
    return replace(
        good,
        verdict="wrong",
        reach="everywhere",
        where="everywhere",
        claims=(good.claims[0], bad, *good.claims[1:]),
        contract=(broken, *good.contract),
    )


def wrong_at(reach: Reach, where: str) -> ComponentResult:
    """A component whose one claim is wrong as far as that, and no farther."""
    one = replace(claim("backward[x]", "wrong", points=2, ratio=9.0), reach=reach, where=where, curve=None, heat=None)
    return ComponentResult(f"far.{where}", "far.py:1", "wrong", reach=reach, where=where, claims=(one,))


def unresolved() -> ComponentResult:
    """A component that the measurement cannot judge."""
    good = component("beras.losses.Cancelling", claims=2, seed=2)
    blurred = tuple(replace(p, verdict="unresolved", message="noise of forward is 1e-3") for p in good.claims[1].points)
    vague = replace(
        good.claims[1], verdict="unresolved", points=blurred, reason="tolerance is 3e-4 of the scale, above 1e-6"
    )
    return replace(good, verdict="unresolved", claims=(good.claims[0], vague))


def kinked() -> ComponentResult:
    """A correct component with kinks."""
    good = component("beras.activations.LeakyReLU", claims=2, seed=3)
    kinks = tuple(
        Kink("zeros", (0, i), 0.3, 1.0, 0.0 if i else 0.3, "0 by convention" if i else "left") for i in range(30)
    )
    return replace(good, claims=(replace(good.claims[0], kinks=kinks), good.claims[1]))


def unasked() -> ComponentResult:
    """A component that could not be built."""
    return ComponentResult(
        "beras.layers.Odd", "beras/layers.py:300", "could not be asked", reason="Odd needs 'depth': say --init depth=2"
    )


def strange() -> ComponentResult:
    """A component that is seen and not understood."""
    return ComponentResult(
        "beras.layers.Strange", "beras/layers.py:320", "not understood", reason="it has backprop, and no forward"
    )


def averaged() -> ComponentResult:
    """A component that follows a convention, with notes and with something that was not judged."""
    one = replace(claim("get_weight_gradients[w]"), verdict="convention", reason="averaged over the batch throughout")
    return replace(
        component("beras.layers.Mean", claims=1, seed=6),
        verdict="convention",
        claims=(one, claim()),
        notes=(
            Note("forward", "forward is NaN at ±1000"),
            Note("get_weight_gradients[w]", "for whole numbers (int64) it is truncated"),
            Note("contract", "no floating-point warnings: overflow in exp (beras/layers.py, line 9)"),
        ),
        unjudged=(Unjudged("get_bias_gradients", "its weight was not found"),),
        contract=(ContractResult("no floating-point warnings", "noted", "overflow in exp (beras/layers.py, line 9)"),),
        reading="forward(x), then get_weight_gradients()",
    )


def left_out() -> ComponentResult:
    """A component that is left out by its name."""
    return ComponentResult("beras.layers.Left", "beras/layers.py:330", "skipped", reason="left out (--exclude)")


def stub() -> ComponentResult:
    """A component without a derivative, and one claim that is waived."""
    good = component("beras.layers.Stub", claims=1, seed=4)
    missing = ClaimResult(
        "get_input_gradients[x]", "get_input_gradients", "x", "not implemented", reason="returns None"
    )
    waived = replace(claim("tape[x]"), verdict="waived", reason="straight-through estimator")
    return replace(good, verdict="not implemented", claims=(missing, waived))


def hostile(text: str) -> ComponentResult:
    """A component that says `text` wherever it may say something."""
    base = wrong()
    at_point = replace(base.claims[1].points[0], point=text, dtype=text, message=text)
    one = replace(
        base.claims[1],
        name=text, method=text, wrt=text, points=(at_point,), worst_point=text, reason=text, counterexample=text,
        test=text, traceback=text, where=text, source=text, causes=(Cause(text, text, text),),
        kinks=(Kink(text, (0,), 0.0, 1.0, 0.5, text),),
        curve=replace(base.claims[1].curve or Curve("", (), (), 0, 0), entry=text),
        heat=replace(base.claims[1].heat or Heat("", ()), point=text),
        proof=Proof(
            1, (Piece(((1,),), (text,), (text,)),), left=text, digits=(Digits(text, 15, 3, 2, text, (0,), 1.0, text),),
            kept=(Kept(text, (0.0, 1.0), (1.0, 2.0)),),
        ),
    )  # fmt: skip
    return replace(
        base, name=text, source=text, doc=text, reason=text, claims=(one,), calls=((text, 1),), rows=((text, 1),),
        structures=((text, text),), versions=((text, text),), contract=(ContractResult(text, "broken", text),),
        where=text, reading=text, notes=(Note(text, text),), unjudged=(Unjudged(text, text),),
    )  # fmt: skip


def everything() -> list[ComponentResult]:
    """One of each kind."""
    return [component(), wrong(), unresolved(), kinked(), unasked(), stub(), averaged(), strange()]


def full_report(folder: Path) -> Path:
    """Paint a report with every kind of page."""
    from gradcheck.report import html

    data = folder / "data"
    data.mkdir(parents=True)
    differential.write(kinds.differences(), data / "tensorflow.json")
    (data / "mutation.json").write_text(to_json(kinds.mutation()), encoding="utf-8")
    (data / "arena.json").write_text(to_json(kinds.arena()), encoding="utf-8")
    (data / "training.json").write_text(json.dumps(kinds.training()), encoding="utf-8")
    assert html.render(folder, everything()) == []
    return folder


def paint(folder: Path, *results: ComponentResult) -> str:
    """Paint some results and return the first one's page."""
    from gradcheck.report import html, store

    html.render(folder, results)
    return (folder / store.page(results[0].name)).read_text(encoding="utf-8")
