"""What NumPy does when it meets jets: the two protocols by which it asks, and the attributes of its scalars.

A ufunc runs entry by entry, by the function of its name (`functions`); its methods are in `reductions`. Another
function of NumPy's is one of ours (`table.NUMPY`) where it computes or decides, and else NumPy's own on a plain array
of objects, which can move, join and index them.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from gradcheck.exact import session
from gradcheck.exact.arrays import products, reductions
from gradcheck.exact.arrays.array import (
    SHORT,
    ExactArray,
    actual,
    as_array,
    exact,
    lifted,
    plain,
    plain_tree,
    scalar,
    undefined,
)
from gradcheck.exact.arrays.table import IN_PLACE, METHODS, NUMPY, UNKNOWN
from gradcheck.exact.jets.functions import FUNCTIONS, PREDICATES
from gradcheck.exact.jets.jet import LATER, Jet
from gradcheck.exact.shadow.types import JET_DTYPE

# NumPy's loops over objects do these by the operators of the entries.
_NATIVE = {
    function.__name__: function
    for function in (
        *(np.add, np.subtract, np.multiply, np.divide, np.negative),
        *(np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal),
    )
}


def ufunc(function: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`__array_ufunc__` of jets and of arrays of them."""
    out = kwargs.pop("out", None)
    targets = out if isinstance(out, tuple) else (out,) if out is not None else ()
    if any(_answers_itself(value, "__array_ufunc__") for value in (*inputs, *targets)):
        return NotImplemented
    _note_dtype(kwargs.pop("dtype", None))
    for option in ("casting", "order", "subok", "signature", "sig"):
        kwargs.pop(option, None)
    if method == "at":
        return reductions.at(_entry_function(function), *inputs)
    if method == "__call__":
        where = kwargs.pop("where", True)
        if function.__name__ in products.UFUNCS:
            result = products.UFUNCS[function.__name__](*inputs, **kwargs)
        else:
            result = _call(function, inputs, targets, where)
    elif method == "outer":
        first, second = (as_array(value) for value in inputs)
        result = _call(function, (first[(..., *[None] * second.ndim)], second), (), True)
    else:
        result = getattr(reductions, method)(_entry_function(function), *inputs, **kwargs)
    result = _in_class(result, inputs)
    return delivered(result, targets) if targets else result


def _call(function: np.ufunc, inputs: tuple[Any, ...], targets: tuple[Any, ...], where: Any) -> Any:
    """Apply entry by entry; where a mask says no, the target keeps what it has."""
    loop = _loop(function, function.__name__, function.nin, function.nout)
    arrays = [plain(exact(value) if _is_objects(value) else value) for value in inputs]
    shapes = [np.shape(array) for array in arrays]
    session.afford(math.prod(shapes[0] if len(shapes) == 1 else np.broadcast_shapes(*shapes)))
    is_predicate = function.__name__ in PREDICATES
    if where is True:
        result = loop(*arrays)
    else:
        where = np.asarray(where, dtype=bool)
        shape = np.broadcast_shapes(where.shape, *shapes)
        result = np.empty(shape, dtype=object)
        result[...] = plain(targets[0]) if targets else False if is_predicate else plain(undefined())
        loop(*arrays, where=where, out=result, casting="unsafe")
        result = scalar(result)
    if is_predicate:
        return result.astype(bool) if isinstance(result, np.ndarray) else np.bool_(result)
    return _as_exact(result)


@functools.cache
def _loop(function: np.ufunc, name: str, nin: int, nout: int) -> Callable[..., Any]:
    if name in _NATIVE:
        return _NATIVE[name]
    entry = PREDICATES.get(name) or FUNCTIONS.get(name)
    if entry is not None:
        return np.frompyfunc(entry, nin, nout)
    if any(set(types) <= set("O->") for types in function.types):  # somebody's own, made by np.frompyfunc
        return function
    session.leave(f"{name} has no exact form")


def _entry_function(function: np.ufunc) -> tuple[str, Callable[..., Any]]:
    name = function.__name__
    found = PREDICATES.get(name) or FUNCTIONS.get(name)
    if found is None:
        session.leave(f"{name} has no exact form")
    return name, found


def delivered(result: Any, targets: tuple[Any, ...]) -> Any:
    """Write results into the arrays that were given for them."""
    results = result if isinstance(result, tuple) else (result,)
    given: list[Any] = []
    for one, target in zip(results, targets, strict=True):
        if target is None:
            given.append(one)
            continue
        given.append(target)
        holds_objects = actual(target).kind == "O"
        if not holds_objects and (isinstance(one, ExactArray) or type(one) is Jet):
            session.leave(f"it writes exact numbers into an array of {target.dtype} that was made before")
        np.copyto(plain(target), plain(exact(one)) if holds_objects else plain(one), casting="unsafe")
    return given[0] if len(given) == 1 else tuple(given)


def function(function: Callable[..., Any], types: Iterable[type], args: Any, kwargs: dict[str, Any]) -> Any:
    """`__array_function__` of jets and of arrays of them."""
    if any(_type_answers_itself(kind, "__array_function__") for kind in types):
        return NotImplemented
    own = NUMPY.get(function)
    if own is not None:
        out = kwargs.pop("out", None)
        _note_dtype(kwargs.get("dtype"))
        result = own(*args, **kwargs)
        return result if out is None else delivered(result, (out[0] if isinstance(out, tuple) else out,))
    if function in UNKNOWN:
        session.leave(f"np.{function.__name__} has no exact form")
    # NumPy's own code, without asking again: it may meet jets where it takes arrays apart.
    implementation = getattr(function, "_implementation", function)
    result = _as_exact(implementation(*plain_tree(args), **plain_tree(kwargs)))
    if function in IN_PLACE:
        lifted(args[0] if args else next(iter(kwargs.values())))  # where plain numbers may have been written
    return result


def attribute(jet: Jet, name: str) -> Any:
    """What a scalar of NumPy's has: it is an array without axes, and its methods return scalars."""
    if name == "dtype":
        return JET_DTYPE
    if name not in SCALAR:
        raise AttributeError(f"'numpy.float64' object has no attribute {name!r}")
    found = getattr(as_array(jet), name)
    if not callable(found):
        return scalar(found)
    return lambda *args, **kwargs: scalar(found(*args, **kwargs))


SCALAR = frozenset(
    (
        *("T", "all", "any", "argmax", "argmin", "astype", "clip", "conj", "copy", "cumprod", "cumsum", "dot"),
        *("flatten", "imag", "item", "itemsize", "max", "mean", "min", "nbytes", "ndim", "nonzero", "prod", "ravel"),
        *("real", "repeat", "reshape", "round", "shape", "size", "squeeze", "std", "strides", "sum", "swapaxes"),
        *("take", "tolist", "transpose", "var", "view"),
    )
)


def _as_exact(result: Any) -> Any:
    """Results of NumPy's own, back in their class; in tuples and lists too."""
    if isinstance(result, np.ndarray):
        return lifted(result) if actual(result).kind == "O" else result
    if type(result) in (list, tuple):
        return type(result)([_as_exact(part) for part in result])
    if isinstance(result, tuple) and hasattr(result, "_fields"):
        return type(result)(*[_as_exact(part) for part in result])
    return exact(result) if type(result) is float else result


def _in_class(result: Any, inputs: tuple[Any, ...]) -> Any:
    """A subclass of ndarray without a protocol of its own stays what it is, as with floats."""
    kind = next(
        (type(x) for x in inputs if isinstance(x, np.ndarray) and type(x) not in (np.ndarray, ExactArray)), None
    )
    return result.view(kind) if kind is not None and type(result) is ExactArray else result


def _is_objects(value: Any) -> bool:
    """Whether an argument may hold jets without being an ExactArray."""
    if isinstance(value, np.ndarray):
        return type(value) is not ExactArray and actual(value).kind == "O"
    return isinstance(value, (list, tuple))


def _answers_itself(value: Any, protocol: str) -> bool:
    return _type_answers_itself(type(value), protocol)


def _type_answers_itself(kind: type, protocol: str) -> bool:
    """Whether a class of somebody's has this protocol, and so the first word."""
    return getattr(kind, protocol, None) not in _KNOWN[protocol]


_KNOWN = {
    protocol: (None, *(getattr(known, protocol) for known in (np.ndarray, ExactArray, Jet)))
    for protocol in ("__array_ufunc__", "__array_function__")
}


def _note_dtype(dtype: Any) -> None:
    if dtype is not None and np.dtype(dtype).name in SHORT:
        session.note(f"rounds to {np.dtype(dtype).name} here")


def _method(name: str) -> Callable[..., Any]:
    """A method of arrays, which NumPy would compute without asking."""
    own = METHODS[name]

    def method(self: ExactArray, *args: Any, **kwargs: Any) -> Any:
        return function(own, (), (self, *args), kwargs)

    return method


def _sort(self: ExactArray, axis: int = -1, **_: Any) -> None:
    self[...] = np.sort(self, axis)


for _name in METHODS:
    setattr(ExactArray, _name, _method(_name))
ExactArray.conj = ExactArray.conjugate = lambda self, *_, **__: np.conjugate(self)  # type: ignore[method-assign]
ExactArray.sort = _sort  # type: ignore[assignment, method-assign]

LATER["__array_ufunc__"] = ufunc
LATER["__array_function__"] = function
LATER["__getattr__"] = attribute
