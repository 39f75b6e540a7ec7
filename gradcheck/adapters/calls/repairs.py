"""What an exception says about the values that a function was given: which axes are of one size, which rank is wanted.

NumPy names the sizes that clash; since every axis has a size of its own, a size says which axis it is.
"""

from __future__ import annotations

import ast
import math
import re
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from gradcheck.adapters.calls import words
from gradcheck.adapters.calls.guesses import Entries, Fixed, Guess, Numbers, Place, Size
from gradcheck.adapters.calls.shapes import IMAGES, Measures, State

SHAPES = re.compile(r"\(((?:\d+,? ?)*)\)")
UNBROADCAST = (
    *("could not be broadcast", "could not broadcast", "doesn't match the broadcast shape"),
    "cannot be broadcast to a single shape",
)
# The end of a flat vector that is too short: `theta[k:]` beside an array of so many rows, or entries.
EMPTY = re.compile(r"broadcast together with shapes \((\d+)(?:,\d*)?\) \(0(?:,1?)?\)")
RESHAPED = re.compile(r"cannot reshape array of size (\d+) into shape \(([^)]*)\)")
BETTER, WORSE, LATER = 0.5, 1.0, 0.1


class Tried(Protocol):
    """A state that was tried, and failed."""

    state: State
    measures: Measures

    @property
    def places(self) -> Mapping[str, Place]:
        """The leaves."""

    def guess(self, leaf: str) -> Guess:
        """What a leaf was."""


def repairs(tried: Tried, error: Exception, in_derivative: bool = False) -> Iterator[State]:
    """Yield the states that the exception suggests to try next."""
    text = str(error)
    ahead = WORSE if in_derivative else 0.0
    joined = False
    for pairs in _clashes(text):
        for state in _joined(tried, pairs, ahead):
            joined |= state.cost <= tried.state.cost + ahead
            yield state
    mentioned = _mentioned(error, tried.places)
    yield from _reshaped(tried, text, mentioned, ahead)
    yield from _square(tried, text, ahead)
    if "cross product" in text:
        yield from _fixed_ends(tried, 3, mentioned, ahead)
    yield from _longer(tried, text, ahead)
    yield from _smaller(tried, text, ahead)
    yield from _ranked(tried, error, text, mentioned, ahead)
    yield from _as_numbers(tried, text, mentioned, ahead)
    if isinstance(error, (AssertionError, ValueError)) and tried.state.images + 1 < len(IMAGES):
        yield _with(tried.state, images=tried.state.images + 1, cost=WORSE)
    if "out of bounds for axis" in text and tried.state.limit > 2:
        yield _with(tried.state, limit=2, cost=BETTER)
    if joined:  # that is what was wrong, or else the rank of what stands on the line
        yield from others(tried, mentioned, ahead + BETTER, mentioned)
    elif not isinstance(error, FloatingPointError):
        yield from _alike(tried, mentioned, ahead)
        yield from others(tried, mentioned, ahead)


def others(
    tried: Tried, first: Sequence[str] = (), ahead: float = 0.0, only: Sequence[str] | None = None
) -> Iterator[State]:
    """Yield states with another guess for one leaf (of `only` these), or for all biases (all scales) together."""
    for name, place in tried.places.items():
        now = tried.state.pick(name)
        if only is not None and name not in only:
            continue
        for number in range(len(place.guesses)):
            if number != now:
                cost = (BETTER if name in first else WORSE) + LATER * number
                yield tried.state.with_pick(name, number, ahead + cost)
    yield from _of_another_rank(tried, ahead)
    for is_kind in (words.is_bias, words.is_scale):
        alike = [name for name, place in tried.places.items() if is_kind(place.key) and not place.first]
        numbers = {tried.state.pick(name) for name in alike}
        if len(alike) > 1 and len(numbers) == 1 and len({len(tried.places[name].guesses) for name in alike}) == 1:
            [number] = numbers
            state = tried.state
            if number + 1 < len(tried.places[alike[0]].guesses):
                for name in alike:
                    state = state.with_pick(name, number + 1, 0.0)
                yield _with(state, cost=ahead + BETTER)


def _of_another_rank(tried: Tried, ahead: float) -> Iterator[State]:
    """Yield states in which all data have another number of axes together."""
    data = [
        name
        for name, place in tried.places.items()
        if isinstance(guess := tried.guess(name), Numbers)
        and guess.content == "real"
        and not words.is_weight(place.key)
    ]
    ranks = {len(guess.axes) for name in data if isinstance(guess := tried.guess(name), Numbers)}
    if len(data) < 2 or len(ranks) != 1:
        return
    for rank in (1, 2, 3, 0):
        state = tried.state
        for name in data:
            numbers = [
                n
                for n, guess in enumerate(tried.places[name].guesses)
                if isinstance(guess, Numbers)
                and guess.content == "real"
                and len(guess.axes) == rank
                and 1 not in guess.axes
            ]
            if not numbers:
                break
            state = state.with_pick(name, numbers[0], 0.0)
        else:
            if rank not in ranks:
                yield _with(state, cost=ahead + BETTER)


def misfits(tried: Tried, shapes: Mapping[str, tuple[int, ...]]) -> Iterator[State]:
    """Yield states in which leaves are laid out as their gradients are (`shapes`): a row, say, or another size."""
    state = tried.state
    for name, shape in shapes.items():
        for number, guess in enumerate(tried.places[name].guesses):
            if isinstance(guess, Numbers) and [axis == 1 for axis in guess.axes] == [size == 1 for size in shape]:
                state = state.with_pick(name, number, 0.2) if number != tried.state.pick(name) else state
                break
    if state != tried.state:
        yield state
    for name, shape in shapes.items():
        now = tried.guess(name)
        if isinstance(now, Numbers) and len(now.axes) == len(shape):
            joined: State | None = tried.state
            if (
                len(shape) == 1
                and len(tried.places) == 1
                and isinstance(now.axes[0], str)
                and (short := tried.state.fix(now.axes[0], shape[0], 0.4)) is not None
            ):
                yield short  # `f` of a vector reads its first two entries, and both of its gradients come back
            for axis, size in zip(now.axes, shape, strict=True):
                if joined is not None and isinstance(axis, str) and tried.measures((axis,))[0] != size:
                    same = [other for other in tried.measures.of(size) if other not in dict(joined.fixed)]
                    joined = joined.join(axis, same[0], 0.2) if same else None
            if joined is not None and joined != tried.state:
                yield joined


def of_one_output(tried: Tried, shape: tuple[int, ...]) -> Iterator[State]:
    """Yield states in which a cost that comes out as a square, `Y @ log(A).T`, is that of a single output."""
    if len(shape) == 2 and shape[0] == shape[1] > 1:
        for axis in tried.measures.of(shape[0]):
            if (state := tried.state.fix(axis, 1, 0.3)) is not None:
                yield state


def _with(state: State, cost: float, **changes: Any) -> State:
    return replace(state, cost=state.cost + cost, **changes)


def _clashes(text: str) -> Iterator[list[tuple[int, int]]]:
    """Yield groups of sizes that have to be the same, as the message says."""
    if any(one in text for one in UNBROADCAST):
        shapes = [tuple(int(n) for n in re.findall(r"\d+", one)) for one in SHAPES.findall(text)]
        strict = "output operand" in text
        for number, one in enumerate(shapes):
            for other in shapes[number + 1 :]:
                ends = list(zip(reversed(one), reversed(other), strict=False))
                pairs = [(a, b) for a, b in ends if a != b and (strict or 1 not in (a, b))]
                if pairs and not any(0 in pair for pair in pairs):  # see `_reshaped`
                    yield pairs
    elif found := re.search(r"\(size (\d+) is different from (\d+)\)", text):
        yield [(int(found[2]), int(found[1]))]
    elif (
        (found := re.search(r"not aligned: (\d+) \(dim \d+\) != (\d+) \(dim \d+\)", text))
        or (found := re.search(r"has size (\d+) and the array at index \d+ has size (\d+)", text))
        or (found := re.search(r"\(n,k=(\d+)\),\(k=(\d+)", text))  # a sparse matrix times an array
        or (found := re.search(r"dimension is (\d+) but corresponding (?:boolean|dimension).*? is (\d+)", text))
    ):
        yield [(int(found[1]), int(found[2]))]
    elif found := RESHAPED.search(text):
        yield from _refilled(int(found[1]), [int(size) for size in re.findall(r"-?\d+", found[2])])


def _refilled(count: int, shape: Sequence[int]) -> Iterator[list[tuple[int, int]]]:
    """Each axis that would have to be of another size for `shape` to take all entries: `x.reshape(len(x), len(w))`."""
    for size in shape:
        rest = math.prod(shape) // size if size > 0 else 0
        if rest > 0 and count % rest == 0:
            yield [(count // rest, size)]


def _joined(tried: Tried, pairs: Sequence[tuple[int, int]], ahead: float) -> Iterator[State]:
    """Make clashing sizes one: of two axes that may be chosen, of one that follows from others, or both by as much."""
    state: State | None = tried.state
    fixed, count = dict(tried.state.fixed), _count_of_axes(tried)
    follows = False
    for a, b in pairs:
        if state is None:
            return
        ours, theirs = tried.measures.of(a), tried.measures.of(b)
        free_a, free_b = [x for x in ours if x not in fixed], [x for x in theirs if x not in fixed]
        if free_a and free_b:
            small, large = (free_a[0], free_b[0]) if a < b else (free_b[0], free_a[0])
            state = state.join(large, small, ahead * 0.1)
            continue
        follows = True
        if free_b or free_a:
            axis, size = (free_b[0], a) if free_b else (free_a[0], b)
            state = state.fix(axis, size, ahead + (0.1 if count.get(axis, 0) < 2 else WORSE))
        elif theirs or ours:
            axis, size = (theirs[0], a) if theirs else (ours[0], b)
            state = state.fix(axis, size, 0.3 + ahead)
        else:
            yield from _apart_by_as_much(tried, a, b, ahead)
            state = None
    if state is not None and state != tried.state:
        yield state
    if follows:
        yield from _multiples(tried, ahead)


def _apart_by_as_much(tried: Tried, a: int, b: int, ahead: float) -> Iterator[State]:
    """Two sizes that follow from chosen ones in the same way: n + 1 and k + 1, 2 n and 2 k."""
    sizes = tried.measures.sizes
    for one, n in sizes.items():
        for other, k in sizes.items():
            alike = (a - n == b - k and 0 < a - n <= 3) or (
                n and k and a % n == 0 and b % k == 0 and a // n == b // k > 1
            )
            if one != other and alike and (state := tried.state.join(other, one, 0.5 + ahead)) is not None:
                yield state


def _multiples(tried: Tried, ahead: float) -> Iterator[State]:
    """An axis of weights that holds several gates beside each other: 4, 3 or 2 times another axis."""
    sizes = tried.measures.sizes
    count = _count_of_axes(tried)
    for gates in (4, 3, 2):
        for wide in sizes:
            if not _is_of_weights(tried, wide):
                continue
            for narrow in sizes:
                if count.get(narrow, 0) > 1:
                    state = tried.state.multiply(wide, gates, narrow, 0.6 + 0.1 * (4 - gates) + ahead)
                    if state is not None:
                        yield state


def _count_of_axes(tried: Tried) -> dict[str, int]:
    found: dict[str, int] = {}
    for name in tried.places:
        guess = tried.guess(name)
        for axis in guess.axes if isinstance(guess, Numbers) else ():
            if isinstance(axis, str):
                root = tried.state.root(axis)
                found[root] = found.get(root, 0) + 1
    return found


def _is_of_weights(tried: Tried, root: str) -> bool:
    for name, place in tried.places.items():
        guess = tried.guess(name)
        if (
            isinstance(guess, Numbers)
            and words.WEIGHTS.fullmatch(place.key)
            and any(isinstance(axis, str) and tried.state.root(axis) == root for axis in guess.axes)
        ):
            return True
    return False


def _fixed_ends(tried: Tried, size: int, mentioned: Sequence[str], ahead: float) -> Iterator[State]:
    """Arrays whose last axis is of a size that an operation wants."""
    for name in mentioned or tried.places:
        guess = tried.guess(name)
        if (
            isinstance(guess, Numbers)
            and guess.axes
            and isinstance(axis := guess.axes[-1], str)
            and (state := tried.state.fix(axis, size, 0.2 + ahead)) is not None
        ):
            yield state


def _longer(tried: Tried, text: str, ahead: float) -> Iterator[State]:
    """Of two sequences that are walked together, one is too short: it becomes as long as another one."""
    found = re.search(r"index (\d+) is out of bounds for axis \d+ with size (\d+)", text)
    if found is None:
        return
    fixed = dict(tried.state.fixed)
    for name in tried.places:
        guess = tried.guess(name)
        if not isinstance(guess, Numbers) or not guess.axes or not isinstance(guess.axes[0], str):
            continue
        if (
            tried.measures(guess.axes)[0] == int(found[2])
            and (state := tried.state.fix(guess.axes[0], int(found[1]) + 2, 0.3 + ahead)) is not None
        ):
            yield state
        first = tried.state.root(guess.axes[0])
        if first not in fixed and tried.measures.sizes[first] > int(found[1]):
            for short in tried.measures.of(int(found[2])):
                if short not in fixed and (state := tried.state.join(short, first, 0.1 + ahead)) is not None:
                    yield state


def _alike(tried: Tried, mentioned: Sequence[str], ahead: float) -> Iterator[State]:
    """Two arrays of one shape, where nothing else is said of what is wrong with them."""
    arrays = {name: guess.axes for name in tried.places if isinstance(guess := tried.guess(name), Numbers)}
    for one, axes in arrays.items():
        for other, more in arrays.items():
            if one >= other or len(axes) != len(more) or (mentioned and not {one, other} & set(mentioned)):
                continue
            state: State | None = tried.state
            for a, b in zip(axes, more, strict=True):
                if state is not None and isinstance(a, str) and isinstance(b, str):
                    state = state.join(b, a)
            if state is not None and state != tried.state:
                yield _with(state, cost=0.4 + ahead)


def _smaller(tried: Tried, text: str, ahead: float) -> Iterator[State]:
    """A kernel that is larger than what it slides over: its own axes become 2."""
    empty = any(0 in [int(n) for n in re.findall(r"\d+", one)] for one in SHAPES.findall(text))
    if not ("negative dimensions" in text or "cannot be larger than" in text or empty):
        return
    count, state = _count_of_axes(tried), tried.state
    for name, place in tried.places.items():
        guess = tried.guess(name)
        if isinstance(guess, Numbers) and not place.first and not any(isinstance(axis, int) for axis in guess.axes):
            for axis in guess.axes:
                if isinstance(axis, str) and count[tried.state.root(axis)] == 1:
                    state = state.fix(axis, 2, 0.1) or state
    if state != tried.state:
        yield _with(state, cost=ahead + 0.2)


def _reshaped(tried: Tried, text: str, mentioned: Sequence[str], ahead: float) -> Iterator[State]:
    """Give a flat vector as many entries more as are missing where it is cut into matrices, or into nothing."""
    found, empty = RESHAPED.search(text), EMPTY.search(text)
    if found is not None:
        size, product = int(found[1]), 1
        for part in re.findall(r"\d+", found[2]):
            product *= int(part)
        if "newaxis" in found[2] or "-1" in found[2]:
            product = size + (-size) % max(product, 1)
    elif empty is not None:
        size, product = 0, int(empty[1])
    else:
        return
    for name in tried.places:
        guess = tried.guess(name)
        if isinstance(guess, Numbers) and len(guess.axes) > 1 and name in mentioned:
            yield from _flattened(tried, name, guess, product, ahead)
            if isinstance(last := guess.axes[-1], str):
                double = tried.state.fix(last, 2 * tried.measures((last,))[0], 0.4 + ahead)
                if double is not None:
                    yield double
        is_flat = isinstance(guess, Numbers) and guess.axes and all(axis == 1 for axis in guess.axes[1:])
        if not is_flat or not isinstance(guess.axes[0], str):  # type: ignore[union-attr]
            continue
        axis = guess.axes[0]  # type: ignore[union-attr]
        length = tried.measures((axis,))[0] + product - size
        same = [one for one in tried.measures.of(length) if one != tried.state.root(axis)]
        cost = ahead + (0.0 if name in mentioned or empty else WORSE)
        for state in (
            tried.state.join(axis, same[0], cost) if same else None,
            tried.state.fix(axis, length, 0.05 + cost),
        ):
            if state is not None and length > 0:
                yield state


def _flattened(tried: Tried, name: str, guess: Numbers, product: int, ahead: float) -> Iterator[State]:
    """Give an array the first axes of another one, where it is flattened to as many entries as these have."""
    count = len(guess.axes)
    for other in tried.places:
        model = tried.guess(other)
        if other == name or not isinstance(model, Numbers) or len(model.axes) < count:
            continue
        axes = model.axes[:count]
        if math.prod(tried.measures(axes)) != product:
            continue
        state: State | None = tried.state
        for mine, theirs in zip(guess.axes, axes, strict=True):
            if state is not None and isinstance(mine, str) and isinstance(theirs, str):
                state = state.join(mine, theirs, 0.1 * ahead)
        if state is not None:
            yield state


def _square(tried: Tried, text: str, ahead: float) -> Iterator[State]:
    if "must be square" not in text:
        return
    for name in tried.places:
        guess = tried.guess(name)
        if (
            isinstance(guess, Numbers)
            and len(guess.axes) >= 2
            and all(isinstance(a, str) for a in guess.axes[-2:])
            and (state := tried.state.join(str(guess.axes[-2]), str(guess.axes[-1]), 0.2 + ahead)) is not None
        ):
            yield state


def _ranked(tried: Tried, error: Exception, text: str, mentioned: Sequence[str], ahead: float) -> Iterator[State]:
    """Another number of axes, where the message says how many are wanted."""
    wanted: int | None = None
    if (found := re.search(r"values? to unpack \(expected (\d+)", text)) or (
        found := re.search(r"but (\d+) were indexed", text)
    ):
        wanted = int(found[1])
    elif found := re.search(r"axis -?(\d+) is out of bounds for array of dimension", text):
        wanted = int(found[1]) + 1
    elif (
        "0-dimensional arrays can be converted" in text
        or "length-1 arrays can be" in text
        or "size-1 arrays" in text
        or "truth value of an array" in text
        or "unhashable type" in text
    ):
        wanted = 0
    if wanted is None:
        return
    for name in mentioned or tried.places:
        place, now = tried.places[name], tried.guess(name)
        if not isinstance(now, Numbers):
            continue
        if "to unpack" in text and not place.dims:
            for axis in {*now.axes[:1], *now.axes[-1:]}:
                if isinstance(axis, str) and (state := tried.state.fix(axis, wanted, 0.3 + ahead)) is not None:
                    yield state
        if len(now.axes) == wanted:
            continue
        for number, guess in enumerate(place.guesses):
            if isinstance(guess, Numbers) and len(guess.axes) == wanted and guess.content == now.content:
                yield tried.state.with_pick(name, number, 0.2 + ahead)
                break


def _as_numbers(tried: Tried, text: str, mentioned: Sequence[str], ahead: float) -> Iterator[State]:
    """Whole numbers where an array indexes, a dict where it is indexed by texts, a size where a number is wanted."""
    kinds: tuple[type, ...] = ()
    whole = False
    if "must be of integer" in text or "only integers, slices" in text or "only integer scalar" in text:
        kinds, whole = (Entries, Size), True
    elif "cannot be interpreted as an integer" in text or "must be integers" in text or "'NoneType'" in text:
        kinds, whole = (Size, Fixed, Entries), True
    elif "has no attribute" in text or "string indices" in text or "is not subscriptable" in text:
        kinds = (Entries, Fixed)
    if not kinds:
        return
    for name, place in tried.places.items():
        likely = BETTER * 0.4 if name in mentioned else BETTER
        for number, guess in enumerate(place.guesses):
            if number != tried.state.pick(name) and (
                isinstance(guess, kinds) or (whole and isinstance(guess, Numbers) and guess.content == "classes")
            ):
                yield tried.state.with_pick(name, number, likely + ahead)
                break


def _mentioned(error: Exception, places: Mapping[str, Place]) -> list[str]:
    """The leaves whose names stand on the line of code that failed, in the innermost function where any does."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        line = frame.line or ""
        names = set(re.findall(r"[A-Za-z_]\w*", _without_texts(line))) | set(re.findall(r"[\"'](\w+)[\"']", line))
        if found := [name for name, place in places.items() if place.key in names]:
            return found
    return []


def _without_texts(line: str) -> str:
    try:
        ast.parse(line.strip())
    except SyntaxError:
        return line
    return re.sub(r"(\"[^\"]*\"|'[^']*')", "", line)
