"""Import what is checked, and list what can be checked in it. Runs in worker processes only.

A package whose `__init__` fails keeps the names that it had defined up to there, so that its modules
can still be imported one by one.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import os
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from gradcheck.adapters.declarations import counts
from gradcheck.command import notebooks, statements
from gradcheck.command.discover import NOTEBOOK, Module, find, meant
from gradcheck.command.names import looks_like_a_derivative
from gradcheck.command.seen import not_understood
from gradcheck.errors import cut, message, place, shown, told
from gradcheck.verdicts import Verdict

Note = Callable[[str], None]
CHECKED = "_checked"
"""Ends the name of a module whose own is taken by another one that is in use."""
SKIP = "gradcheck_skip"
"""An attribute of a class or a function: the reason why it is left out."""

# The most decorators that are looked behind.
DECORATORS = 8


class CannotLoad(Exception):
    """A module does not import, or what is asked for in it cannot be looked at; the message has file and line."""


class NoSuchName(CannotLoad):
    """A module that does import has no such attribute."""


def load(
    module: str, file: str, folder: str = "", broken: Collection[str] = (), note: Note = lambda name: None
) -> ModuleType:
    """Import `module`, which stands in `file`; if there is a `folder`, it is first on `sys.path`, and `file` in it.

    `broken` names packages whose `__init__` is not even tried (it hung or ended the process before);
    `note(name)` is called before each import, so that whoever waits knows which one takes so long.
    """
    if file.endswith(NOTEBOOK):
        return _load_notebook(module, file, note)
    importlib.invalidate_caches()
    parts = module.split(".")
    package = sys.modules.get(parts[0])
    if (
        package is not None
        and len(parts) > 1
        and not _is_from(package, os.path.join(Module(module, file).root, parts[0]))
    ):
        raise _is_taken(module, file, package)
    for depth in range(1, len(parts)):
        _load_package(".".join(parts[:depth]), broken, note)
    if module in broken:
        return _load_package(module, broken, note)
    note(module)
    try:
        if Path(file).suffix == ".py" and Path(file).stem not in (parts[-1], "__init__"):
            return _load_file(module, file)  # it has dots in its name
        loaded = importlib.import_module(module)
        if _is_from(loaded, file):
            return loaded
        is_script = Path(file).suffix == ".py" and Path(file).stem != "__init__" and (folder or "." not in module)
        if is_script:  # called random.py, say: its name is taken by a module that is in use
            return _load_file(module, file)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # what other people's modules do on import includes sys.exit
        script = _load_statements(module, file) if len(parts) == 1 and Path(file).suffix == ".py" else None
        if script is not None:
            return script
        raise CannotLoad(why(error, file)) from error
    raise _is_taken(module, file, loaded)


def _load_statements(name: str, file: str) -> ModuleType | None:
    """Run a script that does not import, but for what raises; `None` where it defines nothing, or is no Python.

    Its statements are run once more, since half a module is none.
    """
    try:
        text = importlib.util.decode_source(Path(file).read_bytes())
        tree = ast.parse(text, file)
    except (OSError, ValueError, SyntaxError):
        return None
    module = ModuleType(name)
    module.__file__ = file
    sys.modules[name] = module
    statements.keep(module, list(statements.run(module, tree, file, "", set())))
    if not any(_is_written_in(name, thing) for thing in vars(module).values()):
        del sys.modules[name]
        return None
    return module


def _is_written_in(module: str, thing: Any) -> bool:
    """Whether something is a function or a class of a module, and no exception."""
    is_exception = inspect.isclass(thing) and issubclass(thing, BaseException)
    is_code = inspect.isfunction(thing) or inspect.isclass(thing)
    return is_code and not is_exception and getattr(thing, "__module__", None) == module


def _load_notebook(module: str, file: str, note: Note) -> ModuleType:
    note(module)
    try:
        return notebooks.load(module, file)
    except (ValueError, OSError) as error:
        raise CannotLoad(f"{shown(file)}: {message(error)}") from error


def _is_taken(module: str, file: str, by: ModuleType) -> NoSuchName:
    other = getattr(by, "__file__", None) or "another one"
    return NoSuchName(f"expected {module} from {shown(file)}, but Python has imported {other}: give it another name")


def _is_from(module: ModuleType, file: str) -> bool:
    found = getattr(module, "__file__", None)
    places = [found] if found else getattr(module, "__path__", [])  # a folder without __init__.py has no file
    real = (os.path.realpath(file), os.path.realpath(f"{file}/__init__.py"))
    return any(os.path.realpath(place) in real for place in places)


def _load_file(module: str, file: str) -> ModuleType:
    """Import a file that no import statement leads to, under a name that no other file has."""
    name = module if module not in sys.modules or _is_from(sys.modules[module], file) else f"{module}{CHECKED}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, file)
        if spec is None or spec.loader is None:
            raise CannotLoad(f"{shown(file)} is not a Python file")
        sys.modules[name] = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(sys.modules[name])
        except BaseException:
            del sys.modules[name]  # as Python does: half a module is none
            raise
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


def why(error: BaseException, file: str = "") -> str:
    """Return an exception as one line, with the file and line of the code that was being run (else the `file`).

    >>> why(ValueError("no data"))
    'ValueError: no data'
    """
    if isinstance(error, SystemExit):
        at = place(error)
        return f"it ends the program with sys.exit({message(error)}){f' ({at})' if at else ''}"
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {error.msg} ({place(error) or shown(file)})"
    return " ".join(told(error).split())


def get(module: ModuleType, attribute: str) -> Any:
    """Return `module.attribute`, which may be dotted (`NoSuchName` where there is none)."""
    thing: Any = module
    for part in attribute.split("."):
        try:
            thing = _part(thing, part)
        except AttributeError as error:
            if why_hidden := dict(statements.hidden(module)).get(part):
                raise CannotLoad(why_hidden) from error
            reason = f"{module.__name__} has no {attribute!r}"
            if failed := getattr(module, "__gradcheck_failed__", ""):
                raise CannotLoad(f"{reason}, since it does not import: {failed}") from error
            known = sorted(name for name in vars(module) if not name.startswith("_"))
            has = f"; it has {cut(', '.join(known), 200) or 'no public names'}"
            raise NoSuchName(f"{reason}{meant(attribute, known) or has}") from error
        except Exception as error:  # a property of somebody else's class may raise anything
            raise CannotLoad(f"{module.__name__}.{attribute} cannot be looked at: {why(error)}") from error
    return thing


def _part(thing: Any, part: str) -> Any:
    """An attribute, or an entry of a dict; of a function and its derivative in a tuple or a dict, the function."""
    found = thing[part] if isinstance(thing, dict) and part in thing else getattr(thing, part)
    if isinstance(found, (tuple, list, dict)) and not inspect.isclass(thing):
        from gradcheck.adapters.calls.held import subject_in

        subject = subject_in(found)
        return found if subject is None else subject
    return found


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
    from gradcheck.adapters import gets_methods_from, inside

    found: list[Member] = []
    judged: list[Any] = []
    for attribute, thing in [*vars(module).items(), *inside(module).items()]:
        is_code = inspect.isclass(thing) or inspect.isfunction(thing) or _is_wrapped(thing)
        if not is_code or any(thing is one for one in judged):
            continue
        try:
            if getattr(thing, "__module__", None) != module.__name__ and not (
                inspect.isclass(thing) and gets_methods_from(thing, module.__name__)
            ):
                continue
            inner = [Member(f"{attribute}.{name}") for name in pieces(thing)]
            own = [_member(attribute, thing)] if is_subject(thing) and not _is_base(thing) else []
            found += [*own, *inner]
            judged += [thing, *belonging(thing)] if own or inner else []
        except Exception as error:  # a metaclass of somebody else's may raise anything
            found.append(Member(attribute, "could not be asked", f"it cannot be looked at: {why(error)}"))
            judged.append(thing)
    for attribute, reason in statements.hidden(module):
        is_missed = looks_like_a_derivative(attribute) or attribute.startswith("line ")
        found.append(Member(attribute, "could not be asked" if is_missed else "skipped", reason))
    for attribute, reason in not_understood(module, judged):
        found.append(_left_out(attribute, vars(module)[attribute]) or Member(attribute, "not understood", reason))
    return found


def _is_wrapped(thing: Any) -> bool:
    """Whether it is what decorators have made of a function: an object of a framework's, say."""
    depth = 0
    while not inspect.isfunction(thing) and depth < DECORATORS:
        thing = getattr(type(thing), "__dict__", {}) and inspect.getattr_static(thing, "__wrapped__", None)
        depth += 1
    return depth > 0 and inspect.isfunction(thing)


def named(attribute: str, thing: Any, is_subject: Callable[[Any], bool]) -> Member:
    """Return what a thing is that was asked for by its name."""
    try:
        if not is_subject(thing):
            kind = "class" if inspect.isclass(thing) else "function" if callable(thing) else type(thing).__name__
            return Member(attribute, "not understood", f"this {kind} claims no derivative that gradcheck can read")
        if _is_base(thing):
            return Member(attribute, "not understood", "it is there to be derived from: name a class that is")
        return _member(attribute, thing)
    except Exception as error:  # a metaclass of somebody else's may raise anything
        raise CannotLoad(f"it cannot be looked at: {why(error)}") from error


def _member(attribute: str, thing: Any) -> Member:
    """Return a subject as something to check, or with the reason why it is not."""
    missing = sorted(getattr(thing, "__abstractmethods__", ()))
    if missing and not _left_out(attribute, thing):
        return Member(attribute, "not implemented", f"not finished: {', '.join(missing)} must be written")
    return _left_out(attribute, thing) or Member(attribute)


def _left_out(attribute: str, thing: Any) -> Member | None:
    """Something that says itself why it is not checked (a class that it is derived from does not say so for it)."""
    reason = getattr(thing, "__dict__", {}).get(SKIP)
    if reason is None or not counts(SKIP):
        return None
    if isinstance(reason, str) and reason.strip():
        return Member(attribute, "skipped", reason)
    return Member(attribute, "could not be asked", f"expected {SKIP} to be the reason, in words, but it is {reason!r}")


def _is_base(thing: Any) -> bool:
    """Whether a class is there to be derived from: it declares an abstract method, or nothing but subclasses use it."""
    if not inspect.isclass(thing):
        return False
    missing = getattr(thing, "__abstractmethods__", ())
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
        return f"{home.removesuffix(CHECKED)}.{inner}"
    return f"{module}.{attribute}"
