"""Mutation score: does gradcheck notice every small slip in Beras' derivatives?

    python benchmarks/mutation.py [--jobs 2] [--only beras.layers] [--output reports/data/mutation.json]

Every derivative method of Beras, its tape, its optimizers and its initializers is changed in one place at a time
(`mutants`), loaded as a fresh package and judged: derivatives by gradcheck (a subject whose verdict is not "correct"
catches the mutant), optimizer steps by closed forms and initializers by exact scales (`mutation_forms`).
A mutant that changes no result is listed in `mutation_equivalents.toml` with the reason, one by one; an entry there
that no longer belongs to a survivor is an error. Ends with 1 if there is a survivor that is not listed.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.abc
import importlib.util
import json
import re
import signal
import sys
import time
import tomllib
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

import mutation_forms
import mutation_subjects
import numpy as np
from mutants import Mutant, apply, mutants

from gradcheck import sampling
from gradcheck.check import Options, _Session
from gradcheck.contract import check_contract
from gradcheck.problem import Subject
from gradcheck.report import others
from gradcheck.results import to_json

ROOT = Path(__file__).resolve().parent.parent
EQUIVALENTS = Path(__file__).with_name("mutation_equivalents.toml")
SECONDS = 20

# What is mutated: the functions of each module whose name matches.
DERIVATIVES = r"get_\w+|compose_\w+"
TARGETS = {
    "beras.layers": DERIVATIVES,
    "beras.activations": DERIVATIVES,
    "beras.losses": rf"{DERIVATIVES}|by_prediction|_by_log",
    "beras.stable": r"\w+_slope",
    "beras.core": r"compose_\w+|_through|per_row|as_gradient",
    "beras.gradient_tape": r"record|gradient|_run_backwards|_seed|_add|_result",
    "beras.ops.arithmetic": r"by_\w+|_as_matrices|_shaped_as",
    "beras.ops.functions": r"by_\w+",
    "beras.ops.reductions": r"by_\w+|spread",
    "beras.ops.shapes": r"by|by_\w+|_takes_each_once",
    "beras.ops.operation": rf"{DERIVATIVES}|input_gradients_for|_product|sum_to",
    "beras.optimizer": r"step|begin|of",
    "beras.initializers": r"\w+",
}
FORMS = {"beras.optimizer": mutation_forms.optimizers, "beras.initializers": mutation_forms.initializers}


@cache
def source(module: str) -> str:
    """Return the source text of a module of Beras."""
    return (ROOT / (module.replace(".", "/") + ".py")).read_text(encoding="utf-8")


@cache
def all_mutants(module: str) -> list[Mutant]:
    """List the mutants of a module; the same list in every process."""
    return mutants(module, source(module), re.compile(TARGETS[module]))


# A fresh package with one module changed


class _Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds one module and loads it from a changed syntax tree."""

    def __init__(self, module: str, tree: Any) -> None:
        self.module, self.tree = module, tree

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """Answer for the changed module only."""
        if name != self.module:
            return None
        file = str(ROOT / (name.replace(".", "/") + ".py"))
        return importlib.util.spec_from_file_location(name, file, loader=self)

    def create_module(self, spec: Any) -> None:
        """Let Python make the module."""

    def exec_module(self, module: Any) -> None:
        """Run the changed code under the file's own name, so that its location is right."""
        exec(compile(self.tree, str(module.__spec__.origin), "exec"), vars(module))

    def get_source(self, name: str) -> str:
        """Return the source as it was."""
        return source(name)


def fresh(mutant: Mutant | None) -> None:
    """Forget Beras and import it again, with one change if there is one."""
    for name in [n for n in sys.modules if n == "beras" or n.startswith("beras.")]:
        del sys.modules[name]
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _Changed)]
    if mutant is not None:
        sys.meta_path.insert(0, _Changed(mutant.module, apply(source(mutant.module), mutant)))
    for module in ("layers", "activations", "losses", "gradient_tape", "ops", "optimizer", "initializers"):
        importlib.import_module(f"beras.{module}")


# Judges


@dataclass(frozen=True)
class Judge:
    """A subject by name; `look` returns what is wrong about it, or nothing."""

    name: str
    look: Callable[[], str]


def judges() -> Iterator[Judge]:
    """Everything that gradcheck finds in Beras, and the subjects of `mutation_subjects`; of the package loaded now."""
    from gradcheck.adapters import function_subject, subject_of

    for module in ("layers", "activations", "losses", "ops"):
        namespace = vars(sys.modules[f"beras.{module}"])
        for name, thing in sorted(namespace.items()):
            home = getattr(thing, "__module__", "")
            inside = home == f"beras.{module}" or (module == "ops" and home.startswith("beras.ops."))
            if isinstance(thing, type) and inside and not getattr(thing, "__abstractmethods__", None):
                if name in ("Operation", "Reduction", "Extremum"):
                    continue
                yield Judge(f"beras.{module}.{name}", lambda thing=thing: complaint(subject_of(thing)))
    tape = sys.modules["beras.gradient_tape"].GradientTape
    yield Judge("beras.gradient_tape.GradientTape", lambda: complaint(subject_of(tape)))
    for graph in mutation_subjects.graphs():
        yield Judge(
            graph.name,
            lambda graph=graph: complaint(function_subject(graph.f, graph.args, grad=graph.grad, vjp=graph.vjp)),
        )
    for cls in mutation_subjects.classes():
        yield Judge(cls.__name__, lambda cls=cls: complaint(subject_of(cls)))
    for name, instance in mutation_subjects.instances():
        yield Judge(name, lambda instance=instance: complaint(subject_of(instance)))
    # Not a derivative but the call's convention, so not gradcheck's to judge.
    yield Judge("nothing upstream", lambda: mutation_subjects.nothing_upstream() or "")


@np.errstate(all="ignore")
def complaint(subject: Subject) -> str:
    """Check as `gradcheck.check_subject` does, but stop at the first point where something is not correct."""
    options = Options()
    session = _Session(subject, options)
    points = list(sampling.points(subject, options.seed))
    for point in points:
        session.check_point(point)
        for (method, name), record in session.records.items():
            if record.points and record.points[-1].verdict in ("wrong", "unresolved"):
                last = record.points[-1]
                return f"{method}[{name}] is {last.verdict} at {last.point}, {last.dtype}: {last.message}"
    silent = [f"{m}[{n}]: {r.silent}" for (m, n), r in session.records.items() if not r.points and not r.constant]
    if silent:
        return f"not implemented: {silent[0]}"
    rng = np.random.default_rng([options.seed, 5])
    for item in (*check_contract(subject, points[0].problem, points[0].values, rng), session.forms()):
        if item.verdict == "broken":
            return f"broken: {item.name}: {item.detail}"
    return ""


class Late(Exception):
    """A judge took too long."""


def _late(number: int, frame: FrameType | None) -> None:
    raise Late


def look(judge: Judge) -> str:
    """Ask one judge. What the mutant raises, or that it does not end, is what is wrong about it."""
    signal.signal(signal.SIGALRM, _late)
    signal.alarm(SECONDS)
    try:
        return judge.look()
    except Late:
        return f"does not end within {SECONDS} s"
    except Exception as error:  # a mutant may raise anything
        return f"{type(error).__name__}: {error}"
    finally:
        signal.alarm(0)


# Which judge runs which function


def _visited(judge: Judge) -> set[tuple[str, str]]:
    """Run a judge and note the functions of Beras that it calls, as file and qualified name."""
    seen = set()
    root = str(ROOT / "beras")

    def profile(frame: FrameType, event: str, argument: object) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(root):
            seen.add((code.co_filename, code.co_qualname))

    sys.setprofile(profile)
    try:
        judge.look()
    finally:
        sys.setprofile(None)
    return seen


def baseline(name: str) -> tuple[str, str, float, set[tuple[str, str]]]:
    """Judge Beras as it is: name, complaint, seconds, functions."""
    fresh(None)
    judge = next(j for j in judges() if j.name == name)
    start = time.perf_counter()
    found = look(judge)
    seconds = time.perf_counter() - start
    return name, found, seconds, set() if found else _visited(judge)


# One mutant


@dataclass(frozen=True)
class Outcome:
    """`by`: the judge that caught it, with what it said; empty if none did."""

    module: str
    index: int
    by: str
    said: str
    seconds: float


def judge_mutant(task: tuple[str, int, tuple[str, ...]]) -> Outcome:
    """Load one mutant and ask the judges that run it, until one complains."""
    module, index, names = task
    mutant = all_mutants(module)[index]
    start = time.perf_counter()

    def outcome(by: str, said: str) -> Outcome:
        return Outcome(module, index, by, said, time.perf_counter() - start)

    compile(apply(source(module), mutant), module, "exec")  # one that is no Python would be a mistake of ours
    try:
        fresh(mutant)
        known = {judge.name: judge for judge in judges()} if module not in FORMS else {}
    except Exception as error:  # a change that does not even import
        return outcome("import", f"{type(error).__name__}: {error}")
    if module in FORMS:
        said = look(Judge("forms", lambda: FORMS[module]() or ""))
        return outcome("closed form" if said else "", said)
    for name in names:
        said = look(known[name])
        if said:
            return outcome(name, said)
    return outcome("", "")


def run(modules: Sequence[str], jobs: int, progress: Callable[[str], None]) -> tuple[list[tuple[Mutant, Outcome]], int]:
    """Judge all mutants of the modules; return also how many subjects could not be judges."""
    for module in modules:
        all_mutants(module)  # read before anything else, so that all processes change the same source
    with ProcessPoolExecutor(jobs, initializer=_from_checkout) as pool:
        fresh(None)
        names = [judge.name for judge in judges()] if any(m not in FORMS for m in modules) else []
        known = list(pool.map(baseline, names))
        bad = [f"NO JUDGE, because not correct to begin with: {name}: {said}" for name, said, _, _ in known if said]
        for line in bad:
            progress(line)
        progress(f"{len(known) - len(bad)} correct subjects, {sum(s for _, _, s, _ in known):.0f} s")
        tasks = []
        for module in modules:
            file = str(ROOT / (module.replace(".", "/") + ".py"))
            for mutant in all_mutants(module):
                at = (file, mutant.function)
                run_by = sorted((seconds, name) for name, _, seconds, seen in known if at in seen)
                tasks.append((module, mutant.index, tuple(name for _, name in run_by)))
        found = []
        for done, outcome in enumerate(pool.map(judge_mutant, tasks, chunksize=4), start=1):
            mutant = all_mutants(outcome.module)[outcome.index]
            found.append((mutant, outcome))
            if not outcome.by and mutant.key not in equivalents():
                where = f"{mutant.module}:{mutant.function} line {mutant.line}"
                unseen = "" if mutant.module in FORMS or tasks[done - 1][2] else ", which no judge runs"
                progress(f"SURVIVED {where}{unseen}, {mutant.change}\n{mutant.diff}")
            if done % 100 == 0:
                progress(f"{done} of {len(tasks)} mutants, {sum(not o.by for _, o in found)} not caught")
    return found, len(bad)


def _from_checkout() -> None:
    """Import Beras from this checkout, not an installed copy: it is this source that is changed."""
    sys.path.insert(0, str(ROOT))


def _component(mutant: Mutant) -> str:
    owner = mutant.function.split(".")[0]
    return f"{mutant.module}.{owner}" if "." in mutant.function or owner[0].isupper() else mutant.module


@cache
def equivalents() -> dict[str, str]:
    """Return the reasons by mutant."""
    if not EQUIVALENTS.exists():
        return {}
    entries = tomllib.loads(EQUIVALENTS.read_text(encoding="utf-8")).get("equivalent", [])
    return {f"{e['function']} | {e['before']} | {e['after']}": e["reason"] for e in entries}


def report(found: Sequence[tuple[Mutant, Outcome]]) -> others.Mutation:
    """Return the result as data."""
    reasons = equivalents()
    rows = []
    for mutant, outcome in found:
        state: others.Outcome = "caught" if outcome.by else "equivalent" if mutant.key in reasons else "survived"
        where = f"{mutant.module.replace('.', '/')}.py:{mutant.line}"
        reason = reasons.get(mutant.key, "") if not outcome.by else ""
        rows.append(others.Mutant(_component(mutant), mutant.change, state, where, mutant.diff, reason))
    return others.Mutation(tuple(rows))


def main() -> int:
    """Run, print the score and the survivors, write the data."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", action="append", choices=sorted(TARGETS), help="mutate these modules only")
    parser.add_argument("--output", type=Path, help="write the data there (reports/data/mutation.json)")
    parser.add_argument("--log", type=Path, help="write what each judge said about each mutant, as JSON lines")
    options = parser.parse_args()
    start = time.perf_counter()
    _from_checkout()
    modules = options.only or list(TARGETS)
    found, unfit = run(modules, options.jobs, lambda line: print(line, flush=True))
    result = report(found)
    caught = {mutant.key for mutant, outcome in found if outcome.by}
    listed = {key for key in equivalents() if any(key.startswith(f"{module}:") for module in modules)}
    stale = listed - {mutant.key for mutant, outcome in found if not outcome.by}
    for key in sorted(stale):
        print(f"LISTED AS EQUIVALENT, BUT {'CAUGHT' if key in caught else 'NO SUCH MUTANT'}: {key}")
    if options.log:
        lines = [
            {"key": m.key, "change": m.change, "by": o.by, "said": o.said[:200], "seconds": round(o.seconds, 2)}
            for m, o in found
        ]
        options.log.write_text("\n".join(json.dumps(line) for line in lines) + "\n", encoding="utf-8")
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(to_json(result), encoding="utf-8")
    counts = Counter(mutant.outcome for mutant in result.mutants)
    print(
        f"{len(found)} mutants: {counts['caught']} caught, {counts['survived']} survived, "
        f"{counts['equivalent']} equivalent; score {result.score:.1f} %; {time.perf_counter() - start:.0f} s"
    )
    return 1 if counts["survived"] or stale or unfit else 0


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except BrokenPipeError:
        traceback.print_exc()
