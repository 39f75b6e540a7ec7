"""How a compact local derivative is read: every layout is a way to multiply it with an upstream gradient.

Hand-written layers return local derivatives in layouts of their own: `w` for a Dense input, one number
per entry for an activation, one matrix per sample for Softmax, `(batch, in, out)` or `(batch, in, 1)` for
a weight. Each layout means one vector-Jacobian product; that product is what is compared, so that a
layout needs no full Jacobian. `read` finds the layout from the shapes alone.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gradcheck.problem import Array, Role

VJP = Callable[[Array], Array]
Rules = tuple[Callable[[Array, tuple[int, ...], tuple[int, ...]], VJP | None], ...]


def read(local: Array, variable_shape: tuple[int, ...], output_shape: tuple[int, ...], role: Role) -> VJP:
    """Return the vector-Jacobian product that `local` stands for.

    The product takes an upstream gradient of `output_shape` and returns an array of `variable_shape`. Where none fits,
    one more axis of length 1 in front is left out: `np.array([gradient])`.
    Raises ValueError, naming the shapes, where no layout fits.
    """
    rules = _WEIGHT_RULES if role == "weight" else _INPUT_RULES
    for array in (local, local[0]) if local.shape[:1] == (1,) else (local,):
        for rule in (*_COMMON_RULES, *rules):
            vjp = rule(array, variable_shape, output_shape)
            if vjp is not None:
                return vjp
    raise ValueError(
        f"expected the local gradient in a layout that multiplies with an upstream gradient of shape {output_shape} "
        f"into shape {variable_shape}, but it has shape {local.shape}"
    )


def _full(local: Array, variable: tuple[int, ...], output: tuple[int, ...]) -> VJP | None:
    """J[output…, variable…]: the whole Jacobian, as JAX lays it out."""
    if local.shape != output + variable or not output:
        return None
    axes = len(output)
    return lambda g: np.tensordot(g, local, axes=(range(axes), range(axes)))


def _scalar_output(local: Array, variable: tuple[int, ...], output: tuple[int, ...]) -> VJP | None:
    """The gradient of a scalar: times the one upstream number."""
    if int(np.prod(output)) != 1 or local.shape != variable:
        return None
    return lambda g: local * g.reshape(())


def _elementwise(local: Array, variable: tuple[int, ...], output: tuple[int, ...]) -> VJP | None:
    """One number for each entry, or one for all of them (1.0, of the identity). dx = L ∘ g"""
    if variable != output or local.shape not in (variable, ()):
        return None
    return lambda g: local * g


def _shared_matrix(local: Array, variable: tuple[int, ...], output: tuple[int, ...]) -> VJP | None:
    """Dense: one matrix `(in, out)` for all rows. dx = g · Lᵀ"""
    if local.ndim != 2 or not variable or not output:
        return None
    if local.shape != (variable[-1], output[-1]) or variable[:-1] != output[:-1]:
        return None
    return lambda g: g @ local.T


def _row_per_sample(local: Array, variable: tuple[int, ...], output: tuple[int, ...]) -> VJP | None:
    """One number for each sample, `(batch,)` or `(batch, 1)`: L is its gradient. dx[n] = L[n] · g[n]"""
    rows = output[:-1] if output and output[-1] == 1 and len(output) == len(variable) else output
    if len(variable) < 2 or local.shape != variable or rows != variable[: len(rows)] or not rows:
        return None
    return lambda g: local * g.reshape(*rows, *(1,) * (len(variable) - len(rows)))


def _matrix_per_sample(local: Array, variable: tuple[int, ...], output: tuple[int, ...]) -> VJP | None:
    """Softmax: one matrix `(in, out)` for each row, as Dense's `w` is one for all. dx[n] = L[n] · g[n]"""
    if len(variable) < 2 or variable[:-1] != output[:-1] or local.shape != (*variable, output[-1]):
        return None
    return lambda g: np.einsum("...io,...o->...i", local, g)


def _jacobian_per_sample(local: Array, variable: tuple[int, ...], output: tuple[int, ...]) -> VJP | None:
    """One Jacobian `(out, in)` for each row, where the shape tells it from the above. dx[n] = g[n] · L[n]"""
    if len(variable) < 2 or variable[:-1] != output[:-1] or local.shape != (*output, variable[-1]):
        return None
    return lambda g: np.einsum("...o,...oi->...i", g, local)


def _weight_matrix_per_sample(local: Array, variable: tuple[int, ...], output: tuple[int, ...]) -> VJP | None:
    """`(batch, in, out)` or `(batch, in, 1)`, one matrix per sample: dw = Σₙ L[n] ∘ g[n]"""
    if local.ndim != len(variable) + 1 or len(output) < 2 or local.shape[0] != output[0]:
        return None
    if not _fits(local.shape[1:], variable) or not _fits(output[-1:], variable):
        return None
    between = (slice(None), *(None,) * (len(variable) - 1), slice(None))
    if local.shape[-1] == output[-1]:
        return lambda g: np.einsum("n...o,no->...o", local, g.reshape(-1, g.shape[-1]))
    return lambda g: (local * g.reshape(-1, g.shape[-1])[between]).sum(axis=0)


def _weight_broadcast(local: Array, variable: tuple[int, ...], output: tuple[int, ...]) -> VJP | None:
    """`(out,)`, `(1, out)`, `(batch, out)`, `(1,)` or a number: times the upstream rows, summed over the batch."""
    if not _fits(local.shape, output) or not _fits(variable, output):
        return None
    return lambda g: _sum_to(local * g, variable)


def _fits(shape: tuple[int, ...], target: tuple[int, ...]) -> bool:
    """Whether an array of `shape` can be broadcast to `target`."""
    tail = target[len(target) - len(shape) :] if len(shape) <= len(target) else None
    return tail is not None and all(a in (1, b) for a, b in zip(shape, tail, strict=True))


def _sum_to(array: Array, shape: tuple[int, ...]) -> Array:
    """Sum `array` over the axes along which `shape` was broadcast to it."""
    extra = array.ndim - len(shape)
    summed: Array = array.sum(axis=tuple(range(extra)))
    ones = tuple(axis for axis, length in enumerate(shape) if length == 1 and summed.shape[axis] != 1)
    return np.asarray(summed.sum(axis=ones, keepdims=True)).reshape(shape)


# In this order: where a shape fits several, the first is meant.
_COMMON_RULES: Rules = (_full, _scalar_output)
_INPUT_RULES: Rules = (_elementwise, _shared_matrix, _row_per_sample, _matrix_per_sample, _jacobian_per_sample)
_WEIGHT_RULES: Rules = (_weight_matrix_per_sample, _weight_broadcast)
