"""PyTorch: `torch.autograd.Function`, and what PyTorch's tape makes of modules and of any function of tensors.

class Square(torch.autograd.Function):
    forward(ctx, x) → y        backward(ctx, grad_y) → grad_x, …        and perhaps jvp(ctx, x_t, …) → y_t
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from gradcheck.adapters.frameworks.protocol import Function, Rule, Run
from gradcheck.adapters.handed.spaces import PYTORCH
from gradcheck.adapters.isolated import SEED
from gradcheck.errors import UsageError
from gradcheck.problem import Array


class Torch:
    """The PyTorch that is loaded."""

    arrays = "tensors"
    convention = PYTORCH

    @property
    def torch(self) -> Any:
        """The module; not kept, since modules do not travel to other processes."""
        return sys.modules["torch"]

    @property
    def modules(self) -> tuple[type, ...]:
        """torch.nn.Module"""
        return (self.torch.nn.Module,)

    def is_array(self, value: Any) -> bool:
        """Whether it is a tensor."""
        return isinstance(value, self.torch.Tensor)

    def is_moved(self, value: Any) -> bool:
        """Whether it is a tensor of floating or complex numbers, or such an array of NumPy's."""
        if isinstance(value, np.ndarray):
            return value.dtype.kind in "fc"
        return self.is_array(value) and bool(value.is_floating_point() or value.is_complex())

    def rule(self, subject: Any, arguments: Sequence[Any]) -> Rule | None:
        """Function.backward, and Function.jvp where there is one; of a module what the tape says."""
        base: Any = self.torch.autograd.Function
        if isinstance(subject, self.torch.nn.Module):
            return self._rule_of_module(subject)
        if self.torch.nn.Module in getattr(subject, "__mro__", ()):
            name = subject.__name__
            raise UsageError(f"expected a module, but got the class {name}: make one, as in check({name}(...), x)")
        if base not in getattr(subject, "__mro__", ())[1:]:
            return None
        has_context = subject.setup_context is base.setup_context
        own = {name: getattr(subject, name) for name in ("backward", "jvp") if _is_own(subject, base, name)}
        return Rule(
            subject.apply,
            subject.forward,
            own.get("backward"),
            own.get("jvp"),
            "torch.autograd.Function: forward, and what backward or jvp says of it",
            shown=subject,
            skip=int(has_context),
            constants=tuple(self._left_out(subject, arguments)),
        )

    def _left_out(self, subject: Any, arguments: Sequence[Any]) -> list[int]:
        """The numbers of the arguments for which backward returns None."""
        plain = [self.from_numpy(one) if isinstance(one, np.ndarray) else one for one in arguments]
        moved = {n: one.detach().clone().requires_grad_() for n, one in enumerate(plain) if self.is_moved(one)}
        try:
            said = subject.apply(*(moved[n].clone() if n in moved else one for n, one in enumerate(plain)))
            outputs = [y for y in (said if isinstance(said, tuple) else (said,)) if y.requires_grad]
            ones = list(map(self.torch.ones_like, outputs))
            found = self.torch.autograd.grad(outputs, list(moved.values()), ones, allow_unused=True)
            silent = [n for n, one in zip(moved, found, strict=True) if one is None]
            return silent if len(silent) < len(moved) else []
        except Exception:  # somebody else's code: what it raises is said when it is asked
            return []

    def _rule_of_module(self, module: Any) -> Rule:
        weights = {name: one for name, one in module.named_parameters() if one.requires_grad}
        call, still = OfWeights(self.torch, module, weights), partial(OfWeights(self.torch, module, {}), {})
        reading = "torch.nn.Module: forward, and what torch.autograd.grad returns"
        forward = module.forward
        call_of = call if weights else still
        return Rule(call_of, forward, forward, None, reading, shown=module, weights=weights, still=still)

    def autodiff(self, function: Function) -> Rule:
        """torch.autograd.grad"""
        reading = "the derivative is what torch.autograd.grad returns"
        return Rule(function, function, function, None, reading, certain=False)

    def to_numpy(self, value: Any) -> Array:
        """On the CPU, conjugates and sparse tensors written out, and bfloat16 as float32."""
        plain = value.detach().resolve_conj().resolve_neg().cpu()
        plain = plain.to_dense() if plain.layout is not self.torch.strided else plain
        return np.array((plain.float() if plain.dtype is self.torch.bfloat16 else plain).numpy())

    def from_numpy(self, array: Array) -> Any:
        """A tensor of the same type."""
        return self.torch.from_numpy(np.array(array))

    @contextlib.contextmanager
    def exactly(self) -> Iterator[None]:
        """PyTorch's generator starts anew."""
        with self.torch.random.fork_rng(devices=[]):
            self.torch.random.default_generator.manual_seed(SEED)
            yield

    def pull(self, run: Run, arrays: Sequence[Array], cotangents: Sequence[Array]) -> list[Array | None]:
        """torch.autograd.grad"""
        leaves = [self.from_numpy(one).requires_grad_() for one in arrays]
        # Clones: a function may write into its arguments, but not into leaves.
        outputs = run(*(one.clone() for one in leaves))
        pairs = [
            (y, self.from_numpy(g).to(y.dtype)) for y, g in zip(outputs, cotangents, strict=True) if y.requires_grad
        ]
        if not pairs:
            return [None] * len(leaves)
        moved, given = zip(*pairs, strict=True)
        found = self.torch.autograd.grad(moved, leaves, given, allow_unused=True)
        for y, g, array in zip(outputs, map(self.to_numpy, given), cotangents, strict=False):
            if y.requires_grad and len(given) == len(outputs) and not np.array_equal(g, array, equal_nan=True):
                array[...] = g  # backward wrote into it
        return [None if one is None else self.to_numpy(one) for one in found]

    def push(self, run: Run, arrays: Sequence[Array], tangents: Sequence[Array]) -> list[Array]:
        """torch.autograd.forward_ad"""
        forward = self.torch.autograd.forward_ad
        with forward.dual_level():
            pairs = zip(arrays, tangents, strict=True)
            duals = [forward.make_dual(self.from_numpy(x), self.from_numpy(v)) for x, v in pairs]
            pushed = [forward.unpack_dual(one) for one in run(*duals)]
            return [self.to_numpy(self.torch.zeros_like(y) if v is None else v) for y, v in pushed]


class OfWeights:
    """A module as a function of its weights; all else that it holds is made anew in their type for every call."""

    def __init__(self, torch: Any, module: Any, weights: Mapping[str, Any]) -> None:
        self.torch, self.module = torch, module
        every = [*module.named_parameters(), *module.named_buffers()]
        self.others = {name: one for name, one in every if name not in weights}

    def __call__(self, weights: Mapping[str, Any], *inputs: Any, **kwargs: Any) -> Any:
        tensors = [one for one in (*weights.values(), *inputs) if isinstance(one, self.torch.Tensor)]
        kind = next((one.dtype for one in tensors if one.is_floating_point()), None)
        others = {
            name: one.detach().to(kind if one.is_floating_point() else None, copy=True)
            for name, one in self.others.items()
        }
        return self.torch.func.functional_call(self.module, {**others, **weights}, inputs, kwargs)


def _is_own(subject: Any, base: Any, name: str) -> bool:
    return getattr(subject, name, None) is not getattr(base, name, None)
