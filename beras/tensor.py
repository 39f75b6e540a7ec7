"""Tensor: a NumPy array that knows whether it is trained and, inside a tape, tells it what NumPy does with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from beras import destinations
from beras.recorder import recording
from beras.write_clock import write_clock

_NUMPY = (np.ndarray, np.generic)


class Tensor(np.ndarray[Any, np.dtype[Any]]):
    """An `np.ndarray` with one more attribute, `trainable`, which survives views, slices and ufuncs.

    `Tensor(t)` of a `Tensor` returns `t`; of anything else it wraps `np.asarray(data)` without a copy.

    Inside a `GradientTape`, NumPy on Tensors is recorded; `np.asarray`, `np.array`, `.item()`, `.tolist()` and other
    conversions detach. So does NumPy on a list of tensors, `np.sum([a, b])`, which it converts before anybody is asked:
    join them with `np.stack` or `np.concatenate`. What is written through a plain array that shares the memory goes
    unnoticed.

    >>> t = Tensor([[1.0, 2.0]])
    >>> t.trainable, t[0].trainable, Tensor(t) is t
    (True, True, True)
    """

    __array_priority__ = 1.0  # plain.dot(tensor) is a Tensor too

    # The default is on the class: a tensor stores only what differs from it, so that wrapping stays cheap.
    trainable: bool = True

    def __new__(cls, data: npt.ArrayLike, dtype: npt.DTypeLike | None = None, trainable: bool | None = None) -> Self:
        """Wrap `data`. `trainable=None` keeps what `data` says (true where it says nothing)."""
        if recording.tape is not None and isinstance(data, (list, tuple)) and holds_tensors(data):
            raise TypeError(
                f"Tensor got a {type(data).__name__} of tensors, which would lose their gradients: join them with "
                "np.stack or np.concatenate"
            )
        array = np.asanyarray(data, dtype=dtype)
        tensor = array if isinstance(array, cls) else np.asarray(array).view(cls)
        if array is not tensor and not getattr(data, "trainable", True):
            tensor.trainable = False
        if trainable is not None and tensor.trainable != trainable:
            tensor = tensor.view()
            tensor.trainable = trainable
        return tensor

    def __array_finalize__(self, source: object) -> None:
        if type(source) is not np.ndarray and isinstance(source, Tensor):
            if not source.trainable:
                self.trainable = False
            if recording.tape is not None:
                recording.tape.numpy_unseen(source, self)

    def __array_ufunc__(self, ufunc: np.ufunc, method: Any, *inputs: Any, **kwargs: Any) -> Any:
        if recording.tape is not None:
            return recording.tape.numpy_ufunc(ufunc, method, inputs, kwargs)
        out = kwargs.get("out")
        written = out if isinstance(out, tuple) else inputs[:1] if method == "at" else ()
        if kwargs:
            kwargs = {name: plain(value) for name, value in kwargs.items()}
            if written and method != "at":
                kwargs["out"] = tuple([plain(array) for array in written])
        result = getattr(ufunc, method)(*[plain(x) for x in inputs], **kwargs)
        for array in written:
            if isinstance(array, Tensor):
                write_clock.note_write(array)
        if out is not None:
            pairs = zip(written, result if isinstance(result, tuple) else (result,), strict=True)
            results = tuple([wrap_result(z, inputs) if given is None else given for given, z in pairs])
            return results if len(results) > 1 else results[0]
        return wrap_result(result, inputs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if recording.tape is not None:
            return recording.tape.numpy_function(self, func, types, args, kwargs)
        for array in destinations.by_function(func, args, kwargs):
            if isinstance(array, Tensor):
                write_clock.note_write(array)
        if func in destinations.IN_PLACE:
            return func(*[plain(a) for a in args], **{name: plain(value) for name, value in kwargs.items()})
        if func.__name__ in _REDUCTIONS and args and isinstance(args[0], Tensor) and "correction" not in kwargs:
            kwargs = {name: value for name, value in kwargs.items() if value is not np._NoValue}
            return getattr(args[0], func.__name__)(*args[1:], **kwargs)  # what NumPy does too, after a longer way
        return super().__array_function__(func, types, args, kwargs)

    def __getitem__(self, index: Any) -> Any:
        if recording.tape is not None:
            return recording.tape.numpy_item(self, index)
        index = tuple([plain(part) for part in index]) if isinstance(index, tuple) else plain(index)
        item = super().__getitem__(index)
        if type(item) is not Tensor and isinstance(item, Tensor):  # a part of a Variable owns nothing to be assigned
            return np.ndarray.view(item, Tensor)
        return wrap_result(item, (self,))

    def __iter__(self) -> Iterator[Any]:
        if self.ndim == 0:
            raise TypeError("a tensor of shape () cannot be iterated over")
        return (self[i] for i in range(len(self)))

    def __setitem__(self, index: Any, value: Any) -> None:
        self._write()
        super().__setitem__(index, value)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _WRITING_ATTRIBUTES:
            self._write()
        super().__setattr__(name, value)

    def _write(self) -> None:
        if recording.tape is not None:
            recording.tape.require_writable(self)
        write_clock.note_write(self)

    @property
    def flat(self) -> Any:
        """An iterator over the values, for reading; inside a tape a `RuntimeError`, since it would lose gradients."""
        if recording.tape is not None:
            raise RuntimeError("a tensor's .flat would lose its gradient: use ravel() or reshape(-1)")
        values = np.asarray(self).view()
        values.flags.writeable = False
        return values.flat

    def __repr__(self) -> str:
        name = type(self).__name__
        lines = repr(np.asarray(self)).removeprefix("array").split("\n")
        return name + ("\n" + " " * (len(name) - len("array"))).join(lines)

    def __str__(self) -> str:
        return str(np.asarray(self))

    def __format__(self, spec: str) -> str:
        return format(np.asarray(self), spec)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the flag along with the data (ndarray's own state would drop it)."""
        pickled: tuple[Any, ...] = super().__reduce__()  # type: ignore[assignment]
        rebuild, arguments, state = pickled[:3]
        return rebuild, arguments, (state, self.trainable)

    def __setstate__(self, state: tuple[Any, bool]) -> None:  # type: ignore[override]
        array_state, self.trainable = state
        super().__setstate__(array_state)


def plain(value: Any) -> Any:
    """Return a tensor as a plain array that shares its memory, anything else as it is."""
    return np.asarray(value) if isinstance(value, Tensor) else value


def wrap(array: Any) -> Tensor:
    """Return a plain array, or a NumPy scalar, as a tensor."""
    return np.asarray(array).view(Tensor)


def wrap_result(result: Any, inputs: Iterable[Any]) -> Any:
    """Return arrays and NumPy scalars as tensors, also inside tuples and lists, anything else as it is.

    They are trainable unless all tensors among `inputs` are not.
    """
    if isinstance(result, _NUMPY):
        tensor = result if isinstance(result, Tensor) else np.asarray(result).view(Tensor)
        frozen = False
        for x in inputs:
            if isinstance(x, Tensor):
                if x.trainable:
                    return tensor
                frozen = True
        if frozen:
            tensor.trainable = False
        return tensor
    if isinstance(result, list):
        return [wrap_result(part, inputs) for part in result]
    if isinstance(result, tuple):
        parts = [wrap_result(part, inputs) for part in result]
        return type(result)(*parts) if hasattr(result, "_fields") else tuple(parts)
    return result


def tensors_in(tree: Any) -> Iterator[Tensor]:
    """Yield the tensors in nested lists, tuples and dicts."""
    if isinstance(tree, Tensor):
        yield tree
    elif isinstance(tree, (list, tuple)):
        for part in tree:
            yield from tensors_in(part)
    elif isinstance(tree, dict):
        for part in tree.values():
            yield from tensors_in(part)


def holds_tensors(tree: Any) -> bool:
    """Whether there is a tensor in nested lists, tuples and dicts."""
    return any(True for _ in tensors_in(tree))


_WRITING_ATTRIBUTES = frozenset({"shape", "dtype", "strides", "data", "real", "imag", "flat"})
WRITING_METHODS = ("byteswap", "fill", "itemset", "partition", "put", "resize", "setfield", "sort")
_OTHER_METHODS = (
    *("__copy__", "__deepcopy__", "all", "any", "argmax", "argmin", "argpartition", "argsort", "astype", "choose"),
    *("clip", "compress", "conj", "conjugate", "copy", "cumprod", "cumsum", "diagonal", "dot", "flatten", "getfield"),
    *("max", "mean", "min", "nonzero", "prod", "ravel", "repeat", "reshape", "round", "searchsorted", "squeeze", "std"),
    *("sum", "swapaxes", "take", "to_device", "trace", "transpose", "var", "view"),
)
_REDUCTIONS = frozenset({"all", "any", "max", "mean", "min", "prod", "std", "sum", "var"})
_PROPERTIES = ("T", "mT", "real", "imag")


def _method(name: str, in_place: bool) -> Callable[..., Any]:
    """Return ndarray's method `name`, which NumPy's protocols do not see, with word to the tape that is open."""
    inherited = getattr(np.ndarray, name)

    def method(self: Tensor, *args: Any, **kwargs: Any) -> Any:
        if recording.tape is not None:
            return recording.tape.numpy_method(name, inherited, (self, *args), kwargs)
        if in_place:
            write_clock.note_write(self)
        for array in destinations.by_method(name, args, kwargs):
            if isinstance(array, Tensor):
                write_clock.note_write(array)
        if name in _REDUCTIONS:
            return wrap_result(inherited(np.asarray(self), *args, **kwargs), (self,))
        return inherited(self, *args, **kwargs)

    method.__name__, method.__qualname__ = name, f"Tensor.{name}"
    method.__doc__ = f"See `numpy.ndarray.{name}`."
    return method


def _property(name: str) -> property:
    inherited = getattr(np.ndarray, name).__get__

    def value(self: Tensor) -> Any:
        if recording.tape is not None:
            return recording.tape.numpy_method(name, inherited, (self,), {})
        return inherited(self)

    setter = getattr(np.ndarray, name).__set__ if name in _WRITING_ATTRIBUTES else None
    return property(value, setter, doc=f"See `numpy.ndarray.{name}`.")


# Written as a loop over names: forty methods that all do the same would hide the one idea.
for _name in (*WRITING_METHODS, *_OTHER_METHODS):
    if hasattr(np.ndarray, _name):
        setattr(Tensor, _name, _method(_name, in_place=_name in WRITING_METHODS))
for _name in _PROPERTIES:
    if hasattr(np.ndarray, _name):
        setattr(Tensor, _name, _property(_name))
