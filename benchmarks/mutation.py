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
import ast
import importlib
import importlib.abc
import importlib.util
import json
import linecache
import multiprocessing
import os
import re
import sys
import time
import tomllib
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import CodeType
from typing import Any

import mutation_forms
from mutants import Mutant, apply, mutants
from mutation_judges import ROOT, Judge, Known, acquaint, judges, look
from mutation_judges import modules as modules_of_beras

from gradcheck.data import to_json
from gradcheck.report import others

EQUIVALENTS = Path(__file__).with_name("mutation_equivalents.toml")

# What is mutated: the functions of each module whose name matches.
DERIVATIVES = r"(get|compose)_(input|weight)_gradients|\w+_gradients_for"
TARGETS = {
    "beras.layers": rf"{DERIVATIVES}|_rows|on_tape",
    "beras.jacobians": rf"{DERIVATIVES}|_whole|once",
    "beras.activated": r"_?before_activation",
    "beras.convolution": DERIVATIVES,
    "beras.pooling": rf"{DERIVATIVES}|_spread",
    "beras.windows": r"cropped",
    "beras.embedding": DERIVATIVES,
    "beras.recurrent": rf"{DERIVATIVES}|back_through_time|_back|_by_bias|_slope",
    "beras.lstm": r"back_through_time",
    "beras.gru": r"back_through_time|_by_bias",
    "beras.attention": rf"{DERIVATIVES}|_back",
    "beras.normalization": DERIVATIVES,
    "beras.dropout": DERIVATIVES,
    "beras.elementwise": DERIVATIVES,
    "beras.activations": rf"{DERIVATIVES}|slope",
    "beras.smooth_activations": r"slope",
    "beras.prelu": DERIVATIVES,
    "beras.loss": rf"{DERIVATIVES}|by_prediction",
    "beras.losses": r"by_prediction|slope",
    "beras.cross_entropy": r"by_prediction|_recorded_by_prediction|slope|_by_log",
    "beras.stable": r"\w+_slope",
    "beras.normal": r"density",
    "beras.diffable": r"compose_\w+|\w+_gradients_for|upstream|_through",
    "beras.gradients": r"per_row|as_gradient",
    "beras.checks": r"gradient_dtype",
    "beras.arrays": r"sum_of_rows|as_rows",
    "beras.recorder": r"times|operand",
    "beras.gradient_tape": r"record_call|record_operation|_record|gradient|jacobian|_gradient|_seed|_result",
    "beras.backward": r"run_backwards|_recorded|_add",
    "beras.ops.arithmetic": r"by_\w+|_as_matrices|_shaped_as",
    "beras.ops.functions": r"by_\w+|slope_\w+",
    "beras.ops.reductions": r"by_\w+|spread",
    "beras.ops.scans": r"by_\w+|_others",
    "beras.ops.shapes": r"products|by_\w+|_takes_each_once",
    "beras.ops.einsum": r"products|_by",
    "beras.ops.linear_algebra": r"_?by_\w+|_cofactors|_turned",
    "beras.ops.operation": rf"{DERIVATIVES}|products|sum_to",
    "beras.optimizer": r"step",
    "beras.adam": r"step|begin",
    "beras.update_rule": r"_step_together|_decay",
    "beras.clipping": r"clipped",
    "beras.schedules": r"__call__",
    "beras.optimizer_state": r"of|join|_\w+",
    "beras.initializers": r"(?!claim)\w+",
}
FORMS = {
    "beras.optimizer": mutation_forms.optimizers,
    "beras.adam": mutation_forms.optimizers,
    "beras.update_rule": mutation_forms.optimizers,
    "beras.clipping": mutation_forms.clipping,
    "beras.schedules": mutation_forms.schedules,
    "beras.optimizer_state": mutation_forms.optimizers,
    "beras.initializers": mutation_forms.initializers,
}


@cache
def source(module: str) -> str:
    """Return the source text of a module of Beras."""
    return Path(place(module)).read_text(encoding="utf-8")


@cache
def all_mutants(module: str) -> list[Mutant]:
    """List the mutants of a module; the same list in every process."""
    return mutants(module, source(module), re.compile(TARGETS[module]))


# A fresh package with one module changed


@cache
def code(module: str) -> CodeType:
    """Return the code of a module of Beras as it is: compiled once, run anew for every mutant."""
    return compile(source(module), place(module), "exec")


@cache
def place(module: str) -> str:
    """Return the file of a module of Beras in this checkout."""
    path = ROOT.joinpath(*module.split("."))
    return str(path / "__init__.py" if path.is_dir() else path.with_suffix(".py"))


class _Loader(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Loads Beras from this checkout, one module of it changed, under the file's own name."""

    def __init__(self, mutant: Mutant | None) -> None:
        self.mutant = mutant

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """Answer for Beras only."""
        if name.partition(".")[0] != "beras":
            return None
        return importlib.util.spec_from_file_location(name, place(name), loader=self)

    def is_package(self, name: str) -> bool:
        """Whether there are modules below it."""
        return place(name).endswith("__init__.py")

    def get_code(self, name: str) -> CodeType:
        """Return the module's code, changed or as it is."""
        if self.mutant is None or name != self.mutant.module:
            return code(name)
        text, file = self.get_source(name), place(name)
        # gradcheck compiles functions anew from their source: what it reads must be what runs.
        linecache.cache[file] = len(text), None, text.splitlines(keepends=True), file
        return compile(text, file, "exec")

    def get_source(self, name: str) -> str:
        """Return the source, changed or as it is."""
        if self.mutant is None or name != self.mutant.module:
            return source(name)
        return ast.unparse(apply(source(name), self.mutant))


def fresh(mutant: Mutant | None) -> None:
    """Forget Beras and import it again, with one change if there is one."""
    for name in [n for n in sys.modules if n == "beras" or n.startswith("beras.")]:
        del sys.modules[name]
    sys.meta_path[:] = [_Loader(mutant), *(finder for finder in sys.meta_path if not isinstance(finder, _Loader))]
    for module in modules_of_beras():
        importlib.import_module(module)


def baseline(name: str) -> Known:
    """Judge Beras as it is, as the process that all others are copies of has loaded it."""
    return acquaint(next(judge for judge in judges() if judge.name == name))


# One mutant


@dataclass(frozen=True)
class Outcome:
    """`by`: the judge that caught it, with what it said; empty if none did."""

    module: str
    index: int
    by: str
    said: str
    seconds: float


_caught: Counter[tuple[str, str]] = Counter()  # by function and judge, in this process


def judge_mutant(task: tuple[str, int, tuple[str, ...]]) -> Outcome:
    """Judge one mutant in a copy of this process, first by what has caught most of the same function.

    gradcheck keeps what it has looked into, and a package that stays makes the check of the next one slower.
    """
    module, index, names = task
    function = all_mutants(module)[index].function
    names = tuple(sorted(names, key=lambda name: -_caught[function, name]))
    receiving, sending = multiprocessing.Pipe(duplex=False)
    copy = os.fork()
    if copy == 0:
        try:
            sending.send(judged(module, index, names))
        except BaseException:
            sending.send(traceback.format_exc())
        finally:
            os._exit(0)
    sending.close()
    try:
        outcome: Outcome | str = receiving.recv()
    except EOFError:  # the mutant has ended the process
        outcome = Outcome(module, index, "process", "ended without an answer", 0.0)
    receiving.close()
    os.waitpid(copy, 0)
    if isinstance(outcome, str):  # a mistake of ours
        raise RuntimeError(outcome)
    _caught[function, outcome.by] += 1
    return outcome


def judged(module: str, index: int, names: Sequence[str]) -> Outcome:
    """Load one mutant and ask the judges that run it, until one complains."""
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
    fresh(None)
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("fork")) as pool:
        names = [judge.name for judge in judges()] if any(m not in FORMS for m in modules) else []
        if twice := [name for name, n in Counter(names).items() if n > 1]:
            raise ValueError(f"judges of the same name: {', '.join(twice)}")
        known = list(pool.map(baseline, names))
        bad = [one for one in known if one.said]
        for one in bad:
            progress(f"NO JUDGE, because not correct to begin with: {one.name}: {one.said}")
        progress(f"{len(known) - len(bad)} correct subjects, {sum(one.seconds for one in known):.0f} s")
        tasks = []
        for module in modules:
            for mutant in all_mutants(module):
                at = (place(module), mutant.function)
                run_by = sorted((one.seconds, one.name) for one in known if at in one.runs and not one.said)
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
