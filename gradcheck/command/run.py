"""One run of the command: list what the targets hold, then check each in a worker process, in order."""

from __future__ import annotations

import os
import queue
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import Any

from gradcheck.command import discover
from gradcheck.command.cache import Cache
from gradcheck.command.discover import Module, Place
from gradcheck.command.founded import contradiction
from gradcheck.command.interrupt import Stop, in_order
from gradcheck.command.outcome import Outcome
from gradcheck.command.processes.parent import Apart, Died, Untrusted, Worker
from gradcheck.errors import UsageError, shown
from gradcheck.hints import Hints
from gradcheck.results import ComponentResult, from_data
from gradcheck.verdicts import Verdict

# Where `gradcheck fuzz` keeps what it found, and `--cache` verdicts, below the folder of the command.
KEPT = ".gradcheck"
SPARE = 3.0  # seconds beyond its time limit, in which a check says what it has found until then
_DEFINITIONS = re.compile(rb"^(?:class|def)\b", re.MULTILINE)


@dataclass(frozen=True)
class Settings:
    """What the command line says about how to check; `jobs` and `time_limit` (seconds) are per run and per subject.

    `hints`: how much is said about what is wrong; None: as `hints_at` says. `scan`: somebody will look at pictures.
    `cache`: what was found before is not asked again where nothing has changed.
    `init` holds constructor arguments as text, as Python writes them.
    """

    seed: int = 0
    dtypes: tuple[str, ...] = ("float64", "float32")
    budget: int = 10_000_000
    init: dict[str, str] = field(default_factory=dict)
    jobs: int = 1
    time_limit: float = 60.0
    hints: Hints | None = None
    scan: bool = False
    cache: bool = False

    def hints_at(self, place: Place) -> Hints:
        """What was asked for; where nothing was, repairs, and for a whole package, which takes longer, the cause."""
        return self.hints or ("cause" if place.package and not place.attribute else "repair")


@dataclass(frozen=True)
class Found:
    """One thing to check, or, with a `verdict` and a `reason`, one that is not."""

    name: str
    module: Module
    place: Place
    attribute: str = ""
    verdict: Verdict | None = None
    reason: str = ""

    @property
    def is_closed(self) -> bool:
        """Whether this is a whole module, or target, that could not be looked into: nobody knows what it holds."""
        return self.verdict is not None and not self.attribute


class Run:
    """The targets of one command in one folder. Use it as a context manager: leaving it ends its processes."""

    def __init__(
        self,
        places: list[Place],
        settings: Settings,
        folder: str,
        path: list[str] | None = None,
        apart: Apart | None = None,
    ) -> None:
        self.places, self.settings, self.folder, self._apart = places, settings, folder, apart
        self._path = [folder, *(sys.path if path is None else path)]
        self._workers: list[Worker] = []
        self._idle: queue.SimpleQueue[Worker] = queue.SimpleQueue()
        self._start(1)
        self._broken: set[str] = set()
        self._keep = os.path.abspath(os.path.join(folder, KEPT))
        self._cache = Cache(Path(self._keep)) if settings.cache else None

    def _start(self, wanted: int) -> None:
        """Start workers until there is one for each of what is wanted, or as many as there may be."""
        while len(self._workers) < min(self.settings.jobs, wanted):
            worker = Worker(self._path, self.folder, self._apart)
            self._workers.append(worker)
            self._idle.put(worker)

    @contextmanager
    def _worker(self) -> Iterator[Worker]:
        """One that has nothing to do, as soon as there is one."""
        worker = self._idle.get()
        try:
            yield worker
        finally:
            self._idle.put(worker)

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End all processes, whatever they are at."""
        for worker in self._workers:
            worker.close()

    def find(
        self,
        wants: Callable[[str], bool] = lambda name: True,
        exclude: Sequence[str] = (),
        progress: Callable[[str], None] = lambda text: None,
        concerned: Callable[[Module], bool] = lambda module: True,
    ) -> list[Found]:
        """List what is wanted of the targets, each once, by what it is called where it is defined.

        Only modules that are `concerned` are looked into.
        A module that could not be looked into is listed whatever is wanted, since that may be in there. What is
        excluded by its name is listed as skipped, and a module that is, not even imported.
        """
        if sum(map(_glanced, self.places)) > 1:  # a second one starts meanwhile
            self._start(2)
        found: dict[str, Found] = {}
        for one in self._everything(exclude, progress, concerned):
            known = found.get(one.name, one)
            if known.verdict is None and one.verdict is None:
                _refuse_namesakes(known, one)
            named = one.place.attribute and one.verdict is not None
            if one.name not in found or (known.verdict is not None and (one.verdict is None or named)):
                found[one.name] = one
        return [one for one in found.values() if one.is_closed or wants(one.name)]

    def _everything(
        self, exclude: Sequence[str], progress: Callable[[str], None], concerned: Callable[[Module], bool]
    ) -> Iterator[Found]:
        """What stands in the targets, again where it does so in several."""

        def look_into(place: Place, module: Module) -> list[Found]:
            progress(f"looking into {module.name}")
            whole = _left_out(Found(module.name, module, place), exclude)
            if whole.verdict is not None and not place.attribute:
                return [whole]
            return [_left_out(one, exclude) for one in self._look_into(place, module)]

        for place in self.places:
            modules = [module for module in discover.modules(place) if concerned(module)]
            for found in in_order(partial(look_into, place), modules, len(self._workers), Stop()):
                yield from found
            for folder in discover.folders_passed_over(place):
                name, why = shown(folder), "it is a folder of scripts: name it as a target of its own"
                yield Found(name, Module(name, folder), place, verdict="not understood", reason=why)

    def check(
        self,
        found: list[Found],
        progress: Callable[[str], None] = lambda text: None,
        stop: Stop | None = None,
        cluster: Executor | None = None,
    ) -> Iterator[Outcome]:
        """Check everything, several at a time, and give the outcomes in order; after a `stop`, those that are there.

        On a `cluster`, each in a run of its own there.
        """
        if cluster is not None:
            alone = partial(_check_alone, replace(self.settings, jobs=1), self.folder, self._path, self._broken)
            return in_order(alone, found, cluster, stop or Stop())
        self._start(sum(one.verdict is None for one in found))

        def one_after_another(one: Found) -> Outcome:
            if one.verdict is not None:
                return Outcome(_unchecked(one, one.verdict, one.reason))
            task = self._checking(one)

            def ask() -> Outcome:
                with self._worker() as worker:
                    return self._check(worker, one, task, progress)

            return self._cache.asked(task, ask) if self._cache else ask()

        return in_order(one_after_another, found, len(self._workers), stop or Stop(), self.close)

    def _task(self, place: Place, module: Module, attribute: str, **more: Any) -> dict[str, Any]:
        where = {"module": module.name, "file": module.file, "folder": place.folder, "broken": sorted(self._broken)}
        return {**where, "attribute": attribute, **more}

    def _look_into(self, place: Place, module: Module) -> list[Found]:
        """List one module; a package around it that hangs or ends the process is passed over at the second try."""
        while True:
            task = self._task(place, module, place.attribute, do="find")
            whole = Found(f"{module.name}.{place.attribute}".rstrip("."), module, place)
            try:
                with self._worker() as worker:
                    answer = worker.ask(task, self.settings.time_limit)
            except Untrusted as untrusted:
                return [replace(whole, verdict="could not be asked", reason=str(untrusted))]
            except Died as died:
                # What is above it; the name comes over a pipe that others may write into.
                passed_over = module.name.startswith(f"{died.at}.") and died.at not in task["broken"]
                self._broken.add(died.at if passed_over else module.name)
                if passed_over:
                    continue
                return [replace(whole, verdict="could not be asked", reason=f"it cannot be imported: {died}")]
            if "missing" in answer:
                raise UsageError(answer["missing"])
            if "internal" in answer:
                raise RuntimeError(f"gradcheck failed while it listed {module.name}:\n{answer['internal']}")
            found = [
                replace(whole, name=name, attribute=inner, verdict=verdict or None, reason=why)
                for inner, name, verdict, why in answer.get("found", [])
            ]
            if why := answer.get("unasked", answer.get("ended")):
                reason = why if place.attribute else f"it cannot be imported: {why}"
                found.insert(0, replace(whole, verdict="could not be asked", reason=reason))
            return found

    def fuzz(self, one: Found, seconds: float) -> dict[str, Any]:
        """Search one thing for so long: {"result": …, "kept": file}, {"tried": points} or {"unasked": why}."""
        how = {"name": one.name, "init": self.settings.init, "seed": self.settings.seed}
        task = self._task(one.place, one.module, one.attribute, do="fuzz", **how, seconds=seconds, keep=self._keep)
        try:
            with self._worker() as worker:
                answer = worker.ask(task, seconds + self.settings.time_limit)
        except Died as died:
            return {"unasked": str(died)}
        if "internal" in answer:
            raise RuntimeError(f"gradcheck failed while it searched {one.name}:\n{answer['internal']}")
        return {"unasked": answer["ended"]} if "ended" in answer else answer

    def _checking(self, one: Found) -> dict[str, Any]:
        settings = self.settings
        options = {
            "seed": settings.seed,
            "dtypes": list(settings.dtypes),
            "budget": settings.budget,
            "hints": settings.hints_at(one.place),
            "scan": settings.scan,
            "time_limit": settings.time_limit,
        }
        more = {"name": one.name, "init": settings.init, "options": options}
        return self._task(one.place, one.module, one.attribute, do="check", **more, keep=self._keep)

    def _check(self, worker: Worker, one: Found, task: dict[str, Any], progress: Callable[[str], None]) -> Outcome:
        start = time.perf_counter()
        progress(one.name)
        try:
            answer = worker.ask(task, self.settings.time_limit, lambda text: progress(f"{one.name}: {text}"), SPARE)
        except Untrusted as untrusted:
            return Outcome(_unchecked(one, "could not be asked", str(untrusted)), time.perf_counter() - start)
        except Died as died:
            return Outcome(_unchecked(one, "unresolved", str(died)), time.perf_counter() - start)
        seconds = time.perf_counter() - start
        if "result" in answer:
            return Outcome(_founded(one, from_data(answer["result"])), seconds)
        if "ended" in answer:
            return Outcome(_unchecked(one, "unresolved", answer["ended"]), seconds)
        if "unasked" in answer:
            return Outcome(_unchecked(one, "could not be asked", answer["unasked"]), seconds)
        last = str(answer["internal"]).strip().splitlines()[-1]
        return Outcome(_unchecked(one, "unresolved", f"gradcheck itself failed: {last}"), seconds, answer["internal"])


def _check_alone(settings: Settings, folder: str, path: list[str], broken: set[str], one: Found) -> Outcome:
    """Check one thing in a run that is made for it."""
    with Run([one.place], settings, folder, path[1:]) as run:
        run._broken = broken
        return next(run.check([one]))


def _glanced(place: Place) -> int:
    """How many things to check may stand there, by a glance that imports nothing: a process too few starts later."""
    if place.attribute:
        return 1
    if place.package or not place.file.endswith(".py"):  # a notebook is one long line
        return 2
    try:
        return len(_DEFINITIONS.findall(Path(place.file).read_bytes()))
    except OSError:
        return 0


def _left_out(one: Found, exclude: Sequence[str]) -> Found:
    """The same, skipped where its name, or that of what it stands in, matches a pattern that excludes it."""
    names = [one.name[:i] for i, letter in enumerate(one.name) if letter == "."] + [one.name]
    names += [] if one.attribute else [f"{one.name}."]  # `beras.model.*` is all of the module, and so the module
    pattern = next((pattern for pattern in exclude if any(fnmatchcase(name, pattern) for name in names)), None)
    return one if pattern is None else replace(one, verdict="skipped", reason=f"left out (--exclude {pattern})")


def _refuse_namesakes(known: Found, one: Found) -> None:
    """Refuse a name that two folders have: modules of different names may each take it from their own `core`."""
    if os.path.realpath(known.module.root) != os.path.realpath(one.module.root):
        files = f"{shown(known.module.file)} and {shown(one.module.file)}"
        raise UsageError(f"both {files} have a {one.name}: check them with --each, or with two commands")


def _founded(one: Found, result: ComponentResult) -> ComponentResult:
    """The result, where it is that of what was asked for, and no word of it says more than its numbers."""
    why = contradiction(result) if result.name == one.name else f"what came back is about {result.name}"
    return _unchecked(one, "could not be asked", f"it cannot be trusted: {why}") if why else result


def _unchecked(one: Found, verdict: Verdict, reason: str) -> ComponentResult:
    return ComponentResult(name=one.name, source=shown(one.module.file), verdict=verdict, reason=reason)
