"""Which entries of a variable touch which outputs: found from `forward`, used as a colouring.

Entries that share no output are one colour and are perturbed together: A. R. Curtis, M. J. D. Powell and
J. K. Reid, "On the estimation of sparse Jacobian matrices", IMA J. Appl. Math. 13 (1974).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import combinations, islice, pairwise
from math import comb, prod

import numpy as np

from gradcheck.numerical.evaluation.evaluate import BLOCK_BYTES, Evaluator, subtract
from gradcheck.numerical.evaluation.stacking import Tile, join
from gradcheck.numerical.evaluation.steps import Domain, moved, random_numbers
from gradcheck.problem import Array

# How far entries are moved to see what they touch, as shares of their scale: 2^-12 … 2^-1, times 1 … 2, either way.
# Half of them as far as may be: f may be rounded to stairs that are as long as x.
MOVES = np.array(
    [sign * np.ldexp(1 + m / 64, -e) for sign in (1, -1) for m in range(63) for e in (*range(2, 13), *[1] * 11)]
)
# A stacked call gives what plain calls give up to this many roundings: sums may be taken in another order.
REORDERED = 64


@dataclass(frozen=True)
class Structure:
    """A colouring of a variable's entries.

    `index (colours, entries)`: the flat entries that are perturbed together; `slot (outputs,)`: which of them touches
    an output, in every colour. `each`: how many outputs an entry has, where they stand in the order of their entries;
    else 0.
    """

    name: str
    index: Array
    slot: Array
    each: int

    @classmethod
    def of(cls, name: str, index: Array, slot: Array) -> Structure:
        """Return the colouring in which `slot` says which of the entries moved together an output belongs to."""
        entries = index.shape[1]
        each = slot.size // entries
        in_order = np.array_equal(slot, np.repeat(np.arange(entries), each))
        return cls(name, index, slot, each if in_order else 0)

    @cached_property
    def column(self) -> Array:
        """The entry that touches an output, `(colours, outputs)`. Large, and so made only when it is asked for."""
        return np.take(self.index, self.slot, axis=1)

    @property
    def shape(self) -> tuple[int, int]:
        """How many colours and outputs there are."""
        return len(self.index), self.slot.size

    def spread(self, entries: Array) -> Array:
        """Return `(…, outputs)`: for every output the number of its own entry, of numbers `(…, entries)`."""
        if entries.shape[-1] == 1:
            return np.broadcast_to(entries, (*entries.shape[:-1], self.slot.size))
        if self.each:  # twice as fast
            return np.repeat(entries, self.each, axis=-1)
        return np.take(entries, self.slot, axis=-1, mode="clip")

    def blocks(self, entries: int) -> list[slice]:
        """Return blocks of colours of about this many entries of the Jacobian."""
        colours, outputs = self.shape
        size = max(1, entries // max(outputs, 1))
        return [slice(start, start + size) for start in range(0, colours, size)]

    def part(self, colours: slice | Array) -> Structure:
        """Return some of the colours."""
        return replace(self, index=self.index[colours])


def dense(size: int, outputs: int) -> Structure:
    """Return the colouring that assumes nothing: every entry touches every output."""
    return Structure.of("dense", np.arange(size)[:, None], np.zeros(outputs, dtype=np.intp))


def separable(shape: tuple[int, ...], outputs: tuple[tuple[int, ...], ...], first: bool, last: bool) -> Structure:
    """Return the colouring where position i of the first (last) axis touches only position i of the outputs'.

    `first` alone is row-independent, `last` alone is column-separable, both together elementwise
    (for matrices; a middle axis stays dense).
    """
    front, back = shape[0] if first else 1, shape[-1] if last else 1
    if last and first and len(shape) == 1:
        back = 1
    grid = np.arange(prod(shape)).reshape(front, -1, back)
    index = grid.transpose(1, 0, 2).reshape(grid.shape[1], front * back)
    slots = []
    for output in outputs:
        i = np.zeros(output, dtype=np.intp)
        if front > 1:
            i = i + np.arange(front).reshape((front,) + (1,) * (len(output) - 1)) * back
        if back > 1:
            i = i + np.arange(back)
        slots.append(i.ravel())
    name = {(True, False): "rows", (False, True): "columns", (True, True): "elementwise"}[first, last]
    return Structure.of(name, index, np.concatenate(slots))


def find(evaluator: Evaluator, scale: Array, domain: Domain, rng: np.random.Generator) -> Structure:
    """Propose a structure: which axes of the variable meet the same axis of every output, position by position.

    For an axis of n positions, about log₂ n calls perturb half of the positions each (`halves`); the outputs at the
    positions left alone must not move at all. Only a proposal: the certificate decides.
    """
    shape, outputs = evaluator.shape, evaluator.shapes
    found = [_meets(evaluator, scale, domain, rng, axis) for axis in (0, -1)] if len(shape) > 1 else []
    if len(shape) == 1:
        # A vector's only axis may be the outputs' batch (an elementwise function of a vector) or last axis (a bias).
        last = _meets(evaluator, scale, domain, rng, -1)
        found = [last and all(output == shape for output in outputs), last]
    if not any(found):
        return dense(scale.size, evaluator.f0.size)
    return separable(shape, outputs, found[0], found[1])


def _meets(evaluator: Evaluator, scale: Array, domain: Domain, rng: np.random.Generator, axis: int) -> bool:
    shape = evaluator.shape
    n = shape[axis]
    if any(len(output) == 0 or output[axis] != n for output in evaluator.shapes):
        return False
    if n < 2:
        return bool(n == 1)
    apart = halves(n)
    x = evaluator.x
    # Every call moves every entry by another amount: it takes another piece of one long draw.
    draw = MOVES[random_numbers(rng, x.size + len(apart), np.uint16) % len(MOVES)]
    # The first call alone tells most axes that do meet; the others go together.
    together = max(1, BLOCK_BYTES // x.nbytes)
    known = np.isfinite(evaluator.f0)
    for start, end in pairwise([0, *range(1, len(apart), together), len(apart)]):
        moving = _along(apart[start:end], axis, len(shape))
        h = np.stack([draw[call : call + x.size] for call in range(start, end)])
        h *= scale
        h = h.reshape(-1, *shape)
        h *= moving
        new = moved(x.reshape(shape), h, domain)
        changed = (evaluator(None, new.reshape(len(new), -1), "structure") != 0) & known
        at = 0
        for out in evaluator.shapes:
            part = slice(at, at + prod(out))
            if (changed[:, part].reshape(-1, *out) & _along(~apart[start:end], axis, len(out))).any():
                return False
            at = part.stop
    return True


def _along(masks: Array, axis: int, ndim: int) -> Array:
    """Return masks `(calls, positions of an axis)` in a shape that broadcasts."""
    return masks.reshape([len(masks), *(-1 if i == axis % ndim else 1 for i in range(ndim))])


@lru_cache(maxsize=64)
def halves(n: int) -> Array:
    """Return masks `(calls, n)` so that for any two positions i and j one call moves i and leaves j alone.

    Position i is moved by the calls in its own set of ⌊k/2⌋ out of k calls: no such set contains another (E. Sperner
    1928).

    >>> halves(6).astype(int).sum(axis=1).tolist()
    [3, 3, 3, 3]
    """
    k = 2
    while comb(k, k // 2) < n:
        k += 1
    chosen = np.array(list(islice(combinations(range(k), k // 2), n)))
    masks = np.zeros((k, n), dtype=bool)
    masks[chosen.T, np.arange(n)] = True
    return masks


def stack(evaluator: Evaluator, structure: Structure, scale: Array, domain: Domain) -> tuple[str, ...]:
    """Return the variables to repeat along the batch so that several points take one call; () if that fails.

    Accepted only if a stacked call gives what the plain calls give, up to rounding.
    """
    perturbed, shape = evaluator.perturbed, evaluator.shape
    if structure.name not in ("rows", "elementwise") or not shape:
        return ()
    x = perturbed.values[perturbed.wrt]
    alike = tuple(name for name, v in perturbed.values.items() if v.ndim and v.shape[0] == shape[0])
    near = moved(x, np.ldexp(scale.reshape(shape), -4), domain)
    plain = np.stack([np.zeros(evaluator.f0.size), evaluator(None, near.reshape(1, -1), "structure")[0]])
    for names in dict.fromkeys((alike, (perturbed.wrt,))):
        others = {name: Tile(perturbed.values[name], 2).joined for name in names if name != perturbed.wrt}
        values = {**perturbed.values, **others, perturbed.wrt: join(np.stack([x, near]))}
        both = np.empty(plain.shape)
        try:
            with np.errstate(all="ignore"):
                subtract(perturbed.forward(values), perturbed.base, both)
        except Exception:  # a function that does not take another batch size is called point by point
            continue
        finally:
            evaluator.book("structure", 1, 2)
        size = sum(float(np.max(np.abs(f), where=np.isfinite(f), initial=0)) for f in (evaluator.f0, plain))
        if np.allclose(both, plain, rtol=0, atol=REORDERED * np.finfo(np.float64).eps * size, equal_nan=True):
            return names
    return ()
