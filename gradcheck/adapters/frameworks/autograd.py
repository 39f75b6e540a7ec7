"""HIPS autograd: primitives with `defvjp` or `defjvp`.

f = primitive(f)      defvjp(f, lambda ans, x, y: lambda g: …, …)      defjvp(f, lambda v, ans, x, y: …, …)
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from gradcheck.adapters.frameworks.protocol import Function, Rule, Run
from gradcheck.adapters.handed.spaces import JAX
from gradcheck.problem import Array


class Autograd:
    """The autograd that is loaded."""

    arrays = ""
    convention = JAX
    modules: tuple[type, ...] = ()

    @property
    def core(self) -> Any:
        """The module; not kept, since modules do not travel to other processes."""
        return sys.modules["autograd.core"]

    def is_array(self, value: Any) -> bool:
        """Never: its arrays are NumPy's."""
        return False

    def is_moved(self, value: Any) -> bool:
        """Whether it is a number or an array of floating or complex numbers."""
        return isinstance(value, (float, complex)) or (isinstance(value, np.ndarray) and value.dtype.kind in "fc")

    def rule(self, subject: Any, arguments: Sequence[Any]) -> Rule | None:
        """What was given to defvjp, and to defjvp."""
        if not getattr(subject, "_is_autograd_primitive", False):
            return None
        vjp, jvp = self.core.primitive_vjps.get(subject), self.core.primitive_jvps.get(subject)
        reading = "an autograd primitive: the function, and what defvjp or defjvp says of it"
        there = subject.fun  # beside which defvjp and defjvp are called
        constants = tuple(self._left_out(subject, vjp, arguments)) if vjp else ()
        return Rule(subject, there, there if vjp else None, there if jvp else None, reading, constants=constants)

    def _left_out(self, subject: Function, vjp: Function, arguments: Sequence[Any]) -> Iterator[int]:
        """Yield the numbers of the arguments by which no vjp is defined."""
        try:
            output = subject(*arguments)
        except Exception:  # somebody else's code: what it raises is said when it is asked
            return
        for number in range(len(arguments)):
            try:
                vjp((number,), output, tuple(arguments), {})
            except NotImplementedError:
                yield number
            except Exception:  # the same
                continue

    def autodiff(self, function: Function) -> Rule:
        """autograd.make_vjp"""
        return Rule(function, function, function, None, "the derivative is what autograd.make_vjp returns")

    def to_numpy(self, value: Any) -> Array:
        """It is one."""
        return np.asarray(value)

    def from_numpy(self, array: Array) -> Any:
        """A number where it has no axes, as autograd's own functions take them."""
        return array[()] if np.ndim(array) == 0 else np.array(array)

    def exactly(self) -> AbstractContextManager[Any]:
        """As it is."""
        return contextlib.nullcontext()

    def pull(self, run: Run, arrays: Sequence[Array], cotangents: Sequence[Array]) -> list[Array | None]:
        """autograd.core.make_vjp, by one array after the other; None where no vjp is defined by it."""
        given = list(map(self.from_numpy, cotangents))
        g = given[0] if len(given) == 1 else tuple(given)
        found: list[Array | None] = []
        for number, array in enumerate(arrays):
            try:
                pulled, _ = self.core.make_vjp(self._by(run, arrays, number), self.from_numpy(array))
                found.append(np.asarray(pulled(g)))
            except NotImplementedError:
                found.append(None)
        return found

    def push(self, run: Run, arrays: Sequence[Array], tangents: Sequence[Array]) -> list[Array]:
        """autograd.core.make_jvp, by one array after the other."""
        found: list[Any] = []
        for number, (array, v) in enumerate(zip(arrays, tangents, strict=True)):
            _, pushed = self.core.make_jvp(self._by(run, arrays, number), self.from_numpy(array))(self.from_numpy(v))
            several = pushed if isinstance(pushed, (tuple, list)) else [pushed]
            found = [a + b for a, b in zip(found, several, strict=True)] if found else list(several)
        return list(map(np.asarray, found))

    def _by(self, run: Run, arrays: Sequence[Array], number: int) -> Function:
        """The function of one array."""
        others = list(map(self.from_numpy, arrays))
        return lambda x: run(*others[:number], x, *others[number + 1 :])[0]
