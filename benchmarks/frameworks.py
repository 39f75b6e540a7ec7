"""Custom gradients of PyTorch, JAX and TensorFlow: what gradcheck says of them, and what their own checkers do.

    python benchmarks/frameworks.py [torch] [jax] [tensorflow]

The right and the wrong gradients of `tests/frameworks` (`rules.py`, `usual.py`), each at its one point. Own checkers at
their defaults: `torch.autograd.gradcheck` in double precision, which it demands; `jax.test_util.check_grads` in JAX's
usual single precision; `tf.test.compute_gradient`, which judges nothing, in double precision and with the bound of
TensorFlow's own tests, 1e-4. "Slight" is the right gradient, 1.0001 times too large. Ends with 1 if gradcheck rejects a
right gradient or does not find one that is not.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

import gradcheck

OWN = {"torch": "torch.autograd.gradcheck", "jax": "check_grads", "tensorflow": "tf.test.compute_gradient"}
BOUND = 1e-4
SLIGHT = 1.0001
KINDS = ("right", "wrong", "slight")


def torch_accepts(function: Any, args: tuple[Any, ...], about: list[int]) -> bool:
    """`torch.autograd.gradcheck(f.apply, tensors)`, by the arguments that something is claimed about."""
    import torch

    tensors = [torch.tensor(one).requires_grad_(n in about) for n, one in enumerate(args)]
    return torch.autograd.gradcheck(function.apply, tensors, raise_exception=False)


def jax_accepts(function: Any, args: tuple[Any, ...], about: list[int]) -> bool:
    """`check_grads(f, arrays, order=1, modes=["rev"])`, by the arguments that something is claimed about."""
    import jax.numpy as jnp
    from jax.test_util import check_grads

    try:
        check_grads(_of(function, [jnp.array(one) for one in args], about), _some(args, about, jnp.array), 1, ["rev"])
    except AssertionError:
        return False
    return True


def tensorflow_accepts(function: Any, args: tuple[Any, ...], about: list[int]) -> bool:
    """`tf.test.compute_gradient(f, tensors)`: the largest difference of the two Jacobians that it returns."""
    import tensorflow as tf

    said = function(*map(tf.constant, args))
    differences = []
    for n in range(len(said) if isinstance(said, tuple) else 1):  # it takes functions of one output

        def one(*given: Any, n: int = n) -> Any:
            found = _of(function, list(map(tf.constant, args)), about)(*given)
            return found[n] if isinstance(found, tuple) else found

        theirs, numerical = tf.test.compute_gradient(one, list(_some(args, about, tf.constant)))
        differences += [np.abs(a - b).max() for a, b in zip(theirs, numerical, strict=True)]
    return bool(max(differences) < BOUND)


ACCEPTS: dict[str, Callable[[Any, tuple[Any, ...], list[int]], bool]] = {
    "torch": torch_accepts,
    "jax": jax_accepts,
    "tensorflow": tensorflow_accepts,
}


def _of(function: Any, args: list[Any], about: list[int]) -> Callable[..., Any]:
    """The function of the arguments `about` alone."""

    def of(*given: Any) -> Any:
        now = dict(zip(about, given, strict=True))
        return function(*(now.get(n, one) for n, one in enumerate(args)))

    return of


def _some(args: tuple[Any, ...], about: list[int], made: Callable[[Any], Any]) -> tuple[Any, ...]:
    return tuple(made(args[n]) for n in about)


def gradients(row: Any) -> dict[str, Callable[..., Any]]:
    """The vjp of each kind."""

    def slight(xp: Any, g: Any, *args: Any) -> tuple[Any, ...]:
        return tuple(None if one is None else SLIGHT * one for one in row.right(xp, g, *args))

    return dict(zip(KINDS, (row.right, row.wrong, slight), strict=True))


def compare(framework: str) -> bool:
    """Print two lines about a framework; return whether gradcheck makes no mistake."""
    cases = importlib.import_module(f"tests.frameworks.test_{framework}")
    found: dict[str, list[str]] = {name: [] for name in ("gradcheck", OWN[framework])}
    every = [(name, row, kind) for name, row in cases.ALL.items() for kind in KINDS]
    asked = [
        one for one in every if (one[0], one[2]) != ("sign", "slight")
    ]  # its gradient is 0, and that times anything
    for name, row, kind in asked:
        function = cases.made(row, gradients(row)[kind])
        about = [n for n, one in enumerate(row.args) if one.dtype.kind == "f"][: row.claims]
        result = gradcheck.check(function, *map(cases.of, row.args), options=gradcheck.Options(evidence=False))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = ACCEPTS[framework](function, row.args, about)
        found["gradcheck"] += [f"{kind}: {name} ({result.verdict})"] * (bool(result) != (kind == "right"))
        found[OWN[framework]] += [f"{kind}: {name}"] * (theirs != (kind == "right"))
    for checker, mistakes in found.items():
        counts = []
        for kind in KINDS:
            total = sum(one == kind for _, _, one in asked)
            counts.append(f"{total - sum(one.startswith(kind) for one in mistakes)} of {total}")
        shown = "; ".join(one for one in mistakes if not one.startswith("slight"))
        print(f"| {framework} | {checker} | {' | '.join(counts)} | {shown} |", flush=True)
    return not found["gradcheck"]


def main() -> int:
    """Compare the frameworks that are named and installed."""
    wanted = sys.argv[1:] or list(OWN)
    print("| framework | checker | right accepted | wrong found | slight found | mistakes |")
    print("| --- | --- | --- | --- | --- | --- |", flush=True)
    right = [compare(one) for one in wanted if importlib.util.find_spec(one) is not None]
    return int(not all(right))


if __name__ == "__main__":
    sys.exit(main())
