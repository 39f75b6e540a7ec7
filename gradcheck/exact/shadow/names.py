"""The names that code knows NumPy by, replaced while it runs exactly, and put back whatever happens.

`np`, `numpy.linalg`, `from numpy import exp`, `math`, `from math import sqrt`, `scipy.special`, `float`: in the globals
of the modules that are checked, and in what their functions close over, each of these names is bound to a stand-in.
Stand-ins of makers make arrays that can hold jets; those of functions lift arrays that have lost their class, and then
let NumPy ask `protocols`. In a thread that runs nothing exactly, a stand-in is what it stands for.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import BuiltinFunctionType, CellType, FunctionType, ModuleType
from typing import Any

import numpy as np

from gradcheck.compiled import is_compiled
from gradcheck.exact import session
from gradcheck.exact.arrays.array import ExactArray, actual, cast_to, exact, kind_of, lifted
from gradcheck.exact.arrays.makers import MAKERS, holds_jets
from gradcheck.exact.jets.jet import Jet
from gradcheck.exact.shadow.special import MATH, SCIPY
from gradcheck.exact.shadow.types import STAND_INS

# Modules of which names are replaced. What numpy.random draws are constants.
MODULES = (
    "numpy",
    "numpy.linalg",
    "numpy.fft",
    "numpy.lib",
    "numpy.lib.stride_tricks",
    "math",
    "scipy",
    "scipy.special",
)
_DISPATCHED = type(np.sum)
_FUNCTIONS = (FunctionType, BuiltinFunctionType, np.ufunc, _DISPATCHED)


class StandIn:
    """A function of NumPy's, math's or scipy.special's while code runs exactly; equal to what it stands for."""

    def __init__(self, real: Any, own: Callable[..., Any] | None, always: bool) -> None:
        self._real = real
        self._own = own
        self._always = always

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not session.is_active():
            return self._real(*args, **kwargs)
        if self._always and self._own is not None:
            return self._own(*args, **kwargs)
        found = [_lift(value) for value in args]
        options = {name: _lift(value) for name, value in kwargs.items()}
        if self._own is not None and (holds_jets(found) or holds_jets(list(options.values()))):
            return self._own(*found, **options)
        result = self._real(*found, **options)
        return lifted(result) if type(result) is np.ndarray and result.dtype == object else result

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        """`isinstance(np.exp, np.ufunc)` stays true."""
        return type(self._real)

    def __eq__(self, other: Any) -> bool:
        return True if other is self or other is self._real else NotImplemented

    def __hash__(self) -> int:
        return hash(self._real)


def _lift(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return lifted(value) if type(value) is not ExactArray and actual(value).kind == "O" else value
    return exact(value) if isinstance(value, (list, tuple)) and _is_of_jets(value) else value


def _is_of_jets(value: Any) -> bool:
    """A list of jets, or of lists of them: what NumPy would make an array of."""
    return any(type(part) is Jet or (isinstance(part, (list, tuple)) and _is_of_jets(part)) for part in value)


class Namespace(ModuleType):
    """A module of NumPy's while code runs exactly: its functions, types and submodules are the stand-ins."""

    def __init__(self, real: ModuleType) -> None:
        super().__init__(real.__name__, real.__doc__)
        self.__dict__["_real"] = real

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.__dict__["_real"], name)
        found = stand_in(value)
        return value if found is None else found

    def __dir__(self) -> list[str]:
        return dir(self.__dict__["_real"])

    def __eq__(self, other: Any) -> bool:
        return True if other is self or other is self.__dict__["_real"] else NotImplemented

    def __hash__(self) -> int:
        return hash(self.__dict__["_real"])


_made: dict[int, tuple[Any, Any]] = {}


def stand_in(value: Any) -> Any:
    """Return what stands in for a module, function or type, or None where it stays what it is."""
    kind = type(value)
    if kind is tuple:
        found = [stand_in(part) if isinstance(part, type) else None for part in value]
        return tuple(b if b is not None else a for a, b in zip(value, found, strict=True)) if any(found) else None
    if isinstance(value, type):
        return STAND_INS.get(value) if kind is not type(STAND_INS[float]) else None
    if kind is not ModuleType and kind not in _FUNCTIONS and not is_compiled(value):
        return None
    known = _made.get(id(value))
    if known is None or known[0] is not value:
        known = _made[id(value)] = (value, _make(value))
    return known[1]


def _make(value: Any) -> Any:
    if isinstance(value, ModuleType):
        return Namespace(value) if value.__name__ in MODULES and sys.modules.get(value.__name__) is value else None
    name = getattr(value, "__name__", "")
    if is_compiled(value):  # it would take the memory of an array of jets for one of floats
        return StandIn(value, _unknown(f"{name}, which numba has compiled,"), True)
    if getattr(math, name, None) is value:
        return StandIn(value, MATH.get(name, _unknown(f"math.{name}")), False)
    if isinstance(value, np.ufunc):
        special = sys.modules.get("scipy.special")
        known = value in (getattr(np, name, None), getattr(special, name, None))
        return StandIn(value, None, False) if known else None
    module = getattr(value, "__module__", None) or ""
    if value in MAKERS:
        return StandIn(value, MAKERS[value], True)
    if module.startswith("scipy.special"):
        return StandIn(value, SCIPY.get(name, _unknown(f"scipy.special.{name}")), False)
    if module.partition(".")[0] == "numpy" and not module.startswith(("numpy.random", "numpy.testing")):
        return StandIn(value, None, False)
    return None


def _unknown(name: str) -> Callable[..., Any]:
    def leaves(*_: Any, **__: Any) -> Any:
        session.leave(f"{name} has no exact form")

    return leaves


@contextmanager
def shadowed(namespaces: Iterable[dict[str, Any]], cells: Iterable[CellType] = ()) -> Iterator[None]:
    """Bind stand-ins to the names in these globals and closures; at the end every name is what it was."""
    names: list[tuple[dict[str, Any], str, Any]] = []
    contents: list[tuple[CellType, Any]] = []
    classes: dict[type, dict[str, Any]] = {}
    try:
        for namespace in namespaces:
            found_here, arrays = _plan(namespace)
            for name, value, found in found_here:
                names.append((namespace, name, value))
                namespace[name] = found
            for kind in arrays:
                _give_dtype(kind, classes)
            if "float" not in namespace:
                names.append((namespace, "float", _ABSENT))
                namespace["float"] = STAND_INS[float]
        for cell in cells:
            found = stand_in(_content(cell))
            if found is not None:
                contents.append((cell, cell.cell_contents))
                cell.cell_contents = found
        yield
    finally:
        for cell, value in contents:
            cell.cell_contents = value
        for namespace, name, value in reversed(names):
            if value is _ABSENT:
                namespace.pop(name, None)
            else:
                namespace[name] = value
        for kind, members in classes.items():
            for name, value in members.items():
                delattr(kind, name) if value is _ABSENT else setattr(kind, name, value)


_ABSENT = object()
_Plan = tuple[list[tuple[str, Any, Any]], list[type]]
_plans: dict[int, tuple[dict[str, Any], tuple[int, ...], _Plan]] = {}


def _plan(namespace: dict[str, Any]) -> _Plan:
    """Which names have stand-ins, and which values are array classes; found anew where any name is bound anew."""
    ids = tuple(map(id, namespace.values()))
    known = _plans.get(id(namespace))
    if known is None or known[0] is not namespace or known[1] != ids:
        found = [(name, value, stand_in(value)) for name, value in namespace.items()]
        arrays = [value for value in namespace.values() if isinstance(value, type) and issubclass(value, np.ndarray)]
        plan = [entry for entry in found if entry[2] is not None], [kind for kind in arrays if kind is not np.ndarray]
        known = _plans[id(namespace)] = (namespace, ids, plan)
    return known[2]


def _content(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not bound yet
        return None


def _give_dtype(kind: type, classes: dict[type, dict[str, Any]]) -> None:
    """Let somebody's array class say float64 where it holds jets, as ExactArray does."""
    if kind in classes or issubclass(kind, ExactArray) or any(known in classes for known in kind.__mro__):
        return
    classes[kind] = {name: vars(kind).get(name, _ABSENT) for name in ("dtype", "astype")}
    own: Any = kind.astype  # type: ignore[attr-defined]

    def astype(self: Any, dtype: Any, *args: Any, **kwargs: Any) -> Any:
        if actual(self).kind != "O":
            return own(self, dtype, *args, **kwargs)
        made = cast_to(np.ndarray.view(self, ExactArray), dtype, kwargs.get("copy", True))
        return np.ndarray.view(made, kind)

    setter: Any = np.ndarray.dtype.__set__  # type: ignore[attr-defined]
    kind.dtype = property(kind_of, setter)  # type: ignore[attr-defined]
    kind.astype = astype  # type: ignore[attr-defined]
