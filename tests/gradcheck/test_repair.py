"""One change that makes a wrong claim right: found, shown as a diff, proven, and written only where it is asked for."""

from __future__ import annotations

import copy
import functools
import hashlib
import importlib
import inspect
import linecache
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradcheck import Options, UsageError, check, check_subject
from gradcheck.adapters import function_subject, subject_of
from gradcheck.command.arguments import parse
from gradcheck.command.cli import main
from gradcheck.command.discover import Place
from gradcheck.data import to_json
from gradcheck.repair import propose
from gradcheck.repair.apply import apply
from gradcheck.repair.observe import Observed
from gradcheck.repair.ran import ran
from gradcheck.repair.repairs import Repairs
from gradcheck.repair.search import ordered, trial
from gradcheck.repair.source import reading, unit
from gradcheck.report.terminal import text_of
from gradcheck.results import Repair, from_json
from gradcheck.sampling import points
from tests.gradcheck import mistaken as m
from tests.gradcheck.test_branches import decide

REPAIR = Options(hints="repair")
V = np.array([0.3, -1.2, 0.7, 2.1])


@pytest.mark.parametrize(
    ("forward", "kind", "claim", "x", "right"),
    [
        (m.halved, "grad", m.halved_grad, V, "return 2 * x"),
        (m.cubed, "grad", m.cubed_grad, V, 'return 3 * x**2 if kind is None or kind == "plain" else x'),
        (m.softplus, "grad", m.softplus_grad, V, "return 1 / (1 + np.exp(-x))"),
        (m.linear, "vjp", m.linear_vjp, m.X, "return g @ W  # the weights stand the other way round"),
        (m.mean_square, "grad", m.mean_square_grad, m.X, "return 2 * x / x.size"),
        (m.leaky, "vjp", m.leaky_vjp, V, "return g * np.where(x > 0, 1.0, RATE)"),
        (m.length, "grad", m.length_grad, V, "return x / np.sqrt((x**2).sum() + 0.001)"),
        (m.gather, "vjp", m.gather_vjp, V, "np.add.at(dx, np.array([0, 2, 0]), g)"),
        (m.powers, "vjp", m.powers_vjp, V, "return dx"),
        (m.spread, "vjp", m.spread_vjp, V, "dx[0] += one * upstream if größe else 0.0"),
        (m.gram, "vjp", m.gram_vjp, m.X, "return (g + g.T) @ x"),
        (m.two_powers, "grad", m.two_powers_grad, V, "d"),
    ],
)
def test_single_mistakes_are_repaired(
    forward: Callable[..., Any], kind: str, claim: Callable[..., Any], x: np.ndarray[Any, Any], right: str
) -> None:
    before = claim.__code__
    result = check(forward, x, options=REPAIR, **{kind: claim})
    (found,) = result.claims
    assert result.verdict in ("wrong", "could not be asked")
    assert found.repair is not None
    assert found.repair.new.strip() == right
    assert claim.__code__ is before
    lines = inspect.getsource(m).splitlines()
    assert lines[found.repair.line - 1] == found.repair.old
    assert f"+{found.repair.new}" in text_of(result)
    assert from_json(to_json(result)) == result


@pytest.mark.parametrize(
    ("subject", "right"),
    [
        (m.Logistic, "return g * self.out * (1 - self.out)"),
        (m.Sine, "return np.cos(self.x) * g"),
        # At the second seed the first point is so flat that nothing can be told there.
        (m.step_forward, "return da @ Wx.T, da @ Wh.T, x.T @ da, prev_h.T @ da, da.sum(axis=0)"),
    ],
)
def test_mistakes_in_layers_and_pairs_are_repaired(subject: Any, right: str) -> None:
    (found,) = (one for one in check(subject, options=REPAIR).claims if one.verdict == "wrong")
    assert found.repair is not None
    assert found.repair.new.strip() == right


def test_a_changed_file_is_read_as_it_is_for_a_while() -> None:
    before = linecache.getlines(m.__file__)
    with reading(m.__file__, "one\ntwo\n"):
        assert linecache.getlines(m.__file__) == ["one\n", "two\n"]
    assert linecache.getlines(m.__file__) == before


def test_numbers_whose_squares_are_none_and_what_is_no_number_end_no_search() -> None:
    """1e-300² is 0, 1e300² is too large, and the literal None has no absolute value."""
    (claim,) = check(m.reciprocal, V, grad=m.reciprocal_grad, options=REPAIR).claims
    assert claim.verdict == "wrong"
    assert claim.repair is not None


def test_a_private_method_is_repaired_in_a_class_that_calls_its_base() -> None:
    (claim,) = check_subject(subject_of(m.Scale), REPAIR).claims
    assert claim.repair is not None
    assert claim.repair.new.strip() == "return 3 + 2 * self.__x"


def spread(dx: Any, g: Any, left: int) -> None:
    dx += g
    if left:
        spread(dx, g / 2, left - 1)


def spread_vjp(x: Any, g: Any) -> Any:
    dx = np.zeros_like(x)
    spread(dx, g, 3)
    dx.sort()
    return dx


def test_the_way_on_is_never_taken_out() -> None:
    subject = function_subject(lambda x: 2 * x, (np.ones(3),), vjp=spread_vjp)
    point = next(iter(points(subject, 0)))
    first = trial(point, point.problem.methods[0], "x", "float64", 0)
    assert first is not None
    dropped = {one.what for one in ordered(ran(first), math.nan) if one.what.startswith("without `")}
    assert {"without `dx.sort()`", "without `spread(dx, g, 3)`", "without `dx += g`"} <= dropped
    assert "without `spread(dx, g / 2, left - 1)`" not in dropped


def test_what_no_single_change_mends_has_no_repair() -> None:
    (claim,) = check(m.rough, V, grad=m.rough_grad, options=REPAIR).claims
    assert claim.verdict == "wrong"
    assert claim.repair is None


def test_a_change_that_is_right_at_given_points_only_is_none() -> None:
    """4 for 3 is right at x = 2, where it is asked, and nowhere else."""
    (claim,) = check(lambda x: x**2, np.array(2.0), grad=lambda x: 3.0, options=REPAIR).claims
    assert claim.verdict == "wrong"
    assert claim.repair is None


def test_a_limit_that_is_reached_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.import_module("gradcheck.check"), "Repairs", functools.partial(Repairs, seconds=0.0))
    result = check(m.halved, V, grad=m.halved_grad, options=REPAIR)
    assert result.claims[0].repair is None
    assert any("found in time" in note.text for note in result.notes)


def test_hints_decide_how_much_is_said() -> None:
    said = {
        hints: check(m.halved, V, grad=m.halved_grad, options=Options(hints=hints)).claims[0]
        for hints in ("none", "where", "cause")
    }
    assert {claim.verdict for claim in said.values()} == {"wrong"}
    assert {claim.reach for claim in said.values()} == {"everywhere"}
    assert all(claim.repair is None for claim in said.values())
    assert [bool(claim.causes) for claim in said.values()] == [False, False, True]
    assert [claim.worst is not None and bool(claim.source) for claim in said.values()] == [False, True, True]
    assert Options().hints == "cause"


def test_propose_names_the_claim() -> None:
    subject = function_subject(m.halved, [V], grad=m.halved_grad)
    found = propose(subject, "grad[x]")
    assert found is not None
    assert found.what == "2 ×"
    with pytest.raises(KeyError):
        propose(subject, "grad[y]")


def test_what_is_computed_stays_what_it_is_while_somebody_listens() -> None:
    x = np.array([[0.5, -0.5], [2.0, -3.0]])
    made = unit(decide.__code__, [decide])
    assert made is not None
    seen = Observed([made])
    said = [decide(x), decide(x, "test", scale=-1.0), decide(x, scale=0.5, more=1)]
    heard = [
        seen.during(lambda: decide(x)),
        seen.during(lambda: decide(x, "test", scale=-1.0)),
        seen.during(lambda: decide(x, scale=0.5, more=1)),
    ]
    for one, other in zip(said, heard, strict=True):
        np.testing.assert_equal(one, other)
    assert decide.__code__ is made.code


# Writing.


def repair_in(path: Path, old: str, new: str, line: int) -> Repair:
    """A repair as the search would describe it."""
    diff = f"--- {path}\n+++ {path}\n@@ -{line},1 +{line},1 @@\n-{old}\n+{new}"
    return Repair(str(path), line, old, new, "as told", diff, hashlib.sha256(path.read_bytes()).hexdigest())


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_file_keeps_its_line_ends_its_mark_and_its_rights(tmp_path: Path, end: str, mark: str) -> None:
    path = tmp_path / "ö.py"
    path.write_bytes(f"{mark}a = 'ü'{end}b = 2{end}c = 3".encode())
    path.chmod(0o755)
    some = [repair_in(path, "b = 2", "b = 4", 2), repair_in(path, "c = 3", "c = 9", 3)]
    assert [line.partition(":")[0] for line in apply([*some, some[0]])] == ["applied", "applied"]
    assert path.read_bytes().decode() == f"{mark}a = 'ü'{end}b = 4{end}c = 9"
    assert path.stat().st_mode & 0o777 == 0o755
    assert [one.name for one in tmp_path.iterdir()] == ["ö.py"]


def test_a_file_that_changed_meanwhile_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "layer.py"
    path.write_text("a = 1\nb = 2\n")
    one = repair_in(path, "b = 2", "b = 4", 2)
    path.write_text("a = 1\nb = 3\n")
    (line,) = apply([one])
    assert line.startswith("not applied")
    assert path.read_text() == "a = 1\nb = 3\n"
    path.unlink()
    assert apply([one])[0].startswith("not applied")


def test_of_two_repairs_of_a_line_the_first_counts(tmp_path: Path) -> None:
    path = tmp_path / "layer.py"
    path.write_text("a = 1\n")
    said = apply([repair_in(path, "a = 1", "a = 2", 1), repair_in(path, "a = 1", "a = 3", 1)])
    assert [line.partition(":")[0] for line in said] == ["applied", "not applied"]
    assert path.read_text() == "a = 2\n"


# The command.

LAYER = """
import numpy as np

class Layer:
    def forward(self, x):
        self.x = x
        return np.sinh(x)

    def backward(self, g):
        return g * np.sinh( self.x )   # odd spaces stay
"""


def test_apply_mends_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.chdir(tmp_path)
    Path("layer.py").write_text(LAYER)
    assert main(["layer.py", "--no-report"]) == 1
    assert Path("layer.py").read_text() == LAYER
    assert "-        return g * np.sinh( self.x )   # odd spaces stay" in capsys.readouterr().out
    assert main(["layer.py", "--no-report", "--apply"]) == 1
    assert "applied: layer.py, line 10 (`cosh` for `sinh`)" in capsys.readouterr().out
    assert Path("layer.py").read_text() == LAYER.replace("np.sinh( ", "np.cosh( ")
    assert main(["layer.py", "--no-report", "--apply"]) == 0


def test_a_package_and_many_folders_are_not_searched_unless_it_is_asked_for() -> None:
    package, one = Place("b", "b", "b/__init__.py", "", package=True), Place("b.c", "b.c", "b/c.py", "")
    layer = copy.replace(package, attribute="L") if hasattr(copy, "replace") else Place("b.L", "b", "", "", "L", True)
    settings = parse(["b"]).settings
    assert [settings.hints_at(place) for place in (package, one, layer)] == ["cause", "repair", "repair"]
    assert parse(["--each", "a", "b", "c"]).settings.hints_at(one) == "cause"
    assert parse(["b", "--apply"]).settings.hints_at(package) == "repair"
    assert parse(["b", "--hints", "where"]).settings.hints_at(one) == "where"


@pytest.mark.parametrize("more", [["--each", "a", "b"], ["--hints", "cause"], ["--render", "r"], ["--list"]])
def test_apply_goes_with_repairs_only(more: list[str]) -> None:
    with pytest.raises(UsageError, match="--apply"):
        parse(["--apply", *more])
