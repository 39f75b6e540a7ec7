"""A whole model: its loss by every weight and by its input, as the package's tape sees it.

A model class is built of its own package's layers, a Dense, an activation and a Dense; an instance is taken as it is.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from gradcheck.adapters import arguments, construct, examples, package, returned, tape, weights
from gradcheck.adapters.construct import Made, duplicate
from gradcheck.adapters.frameworks import is_module
from gradcheck.adapters.generations import FORWARDS, has, recognise
from gradcheck.adapters.isolated import Habits, Live
from gradcheck.adapters.protocol import Interface
from gradcheck.adapters.weights import Slot
from gradcheck.errors import CannotBuild, told
from gradcheck.problem import Array, Method, Problem, Sizes, Variable

# The layers of a model are checked by themselves: one generic point, and a small network, show how it joins them.
SMALL = Sizes(3, 3, 2)

LOSSES = ("loss_fn", "compiled_loss", "loss", "loss_function")


def recognises(thing: Any) -> bool:
    """Something that is compiled and fitted, or trained batch by batch, and has a forward; no framework's own model."""
    trains = has(thing, "batch_step") or (has(thing, "compile") and has(thing, "fit"))
    return trains and not is_module(thing) and any(has(thing, name) for name in FORWARDS)


class Whole:
    """A model and its loss, called as one function of data and labels."""

    def __init__(self, model: Any, loss: Any) -> None:
        self.model = model
        self.loss = loss

    def run(self, x: Any, y_true: Any) -> Any:
        """The loss; the model's own forward is used, so that its layers are recorded and not the model."""
        return self.loss(_forward(self.model)(x), y_true)


def make(thing: Any, sizes: Sizes, rng: np.random.Generator, init: Any = None, variant: int = 0) -> Made:
    """Build a model class of its package's layers, where nobody says how else."""
    listed = inspect.isclass(thing) and not init and not construct.says_how(thing)
    if listed and "layers" in inspect.signature(thing).parameters:
        missing = sorted(getattr(thing, "__abstractmethods__", ()))
        if missing:
            raise CannotBuild(f"not finished: {', '.join(missing)} must be written")
        return _assembled(thing, rng)
    return construct.make(thing, sizes, rng, init, variant)


def _assembled(thing: Any, rng: np.random.Generator) -> Made:
    """A model of Dense, activation and Dense that runs: a chain that gets narrower, or of equal widths."""
    made: list[Made] = []
    for hidden, out in ((SMALL.inputs + 1, SMALL.outputs), (SMALL.inputs, SMALL.inputs)):
        stack = _stack(thing, SMALL.inputs, hidden, out)
        layers = [construct.make(cls, Sizes(SMALL.batch, a, b), rng).obj for cls, a, b in stack]
        made.append(construct.make(thing, SMALL, rng, {"layers": layers}))
        try:
            _forward(duplicate(made[-1].obj))(np.ones((SMALL.batch, SMALL.inputs)))
        except Exception:  # a shortcut or branches want other widths; what the last one raises is said when it is built
            continue
        return made[-1]
    return made[0]


def _forward(model: Any) -> Callable[..., Any]:
    return next(getattr(model, name) for name in FORWARDS if has(model, name))  # type: ignore[no-any-return]


def build(made: Made, sizes: Sizes, rng: np.random.Generator) -> Problem:
    """Return the problem that the model poses. Raises CannotBuild where it lacks a loss, a tape or weights."""
    cls = type(made.obj)
    found = package.tape_of(cls)
    if found is None:
        raise CannotBuild("its package has no GradientTape that could be asked for the gradients of a model")
    loss = next((getattr(made.obj, name) for name in LOSSES if callable(getattr(made.obj, name, None))), None)
    whole = Whole(made.obj, loss or construct.make(_loss(cls), sizes, rng).obj)
    slots = _slots(whole)
    meanings = [arguments.Role("x"), arguments.Role("y_true", constant=True, data="one-hot")]
    given = _arrays(made, whole, meanings, slots, rng)
    live = Live(whole, slots, ["x", "y_true"], whole.run, habits=_habits(whole, given))
    variables = [
        *(Variable(r.name, "input", a, r.constant, r.domain, r.data) for r, a in zip(meanings, given, strict=True)),
        *(Variable(slot.name, "weight", np.array(slot.array)) for slot in slots),
    ]
    values = {v.name: v.example for v in variables}
    tensor = tape.as_tensor(package.tensor_of(cls))
    method: Method | None = tape.method(found, live, variables, tensor, values)
    if method is None:
        method = tape.of_weights(found, live, variables, tensor)
    return Problem(tuple(variables), live.forward, (method,), live.habits.random)


def _slots(whole: Whole) -> list[Slot]:
    listed = weights.listing(whole.model)
    if not listed:
        listed = [w for layer in getattr(whole.model, "layers", ()) for w in weights.listing(layer) or ()]
    found = weights.find(whole, listed)
    if not found:
        raise CannotBuild("it has no weights")
    return [Slot(slot.name.removeprefix("model."), slot.original, slot.places) for slot in found]


def _arrays(
    made: Made, whole: Whole, meanings: list[arguments.Role], slots: list[Slot], rng: np.random.Generator
) -> list[Array]:
    if made.inputs is not None:
        if len(made.inputs) != 2:
            raise CannotBuild(f"its example gives {len(made.inputs)} inputs, but a model takes x and y_true")
        return [np.asarray(array) for array in made.inputs]
    error: Exception | None = None
    for shape in examples.shapes(SMALL, [slot.array.shape for slot in slots]):
        x = examples.draw(meanings[0], shape, rng)
        try:
            with np.errstate(all="ignore"):
                twin = duplicate(whole)
                y = examples.draw(meanings[1], returned.outputs(_forward(twin.model)(x.copy()))[0].shape, rng)
                twin.run(x.copy(), y.copy())
        except Exception as problem:  # whatever the layers of somebody else's model raise; another shape may fit
            error = error or problem
            continue
        return [x, y]
    raise CannotBuild(f"no data were found that the model accepts: {told(error)}") from error


def _habits(whole: Whole, given: list[Array]) -> Habits:
    twin = duplicate(whole)
    if twin is whole:
        return Habits()
    live = Live(twin, [], ["x", "y_true"], twin.run)
    with np.errstate(all="ignore"):
        return live.learn(dict(zip(live.inputs, given, strict=True)))


def _beside(cls: type, module: str) -> Iterator[type]:
    """The finished layers of a module beside the model's."""
    for one in package.modules(cls):
        beside = package.sibling(one.__name__, module)
        for thing in list(vars(beside).values()) if beside is not None else []:
            if isinstance(thing, type) and recognise(thing) and not getattr(thing, "__abstractmethods__", ()):
                yield thing


def _named(found: list[type], names: tuple[str, ...]) -> type | None:
    by_name = {cls.__name__: cls for cls in found}
    return next((by_name[name] for name in names if name in by_name), found[0] if found else None)


def _stack(cls: type, inputs: int, hidden: int, outputs: int) -> list[tuple[type, int, int]]:
    """Dense, activation, Dense, each with its sizes."""
    dense = _named([c for c in _beside(cls, "layers") if c.__name__ in ("Dense", "Linear")], ("Dense", "Linear"))
    activation = _named(list(_beside(cls, "activations")), ("Tanh", "Sigmoid", "LeakyReLU", "ReLU"))
    if dense is None:
        raise CannotBuild("its package has no Dense layer to build it of; define gradcheck_example() on the class")
    middle: list[tuple[type, int, int]] = [(activation, hidden, hidden)] if activation is not None else []
    return [(dense, inputs, hidden), *middle, (dense, hidden, outputs)]


def _loss(cls: type) -> Callable[..., Any]:
    found = _named(list(_beside(cls, "losses")), ("MeanSquaredError", "MSE", "SquaredError"))
    if found is None:
        raise CannotBuild("it has no loss, and its package has none: compile it, or define gradcheck_example()")
    return found


INTERFACE = Interface("a model of layers with its package's GradientTape", recognises, build, make=make, fixed=True)
