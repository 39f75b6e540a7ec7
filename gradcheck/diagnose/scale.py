"""The claim is the derivative times one number: which number is it, and which sizes make it?"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gradcheck.diagnose.evidence import SLACK, Cause, Evidence


@dataclass(frozen=True)
class Factor:
    """A number with a meaning: the cause it speaks for, and how it is said."""

    value: float
    name: str
    sentence: str


def times_a_known_constant(e: Evidence) -> list[Cause]:
    """claim = k · estimate with a k that the sizes explain: batch, features, outputs, 2, and their inverses."""
    k = ratio(e)
    if k is None:
        return []
    fitting = ([factor for factor in tier if e.fits(factor.value * e.estimate, factor.value)] for tier in tiers(e))
    evidence = f"every entry of the claim is {say(k)} × the derivative, within its tolerance"
    return [Cause(factor.name, factor.sentence, evidence) for factor in next(filter(None, fitting), [])]


def times_any_known_constant(e: Evidence) -> Iterator[Cause]:
    """The same with every such k, likely or not: at another point a likelier one may fit as well, by its sizes."""
    for factor in (one for tier in tiers(e) for one in tier) if ratio(e) is not None else ():
        if e.fits(factor.value * e.estimate, factor.value):
            yield Cause(factor.name, factor.sentence, "")


def times_a_constant(e: Evidence) -> list[Cause]:
    """claim = k · estimate with any other k."""
    k = ratio(e)
    if k is None or not e.fits(k * e.estimate, k):
        return []
    if np.count_nonzero(e.judged & (np.abs(e.estimate) > e.tolerance)) < 2:
        return []  # one number is always a multiple of another
    off = 100 * abs(k - 1)
    percent = f"{off:.2f}%" if off >= 0.01 else f"{off:.1g}%"
    change = f"{percent} too {'large' if k > 1 else 'small'}" if 0 < k < 2 else f"{say(k)} × the derivative"
    sentence = f"The claim is {change}: a constant factor is wrong."
    return [Cause("times a constant", sentence, f"claim ÷ derivative is {k:.9g} for every entry")]


def times_a_variable(e: Evidence) -> list[Cause]:
    """claim = derivative × vᵏ, entry by entry, with k = ±1 or ±2, and v a variable or the output."""
    return list(_times_variables(e, 3))[:1]


def times_any_variable(e: Evidence) -> Iterator[Cause]:
    """The same where v may be one number."""
    return _times_variables(e, 1)


def _times_variables(e: Evidence, least: int) -> Iterator[Cause]:
    if not np.isfinite(e.claim).all() or not (len(e.estimate) == 1 or e.elementwise):
        return
    claim, right, tolerance, judged = (
        one[0] if len(one) == 1 else np.diagonal(one) for one in (e.claim, e.estimate, e.tolerance, e.judged)
    )
    held = {v.name: np.asarray(e.values[v.name]) for v in e.problem.variables} | ({"y": e.y} if e.elementwise else {})
    telling = judged & (np.abs(right) > 1e2 * tolerance)
    for (name, value), k in itertools.product(held.items(), (1, -1, 2, -2)):
        v = value.ravel()
        if (
            value.dtype.kind != "f"
            or v.size != right.size
            or not np.all(v[judged])
            or np.unique(v[telling]).size < least
        ):
            continue
        factor = np.where(judged, v, 1.0) ** float(k)
        lost = SLACK * tolerance * np.abs(factor) + 1e-9 * np.abs(claim).max()
        if np.all((np.abs(claim - right * factor) <= lost)[judged]):
            what = {
                1: f"× {name}: is a factor {name} too much?",
                -1: f"÷ {name}: is a factor {name} missing?",
                2: f"× {name}²: is it multiplied by {name} where it should be divided?",
                -2: f"÷ {name}²: is it divided by {name} where it should be multiplied?",
            }[k]
            power = {1: name, -1: f"1/{name}", 2: f"{name}²", -2: f"1/{name}²"}[k]
            evidence = f"claim ÷ derivative is {power} at every entry"
            yield Cause("times a variable", f"Each entry of the claim is the derivative {what}", evidence)


def ratio(e: Evidence) -> float | None:
    """Return claim ÷ estimate at the largest entry, `None` where there is nothing to divide."""
    usable = e.judged & np.isfinite(e.claim)
    magnitude = np.where(usable, np.abs(e.estimate), 0.0)
    if not e.readable or not magnitude.max(initial=0.0) > 0:
        return None
    place = np.unravel_index(int(magnitude.argmax()), magnitude.shape)
    k = float(e.claim[place] / e.estimate[place])
    return k if k != 0 and math.isfinite(k) else None


def tiers(e: Evidence) -> Iterator[list[Factor]]:
    """Yield numbers with a meaning for this call, the likeliest together first: one mistake before two."""
    single, several, combined = _single(e), list(_both_means(e)), list(_with_two(e))
    yield [Factor(-1.0, "sign flipped", "The sign is flipped: the claim is minus the derivative.")]
    yield [*single, *_axes(e)]  # what fits by accident is told apart at other sizes
    yield several
    yield combined
    yield list(_units())
    for factor in [*single, *several, *combined]:
        yield [Factor(-factor.value, f"sign flipped, and {factor.name}", f"{factor.sentence} And the sign is flipped.")]


def _single(e: Evidence) -> list[Factor]:
    """One factor is wrong: 2, or a size."""
    two = Factor(2.0, "extra factor 2", "2 × too large: is a factor 2 there twice, or a ½ missing?")
    half = Factor(0.5, "factor 2 missing", "2 × too small: is the 2 of the squared term missing, or a ½ too much?")
    sizes = named_sizes(e).items()
    return [two, half, *(_missing(noun, n) for noun, n in sizes), *(_extra(noun, n, e) for noun, n in sizes)]


def _both_means(e: Evidence) -> Iterator[Factor]:
    """Batch and features, both or one for the other."""
    sizes = named_sizes(e)
    batch, features = sizes.get("batch", 1), sizes.get("features", 1)
    n, which = batch * features, f"batch × features ({batch} × {features})"
    if batch == 1 or features == 1:
        return
    yield Factor(n, "both means missing", f"{n} × too large, which is {which}: are both means missing?")
    yield Factor(
        n / 2, "factor 2 and both means missing", f"{n}/2 × too large: the factor 2 and both means are missing."
    )
    yield Factor(
        2 * n, "extra factor 2, both means missing", f"{2 * n} × too large: both means are missing; a 2 too much."
    )
    yield Factor(1 / n, "both means too much", f"{n} × too small, which is {which}: is it averaged twice?")
    swapped = f"Averaged over the wrong axis: batch ({batch}) and features ({features}) are mixed up."
    yield Factor(features / batch, "averaged over the wrong axis", swapped)
    yield Factor(batch / features, "averaged over the wrong axis", swapped)


def _with_two(e: Evidence) -> Iterator[Factor]:
    """A size and a factor 2."""
    for noun, n in named_sizes(e).items():
        for factor, name in ((_missing(noun, n), f"1/{noun} missing"), (_extra(noun, n, e), f"extra 1/{noun}")):
            yield Factor(factor.value / 2, f"factor 2 and {name}", f"{factor.sentence} And a factor 2 is missing.")
            yield Factor(factor.value * 2, f"extra factor 2, {name}", f"{factor.sentence} And a factor 2 is too much.")


def _units() -> Iterator[Factor]:
    """Another base, another unit."""
    for value, what in ((math.log(2), "log 2"), (math.log(10), "log 10"), (math.pi, "π"), (math.pi / 180, "π/180")):
        yield Factor(value, "times a constant", f"{what} × the derivative: is the base or the unit another one?")
        yield Factor(
            1 / value, "times a constant", f"1/({what}) × the derivative: is the base or the unit another one?"
        )


def named_sizes(e: Evidence) -> dict[str, int]:
    """Return the sizes above 1 that a mean or a sum may run over, by name."""
    inputs = [v for v in e.problem.variables if v.role == "input"]
    shapes = [np.shape(e.values[v.name]) for v in inputs]
    lead = np.shape(e.x) if e.variable.role == "input" else next(iter(shapes), ())
    if _is_shared(e) and e.variable.role == "input":
        lead = np.shape(e.outputs[0])
    found: dict[str, int] = {}
    if len(lead) >= 2:
        found["batch"] = lead[0]
        found["features"] = lead[-1]
        if len(lead) > 2:
            found["rows"] = math.prod(lead[:-1])
            found["entries of a sample"] = math.prod(lead[1:])
    elif len(lead) == 1:
        found["entries"] = lead[0]
    out = np.shape(e.outputs[0]) if e.outputs else ()
    if len(out) >= 2:
        found["outputs"] = out[-1]
    # Two names for one number would be two diagnoses for one mistake; the first is the likelier one.
    unique: dict[str, int] = {}
    for noun, n in found.items():
        if n > 1 and not (noun in ("outputs", "rows", "entries of a sample") and n in unique.values()):
            unique[noun] = n
    return unique


def _missing(noun: str, n: int) -> Factor:
    sentence = f"{n} × too large, and the {_is(noun)} {n}: is the mean over the {noun} missing?"
    return Factor(n, f"1/{noun} missing", sentence)


def _extra(noun: str, n: int, e: Evidence) -> Factor:
    start = f"{n} × too small, and the {_is(noun)} {n}:"
    if _is_shared(e) and noun in ("batch", "rows"):
        what = "a weight" if e.variable.role == "weight" else "what all rows share"
        why = f"averaged over {n} rows; the gradient of {what} is a sum over the batch, not a mean."
        return Factor(1 / n, "averaged instead of summed", f"{start} {why}")
    if e.method.convention and noun in ("batch", "rows"):
        why = "its package averages weight gradients over the batch, so its losses must leave the 1/batch out."
        return Factor(1 / n, f"extra 1/{noun}", f"{start} {why}")
    return Factor(1 / n, f"extra 1/{noun}", f"{start} is it divided by the {noun} once too often?")


def _is_shared(e: Evidence) -> bool:
    """Whether all rows share the variable: a weight, or an argument without the batch of what comes out."""
    out = np.shape(e.outputs[0]) if len(e.outputs) == 1 else ()
    return e.variable.role == "weight" or (len(out) > 1 and np.ndim(e.x) > 0 and _rows(np.shape(e.x), out) != out[0])


def _rows(shape: tuple[int, ...], out: tuple[int, ...]) -> int:
    return shape[0] if len(shape) == len(out) else 1


def _axes(e: Evidence) -> Iterator[Factor]:
    """The length of any axis, and its root, as in attention's 1/√d."""
    for variable in e.problem.variables:
        for axis, n in enumerate(np.shape(e.values[variable.name])):
            noun = f"the length of axis {axis} of {variable.name}"
            for value, what in ((math.sqrt(n), f"√{n}"), (float(n), f"{n}")):
                if n > 1 and value not in named_sizes(e).values():
                    root = "the root of " if value != n else ""
                    told = f"{what} × too large, and {noun} is {n}: is a division by {root}it missing?"
                    yield Factor(value, f"1/{'√' if root else ''}axis {axis} of {variable.name} missing", told)
                    told = f"{what} × too small, and {noun} is {n}: is it divided by {root}it once too often?"
                    yield Factor(1 / value, f"extra 1/{'√' if root else ''}axis {axis} of {variable.name}", told)


def _is(noun: str) -> str:
    return f"number of {noun} is" if noun.endswith("s") or noun.startswith("entries") else f"{noun} is"


def say(k: float) -> str:
    """Write a factor the way people do: 5, 1/5, −0.3."""
    if k and abs(1 / k - round(1 / k)) < 1e-6 and abs(round(1 / k)) > 1:
        return f"{'−' if k < 0 else ''}1/{abs(round(1 / k))}"
    return f"{k:.4g}".replace("-", "−")
