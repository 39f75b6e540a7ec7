"""The right formula at the wrong place: at the output, at the previous inputs, without its epsilon, in fewer digits."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.diagnose.evidence import Cause, Evidence, numbers, similar
from gradcheck.problem import Array, Values

# A derivative that is measured without a bound is good enough to be recognised, not more.
MEASURED = 1e-6

# A constant that is as good as nothing changes a derivative by no more than this, relative to the largest.
SMALL = 0.05


def evaluated_at_the_output(e: Evidence) -> list[Cause]:
    """claim(x) = J(f(x)): the derivative is taken at the output instead of the input."""
    shape = np.shape(e.x)
    if len(e.outputs) != 1 or np.shape(e.outputs[0]) != shape or not np.isfinite(e.y).all():
        return []
    there = e.measured({**e.values, e.variable.name: np.asarray(e.outputs[0], dtype=float)})
    if not e.fits(there, loss=MEASURED):
        return []
    sentence = "The derivative is evaluated at the output instead of the input: is the activation applied twice?"
    return [Cause("evaluated at the output", sentence, "the claim is the derivative at f(x), entry by entry")]


def evaluated_at_the_input(e: Evidence) -> list[Cause]:
    """The derivative is h(y), a polynomial of the output such as y(1 − y); the claim is h(x)."""
    if not e.elementwise:
        return []
    claim, right, _ = e.diagonal()
    x = np.asarray(e.x, dtype=float).ravel()
    known = np.diagonal(e.judged)
    if np.unique(e.y[known]).size < 6 or similar(claim[known], right[known], 1e2 * MEASURED):
        return []
    coefficients = np.polynomial.polynomial.polyfit(e.y[known], right[known], 2)
    if not similar(np.polynomial.polynomial.polyval(e.y[known], coefficients), right[known], MEASURED):
        return []
    if not similar(claim[known], np.polynomial.polynomial.polyval(x[known], coefficients), 1e2 * MEASURED):
        return []
    c0, c1, c2 = (float(c) if abs(c) > 1e-4 else 0.0 for c in coefficients)
    formula = f"{c0:.3g} + {c1:.3g}·y + {c2:.3g}·y²".replace("+ -", "− ")
    sentence = "The derivative's formula is one for the output, and is given the input: y(1 − y) as x(1 − x)."
    return [
        Cause("evaluated at the input", sentence, f"the derivative is {formula}; the claim is the same with x for y")
    ]


def kernel_flipped(e: Evidence) -> list[Cause]:
    """The claim is the derivative of a convolution whose kernel is the other way round."""
    for variable in e.problem.variables:
        value = np.asarray(e.values[variable.name])
        if variable.name == e.variable.name or value.dtype.kind != "f" or not value.ndim:
            continue
        for axes in ((-1,), (-2, -1)) if value.ndim > 1 else ((-1,),):
            turned = np.flip(value, axes)
            if not np.array_equal(turned, value) and e.fits(
                e.measured({**e.values, variable.name: turned}), loss=MEASURED
            ):
                sentence = (
                    f"The kernel {variable.name} is the wrong way round: where forward correlates, its gradient "
                    "convolves with the flipped kernel, and the other way."
                )
                return [Cause("kernel flipped", sentence, f"the claim is the derivative with {variable.name} reversed")]
    return []


def stale(e: Evidence) -> list[Cause]:
    """The claim belongs to other inputs than those of this call: the call's before, or the first one's."""
    if _uniform(e):
        return []
    other = {name: _moved(e, name) for name in e.values}
    there, here = e.said(other), e.said()
    if there is None or here is None or similar(e.product(e.measured(other)), e.product(e.estimate)):
        return []
    if similar(here, e.product(e.measured(other))) and _follows(e, other, here):
        return [_stale("called with other inputs in between, it is the derivative at those")]
    if np.array_equal(here, there) and _is_of_an_earlier_call(e):
        return [_stale("asked at other inputs, it gives the same numbers: the derivative at an earlier call's inputs")]
    return []


def _follows(e: Evidence, other: Values, here: Array) -> bool:
    """Whether the answer is another one where the call in between has moved: else it does not come from there."""
    arrays = {name: np.asarray(value) for name, value in other.items()}
    moved = {name: 1.25 * value if value.dtype.kind == "f" else value for name, value in arrays.items()}
    again = e.said() if e.said(moved) is not None else None
    return again is not None and not np.array_equal(again, here)


def _is_of_an_earlier_call(e: Evidence) -> bool:
    """Whether the claim is the derivative at the inputs of the call before, or of the first one."""
    first = {variable.name: np.asarray(variable.example) for variable in e.problem.variables}
    calls = [one for one in (e.previous, first) if one is not None and _same_shapes(one, e.values)]
    return any(e.fits(e.measured(one), loss=MEASURED) for one in calls)


def _stale(evidence: str) -> Cause:
    sentence = "Stale: the claim belongs to the inputs of an earlier call. Is something kept that must be renewed?"
    return Cause("stale", sentence, evidence)


def _uniform(e: Evidence) -> bool:
    """Whether the claim is one number wherever there is a derivative: that is a constant, not a memory."""
    claimed = e.claim[np.abs(e.estimate) > e.tolerance]
    return bool(not claimed.size or np.all(claimed == claimed[0]))


def _moved(e: Evidence, name: str) -> Array:
    """Other values that are legal where these are: samples in reverse order, entries where there is but one sample."""
    value = np.asarray(e.values[name])
    if name != e.variable.name and e.problem.variable(name).role == "weight":
        return value
    return value[::-1].copy() if value.ndim and len(value) > 1 else value[..., ::-1].copy() if value.ndim else value


def _same_shapes(left: Values, right: Values) -> bool:
    return all(name in left and np.shape(left[name]) == np.shape(value) for name, value in right.items())


def accumulated(e: Evidence) -> list[Cause]:
    """Asked three times in a row, each answer is larger than the one before by the right one."""
    if e.method.kind not in ("vjp", "sum"):
        return []
    said = [numbers(one) for one in e.ask(e.generic_cotangents, times=3)]
    if len(said) < 3 or any(one is None or one.shape != np.shape(e.x) for one in said):
        return []
    first, second, third = (np.asarray(one, dtype=float) for one in said)
    right = e.product(e.estimate)
    if not similar(second - first, right) or not similar(third - second, right):
        return []
    sentence = "Accumulated: each answer is added to the ones before instead of replacing them."
    return [Cause("accumulated", sentence, "asked again, the same question adds the right answer once more")]


def spoiled(e: Evidence) -> list[Cause]:
    """The first answer about a call is right, the second is not."""
    said = e.ask(e.generic_cotangents if e.method.kind == "vjp" else [], times=2)
    if e.method.kind not in ("vjp", "sum") or len(said) < 2:
        return []
    right = e.product(e.estimate)
    if not similar(said[0], right) or similar(said[1], right):
        return []
    sentence = "Only the first answer about a call is right: asking changes what the next answer is computed from."
    return [Cause("spoils its own cache", sentence, "asked twice about one call, it is right once")]


def writes_into_its_arguments(e: Evidence) -> list[Cause]:
    """Asking changes values that it is given, at entries where the claim is wrong."""
    changed = [name for name, value in e.after_asking().items() if not _is_same(value, e.values[name])]
    if not changed:
        return []
    name = e.variable.name
    if name in changed:
        moved = np.ravel(np.asarray(e.after_asking()[name]) != e.x)
        if not np.any(moved & e.wrong.any(axis=0)):
            return []
    sentence = f"It writes into {' and '.join(changed)}: what it computes from that afterwards is about other values."
    return [
        Cause("writes into its arguments", sentence, "after it was asked, the array that it was given is another one")
    ]


def _is_same(left: Any, right: Any) -> bool:
    return np.array_equal(np.asarray(left), np.asarray(right), equal_nan=np.asarray(right).dtype.kind == "f")


def swapped(e: Evidence) -> list[Cause]:
    """The claim is the derivative by another variable of the same size."""
    for other in e.problem.variables:
        if other.name == e.variable.name or np.shape(e.values[other.name]) != np.shape(e.x):
            continue
        if np.asarray(e.values[other.name]).dtype.kind != "f":
            continue
        if e.fits(e.measured(e.values, other.name), loss=MEASURED):
            sentence = f"Swapped: this is the derivative by {other.name}, not by {e.variable.name}."
            return [Cause("swapped with another variable", sentence, f"it fits ∂/∂{other.name} entry by entry")]
    return []


def missing_epsilon(e: Evidence) -> list[Cause]:
    """The claim scales as the derivative would without a small constant, f(x + ε) or √(var + ε).

    Far out the constant no longer matters: for a function that is homogeneous without it,
    cᵏ·J(c·x) → the derivative without ε as c grows, for k = 0, 1 or 2.
    """
    x = np.asarray(e.x, dtype=float)
    if not np.any(x) or not np.isfinite(e.claim).all():
        return []
    size = float(np.abs(e.claim - e.estimate).max())
    if size > SMALL * e.scale and _is_constant_nearby(e):
        return []  # far out any sum of steps is what all of them are together
    for c in (2.0**24, 2.0**12):
        far = {**e.values, e.variable.name: c * x}
        limit = e.measured(far)
        for power in (0, 1, 2):
            candidate = c**power * limit
            if np.any(candidate) and np.isfinite(candidate).all() and e.fits(candidate, loss=MEASURED):
                sentence = "A small constant is missing: the claim is the derivative without forward's ε (or its 1 +)."
                evidence = (
                    f"it is the derivative far out, where ε does not matter, scaled back; the error is {size:.3g}"
                )
                return [Cause("missing epsilon", sentence, evidence)]
    return []


def rounded_to_fewer_digits(e: Evidence) -> list[Cause]:
    """Every entry of the claim is a float32 (or float16) number next to the right one."""
    if e.dtype != np.float64:
        return []
    with np.errstate(over="ignore", invalid="ignore"):
        for kind in (np.float32, np.float16):
            exact = np.array_equal(e.claim.astype(kind).astype(float), e.claim)
            if exact and e.fits(e.estimate, loss=0.0) is False and _within(e, float(np.finfo(kind).eps)):
                return [_precision(kind.__name__, "every entry of the claim is exactly a number of that type")]
    return []


def lost_precision(e: Evidence) -> list[Cause]:
    """The claim is right to as many digits as float32 (or float16) has, and moves in steps as such numbers do."""
    if e.dtype != np.float64 or _is_smooth(e):
        return []
    for kind in (np.float32, np.float16):
        if _within(e, 8 * float(np.finfo(kind).eps)):
            return [
                _precision(
                    kind.__name__, f"the claim agrees within {8 * float(np.finfo(kind).eps):.1g} of the largest entry"
                )
            ]
    return []


def _is_smooth(e: Evidence) -> bool:
    """Whether a move that float32 cannot see moves the claim by as little: nothing is rounded to fewer digits.

    Nor is that known of a claim that hardly moves with a larger one: its steps could not be told from a constant.
    """
    here, near, far = e.said(), _said_after(e, 2.0**-36), _said_after(e, 2.0**-12)
    if here is None or near is None or far is None or not here.shape == near.shape == far.shape:
        return False
    if not np.isfinite(here).all():
        return False
    size, change, larger = (float(np.abs(one).max(initial=0.0)) for one in (here, near - here, far - here))
    expected = larger * 2.0**-24
    return expected < 4 * float(np.finfo(float).eps) * size or 0 < change < 64 * expected


def _is_constant_nearby(e: Evidence) -> bool:
    """Whether the claim stays what it is where all floats are a little larger."""
    here, near = e.said(), _said_after(e, 2.0**-12)
    return here is None or near is None or np.array_equal(here, near)


def _said_after(e: Evidence, share: float) -> Array | None:
    """What the claim says where all floats are larger by a share."""
    arrays = {name: np.asarray(value) for name, value in e.values.items()}
    return e.said({name: value * (1 + share) if value.dtype.kind == "f" else value for name, value in arrays.items()})


def _within(e: Evidence, eps: float) -> bool:
    largest = np.abs(e.estimate).max(axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        near = np.abs(e.claim - e.estimate) <= eps * largest + e.tolerance
    return bool(np.all(near[e.judged]))


def _precision(kind: str, evidence: str) -> Cause:
    sentence = f"Precision is lost: the claim fits in {kind}. Is something cast on the way?"
    return Cause("lost precision", sentence, evidence)
