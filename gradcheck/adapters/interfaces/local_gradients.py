"""Beras layers, activations and losses, of whatever generation: their four derivative methods and their tape."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gradcheck.adapters import arguments, chain, convention, examples, package, returned, tape, weights
from gradcheck.adapters.construct import Made, duplicate
from gradcheck.adapters.evaluation import LABEL, NOTE
from gradcheck.adapters.generations import MODERN, Generation, forward_name, has, recognise
from gradcheck.adapters.isolated import Habits, Live
from gradcheck.adapters.modes import looks_at, set_mode, switch_names
from gradcheck.adapters.protocol import Interface, Settled
from gradcheck.errors import CannotBuild
from gradcheck.problem import Array, Method, Problem, Sizes, Values, Variable


def recognises(thing: Any) -> bool:
    """A forward method together with a derivative method of some generation."""
    return recognise(thing) is not None


def build(made: Made, sizes: Sizes, rng: np.random.Generator) -> Problem:
    """Return the problem that `made` poses. Raises CannotBuild where it cannot be called."""
    return _layer(made, sizes, rng).problem()


def settle(made: Made, rng: np.random.Generator) -> Settled:
    """Find out in usual sizes how it is asked; a case in evaluation mode where what goes back looks at the mode."""
    usual = _layer(made, Sizes(), rng)
    usual.problem()  # decides how each method is asked
    notes: tuple[tuple[str, str], ...] = ()
    modes: tuple[Problem, ...] = ()
    if switch_names(usual.obj):
        twin = duplicate(usual.obj)
        set_mode(twin, training=False)
        other = _layer(Made(twin, tuple(array.copy() for array in usual.given)), Sizes(), rng, usual)
        posed = other.problem()
        values = {v.name: v.example for v in posed.variables}
        ours, theirs = (one.live.forward(values) for one in (usual, other))
        if not all(np.array_equal(a, b, equal_nan=True) for a, b in zip(ours, theirs, strict=True)):
            for one in (usual, other):
                one.live.at(values)
            looks = looks_at(usual.obj, other.obj)
            notes, modes = (() if looks else (NOTE,)), ((replace(posed, label=LABEL),) if looks else ())
    return Settled(
        lambda other, sizes, rng: replace(_layer(other, sizes, rng, usual).problem(), notes=notes), True, modes
    )


def _layer(made: Made, sizes: Sizes, rng: np.random.Generator, usual: _Layer | None = None) -> _Layer:
    generation = recognise(made.obj)
    assert generation is not None
    return _Layer(made, generation, sizes, rng, usual)


class _Layer:
    """One object on its way to a problem."""

    def __init__(
        self, made: Made, generation: Generation, sizes: Sizes, rng: np.random.Generator, usual: _Layer | None = None
    ) -> None:
        self.obj = made.obj
        self.ways: dict[str, convention.Convention] = dict(usual.ways) if usual is not None else {}
        self.cls = type(made.obj)
        self.generation = generation
        self.tensor = package.tensor_of(self.cls)
        self.slots = weights.find(self.obj)
        if weights.listing(self.obj) is None and not convention.is_generic(self.cls, generation.weight_gradients):
            self.slots = weights.named(self.obj)
        self.wrap: Callable[[Array], Any] | None = None
        self.only_called = False  # its forward reads what its __call__ keeps
        # Where the base class would truncate every gradient to integers, the layer is not to blame.
        self.floats = convention.truncates(self.cls, generation)
        self.signature = arguments.signature_of(getattr(self.obj, forward_name(self.obj) or ""), self.obj)
        self.roles, self.given = self._arrays(made, sizes, rng)
        self.slots = weights.apart(self.slots, [role.name for role in self.roles])
        self.examples = {slot.name: _example(slot, rng) for slot in self.slots}
        self.live = self._live(self.obj, self._habits())
        self.averaged = generation is not MODERN and convention.averages(self.cls, generation)
        outputs = self._forward(self.given)
        self.unjudged: list[tuple[str, str]] = []
        self.is_loss = len(outputs) == 1 and outputs[0].size == 1

    def problem(self) -> Problem:
        pairs = zip(self.roles, self.given, strict=True)
        inputs = [Variable(r.name, "input", a, r.constant, r.domain, r.data) for r, a in pairs]
        by_weight = [
            Variable(slot.name, "weight", self.examples[slot.name], domain=arguments.domain_of_weight(slot.name))
            for slot in self.slots
        ]
        methods: list[Method] = []
        g = self.generation
        for name, variables in ((g.input_gradients, inputs), (g.weight_gradients, by_weight)):
            if variables and has(self.obj, name):
                methods.append(self._local(name, variables))
        for name, local, variables in (
            (g.compose_input, g.input_gradients, inputs),
            (g.compose_weight, g.weight_gradients, by_weight),
        ):
            if variables and has(self.obj, name):
                methods += self._compose(name, local, variables)
        everything = [*inputs, *by_weight]
        found = package.tape_of(self.cls)
        values = {v.name: v.example for v in everything}
        if found is not None:
            recorded = tape.method(found, self.live, everything, tape.as_tensor(self.tensor), values)
            methods += [recorded] if recorded is not None else []
        if chain.recognises(self.obj):
            methods.append(chain.method(self.live, everything, tape.as_tensor(self.tensor), self.live.forward(values)))
        return Problem(
            tuple(everything),
            self.live.forward,
            tuple(replace(method, certain=True) for method in methods),
            self.live.habits.random,
            call=lambda values: self.live.at(values).said,
            unjudged=tuple(self.unjudged),
            dtype=examples.widest(self.given, self._forward),
        )

    def _forward(self, given: list[Array]) -> list[Array]:
        return self.live.forward(dict(zip(self.live.inputs, given, strict=True)) | self.examples)

    def _local(self, name: str, variables: Sequence[Variable]) -> Method:
        """`get_input_gradients()` or `get_weight_gradients()`: the local derivatives, as they are laid out."""
        names, shapes, constants = _described(variables)
        live, bare, shared = self.live, self.generation is not MODERN, self._leaves_the_mean_out(name)

        def at(values: Values) -> Callable[[list[Array]], list[Any]]:
            call = live.at(values)
            derivative = getattr(live.obj, name)

            def ask(_: list[Array]) -> list[Any]:
                call.enter()
                items = returned.listed(derivative(), names, shapes, name, constants, bare)
                return _over_the_batch(items) if shared else items

            return ask

        return Method(name, "local", tuple(names), at, convention=convention.AVERAGED if shared else "")

    def _leaves_the_mean_out(self, name: str) -> bool:
        """Whether this is a loss' gradient in a package that averages weight gradients: the 1/batch is not its own."""
        return (
            self.averaged and self.is_loss and name in (self.generation.input_gradients, self.generation.compose_input)
        )

    def _compose(self, name: str, local: str, variables: Sequence[Variable]) -> list[Method]:
        """`compose_input_gradients(J)` or `compose_weight_gradients(J)`: vector-Jacobian products."""
        names, shapes, constants = _described(variables)
        live, bare, shared = self.live, self.generation is not MODERN, self._leaves_the_mean_out(name)
        way = self.ways.setdefault(name, self._way(name, names, shapes, constants))
        if way.silent:
            self.unjudged.append((name, "its base class' method is not made for outputs like this one's"))
            return []

        def at(values: Values) -> Callable[[list[Array]], list[Any]]:
            call = live.at(values)
            derivative = getattr(live.obj, name)

            def ask(cotangents: list[Array]) -> list[Any]:
                call.enter()
                try:
                    said = way.ask(derivative, cotangents)
                except Exception:
                    self._require_written(local)
                    raise
                items = way.read(returned.listed(said, names, shapes, name, constants, bare), cotangents)
                return _over_the_batch(items) if shared else items

            return ask

        named = convention.AVERAGED if shared or way.averaged else ""
        return [Method(name, "vjp", tuple(names), at, convention=named)]

    def _require_written(self, local: str) -> None:
        """What composes a local gradient that is not written is not written either (NotImplementedError)."""
        said = getattr(self.obj, local)() if has(self.obj, local) else ()
        if said is None or said is NotImplementedError or said is NotImplemented:
            raise NotImplementedError(f"{local} returned nothing")

    def _way(
        self, name: str, names: Sequence[str], shapes: Sequence[tuple[int, ...]], constants: Sequence[str]
    ) -> convention.Convention:
        twin = duplicate(self.obj)
        live = self._live(twin)
        call = live.at({**dict(zip(live.inputs, self.given, strict=True)), **self.examples})
        return convention.find(twin, name, self.generation, returned.outputs(call.said), names, shapes, constants)

    def _run(self, obj: Any) -> tuple[Callable[..., Any], Callable[..., Any]]:
        """How `obj` is run without a record, and how it is called by a user."""
        forward = getattr(obj, forward_name(obj) or "")
        call = self.signature.bind(obj if callable(obj) else forward)
        return call if self.only_called else self.signature.bind(forward), call

    def _live(self, obj: Any, habits: Habits | None = None) -> Live:
        run, call = self._run(obj)
        slots = self.slots if obj is self.obj else [weights.on(obj, slot.name, slot.paths) for slot in self.slots]
        return Live(obj, slots, [role.name for role in self.roles], run, call, self.wrap, habits, self.floats)

    def _habits(self) -> Habits:
        twin = duplicate(self.obj)
        if twin is self.obj:
            return Habits()
        live = self._live(twin)
        values = dict(zip(live.inputs, self.given, strict=True)) | {slot.name: slot.array for slot in self.slots}
        with np.errstate(all="ignore"):
            return live.learn(values)

    def _arrays(self, made: Made, sizes: Sizes, rng: np.random.Generator) -> tuple[list[arguments.Role], list[Array]]:
        """Return the inputs' roles and examples: those that came with the object, else what forward accepts."""
        found = list(self.signature.roles)
        if made.inputs is not None:
            if self.signature.starred:
                found = self._numbered(len(made.inputs))
            if len(made.inputs) != len(found):
                expected = f"forward takes {len(found)}: {', '.join(role.name for role in found)}"
                raise CannotBuild(f"its example gives {len(made.inputs)} inputs, but {expected}")
            given = [np.asarray(array) for array in made.inputs]
            return [arguments.fitting(r, a) for r, a in zip(found, given, strict=True)], given
        options = [self._numbered(count) for count in (1, 2, 3)] if self.signature.starred else [found]
        if not options[0]:
            raise CannotBuild("its forward takes no array")
        shapes = [slot.array.shape for slot in self.slots]
        error: CannotBuild | None = None
        for option, wrap, only_called in itertools.product(options, (None, self.tensor), (False, True)):
            self.only_called = only_called
            try:
                run, call = self._run(duplicate(self.obj))
                self.wrap = tape.as_tensor(wrap) if wrap is not None else None
                return examples.find(option, sizes, shapes, rng, self._tries(run, call))
            except CannotBuild as problem:
                error = error or problem
        assert error is not None
        raise error

    def _numbered(self, count: int) -> list[arguments.Role]:
        """The inputs of a forward that takes `*args`."""
        return arguments.roles_of([f"x{n}" for n in range(count)], self.obj)

    def _tries(self, run: Callable[..., Any], call: Callable[..., Any]) -> Callable[[list[Array]], None]:
        def tries(arrays: list[Array]) -> None:
            given = arrays if self.wrap is None else [self.wrap(array) for array in arrays]
            returned.filled(run(*given))
            returned.outputs(call(*given))

        return tries


def _described(variables: Sequence[Variable]) -> tuple[list[str], list[tuple[int, ...]], list[str]]:
    names = [v.name for v in variables]
    return names, [v.example.shape for v in variables], [v.name for v in variables if v.constant]


def _over_the_batch(items: Sequence[Array | None]) -> list[Array | None]:
    """Gradients by `(batch, …)` of a loss, divided by the batch."""
    return [item if item is None or not item.ndim else np.asarray(item / len(item)) for item in items]


def _example(slot: weights.Slot, rng: np.random.Generator) -> Array:
    """A weight as it is, or random numbers where it is constant (a bias of zeros hides a missing factor)."""
    array = slot.array
    if array.size and np.ptp(array) > 0:
        return np.array(array)
    values = np.round(rng.normal(size=array.shape), 2)
    return np.asarray(
        values if arguments.domain_of_weight(slot.name) is None else np.abs(values) + 0.5, dtype=array.dtype
    )


INTERFACE = Interface(
    "forward(x) and get_input_gradients(), compose_input_gradients(J), and the same for weights (Beras)",
    recognises,
    build,
    settle=settle,
)
