"""How one entry of the collection is named and checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import gradcheck
from gradcheck.results import ComponentResult

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, eq=False)
class Right:
    """One right layer or function.

    `subject`: a class, a function whose derivative stands beside it by name, what makes an instance (`fresh`), or a
    function that is checked at `args` with the `claims` (`jac`, `vjp`, `jvp`, `grad`). `gradients`: for how many
    variables it claims derivatives, all of which have to be judged. `unresolved`: why gradcheck may fail to decide.
    `slow`: it takes too long for every run.
    """

    name: str
    subject: Callable[..., Any]
    gradients: int
    args: tuple[Any, ...] = ()
    claims: dict[str, Callable[..., Any]] = field(default_factory=dict)
    fresh: bool = False
    unresolved: str = ""
    slow: bool = False

    def check(self) -> ComponentResult:
        """Ask gradcheck."""
        np.random.seed(0)  # noqa: NPY002 -- an instance has the same weights in every run
        subject = self.subject() if self.fresh else self.subject
        return gradcheck.check(subject, *self.args, **self.claims)


def layer(cls: type, gradients: int, **remarks: Any) -> Right:
    """A class, built from its example or from the names of its arguments."""
    return Right(_title(cls), cls, gradients, **remarks)


def instance(make: Callable[[], Any], gradients: int, name: str, **remarks: Any) -> Right:
    """An instance, made by `make`."""
    return Right(f"{_module(make)}.{name}", make, gradients, fresh=True, **remarks)


def beside(function: Callable[..., Any], gradients: int = 1, **remarks: Any) -> Right:
    """A function whose derivative is found by its name: `f_backward(dout, cache)`, `f_grad`, `f_derivative`."""
    return Right(_title(function), function, gradients, **remarks)


def at(function: Callable[..., Any], *args: Any, name: str = "", gradients: int = 0, **others: Any) -> Right:
    """A function at a point with its `jac`, `vjp`, `jvp` or `grad`; of all arguments unless `gradients` says less."""
    claims = {kind: others.pop(kind) for kind in ("jac", "vjp", "jvp", "grad") if kind in others}
    title = f"{_module(function)}.{name}" if name else _title(function)
    return Right(title, function, gradients or len(args), args, claims, **others)


def cached(
    forward: Callable[..., Any], backward: Callable[..., Any], *args: Any, settings: tuple[Any, ...] = (), **others: Any
) -> Right:
    """A pair `forward(*args, *settings) → (out, cache)` and `backward(dout, cache)` at a point."""

    def output(*arrays: Any) -> Any:
        return forward(*arrays, *settings)[0]

    def vjp(*arrays: Any) -> Any:
        *inputs, dout = arrays
        return backward(dout, forward(*inputs, *settings)[1])

    name = others.pop("name", forward.__name__)
    return Right(f"{_module(forward)}.{name}", output, len(args), args, {"vjp": vjp}, **others)


def some(*shape: int, seed: int = 0) -> Array:
    """Draw normal numbers of two decimals."""
    return np.asarray(np.random.default_rng([seed, *shape]).normal(size=shape).round(2))


def positive(*shape: int, seed: int = 0) -> Array:
    """Draw numbers of two decimals from 0.2 to 2."""
    return np.asarray(np.random.default_rng([seed, *shape]).uniform(0.2, 2.0, size=shape).round(2))


def _module(function: Callable[..., Any]) -> str:
    return getattr(function, "__module__", "numpy").rpartition(".")[2]


def _title(function: Callable[..., Any]) -> str:
    return f"{_module(function)}.{function.__name__}"
