"""Where is it wrong? Only somewhere, and the place says why."""

from __future__ import annotations

import numpy as np

from gradcheck.diagnose.evidence import Cause, Evidence, percent
from gradcheck.problem import Array


def not_finite(e: Evidence) -> list[Cause]:
    """NaN or infinity where the derivative is finite."""
    bad = e.judged & ~np.isfinite(e.claim)
    if not bad.any():
        return []
    x = np.asarray(e.x, dtype=float).ravel()[bad.any(axis=0)]
    where = "where the derivative is finite"
    why = "a division by zero or an overflow that forward does not have"
    if np.all(x == 0):
        where, why = "where the input is 0", "a division by zero: 0/0, 1/0 or the logarithm of 0"
    elif e.variable.domain is not None and np.all(np.isin(x, e.variable.domain)):
        where, why = (
            f"where the input is {' or '.join(f'{v:g}' for v in np.unique(x))}",
            "a division by zero at the end of the domain",
        )
    elif np.all(np.abs(x) >= 30):
        where, why = f"where |input| is {np.abs(x).min():g} or more", "an exponential that overflows"
    kinds = "NaN" if np.isnan(e.claim[bad]).all() else "infinite" if np.isinf(e.claim[bad]).all() else "NaN or infinite"
    sentence = f"The claim is {kinds} {where}, although the derivative is finite there: {why}."
    return [Cause("not finite", sentence, f"{percent(bad)} are not finite; all derivatives are")]


def zero(e: Evidence) -> list[Cause]:
    """The claim is zero throughout, or what rounding leaves of zero."""
    if not e.wrong.any() or not e.fits(np.zeros_like(e.estimate)):
        return []
    sentence = "The claim is zero throughout: is the gradient never computed, or never stored?"
    return [Cause("zero", sentence, f"the largest derivative is {e.scale:.4g}")]


def wrong_only_at_zeros(e: Evidence) -> list[Cause]:
    """Wrong exactly in columns whose input is 0."""
    at_zero: Array = np.equal(np.asarray(e.x, dtype=float).ravel(), 0)
    columns: Array = np.any(e.wrong, axis=0)
    if not columns.any() or columns[~at_zero].any() or at_zero.all():
        return []
    claimed = e.claim[e.wrong][0]
    sentence = f"Right except where the input is exactly 0; there it claims {claimed:.4g}."
    return [Cause("wrong only at zeros", sentence, f"{percent(e.wrong)} are wrong, each at an input of 0")]


def wrong_where_clipped(e: Evidence) -> list[Cause]:
    """A slope is claimed where the derivative is 0, and what is not 0 is right."""
    flat = e.judged & (np.abs(e.estimate) <= e.tolerance)
    steep = e.judged & ~flat
    if not e.wrong.any() or e.wrong[steep].any() or not (steep.any() or e.somewhere):
        return []
    # Off the pattern of forward a zero is no clip: there the claim mixes entries that do not interact.
    if not _inside_pattern(e, e.wrong):
        return []
    sentence = (
        "Wrong only where forward is flat (clipped, masked, below a threshold, not the largest): the derivative there "
        "is 0."
    )
    return [
        Cause("wrong where clipped", sentence, f"{percent(e.wrong)} are wrong, and at each of them the derivative is 0")
    ]


def _inside_pattern(e: Evidence, mask: Array) -> bool:
    """Whether the masked entries lie where forward depends on the variable, at these values or at others."""
    rows, columns = e.estimate.shape
    if rows == columns:
        return not mask[~np.eye(rows, dtype=bool)].any()
    return rows == 1 or all(_may_depend(e, int(column), mask[:, column]) for column in np.flatnonzero(mask.any(axis=0)))


def _may_depend(e: Evidence, column: int, rows: Array) -> bool:
    """Whether these outputs depend on an entry where it is the largest of all, or the smallest."""
    x = np.asarray(e.x, dtype=float)
    found = np.zeros(len(rows), dtype=bool)
    for value in (x.max() + 1, x.min() - 1):
        said = []
        for step in (-0.25, 0.25):
            moved = x.copy()
            moved.flat[column] = value + step
            try:
                with np.errstate(all="ignore"):
                    outputs = e.problem.forward({**e.values, e.variable.name: moved})
            except Exception:  # other people's forward, at values that nobody promised it
                return False
            said.append(np.concatenate([np.asarray(one, dtype=float).ravel() for one in outputs]))
        if said[0].shape != found.shape:
            return False
        found |= said[0] != said[1]
    return bool(found[rows].all())


def wrong_in_saturation(e: Evidence) -> list[Cause]:
    """Wrong for the large inputs only, on one side or on both."""
    if not e.elementwise:
        return []
    x = np.asarray(e.x, dtype=float).ravel()
    wrong = np.diagonal(e.wrong)
    # Far out the derivative may be so small that nothing could be told of it.
    telling = np.diagonal(e.judged & (np.abs(e.estimate) > e.tolerance))
    for what, size in (("|input|", np.abs(x)), ("input", x), ("−input", -x)):
        low, high = size[telling & ~wrong], size[wrong]
        if high.size and low.size and high.min() > max(float(low.max()), 3.0):
            sentence = f"Right for moderate inputs, wrong in saturation: from {what} = {high.min():g} on."
            evidence = f"wrong for {what} from {high.min():g} on, right up to {low.max():g}"
            return [Cause("wrong in saturation", sentence, evidence)]
    return []


def upstream_ignored(e: Evidence) -> list[Cause]:
    """Every cotangent gets the same answer: the sum over all outputs."""
    if e.method.kind != "vjp" or len(e.claim) < 2 or not np.any(e.claim):
        return []
    total = np.broadcast_to(e.estimate.sum(axis=0), e.claim.shape)
    if not e.fits(total, len(e.claim), 1e-9):
        return []
    sentence = "The upstream gradient is ignored: whatever comes in, the local gradient goes out."
    return [Cause("upstream gradient ignored", sentence, "the answers to all upstream gradients are the same")]


def handed_back(e: Evidence) -> list[Cause]:
    """Whatever comes in, a variable or the output goes out: the thing itself for its gradient."""
    if len(e.claim) < 2 or e.method.kind != "vjp" or not e.outputs:
        return []
    said = e.claim[0]
    if not np.array_equal(e.claim, np.broadcast_to(said, e.claim.shape)) or np.unique(said).size < 2:
        return []
    held = {**{name: np.asarray(value) for name, value in e.values.items()}, "the output": np.asarray(e.outputs[0])}
    for name, value in held.items():
        if value.dtype.kind == "f" and np.array_equal(value.ravel(), said):
            sentence = f"It hands back {name} itself, whatever comes in: that is no gradient by {e.variable.name}."
            return [Cause("the thing itself", sentence, "the answers to all upstream gradients are the same array")]
    return []


def output_ignored(e: Evidence) -> list[Cause]:
    """Of several outputs, all of one's derivatives are 0, and the others are right."""
    if len(e.outputs) < 2 or not e.by_output:
        return []
    start = 0
    wrong_rows: Array = np.any(e.wrong, axis=1)
    for number, output in enumerate(e.outputs):
        rows = np.zeros(len(e.claim), dtype=bool)
        rows[start : start + np.size(output)] = True
        start += np.size(output)
        if wrong_rows[rows].any() and not wrong_rows[~rows].any() and not np.any(e.claim[rows]):
            sentence = f"What flows back from output {number + 1} of {len(e.outputs)} is dropped."
            return [Cause("one output ignored", sentence, "its derivatives are claimed to be 0; the others' are right")]
    return []


def samples_left_out(e: Evidence) -> list[Cause]:
    """The gradient of a weight leaves whole samples out, the others are right."""
    shape = np.shape(e.outputs[0]) if e.outputs else ()
    if not e.by_output or e.variable.role != "weight" or len(e.outputs) != 1 or len(shape) < 2 or shape[0] < 2:
        return []
    sample = np.arange(len(e.claim)) // (len(e.claim) // shape[0])
    wrong = np.array([e.wrong[sample == n].any() for n in range(shape[0])])
    if not wrong.any() or wrong.all() or np.any(e.claim[wrong[sample]]):
        return []
    kept = ", ".join(str(n) for n in np.flatnonzero(~wrong))
    sentence = (
        f"Only some of {shape[0]} samples count: number {kept} (from 0). Is the gradient overwritten, not added up?"
    )
    return [Cause("samples left out", sentence, "the derivatives of all other samples are claimed to be 0")]


def one_place_wrong(e: Evidence) -> list[Cause]:
    """All wrong entries share one index of the variable: an entry, a sample, a row, a column."""
    columns = np.flatnonzero(e.wrong.any(axis=0))
    size = e.estimate.shape[1]
    if not columns.size or size < 2:
        return []
    shape = np.shape(e.x)
    if columns.size == 1:
        place = tuple(int(i) for i in np.unravel_index(columns[0], shape))
        sentence = f"One entry is wrong, {e.variable.name}{list(place)}; the other {size - 1} are right."
        return [Cause("one entry wrong", sentence, f"its {percent(e.wrong)} are the only wrong ones")]
    for axis, indices in enumerate(np.unravel_index(columns, shape)):
        found = np.unique(indices)
        if found.size == 1 and shape[axis] > 1:
            name = _axis_name(e, axis, len(shape))
            edge = ", the last one" if found[0] == shape[axis] - 1 else ", the first one" if found[0] == 0 else ""
            sentence = f"Only one {name} is wrong: number {found[0]} (from 0) of {shape[axis]}{edge}."
            return [Cause(f"one {name} wrong", sentence, f"all {percent(e.wrong)} that are wrong lie in it")]
    return []


def _axis_name(e: Evidence, axis: int, ndim: int) -> str:
    if axis == 0 and ndim > 1:
        return "sample" if e.variable.role == "input" else "row"
    return "column" if axis == ndim - 1 and ndim > 1 else "slice"
