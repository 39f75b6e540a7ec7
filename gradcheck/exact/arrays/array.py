"""An array of jets that the code which runs takes for an array of float64.

It is an `np.ndarray` of objects, so that every way in which NumPy moves entries about works as it is. What NumPy
computes on it comes to `protocols`. Its `dtype` says float64 (complex128 for complex jets), so that code which asks
takes the branch that it takes for floats; what reads the memory as floats all the same ends the run (`Jet.__float__`).
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from flint import acb, arb

from gradcheck.exact import session
from gradcheck.exact.jets.decisions import value_of
from gradcheck.exact.jets.jet import LATER, Jet, jet

Array = np.ndarray[Any, np.dtype[Any]]

FLOAT64 = np.dtype(np.float64)
COMPLEX128 = np.dtype(np.complex128)
# What is computed here as float64 all the same, and noted.
SHORT = frozenset({"float16", "float32", "complex64"})


class ExactArray(np.ndarray[Any, np.dtype[Any]]):
    """An array of jets."""

    __array_priority__ = 0.5

    @property
    def dtype(self) -> Any:
        """What the same code would see in float64."""
        return kind_of(self)

    @dtype.setter
    def dtype(self, value: Any) -> None:
        session.leave(f"it reads an array's memory as {np.dtype(value)}")

    def __array_ufunc__(self, ufunc: np.ufunc, method: Any, *inputs: Any, **kwargs: Any) -> Any:
        return LATER["__array_ufunc__"](ufunc, method, inputs, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return LATER["__array_function__"](function, types, args, kwargs)

    def __setitem__(self, index: Any, value: Any) -> None:
        found = scalar(exact(value))  # an array without axes would itself become the entry
        np.ndarray.__setitem__(self, index, found if type(found) is Jet else plain(found))

    def __deepcopy__(self, memo: Any) -> ExactArray:
        return self.copy()

    def __reduce__(self) -> Any:
        session.leave("it pickles exact numbers")

    def __reduce_ex__(self, protocol: Any) -> Any:
        session.leave("it pickles exact numbers")

    def astype(self, dtype: Any, *args: Any, copy: bool = True, **kwargs: Any) -> Any:  # type: ignore[override]
        """Rounding to a shorter float is the identity, and noted; to integers and booleans it decides."""
        return cast_to(self, dtype, copy)

    def view(self, *args: Any, **kwargs: Any) -> Any:
        """As another class, of the same jets; as a plain array, itself."""
        kind = kwargs.get("type", args[0] if args else None)
        if kind is None or kind is np.ndarray or kind is ExactArray:
            return np.ndarray.view(self)
        if isinstance(kind, type) and issubclass(kind, np.ndarray):
            return np.ndarray.view(self, kind)
        if np.dtype(kind) == self.dtype:
            return np.ndarray.view(self)
        session.leave(f"it reads an array's memory as {np.dtype(kind)}")

    def fill(self, value: Any) -> None:
        """Put one number everywhere."""
        self[...] = value

    def put(self, indices: Any, values: Any, mode: Any = "raise") -> None:
        """Put numbers at flat indices."""
        np.put(self, indices, values, mode)

    def tobytes(self, *args: Any, **kwargs: Any) -> Any:
        """What stands in memory is no number."""
        session.leave("it reads an array's memory")

    tofile = dump = dumps = getfield = byteswap = setfield = tobytes

    @property
    def real(self) -> Any:
        """The real parts."""
        return self if self.dtype is FLOAT64 else np.real(self)

    @real.setter
    def real(self, value: Any) -> None:
        session.leave("it writes real parts in place")

    @property
    def imag(self) -> Any:
        """The imaginary parts."""
        return np.imag(self)

    @imag.setter
    def imag(self, value: Any) -> None:
        session.leave("it writes imaginary parts in place")


def actual(array: Array) -> np.dtype[Any]:
    """The type that an array really has."""
    return cast("np.dtype[Any]", np.ndarray.dtype.__get__(array))


def kind_of(array: Array) -> Any:
    """The type that an array of jets stands for (indices, which NumPy may leave in this class, are what they are)."""
    own = actual(array)
    if own.kind != "O":
        return own
    first = np.ndarray.ravel(array)[0] if array.size else None
    return COMPLEX128 if type(value_of(first)) is acb else FLOAT64


def exact(value: Any) -> Any:
    """Return numbers of any kind as jets: arrays and nested lists as an ExactArray, scalars as a Jet.

    What holds something else (text, None, somebody's objects) is returned as it is.
    """
    if type(value) is ExactArray or type(value) is Jet:
        return value
    if isinstance(value, ExactArray):
        return np.ndarray.view(value, ExactArray)
    if isinstance(value, np.ndarray):
        kind = actual(value).kind
        if kind == "O":
            return lifted(value)
        return of_floats(value) if kind in "fiubc" else value
    if isinstance(value, (list, tuple)):
        return exact(np.asarray(value))
    return jet(value)


def of_floats(array: Array) -> ExactArray:
    """Return an array of numbers as jets without derivative, at the very values that it holds."""
    session.afford(array.size)
    made = np.empty(array.shape, dtype=object)
    flat = np.asarray(array).ravel()
    items: list[Any] = list(flat) if flat.dtype == np.longdouble else flat.tolist()
    flat_made = made.reshape(-1)
    for position, item in enumerate(items):
        flat_made[position] = jet(item)
    return cast(ExactArray, flat_made.reshape(array.shape).view(ExactArray))


def lifted(array: Array) -> Any:
    """Return an array of objects that are all numbers as an ExactArray on the same memory; else as it is."""
    base = np.ndarray.view(array, np.ndarray)
    plain_numbers = {position: jet(item) for position, item in enumerate(base.flat) if type(item) is not Jet}
    if any(type(item) is not Jet for item in plain_numbers.values()):
        return array
    if plain_numbers and not base.flags.writeable:
        base = base.copy()
    for position, item in plain_numbers.items():
        base.flat[position] = item
    return base.view(ExactArray)


def plain(value: Any) -> Any:
    """Return what NumPy's own code may have without asking here again: objects in plain arrays."""
    if isinstance(value, ExactArray):
        return np.ndarray.view(value, np.ndarray)
    if type(value) is Jet:
        return boxed(value)
    return value


def plain_tree(tree: Any) -> Any:
    """`plain`, inside lists, tuples and dicts; a list of jets and plain numbers as the array that it stands for."""
    if type(tree) in (list, tuple):
        if any(type(part) is Jet for part in tree) and all(type(jet(part)) is Jet for part in tree):
            return np.array(tree, dtype=object)
        return type(tree)([plain_tree(part) for part in tree])
    if type(tree) is dict:
        return {key: plain_tree(part) for key, part in tree.items()}
    return plain(tree)


def boxed(value: Any) -> Array:
    """A scalar as an array of no axes."""
    box = np.empty((), dtype=object)
    box[()] = value
    return box


def as_array(value: Any) -> Any:
    """Return numbers of any kind as an ExactArray."""
    found = exact(value)
    return boxed(found).view(ExactArray) if type(found) is Jet else found


def scalar(array: Any) -> Any:
    """Return what NumPy returns for an array without axes: the number."""
    return array[()] if isinstance(array, np.ndarray) and array.ndim == 0 else array


def cast_to(array: Any, dtype: Any, copy: bool = True) -> Any:
    """What `astype` does to jets."""
    wanted = np.dtype(dtype)
    if wanted.kind in "fcO":
        if wanted.name in SHORT:
            session.note(f"rounds to {wanted.name} here")
        return array.copy() if copy else array
    if wanted.kind == "b":
        return np.not_equal(array, 0)
    if wanted.kind in "iu":
        whole = [int(item) for item in np.ndarray.ravel(plain(array))]
        return np.array(whole, dtype=wanted).reshape(array.shape)
    session.leave(f"it casts numbers to {wanted}")


def full(shape: Any, value: Any) -> ExactArray:
    """An array of one and the same jet."""
    made = np.empty(shape, dtype=object)
    session.afford(made.size)
    made.fill(jet(value))
    return cast(ExactArray, made.view(ExactArray))


def undefined() -> Jet:
    """What stands in memory that nobody has written to."""
    return Jet(arb.nan())
