"""JAX: `jax.custom_vjp`, `jax.custom_jvp`, and what JAX makes of any function of its arrays.

f = jax.custom_vjp(f)      f.defvjp(fwd, bwd)       fwd(*args) → (y, residuals)      bwd(residuals, g) → (x̄, …)
f = jax.custom_jvp(f)      f.defjvp(rule)           rule(primals, tangents) → (y, ẏ)
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from gradcheck.adapters.frameworks.protocol import Function, Rule, Run
from gradcheck.adapters.handed.spaces import JAX
from gradcheck.problem import Array

# Two ways to compute one value are apart by fewer roundings.
SAME = 1e4


class Jax:
    """The JAX that is loaded."""

    arrays = "JAX's arrays"
    convention = JAX
    modules: tuple[type, ...] = ()

    @property
    def jax(self) -> Any:
        """The module; not kept, since modules do not travel to other processes."""
        return sys.modules["jax"]

    def is_array(self, value: Any) -> bool:
        """Whether it is a jax.Array."""
        return isinstance(value, self.jax.Array)

    def is_moved(self, value: Any) -> bool:
        """Whether it is an array, or a number of Python's, of floating or complex numbers."""
        if isinstance(value, (float, complex)):
            return True
        known = isinstance(value, np.ndarray) or self.is_array(value)
        return known and bool(self.jax.numpy.issubdtype(value.dtype, self.jax.numpy.inexact))

    def rule(self, subject: Any, arguments: Sequence[Any]) -> Rule | None:
        """What was given to defvjp or defjvp."""
        if isinstance(subject, self.jax.custom_jvp):
            reading = "jax.custom_jvp: the function, and what the rule of defjvp says of it"
            return Rule(subject, subject.fun, None, subject.jvp, reading, constants=tuple(subject.nondiff_argnums))
        if not isinstance(subject, self.jax.custom_vjp):
            return None
        reading = "jax.custom_vjp: the function, and what bwd says of it"
        fixed = (*subject.nondiff_argnums, *self._left_out(subject, arguments))
        return Rule(subject, subject.fun, subject.bwd, None, reading, constants=fixed)

    def _left_out(self, subject: Any, arguments: Sequence[Any]) -> list[int]:
        """The numbers of the arguments for which bwd returns None, which is 0 to JAX: it says nothing about them."""
        still = subject.nondiff_argnums
        others = [n for n in range(len(arguments)) if n not in still]
        try:
            output, residuals = subject.fwd(*arguments)
            ones = self.jax.tree_util.tree_map(self.jax.numpy.ones_like, output)
            answer = subject.bwd(*(arguments[n] for n in still), residuals, ones)
            silent = [n for n, item in zip(others, answer, strict=True) if item is None]
            return silent if len(silent) < len(others) else []
        except Exception:  # somebody else's code: what it raises is said when it is asked
            return []

    def autodiff(self, function: Function) -> Rule:
        """jax.vjp"""
        return Rule(function, function, function, None, "the derivative is what jax.vjp returns", certain=False)

    def to_numpy(self, value: Any) -> Array:
        """Types that NumPy has not (bfloat16, …) as float32."""
        array = np.array(value)
        narrow = array.dtype.kind == "V" and self.jax.numpy.issubdtype(value.dtype, self.jax.numpy.floating)
        return array.astype(np.float32) if narrow else array

    def from_numpy(self, array: Array) -> Any:
        """An array of the same type: double only within `exactly`."""
        return self.jax.numpy.array(array)

    def exactly(self) -> AbstractContextManager[Any]:
        """With types of 64 bits."""
        if hasattr(self.jax, "enable_x64"):
            found: AbstractContextManager[Any] = self.jax.enable_x64(True)
            return found
        older: AbstractContextManager[Any] = self.jax.experimental.enable_x64()
        return older

    def pull(self, run: Run, arrays: Sequence[Array], cotangents: Sequence[Array]) -> list[Array | None]:
        """jax.vjp"""
        given = list(map(self.from_numpy, arrays))
        outputs, pulled = self.jax.vjp(run, *given)
        _hold_values(outputs, run(*given), "fwd")
        g = [self.from_numpy(one).astype(y.dtype) for one, y in zip(cotangents, outputs, strict=True)]
        return [self.to_numpy(one) for one in pulled(g)]

    def push(self, run: Run, arrays: Sequence[Array], tangents: Sequence[Array]) -> list[Array]:
        """jax.jvp"""
        given = tuple(map(self.from_numpy, arrays))
        outputs, pushed = self.jax.jvp(run, given, tuple(map(self.from_numpy, tangents)))
        _hold_values(outputs, run(*given), "the rule of defjvp")
        return [self.to_numpy(one) for one in pushed]


def _hold_values(differentiated: Sequence[Any], called: Sequence[Any], who: str) -> None:
    """Raise ValueError where a function has other values while it is differentiated."""
    for a, b in zip(differentiated, called, strict=True):
        left, right = np.asarray(a, dtype=complex), np.asarray(b, dtype=complex)
        if left.shape != right.shape:
            raise ValueError(
                f"{who} returns a value of shape {left.shape}, but the function one of shape {right.shape}"
            )
        size = SAME * float(np.finfo(a.dtype).eps if a.dtype.kind in "fc" else 0) * np.abs(right).max(initial=0.0)
        if not np.all((np.abs(left - right) <= size) | (left == right) | np.isnan(right)):
            raise ValueError(f"{who} returns other values than the function")
