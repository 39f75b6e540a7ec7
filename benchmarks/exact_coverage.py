"""How much of what gradcheck checks runs exactly, and what comes out, beside what is measured.

    python benchmarks/exact_coverage.py [FILE or FOLDER ...] [--only beras,wild,faults] [--verbose]

For all of Beras, the packages of `tests/wild`, the planted faults with their corrected twins (`tests/faults`), and
every Python file that is given: each claim is measured (`check_subject`, float64), and run exactly at the same points
beside forward. A claim is *asked* where it answers with numbers of a readable shape in float64. Of those,

- proved: its formula is that of the derivative (identical to 2⁻⁶⁰, or apart by rounded constants) at every ordinary
  point, and nowhere disjoint;
- disjoint: certainly more than 2⁻⁴⁸ of the scale off at some point;
- not run: forward or the claim leaves exact arithmetic: where, and why;
- open: it ran, and is not told (too wide, not finite, a jump).

The last columns are milliseconds per subject: exactly, and measured.
"""

from __future__ import annotations

import argparse
import collections
import importlib
import importlib.util
import io
import pkgutil
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT)]

from gradcheck import sampling  # noqa: E402
from gradcheck.adapters import function_subject, is_subject, subject_of  # noqa: E402
from gradcheck.asking.claims import ask  # noqa: E402
from gradcheck.check import Options, check_subject  # noqa: E402
from gradcheck.errors import CannotBuild  # noqa: E402
from gradcheck.exact.formula import ExactPoint, Formula  # noqa: E402
from gradcheck.problem import Method, Subject  # noqa: E402
from gradcheck.sampling import Point  # noqa: E402

GOOD = ("identical", "constants rounded", "convention")


@dataclass
class Outcome:
    """One claim: what was measured, and what came out at every point of which it was asked."""

    subject: str
    claim: str
    measured: str
    at: list[tuple[Point, Formula]] = field(default_factory=list)

    @property
    def exactly(self) -> str:
        """What is said of the claim over all points."""
        relations = [(point, found.comparison.relation if found.comparison else "") for point, found in self.at]
        if any(relation == "disjoint" for _, relation in relations):
            return "disjoint"
        both = [(point, found, relation) for (point, relation), (_, found) in zip(relations, self.at, strict=True)]
        ordinary = [(found, relation) for point, found, relation in both if is_ordinary(point)]
        ordinary = ordinary or [(found, relation) for point, found, relation in both if not point.boundary]
        if any(found.left in ("forward", "claim") for found, _ in ordinary):
            return "not run"
        return "proved" if ordinary and all(relation in GOOD for _, relation in ordinary) else "open"

    @property
    def why(self) -> str:
        """The first point that is not as it should be, and what was found there."""
        for point, found in self.at:
            relation = found.comparison.relation if found.comparison else f"{found.left} {found.why or ''}"
            if relation not in GOOD:
                apart = f" {found.comparison.apart:.1e} … {found.comparison.most_apart:.1e}" if found.comparison else ""
                return f"{point.label}: {relation}{apart}"
        return ""


@dataclass
class Group:
    """Some subjects, and whether their claims are right: True, False, or None where the measurement says it."""

    name: str
    right: bool | None
    outcomes: list[Outcome] = field(default_factory=list)
    exact: float = 0.0
    measured: float = 0.0
    subjects: int = 0
    faults: dict[str, list[Outcome]] = field(default_factory=dict)


def is_ordinary(point: Point) -> bool:
    """Where a claim has to be right in its digits, too: not a point at an edge."""
    return not point.special and not point.boundary


def examine(group: Group, subject: Subject, name: str) -> list[Outcome]:
    """Measure and run exactly all claims of one subject."""
    try:
        points = [point for point in sampling.points(subject, 0) if point.problem.methods]
    except CannotBuild:
        return []
    if not points:
        return []
    group.subjects += 1
    started = time.perf_counter()
    try:
        result = check_subject(subject, Options(dtypes=("float64",), evidence=False))
        verdicts = {claim.name: str(claim.verdict) for claim in result.claims}
        otherwise = "not checked"
    except Exception as error:  # a mistake of gradcheck's own, which is shown and stops nothing
        verdicts, otherwise = {}, f"{type(error).__name__} in gradcheck"
    group.measured += time.perf_counter() - started
    outcomes: dict[str, Outcome] = {}
    for point in points:
        here = ExactPoint(point.problem, point.values, np.random.default_rng(1))
        for method in point.problem.methods:
            answered = asked(point, method)
            started = time.perf_counter()
            found = here.compare(method) if answered else {}
            group.exact += time.perf_counter() - started
            for variable, one in found.items():
                claim = f"{method.name}[{variable}]"
                if variable in answered:
                    known = Outcome(name, claim, verdicts.get(claim, otherwise))
                    outcomes.setdefault(claim, known).at.append((point, one))
    group.outcomes += outcomes.values()
    return list(outcomes.values())


def asked(point: Point, method: Method) -> set[str]:
    """The variables about which the method says something at this point, in floats."""
    try:
        outputs = point.problem.forward(point.values)
    except Exception:  # forward itself refuses the point
        return set()
    shapes = [np.shape(output) for output in outputs]
    if not all(np.isfinite(np.asarray(output, dtype=float)).all() for output in outputs):
        return set()
    size = sum(int(np.prod(shape)) for shape in shapes)
    rows = dict.fromkeys(method.wrt, np.ones((1, size)))
    answers = ask(point.problem, method, lambda: dict(point.values), shapes, rows, "float64")
    return {name for name, answer in answers.items() if answer.status == "answered"}


def modules(package: str) -> Iterator[ModuleType]:
    """A package and what is in it."""
    whole = importlib.import_module(package)
    yield whole
    for found in pkgutil.walk_packages(getattr(whole, "__path__", []), f"{package}."):
        yield importlib.import_module(found.name)


def subjects(module: ModuleType) -> Iterator[tuple[str, Subject]]:
    """What a module defines that has derivatives."""
    for name, thing in list(vars(module).items()):
        if getattr(thing, "__module__", None) == module.__name__ and is_subject(thing):
            try:
                yield f"{module.__name__}.{name}", subject_of(thing)
            except CannotBuild:
                continue


def beras() -> Group:
    """All of Beras."""
    group = Group("beras", True)
    for module in modules("beras"):
        for name, subject in subjects(module):
            examine(group, subject, name)
    return group


def wild() -> Group:
    """The packages of `tests/wild`, as they are."""
    from tests.wild import copies

    group = Group("tests/wild", None)
    for generation in sorted(path.name for path in copies.PACKAGES.iterdir()):
        folder = Path(tempfile.mkdtemp())
        sys.path.insert(0, str(folder))
        for module in modules(copies.load(generation, folder)):
            for name, subject in subjects(module):
                examine(group, subject, f"{generation}: {name.partition('.')[2]}")
    return group


def faults() -> Iterator[Group]:
    """The planted faults, and their corrected twins."""
    from tests.faults.registry import FAULTS

    wrong, right = Group("planted faults", False), Group("their twins", True)
    for fault in FAULTS:
        for group, make in ((wrong, fault.wrong), (right, fault.right)):
            found = examine(group, _planted(make), fault.name)
            group.faults[fault.name] = [one for one in found if fault.claim in one.claim]
    yield wrong
    yield right


def _planted(make: Callable[[], Any]) -> Subject:
    from tests.faults.base import Call

    made = make if isinstance(make, type) else make()
    if isinstance(made, Call):
        return function_subject(made.function, made.args, **made.derivatives)
    return subject_of(made)


def files(paths: list[str]) -> Group:
    """Every Python file that is given, or stands below a folder that is."""
    group = Group("files", None)
    found = [f for path in map(Path, paths) for f in (sorted(path.rglob("*.py")) if path.is_dir() else [path])]
    for file in found:
        sys.path.insert(0, str(file.parent))
        try:
            module = _loaded(file)
        except BaseException as error:  # other people's scripts may end the program
            print(f"  {file}: not imported ({type(error).__name__}: {error})", file=sys.stderr)
            continue
        finally:
            sys.path.remove(str(file.parent))
        for name, subject in subjects(module):
            examine(group, subject, f"{file.parent.name}/{file.name}: {name.rpartition('.')[2]}")
    return group


def _loaded(file: Path) -> ModuleType:
    name = "checked_" + "_".join(file.with_suffix("").parts[-4:]).replace(".", "_")
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    with redirect_stdout(io.StringIO()):
        spec.loader.exec_module(module)
    return module


def show(groups: list[Group], verbose: bool) -> None:
    """Print what did not run or is not proved, one line each, and the table."""
    for group in groups:
        print(f"\n{group.name}")
        for one in group.outcomes:
            expected = one.measured == "correct" if group.right is None else group.right
            if verbose or (one.exactly != "proved" if expected else one.exactly not in ("disjoint", "proved")):
                print(f"  {one.subject} {one.claim}: {one.exactly}; measured {one.measured}; {one.why}"[:300])
        for name, claims in group.faults.items():
            if not group.right and not any(claim.exactly == "disjoint" for claim in claims):
                said = "; ".join(f"{one.claim} {one.exactly} {one.why}" for one in claims)
                print(f"  not caught: {name}: {said or 'not asked'}"[:300])
    print("\n| | subjects | claims | proved | disjoint | open | not run | ms exact | ms measured |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for group in groups:
        by_kind = [("", group.outcomes)]
        if group.right is None:
            names = ("correct", "wrong")
            by_kind = [(f", measured {v}", [o for o in group.outcomes if o.measured == v]) for v in names]
            rest = [o for o in group.outcomes if o.measured not in names]
            by_kind += [(", measured otherwise", rest)] if rest else []
        for number, (what, some) in enumerate(by_kind):
            counts = collections.Counter(one.exactly for one in some)
            shares = [
                f"{counts[k]} ({counts[k] / max(len(some), 1):.1%})" for k in ("proved", "disjoint", "open", "not run")
            ]
            each = [
                f"{1000 * t / max(group.subjects, 1):.0f}" if not number else "" for t in (group.exact, group.measured)
            ]
            cells = [group.name + what, "" if number else str(group.subjects), str(len(some)), *shares, *each]
            print(f"| {' | '.join(cells)} |")


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("paths", nargs="*")
    parser.add_argument("--only", default="beras,wild,faults")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    groups: list[Group] = []
    only = options.only.split(",")
    with np.errstate(all="ignore"):
        groups += [beras()] if "beras" in only else []
        groups += [wild()] if "wild" in only else []
        groups += list(faults()) if "faults" in only else []
        groups += [files(options.paths)] if options.paths else []
    show(groups, options.verbose)


if __name__ == "__main__":
    main()
