"""What belongs to the code that is run: the modules it is written in, the objects it may change.

Both are found from the functions that are called: through what they close over, the objects that they are bound to, the
classes of these, and the modules that those import. Python's own modules and installed ones are left alone, unless the
subject itself is one.
"""

from __future__ import annotations

import functools
import operator
import os
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import CellType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from gradcheck.compiled import is_compiled
from gradcheck.exact.arrays.array import actual, of_floats
from gradcheck.exact.errors import NotExact

# Objects and entries beyond this many are not looked at: they are data.
MOST = 20_000
# Arrays larger than this stay floats: as constants they serve as well, and nothing is written into them exactly.
LARGEST = 20_000
# Of gradcheck's own modules, those that call the subject.
_CALLERS = "gradcheck.adapters"
_NEVER = frozenset(
    {"numpy", "flint", "scipy", "gradcheck", "builtins", "__future__", "pytest", "hypothesis", "_pytest"}
)
_INSTALLED = tuple(os.path.join(sysconfig.get_path(name), "") for name in ("purelib", "platlib"))


@dataclass(frozen=True)
class Globals:
    """The names of a module, what they stood for, and the dicts and lists among that: caches, registries."""

    names: dict[str, Any]
    ids: tuple[int, ...]
    known: dict[str, Any]
    stores: list[Any]

    def are_known(self) -> bool:
        """Whether every name stands for what it stood for."""
        return tuple(map(id, self.names.values())) == self.ids and self.names.keys() == self.known.keys()


@dataclass
class Reached:
    """Globals of modules, cells of closures, and what holds attributes: dicts and lists.

    `callers`: the globals of gradcheck's modules that call the subject, and keep nothing of a run.
    """

    namespaces: list[Globals] = field(default_factory=list)
    callers: list[dict[str, Any]] = field(default_factory=list)
    cells: list[CellType] = field(default_factory=list)
    stores: list[dict[Any, Any] | list[Any]] = field(default_factory=list)


def reach(things: Iterable[Any], modules: Iterable[ModuleType] = ()) -> Reached:
    """Find what belongs to functions, bound methods or objects; `modules` belong in any case."""
    found, names, tops = Reached(), dict.fromkeys(m.__name__ for m in modules), set[str]()
    queue, seen = list(things), set[int]()
    keep = []  # so that no id is given away while it is in `seen`
    while queue and len(seen) < MOST:
        thing = queue.pop()
        if id(thing) in seen or thing is None or isinstance(thing, (str, int, float, complex, bytes, np.generic)):
            continue
        seen.add(id(thing))
        keep.append(thing)
        queue += _parts(thing, found, names, tops)
    allowed = frozenset(tops)
    for name in _imported(frozenset(name for name in names if _belongs(name, allowed)), allowed, len(sys.modules)):
        if name.startswith(_CALLERS):
            found.callers.append(vars(sys.modules[name]))
        else:
            found.namespaces.append(_globals(vars(sys.modules[name])))
    for one in found.namespaces:
        found.stores += one.stores
    return found


_looked_at: dict[int, Globals] = {}


def _globals(names: dict[str, Any]) -> Globals:
    """The globals of a module, looked at anew where any name stands for something else."""
    found = _looked_at.get(id(names))
    if found is None or found.names is not names or not found.are_known():
        ids, stores = tuple(map(id, names.values())), list(_containers(names))
        found = _looked_at[id(names)] = Globals(names, ids, names.copy(), stores)
    return found


def _containers(namespace: dict[str, Any]) -> Iterator[dict[Any, Any] | list[Any]]:
    """The dicts and lists that are globals of a module or attributes of its classes."""
    for name, value in list(namespace.items()):
        if type(value) in (dict, list):
            if not name.startswith("__"):  # __builtins__, __all__: Python's own
                yield value
        elif isinstance(value, type) and value.__module__ == namespace.get("__name__"):
            yield from (one for one in vars(value).values() if type(one) in (dict, list))


def _parts(thing: Any, found: Reached, names: dict[str, None], tops: set[str]) -> list[Any]:
    """What hangs on a thing; its module is written down. Raises NotExact for what takes floats alone."""
    if is_compiled(thing):
        raise NotExact(f"{thing.__name__}, which numba has compiled, has no exact form")
    if isinstance(thing, FunctionType):
        _name(thing.__module__, names, tops)
        its = thing.__globals__
        if thing.__module__ not in sys.modules and all(one.names is not its for one in found.namespaces):
            found.namespaces.append(_globals(its))  # made by exec, of a notebook say
        cells = list(thing.__closure__ or ())
        found.cells += cells
        return [*map(_content, cells), *(thing.__defaults__ or ()), *(thing.__kwdefaults__ or {}).values()]
    if isinstance(thing, MethodType):
        return [thing.__func__, thing.__self__]
    if isinstance(thing, functools.partial):
        return [thing.func, *thing.args, *thing.keywords.values()]
    if isinstance(thing, type):
        for kind in thing.__mro__:
            _name(kind.__module__, names, tops)
        return []
    if isinstance(thing, np.ndarray):
        return [type(thing)] if type(thing) is not np.ndarray else []
    if isinstance(thing, ModuleType):
        names[thing.__name__] = None
        return []
    if isinstance(thing, (list, tuple, set, frozenset)):
        if isinstance(thing, list):
            found.stores.append(thing)
        return list(thing) if len(thing) < MOST else []
    if isinstance(thing, dict):
        found.stores.append(thing)
        return list(thing.values()) if len(thing) < MOST else []
    own = getattr(thing, "__dict__", None)
    parts: list[Any] = [type(thing)]
    if isinstance(own, dict):
        found.stores.append(own)
        parts += own.values()
    return parts


def _name(module: str | None, names: dict[str, None], tops: set[str]) -> None:
    if module:
        names[module] = None
        tops.add(module.partition(".")[0])


def _content(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not bound yet
        return None


def _belongs(name: str, tops: frozenset[str]) -> bool:
    """Whether a module is somebody's code that is checked, or calls it."""
    if name.startswith(_CALLERS):
        return True
    top = name.partition(".")[0]
    if name not in sys.modules or top in _NEVER or (top in sys.stdlib_module_names and name != "__main__"):
        return False
    return top in tops or not (getattr(sys.modules[name], "__file__", None) or "").startswith(_INSTALLED)


@functools.lru_cache(maxsize=200)
def _imported(names: frozenset[str], tops: frozenset[str], loaded: int) -> tuple[str, ...]:
    """These modules and all that they import and that belong, too. (`loaded` modules: a new one may be imported.)"""
    found: dict[str, None] = {}
    queue = list(names)
    while queue:
        name = queue.pop()
        if name in found or name not in sys.modules:
            continue
        found[name] = None
        for value in list(vars(sys.modules[name]).values()):
            other = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
            if isinstance(other, str) and other not in found and _belongs(other, tops):
                queue.append(other)
    return tuple(found)


@contextmanager
def kept(reached: Reached) -> Iterator[None]:
    """Let code change the objects that were reached, with arrays that can hold jets for its arrays of floats.

    Afterwards every attribute, entry, global and closure is what it was. (What was imported meanwhile stays.)
    """
    saved = [(store, store.copy()) for store in reached.stores]
    cells = [(cell, cell.cell_contents) for cell in reached.cells if _content(cell) is not None]
    made: dict[int, Any] = {}
    try:
        for store, before in saved:
            items = before.items() if isinstance(before, dict) else enumerate(before)
            for key, value in items:
                if isinstance(value, np.ndarray) and actual(value).kind == "f" and value.size <= LARGEST:
                    store[key] = made.get(id(value)) if id(value) in made else made.setdefault(id(value), _lift(value))
        yield
    finally:
        for store, before in saved:
            _restore(store, before)
        for namespace in reached.namespaces:
            if not namespace.are_known():
                _put_back(namespace.names, namespace.known)
        for cell, value in cells:
            cell.cell_contents = value


def _put_back(namespace: dict[str, Any], known: dict[str, Any]) -> None:
    for name, value in list(namespace.items()):
        if name not in known and not isinstance(value, ModuleType):
            del namespace[name]
        elif known.get(name, value) is not value:
            namespace[name] = known[name]
    for name in known.keys() - namespace.keys():
        namespace[name] = known[name]


def _lift(value: Any) -> Any:
    jets = of_floats(value)
    if type(value) is np.ndarray:
        return jets
    view = np.ndarray.view(jets, type(value))
    vars(view).update(getattr(value, "__dict__", {}))
    return view


def _restore(store: Any, before: Any) -> None:
    if isinstance(store, list):
        store[:] = before
    elif not _is_same(store, before):
        store.clear()
        store.update(before)


def _is_same(one: dict[Any, Any], other: dict[Any, Any]) -> bool:
    """Whether two dicts have the very same entries, in the same order."""
    return (
        len(one) == len(other)
        and all(map(operator.is_, one.values(), other.values()))
        and all(map(operator.is_, one, other))
    )
