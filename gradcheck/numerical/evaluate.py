"""Run `forward` at many perturbed values of one variable, in cache-sized blocks, and count what it cost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from gradcheck.errors import UsageError
from gradcheck.numerical.estimate import Cost
from gradcheck.problem import Array, Values

Forward = Callable[[Values], list[Array]]

# Stacked inputs and outputs of one call stay within this many bytes, so that they stay in the cache.
BLOCK_BYTES = 1 << 19


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
    _scratch: dict[int, dict[str, Array]] = field(default_factory=dict)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_scratch": {}}

    def run(self, index: Array, new: Array) -> tuple[Array, int]:
        """Return the outputs `(points, outputs)` and the number of calls made.

        Point p has the entries `index[p]` (flat) of the variable replaced by `new[p]`. A point at
        which forward raises is a row of NaN.
        """
        result = np.full((len(index), self.outputs), np.nan)
        size = self._block(len(index))
        calls = 0
        with np.errstate(all="ignore"):
            for start in range(0, len(index), size):
                stop = min(start + size, len(index))
                calls += self._one(index[start:stop], new[start:stop], result[start:stop])
        return result, calls

    def _block(self, points: int) -> int:
        if not self.stacked:
            return 1
        each = 8 * (self.outputs + sum(self.values[name].size for name in self.stacked))
        return max(1, min(points, BLOCK_BYTES // each))

    def _one(self, index: Array, new: Array, into: Array) -> int:
        points = len(index)
        values = self._scratch.get(points)
        if values is None:
            values = dict(self.values)
            for name in {*self.stacked, self.wrt}:
                base = self.values[name]
                values[name] = np.tile(base, (points,) + (1,) * (base.ndim - 1)) if points > 1 else base.copy()
            self._scratch = {points: values}
        flat = values[self.wrt].reshape(points, -1)
        here = np.arange(points)[:, None]
        flat[here, index] = new
        try:
            self._read(self.forward(values), points, into)
            return 1
        except Exception as error:  # whatever a user's function raises there: the point cannot be evaluated
            self.error = f"{type(error).__name__}: {error}"
            if points == 1:
                return 1
        finally:
            flat[here, index] = self.values[self.wrt].reshape(-1)[index]
        return 1 + sum(self._one(index[p : p + 1], new[p : p + 1], into[p : p + 1]) for p in range(points))

    def _read(self, outputs: Sequence[Array], points: int, into: Array) -> None:
        at = 0
        for output in outputs:
            part = np.asarray(output).reshape(points, -1)
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

    def __call__(self, index: Array, new: Array, stage: str) -> Array:
        """Return the outputs `(points, outputs)` where entries `index[p]` are replaced by `new[p]`."""
        if self.executor is None or len(index) < 2:
            result, calls = self.worker.run(index, new)
        else:
            result, calls = self._spread(index, new)
        self.book(stage, calls, len(index))
        return result

    def _spread(self, index: Array, new: Array) -> tuple[Array, int]:
        assert self.executor is not None
        parts = np.array_split(np.arange(len(index)), min(len(index), 16))
        try:
            # Each part has arrays of its own to perturb: threads would overwrite each other's.
            workers = [replace(self.worker, _scratch={}) for _ in parts]
            jobs = [
                self.executor.submit(run, worker, index[part], new[part])
                for worker, part in zip(workers, parts, strict=True)
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


def run(worker: Worker, index: Array, new: Array) -> tuple[Array, int]:
    """Run one part on an executor."""
    return worker.run(index, new)


def tile(values: Values, names: Iterable[str], times: int) -> dict[str, Array]:
    """Return `values` with the named ones repeated along their first axis."""
    names = set(names)
    return {
        name: np.tile(value, (times,) + (1,) * (value.ndim - 1)) if name in names else value
        for name, value in values.items()
    }
