"""A Jacobian in whatever form it comes: array, nested lists, sparse matrix, linear operator, or a slope per entry.

Recognised by what it does (`toarray`, `matvec` and `rmatvec`, `shape`), whichever library it is from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradcheck.adapters import returned
from gradcheck.adapters.handed.answers import array_of, is_large, is_sparse
from gradcheck.adapters.handed.given import Part
from gradcheck.adapters.handed.known import Known
from gradcheck.problem import Array

Shape = tuple[int, ...]

# How far entries are moved, as a share of themselves, to see which outputs change with them.
NEAR = 2.0**-20


def is_operator(item: Any) -> bool:
    """Whether an item is a linear operator: it multiplies, and its entries cannot be read."""
    return all(hasattr(item, name) for name in ("matvec", "shape")) and not hasattr(item, "toarray")


def size_of(shapes: Sequence[Shape]) -> int:
    """The number of entries of several arrays."""
    return sum(int(np.prod(shape)) for shape in shapes)


def fits(outputs: Sequence[Shape]) -> Callable[[Any, Sequence[Part]], bool]:
    """Return what tells whether an item has the shape of the Jacobian of such outputs by some arrays together."""

    def fit(item: Any, parts: Sequence[Part]) -> bool:
        array = None if is_operator(item) or is_sparse(item) else array_of(item)
        shape = tuple(item.shape) if array is None and hasattr(item, "shape") else shape_of(array)
        return shape in shapes(outputs, [part.shape for part in parts])

    return fit


def shape_of(array: Array | None) -> Shape | None:
    """The shape of what was read as an array; None where it is none."""
    return None if array is None else array.shape


def shapes(outputs: Sequence[Shape], variables: Sequence[Shape]) -> list[Shape]:
    """Return the shapes that a whole Jacobian may have: output.shape + variable.shape, or a matrix (rows, columns)."""
    rows, columns = size_of(outputs), size_of(variables)
    found: list[Shape] = [(rows, columns)]
    if len(variables) == 1:
        if len(outputs) == 1:
            found.insert(0, (*outputs[0], *variables[0]))
        if rows == 1:  # the gradient of a scalar
            found += [tuple(variables[0]), (columns,)]
        elif columns == 1:
            found += [(rows,)]
    else:
        found += [(columns,)] if rows == 1 else []
        # One number each, and their derivatives one after the other.
        found += [(columns, *outputs[0])] if len(outputs) == 1 and columns == len(variables) else []
    return found


def is_in_rows(answer: Any) -> bool:
    """Whether an answer is written as the rows of a matrix: sequences of plain numbers."""
    rows = answer if isinstance(answer, (list, tuple)) else ()
    return bool(rows) and all(isinstance(row, (list, tuple)) and all(np.ndim(one) == 0 for one in row) for row in rows)


def apart(answer: Any, outputs: Sequence[Shape], variables: Sequence[Shape]) -> list[Array] | None:
    """Cut one Jacobian by several arrays together into one by each; None where it is no such array.

    Lists are one derivative for each array, but where they are the rows of a matrix, number by number.
    """
    rows, columns = size_of(outputs), size_of(variables)
    array = array_of(answer) if is_in_rows(answer) or not isinstance(answer, (list, tuple, dict)) else None
    if isinstance(answer, (list, tuple)) and array is not None and array.shape != (rows, columns):
        return None
    if array is None or array.shape not in shapes(outputs, variables):
        return None
    one_after_another = array.shape == (columns, *outputs[0]) and array.shape != (rows, columns)
    joined = array.reshape(columns, rows).T if one_after_another else array.reshape(rows, columns)
    ends = np.cumsum([int(np.prod(shape)) for shape in variables])[:-1]
    return np.split(joined, ends, axis=1)


def matrix(item: Any, outputs: Sequence[Shape], part: Part, what: str) -> Array:
    """Return the Jacobian `(rows, columns)` by one array.

    Of a function of several outputs it may be a list with a Jacobian of each. Raises ValueError, naming the shapes.
    """
    several = isinstance(item, (list, tuple)) and len(item) == len(outputs) > 1
    if several and all(shape_of(array_of(one)) == (*out, *part.shape) for one, out in zip(item, outputs, strict=True)):
        each = [np.asarray(array_of(one)).reshape(-1, part.array.size) for one in item]
        return np.concatenate(each)
    array = array_of(item)
    if array is None:
        raise ValueError(f"expected {what} to return a Jacobian, but got {type(item).__name__}")
    rows, columns = size_of(outputs), part.array.size
    known = shapes(outputs, [part.shape])
    if array.shape not in known and array.shape[:1] == (1,):
        array = array[0]
    if array.shape not in known:
        raise ValueError(f"expected {what} to return a Jacobian of shape {known[0]}, but got shape {array.shape}")
    return array.reshape(rows, columns)


def product(item: Any, outputs: Sequence[Shape], part: Part, what: str) -> Callable[[Array], Array]:
    """Return what multiplies rows with a Jacobian by one array, in whatever form it is; ValueError where it is none."""
    if is_large(item) and tuple(item.shape) == (size_of(outputs), part.array.size):
        return lambda row: np.asarray(item.T @ row).reshape(part.shape)
    written = matrix(item, outputs, part, what).copy()
    return lambda row: times(row, written, part.shape)


def has_adjoint(operator: Any) -> bool:
    """Whether a linear operator multiplies from the left as well."""
    try:
        operator.rmatvec(np.zeros(operator.shape[0]))
    except NotImplementedError:
        return False
    except Exception:  # somebody else's code: what it raises is said when it is asked as a claim
        return True
    return True


def is_elementwise(known: Known, part: Part) -> bool:
    """Whether moving half of an array's entries (every second one, one side) leaves all other outputs as they are."""
    [argument] = [one for one in known.call.arguments if part in one.parts]
    [before] = known.outputs
    number = np.arange(part.array.size).reshape(part.shape)
    size = np.abs(part.array).max(initial=0.0) or 1.0
    moved = part.array + NEAR * np.where(part.array == 0, size, part.array)
    for half in (number % 2 == 0, number < number.size // 2):
        for moving in (half, ~half):
            arguments = known.point()
            place = known.call.arguments.index(argument)
            arguments[place] = known.argument(argument, part, np.where(moving, moved, part.array))
            try:
                with np.errstate(all="ignore"):
                    [after] = returned.outputs(known.call.f(*arguments, **known.call.kwargs))
            except Exception:  # somebody else's code, which refuses what is not the point
                return False
            if after.shape != before.shape or not np.array_equal(after[~moving], before[~moving], equal_nan=True):
                return False
    return True


def slopes(item: Any, output: Shape, what: str) -> Array:
    """Return the slopes of an elementwise function, one per entry of its output. Raises ValueError."""
    array = array_of(item)
    if array is None or array.size != int(np.prod(output)):
        got = type(item).__name__ if array is None else f"shape {array.shape}"
        raise ValueError(f"expected {what} to return a slope for each entry of the output, {output}, but got {got}")
    return array.reshape(output)


def scaled(upstream: Array, slope: Array, shape: Shape) -> Array:
    """Return `g ∘ f′` summed over the axes along which a variable of this shape was broadcast to the output.

    >>> scaled(np.ones((2, 3)), np.ones((2, 3)), (3,)).tolist()
    [2.0, 2.0, 2.0]
    """
    kind = upstream.dtype if slope.dtype.kind in "iub" else np.result_type(slope.dtype, upstream.dtype)
    kind = slope.dtype if slope.dtype.kind == "f" == upstream.dtype.kind else kind
    product = upstream.astype(kind) * slope.astype(kind, copy=False)
    lead = product.ndim - len(shape)
    product = product.sum(axis=tuple(range(lead)))
    ones = tuple(axis for axis, length in enumerate(shape) if length == 1 != product.shape[axis])
    return np.asarray(product.sum(axis=ones, keepdims=True)).reshape(shape)


def times(row: Array, jacobian: Array, shape: Shape) -> Array:
    """Return `row · J` in the variable's shape: exact for one row, and no zero meets a NaN.

    A Jacobian of whole numbers, or of booleans, is multiplied in the row's type.
    """
    kind = np.result_type(jacobian.dtype, row.dtype) if row.dtype.kind == "c" else jacobian.dtype
    kind = row.dtype if kind.kind in "iub" else kind
    used = np.flatnonzero(row)
    return np.asarray(row[used].astype(kind) @ jacobian[used].astype(kind, copy=False)).reshape(shape)
