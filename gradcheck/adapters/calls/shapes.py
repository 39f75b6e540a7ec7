"""Which axes are of one size: found by letting every axis have a size of its own, and joining what clashes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from gradcheck.problem import Sizes

Axis = str | int

# Far enough apart that a size plus one, twice or four times a size, is seldom another one of them.
POOL = (5, 3, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97)
# Axes of images: few and small, since a convolution in loops is slow. Odd, and even for each place of channels.
IMAGES = ((2, 4, 3, 5), (2, 3, 4, 6), (2, 4, 6, 3), (2, 3, 9, 7))


FEW = 2
LARGEST = 2000


@dataclass(frozen=True)
class State:
    """One way to fill what a program takes.

    `picks`: which of its guesses a leaf has (0 where it is not named); `joined`: axes that are of one size, each with
    the axis that stands for them; `fixed`: sizes that were found to follow from others; `times`: axes that are so many
    times another one (or, beside "", of a size that the code fixes); `limit`: numbers of classes are below it;
    `images`: which set of image sizes.
    """

    picks: tuple[tuple[str, int], ...] = ()
    joined: tuple[tuple[str, str], ...] = ()
    fixed: tuple[tuple[str, int], ...] = ()
    times: tuple[tuple[str, tuple[int, str]], ...] = ()
    limit: int = 3
    images: int = 0
    cost: float = 0.0

    def pick(self, leaf: str) -> int:
        """Which guess a leaf has."""
        return dict(self.picks).get(leaf, 0)

    def with_pick(self, leaf: str, number: int, cost: float) -> State:
        """The same with another guess for a leaf."""
        picks = {**dict(self.picks), leaf: number}
        own = f"{leaf}."
        joined = tuple((a, b) for a, b in self.joined if not a.startswith(own) and not b.startswith(own))
        fixed = tuple((a, size) for a, size in self.fixed if not a.startswith(own))
        kept = tuple(sorted((name, n) for name, n in picks.items() if n))
        times = tuple((a, rule) for a, rule in self.times if not a.startswith(own) and not rule[1].startswith(own))
        return replace(self, picks=kept, joined=joined, fixed=fixed, times=times, cost=self.cost + cost)

    def with_other(self, leaf: str, number: int) -> State:
        """The same with another guess of the same axes for a leaf."""
        picks = {**dict(self.picks), leaf: number}
        return replace(self, picks=tuple(sorted((name, n) for name, n in picks.items() if n)))

    def root(self, axis: str) -> str:
        """The axis that stands for all that are of its size."""
        parents = dict(self.joined)
        while axis in parents:
            axis = parents[axis]
        return axis

    def join(self, one: str, other: str, cost: float = 0.0) -> State | None:
        """The same with two axes of one size; `None` where what is known of one of them forbids it."""
        a, b = self.root(one), self.root(other)
        if a == b:
            return self
        fixed = dict(self.fixed)
        if a in {*fixed, *dict(self.times)} and b not in {*fixed, *dict(self.times)}:
            a, b = b, a
        if a in dict(self.times):
            return None
        kept = tuple(sorted((axis, size) for axis, size in fixed.items() if axis != a))
        joined = tuple(sorted((*self.joined, (a, b))))
        return replace(self, joined=joined, fixed=kept, cost=self.cost + cost)

    def fix(self, axis: str, size: int, cost: float = 0.1) -> State | None:
        """The same with a size that follows from others; `None` where it is that size."""
        root, fixed = self.root(axis), dict(self.fixed)
        if fixed.get(root) == size or not 0 < size <= LARGEST:
            return None
        if root in dict(self.times):
            return None
        fixed[root] = size
        return replace(self, fixed=tuple(sorted(fixed.items())), cost=self.cost + cost)

    def pin(self, axis: str, size: int) -> State:
        """The same with an axis that the code itself holds at a size."""
        return replace(self, times=tuple(sorted((*self.times, (self.root(axis), (size, ""))))))

    def multiply(self, axis: str, factor: int, other: str, cost: float) -> State | None:
        """The same with an axis that is `factor` times another one; `None` where something else is known of it."""
        root, base, known = self.root(axis), self.root(other), {*dict(self.fixed), *dict(self.times)}
        if root == base or root in known or base in known:
            return None
        times = tuple(sorted((*self.times, (root, (factor, base)))))
        return replace(self, times=times, cost=self.cost + cost)


@dataclass(frozen=True)
class Measures:
    """The size of every axis in one state."""

    state: State
    sizes: Mapping[str, int]

    def __call__(self, axes: Iterable[Axis]) -> tuple[int, ...]:
        return tuple(axis if isinstance(axis, int) else self.sizes[self.state.root(axis)] for axis in axes)

    def of(self, size: int) -> list[str]:
        """The axes that are of a size, one for each that may be chosen."""
        return [root for root, known in self.sizes.items() if known == size]


def measures(
    state: State,
    shapes: Sequence[tuple[Axis, ...]],
    batch: str | None = None,
    sizes: Sizes | None = None,
    weights: Iterable[str] = (),
    taken: Collection[int] = (),
) -> Measures:
    """Give every axis of `shapes` a size: distinct ones to find out what clashes, or (`sizes`) those that are wanted.

    `batch` is then the axis of samples; of images, only axes that `weights` share are channels and of a wanted size.
    `taken` are sizes that the code itself has: no axis of ours is of one of them by chance.
    """
    fixed, found = dict(state.fixed), {}
    usual = _usual(state, shapes)
    axes = list(dict.fromkeys(axis for shape in shapes for axis in shape if isinstance(axis, str)))
    if sizes is None:
        own = _distinct(axes, {*usual.values(), *taken})
    else:
        # Sequences and images are few, since all of their entries count.
        samples = min(sizes.batch, FEW) if any(len(shape) > 2 for shape in shapes) else sizes.batch
        wanted = dict.fromkeys([sizes.inputs, sizes.outputs, *range(2, 99)])
        left = iter([size for size in wanted if size != samples or size == 1])
    shared = {state.root(axis) for axis in weights}
    times = {root: (factor, state.root(base) if base else "") for root, (factor, base) in state.times}
    for root in dict.fromkeys(state.root(axis) for axis in axes):
        if root in times:
            continue
        if root in fixed:
            found[root] = fixed[root]
        elif sizes is not None and root == batch:
            found[root] = samples
        elif root in usual and (sizes is None or root not in shared):
            found[root] = usual[root]
        else:
            found[root] = own.get(root, POOL[-1]) if sizes is None else next(left)
    for root, (factor, base) in times.items():
        found[root] = factor * (found.get(base, 1) if base else 1)
    return Measures(state, found)


def _distinct(axes: Sequence[str], taken: Collection[int]) -> dict[str, int]:
    """A size for every axis, which it keeps whatever is found out about the others."""
    pool = iter([size for size in POOL if size not in taken])
    return {axis: next(pool, POOL[-1]) for axis in axes}


def _usual(state: State, shapes: Sequence[tuple[Axis, ...]]) -> dict[str, int]:
    """Sizes of the axes of images."""
    found: dict[str, int] = {}
    for shape in shapes:
        if len(shape) == 4 and all(isinstance(axis, str) for axis in shape):
            for axis, size in zip(shape, IMAGES[state.images], strict=True):
                found.setdefault(state.root(str(axis)), size)
    return found
