"""Run `forward` at many perturbed values of one variable, in cache-sized blocks, and count what it cost.

What comes back is always the *change* f(x + h) − f(x): that is all that derivatives are made of, and where forward
computes in long double, the change loses nothing when it is given in float64.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from gradcheck import callbacks
from gradcheck.errors import UsageError, told
from gradcheck.numerical.estimate import Cost
from gradcheck.numerical.evaluation.stacking import Tile, join
from gradcheck.numerical.evaluation.steps import Domain, within
from gradcheck.problem import Array, Values

Forward = Callable[[Values], list[Array]]

# Stacked inputs and outputs of one call stay within this many bytes, so that they stay in the cache.
BLOCK_BYTES = 1 << 19
# Memory fresh from the system costs a page fault every 4 KB: up to a quarter of an estimate's time. Once a large array
# was freed, glibc takes smaller ones from memory that it keeps (mallopt(3): the dynamic mmap threshold).
KEPT_BYTES = 1 << 24
np.empty(KEPT_BYTES, dtype=np.uint8)
PARTS = 16  # of the points, for an executor
# In long double an output that differs by more than this share of the largest is another function's: clipped at its
# dtype's eps, say.
OTHER = 2.0**-17


@dataclass
class PerturbedForward:
    """`forward` with everything but one variable fixed. Picklable where `forward` is.

    `base (outputs,)`: f at the point.
    """

    forward: Forward
    values: dict[str, Array]
    wrt: str
    base: Array
    stacked: tuple[str, ...] = ()  # variables that are repeated along the batch; empty: one call each
    error: str | None = None
    _tiles: dict[str, Tile] = field(default_factory=dict)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_tiles": {}}

    def run(self, index: Array | None, new: Array) -> tuple[Array, int]:
        """Return the changes of the outputs `(points, outputs)` and the number of calls made.

        Point p has the entries `index[p % len(index)]` (flat; None: all entries) of the variable replaced by `new[p]`.
        A point at which forward raises is a row of NaN.
        """
        result = np.empty((len(new), self.base.size))
        if index is not None:
            index = index[np.arange(len(new)) % len(index)]
        each = 8 * (self.base.size + sum(self.values[name].size for name in self.stacked))
        size = min(len(new), BLOCK_BYTES // each) if self.stacked else 1
        calls = 0
        with np.errstate(all="ignore"):
            if size <= 1:
                return result, self._each(index, new, result)
            for name in self.stacked:
                if name not in self._tiles or self._tiles[name].copies < size:
                    self._tiles[name] = Tile(self.values[name], size)
            if index is not None:
                tile = self._tiles[self.wrt]
                place, old = tile.where(index, size), tile.flat[index]
            for start in range(0, len(new), size):
                part = slice(start, start + size)
                calls += 1
                try:
                    if index is None:
                        x = join(new[part].reshape(-1, *self.values[self.wrt].shape))
                    else:
                        tile.memory[place[part]] = new[part]
                        x = tile.first(len(new[part]))
                    others = {n: self._tiles[n].first(len(new[part])) for n in self.stacked if n != self.wrt}
                    self._call(x, others, result[part])
                except Exception:  # which of them was it?
                    calls += self._each(None if index is None else index[part], new[part], result[part])
                finally:
                    if index is not None:
                        tile.memory[place[part]] = old[part]
        return result, calls

    def _each(self, index: Array | None, new: Array, into: Array) -> int:
        one = self.values[self.wrt].copy()
        flat = one.reshape(-1)
        if index is not None:
            old = flat[index]
        for p, moved in enumerate(new):
            entries = slice(None) if index is None else index[p]
            flat[entries] = moved
            try:
                self._call(one, {}, into[p : p + 1])
            except Exception as error:  # whatever a user's function raises there: the point cannot be evaluated
                self.error = told(error)
                into[p] = np.nan
            if index is not None:
                flat[entries] = old[p]
        return len(new)

    def _call(self, x: Array, others: dict[str, Array], into: Array) -> None:
        subtract(self.forward({**self.values, **others, self.wrt: x}), self.base, into)


def subtract(outputs: Sequence[Array], base: Array, into: Array) -> None:
    """Write outputs of several points, less those at the point itself, into `(points, outputs)`."""
    at = 0
    for output in outputs:
        part = np.asarray(output).reshape(len(into), -1)
        end = at + part.shape[1]
        np.subtract(part, base[at:end], out=into[:, at:end])
        at = end
    if at != into.shape[1]:
        raise ValueError(f"forward returned {at} numbers, but {into.shape[1]} at the unperturbed point")


class Evaluator:
    """Evaluates points of one variable, in place or on an executor, and books calls and rows by stage.

    `f0 (outputs,)`: f at the point; `eps`: of the numbers that it computes with.
    """

    def __init__(
        self,
        forward: Forward,
        values: Values,
        wrt: str,
        executor: Executor | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        self.values = {name: np.asarray(value) for name, value in values.items()}
        self.executor, self.progress = executor, progress
        with np.errstate(all="ignore"):
            outputs = [np.asarray(output) for output in forward(dict(self.values))]
        if other := next((output.dtype for output in outputs if output.dtype.kind not in "fiub"), None):
            raise UsageError(f"expected a function that returns real numbers, but got an array of dtype {other}")
        self.shapes = tuple(output.shape for output in outputs)
        flat = [output.astype(np.float64).ravel() for output in outputs]
        self.f0 = np.concatenate(flat) if flat else np.zeros(0)
        x = self.values[wrt]
        self.eps = max(float(np.finfo(a.dtype).eps) if a.dtype.kind == "f" else 0.0 for a in (x, *outputs)) or 2.0**-52
        self.rows = next((shape[0] for shape in self.shapes if shape), x.shape[0] if x.ndim else 1)
        self.perturbed = PerturbedForward(forward, self.values, wrt, self.f0)
        self.calls: dict[str, int] = {"structure": 1}
        self.row_count: dict[str, int] = {"structure": self.rows}

    @property
    def x(self) -> Array:
        """The variable at the point, flat."""
        return self.perturbed.values[self.perturbed.wrt].reshape(-1)

    @property
    def shape(self) -> tuple[int, ...]:
        """The variable's shape."""
        shape: tuple[int, ...] = self.perturbed.values[self.perturbed.wrt].shape
        return shape

    @property
    def cost(self) -> Cost:
        """What was spent so far."""
        return Cost(dict(self.calls), dict(self.row_count))

    def book(self, stage: str, calls: int, points: int) -> None:
        """Count `calls` of forward on `points` points."""
        self.calls[stage] = self.calls.get(stage, 0) + calls
        self.row_count[stage] = self.row_count.get(stage, 0) + points * self.rows
        if self.progress is not None:
            self.progress(sum(self.calls.values()))

    def __call__(self, index: Array | None, new: Array, stage: str) -> Array:
        """Return the changes `(points, outputs)` where some entries are replaced by `new[p]`: see `run`."""
        if self.executor is None or len(new) < 2:
            result, calls = self.perturbed.run(index, new)
        else:
            result, calls = self._spread(index, new)
        self.book(stage, calls, len(new))
        return result

    def along(self, direction: Array, t: Array, domain: Domain, stage: str) -> tuple[Array, Array]:
        """Return the changes `(…, len(t), outputs)` at x + t · direction, and which t every entry could follow.

        `direction (…, entries)`: one or several. An entry that would leave the domain stays where it is.
        """
        x, directions = self.x, direction.reshape(-1, self.x.size)
        lines, moves = np.empty((len(directions), 2, x.size), x.dtype), np.ones((len(t), 2), x.dtype)
        lines[:, 0], lines[:, 1], moves[:, 1] = x, directions, t
        still = directions == 0 if not direction.all() else None
        results = np.empty((len(directions), len(t), self.f0.size))
        free = np.empty((len(directions), len(t)), dtype=bool)
        size = len(t) if self.executor else max(1, BLOCK_BYTES // (8 * max(1, x.size)))
        together = max(1, size // len(t))
        for first in range(0, len(directions), together):
            for start in range(0, len(t), size):
                at = slice(first, first + together), slice(start, start + size)
                with np.errstate(over="ignore", invalid="ignore"):
                    new = within(x, moves[at[1]] @ lines[at[0]], domain)
                follows = new != x
                if still is not None:
                    follows |= still[at[0], None]
                free[at] = follows.all(axis=-1)
                results[at] = self(None, new.reshape(-1, x.size), stage).reshape(*new.shape[:2], -1)
        return results.reshape(*direction.shape[:-1], len(t), -1), free.reshape(*direction.shape[:-1], len(t))

    def in_long_double(self) -> Evaluator | None:
        """Return the same with forward computing in long double; None where it does not, or is another function then.

        Its changes are free of what float64 rounds inside of f.
        """
        wide = np.finfo(np.longdouble)
        if wide.eps >= self.eps or self.eps > np.finfo(np.float64).eps:
            return None
        old = self.perturbed
        values = {**old.values, old.wrt: old.values[old.wrt].astype(np.longdouble)}
        try:
            with np.errstate(all="ignore"):
                with callbacks.raising():
                    outputs = [np.asarray(output) for output in old.forward(values)]
                self.book("long double", 1, 1)
                if any(output.dtype != np.longdouble for output in outputs):
                    return None
                base = np.concatenate([output.ravel() for output in outputs])
                same = np.abs(base - self.f0) <= OTHER * np.max(np.abs(self.f0), initial=0.0)
        except Exception:  # whatever a user's function raises at numbers that it does not know
            return None
        if base.shape != self.f0.shape or not same.all():
            return None
        made = Evaluator.__new__(Evaluator)
        perturbed = replace(old, values=values, base=base, _tiles={})
        made.__dict__ = {**self.__dict__, "eps": float(wide.eps), "perturbed": perturbed}
        return made

    def _spread(self, index: Array | None, new: Array) -> tuple[Array, int]:
        assert self.executor is not None
        parts = np.array_split(np.arange(len(new)), min(len(new), PARTS))
        try:
            # Each part has arrays of its own to perturb: threads would overwrite each other's.
            jobs = [
                self.executor.submit(
                    run,
                    replace(self.perturbed, _tiles={}),
                    None if index is None else index[part % len(index)],
                    new[part],
                )
                for part in parts
            ]
            done = [job.result() for job in jobs]
        except (AttributeError, TypeError) as error:
            if "pickle" not in str(error):
                raise
            raise UsageError(
                f"executor= sends forward to other processes, but it cannot be pickled ({error}): "
                "define it at the top of a module"
            ) from error
        return np.concatenate([part for part, _ in done]), sum(calls for _, calls in done)


def run(perturbed: PerturbedForward, index: Array | None, new: Array) -> tuple[Array, int]:
    """Run one part on an executor."""
    return perturbed.run(index, new)
