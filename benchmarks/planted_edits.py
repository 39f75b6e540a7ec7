"""How many single mistakes are called wrong, and how many of those does one change put right?

    python benchmarks/planted_edits.py [--count 200] [--seed 0] [--held-out] [--folder FOLDER] [--lines FILE]

Mistakes (`plants.py`) are planted by seed into the right code of tests/right, tests/faults, tests/wild and of the files
`right.py` in a FOLDER, one at a time, in the functions that run when a claim is asked. Each is

- called wrong; or shown to change nothing: at all points the claims are what they were; or missed;
- where it is wrong, repaired or not: the repair is found without knowing the mistake, and checked once more at seeds
  that the search did not use.

One half of the files is drawn from, the other with `--held-out`, which is meant for the end. Seconds are those that the
process computes. `--lines` writes a line of JSON for each mistake; a run with lines that are there goes on after them,
and its summary counts them, too. With `--causes` the first cause that is named is
judged, too (`first_cause.py` says how): right, none or false.
"""

from __future__ import annotations

import argparse
import ast
import importlib.util
import json
import statistics
import sys
import tempfile
import time
import warnings
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import CodeType
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from first_cause import is_right, names_the_edit  # noqa: E402
from plants import Plant, Planter  # noqa: E402

from gradcheck.adapters import function_subject, is_subject, subject_of  # noqa: E402
from gradcheck.branches.coverage import files_of  # noqa: E402
from gradcheck.branches.recompile import in_place, inside  # noqa: E402
from gradcheck.check import Options, _Session, check_subject, whole_check  # noqa: E402
from gradcheck.errors import CannotBuild, TimeLimit  # noqa: E402
from gradcheck.evaluated import Evaluated, Ledger  # noqa: E402
from gradcheck.problem import Subject  # noqa: E402
from gradcheck.repair.change import described  # noqa: E402
from gradcheck.repair.ran import Ran, ran  # noqa: E402
from gradcheck.repair.repairs import MENDED, Repairs, with_repair  # noqa: E402
from gradcheck.repair.search import SECONDS, trial  # noqa: E402
from gradcheck.repair.source import Unit, reading  # noqa: E402
from gradcheck.repair.trial import Trial  # noqa: E402
from gradcheck.repair.whole import Claim, only  # noqa: E402
from gradcheck.sampling import Point, points  # noqa: E402
from tests.faults.base import Call  # noqa: E402
from tests.faults.registry import FAULTS  # noqa: E402
from tests.right.registry import RIGHT  # noqa: E402
from tests.wild.copies import importable, load  # noqa: E402
from tests.wild.test_derivatives import subjects as classes_of  # noqa: E402

FRESH = (101, 102)


@dataclass
class Outcome:
    """What became of one mistake. `called`: a verdict, "changes nothing", "missed"."""

    subject: str
    claim: str
    kind: str
    single: bool
    line: int
    before: str
    after: str
    called: str = ""
    wrong: str = ""
    cause: str = ""
    sentence: str = ""
    false: str = ""
    repaired: bool = False
    restored: bool = False
    unsound: str = ""
    what: str = ""
    old: str = ""
    new: str = ""
    tried: int = 0
    limited: bool = False
    seconds: float = 0.0


# What mistakes are planted into.


def subjects(folder: str, work: Path) -> Iterator[tuple[str, str, Callable[[], Subject]]]:
    """Yield the file, the name and the maker of every right subject."""
    for right in RIGHT:
        yield f"right/{right.name.partition('.')[0]}", right.name, lambda right=right: _of_right(right)
    for fault in FAULTS:
        name = f"{fault.right.__module__.rpartition('.')[2]}: {fault.name}"
        yield f"faults/{fault.right.__module__}", name, lambda fault=fault: _of_thing(fault.right)
    for generation in ("modern", "chain", "older", "oldest"):
        for title, cls in classes_of(load(generation, work)).items():
            yield f"wild/{generation}", f"{generation}.{title}", lambda cls=cls: subject_of(cls)
    for file in sorted(Path(folder).glob("**/right.py")) if folder else ():
        for title, thing in _things(file):
            yield f"found/{file.parent.name}", f"{file.parent.name}.{title}", lambda thing=thing: subject_of(thing)


def _of_right(right: Any) -> Subject:
    np.random.seed(0)  # noqa: NPY002
    subject = right.subject() if right.fresh else right.subject
    return function_subject(subject, right.args, **right.claims) if right.args else subject_of(subject)


def _of_thing(thing: Any) -> Subject:
    made = thing() if callable(thing) and not isinstance(thing, type) else thing
    if isinstance(made, Call):
        return function_subject(made.function, made.args, **made.derivatives)
    return subject_of(made)


def _things(file: Path) -> Iterator[tuple[str, Any]]:
    name = f"found_{file.parent.name}"
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for title, thing in vars(module).items():
        if getattr(thing, "__module__", "") == name and callable(thing) and is_subject(thing):
            yield title, thing


@dataclass
class Ground:
    """A right subject: the claims that are right, and where mistakes can be planted."""

    subject: Subject
    claims: list[Claim]
    plants: list[tuple[Claim, Unit, Plant]]
    points: list[Point]


def ground(subject: Subject) -> Ground | None:
    """Check a subject and list what can be planted into it; None where nothing can."""
    result = check_subject(subject, Options(evidence=False, time_limit=25))
    claims = [(one.method, one.wrt) for one in result.claims if one.verdict in ("correct", "convention") and one.points]
    found: dict[tuple[Unit, Plant], Claim] = {}
    seen: set[tuple[str, Plant]] = set()
    home = {file for thing in subject.code[:1] for file in files_of(thing)}
    for claim in claims:
        where = _where(subject, claim)
        for one in where.units if where is not None else ():
            assert where is not None
            if one.code.co_name.startswith("__") or one.file.name not in home:  # what leads there, not the derivative
                continue
            nodes = [node for shared, unit, node in where.suspects if unit is one and not shared]
            for plant in Planter(one.file.text, one.node, one.file.span).all(nodes):
                if (one.file.name, plant) not in seen:
                    seen.add((one.file.name, plant))
                    found[one, plant] = claim
    planted = [(claim, unit, plant) for (unit, plant), claim in found.items()]
    return Ground(subject, claims, planted, list(points(subject, 7))) if found else None


def _where(subject: Subject, claim: Claim) -> Ran | None:
    """The functions that run when a claim is asked, at the first point where it can be."""
    for point in points(subject, 0):
        method = next((one for one in point.problem.methods if one.name == claim[0] and claim[1] in one.wrt), None)
        made = None if method is None else trial(point, method, claim[1], "float64", 0)
        if made is not None:
            return ran(made)
    return None


# What becomes of one.


def outcome(place: Ground, claim: Claim, unit: Unit, plant: Plant, name: str, causes: bool) -> Outcome | None:
    """Plant one mistake, check, and look for the repair; None where it cannot be planted."""
    text = unit.file.text
    found = Outcome(
        name, f"{claim[0]}[{claim[1]}]", plant.kind, plant.single, unit.file.line(plant.start),
        text[plant.start : plant.end], plant.text,
    )  # fmt: skip
    planted = text[: plant.start] + plant.text + text[plant.end :]
    code = _code_in(planted, unit.code)
    if code is None:
        return None
    before = _answers(place)
    subject = only(place.subject, place.claims)
    with in_place(unit.with_code(code)), reading(unit.file.name, planted):
        session = _Session(subject, Options(evidence=causes, hints="cause" if causes else "none"))
        with np.errstate(all="ignore"):
            result = session.run()
        known = list(session.records.values())
        wrong = [one for one in known if one.verdict()[0] in MENDED and one.first_wrong is not None]
        if not wrong and result.verdict == "wrong":
            found.called = "against the contract"
            return found
        if not wrong:
            said = [one.verdict() for one in known]
            if len(known) < len(place.claims) or any(verdict not in RIGHT_WORDS for verdict, _ in said):
                found.called = f"no verdict: {next((v for v, _ in said if v not in RIGHT_WORDS), 'could not be asked')}"
            else:
                found.called = "changes nothing" if _same(before, _answers(place)) else "missed"
            return found
        found.called, found.wrong = wrong[0].verdict()[0], wrong[0].name
        start = time.process_time()
        broken = [one.name for one in result.contract if one.verdict == "broken"]
        search = Repairs(subject, whole_check, 0, SECONDS).search(wrong[0], known, broken)
        found.seconds, found.tried, found.limited = time.process_time() - start, search.tried, search.limited
        if search.edit is not None:
            repair = described(search.edit)
            found.repaired, found.what, found.old, found.new = True, repair.what, repair.old, repair.new
            edit = search.edit
            mended = edit.unit.changed(edit.start, edit.end, edit.text)
            assert mended is not None
            now = edit.unit.file.text[: edit.start] + edit.text + edit.unit.file.text[edit.end :]
            found.restored = edit.unit.file.name == unit.file.name and _reads_as(now, text)
            with in_place(edit.unit.with_code(mended)), reading(edit.unit.file.name, now):
                found.unsound = _unsound(only(subject, {(wrong[0].method, wrong[0].wrt)}))
        if causes:
            told = next(one for one in result.claims if one.name == wrong[0].name)
            for cause in with_repair(told, search.edit).causes[:1]:
                found.cause, found.sentence = cause.name, cause.sentence
                if cause in told.causes:
                    found.false = is_right(
                        cause, plant, subject, (wrong[0].method, wrong[0].wrt), planted.splitlines()[found.line - 1]
                    )
                elif not found.restored and not names_the_edit(search.edit, plant, unit.file.name, planted):
                    found.false = f"the repair is about something else: {search.edit.what}, line {repair.line}"
                found.false = found.false or found.unsound
    return found


def _code_in(text: str, code: CodeType) -> CodeType | None:
    """The code of a function in a changed text of its file; None where that is no Python."""
    try:
        codes = list(inside(compile(text, code.co_filename, "exec", dont_inherit=True)))
    except SyntaxError:
        return None
    where = code.co_qualname, code.co_firstlineno, code.co_freevars
    found = [one for one in codes if (one.co_qualname, one.co_firstlineno, one.co_freevars) == where]
    return found[0] if len(found) == 1 else None


RIGHT_WORDS = ("correct", "convention")


def _unsound(subject: Subject) -> str:
    """What a whole check at seeds that nobody has seen says against a repair: "" where nothing."""
    for seed in FRESH:
        result = check_subject(subject, Options(seed=seed, evidence=False, time_limit=60))
        for one in result.claims:
            if one.verdict not in RIGHT_WORDS:
                return f"{one.name} is {one.verdict} at seed {seed}"
        if not result.claims:
            return f"{result.verdict}: {result.reason}"
    return ""


def _reads_as(text: str, other: str) -> bool:
    try:
        return ast.dump(ast.parse(text)) == ast.dump(ast.parse(other))
    except SyntaxError:
        return False


def _answers(place: Ground) -> list[np.ndarray[Any, Any] | None]:
    """What the claims say at every point, in float64, about one random cotangent each."""
    found: list[np.ndarray[Any, Any] | None] = []
    for point in place.points:
        for name, wrt in place.claims:
            method = next((one for one in point.problem.methods if one.name == name and wrt in one.wrt), None)
            found.append(None if method is None else _answer(point, method, wrt))
    return found


def _answer(point: Any, method: Any, wrt: str) -> np.ndarray[Any, Any] | None:
    try:
        with np.errstate(all="ignore"):
            return Trial(Evaluated(point, Ledger()), method, wrt, "float64").ask()
    except (Exception, TimeLimit):  # the same on both sides, or it is a difference
        return None


def _same(before: list[Any], after: list[Any]) -> bool:
    """Whether claims are what they were, up to rounding."""
    if len(before) != len(after):
        return False
    for one, other in zip(before, after, strict=True):
        if (one is None) != (other is None):
            return False
        if one is not None and not _close(one, other):
            return False
    return True


def _close(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> bool:
    return bool(np.allclose(one, other, rtol=1e-9, atol=1e-12 * np.abs(one).max(initial=0), equal_nan=True))


# All of it.


def main() -> int:
    """Plant, and print what became of the mistakes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--held-out", action="store_true")
    parser.add_argument("--folder", default="")
    parser.add_argument("--lines", default="")
    parser.add_argument("--causes", action="store_true")
    parser.add_argument("-k", default="", help="subjects whose name contains this")
    given = parser.parse_args()
    outcomes: list[Outcome] = []
    known = _known(given.lines)
    with tempfile.TemporaryDirectory() as work, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in importable(Path(work)):
            for one in drawn(given, Path(work), known):
                outcomes.append(one)
                if len(outcomes) <= len(known):
                    continue
                _show(one)
                if given.lines:
                    with open(given.lines, "a") as file:
                        file.write(json.dumps(asdict(one)) + "\n")
    print(summary(outcomes))
    return int(any(one.unsound for one in outcomes))


def _known(lines: str) -> list[Outcome]:
    """What became of the mistakes of an earlier run."""
    if not lines or not Path(lines).exists():
        return []
    return [Outcome(**json.loads(line)) for line in Path(lines).read_text().splitlines()]


def drawn(given: argparse.Namespace, work: Path, known: Sequence[Outcome]) -> Iterator[Outcome]:
    """Draw a subject, then a kind of mistake, then one of them, until there are as many as wanted.

    The first ones are `known`: they are drawn, and not tried again.
    """
    rng = np.random.default_rng([given.seed, given.held_out])
    half = [
        (name, make)
        for file, name, make in subjects(given.folder, work)
        if (zlib.crc32(file.encode()) % 2 == 1) == given.held_out and given.k in name
    ]
    grounds: dict[int, tuple[Ground, set[Plant]] | None] = {}
    count = 0
    while count < given.count and half:
        number = int(rng.integers(len(half)))
        name, make = half[number]
        if number not in grounds:
            try:
                made = ground(make())
            except CannotBuild:
                made = None
            grounds[number] = None if made is None else (made, set())
        place = grounds[number]
        if place is None:
            continue
        by_kind: dict[str, list[tuple[Claim, Unit, Plant]]] = defaultdict(list)
        for claim, unit, plant in place[0].plants:
            if plant not in place[1]:
                by_kind[plant.kind].append((claim, unit, plant))
        if not by_kind:
            continue
        kind = sorted(by_kind)[int(rng.integers(len(by_kind)))]
        claim, unit, plant = by_kind[kind][int(rng.integers(len(by_kind[kind])))]
        place[1].add(plant)
        one = known[count] if count < len(known) and _is_about(known[count], name, unit, plant) else None
        one = one or outcome(place[0], claim, unit, plant, name, given.causes)
        if one is not None:
            count += 1
            yield one


def _is_about(one: Outcome, name: str, unit: Unit, plant: Plant) -> bool:
    """Whether an outcome is that of a mistake."""
    before = unit.file.text[plant.start : plant.end]
    told = one.subject, one.kind, one.line, one.before, one.after
    return told == (name, plant.kind, unit.file.line(plant.start), before, plant.text)


def _show(one: Outcome) -> None:
    became = one.called
    if one.called in MENDED:
        became = "repaired" if one.repaired else "limit" if one.limited else "not repaired"
    exactly = " (restored)" if one.restored else ""
    print(
        f"{became}{exactly} {one.seconds:.1f} s {one.tried} | {one.subject} line {one.line}, {one.kind}"
        f"{'' if one.single else ' (wider)'}: `{one.before}` -> `{one.after}`"
        + (f" | {one.wrong}" if one.called in MENDED else "")
        + (f" | {one.what}: `{one.new.strip()}`" if one.repaired and not one.restored else "")
        + (f" | {one.cause}: {one.sentence}" if one.cause else "")
        + (f" | FALSE: {one.false}" if one.false else "")
        + (f" | NOT RIGHT: {one.unsound}" if one.unsound else ""),
        flush=True,
    )


def summary(outcomes: list[Outcome]) -> str:
    """The figures, with a line for each kind of mistake."""
    called = Counter(one.called.partition(":")[0] for one in outcomes)
    wrong = [one for one in outcomes if one.called in MENDED]
    single = [one for one in wrong if one.single]
    lines = [f"{len(outcomes)} mistakes: " + ", ".join(f"{n} {what}" for what, n in called.most_common())]
    wider = [one for one in wrong if not one.single]
    for title, group in (("in one edit of the known kinds", single), ("wider", wider)):
        if group:
            repaired = [one for one in group if one.repaired]
            seconds = sorted(one.seconds for one in group)
            lines.append(
                f"{title}: {len(repaired)} of {len(group)} repaired ({len(repaired) / len(group):.1%}), "
                f"{sum(one.restored for one in repaired)} exactly as it was; seconds: median "
                f"{statistics.median(seconds):.2f}, nine of ten under {seconds[int(0.9 * (len(seconds) - 1))]:.2f}, "
                f"limit reached {sum(one.limited for one in group)} times"
            )
    if any(one.cause for one in wrong):
        lines += _causes(wrong)
    for kind in sorted({one.kind for one in wrong}):
        group = [one for one in wrong if one.kind == kind and one.single]
        if group:
            lines.append(f"  {kind}: {sum(one.repaired for one in group)} of {len(group)}")
    unsound = [one for one in outcomes if one.unsound]
    lines.append(f"repairs that are not right at fresh seeds: {len(unsound)}")
    return "\n".join(lines)


def _causes(wrong: list[Outcome]) -> list[str]:
    """How many first causes of what is called wrong are right, none or false, for each kind of mistake."""
    wrong = [one for one in wrong if one.called == "wrong"]
    lines = [f"{'first cause':20} {'right':>5} {'none':>5} {'false':>5}"]
    for kind in ("", *sorted({one.kind for one in wrong})):
        group = [one for one in wrong if kind in ("", one.kind)]
        none, false = sum(not one.cause for one in group), sum(bool(one.false) for one in group)
        lines.append(f"{kind or 'all':20} {len(group) - none - false:5} {none:5} {false:5}")
    return lines


if __name__ == "__main__":
    sys.exit(main())
