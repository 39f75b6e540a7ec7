"""Shapes and orders: transposed, permuted, not summed, a number for an array, or not even that."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import numpy as np

from gradcheck.diagnose.evidence import Cause, Evidence, numbers, similar
from gradcheck.problem import Array

# Words that NumPy uses where shapes do not go together.
_SHAPES = re.compile(r"broadcast|matmul|aligned|shape|dimension|size|einsum|axes|axis", re.IGNORECASE)


def wrong_number_of_gradients(e: Evidence) -> list[Cause]:
    """A list with fewer or more gradients than there are variables."""
    if not re.search(r"return \d+ gradients?,? .*but got \d+", e.message):
        return []
    sentence = "The list has the wrong length: one gradient for each input (or weight) is expected, in their order."
    return [Cause("wrong number of gradients", sentence, e.message)]


def array_instead_of_a_list(e: Evidence) -> list[Cause]:
    """A bare array where a list or tuple is unpacked."""
    if not re.search(r"bare array|instead of a (list|tuple)", e.message):
        return []
    sentence = "A bare array comes back where a list (or tuple) is unpacked: its rows are taken for the gradients."
    return [Cause("array instead of a list", sentence, e.message)]


def raises(e: Evidence) -> list[Cause]:
    """The method raises."""
    if not e.message:
        return []
    if "read-only" in e.message:
        sentence = "It writes into an array that it is given; a derivative must leave its arguments alone."
        return [Cause("writes into its arguments", sentence, e.message)]
    said = re.sub(r"^.*? raised ", "", e.message.partition("\n")[0])
    if _SHAPES.search(e.message):
        return [Cause("shapes do not compose", f"The shapes do not go together: {said}.", e.message)]
    return [Cause("raises", f"It raises instead of returning a gradient: {said}.", e.message)]


def wrong_shape(e: Evidence) -> list[Cause]:
    """What comes back has another shape than the variable; are its numbers right?"""
    raw = _answer(e)
    if raw is None:
        return []
    if e.method.kind == "local":
        return [] if e.readable else _compare_shapes(raw, list(_local_layouts(e)))
    right = e.product(e.estimate)
    return [] if raw.shape == right.shape else _compare_shapes(raw, [("", right)])


def _answer(e: Evidence) -> Array | None:
    """What the method says to cotangents without zeros."""
    if e.method.kind not in ("vjp", "sum", "local"):
        return None
    said = e.ask(e.generic_cotangents if e.method.kind == "vjp" else [])
    return numbers(said[0]) if said else None


def _local_layouts(e: Evidence) -> Iterator[tuple[str, Array]]:
    """Yield what a right local gradient may look like, with the name of the layout."""
    x_shape, shapes = np.shape(e.x), [np.shape(output) for output in e.outputs]
    if len(shapes) != 1:
        return
    jacobian = e.estimate.reshape(shapes[0] + x_shape)
    if e.elementwise:
        yield "one number per entry", np.diagonal(e.estimate).reshape(x_shape)
    if len(shapes[0]) == len(x_shape) == 2 and shapes[0][0] == x_shape[0] and e.variable.role == "input":
        per_sample = np.einsum("nonj->noj", jacobian)
        if similar(np.broadcast_to(per_sample[0], per_sample.shape), per_sample):
            yield "one matrix (in, out) for all rows", per_sample[0].T
        yield "one matrix per sample", per_sample
    if e.variable.role == "weight" and len(shapes[0]) == len(x_shape) == 2 and shapes[0][1] == x_shape[1]:
        yield "one matrix (in, out) per sample", np.einsum("noio->nio", jacobian)
    yield "the sum over all outputs", e.estimate.sum(axis=0).reshape(x_shape)


def _compare_shapes(raw: Array, layouts: list[tuple[str, Array]]) -> list[Cause]:
    """Compare what came back with each right array, in every way that a shape goes wrong."""
    if any(raw.shape == right.shape for _, right in layouts):
        return []
    for layout, right in layouts:
        expected = f"{right.shape}{f' ({layout})' if layout else ''}"
        shapes = f"expected shape {expected}, but got {raw.shape}"
        if raw.size == right.size > 1:
            for order in itertools.permutations(range(raw.ndim)):
                moved = raw.transpose(order)
                if order != tuple(range(raw.ndim)) and moved.shape == right.shape and similar(moved, right):
                    return [Cause("transposed", "Transposed: the numbers are right once the axes are swapped.", shapes)]
        if raw.size == right.size and similar(raw.reshape(right.shape), right):
            return [Cause("wrong shape, right numbers", f"The numbers are right, the shape is not: {shapes}.", shapes)]
        if raw.size > right.size:
            for axes in _subsets(raw.ndim):
                summed = raw.sum(axis=axes)
                if summed.size == right.size and similar(summed.reshape(right.shape), right):
                    over = "the batch" if axes == (0,) else f"the axes {axes}"
                    return [
                        Cause(f"not summed over {over}", f"Right after a sum over {over}, which is missing.", shapes)
                    ]
        if raw.size == 1 and right.size > 1:
            same = " It is the sum of the right entries." if similar(raw.reshape(()), np.sum(right)) else ""
            sentence = f"A single number comes back where an array belongs.{same}"
            return [Cause("number instead of an array", sentence, shapes)]
        if raw.size < right.size:
            for axes in _subsets(right.ndim):
                if similar(raw.ravel(), right.sum(axis=axes).ravel()):
                    sentence = f"Summed over too many axes: axis {axes[0] - right.ndim} of the gradient is gone."
                    return [Cause("an axis summed away", sentence, shapes)]
            spread = _spread(raw, right.shape)
            if spread is not None and similar(spread, right):
                return [Cause("wrong shape, right numbers", f"Right after broadcasting: {shapes}.", shapes)]
    if not layouts:
        return []
    expected_shapes = " or ".join(dict.fromkeys(str(right.shape) for _, right in layouts))
    evidence = f"expected shape {expected_shapes}, but got {raw.shape}"
    return [Cause("wrong shape", f"A gradient has the shape of what it differentiates: {evidence}.", evidence)]


def _subsets(ndim: int) -> Iterator[tuple[int, ...]]:
    for count in range(1, ndim + 1):
        yield from itertools.combinations(range(ndim), count)


def _spread(raw: Array, shape: tuple[int, ...]) -> Array | None:
    try:
        return np.broadcast_to(raw, shape)
    except ValueError:
        return None


def transposed(e: Evidence) -> list[Cause]:
    """The Jacobian is transposed, within each sample or as a whole; or the variable's axes are."""
    if not e.wrong.any():
        return []
    rows, columns = e.estimate.shape
    sentence = "Transposed: the claim is the derivative with rows and columns swapped."
    if rows == columns and e.fits(e.estimate.T, loss=1e-9):
        return [Cause("transposed", sentence, "the claim is the transposed Jacobian, entry by entry")]
    shape = np.shape(e.x)
    blocks = _per_sample(e)
    if blocks is not None and e.fits(blocks, loss=1e-9):
        return [Cause("transposed", sentence, "the claim is each sample's Jacobian, transposed")]
    if len(shape) < 2:
        return []
    for order in itertools.permutations(range(len(shape))):
        if order == tuple(range(len(shape))):
            continue
        # The gradient with its axes in another order, written into the variable's shape row by row.
        moved = e.estimate.reshape(rows, *shape).transpose(0, *(1 + axis for axis in order))
        if e.fits(moved.reshape(rows, columns), loss=1e-9):
            axes = f"axes {order} where {tuple(range(len(shape)))} belong"
            return [
                Cause(
                    "transposed",
                    f"The gradient by {e.variable.name} is transposed: {axes}.",
                    f"right once the {axes} are swapped back",
                )
            ]
    return []


def _per_sample(e: Evidence) -> Array | None:
    """Return the Jacobian with each sample's block transposed, where the blocks are square."""
    shapes = [np.shape(output) for output in e.outputs]
    shape = np.shape(e.x)
    if not e.by_output or len(shapes) != 1 or shapes[0] != shape or len(shape) != 2:
        return None
    jacobian = e.estimate.reshape(shape + shape)
    swapped: Array = jacobian.transpose(0, 3, 2, 1).reshape(e.estimate.shape)
    return swapped


def permuted(e: Evidence) -> list[Cause]:
    """The right numbers in another order along one axis of the variable: reversed, rolled, shuffled."""
    rows = len(e.estimate)
    shape = np.shape(e.x)
    if not np.any(e.claim):
        return []
    for axis, length in enumerate(shape):
        if length < 2:
            continue
        for how, order in _orders(e, axis, length):
            if np.array_equal(order, np.arange(length)):
                continue
            # An elementwise function's Jacobian has its own entry's place in both rows and columns.
            moved = np.take(e.estimate.reshape(rows, *shape), order, axis=1 + axis).reshape(e.estimate.shape)
            candidates = [moved]
            if e.elementwise:
                slopes = np.take(np.diagonal(e.estimate).reshape(shape), order, axis=axis)
                candidates.append(np.diag(slopes.ravel()))
            if any(e.fits(candidate, loss=1e-9) for candidate in candidates):
                sentence = f"The right numbers in the wrong places: {how} along axis {axis} of {e.variable.name}."
                return [Cause("permuted", sentence, f"the claim fits in the order {order.tolist()}")]
    return []


def shifted(e: Evidence) -> list[Cause]:
    """Along an axis every index of the claim holds what belongs to its neighbour; at the end, anything."""
    rows, shape = len(e.estimate), np.shape(e.x)
    for axis, length in enumerate(shape):
        for step in (1, -1) if length >= 3 and not e.elementwise and np.isfinite(e.claim).all() else ():
            right, claim = (one.reshape(rows, *shape) for one in (e.estimate, e.claim))
            moved = np.roll(right, -step, axis=1 + axis)
            free = np.arange(length) == (length - 1 if step > 0 else 0)
            along = free.reshape([-1 if n == axis else 1 for n in range(len(shape))])
            candidate = np.where(along, claim, moved).reshape(e.estimate.shape)
            if np.any(np.where(along, 0, moved)) and e.fits(candidate, loss=1e-9):
                sentence = (
                    f"Off by one along axis {axis} of {e.variable.name}: each entry gets what belongs to the "
                    f"{'next' if step > 0 else 'previous'} one. Is a slice (of the padding?) shifted?"
                )
                return [Cause("shifted by one", sentence, "apart from the end, every entry fits its neighbour's")]
    return []


def _orders(e: Evidence, axis: int, length: int) -> Iterator[tuple[str, Array]]:
    identity = np.arange(length)
    yield "reversed", identity[::-1]
    for shift in (1, -1):
        yield "shifted by one", np.roll(identity, shift)
    yield "shuffled", _matched(e, axis, length)


def _matched(e: Evidence, axis: int, length: int) -> Array:
    """Return for each index of an axis of the claim the index of the estimate that resembles it most."""
    shape = (len(e.estimate), *np.shape(e.x))

    def slices(matrix: Array) -> Array:
        if e.elementwise:
            return np.moveaxis(np.diagonal(matrix).reshape(shape[1:]), axis, 0).reshape(length, -1)
        return np.moveaxis(matrix.reshape(shape), 1 + axis, 0).reshape(length, -1)

    # One random projection tells slices apart as well as all their entries do, at a fraction of the cost.
    right = slices(e.estimate)
    weights = np.random.default_rng(0).normal(size=right.shape[1])
    with np.errstate(invalid="ignore"):
        distance = np.abs((slices(e.claim) @ weights)[:, None] - right @ weights)
    best: Array = distance.argmin(axis=1)
    return best if np.unique(best).size == length else np.arange(length)
