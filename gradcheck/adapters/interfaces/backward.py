"""Course layers with `forward(x)` and `backward(dy)`: the input gradient is returned, weight gradients are left behind.

Or all are returned; and a forward or backward that returns nothing has left it in `self.output`, `self.dinputs`.
A loss whose `backward` returns one gradient for two inputs holds the second constant.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradcheck.adapters import arguments, examples, gradients, returned, weights
from gradcheck.adapters.construct import Made, duplicate
from gradcheck.adapters.generations import FORWARDS, has
from gradcheck.adapters.gradients import Left
from gradcheck.adapters.isolated import Habits, Live
from gradcheck.adapters.protocol import Interface
from gradcheck.adapters.weights import Slot
from gradcheck.errors import CannotBuild
from gradcheck.problem import Array, Method, Problem, Sizes, Values, Variable

# Where a forward or a backward that returns nothing leaves its result.
OUTPUTS = ("output", "outputs", "out", "result")
RESETS = (
    *("zero_grad", "zero_grads", "zero_gradient", "zero_gradients", "zeroGradParameters"),
    *("reset_grad", "reset_grads", "reset_gradients", "clear_grad", "clear_grads", "clear_gradients"),
)
INPUT_GRADIENTS = ("dinputs", "dinput", "dx", "dX", "grad_input", "input_grad", "d_input", "dinp")


def recognises(thing: Any) -> bool:
    """`forward` (or `call`) and `backward`."""
    return has(thing, "backward") and any(has(thing, name) for name in FORWARDS)


def build(made: Made, sizes: Sizes, rng: np.random.Generator) -> Problem:
    """Return the problem that `made` poses. Raises CannotBuild where it cannot be called."""
    return _Layer(made, sizes, rng).problem()


def _resets(obj: Any) -> Iterator[Callable[[], Any]]:
    """The code's own way of setting gradients to zero that add up until then, on `obj` and what it holds."""
    for one in (obj, *vars(obj).values()) if hasattr(obj, "__dict__") else (obj,):
        for name in RESETS:
            reset = getattr(one, name, None)
            if inspect.ismethod(reset) and not _required(reset):
                yield reset


def _required(method: Callable[..., Any]) -> bool:
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    parameters = inspect.signature(method).parameters.values()
    return any(p.default is p.empty and p.kind in kinds for p in parameters)


@dataclass(frozen=True)
class Run:
    """The forward of an object, which may leave its result in an attribute."""

    obj: Any
    forward: Callable[..., Any]

    def __call__(self, *arrays: Any) -> Any:
        said = self.forward(*arrays)
        return _attribute(self.obj, OUTPUTS) if said is None else said


class _Layer:
    """One object on its way to a problem."""

    def __init__(self, made: Made, sizes: Sizes, rng: np.random.Generator) -> None:
        self.obj = made.obj
        self.rng = rng
        self.forward = next(name for name in FORWARDS if has(self.obj, name))
        self.signature = arguments.signature_of(getattr(self.obj, self.forward), self.obj)
        self.roles, self.given = self._arrays(made, sizes)
        self.certain = made.inputs is not None
        self.left, said = self._weights(self.given)
        self.returned = self._returned(said) if not self.left and self._more(said) else []
        adds = self.left and not any(_resets(self.obj))
        self.adding = gradients.accumulating(duplicate(self.obj), self.left, self._train) if adds else []
        self.held: set[str] = set()
        self._hold_labels_constant(said)
        self.left += gradients.missing(duplicate(self.obj), self.left, self._outputs) if self.left else []
        self.slots = [weights.on(self.obj, one.slot.name, one.slot.paths) for one in self.left] + self.returned
        self.slots = weights.apart(self.slots, [role.name for role in self.roles])
        self.live = Live(self.obj, self.slots, [r.name for r in self.roles], self._run(self.obj), habits=self._habits())

    def problem(self) -> Problem:
        pairs = zip(self.roles, self.given, strict=True)
        inputs = [Variable(r.name, "input", a, r.constant, r.domain, r.data) for r, a in pairs]
        by_weight = [Variable(s.name, "weight", np.array(s.array)) for s in self.slots]
        # What a loss that returns one gradient holds constant is no claim.
        claimed = [v for v in inputs if v.name not in self.held]
        names = [v.name for v in claimed]
        shapes = [v.example.shape for v in claimed]
        constants = [v.name for v in claimed if v.constant]
        live = self.live

        def at(values: Values) -> Callable[[list[Array]], list[Any]]:
            call = live.at(values)

            def ask(cotangents: list[Array]) -> list[Any]:
                call.enter()
                for reset in _resets(live.obj):
                    reset()
                gradients.set_to_zero(live.obj, self.adding)
                said = _backward(live.obj, cotangents)
                behind = [returned.own(one.read(live.obj)) for one in self.left]
                if self.returned and isinstance(said, (list, tuple)):
                    behind = [returned.own(item) for item in said[len(names) :]]
                    said = said[: len(names)]
                if said is None and by_weight:
                    return [*(None for _ in names), *behind]
                return [*_listed(said, names, shapes, constants), *behind]

            return ask

        method = Method("backward", "vjp", (*names, *(v.name for v in by_weight)), at, certain=self.certain)
        return Problem(
            (*inputs, *by_weight),
            live.forward,
            (method,),
            live.habits.random,
            call=lambda values: live.at(values).said,
            reading=self._reading(),
            dtype=examples.widest(self.given, lambda given: self._run(duplicate(self.obj))(*given)),
        )

    def _reading(self) -> str:
        """How the object was read, in a line."""
        asked = f"{self.forward}({', '.join(role.name for role in self.roles)}), then backward(upstream)"
        adding = ", ".join(one.slot.name for one in self.adding)
        return f"{asked}; gradients of {adding} add up, and are set to zero before each question" if adding else asked

    def _run(self, obj: Any) -> Callable[..., Any]:
        return Run(obj, self.signature.bind(getattr(obj, self.forward)))

    def _outputs(self, obj: Any) -> list[Array]:
        return returned.outputs(self._run(obj)(*[array.copy() for array in self.given]))

    def _habits(self) -> Habits:
        twin = duplicate(self.obj)
        if twin is self.obj:
            return Habits()
        slots = [weights.on(twin, slot.name, slot.paths) for slot in self.slots]
        live = Live(twin, slots, [r.name for r in self.roles], self._run(twin))
        with np.errstate(all="ignore"):
            return live.learn(dict(zip(live.inputs, self.given, strict=True)) | {s.name: s.array for s in slots})

    def _arrays(self, made: Made, sizes: Sizes) -> tuple[list[arguments.Role], list[Array]]:
        found = list(self.signature.roles)
        if made.inputs is not None:
            if len(made.inputs) != len(found):
                raise CannotBuild(f"its example gives {len(made.inputs)} inputs, but forward takes {len(found)}")
            given = [np.asarray(array) for array in made.inputs]
            return [arguments.fitting(r, a) for r, a in zip(found, given, strict=True)], given
        if not found:
            raise CannotBuild("its forward takes no array")

        def runs(arrays: list[Array]) -> None:
            returned.filled(self._run(duplicate(self.obj))(*arrays))

        def both(arrays: list[Array]) -> None:
            found, said = self._weights(arrays)
            if isinstance(said, Exception):
                raise said
            first = returned.plain(said[0] if isinstance(said, (list, tuple)) else said)
            if first is not None and first.shape != arrays[0].shape:
                raise ValueError("another shape than the input's")
            for one in found:
                if np.shape(one.read(self.twin)) != one.slot.array.shape:
                    raise ValueError("another shape than the weight's")

        shapes = [value.shape for value, _ in weights.places(self.obj) if isinstance(value, np.ndarray) and value.ndim]
        return examples.find(found, sizes, shapes, self.rng, runs, both)

    def _weights(self, arrays: list[Array]) -> tuple[list[Left], Any]:
        """Return the weights with their gradients, and what backward returned, tried on a twin."""
        self.twin = duplicate(self.obj)
        outputs: list[Array] = []

        def forward(twin: Any) -> None:
            outputs.extend(returned.outputs(self._run(twin)(*[array.copy() for array in arrays])))

        def backward(twin: Any) -> Any:
            return _backward(twin, [np.round(self.rng.normal(size=one.shape), 2) for one in outputs])

        return gradients.find(self.obj, self.twin, forward, backward)

    def _train(self, twin: Any) -> None:
        """Forward and backward, as a training loop calls them."""
        outputs = returned.outputs(self._run(twin)(*[array.copy() for array in self.given]))
        _backward(twin, [np.ones_like(one, dtype=float) for one in outputs])

    def _more(self, said: Any) -> bool:
        return isinstance(said, (list, tuple)) and len(said) > len(self.roles)

    def _returned(self, said: Sequence[Any]) -> list[Slot]:
        """Gradients that `backward` returns after the inputs', for weights in the order of their attributes."""
        around = [(value, place) for value, place in weights.places(self.obj) if isinstance(value, np.ndarray)]
        found = []
        for gradient in [returned.plain(item) for item in said[len(self.roles) :]]:
            shape = None if gradient is None else gradient.shape
            fitting = [one for one in around if one[0].shape == shape] or around
            if not fitting:
                raise CannotBuild(f"its backward returns {len(said)} gradients, but it has no weight for each")
            value, place = fitting[0]
            around = [one for one in around if one[1] is not place]
            found.append(Slot(place.path.lstrip("_"), value, (place,)))
        return found

    def _hold_labels_constant(self, said: Any) -> None:
        """A loss that returns one gradient for several inputs: the others are data, one-hot rows if these run."""
        single = isinstance(said, np.ndarray) or (isinstance(said, (list, tuple)) and len(said) == 1)
        declared = any(role.constant for role in self.roles) or hasattr(type(self.obj), "input_data")
        if not single or declared or len(self.roles) < 2 or self._outputs(duplicate(self.obj))[0].size != 1:
            return
        labels = [arguments.Role(role.name, True, "one-hot") for role in self.roles[1:]]
        given = [
            self.given[0],
            *(examples.draw(r, a.shape, self.rng) for r, a in zip(labels, self.given[1:], strict=True)),
        ]
        first = self.roles[0]
        with np.errstate(all="ignore"):
            value = returned.outputs(self._run(duplicate(self.obj))(*[array.copy() for array in given]))[0]
        if not np.isfinite(value).all():  # a logarithm of what is no probability
            first = replace(first, data="probabilities", domain=(0.0, 1.0))
            given[0] = examples.draw(first, given[0].shape, self.rng)
        self.roles, self.given = [first, *labels], given
        self.held = {role.name for role in labels}


def _attribute(obj: Any, names: Sequence[str]) -> Any:
    """The first of several attributes that holds an array."""
    return next((getattr(obj, name) for name in names if isinstance(getattr(obj, name, None), np.ndarray)), None)


def _backward(obj: Any, cotangents: Sequence[Array]) -> Any:
    """Call `backward` with what upstream gradients it takes; a loss may take none, or have a usual one (`dout=1`)."""
    backward = obj.backward
    parameters = inspect.signature(backward).parameters.values()
    takes = [p for p in parameters if p.kind in (p.VAR_POSITIONAL, p.POSITIONAL_OR_KEYWORD, p.POSITIONAL_ONLY)]
    usual = bool(takes) and takes[0].default is not inspect.Parameter.empty and len(cotangents) == 1
    if takes and not (usual and cotangents[0].size == 1):
        said = backward(*cotangents)
    else:
        said = backward()
        if cotangents[0].size == 1:
            said = _scaled(said, cotangents[0].reshape(()))
    return _attribute(obj, INPUT_GRADIENTS) if said is None else said


def _scaled(said: Any, factor: Any) -> Any:
    if isinstance(said, (list, tuple)):
        return [None if one is None else np.asarray(one) * factor for one in said]
    return None if said is None else np.asarray(said) * factor


def _listed(said: Any, names: Sequence[str], shapes: Sequence[tuple[int, ...]], constants: Sequence[str]) -> list[Any]:
    """One gradient per input; a bare array is that of the only input that is no constant."""
    asked = [name for name in names if name not in constants]
    if isinstance(said, np.ndarray) and len(asked) == 1 < len(names):
        said = [said]
    return list(returned.listed(said, names, shapes, "backward", constants))


INTERFACE = Interface("forward(x) and backward(upstream)", recognises, build)
