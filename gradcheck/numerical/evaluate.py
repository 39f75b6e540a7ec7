"""Run `forward` at many perturbed values of one variable, in cache-sized blocks, and count what it cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from gradcheck.errors import UsageError, told
from gradcheck.numerical.estimate import Cost
from gradcheck.numerical.stacking import Tile, join
from gradcheck.numerical.steps import within
from gradcheck.problem import Array, Values

Forward = Callable[[Values], list[Array]]

# Stacked inputs and outputs of one call stay within this many bytes, so that they stay in the cache.
BLOCK_BYTES = 1 << 19
# Memory fresh from the system costs a page fault every 4 KB: up to a quarter of an estimate's time. Once a large array
# was freed, glibc takes smaller ones from memory that it keeps (mallopt(3): the dynamic mmap threshold).
KEPT_BYTES = 1 << 24
np.empty(KEPT_BYTES, dtype=np.uint8)


def flatten(outputs: Any) -> Array:
    """Return all outputs, flattened and concatenated, as one float64 vector."""
    parts = [np.asarray(output) for output in outputs]
    if len(parts) == 1:
        return parts[0].astype(np.float64).ravel()
    return np.concatenate([part.astype(np.float64).ravel() for part in parts]) if parts else np.zeros(0)


@dataclass
class Worker:
    """`forward` with everything but one variable fixed. Picklable where `forward` is."""

    forward: Forward
    values: dict[str, Array]
    wrt: str
    outputs: int
    stacked: tuple[str, ...] = ()  # variables that are repeated along the batch; empty: one call each
    rows: int = 1
    error: str | None = None
    _tiles: dict[str, Tile] = field(default_factory=dict)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_tiles": {}}

    def run(self, index: Array | None, new: Array) -> tuple[Array, int]:
        """Return the outputs `(points, outputs)` and the number of calls made.

        Point p has the entries `index[p % len(index)]` (flat; None: all entries) of the variable replaced by `new[p]`.
        A point at which forward raises is a row of NaN.
        """
        result = np.empty((len(new), self.outputs))
        if index is not None:
            index = index[np.arange(len(new)) % len(index)]
        each = 8 * (self.outputs + sum(self.values[name].size for name in self.stacked))
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
                    self._together(x, result[part])
                except Exception:  # which of them was it?
                    calls += self._each(None if index is None else index[part], new[part], result[part])
                finally:
                    if index is not None:
                        tile.memory[place[part]] = old[part]
        return result, calls

    def _together(self, x: Array, into: Array) -> None:
        others = {name: self._tiles[name].first(len(into)) for name in self.stacked if name != self.wrt}
        self._read(self.forward({**self.values, **others, self.wrt: x}), into)

    def _each(self, index: Array | None, new: Array, into: Array) -> int:
        one = self.values[self.wrt].copy()
        flat = one.reshape(-1)
        if index is not None:
            old = flat[index]
        for p, moved in enumerate(new):
            entries = slice(None) if index is None else index[p]
            flat[entries] = moved
            try:
                self._read(self.forward({**self.values, self.wrt: one}), into[p : p + 1])
            except Exception as error:  # whatever a user's function raises there: the point cannot be evaluated
                self.error = told(error)
                into[p] = np.nan
            if index is not None:
                flat[entries] = old[p]
        return len(new)

    def _read(self, outputs: Sequence[Array], into: Array) -> None:
        at = 0
        for output in outputs:
            part = np.asarray(output).reshape(len(into), -1)
            into[:, at : at + part.shape[1]] = part
            at += part.shape[1]
        if at != into.shape[1]:
            raise ValueError(f"forward returned {at} numbers, but {into.shape[1]} at the unperturbed point")


class Evaluator:
    """Evaluates points of one variable, in place or on an executor, and books calls and rows by stage."""

    def __init__(self, forward: Forward, values: Values, wrt: str, executor: Executor | None = None) -> None:
        self.values = {name: np.asarray(value) for name, value in values.items()}
        self.executor = executor
        with np.errstate(all="ignore"):
            outputs = [np.asarray(output) for output in forward(dict(self.values))]
        self.shapes = tuple(output.shape for output in outputs)
        self.dtypes = tuple(output.dtype for output in outputs)
        self.f0 = flatten(outputs)
        x = self.values[wrt]
        self.rows = next((shape[0] for shape in self.shapes if shape), x.shape[0] if x.ndim else 1)
        self.worker = Worker(forward, self.values, wrt, self.f0.size, rows=self.rows)
        self.calls: dict[str, int] = {"structure": 1}
        self.row_count: dict[str, int] = {"structure": self.rows}

    @property
    def x(self) -> Array:
        """The variable at the point, flat."""
        return self.worker.values[self.worker.wrt].reshape(-1)

    @property
    def cost(self) -> Cost:
        """What was spent so far."""
        return Cost(dict(self.calls), dict(self.row_count))

    def book(self, stage: str, calls: int, points: int) -> None:
        """Count `calls` of forward on `points` points."""
        self.calls[stage] = self.calls.get(stage, 0) + calls
        self.row_count[stage] = self.row_count.get(stage, 0) + points * self.rows

    def __call__(self, index: Array | None, new: Array, stage: str) -> Array:
        """Return the outputs `(points, outputs)` where some entries are replaced by `new[p]`: see `Worker.run`."""
        if self.executor is None or len(new) < 2:
            result, calls = self.worker.run(index, new)
        else:
            result, calls = self._spread(index, new)
        self.book(stage, calls, len(new))
        return result

    def along(self, direction: Array, t: Array, domain: tuple[float, float] | None, stage: str) -> tuple[Array, Array]:
        """Return the outputs `(…, len(t), outputs)` at x + t · direction, and which t every entry could follow.

        `direction (…, entries)`: one or several. An entry that would leave the domain stays where it is.
        """
        x, directions = self.x, direction.reshape(-1, self.x.size)
        lines, moves = np.empty((len(directions), 2, x.size)), np.ones((len(t), 2))
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

    def _spread(self, index: Array | None, new: Array) -> tuple[Array, int]:
        assert self.executor is not None
        parts = np.array_split(np.arange(len(new)), min(len(new), 16))
        try:
            # Each part has arrays of its own to perturb: threads would overwrite each other's.
            jobs = [
                self.executor.submit(
                    run, replace(self.worker, _tiles={}), None if index is None else index[part % len(index)], new[part]
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


def run(worker: Worker, index: Array | None, new: Array) -> tuple[Array, int]:
    """Run one part on an executor."""
    return worker.run(index, new)
