"""A program that runs, posed as a problem: named variables, a pure forward, and what claims derivatives."""

from __future__ import annotations

import contextlib
import copy
import inspect
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from gradcheck.adapters import returned
from gradcheck.adapters.calls import matching, rows, words
from gradcheck.adapters.calls.guesses import LABELS, Entries, Fixed, Size, is_setting
from gradcheck.adapters.calls.matching import Gradient
from gradcheck.adapters.calls.pinned import Pins
from gradcheck.adapters.calls.program import CALLED, Derivative, Program, Ran, Step
from gradcheck.adapters.calls.search import Filled, batch_axis, is_weight
from gradcheck.adapters.calls.trial import Trial
from gradcheck.problem import Array, Data, Method, Problem, Role, Values, Variable

# A variance is more than nothing: its distribution, or its kernel, has none at 0.
LEAST = 2.0**-10
PLAIN = (bool, int, float, str)


@dataclass(frozen=True)
class Posed:
    """A filled program as a function of named arrays (an object, so that it can be sent to other processes).

    `paths` says which leaf (and which entry of it) each variable is; `held` has everything else, but for numbers, words
    and switches, which are `settings`. `sizes`: what of them is the length of an axis of a variable.
    """

    program: Program
    paths: tuple[tuple[str, tuple[str, ...]], ...]
    held: Mapping[str, Any]
    settings: dict[str, Any]
    random: bool
    sizes: Mapping[str, tuple[str, int]]

    def __reduce__(self) -> Any:
        return Posed, (self.program, self.paths, self.held, self.settings, self.random, self.sizes)

    def given(self, values: Values, copied: bool) -> dict[str, Any]:
        """What the program takes; what is held is copied, since code may write into it."""
        found = copy.deepcopy({**self.held, **self.settings})
        for name, path in self.paths:
            value = np.array(values[name]) if copied else np.asarray(values[name])
            if len(path) == 1:
                found[path[0]] = value
            else:
                found.setdefault(path[0], {})[path[1]] = value
        for name, (variable, at) in self.sizes.items():
            found[name] = np.shape(values[variable])[at]
        return found

    def run(self, values: Values, copied: bool = False) -> Ran:
        """Call the program."""
        with self.pinned():
            return self.program.run(self.given(values, copied))

    def pinned(self) -> contextlib.AbstractContextManager[None]:
        """Keep random numbers the same, where any are drawn."""
        return self._pins() if self.random else contextlib.nullcontext()

    @cached_property
    def is_of_an_object(self) -> bool:
        """Whether it calls methods, which may keep what they were called with."""
        return any(map(inspect.ismethod, self.program.functions()))

    @cached_property
    def _pins(self) -> Pins:
        return Pins(self.program.functions())

    def __call__(self, values: Values) -> list[Array]:
        outputs = self.run(values, copied=True).outputs()
        return returned.outputs(outputs[0] if len(outputs) == 1 else outputs)


def pose(filled: Filled, trial: Trial) -> Problem:
    """Return the problem that a program poses with the values of a trial."""
    claimed = {name for matched in trial.matched for name in matched}
    names = _short_names(trial)
    variables, paths = [], []
    for leaf, guess in trial.arrays().items():
        as_weight = is_weight(trial, leaf) and (not _is_place(filled) or all(one.size == 1 for one in trial.outputs))
        role: Role = "weight" if as_weight else "input"
        data: Data = "real"
        constant = guess.content in LABELS or (bool(claimed) and leaf not in claimed)
        declared = trial.known.roles.get(leaf)
        domain = None
        if guess.content in LABELS:
            data = (
                "one-hot" if declared is not None and declared.data == guess.content == "one-hot" else "class-indices"
            )
        elif guess.content == "probabilities":
            data, domain = "probabilities", (0.0, 1.0)
        elif guess.content == "positive":
            is_spread = words.SPREADS.fullmatch(trial.places[leaf].key) is not None
            domain = (LEAST if is_spread else 0.0, float("inf"))
        if declared is not None and declared.domain is not None:
            domain = declared.domain
        variables.append(Variable(names[leaf], role, trial.values[leaf], constant, domain, data))
        paths.append((names[leaf], tuple(leaf.split("/"))))
    settings = _settings(trial)
    held = _held(trial, settings)
    posed = Posed(filled.program, tuple(paths), held, settings, filled.random, _held_sizes(trial, names))
    methods = tuple(_methods(posed, trial, names))
    return Problem(
        tuple(variables),
        posed,
        methods,
        filled.random,
        call=lambda values: posed.run(values).outputs()[0],
        reading=_reading(filled, trial),
        unjudged=tuple(_unjudged(trial)),
        held=(settings, *(value for value in held.values() if isinstance(value, dict))),
    )


def _is_place(filled: Filled) -> bool:
    return filled.program.derivatives[0].form == "place"


def _short_names(trial: Trial) -> dict[str, str]:
    """Entries of dicts by their own key, where no other leaf has it."""
    keys = [name.rpartition("/")[2] for name in trial.arrays()]
    return {
        name: key if keys.count(key) == 1 else name.replace("/", ".")
        for name, key in zip(trial.arrays(), keys, strict=True)
    }


def _held(trial: Trial, settings: Collection[str]) -> dict[str, Any]:
    """Everything that is no variable and no setting; dicts with the entries that were read out of them."""
    found: dict[str, Any] = {}
    arrays = trial.arrays()
    for name, value in trial.values.items():
        if name in arrays or name in settings:
            continue
        leaf, _, key = name.partition("/")
        if key:
            found.setdefault(leaf, {})[key] = value
        elif not isinstance(trial.guess(name), Entries):
            found[name] = value
    for name in trial.places:
        if "/" not in name and isinstance(trial.guess(name), Entries):
            found.setdefault(name, {})
    return found


def _settings(trial: Trial) -> dict[str, Any]:
    """Arguments that are numbers, words or switches, and of which the code does not say that they are sizes."""
    guesses = {name: trial.guess(name) for name in trial.values if "/" not in name}
    return {
        name: guess.value
        for name, guess in guesses.items()
        if isinstance(guess, Fixed) and isinstance(guess.value, PLAIN) and is_setting(trial.places[name])
    }


def _methods(posed: Posed, trial: Trial, names: Mapping[str, str]) -> Iterator[Method]:
    program = posed.program
    for number, derivative in enumerate(program.derivatives):
        matched = trial.matched[number] if number < len(trial.matched) else {}
        if derivative.form == "tangent":
            yield _along(posed, derivative, [names[name] for name in derivative.tangents])
            continue
        if number in trial.in_rows:
            yield _in_rows(posed, derivative, [names[name] for name in matched])
            continue
        if not matched:
            variables = [n for n, guess in trial.arrays().items() if guess.content not in LABELS]
            yield _whole(posed, derivative, [names[n] for n in variables], [trial.values[n].shape for n in variables])
            continue
        fits = [name for name, one in matched.items() if one.shape == trial.values[name].shape]
        scaled = {names[name] for name in matched if derivative.averaged and is_weight(trial, name)}
        gradients = {names[name]: one for name, one in matched.items()}
        yield _of(posed, derivative, gradients, bool(fits), scaled, _samples(trial, names))


def _kind(derivative: Derivative) -> Any:
    return {"place": "local", "product": "vjp", "gradient": "sum"}[derivative.form]


def _held_sizes(trial: Trial, names: Mapping[str, str]) -> dict[str, tuple[str, int]]:
    """Arguments that are the length of an axis, which the data may change: `batch_size`."""
    found = {}
    for leaf in trial.values:
        guess = trial.guess(leaf)
        axis = (
            _axis(trial, names, trial.state.root(guess.axis)) if isinstance(guess, Size) and "/" not in leaf else None
        )
        if axis is not None:
            found[leaf] = axis
    return found


def _axis(trial: Trial, names: Mapping[str, str], root: str | None) -> tuple[str, int] | None:
    """A variable of data, and which of its axes this is."""
    for leaf, guess in trial.arrays().items():
        roots = [trial.state.root(axis) if isinstance(axis, str) else "" for axis in guess.axes]
        if root in roots and not is_weight(trial, leaf) and np.ndim(trial.values[leaf]) == len(roots):
            return names[leaf], roots.index(root)
    return None


def _samples(trial: Trial, names: Mapping[str, str]) -> Callable[[Values], int]:
    """What counts the samples, in arrays of whatever shape."""
    found = _axis(trial, names, batch_axis(trial))
    return lambda values: 1 if found is None else int(np.shape(values[found[0]])[found[1]])


def _of(
    posed: Posed,
    derivative: Derivative,
    matched: Mapping[str, Gradient],
    certain: bool,
    scaled: Collection[str],
    samples: Callable[[Values], int],
) -> Method:
    """The method that reads the matched gradients out of an answer; what is averaged is multiplied (`scaled`)."""

    def at(values: Values) -> Callable[[list[Array]], list[Any]]:
        ran, has_answered = posed.run(values), False

        def ask(cotangents: list[Array]) -> list[Any]:
            nonlocal ran, has_answered
            if posed.is_of_an_object or (has_answered and derivative.step is None):
                # What an object keeps is of its last call, and a gradient that came with its value of that call.
                ran = posed.run(values)
            has_answered = True
            with posed.pinned():
                said = ran.answer(derivative, cotangents)
            if said is None:
                raise NotImplementedError("it returned nothing")
            times = samples(values) if scaled else 1
            return [_read(said, one, times if name in scaled else 1) for name, one in matched.items()]

        return ask

    kind = _kind(derivative)
    return Method(derivative.name, kind, tuple(matched), at, certain=certain, convention=derivative.convention)


def _along(posed: Posed, derivative: Derivative, names: Sequence[str]) -> Method:
    """The method that is asked along tangents."""

    def at(values: Values) -> Callable[[list[Array]], list[Any]]:
        ran = posed.run(values)

        def ask(tangents: list[Array]) -> list[Any]:
            with posed.pinned():
                return list(returned.outputs(ran.answer(derivative, tangents)))

        return ask

    return Method(derivative.name, "jvp", tuple(names), at)


def _in_rows(posed: Posed, derivative: Derivative, names: Sequence[str]) -> Method:
    """The method for a Jacobian row by row."""

    def at(values: Values) -> Callable[[list[Array]], list[Any]]:
        ran = posed.run(values)

        def ask(cotangents: list[Array]) -> list[Any]:
            with posed.pinned():
                said = ran.answer(derivative)
            outputs, variables = [one.shape for one in cotangents], [np.shape(values[name]) for name in names]
            entries = rows.read(said, outputs, variables)
            if entries is None:
                raise ValueError("expected a row for each output, and in it an entry for each argument")
            return rows.products(entries, cotangents, variables)

        return ask

    return Method(derivative.name, "vjp", tuple(names), at)


def _read(said: Any, gradient: Gradient, times: int) -> Any:
    found = matching.at(said, gradient.path)
    return found if times == 1 or found is None else found * found.dtype.type(times)


def _whole(posed: Posed, derivative: Derivative, names: Sequence[str], shapes: Sequence[tuple[int, ...]]) -> Method:
    """The method for an answer in which no gradient could be told: what it raises or returns is said."""

    def at(values: Values) -> Callable[[list[Array]], list[Any]]:
        ran = posed.run(values)

        def ask(cotangents: list[Array]) -> list[Any]:
            with posed.pinned():
                return list(returned.listed(ran.answer(derivative, cotangents), names, shapes, derivative.name))

        return ask

    return Method(derivative.name, _kind(derivative), tuple(names), at)


def _reading(filled: Filled, trial: Trial) -> str:
    """How the functions were read, in a line."""
    program = filled.program
    steps = [_written(step) for step in program.steps]
    asked = [_written(one.step) for one in program.derivatives if one.step is not None and not one.switched]
    read = ", then ".join([*steps, *asked])
    if trial.in_rows:
        read += ": a row for each output, and in it an entry for each argument"
    if program.derivatives[0].step is None:
        read += " returns a value and its gradient"
    arrays = trial.arrays()
    fixed = {n.rpartition("/")[2]: v for n, v in trial.values.items() if n not in arrays and _is_short(v)}
    if fixed:
        read += "; held: " + ", ".join(f"{name}={value!r}" for name, value in fixed.items())
    return read + program.told


def _written(step: Step) -> str:
    return f"{step.name}({', '.join(name for name, _ in step.takes if name != CALLED)})"


def _is_short(value: Any) -> bool:
    return isinstance(value, (int, float, str, bool)) and len(repr(value)) < 30


def _unjudged(trial: Trial) -> Iterator[tuple[str, str]]:
    """Gradients that are nobody's."""
    yield from trial.known.program.unjudged
    for derivative, left in zip(trial.known.program.derivatives, trial.unmatched, strict=False):
        names = [
            one.name or f"number {'.'.join(str(key + 1 if isinstance(key, int) else key) for key in one.path)}"
            for one in left
        ]
        if names:
            yield derivative.name, f"{', '.join(names)}: not the gradient by an argument"
