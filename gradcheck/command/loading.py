"""Import what is checked, and list what can be checked in it. Runs in worker processes only.

A package whose `__init__` fails keeps the names that it had defined up to there, so that its modules
can still be imported one by one.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import os
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from gradcheck.command.discover import find
from gradcheck.command.seen import not_understood
from gradcheck.errors import message, place, shown, told
from gradcheck.verdicts import Verdict

Note = Callable[[str], None]


class CannotLoad(Exception):
    """A module does not import, or has no such attribute; the message says why, with file and line."""


def load(
    module: str, file: str, folder: str = "", broken: Collection[str] = (), note: Note = lambda name: None
) -> ModuleType:
    """Import `module`, which stands in `file`; if there is a `folder`, it is first on `sys.path`, and `file` in it.

    `broken` names packages whose `__init__` is not even tried (it hung or ended the process before);
    `note(name)` is called before each import, so that whoever waits knows which one takes so long.
    """
    importlib.invalidate_caches()
    parts = module.split(".")
    for depth in range(1, len(parts)):
        _load_package(".".join(parts[:depth]), broken, note)
    if module in broken:
        return _load_package(module, broken, note)
    note(module)
    try:
        loaded = importlib.import_module(module)
        if _is_from(loaded, file):
            return loaded
        if folder:  # a file called random.py or types.py: its name is taken by a module that is in use
            return _load_file(f"{module}_checked", file)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # what other people's modules do on import includes sys.exit
        raise CannotLoad(why(error)) from error
    other = getattr(loaded, "__file__", None)
    raise CannotLoad(f"expected {module} from {shown(file)}, but {other} was imported: name the file: {shown(file)}")


def _is_from(module: ModuleType, file: str) -> bool:
    found = getattr(module, "__file__", None)
    return not found or os.path.realpath(found) in (os.path.realpath(file), os.path.realpath(f"{file}/__init__.py"))


def _load_file(name: str, file: str) -> ModuleType:
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, file)
        if spec is None or spec.loader is None:
            raise CannotLoad(f"{shown(file)} is not a Python file")
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


def _load_package(name: str, broken: Collection[str], note: Note) -> ModuleType:
    """Import a package; where its `__init__` fails, keep it half-way, since only its `__path__` is needed."""
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.find_spec(name) if "." in name else find(name, sys.path)
    if spec is None:
        raise CannotLoad(f"there is no package {name}")
    package = importlib.util.module_from_spec(spec)
    sys.modules[name] = package
    if name not in broken and spec.loader is not None:  # a folder without __init__ has none
        note(name)
        try:
            spec.loader.exec_module(package)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            package.__gradcheck_failed__ = why(error)  # type: ignore[attr-defined]
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], child, package)
    return package


def why(error: BaseException) -> str:
    """Return an exception as one line, with the file and line of the code that was being run.

    >>> why(ValueError("no data"))
    'ValueError: no data'
    """
    if isinstance(error, SystemExit):
        at = place(error)
        return f"it ends the program with sys.exit({message(error)}){f' ({at})' if at else ''}"
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {error.msg} ({place(error)})"
    return " ".join(told(error).split())


def get(module: ModuleType, attribute: str) -> Any:
    """Return `module.attribute`, which may be dotted (`CannotLoad` where there is none)."""
    thing: Any = module
    for part in attribute.split("."):
        try:
            thing = getattr(thing, part)
        except Exception as error:  # a property of somebody else's class may raise anything
            failed = getattr(module, "__gradcheck_failed__", "")
            known = sorted(name for name in vars(module) if not name.startswith("_"))
            reason = f"{module.__name__} has no {attribute!r}"
            if failed:
                raise CannotLoad(f"{reason}, since it does not import: {failed}") from error
            raise CannotLoad(f"{reason}; it has {', '.join(known) or 'no public names'}") from error
    return thing


@dataclass(frozen=True)
class Member:
    """Something in a module: what can be tried, or (with a `verdict` and a `reason`) what cannot."""

    attribute: str
    verdict: Verdict | None = None
    reason: str = ""


def members(
    module: ModuleType,
    is_subject: Callable[[Any], bool],
    belonging: Callable[[Any], list[Any]],
    pieces: Callable[[Any], list[str]] = lambda thing: [],
) -> list[Member]:
    """List the classes and functions defined in `module` that make claims about a derivative, or look as if.

    A re-export is counted where it is defined, an alias once, an abstract base class not at all; a class that merely
    has not written all that its base demands is listed, with the reason why it cannot be built. `belonging` are the
    functions that are judged together with a thing; `pieces` names its methods that are judged each by itself.
    """
    found: list[Member] = []
    judged: list[Any] = []
    for attribute, thing in list(vars(module).items()):
        if not (inspect.isclass(thing) or inspect.isfunction(thing)) or any(thing is one for one in judged):
            continue
        try:
            member = _member(attribute, thing, module, is_subject)
            parts = belonging(thing) if member is not None else []
        except Exception as error:  # a metaclass of somebody else's may raise anything
            member, parts = Member(attribute, "could not be asked", f"it cannot be looked at: {why(error)}"), []
        if member is not None:
            judged += [thing, *parts]
            found.append(member)
        inner = pieces(thing) if getattr(thing, "__module__", None) == module.__name__ else []
        found += [Member(f"{attribute}.{name}") for name in inner]
        judged += [thing] if inner else []
    return found + [Member(name, "not understood", reason) for name, reason in not_understood(module, judged)]


def _member(attribute: str, thing: Any, module: ModuleType, is_subject: Callable[[Any], bool]) -> Member | None:
    """What a subject that is defined in `module` is; `None` for what is no subject."""
    if getattr(thing, "__module__", None) != module.__name__ or not is_subject(thing):
        return None
    missing = sorted(getattr(thing, "__abstractmethods__", ()))
    if inspect.isclass(thing) and _is_base(thing, missing):
        return None
    if isinstance(left_out := getattr(thing, "gradcheck_skip", None), str):
        return Member(attribute, "skipped", left_out)
    if missing:
        return Member(attribute, "not implemented", f"not finished: {', '.join(missing)} must be written")
    return Member(attribute)


def _is_base(thing: type, missing: list[str]) -> bool:
    """Whether a class is there to be derived from: it declares an abstract method, or nothing but subclasses use it."""
    if any(getattr(vars(thing).get(name), "__isabstractmethod__", False) for name in missing):
        return True
    from gradcheck.adapters.bases import is_base

    return bool(thing.__subclasses__()) and (bool(missing) or is_base(thing))


def full_name(thing: Any, module: str, attribute: str) -> str:
    """Return the name under which a thing is reported: where it is defined, so that a re-export is the same subject."""
    try:
        home, inner = getattr(thing, "__module__", None), getattr(thing, "__qualname__", None)
    except Exception as error:  # a metaclass of somebody else's may raise anything
        raise CannotLoad(f"it cannot be looked at: {why(error)}") from error
    if inspect.isclass(thing) and isinstance(home, str) and isinstance(inner, str) and "<" not in inner:
        return f"{home}.{inner}"
    return f"{module}.{attribute}"
