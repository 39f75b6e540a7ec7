"""Where `backward` leaves the gradients of weights: attributes, dicts, lists, or `.grad` of a parameter.

Found by what it changed: an array of a weight's shape that backward made or changed, and whose name holds the weight's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.adapters import weights
from gradcheck.adapters.returned import plain
from gradcheck.adapters.state import fingerprint
from gradcheck.adapters.weights import Place, Slot
from gradcheck.problem import Array

Read = Callable[[Any], Any]

# Names that a gradient of `w` may have, where its shape is not that of `w`.
PATTERNS = (
    "d{0}",
    "d_{0}",
    "grad_{0}",
    "{0}_grad",
    "{0}_gradient",
    "grad{0}",
    "g_{0}",
    "dLd{0}",
    "dL_d{0}",
    "delta_{0}",
)


@dataclass(frozen=True)
class Left:
    """One weight, and how its gradient is read from the object after `backward` (None: nobody knows)."""

    slot: Slot
    read: Read


def arrays(obj: Any) -> dict[str, Any]:
    """Return every array that hangs on `obj`, traces of a call included, by its path."""
    found: dict[str, Any] = {}
    for own, _, path in weights.walk(obj):
        for name, value in own.items():
            here = f"{path}.{name}" if path else name
            if isinstance(value, (np.ndarray, np.floating)):
                found[here] = value
            elif isinstance(value, (dict, list, tuple)):
                items = value.items() if isinstance(value, dict) else enumerate(value)
                found |= {f"{here}[{key!r}]": item for key, item in items if isinstance(item, np.ndarray)}
    return found


def find(obj: Any, twin: Any, forward: Callable[[Any], Any], backward: Callable[[Any], Any]) -> tuple[list[Left], Any]:
    """Run forward and backward on `twin`, and return the weights of `obj` with their gradients, and what came back.

    Where backward raises, what came back is the exception.
    """
    mine = {place.path: (value, place) for value, place in weights.places(obj) if weights.is_array(value)}
    nodes = {path for path, (value, _) in mine.items() if not isinstance(value, np.ndarray)}
    inner = {path for path in mine if any(path.startswith(f"{node}.") for node in nodes)}
    with np.errstate(all="ignore"):
        forward(twin)
        before = {path: (array, fingerprint(array)) for path, array in arrays(twin).items()}
        try:
            said = backward(twin)
        except Exception as error:  # said again when the claim is asked, where it is a verdict
            said = error
    changed = {path: array for path, array in arrays(twin).items() if _changed(array, *before.get(path, (None, None)))}
    graded = [path for path in sorted(nodes) if getattr(follow(twin, path), "grad", None) is not None]
    left = [_left(mine[path], f"{path}.grad") for path in graded]
    free = {path: array for path, array in changed.items() if path not in nodes | inner}
    names = [path for path in mine if path not in nodes | inner | set(changed)]
    for match in (_by_name, _by_pattern, _by_shape):
        for path in sorted(names, key=lambda one: -len(_key(one))):
            found = match(
                path, np.shape(mine[path][0]), {one: free[one] for one in free if _owner(one) == _owner(path)}
            )
            # A shape alone speaks for a gradient only where one weight is left that could have it.
            if len(found) == 1 and (match is not _by_shape or len(names) == 1):
                free.pop(found[0])
                names.remove(path)
                left.append(_left(mine[path], found[0]))
    order = list(mine)
    return sorted(left, key=lambda one: order.index(one.slot.places[0].path)), said


def _left(held: tuple[Any, Place], path: str) -> Left:
    value, place = held
    return Left(Slot(place.path.lstrip("_"), value, (place,)), lambda obj: follow(obj, path))


def _changed(array: Any, earlier: Any, content: Any) -> bool:
    """Made anew (even if it holds the same numbers), or written into."""
    return array is not earlier or fingerprint(array) != content


def _by_name(path: str, shape: tuple[int, ...], free: Mapping[str, Any]) -> list[str]:
    """An array of the weight's shape whose name begins or ends with the weight's (the first of them)."""
    key = _key(path).lower()
    found = []
    for one, array in free.items():
        name = _key(one).lower()
        another = name != key or _head(one) != _head(path)
        if np.shape(array) == shape and another and (name.endswith(key) or name.startswith(key)):
            found.append(one)
    return found[:1]


def _by_pattern(path: str, shape: tuple[int, ...], free: Mapping[str, Any]) -> list[str]:
    """An array of any shape that is named as the weight's gradient: its shape is a mistake for the checker to find."""
    key = _key(path).lower()
    wanted = {pattern.format(key).lower() for pattern in PATTERNS}
    return [one for one in free if _key(one).lower() in wanted or ("grad" in _head(one) and _key(one).lower() == key)][
        :1
    ]


def _by_shape(path: str, shape: tuple[int, ...], free: Mapping[str, Any]) -> list[str]:
    """An array of the weight's shape that is named as some gradient."""
    return [one for one, array in free.items() if np.shape(array) == shape and _is_gradient_name(_key(one))]


def _owner(path: str) -> str:
    return path.rpartition(".")[0]


def _is_gradient_name(name: str) -> bool:
    return "grad" in name.lower() or name.lower().startswith("d")


def _head(path: str) -> str:
    """The attribute that holds the array: `grads` of `part.grads['w']`."""
    return path.rpartition(".")[2].partition("[")[0]


def _key(path: str) -> str:
    """The name of the array: `w` of `part.params['w']`, `W` of `layer.W`, `0` of `params[0]`."""
    last = path.rpartition(".")[2]
    return last.partition("[")[2].rstrip("]").strip("'") if "[" in last else last.lstrip("_")


def follow(obj: Any, path: str) -> Any:
    """Follow a path of attributes and entries, as `arrays` writes them."""
    found = obj
    for part in path.replace("]", "").replace("[", ".").split("."):
        if isinstance(found, (list, tuple)):
            found = found[int(part)]
        elif isinstance(found, dict):
            found = found[part.strip("'")]
        else:
            found = getattr(found, part)
    return found


def accumulating(twin: Any, found: Sequence[Left], call: Callable[[Any], object]) -> list[Left]:
    """Return the gradients to which each backward adds, until somebody sets them to zero (PyTorch's convention).

    `call(twin)` runs forward and backward, the same each time.
    """
    try:
        with np.errstate(all="ignore"):
            call(twin)
            first = [copied(one.read(twin)) for one in found]
            call(twin)
            second = [copied(one.read(twin)) for one in found]
    except Exception:  # said again when the claim is asked, where it is a verdict
        return []
    return [one for one, a, b in zip(found, first, second, strict=True) if _added(a, b)]


def _added(first: Array | None, second: Array | None) -> bool:
    """Whether the second answer is the first one with as much added."""
    if first is None or second is None or first.shape != second.shape or not first.any():
        return False
    # Before the first question there may have been something in it already.
    return bool(np.allclose(second, 2 * first, rtol=1e-9, atol=0))


def copied(value: Any) -> Array | None:
    """The gradient as an array of its own; None where there is none."""
    return None if value is None else np.array(plain(value), dtype=float)


def set_to_zero(obj: Any, found: Sequence[Left]) -> None:
    """Set gradients to zero, in place, as an optimizer does."""
    for one in found:
        array = plain(one.read(obj))
        if isinstance(array, np.ndarray) and array.flags.writeable:
            array[...] = 0


def missing(obj: Any, found: list[Left], outputs: Callable[[Any], list[Any]]) -> list[Left]:
    """Return what is named as a weight, and is one to the output, but has no gradient: nothing is said about it."""
    known = {left.slot.places[0].path for left in found}
    lost = []
    for value, place in list(weights.places(obj)):
        name = _key(place.path).lower().rstrip("0123456789")
        if (
            place.path in known
            or not isinstance(value, np.ndarray)
            or name.rstrip("s").rstrip("e") not in weights.STEMS
        ):
            continue
        slot = Slot(place.path.lstrip("_"), value, (place,))
        before = outputs(obj)
        slot.put(np.array(value) + 1)
        after = outputs(obj)
        slot.put(value)
        if any(not np.array_equal(a, b, equal_nan=True) for a, b in zip(before, after, strict=True)):
            lost.append(Left(slot, lambda obj: None))
    return lost
