"""One try: a program is run on the values of one state, and its derivatives are asked."""

from __future__ import annotations

import copy
import inspect
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from gradcheck.adapters import arguments, returned
from gradcheck.adapters.calls import matching, pairs, rows, words
from gradcheck.adapters.calls.guesses import Content, Entries, Fixed, Guess, Numbers, Place, Size, SizeList, draw
from gradcheck.adapters.calls.matching import Gradient
from gradcheck.adapters.calls.program import Derivative, Program, Ran
from gradcheck.adapters.calls.recording import Recording
from gradcheck.adapters.calls.shapes import Axis, Measures, State, measures
from gradcheck.adapters.calls.source import facts
from gradcheck.adapters.declarations import declares
from gradcheck.asking import layouts
from gradcheck.compiled import uncompiled
from gradcheck.guarded import TooLong, in_time
from gradcheck.problem import Array, Sizes
from gradcheck.sampling.draw import inside

REAL = ("real", "probabilities", "positive")

# Seconds of computing after which code is taken not to end on the values that it is given.
LONGEST = 2.0


class Endless(Exception):
    """Code does not end on some values: a loop may only do so on others."""


class Places:
    """All leaves of a program, with what is known of them; entries of dicts come in as they are read."""

    def __init__(self, program: Program, given: Mapping[str, Any] | None = None, of_loss: bool | None = None) -> None:
        self.program = program
        self.examples: dict[str, Any] = {}
        names = program.leaves()
        self.of_loss = _is_of_loss(program, names) if of_loss is None else of_loss
        self.facts = [facts(function) for function in program.functions()]
        parameters = {
            p.name: p for step in reversed(program.calls) for p in inspect.signature(step.function).parameters.values()
        }
        every = program.leaves()
        first = every[0] if every else ""
        claimed = {words.owner(said, every) for one in program.derivatives for said in one.names if said}
        self.taken = _sizes_of_the_module(program)
        self.roles = self._roles(every)
        self.by_name: dict[str, Place] = {}
        for name in names:
            if name in program.globals:
                self.by_name[name] = Place(name, guesses=[Numbers("real", _global(program, name).shape)])
                continue
            place = Place(
                name,
                parameters.get(name),
                self.facts,
                self.of_loss,
                first=name == first,
                others=_but(every, name),
                function=program.steps[0].name,
                labels=not _claims_all(program, len(every)) and name not in claimed,
            )
            self.by_name[name] = self._as_declared(place)
        for name, value in (given or {}).items():
            self._give(name, value)

    def _give(self, name: str, value: Any) -> None:
        """Take a value from an example: an array is a variable, or data; of a dict, each entry; all else is held."""
        if isinstance(value, Mapping):
            self.by_name[name] = Place(name, guesses=[Entries(exact=True)])
            for key, one in value.items():
                self._give(f"{name}/{key}", one)
        elif isinstance(value, (np.ndarray, list, float)) and np.asarray(value).dtype.kind in "fiub":
            array = np.asarray(value)
            content: Content = "real" if array.dtype.kind == "f" else "classes"
            self.by_name[name] = Place(name, guesses=[Numbers(content, array.shape)])
            self.examples[name] = array
        else:
            self.by_name[name] = Place(name, guesses=[Fixed(value)])

    def _roles(self, names: Sequence[str]) -> dict[str, arguments.Role]:
        """What arguments mean by Beras' names, and by what the function itself declares (`input_domains`)."""
        function = self.program.steps[0].function
        says = any(declares(function, name) for name in ("input_data", "input_domains", "constant_inputs"))
        if all(one.form == "gradient" for one in self.program.derivatives) and not says:
            return {}
        return {role.name: role for role in arguments.roles_of(list(names), function)}

    def _as_declared(self, place: Place) -> Place:
        role = self.roles.get(place.name)
        if role is not None and role.data == "one-hot" and not (place.known("signs") or place.known("binary")):
            axes = tuple(f"{place.name}.{n}" for n in range(2))
            hot: list[Guess] = [Numbers("one-hot", axes), Numbers("classes", axes[:1])]
            place.guesses = [*hot, *place.guesses]
        elif role is not None and role.data == "probabilities":
            arrays = [one for one in place.guesses if isinstance(one, Numbers) and one.content == "real"]
            place.guesses = [*(Numbers("probabilities", one.axes) for one in arrays), *place.guesses]
        return place

    def narrowed(self, leaf: str, most: int) -> Places:
        """The same leaves, of which one is an array of so many axes at most."""
        place = copy.copy(self.by_name[leaf])
        place.guesses = [one for one in place.guesses if isinstance(one, Numbers) and len(one.axes) <= most]
        other = copy.copy(self)
        other.by_name = {**self.by_name, leaf: place}
        return other

    def of(self, program: Program, real: str = "") -> Places:
        """The same leaves in another program; one of them, `real`, may be any number in it."""
        other = copy.copy(self)
        other.program = program
        if real:
            place = copy.copy(self.by_name[real])
            changed = [replace(one, content="real") if isinstance(one, Numbers) else one for one in place.guesses]
            place.guesses = changed
            other.by_name = {**self.by_name, real: place}
            other.roles = {name: role for name, role in self.roles.items() if name != real}
        return other

    def entry(self, leaf: str, key: str) -> str:
        """Return the name of an entry that is read out of a dict, which is a leaf from now on."""
        name = f"{leaf}/{key}"
        if name not in self.by_name:
            others = list(self.by_name)
            self.by_name[name] = Place(name, None, self.facts, self.of_loss, entry=True, others=others)
        return name

    def entries(self, leaf: str) -> list[str]:
        """The entries of a dict that are known."""
        return [name for name in self.by_name if name.startswith(f"{leaf}/")]


def _is_of_loss(program: Program, names: Sequence[str]) -> bool:
    """Whether gradients of one number are claimed: they are asked for so, or it is a cost of weights by its names."""
    if all(one.form == "gradient" for one in program.derivatives):
        return True
    is_cost = bool(pairs.LOSS & set(words.words_of(program.steps[-1].name)) - {"f", "fun", "func", "j"})
    is_fit = any(words.LABELS.fullmatch(one) for one in names) and all(
        one.form == "place" for one in program.derivatives
    )
    return (is_cost or is_fit) and any(words.is_weight(one) and not words.LABELS.fullmatch(one) for one in names)


def _claims_all(program: Program, leaves: int) -> bool:
    """Whether a derivative returns as many gradients as there are arguments."""
    counts = [len(one.names) for one in program.derivatives]
    return leaves > 1 and max(counts, default=0) >= leaves


def _sizes_of_the_module(program: Program) -> set[int]:
    """The sizes of arrays, and small whole numbers, that the functions read from their module."""
    found: set[int] = set()
    for function in program.functions():
        space = getattr(uncompiled(function), "__globals__", {})
        for name in pairs.read(function):
            value: Any = space.get(name)
            if isinstance(value, np.ndarray) or hasattr(value, "toarray"):  # dense or sparse
                found |= set(value.shape)
            elif isinstance(value, int) and 2 < value < 100:
                found.add(value)
    return found


def _global(program: Program, name: str) -> Array:
    """An array of the module that a program reads."""
    return np.asarray(getattr(program.steps[0].function, "__globals__")[name])  # noqa: B009


def _but(names: Sequence[str], name: str) -> list[str]:
    return [one for one in names if one != name]


@dataclass
class Trial:
    """What came of one state; `in_rows`: the numbers of the derivatives that are Jacobians row by row."""

    known: Places
    state: State
    measures: Measures
    values: dict[str, Any] = field(default_factory=dict)
    outputs: list[Array] = field(default_factory=list)
    matched: list[dict[str, Gradient]] = field(default_factory=list)
    unmatched: list[list[Gradient]] = field(default_factory=list)
    error: Exception | None = None
    in_derivative: bool = False
    misfits: list[str] = field(default_factory=list)
    in_rows: set[int] = field(default_factory=set)
    stage: int = 0

    @property
    def places(self) -> Mapping[str, Place]:
        """The leaves."""
        return self.known.by_name

    def guess(self, leaf: str) -> Guess:
        """What a leaf is in this state."""
        place = self.known.by_name[leaf]
        return place.guesses[min(self.state.pick(leaf), len(place.guesses) - 1)]

    def arrays(self) -> dict[str, Numbers]:
        """The leaves that are arrays, and what they hold."""
        found = {name: self.guess(name) for name in self.places if name in self.values}
        return {name: guess for name, guess in found.items() if isinstance(guess, Numbers)}

    def variables(self) -> dict[str, tuple[int, ...]]:
        """The leaves by which one may differentiate, with their shapes."""
        return {n: self.values[n].shape for n, guess in self.arrays().items() if guess.content in REAL}

    @property
    def is_right(self) -> bool:
        """Whether everything ran, and every gradient has the shape of its variable."""
        return self.stage == 2 and not self.misfits

    @property
    def merit(self) -> tuple[float, ...]:
        """What the best of several failed states is chosen by."""
        return self.stage, -len(self.misfits), -self.state.cost


def shapes_of(known: Places, state: State) -> list[tuple[Axis, ...]]:
    """The axes of all leaves in one state, in order."""
    found: list[tuple[Axis, ...]] = []
    for name, place in known.by_name.items():
        guess = place.guesses[min(state.pick(name), len(place.guesses) - 1)]
        if isinstance(guess, Numbers):
            found.append(guess.axes)
        elif isinstance(guess, Size):
            found.append((guess.axis,))
        elif isinstance(guess, SizeList):
            found.append(guess.axes)
    return found


def attempt(
    known: Places,
    state: State,
    pins: Callable[[], Any],
    seed: int,
    sizes: Sizes | None = None,
    batch: str | None = None,
    weights: Sequence[str] = (),
) -> Trial:
    """Fill a program's leaves and run it; what the code raises is kept in the trial."""
    trial = Trial(known, state, measures(state, shapes_of(known, state), batch, sizes, weights, known.taken))
    rng = np.random.default_rng(seed)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with in_time(LONGEST):
                with pins():
                    ran = known.program.run(given_to(trial, rng))
                trial.outputs = returned.filled(_listed(ran))
                trial.stage = 1 if _is_usable(trial) else 0
                if trial.stage:
                    trial.in_derivative = True
                    _ask(trial, ran, pins, rng)
                    trial.stage = 2
        except NotImplementedError:
            raise
        except TooLong:
            trial.error = Endless(f"it does not end within {LONGEST:g} s")
        except Exception as error:  # the wrong values may raise anything; others are tried
            trial.error = error
    return trial


def _listed(ran: Ran) -> Any:
    outputs = ran.outputs()
    return outputs[0] if len(outputs) == 1 else outputs


def _is_usable(trial: Trial) -> bool:
    """Whether forward's numbers can be differentiated; else the trial keeps why not."""
    if not all(np.isfinite(np.asarray(one, dtype=float)).all() for one in trial.outputs):
        trial.error = FloatingPointError("forward is not finite")
        return False
    if any(one.size == 0 for one in trial.outputs):
        trial.error = ValueError("forward returns an array without entries")
        return False
    if not trial.variables():
        trial.error = TypeError("there is nothing to differentiate by")
        return False
    return True


def given_to(trial: Trial, rng: np.random.Generator) -> dict[str, Any]:
    """Draw what the program takes, and keep it; dicts make their entries when they are read."""
    given: dict[str, Any] = {}

    def value(name: str) -> Any:
        guess = trial.guess(name)
        if name in trial.known.examples:
            trial.values[name] = trial.known.examples[name]
            return np.array(trial.values[name])
        if isinstance(guess, Numbers):
            small = words.WEIGHTS.fullmatch(trial.places[name].key) is not None
            role = trial.known.roles.get(name)
            drawn = draw(guess, trial.measures(guess.axes), trial.state.limit, small, rng)
            trial.values[name] = inside(drawn, role.domain) if role and guess.content == "real" else drawn
            return trial.values[name].copy()
        if isinstance(guess, Size):
            trial.values[name] = trial.measures((guess.axis,))[0]
        elif isinstance(guess, SizeList):
            trial.values[name] = list(trial.measures(guess.axes))
        elif isinstance(guess, Fixed):
            trial.values[name] = guess.value
        return trial.values[name]

    def entry(leaf: str, key: str) -> Any:
        name = trial.known.entry(leaf, key)
        guess = trial.guess(name)
        if isinstance(guess, Numbers) and not all(
            isinstance(a, int) or trial.state.root(a) in trial.measures.sizes for a in guess.axes
        ):
            trial.measures = measures(trial.state, shapes_of(trial.known, trial.state), taken=trial.known.taken)
        return value(name)

    for name in trial.known.program.leaves():
        guess = trial.guess(name)
        if isinstance(guess, Entries):
            known = {one.rpartition("/")[2]: value(one) for one in trial.known.entries(name)}
            given[name] = known if guess.exact else Recording(known, partial(entry, name))
        else:
            given[name] = value(name)
    return given


def _ask(trial: Trial, ran: Ran, pins: Callable[[], Any], rng: np.random.Generator) -> None:
    """Ask every derivative, and match its gradients with the leaves."""
    for number, derivative in enumerate(trial.known.program.derivatives):
        if derivative.form == "tangent":
            _ask_along(trial, ran, derivative, pins, rng)
            continue
        upstream = [np.asarray(rng.normal(size=one.shape)) for one in trial.outputs]
        with pins():
            said = ran.answer(derivative, upstream)
        outputs, variables = [one.shape for one in trial.outputs], trial.variables()
        if derivative.form == "place" and rows.read(said, outputs, list(variables.values())) is not None:
            trial.in_rows.add(number)
            trial.matched.append({name: Gradient(name, (), shape) for name, shape in variables.items()})
            trial.unmatched.append([])
            continue
        matched, left = paired(trial, derivative, said)
        trial.matched.append(matched)
        trial.unmatched.append(left)
        trial.misfits += [name for one in left if (name := _held_leaf(trial, one))]
        if not matched or (left and not isinstance(said, Mapping)):
            trial.misfits.append("")
        shapes = trial.variables()
        for name, gradient in matched.items():
            if not _fits(derivative, gradient, said, shapes[name], trial.outputs):
                trial.misfits.append(name)
    trial.misfits += list(_strange(trial))
    program = trial.known.program
    if (
        trial.known.of_loss
        and not program.unwritten
        and not program.is_jacobian
        and any(one.size != 1 for one in trial.outputs)
    ):
        trial.misfits += ["", *(name for name, guess in trial.arrays().items() if guess.content not in REAL)]


def _ask_along(
    trial: Trial, ran: Ran, derivative: Derivative, pins: Callable[[], Any], rng: np.random.Generator
) -> None:
    """Ask for a derivative along tangents: it has the outputs' shapes."""
    shapes = trial.variables()
    tangents = [np.asarray(rng.normal(size=np.shape(trial.values[name]))) for name in derivative.tangents]
    with pins():
        found = returned.filled(ran.answer(derivative, tangents))
    trial.matched.append({name: Gradient("", (), shapes[name]) for name in derivative.tangents if name in shapes})
    trial.unmatched.append([])
    trial.misfits += [name for name in derivative.tangents if name not in shapes]
    if [one.shape for one in found] != [one.shape for one in trial.outputs]:
        trial.misfits += derivative.tangents


def _strange(trial: Trial) -> Iterator[str]:
    """Biases that are as many as the samples, and not as the units of any weights: they only happen to run."""
    arrays = trial.arrays()
    roots = {n: {trial.state.root(a) for a in guess.axes if isinstance(a, str)} for n, guess in arrays.items()}
    keys = {name: trial.places[name].key for name in arrays}
    units = [roots[n] for n, key in keys.items() if words.WEIGHTS.fullmatch(key) and not words.is_bias(key)]
    data = [roots[n] for n, key in keys.items() if not words.is_weight(key)]
    for name, key in keys.items():
        own = roots[name]
        if (
            words.is_bias(key)
            and units
            and own
            and not any(own & one for one in units)
            and any(own & one for one in data)
        ):
            yield name


def paired(trial: Trial, derivative: Derivative, said: Any) -> tuple[dict[str, Gradient], list[Gradient]]:
    """Return whose each gradient is, and those that are nobody's."""
    variables = trial.variables()
    shapes = list(variables.values())
    if len(shapes) == 1 and (whole := _whole(said, shapes[0])) is not None:
        return {next(iter(variables)): whole}, []
    found = matching.gradients(said, derivative.names)
    if len(found) == 1 < len(shapes) and (count := _stacked(found[0].shape, shapes)):
        [whole] = found
        return {n: Gradient(n, (*whole.path, i), shapes[0]) for i, n in enumerate(list(variables)[:count])}, []
    free = [one for one in found if not _held_leaf(trial, one)]
    if derivative.form == "place" and (numbers := _by_numbers(trial, free)):
        return dict(zip(numbers, free, strict=True)), []
    if derivative.form == "place" and len(free) == 1 < len(shapes) and (name := _by_jacobian(trial, free[0])):
        return {name: free[0]}, []
    by_key = {name.rpartition("/")[2]: name for name in variables}
    weights = [key for key in by_key if words.WEIGHTS.fullmatch(key)]
    likely = (weights or list(by_key)[:1]) if trial.known.of_loss else []
    matched = matching.match(free, {key: variables[name] for key, name in by_key.items()}, likely)
    used = {one.path for one in matched.values()}
    return {by_key[key]: one for key, one in matched.items()}, [one for one in found if one.path not in used]


def _stacked(shape: tuple[int, ...], shapes: Sequence[tuple[int, ...]]) -> int:
    """Of how many variables, from the first on, an array holds the gradients one after the other; 0 where of none."""
    count = shape[0] if shape else 0
    alike = 1 < count <= len(shapes) and len(set(shapes[:count])) == 1 and shape == (count, *shapes[0])
    return count if alike and shape not in shapes else 0


def _by_numbers(trial: Trial, gradients: Sequence[Gradient]) -> list[str]:
    """The numbers beside arrays, where as many arrays without a name have the shape of the output: one by each."""
    variables = trial.variables()
    numbers = [name for name, shape in variables.items() if shape == ()]
    if not len(numbers) == len(gradients) < len(variables) or len(trial.outputs) != 1 or not trial.outputs[0].ndim:
        return []
    alike = all(one.shape == trial.outputs[0].shape and not words.owner(one.name, variables) for one in gradients)
    return numbers if alike else []


def _by_jacobian(trial: Trial, gradient: Gradient) -> str | None:
    """The only variable whose Jacobian has an array's shape, where it is no gradient's of any."""
    variables = trial.variables()
    if len(trial.outputs) != 1 or not trial.outputs[0].ndim or gradient.shape in variables.values():
        return None
    fitting = [name for name, shape in variables.items() if gradient.shape == (*trial.outputs[0].shape, *shape)]
    return fitting[0] if len(fitting) == 1 else None


def _held_leaf(trial: Trial, gradient: Gradient) -> str | None:
    """The number that is held, and that a gradient is named after: it can be nobody else's."""
    owner = words.owner(gradient.name, list(trial.places)) if gradient.name else None
    if owner is None or owner not in trial.values or not isinstance(trial.guess(owner), (Fixed, Size)):
        return None
    return owner


def _whole(said: Any, shape: tuple[int, ...]) -> Gradient | None:
    """One gradient, or one Jacobian, written as a list of numbers or of lists."""
    if (
        not isinstance(said, (list, tuple))
        or not shape
        or any(isinstance(one, np.ndarray) and one.ndim for one in said)
    ):
        return None
    try:
        found = np.asarray(said)
    except ValueError:
        return None
    return Gradient("", (), found.shape) if found.dtype.kind in "fiub" and found.shape[-len(shape) :] == shape else None


def _fits(
    derivative: Derivative, gradient: Gradient, said: Any, shape: tuple[int, ...], outputs: Sequence[Array]
) -> bool:
    if gradient.shape == shape:
        return True
    if derivative.form != "place" or len(outputs) != 1:
        return False
    try:
        layouts.read(np.asarray(matching.at(said, gradient.path)), shape, outputs[0].shape, "input")
    except ValueError:
        return False
    return True
