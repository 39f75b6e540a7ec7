"""Find values for everything that a program takes: the likeliest first, then what exceptions suggest."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from gradcheck.adapters.calls import words
from gradcheck.adapters.calls.guesses import LABELS, Numbers, Size
from gradcheck.adapters.calls.pinned import Pins
from gradcheck.adapters.calls.program import Program
from gradcheck.adapters.calls.repairs import misfits, of_one_output, others, repairs
from gradcheck.adapters.calls.shapes import State
from gradcheck.adapters.calls.source import facts
from gradcheck.adapters.calls.trial import Endless, Places, Trial, attempt, shapes_of
from gradcheck.compiled import uncompiled
from gradcheck.errors import CannotBuild, NotWritten, told
from gradcheck.problem import Sizes

TRIES = 600
SECONDS = 6.0
# So many more tries are made for shapes that fit once everything ran.
BEYOND = 120
RESIZED = 40
# What somebody can do whose function was not understood.
HINT = "give it an example: {name}.gradcheck_example = lambda: ({name}, [{takes}])"


@dataclass(frozen=True)
class Filled:
    """A program with a state in which it runs, and the trial that showed it."""

    program: Program
    known: Places
    trial: Trial
    pins: Callable[[], Any]
    random: bool

    def of(self, program: Program, real: str = "") -> Filled:
        """The same values in another program of the same leaves, tried; `real` is a leaf that may now be any number."""
        known = self.known.of(program, real)
        return replace(self, program=program, known=known, trial=attempt(known, self.trial.state, self.pins, seed=1))


def find(program: Program, given: Mapping[str, Any] | None = None) -> Filled:
    """Return values with which the program runs and is asked. Raises CannotBuild with the first exception."""
    pins = Pins(program.functions())
    found = _found(Places(program, given), pins)
    is_scalar = bool(found.outputs) and all(one.size == 1 for one in found.outputs)
    at_place = program.derivatives[0].form == "place"
    if at_place and not found.known.of_loss and (is_scalar or program.is_jacobian) and not _has_labels(found):
        # A number, or a Jacobian, is one of vectors rather than of rows.
        with contextlib.suppress(CannotBuild):
            other = _found(Places(program, given, of_loss=True), pins)
            found = other if other.is_right else found
    found = _tied(found, pins)
    return Filled(program, found.known, found, pins, _draws(found, pins))


def of_vectors(filled: Filled) -> Filled:
    """Return the same program with its data as vectors, or as numbers."""
    pins = Pins(filled.program.functions())
    found = _found(Places(filled.program, of_loss=True), pins)
    return Filled(filled.program, found.known, found, pins, filled.random)


def with_fewer_axes(filled: Filled, leaf: str) -> Filled:
    """Return the same program with one of its arrays as one of fewer axes. Raises CannotBuild where it does not run."""
    pins = Pins(filled.program.functions())
    shape = np.shape(filled.trial.values[leaf])
    trial = _found(filled.known.narrowed(leaf, len(shape) - 1), pins)
    return Filled(filled.program, trial.known, trial, pins, filled.random)


def _has_labels(trial: Trial) -> bool:
    roles = [role.data for role in trial.known.roles.values()]
    return "probabilities" in roles or any(guess.content in LABELS for guess in trial.arrays().values())


def _found(known: Places, pins: Pins) -> Trial:
    """Return the best of what is tried. Raises CannotBuild with the exception of what came farthest."""
    best: Trial | None = None
    farthest: Trial | None = None
    runs = 0
    for trial in _tries(known, pins):
        if best is None or trial.merit > best.merit:
            best = trial
        if trial.stage == 0 and (farthest is None or _is_farther(trial, farthest)):
            farthest = trial
        if trial.error is not None and _is_hopeless(trial.error):
            farthest = farthest if trial.stage else trial
            break
        runs += trial.stage > 1
        if trial.is_right or runs > BEYOND:
            break
    if best is None or best.stage == 0:
        raise _cannot(known.program, farthest.error if farthest is not None else None)
    return best


def _is_farther(trial: Trial, other: Trial) -> bool:
    """Whether more was found out about the sizes in one state than in another, at little cost."""
    ours, theirs = ((len(one.state.joined) + len(one.state.fixed)) for one in (trial, other))
    return trial.state.cost < 0.3 and ours > theirs


def _is_hopeless(error: Exception) -> bool:
    """Whether no values help: a name that is not there, or that NumPy has no more."""
    if isinstance(error, (NameError, ImportError)):
        return not isinstance(error, UnboundLocalError)
    return isinstance(error, AttributeError) and str(error).startswith("module ")


def _cannot(program: Program, error: Exception | None) -> CannotBuild:
    first = program.steps[0]
    takes = ", ".join(name for name, _ in first.takes)
    if error is not None and _is_hopeless(error):
        return CannotBuild(f"{first.name} raised {told(error)}")
    return CannotBuild(f"no values were found that {first.name}({takes}) accepts: {told(error)}; {hint(program)}")


def _tied(trial: Trial, pins: Pins) -> Trial:
    """Give labels as many rows as the data have, and what is called the batch's size that size, where that runs."""
    batch = batch_axis(trial)
    if batch is None or trial.stage < 2:
        return trial
    for state in _ties(trial, batch):
        other = attempt(trial.known, state(trial.state), pins, seed=1)
        trial = other if other.merit >= trial.merit else trial
    return trial


def _ties(trial: Trial, batch: str) -> Iterator[Callable[[State], State]]:
    """Yield changes to a state: one entry of labels is 1 for each sample, and there is one sample number."""
    axes = [axis for shape in shapes_of(trial.known, trial.state) for axis in shape if isinstance(axis, str)]
    roots = [trial.state.root(axis) for axis in axes]
    samples = _count_of_samples(trial.known.program)
    if samples is not None:
        yield lambda state: state.pin(batch, samples)
    for name, place in trial.places.items():
        guess = trial.guess(name)
        axis: str | None = None
        if isinstance(guess, Numbers) and guess.content in LABELS and guess.axes:
            axis = next((one for one in guess.axes if isinstance(one, str)), None)
            if guess.content == "one-hot" and trial.state.root(str(guess.axes[guess.hot])) == batch:
                turned = place.guesses.index(replace(guess, hot=-1 - guess.hot))
                yield partial(State.with_other, leaf=name, number=turned)
        elif isinstance(guess, Size) and words.BATCHES.fullmatch(place.key):
            axis = guess.axis
        if axis is not None and roots.count(trial.state.root(axis)) == 1 and trial.state.root(axis) != batch:
            yield partial(_joined, axis=axis, other=batch)


def _joined(state: State, axis: str, other: str) -> State:
    return state.join(axis, other) or state


def _count_of_samples(program: Program) -> int | None:
    """A number of samples that the module fixes, and the code divides by: `m = 7`."""
    for function in program.functions():
        space = getattr(uncompiled(function), "__globals__", {})
        for name in facts(function).reads:
            if words.BATCHES.fullmatch(name) and isinstance(space.get(name), int):
                return int(space[name])
    return None


def hint(program: Program) -> str:
    """Return what to do, in words: an example of the first function's arguments."""
    first = program.steps[0]
    return HINT.format(name=first.name, takes=", ".join(name for name, _ in first.takes))


def _tries(known: Places, pins: Pins) -> Iterator[Trial]:
    """Try states in the order of their cost, until nothing is left to try."""
    count = itertools.count()
    waiting: list[tuple[float, int, State]] = [(0.0, next(count), State())]
    seen: set[Any] = set()
    end = time.monotonic() + SECONDS
    for _ in range(TRIES):
        if not waiting or time.monotonic() > end:
            return
        _, _, state = heapq.heappop(waiting)
        key = replace(state, cost=0.0)
        if key in seen:
            continue
        seen.add(key)
        try:
            trial = attempt(known, state, pins, seed=1)
        except NotImplementedError as error:
            raise NotWritten(f"it is not implemented ({told(error)})") from error
        yield trial
        for following in _following(trial):
            heapq.heappush(waiting, (following.cost, next(count), following))


def _following(trial: Trial) -> Iterator[State]:
    if trial.error is not None:
        yield from repairs(trial, trial.error, trial.in_derivative)
        if not trial.in_derivative and isinstance(trial.error, (FloatingPointError, Endless)):
            yield from _other_contents(trial)
    elif trial.misfits:
        wanted = {name: one.shape for matched in trial.matched for name, one in matched.items()}
        yield from misfits(trial, {name: shape for name, shape in wanted.items() if name in trial.misfits})
        yield from others(trial, trial.misfits, 0.5)
        if trial.known.of_loss and len(trial.outputs) == 1:
            yield from of_one_output(trial, trial.outputs[0].shape)


def _other_contents(trial: Trial) -> Iterator[State]:
    """Forward is not finite, or does not end: inputs may have to be positive, or probabilities."""
    endless = isinstance(trial.error, Endless)
    for name, guess in trial.arrays().items():
        place = trial.places[name]
        if guess.content != "real" or words.WEIGHTS.fullmatch(place.key):
            continue
        for content in ("positive", "probabilities") if endless else ("probabilities", "positive"):
            wanted = Numbers(content, guess.axes)
            if wanted not in place.guesses:
                place.guesses.append(wanted)
            yield replace(trial.state.with_other(name, place.guesses.index(wanted)), cost=trial.state.cost + 0.3)


def _draws(trial: Trial, pins: Pins) -> bool:
    """Whether the program draws random numbers: it says something else without pins."""
    free = [attempt(trial.known, trial.state, _free, seed=1) for _ in range(2)]
    if any(one.stage == 0 for one in free):
        return True
    pairs = zip(free[0].outputs, free[1].outputs, strict=True)
    return not all(a.shape == b.shape and np.array_equal(a, b, equal_nan=True) for a, b in pairs)


class _Free:
    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        return None


def _free() -> _Free:
    return _Free()


def in_sizes(filled: Filled, sizes: Sizes, seed: int) -> Trial:
    """Return a trial of the same state in other sizes. Raises CannotBuild where it does not run in these."""
    known, found = filled.known, filled.trial
    batch, weights = batch_axis(found), weight_axes(found)
    follows = {axis for axis, _ in found.state.fixed}
    count = itertools.count()
    waiting = [(0.0, next(count), replace(found.state, fixed=(), cost=0.0))]
    seen: set[Any] = set()
    error: Exception | None = None
    for _ in range(RESIZED):
        if not waiting:
            break
        _, _, state = heapq.heappop(waiting)
        if (key := replace(state, cost=0.0)) in seen:
            continue
        seen.add(key)
        trial = attempt(known, state, filled.pins, seed, sizes, batch, weights)
        if (trial.stage == 2 or trial.stage == found.stage) and set(trial.misfits) <= set(found.misfits):
            return trial
        error = error or trial.error
        for one in _following(trial):
            if _only_follows(one, state, follows):
                heapq.heappush(waiting, (one.cost, next(count), one))
    raise CannotBuild(f"it does not run in these sizes: {told(error)}")


def _only_follows(one: State, state: State, follows: set[str]) -> bool:
    """Whether nothing changes but sizes that follow from others."""
    changed = {axis for axis, _ in set(one.fixed) ^ set(state.fixed)}
    return replace(one, fixed=state.fixed, cost=state.cost) == state and bool(changed) and changed <= follows


def weight_axes(trial: Trial) -> list[str]:
    """The axes of weights."""
    return [
        axis
        for name, guess in trial.arrays().items()
        if is_weight(trial, name)
        for axis in guess.axes
        if isinstance(axis, str)
    ]


def is_weight(trial: Trial, name: str) -> bool:
    """Whether an array is named like a weight."""
    place = trial.places[name]
    key = place.key
    if place.first and not trial.known.of_loss:
        return False
    return words.is_weight(key)


def batch_axis(trial: Trial) -> str | None:
    """The axis of samples: one of the data's, and not of the weights'; the first one where there are no weights."""
    weights = {trial.state.root(axis) for axis in weight_axes(trial)}
    data = [guess.axes for name, guess in trial.arrays().items() if not is_weight(trial, name)]
    roots = [[trial.state.root(axis) for axis in axes if isinstance(axis, str)] for axes in data]
    if not weights:
        return next((axes[0] for axes in roots if len(axes) > 1), None)
    free = [root for axes in roots for root in dict.fromkeys(axes) if root not in weights]
    return max(dict.fromkeys(free), key=free.count, default=None)
