"""The arena's tools: each takes a `Case` in its natural form, at its defaults, and says whether it objects.

A tool objects if it raises anything, or (gradcheck) says "wrong": that is what its user would see. What it said
is kept, so that an objection for another reason shows.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
from arena_cases import Case


@dataclass(frozen=True)
class Opinion:
    """`objects`: whether the tool said no; None if it did not decide. `words`: what it said. `notes`: whether it said
    yes, and what is wrong in a note beside it."""

    objects: bool | None
    words: str
    notes: bool = False


@dataclass(frozen=True)
class Tool:
    """A tool: its short name (as in `Case.refused`), its full name with the call, its package, and how to ask it."""

    family: str
    name: str
    package: str
    ask: Callable[[Case], Opinion]

    @property
    def version(self) -> str:
        """The installed version."""
        if self.package == "gradcheck":
            import gradcheck

            return gradcheck.__version__
        return version(self.package)


def _listed(outputs: Any) -> tuple[Any, ...]:
    return tuple(outputs) if isinstance(outputs, tuple) else (outputs,)


def gradcheck_says(case: Case) -> Opinion:
    """`gradcheck.check(f, *args, vjp=…)`, or of the layer."""
    import gradcheck

    if case.layer is not None:
        result = gradcheck.check(case.layer)
    else:
        count = len(case.args)
        names = ["x", "w"][:count]

        def f(*args: Any) -> Any:
            with np.errstate(all="ignore"):
                return case.forward(np, *args)

        def vjp(*given: Any) -> Any:
            with np.errstate(all="ignore"):
                return case.backward(np, given[:count], given[count:])

        result = gradcheck.check(f, *case.args, vjp=vjp, names=names)
    objects = {"correct": False, "wrong": True}.get(result.verdict)
    claims = "; ".join(f"{c.name}: {c.verdict} {c.reason}" for c in result.claims if c.verdict != "correct")
    broken = "; ".join(f"{c.name}: {c.detail}" for c in result.contract if c.verdict == "broken")
    notes = "; ".join(str(note.text) for note in result.notes if note.about == "contract")
    words = f"{result.verdict} {result.reason} {claims} {broken} {notes}".strip()
    return Opinion(objects, words, notes=objects is False and bool(notes))


def _torch_function(case: Case) -> Any:
    import torch

    class Subject(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *args: Any) -> Any:
            ctx.save_for_backward(*args)
            return case.forward(torch, *args)

        @staticmethod
        def backward(ctx: Any, *cotangents: Any) -> Any:
            return tuple(case.backward(torch, ctx.saved_tensors, cotangents))

    return Subject.apply


def torch_says(case: Case, fast: bool) -> Opinion:
    """`torch.autograd.gradcheck(f, inputs, fast_mode=…)`."""
    import torch

    torch.manual_seed(0)
    function = _torch_function(case)
    tensors = [torch.tensor(a, requires_grad=True) for a in case.args]
    inputs = tensors[: len(tensors) - case.parameters]
    if case.random:
        module = torch.nn.Dropout(0.5)
    elif case.detached:
        module = lambda x: (torch.sin(x), torch.cos(x).detach())  # noqa: E731
    elif case.parameters:
        weights = [torch.nn.Parameter(t.detach()) for t in tensors[len(inputs) :]]
        module = lambda *given: function(*given, *weights)  # noqa: E731
    else:
        module = function
    return _raises(lambda: torch.autograd.gradcheck(module, inputs, fast_mode=fast))


def jax_says(case: Case) -> Opinion:
    """`jax.test_util.check_grads(f, args, order=1, modes=["rev"])` with 64-bit floats switched on."""
    import jax
    import jax.numpy as jnp
    from jax.test_util import check_grads

    jax.config.update("jax_enable_x64", True)
    args = tuple(jnp.asarray(a) for a in case.args)
    if case.random:
        key = jax.random.key(0)
        return _raises(
            lambda: check_grads(
                lambda x: x * 2.0 * jax.random.bernoulli(key, 0.5, x.shape), args, order=1, modes=["rev"]
            )
        )
    if case.detached:
        function: Any = lambda x: (jnp.sin(x), jax.lax.stop_gradient(jnp.cos(x)))  # noqa: E731
    else:
        function = jax.custom_vjp(lambda *given: case.forward(jnp, *given))
        single = not isinstance(case.forward(jnp, *args), tuple)
        function.defvjp(
            lambda *given: (case.forward(jnp, *given), given),
            lambda given, g: tuple(case.backward(jnp, given, (g,) if single else tuple(g))),
        )
    return _raises(lambda: check_grads(function, args, order=1, modes=["rev"]))


def autograd_says(case: Case) -> Opinion:
    """`autograd.test_util.check_grads(f, modes=["rev"])(*args)`, order 2 as is its default."""
    import autograd.numpy as anp
    from autograd.builtins import tuple as autograd_tuple
    from autograd.extend import defvjp, primitive
    from autograd.test_util import check_grads
    from autograd.tracer import getval

    np.random.seed(0)  # noqa: NPY002 -- autograd draws its vectors from there
    if case.random:
        function: Any = lambda x: x * ((np.random.random(x.shape) > 0.5) * 2.0)  # noqa: E731, NPY002
    elif case.detached:
        function = lambda x: autograd_tuple((anp.sin(x), anp.cos(getval(x))))  # noqa: E731
    else:
        single = not isinstance(case.forward(np, *case.args), tuple)
        # autograd's primitives return one array: several outputs are laid end to end.
        shapes = [np.shape(y) for y in _listed(case.forward(np, *case.args))]
        ends = np.cumsum([0, *(int(np.prod(shape)) for shape in shapes)])

        def joined(*args: Any) -> Any:
            y = case.forward(np, *args)
            return y if single else np.concatenate([np.ravel(part) for part in y])

        def split(g: Any) -> tuple[Any, ...]:
            return (
                (g,)
                if single
                else tuple(anp.reshape(g[a:b], shape) for a, b, shape in zip(ends[:-1], ends[1:], shapes, strict=True))
            )

        function = primitive(joined)
        defvjp(
            function,
            *(lambda y, *args, at=at: lambda g: case.backward(anp, args, split(g))[at] for at in range(len(case.args))),
        )
    return _raises(lambda: check_grads(function, modes=["rev"])(*case.args))


def _raises(check: Callable[[], object]) -> Opinion:
    """Run a check that raises where it objects; other people's code may raise anything, and that is the opinion."""
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            check()
    except Exception as error:
        return Opinion(True, f"{type(error).__name__}: {' '.join(str(error).split())[:200]}")
    return Opinion(False, "passed")


TOOLS = (
    Tool("gradcheck", "gradcheck.check", "gradcheck", gradcheck_says),
    Tool("PyTorch", "torch.autograd.gradcheck", "torch", lambda case: torch_says(case, fast=False)),
    Tool("PyTorch", "torch.autograd.gradcheck, fast_mode", "torch", lambda case: torch_says(case, fast=True)),
    Tool("JAX", "jax.test_util.check_grads", "jax", jax_says),
    Tool("autograd", "autograd.test_util.check_grads", "autograd", autograd_says),
)
