"""The claim is a derivative, but of another expression: a term too few, one too many, another formula."""

from __future__ import annotations

import numpy as np

from gradcheck.diagnose.evidence import SLACK, Cause, Evidence
from gradcheck.diagnose.scale import say
from gradcheck.problem import Array


def applied_twice(e: Evidence) -> list[Cause]:
    """claim = J·J: the local derivative is multiplied in twice."""
    rows, columns = e.estimate.shape
    if rows != columns or not e.fits(e.estimate @ e.estimate, 2 * e.scale * rows, 1e-9):
        return []
    sentence = "The chain rule is applied twice: the local derivative is multiplied in once too often."
    return [Cause("applied twice", sentence, "the claim is the Jacobian times itself")]


def output_instead_of_derivative(e: Evidence) -> list[Cause]:
    """claim = f(x), or claim = x: a value where a slope belongs."""
    if not e.elementwise:
        return []
    for what, value in (("output", e.y), ("input", np.asarray(e.x, dtype=float).ravel())):
        if np.unique(value).size > 1 and e.fits(np.diag(value), loss=1e-9):
            name = f"{what} instead of its derivative" if what == "output" else "input instead of the derivative"
            return [Cause(name, f"The claim is the {what} itself, not the derivative.", "entry by entry")]
    return []


def sign_off_the_diagonal(e: Evidence) -> list[Cause]:
    """Off the diagonal everything has the wrong sign; on the diagonal not."""
    rows, columns = e.estimate.shape
    if rows != columns or rows < 2 or e.elementwise:
        return []
    off = e.judged & ~np.eye(rows, dtype=bool)
    if not e.wrong[off].any() or not np.all(np.abs(e.claim + e.estimate)[off] <= SLACK * e.tolerance[off]):
        return []
    if np.all(np.abs(np.diagonal(e.claim) + np.diagonal(e.estimate)) <= SLACK * np.diagonal(e.tolerance)):
        return []
    diagonal = "wrong, too" if np.diagonal(e.wrong).any() else "right"
    sentence = "Off the diagonal the sign is wrong: ∂yᵢ/∂xⱼ for i ≠ j (softmax: −yᵢ·yⱼ)."
    return [
        Cause(
            "wrong sign off the diagonal",
            sentence,
            f"every entry off the diagonal is flipped; the diagonal is {diagonal}",
        )
    ]


def coupling_missing_or_doubled(e: Evidence) -> list[Cause]:
    """A term that couples entries (means, sums, norms) is left out, or is there twice."""
    rows, columns = e.estimate.shape
    if rows != columns or rows < 2 or e.elementwise or not e.wrong.any() or not np.isfinite(e.claim).all():
        return []
    off = ~np.eye(rows, dtype=bool)
    if not e.wrong[off].any():
        return []  # what forward seems to couple there may be nothing but noise
    if e.vanishes(e.claim[off]):
        sentence = (
            "A term is missing: forward couples the entries (by a sum, a mean, a norm), and the claim is diagonal."
        )
        return [Cause("missing term", sentence, "the claim is 0 off the diagonal, where the derivative is not")]
    if np.all(np.abs(e.claim - 2 * e.estimate)[off & e.judged] <= SLACK * 2 * e.tolerance[off & e.judged]):
        sentence = "A term is there twice: the one that couples the entries."
        return [Cause("doubled term", sentence, "off the diagonal the claim is twice the derivative")]
    return _low_rank(e)


def _low_rank(e: Evidence) -> list[Cause]:
    """In each block of entries that interact, the error is one column times one row, like y·yᵀ of a variance.

    Such terms are subtracted (softmax, normalisation): an error that has the sign of the derivative on the diagonal is
    the term left out, one of the other sign the term taken twice. A gain in front of them makes D·y·yᵀ of it, with its
    sign on both diagonals.
    """
    blocks = [block for block in _blocks(e.estimate, 1e-9 * e.scale) if block.size >= 3]
    # The pattern of what forward couples must hold for the claim, too; two blocks' worth make a coincidence unlikely.
    covered = np.zeros(e.estimate.shape, dtype=bool)
    signs = set()
    for block in blocks:
        inside = np.ix_(block, block)
        covered[inside] = True
        error = (e.claim - e.estimate)[inside]
        sizes = np.linalg.svd(error, compute_uv=False)
        tolerance = SLACK * float(e.tolerance[inside][np.isfinite(e.tolerance[inside])].max(initial=0.0)) * block.size
        if sizes[0] <= tolerance:
            continue
        if sizes[1] > max(tolerance, 1e-6 * sizes[0]):
            return []
        telling = np.abs(np.diagonal(error)) > max(tolerance, 1e-6 * sizes[0])
        signs |= set((np.sign(np.diagonal(error)) * np.sign(np.diagonal(e.estimate[inside])))[telling])
        if telling.sum() < 2:
            return []
    if len(signs) != 1 or 0 in signs or np.any(e.wrong & ~covered) or e.wrong.sum() < 2:
        return []
    factor = _factor(e, covered & ~np.eye(len(covered), dtype=bool))
    if factor is not None:
        sentence = f"A term is {say(factor)} × what it should be: the one that couples the entries."
        return [Cause("scaled term", sentence, f"off the diagonal the claim is {say(factor)} × the derivative")]
    evidence = "in each block of coupled entries the error is one column times one row, as y·yᵀ is"
    if signs == {1}:
        sentence = "A term that is subtracted is missing: one that couples the entries (mean, variance, y·yᵀ)."
        return [Cause("missing term", sentence, evidence)]
    sentence = "A term that is subtracted is there twice: one that couples the entries (mean, variance, y·yᵀ)."
    return [Cause("doubled term", sentence, evidence)]


def _factor(e: Evidence, entries: Array) -> float | None:
    """The number that the claim is times the derivative at some entries; None where it is none, or 1."""
    telling = entries & e.judged & (np.abs(e.estimate) > 1e3 * e.tolerance)
    if telling.sum() < 2:
        return None
    ratios = e.claim[telling] / e.estimate[telling]
    factor = float(np.median(ratios))
    fits = np.all(np.abs(e.claim - factor * e.estimate)[telling] <= SLACK * (1 + abs(factor)) * e.tolerance[telling])
    return factor if fits and abs(factor - 1) > 1e-9 else None


def _blocks(matrix: Array, small: float) -> list[Array]:
    """Return the groups of entries that a square matrix couples, directly or through others."""
    linked = (np.abs(matrix) > small) | (np.abs(matrix.T) > small)
    free = np.ones(len(matrix), dtype=bool)
    blocks = []
    for start in range(len(matrix)):
        if not free[start]:
            continue
        group = np.zeros(len(matrix), dtype=bool)
        group[start] = True
        while True:
            grown = group | linked[group].any(axis=0)
            if np.array_equal(grown, group):
                break
            group = grown
        free &= ~group
        blocks.append(np.flatnonzero(group))
    return blocks


def spread_over_an_axis(e: Evidence) -> list[Cause]:
    """Every index along an axis of the variable gets the sum (or mean) over that axis."""
    rows = len(e.estimate)
    shape = np.shape(e.x)
    for axis, length in enumerate(shape):
        if length < 2:
            continue
        by_entry = e.estimate.reshape(rows, *shape)
        for how, share in (
            ("sum", by_entry.sum(axis=1 + axis, keepdims=True)),
            ("mean", by_entry.mean(axis=1 + axis, keepdims=True)),
        ):
            spread = np.broadcast_to(share, by_entry.shape).reshape(e.estimate.shape)
            if e.elementwise:  # the slopes are spread, and no entry acts on another
                slopes = np.diagonal(e.estimate).reshape(shape)
                mean = slopes.mean(axis=axis, keepdims=True) * (length if how == "sum" else 1)
                spread = np.diag(np.broadcast_to(mean, shape).ravel())
            if np.any(spread) and e.fits(spread, length, 1e-9):
                sentence = f"Every entry along axis {axis} of {e.variable.name} gets the {how} over that axis."
                return [
                    Cause("spread over an axis", sentence, f"the claim is the {how} of the derivative over axis {axis}")
                ]
    return []


def summand_missing_or_doubled(e: Evidence) -> list[Cause]:
    """derivative − claim (of an elementwise function) is 1, y/x, y, or the rest of a product rule."""
    if not e.elementwise:
        return []
    claim, right, tolerance = e.diagonal()
    x = np.asarray(e.x, dtype=float).ravel()
    usable = np.diagonal(e.judged) & (np.abs(x) > 1e-3)
    if usable.sum() < 3 or np.unique(right[usable]).size < 2:
        return []
    safe = np.where(usable, x, 1.0)
    if e.fits(float(claim[usable] @ right[usable] / (right[usable] @ right[usable])) * e.estimate):
        return []  # of a power, y/x is a multiple of the derivative
    terms = {
        "1, the derivative of a summand x (a skip connection)": np.ones_like(x),
        "y/x, one half of the product rule": e.y / safe,
        "y": e.y,
        "derivative − y/x, one half of the product rule": right - e.y / safe,
    }
    for what, term in terms.items():
        for factor, name in ((1.0, "missing term"), (-1.0, "doubled term")):
            near = np.abs(right - claim - factor * term) <= SLACK * tolerance + 1e-9 * np.abs(term)
            if np.all(near[usable]):
                verb = "A term is missing" if factor > 0 else "A term is there twice"
                term_is = what.split(",")[0]
                evidence = f"derivative − claim is {term_is}" if factor > 0 else f"claim − derivative is {term_is}"
                return [Cause(name, f"{verb}: {what}.", evidence)]
    return []


def proportional_term(e: Evidence) -> list[Cause]:
    """derivative − claim is one number (per output) times a variable: a penalty, a label that was forgotten."""
    if not np.isfinite(e.claim).all() or e.estimate.shape[1] < 3:
        return []
    error = np.where(e.judged, e.estimate - e.claim, 0.0)
    for variable in e.problem.variables:
        value = np.asarray(e.values[variable.name], dtype=float).ravel()
        if value.size != error.shape[1] or np.unique(value[value != 0]).size < 2:
            continue
        share = error @ value / (value @ value)
        rest = np.abs(error - share[:, None] * value)
        if np.any(rest > SLACK * e.tolerance + 1e-9 * np.abs(error).max()) or np.ptp(np.sign(share[share != 0])) > 0:
            continue
        own = variable.name == e.variable.name
        k = float(share[np.abs(share).argmax()])
        name = "missing term" if k > 0 or not own else "doubled term"
        what = f"{say(k)} × {variable.name}" + (" (a penalty on it, weight decay?)" if own else "")
        verb = "is missing" if name == "missing term" else "is there twice, or does not belong there"
        return [Cause(name, f"A term {verb}, proportional to {variable.name}.", f"derivative − claim = {what}")]
    return []


def added_to_some_entries(e: Evidence) -> list[Cause]:
    """Of a loss: some entries are right, the others have a term too many, k times the variable or one number."""
    columns = np.flatnonzero(e.wrong.any(axis=0))
    if len(e.estimate) != 1 or not 3 <= columns.size < e.estimate.shape[1] or not np.isfinite(e.claim).all():
        return []
    error, tolerance = (e.claim - e.estimate)[0, columns], SLACK * e.tolerance[0, columns]
    x = np.asarray(e.x, dtype=float).ravel()[columns]
    some = f"{columns.size} of {e.estimate.shape[1]} entries of {e.variable.name}"
    evidence, found = "the other entries are right", []
    lost = tolerance + 1e-9 * np.abs(error).max()
    if np.all(np.abs(error - error.mean()) <= lost):
        sentence = f"The same number, {say(float(error.mean()))}, is added to {some}: to those that no penalty has?"
        found.append(Cause("number added to some entries", sentence, evidence))
    k = float(error @ x / (x @ x)) if np.any(x) else 0.0
    if k and np.all(np.abs(error - k * x) <= lost):
        name, share = ("term too many", say(k)) if k > 0 else ("term missing", say(-k))
        why = "a penalty that forward leaves out (biases)" if k > 0 else "a penalty that forward has there, too"
        is_wrong = "too much" if k > 0 else "missing"
        sentence = f"A term is {is_wrong} for {some}, {share} times the entry: {why}?"
        found.append(Cause(f"{name} for some entries", sentence, evidence))
    return found


def constant(e: Evidence) -> list[Cause]:
    """The claim is one number wherever there is a derivative at all, and the derivative is not."""
    pattern = e.judged & (np.abs(e.estimate) > np.maximum(e.tolerance, 1e-12 * e.scale))
    claimed = e.claim[pattern]
    if claimed.size < 3 or np.any(claimed != claimed[0]) or np.ptp(e.estimate[pattern]) < 1e-3 * e.scale:
        return []
    if np.unique(e.estimate[pattern].round(6)).size < 3:
        return []  # the sides of a kink, say
    evidence = f"the derivative runs from {e.estimate[pattern].min():.4g} to {e.estimate[pattern].max():.4g}"
    if claimed[0] == 1 and e.elementwise:
        return []
    return [Cause("constant", f"The claim is {claimed[0]:.4g} everywhere, whatever the input.", evidence)]


def slope_one(e: Evidence) -> list[Cause]:
    """The upstream gradient goes through unchanged."""
    if not e.elementwise or e.somewhere or not e.fits(np.eye(len(e.estimate))):
        return []
    sentence = "The slope is 1 everywhere: the upstream gradient is handed through unchanged."
    return [
        Cause(
            "slope 1 everywhere",
            sentence,
            f"the derivative runs from {np.diagonal(e.estimate).min():.4g} to {np.diagonal(e.estimate).max():.4g}",
        )
    ]
