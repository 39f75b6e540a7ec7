"""The Jacobian of a function by one variable, each entry with a bound: structure, noise, ladder, certificate."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np

from gradcheck.numerical import kinks, noise
from gradcheck.numerical.estimate import Estimate
from gradcheck.numerical.evaluate import Evaluator, Forward
from gradcheck.numerical.extrapolate import Best, select
from gradcheck.numerical.steps import perturbed, relative_steps, scales
from gradcheck.numerical.structure import Structure, dense, find, stack
from gradcheck.problem import Array

# Noise spacings: from 2^-10 of the scale, where a sixth difference of a smooth function is below rounding.
FIRST_SPACING, SPACING_STRIDE = 10, 8
BLOCK_ENTRIES = 4096


def estimate(
    forward: Forward,
    values: Mapping[str, Array],
    wrt: str,
    *,
    domain: tuple[float, float] | None = None,
    seed: int = 0,
    executor: Executor | None = None,
) -> Estimate:
    """Return the Jacobian of `forward` by `values[wrt]`, with a bound for every entry.

    `forward(values)` must be pure. `domain`: the open interval in which the variable stays.
    `executor`: any `concurrent.futures.Executor`; forward must be picklable where it crosses processes.
    An entry that cannot be estimated has an infinite bound and the result a `reason`.
    """
    rng = np.random.default_rng(seed)
    evaluator = Evaluator(forward, values, wrt, executor)
    x = evaluator.x
    if x.size == 0 or evaluator.f0.size == 0:
        return _empty(evaluator)
    ladder = Ladder.of(evaluator, domain)
    structure = find(evaluator, ladder.scale, rng)
    evaluator.worker.stacked = stack(evaluator, structure, ladder.scale)
    ladder.amplitude = ladder.noise(evaluator, rng)
    found = ladder.climb(evaluator, structure)
    zero = certificate(evaluator, structure, ladder, found, rng)
    if zero is None and structure.name != "dense":
        structure = dense(x.size, evaluator.f0.size)
        evaluator.worker.stacked = ()
        found = ladder.climb(evaluator, structure)
        zero = certificate(evaluator, structure, ladder, found, rng)
    if zero is None:
        zero = np.zeros(evaluator.f0.size)
    return _result(evaluator, structure, found, zero)


@dataclass
class Found:
    """What the ladder found, `(colours, outputs)` each."""

    value: Array
    truncation: Array
    rounding: Array
    step: Array
    kink: Array
    jump: Array
    left: Array
    right: Array


@dataclass
class Ladder:
    """The steps of every entry, and the noise to expect at each."""

    scale: Array
    exponents: Array
    steps: Array
    domain: tuple[float, float] | None
    eps: float
    amplitude: Array

    @classmethod
    def of(cls, evaluator: Evaluator, domain: tuple[float, float] | None) -> Ladder:
        """Return a ladder from 8 × max(|x|, 1) down to where a step is 64 roundings of the smallest entry."""
        x = evaluator.x
        types = [d for d in (x.dtype, *evaluator.dtypes) if d.kind == "f"]
        eps = max((float(np.finfo(d).eps) for d in types), default=float(np.finfo(np.float64).eps))
        scale = scales(x, 1.0)
        size = np.abs(x[x != 0].astype(np.float64))
        below = np.log2(scale.max() / size.min()) if size.size else 0.0
        last = int(min(-np.log2(eps) - 8 + max(below, 0), 150))
        exponents = np.arange(-2, last + 1)
        return cls(scale, exponents, relative_steps(-2, last), domain, eps, np.zeros(0))

    def noise(self, evaluator: Evaluator, rng: np.random.Generator) -> Array:
        """Return the noise amplitude `(steps, outputs)` to expect at every step."""
        spacings = np.arange(FIRST_SPACING, self.exponents[-1] + 1, SPACING_STRIDE)
        found = noise.measure(evaluator, self.scale, spacings, self.domain, rng)
        found[~np.isfinite(found)] = 0
        amplitude = np.zeros((len(self.exponents), evaluator.f0.size))
        for spacing, size in zip(spacings, found, strict=True):
            # A window at step h has to live with the noise at every spacing that is finer than it by 2^8.
            amplitude[self.exponents <= spacing - 8] = np.maximum(amplitude[self.exponents <= spacing - 8], size)
        return amplitude

    def climb(self, evaluator: Evaluator, structure: Structure) -> Found:
        """Evaluate the whole ladder for every colour, a block of colours at a time."""
        colours, outputs = structure.column.shape
        block = max(1, BLOCK_ENTRIES // outputs)
        parts = [self._block(evaluator, structure, slice(c, c + block)) for c in range(0, colours, block)]
        return Found(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))

    def along(self, evaluator: Evaluator, direction: Array, stage: str) -> Found:
        """Return the derivative of all outputs by t at x + t · direction, as `(1, outputs)`."""
        x = evaluator.x
        whole = np.broadcast_to(np.arange(x.size), (len(self.steps), x.size))
        f, exact = [], []
        for sign in (1, -1):
            new, taken = perturbed(x, sign * self.steps[:, None] * direction, self.domain)
            f.append(evaluator(whole, new, stage))
            exact.append((taken != 0).all(axis=1))
        f0 = evaluator.f0
        h = self.steps[:, None]
        with np.errstate(all="ignore"):
            up, down = (np.where(ok[:, None], side, np.nan) for side, ok in zip(f, exact, strict=True))
            ahead, behind, central = (up - f0) / h, (f0 - down) / h, (up - down) / (2 * h)
            largest = np.fmax(np.fmax(np.abs(up), np.abs(down)), np.abs(f0))
            amplitude = np.maximum(self.amplitude, self.eps * largest)
        one = np.ones(f0.size)
        shape = (1, f0.size)
        return Found(*_judge(up, down, f0, ahead, behind, central, self.steps, amplitude / h, amplitude, one, shape))

    def _block(self, evaluator: Evaluator, structure: Structure, which: slice) -> tuple[Array, ...]:
        x, f0 = evaluator.x, evaluator.f0
        index, slot, column = structure.index[which], structure.slot[which], structure.column[which]
        shape = (len(self.steps),) + column.shape
        sides = []
        for sign in (1, -1):
            h = sign * self.steps[:, None, None] * self.scale[index]
            new, taken = perturbed(np.broadcast_to(x[index], h.shape), h, self.domain)
            points = np.broadcast_to(index, h.shape).reshape(-1, index.shape[1])
            f = evaluator(points, new.reshape(points.shape), "steps").reshape(shape)
            sides.append((f, np.take_along_axis(taken, np.broadcast_to(slot, shape), axis=2)))
        flat = (len(self.steps), -1)
        (up, h_up), (down, h_down) = ((f.reshape(flat), h.reshape(flat)) for f, h in sides)
        base = np.tile(f0, len(column))
        scale = self.scale[column].ravel()
        with np.errstate(all="ignore"):
            ahead, behind = (up - base) / h_up, (down - base) / h_down
            central = (up - down) / (h_up - h_down)
            central[(h_up == 0) | (h_down == 0)] = np.nan
            largest = np.fmax(np.fmax(np.abs(up), np.abs(down)), np.abs(base))
            amplitude = np.maximum(np.tile(self.amplitude, len(column)), self.eps * largest)
            noise = amplitude / (self.steps[:, None] * scale)
        return _judge(up, down, base, ahead, behind, central, self.steps, noise, amplitude, scale, column.shape)


def _judge(
    up: Array,
    down: Array,
    base: Array,
    ahead: Array,
    behind: Array,
    central: Array,
    steps: Array,
    noise: Array,
    amplitude: Array,
    scale: Array,
    shape: tuple[int, ...],
) -> tuple[Array, ...]:
    flat = (up == base) & (down == base)
    best = _see_through_stairs(central, flat, steps, noise)
    value, truncation, rounding = best.value, best.truncation, best.rounding
    step = steps[best.level] * scale
    kink = np.zeros(value.size, dtype=bool)
    jump = np.zeros(value.size, dtype=bool)
    left, right = value.copy(), value.copy()
    with np.errstate(all="ignore"):
        doubtful = kinks.bent(ahead, behind, steps, noise) | ~(best.bound <= 1e-9 * np.abs(value))
    some = np.flatnonzero(doubtful)
    if some.size:
        two = kinks.one_sided(ahead[:, some], behind[:, some], steps, noise[:, some])
        jump[some] = kinks.jumps(up[:, some] - base[some], amplitude[:, some])
        jump[some] |= kinks.jumps(down[:, some] - base[some], amplitude[:, some])
        kink[some] = two.apart & ~jump[some]
        left[some], right[some] = two.left.value, two.right.value
        for side in (two.left, two.right):
            agree = ~two.apart & (side.bound < truncation[some] + rounding[some])
            at = some[agree]
            value[at], truncation[at], rounding[at] = (
                side.value[agree],
                side.truncation[agree],
                side.rounding[agree],
            )
            step[at] = steps[side.level[agree]] * scale[at]
        at = np.flatnonzero(kink)
        inside = np.flatnonzero(two.apart & ~jump[some])
        value[at] = (left[at] + right[at]) / 2
        truncation[at] = np.abs(left[at] - right[at]) / 2
        rounding[at] = np.maximum(two.left.bound, two.right.bound)[inside]
    unknown = jump | ~np.isfinite(base)
    truncation[unknown] = np.inf
    return tuple(a.reshape(shape) for a in (value, truncation, rounding, step, kink, jump, left, right))


def _see_through_stairs(central: Array, flat: Array, steps: Array, noise: Array) -> Best:
    """Choose the derivative; where fine steps do not move f at all, ask whether coarser ones see a slope.

    A computation that rounds to a grid, such as (1e8 + x) − 1e8, is flat at fine steps without being constant.
    """
    best = select(central, steps, noise, 2)
    stairs = np.flatnonzero(flat.any(axis=0) & ~flat.all(axis=0))
    if stairs.size:
        over = select(np.where(flat[:, stairs], np.nan, central[:, stairs]), steps, noise[:, stairs], 2)
        slope = over.bound <= 0.5 * np.abs(over.value)
        sure = over.bound <= 1e-5 * np.abs(over.value)
        zero = best.value[stairs] == 0
        take = slope & zero
        for name in ("value", "truncation", "rounding", "start", "level"):
            getattr(best, name)[stairs[take]] = getattr(over, name)[take]
        # A slope that is seen only roughly may be a quantiser, whose derivative is 0: the bound reaches it.
        vague = take & ~sure
        best.truncation[stairs[vague]] += np.abs(over.value[vague])
    return best


def certificate(
    evaluator: Evaluator, structure: Structure, ladder: Ladder, found: Found, rng: np.random.Generator
) -> Array | None:
    """Compare the assembled Jacobian with derivatives measured along random directions.

    Returns the bound of structural zeros, one per output, or None where an output disagrees.
    """
    zero = np.zeros(evaluator.f0.size)
    for _ in range(2):
        # Few bits, so that x + h is exact at all but the finest steps.
        direction = rng.choice([-1.0, 1.0], evaluator.x.size) * rng.integers(5, 9, evaluator.x.size) / 8
        measured = ladder.along(evaluator, ladder.scale * direction, "certificate")
        weight = np.where(structure.column >= 0, (ladder.scale * direction)[structure.column], 0)
        with np.errstate(all="ignore"):
            expected = np.sum(found.value * weight, axis=0)
            bound = np.sum((found.truncation + found.rounding) * np.abs(weight), axis=0)
            measured_bound = (measured.truncation + measured.rounding)[0]
            rounding = ladder.eps * (8 + len(direction)) * np.sum(np.abs(found.value * weight), axis=0)
            gap = np.abs(expected - measured.value[0])
            kinked = measured.kink[0] | measured.jump[0] | found.kink.any(axis=0) | found.jump.any(axis=0)
            wrong = (gap > bound + measured_bound + rounding) & ~kinked
        if wrong.any():
            return None
        zero = np.maximum(zero, np.where(np.isfinite(measured_bound), measured_bound, 0) / ladder.scale.min())
    return zero


def _result(evaluator: Evaluator, structure: Structure, found: Found, zero: Array) -> Estimate:
    bound = found.truncation + found.rounding
    reason = None
    if not np.isfinite(bound).all():
        reason = "f is not finite at the point" if not np.isfinite(evaluator.f0).all() else None
        reason = reason or ("f jumps at the point" if found.jump.any() else evaluator.worker.error)
        reason = reason or "no two steps agree: f is not finite or not smooth near the point"
    bent = found.kink.any() or found.jump.any()
    return Estimate(
        wrt=evaluator.worker.wrt,
        variable_shape=evaluator.worker.values[evaluator.worker.wrt].shape,
        output_shapes=evaluator.shapes,
        structure=structure.name,
        value=found.value,
        bound=bound,
        truncation=found.truncation,
        rounding=found.rounding,
        step=found.step,
        column=structure.column,
        zero_bound=zero,
        kink=found.kink if bent else None,
        jump=found.jump if bent else None,
        left=found.left if bent else None,
        right=found.right if bent else None,
        reason=reason,
        cost=evaluator.cost,
    )


def _empty(evaluator: Evaluator) -> Estimate:
    shape = (evaluator.x.size, evaluator.f0.size)
    none = np.zeros(shape)
    return Estimate(
        evaluator.worker.wrt,
        evaluator.worker.values[evaluator.worker.wrt].shape,
        evaluator.shapes,
        "dense",
        none,
        none,
        none,
        none,
        none,
        np.zeros(shape, dtype=np.intp),
        np.zeros(shape[1]),
        cost=evaluator.cost,
    )
