"""Which entries of a variable touch which outputs: found from `forward`, used as a colouring.

Entries that share no output are one colour and are perturbed together: A. R. Curtis, M. J. D. Powell and
J. K. Reid, "On the estimation of sparse Jacobian matrices", IMA J. Appl. Math. 13 (1974).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradcheck.numerical.evaluate import Evaluator, tile
from gradcheck.numerical.steps import perturbed
from gradcheck.problem import Array

Domain = tuple[float, float] | None


@dataclass(frozen=True)
class Structure:
    """A colouring of a variable's entries.

    `index (colours, entries)`: the flat entries that are perturbed together; `column (colours, outputs)`:
    the one among them that touches an output, −1 for none; `slot (colours, outputs)`: where in `index` it stands.
    """

    name: str
    index: Array
    column: Array
    slot: Array


def dense(size: int, outputs: int) -> Structure:
    """Return the colouring that assumes nothing: every entry touches every output."""
    index = np.arange(size)[:, None]
    return Structure("dense", index, np.repeat(index, outputs, axis=1), np.zeros((size, outputs), dtype=np.intp))


def separable(shape: tuple[int, ...], outputs: tuple[tuple[int, ...], ...], first: bool, last: bool) -> Structure:
    """Return the colouring where position i of the first (last) axis touches only position i of the outputs'.

    `first` alone is row-independent, `last` alone is column-separable, both together elementwise
    (for matrices; a middle axis stays dense).
    """
    front, back = shape[0] if first else 1, shape[-1] if last else 1
    if last and first and len(shape) == 1:
        back = 1
    grid = np.arange(int(np.prod(shape))).reshape(front, -1, back)
    index = grid.transpose(1, 0, 2).reshape(grid.shape[1], front * back)
    slots = []
    for output in outputs:
        i = np.zeros(output, dtype=np.intp)
        if front > 1:
            i = i + np.arange(front).reshape((front,) + (1,) * (len(output) - 1)) * back
        if back > 1:
            i = i + np.arange(back)
        slots.append(i.ravel())
    slot = np.concatenate(slots)
    name = {(True, False): "rows", (False, True): "columns", (True, True): "elementwise"}[first, last]
    return Structure(name, index, index[:, slot], np.repeat(slot[None, :], len(index), axis=0))


def find(evaluator: Evaluator, size: Array, domain: Domain, rng: np.random.Generator) -> Structure:
    """Propose a structure: which axes of the variable meet the same axis of every output, position by position.

    For an axis of n positions, 2⌈log₂ n⌉ calls perturb half of the positions, so that every pair of positions is
    told apart by one call; the outputs at the positions left alone must not move at all. Only a proposal:
    the certificate decides.
    """
    shape = evaluator.worker.values[evaluator.worker.wrt].shape
    outputs = evaluator.shapes
    found = [_meets(evaluator, size, domain, rng, axis) for axis in (0, -1)] if len(shape) > 1 else []
    if len(shape) == 1:
        # A vector's only axis may be the outputs' batch (an elementwise function of a vector) or last axis (a bias).
        if all(output == shape for output in outputs):
            both = _meets(evaluator, size, domain, rng, 0)
            found = [both, both]
        else:
            found = [False, _meets(evaluator, size, domain, rng, -1)]
    if not any(found):
        return dense(size.size, evaluator.f0.size)
    return separable(shape, outputs, found[0], found[1])


def _meets(evaluator: Evaluator, size: Array, domain: Domain, rng: np.random.Generator, axis: int) -> bool:
    shape = evaluator.worker.values[evaluator.worker.wrt].shape
    n = shape[axis]
    if any(len(output) == 0 or output[axis] != n for output in evaluator.shapes):
        return False
    if n < 2:
        return bool(n == 1)
    bits = max(1, int(np.ceil(np.log2(n))))
    position = np.arange(n)
    place = [-1 if i == axis % len(shape) else 1 for i in range(len(shape))]
    flat_position = np.broadcast_to(position.reshape(place), shape).ravel()
    into = [
        np.broadcast_to(position.reshape([-1 if i == axis % len(out) else 1 for i in range(len(out))]), out).ravel()
        for out in evaluator.shapes
    ]
    output_position = np.concatenate(into)
    x = evaluator.x
    whole = np.arange(x.size)[None, :]
    for bit in range(bits):
        for side in (0, 1):
            moved = (flat_position >> bit) & 1 == side
            h = size * np.exp2(-rng.integers(1, 12)) * rng.choice([-1, 1], x.size) * rng.uniform(0.5, 1, x.size)
            new, _ = perturbed(x, np.where(moved, h, 0), domain)
            # Where that leaves the domain, the other way may not.
            new = np.where(moved & (new == x), perturbed(x, -h, domain)[0], new)
            result = evaluator(whole, new[None, :], "structure")[0]
            still = (output_position >> bit) & 1 != side
            same = (result == evaluator.f0) | (np.isnan(result) & np.isnan(evaluator.f0))
            if not same[still].all():
                return False
    return True


def stack(evaluator: Evaluator, structure: Structure, size: Array, domain: Domain) -> tuple[str, ...]:
    """Return the variables to repeat along the batch so that several points take one call; () if that fails.

    Accepted only if a stacked call gives what the plain calls give, up to rounding.
    """
    worker = evaluator.worker
    x = worker.values[worker.wrt]
    if structure.name not in ("rows", "elementwise") or x.ndim == 0:
        return ()
    rows = x.shape[0]
    alike = tuple(name for name, v in worker.values.items() if v.ndim and v.shape[0] == rows)
    moved, _ = perturbed(x, np.ldexp(size.reshape(x.shape), -4), domain)
    whole = np.arange(x.size)[None, :]
    plain = np.stack([evaluator.f0, evaluator(whole, moved.reshape(1, -1), "structure")[0]])
    for names in dict.fromkeys((alike, (worker.wrt,))):
        values = tile(worker.values, names, 2)
        values[worker.wrt] = np.concatenate([x, moved])
        try:
            with np.errstate(all="ignore"):
                outputs = worker.forward(values)
            both = np.concatenate([np.asarray(output, dtype=np.float64).reshape(2, -1) for output in outputs], axis=1)
        except Exception:  # a function that does not take another batch size is called point by point
            continue
        finally:
            evaluator.book("structure", 1, 2)
        if both.shape != plain.shape:
            continue
        size_of_f = np.abs(plain).max(axis=1, keepdims=True, initial=0)
        close = np.abs(both - plain) <= 64 * np.finfo(np.float64).eps * size_of_f
        if np.all(close | (np.isnan(both) & np.isnan(plain)) | (both == plain)):
            return names
    return ()
