"""The process in which the checked code runs: it can hang, crash or print without hurting anybody else.

It reads a key and then one JSON task per line, and answers each with a sealed line of JSON (`seal`); nothing but data
crosses. Whatever the checked code prints, from Python or below it, goes elsewhere, and its standard input is empty.

Tasks (`do`), each with `module`, `file`, `folder`, `broken` (see `gradcheck.command.loading`):

    find     + `attribute`                          → {"found": [[attribute, name, verdict, reason], …]},
                                                       {"unasked": reason}, or {"missing": what is not there}
    check    + `attribute`, `name`, `init`,
               `options`, `keep` (a folder)         → {"result": …} or {"unasked": reason}
    fuzz     + `attribute`, `name`, `init`,
               `seed`, `seconds`, `keep`            → {"result": …, "kept": file}, {"tried": points} or {"unasked": …}

Checked code that raises SystemExit or KeyboardInterrupt is answered by {"ended": how}, an error of gradcheck's own by
{"internal": traceback}, whatever was done by code that has replaced a part of gradcheck by {"replaced": what}. On the
way, and unsealed, {"at": module} says what is being imported and {"progress": text} how far a check is.
"""

from __future__ import annotations

import ast
import contextlib
import faulthandler
import functools
import gc
import itertools
import json
import os
import queue
import re
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

from gradcheck.adapters.declarations import ALL, EXCUSES, reading
from gradcheck.command import loading
from gradcheck.command.discover import Module
from gradcheck.command.precedence import put_first
from gradcheck.command.processes import intact, seal
from gradcheck.command.seen import methods_left
from gradcheck.command.sources import check_below, compile_what_is_checked

if TYPE_CHECKING:
    from gradcheck.results import ComponentResult

Task = dict[str, Any]
Say = Callable[[dict[str, Any]], None]


Trust = Literal["own", "shown", "none"]
"""How far what is checked is believed: it is the user's own; somebody else's, which is watched, and what it says about
itself shown; or the same, and what it says about itself ignored."""


def serve(path: list[str], trust: Trust = "own") -> Iterator[None]:
    """Return an iterator that carries out a task at each step, until the parent closes their pipe or ends.

    `path` is what `sys.path` becomes: the folder to work in, then the rest. The iterator is to be run by C alone: the
    checked code then has no frame below its own in which it would find what seals the answers.
    """
    sealed = seal.sealing(os.read(0, seal.KEY), sys._getframe(1).f_code)
    tasks, answers = _private_channel()
    faulthandler.enable(all_threads=False)
    import gradcheck.adapters
    import gradcheck.check  # noqa: F401

    if trust != "own":
        intact.import_judges()
    put_first(path[0], path[1:])
    check_below(path[0])
    compile_what_is_checked()
    waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(tasks, waiting), daemon=True).start()
    tell = functools.partial(_write, answers)
    carried = map(functools.partial(carry_out, say=tell, trust=trust), map(json.loads, iter(waiting.get, None)))
    if trust != "own":
        carried = map(_unless_replaced(intact.watch()), carried)
    served = map(_answering(sealed, answers), itertools.chain([{"ready": os.getpid()}], carried))
    gc.freeze()  # out of sight of gc.get_objects()
    return served


def _write(answers: IO[bytes], answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer).encode() + b"\n")
    answers.flush()


def _answering(sealed: Callable[[bytes], bytes], answers: IO[bytes]) -> Callable[[dict[str, Any]], None]:
    dumps, write, flush = json.dumps, answers.write, answers.flush

    def say(answer: dict[str, Any]) -> None:
        write(sealed(dumps(answer).encode()))
        flush()

    return say


def _unless_replaced(replaced: Callable[[], str]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def trusted(answer: dict[str, Any]) -> dict[str, Any]:
        what = replaced()
        return {"replaced": what} if what else answer

    return trusted


def _receive(tasks: IO[str], waiting: queue.SimpleQueue[str]) -> None:
    """Take tasks in, and end with the parent: the checked code may loop forever when the command is killed."""
    for line in tasks:
        waiting.put(line)
    if hasattr(os, "killpg"):
        os.killpg(0, signal.SIGKILL)  # whatever the checked code has started included
    os._exit(1)


def _private_channel() -> tuple[IO[str], IO[bytes]]:
    """Keep the pipes to the parent for ourselves: the checked code reads nothing and prints to standard error."""
    tasks = os.fdopen(os.dup(0), "r", encoding="utf-8")
    answers = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return tasks, answers


def carry_out(task: Task, say: Say, trust: Trust = "own") -> dict[str, Any]:
    """Return the answer to one task; an exception that nobody expected is reported as gradcheck's own."""
    try:
        prepare(task["folder"], Module(task["module"], task["file"]))
        with _unchanged_process():
            module = loading.load(
                task["module"], task["file"], task["folder"], task["broken"], lambda name: say({"at": name})
            )
            with reading(ALL if trust == "none" else ()):
                if task["do"] == "fuzz":
                    return _fuzz(task, module)
                return _find(task, module) if task["do"] == "find" else _check(task, module, say, trust)
    except loading.NoSuchName as error:
        return {"missing": str(error)}
    except loading.CannotLoad as error:
        return {"unasked": str(error)}
    except (SystemExit, KeyboardInterrupt) as error:  # not ours: the checked code ends "the program"
        return {"ended": loading.why(error)}
    except BaseException:  # the parent must hear about everything, and this process goes on
        return {"internal": traceback.format_exc()}


def prepare(folder: str, module: Module) -> None:
    """Put the folder that a file is imported from first on `sys.path`, and have what stands there compiled."""
    if folder and sys.path[:1] != [folder]:
        put_first(folder)
    check_below(folder or module.root)
    sys.argv = [module.file]  # gradcheck's own are nothing to what is checked


@contextlib.contextmanager
def _unchanged_process() -> Iterator[None]:
    """Put back what a subject may change for its neighbours: folder, streams, imports, warnings, errors, draws.

    What it adds to where modules are looked for stays, but last: a package whose `__init__` adds its own folder is
    imported once, and its modules need that later; no neighbour's `core` may yield to the one it found there.
    """
    import numpy as np

    folder, streams = os.getcwd(), (sys.stdin, sys.stdout, sys.stderr)
    path, finders = sys.path, sys.meta_path
    entries, in_order = list(path), list(finders)
    state = np.random.get_state()  # noqa: NPY002 (the checked code may draw from it)
    try:
        with warnings.catch_warnings(), np.errstate():
            yield
    finally:
        sys.stdin, sys.stdout, sys.stderr = streams
        path[:] = [*entries, *(entry for entry in sys.path if entry not in entries)]
        finders[:] = [*in_order, *(finder for finder in sys.meta_path if finder not in in_order)]
        sys.path, sys.meta_path = path, finders
        np.random.set_state(state)  # noqa: NPY002
        with contextlib.suppress(OSError):
            os.chdir(folder)


def _find(task: Task, module: Any) -> dict[str, Any]:
    from gradcheck.adapters import belonging, is_subject, parts

    attribute: str = task["attribute"]
    if attribute:
        thing = loading.get(module, attribute)
        one = loading.named(attribute, thing, is_subject)
        full = loading.full_name(thing, task["module"], attribute)
        inner = [[f"{attribute}.{name}", f"{full}.{name}", "", ""] for name in parts(thing)]
        own = [[attribute, full, one.verdict or "", one.reason]]
        return {"found": inner if inner and one.verdict == "not understood" else [*own, *inner]}
    failed = getattr(module, "__gradcheck_failed__", "")
    found = loading.members(module, is_subject, belonging, parts)
    answer: dict[str, Any] = {
        "found": [[one.attribute, f"{task['module']}.{one.attribute}", one.verdict or "", one.reason] for one in found]
    }
    return {**answer, "unasked": failed} if failed else answer


def _check(task: Task, module: Any, say: Say, trust: Trust) -> dict[str, Any]:
    from gradcheck.data import plain
    from gradcheck.errors import CannotBuild

    thing = loading.get(module, task["attribute"])
    try:
        with reading(ALL if trust == "none" else ()) as used:
            result = replace(_checked(thing, task, say), declares=tuple(sorted(used)))
    except CannotBuild as error:
        return {"unasked": str(error)}
    excuses = [name for name in result.declares if name in EXCUSES]
    if trust == "shown" and excuses and result.verdict in ("correct", "convention"):
        result = _without_excuses(result, excuses, thing, task, say)
    return {"result": plain(_with_what_is_left(thing, result))}


def _fuzz(task: Task, module: Any) -> dict[str, Any]:
    from gradcheck.adapters import subject_of
    from gradcheck.check import Options, check_subject
    from gradcheck.data import plain
    from gradcheck.errors import CannotBuild
    from gradcheck.fuzz import kept
    from gradcheck.fuzz.search import Search

    thing, folder = loading.get(module, task["attribute"]), Path(task["keep"])
    try:
        subject = subject_of(thing, name=task["name"], init={key: literal(text) for key, text in task["init"].items()})
        search = Search(subject, task["name"], folder)
    except CannotBuild as error:
        return {"unasked": str(error)}
    found = search.run(task["seconds"])
    if found is None:
        return {"tried": search.tried}
    again = found.point(subject)
    result = check_subject(subject, Options(seed=task["seed"], first=(again,) if again is not None else ()))
    return {"result": plain(result), "kept": os.path.relpath(kept.write(folder, task["name"], found))}


def _checked(thing: Any, task: Task, say: Say, **more: Any) -> ComponentResult:
    from gradcheck.adapters import subject_of
    from gradcheck.check import Options, check_subject
    from gradcheck.fuzz.kept import read

    init = {key: literal(text) for key, text in task["init"].items()}
    wanted = {**task["options"], "dtypes": tuple(task["options"]["dtypes"]), **more}
    subject = subject_of(thing, name=task["name"], init=init)
    kept = read(Path(task["keep"]), task["name"])
    again = kept.point(subject) if kept is not None else None
    first = () if again is None else (again,)
    return check_subject(subject, Options(**wanted, first=first, progress=functools.partial(_say_progress, say)))


def _without_excuses(result: ComponentResult, excuses: list[str], thing: Any, task: Task, say: Say) -> ComponentResult:
    """What passes by what it says about itself, and is wrong without that, is waived by itself."""
    from gradcheck.errors import CannotBuild

    try:
        with reading(EXCUSES):
            without = _checked(thing, task, say, evidence=False, fail_fast=True)
    except CannotBuild:  # nobody else knows how it is built
        return result
    if without.verdict != "wrong":
        return result
    why = f"it passes by what it says about itself ({', '.join(excuses)}); without that, it is wrong"
    return replace(result, verdict="waived", reason=why)


def _with_what_is_left(thing: Any, result: ComponentResult) -> ComponentResult:
    """Add the methods that look like derivatives and were not asked; a tape asks for what it needs itself."""
    from gradcheck.results import Unjudged

    asked = {claim.method for claim in result.claims} | set(re.findall(r"\w+(?=\()", result.reading))
    if not asked or any(method.startswith("tape.") for method in asked):
        return result
    why = "it is named like a derivative, and gradcheck knows no way to ask for it"
    second = {f"{name}2" for name in asked}  # grad2 beside grad is judged by itself
    left = [Unjudged(name, why) for name in methods_left(thing, asked | second)]
    return replace(result, unjudged=(*result.unjudged, *left))


def literal(text: str) -> Any:
    """Return the number, list, tuple or the like that Python reads in `text`, else the text itself.

    >>> literal("(4, 3)"), literal("1e-3"), literal("None"), literal("relu")
    ((4, 3), 0.001, None, 'relu')
    """
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return text


def _say_progress(say: Say, *what: object) -> None:
    say({"progress": " ".join(map(str, what))})
