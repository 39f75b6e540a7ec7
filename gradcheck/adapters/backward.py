"""Course layers with `forward(x)` and `backward(dy)`: the input gradient is returned, weight gradients are left behind.

They lie in attributes (`dW`, `db`, `grad_w`, `w_grad`), in a dict (`grads["W"]`), in `.grad` of a parameter, or are
returned as well. Where they lie is found by looking at what `backward` changed.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.adapters import answers, probe, roles, weights
from gradcheck.adapters.construct import Made, duplicate
from gradcheck.adapters.generations import FORWARDS, has
from gradcheck.adapters.live import Habits, Live
from gradcheck.adapters.weights import Place, Slot
from gradcheck.errors import CannotBuild
from gradcheck.problem import Array, Method, Problem, Sizes, Values, Variable

GRADIENT_DICTS = ("grads", "gradients", "grad", "dparams")


def recognises(thing: Any) -> bool:
    """`forward` (or `call`) and `backward`, both with an argument of their own."""
    return has(thing, "backward") and any(has(thing, name) for name in FORWARDS)


@dataclass(frozen=True)
class Left:
    """Where the gradient of one weight is found after `backward`."""

    slot: Slot
    read: Callable[[Any], Any]


def build(made: Made, sizes: Sizes, rng: np.random.Generator) -> Problem:
    """Return the problem that `made` poses. Raises CannotBuild where it cannot be called."""
    return _Layer(made, sizes, rng).problem()


class _Layer:
    def __init__(self, made: Made, sizes: Sizes, rng: np.random.Generator) -> None:
        self.obj = made.obj
        self.forward = next(name for name in FORWARDS if has(self.obj, name))
        self.signature = roles.signature_of(getattr(self.obj, self.forward), self.obj)
        self.roles, self.given = self._arrays(made, sizes, rng)
        self.left, self.returns = self._trace()
        self.slots = [left.slot for left in self.left]
        self.live = Live(self.obj, self.slots, [r.name for r in self.roles], self._run(self.obj), habits=self._habits())

    def problem(self) -> Problem:
        pairs = zip(self.roles, self.given, strict=True)
        inputs = [Variable(r.name, "input", a, r.constant, r.domain, r.data) for r, a in pairs]
        by_weight = [Variable(s.name, "weight", np.array(s.array)) for s in self.slots]
        variables = (*inputs, *by_weight)
        return Problem(variables, self.live.forward, (self._method(inputs, by_weight),))

    def _method(self, inputs: Sequence[Variable], by_weight: Sequence[Variable]) -> Method:
        names = [v.name for v in inputs]
        shapes = [v.example.shape for v in inputs]
        constants = [v.name for v in inputs if v.constant]
        live = self.live

        def at(values: Values) -> Callable[[list[Array]], list[Any]]:
            call = live.at(values)

            def ask(cotangents: list[Array]) -> list[Any]:
                call.enter()
                said = _backward(live.obj, cotangents)
                extra: list[Any] = []
                if self.returns and isinstance(said, (list, tuple)):
                    extra = list(said[len(names) :])
                    said = said[: len(names)] if len(names) > 1 else said[0]
                mine = [] if said is None and by_weight else _listed(said, names, shapes, constants)
                mine = mine or [None for _ in names]
                found = extra or [answers.plain(left.read(live.obj)) for left in self.left]
                return [*mine, *found]

            return ask

        return Method("backward", "vjp", (*names, *(v.name for v in by_weight)), at)

    def _run(self, obj: Any) -> Callable[..., Any]:
        return self.signature.bind(getattr(obj, self.forward))

    def _habits(self) -> Habits:
        twin = duplicate(self.obj)
        if twin is self.obj:
            return Habits()
        slots = [_same_slot(slot, twin) for slot in self.slots]
        live = Live(twin, slots, [r.name for r in self.roles], self._run(twin))
        with np.errstate(all="ignore"):
            return live.learn(dict(zip(live.inputs, self.given, strict=True)) | {s.name: s.array for s in slots})

    def _arrays(self, made: Made, sizes: Sizes, rng: np.random.Generator) -> tuple[list[roles.Role], list[Array]]:
        found = list(self.signature.roles)
        if made.inputs is not None:
            if len(made.inputs) != len(found):
                raise CannotBuild(f"its example gives {len(made.inputs)} inputs, but forward takes {len(found)}")
            return found, [np.asarray(array) for array in made.inputs]
        if not found:
            raise CannotBuild("its forward takes no array")
        shapes = [value.shape for value, _ in weights.places(self.obj) if isinstance(value, np.ndarray) and value.ndim]

        def runs(arrays: list[Array]) -> None:
            answers.outputs(self._run(duplicate(self.obj))(*arrays))

        def both(arrays: list[Array]) -> None:
            twin = duplicate(self.obj)
            outputs = answers.outputs(self._run(twin)(*arrays))
            said = _backward(twin, [np.ones_like(one, dtype=float) for one in outputs])
            first = answers.plain(said[0] if isinstance(said, (list, tuple)) else said)
            if first is not None and first.shape != arrays[0].shape:
                raise ValueError("another shape than the input's")
            for value, place in list(weights.places(twin)):
                read = (
                    None
                    if _is_gradient_name(place.path) or not weights.is_array(value)
                    else _reader(twin, value, place)
                )
                if read is not None and np.shape(read(twin)) != np.shape(getattr(value, "value", value)):
                    raise ValueError("another shape than the weight's")

        return probe.find(found, sizes, shapes, rng, runs, both)

    def _trace(self) -> tuple[list[Left], bool]:
        """Find the weights and where their gradients lie, by a forward and a backward on a twin."""
        twin = duplicate(self.obj)
        before = [(value, place) for value, place in weights.places(twin) if weights.is_array(value)]
        mine = {place.path: (value, place) for value, place in weights.places(self.obj) if weights.is_array(value)}
        said = None
        with np.errstate(all="ignore"):
            outputs = answers.outputs(self._run(twin)(*[array.copy() for array in self.given]))
            try:
                said = _backward(twin, [np.ones_like(one, dtype=float) for one in outputs])
            except Exception:  # said again when the claim is asked, where it is a verdict
                said = None
        left = []
        for value, place in before:
            if _is_gradient_name(place.path) or place.path not in mine:
                continue
            read = _reader(twin, value, place)
            if read is not None:
                own, held = mine[place.path]
                left.append(Left(Slot(place.path.lstrip("_"), own, (held,)), read))
        if left or not isinstance(said, (list, tuple)) or len(said) <= len(self.roles):
            return left, False
        return self._returned(said, mine), True

    def _returned(self, said: Sequence[Any], mine: dict[str, tuple[Any, Place]]) -> list[Left]:
        """Gradients that `backward` returns after the input's, for weights in the order of their attributes."""
        rest = [answers.plain(item) for item in said[len(self.roles) :]]
        free = [(path, value, place) for path, (value, place) in mine.items() if isinstance(value, np.ndarray)]
        found = []
        for gradient in rest:
            fitting = [one for one in free if gradient is not None and one[1].shape == gradient.shape]
            if not fitting:
                fitting = free
            if not fitting:
                raise CannotBuild(f"its backward returns {len(said)} gradients, but it has no weight for each")
            path, value, place = fitting[0]
            free = [one for one in free if one[0] != path]
            found.append(Left(Slot(path.lstrip("_"), value, (place,)), lambda obj: None))
        return found


def _backward(obj: Any, cotangents: Sequence[Array]) -> Any:
    """Call `backward` with what upstream gradients it takes (a loss may take none)."""
    backward = obj.backward
    takes = roles.signature_of(backward, obj)
    if not takes.roles and not takes.starred and not _optional(backward):
        said = backward()
        factor = cotangents[0].reshape(()) if cotangents[0].size == 1 else None
        return said if factor is None else _scaled(said, factor)
    return backward(*cotangents)


def _optional(backward: Callable[..., Any]) -> bool:
    return any(p.default is not p.empty for p in inspect.signature(backward).parameters.values())


def _scaled(said: Any, factor: Any) -> Any:
    if isinstance(said, (list, tuple)):
        return [None if one is None else np.asarray(one) * factor for one in said]
    return None if said is None else np.asarray(said) * factor


def _listed(said: Any, names: Sequence[str], shapes: Sequence[tuple[int, ...]], constants: Sequence[str]) -> list[Any]:
    """One gradient per input; a bare array is that of the only input that is no constant."""
    asked = [name for name in names if name not in constants]
    if isinstance(said, np.ndarray) and len(asked) == 1 < len(names):
        said = [said]
    return list(answers.listed(said, names, shapes, "backward", constants))


def _is_gradient_name(path: str) -> bool:
    name = path.replace("'", "").replace("]", "").replace("[", ".").lower()
    head = name.split(".")[0]
    last = name.split(".")[-1]
    return (
        head in GRADIENT_DICTS or "grad" in last or (last[:1] == "d" and len(last) in (2, 3)) or last.startswith("d_")
    )


def _reader(twin: Any, value: Any, place: Place) -> Callable[[Any], Any] | None:
    """Return how the gradient of the weight at `place` is read from an object, if `twin` has one there."""
    if not isinstance(value, np.ndarray) and getattr(value, "grad", None) is not None:
        return _at(place.path, lambda held: held.grad)
    own, _, last = place.path.rpartition(".")
    bare = last.lstrip("_")
    key = place.key if isinstance(place.key, str) else bare
    low = key.lower()
    names = [f"d{key}", f"d_{key}", f"grad_{key}", f"{key}_grad", f"{key}_gradient", f"{key}grad", f"grad{key}"]
    names += [f"g_{key}", f"d{low}", f"d{key[:1].upper()}", f"d{key[:1].lower()}", f"grad_{low}", f"delta_{key}"]
    names += [f"{key}_grads", f"{key}_error", f"d{key.upper()}", f"dE_d{key}", f"dL_d{key}", f"dl_d{low}"]
    owner = _follow(twin, own)
    for name in names:
        if isinstance(getattr(owner, name, None), (np.ndarray, float, np.floating)):
            return _attribute(own, name)
    for holder in GRADIENT_DICTS:
        held = getattr(owner, holder, None)
        if isinstance(held, dict):
            for name in (key, f"d{key}", low, f"d{low}", f"grad_{key}"):
                if name in held:
                    return _entry(own, holder, name)
    return None


def _attribute(own: str, name: str) -> Callable[[Any], Any]:
    return lambda obj: getattr(_follow(obj, own), name)


def _entry(own: str, holder: str, name: str) -> Callable[[Any], Any]:
    return lambda obj: getattr(_follow(obj, own), holder)[name]


def _follow(obj: Any, path: str) -> Any:
    """Follow a path of attributes and entries, as `weights.places` writes them."""
    found = obj
    for part in path.replace("]", "").replace("[", ".").split(".") if path else []:
        if isinstance(found, (list, tuple)):
            found = found[int(part)]
        elif isinstance(found, dict):
            found = found[part.strip("'")]
        else:
            found = getattr(found, part)
    return found


def _at(path: str, read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda obj: read(_follow(obj, path))


def _same_slot(slot: Slot, twin: Any) -> Slot:
    """The slot of the same paths on a twin."""
    paths = {place.path for place in slot.places}
    held = [(value, place) for value, place in weights.places(twin) if place.path in paths]
    return Slot(slot.name, held[0][0], tuple(place for _, place in held))
