"""Functions of the arrays of other frameworks: PyTorch, JAX, autograd, each where the checked code has imported it.

`protocol.py` says what a framework is; `torch.py`, `jax.py` and `autograd.py` are one each; `rules.py` makes functions
of NumPy's arrays of theirs. `brought` is what `gradcheck.check` asks.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from gradcheck.adapters.frameworks.autograd import Autograd
from gradcheck.adapters.frameworks.jax import Jax
from gradcheck.adapters.frameworks.protocol import Framework, Rule
from gradcheck.adapters.frameworks.rules import Held, Jvp, OnArrays, Vjp, leaves, mapped
from gradcheck.adapters.frameworks.tensorflow import Tensorflow
from gradcheck.adapters.frameworks.torch import Torch
from gradcheck.adapters.handed import said_waivers
from gradcheck.adapters.handed.given import Call, argument_names
from gradcheck.adapters.handed.options import Claims
from gradcheck.errors import UsageError, message

# The module by which each is known to be loaded.
FRAMEWORKS: dict[str, Callable[[], Framework]] = {
    "torch": Torch,
    "jax": Jax,
    "tensorflow": Tensorflow,
    "autograd.core": Autograd,
}

WEIGHTS = "weights"
"""The name of the argument that the weights of a module are."""


@dataclass(frozen=True)
class Brought:
    """A function with its point as a framework has them. `rule`: the derivative that it brings, if any."""

    framework: Framework
    subject: Any
    point: tuple[Any, ...]
    rule: Rule | None

    def posed(
        self,
        args: Sequence[Any],
        kwargs: Mapping[str, Any] | None,
        names: Sequence[str] | None,
        wrt: Any,
        claims: Claims,
        second: bool,
    ) -> tuple[Call, Claims]:
        """Return the call and the claims on NumPy's arrays: those that were handed over, else the framework's own.

        `second`: something is claimed of second derivatives. Raises UsageError where there is nothing to ask.
        """
        rule = self.rule or self.framework.autodiff(self.subject)
        if names is None:
            count = len(self.point) + len(args)
            names = argument_names(rule.forward, rule.skip + count)[rule.skip :]
        shown = rule.shown or rule.forward
        arrays = [mapped(value, self._numpy) for value in self.point]
        claims = replace(claims, exact=not self.framework.arrays, waivers=said_waivers(self.subject))
        if claims.functions or second:
            function = OnArrays(self.framework, rule.still or rule.call, shown)
            functions: dict[str, Any] = {name: self.on_arrays(one) for name, one in claims.functions.items()}
            return Call.of(function, arrays, args, kwargs, names, wrt), replace(claims, **functions)
        function = OnArrays(self.framework, rule.call, shown, flat=True)
        wanted = [n for n, value in enumerate(self.point) if any(map(_requires_grad, leaves(value)))]
        by: Any = wrt if wrt is not None else wanted or self._moved(rule)
        if rule.weights:
            weights = mapped(dict(rule.weights), partial(self._numpy, dtype=_real_type(arrays)))
            arrays, names = [weights, *arrays], [WEIGHTS, *names]
            by = _after_weights(wrt) if wrt is not None else [WEIGHTS, *(n + 1 for n in by)]
        call = Call.of(function, arrays, args, kwargs, names, by)
        return call, self._own(rule, call, claims, strict=wrt is not None or bool(wanted))

    def _moved(self, rule: Rule) -> list[int]:
        """The numbers of the arguments by which it is differentiated where nobody says otherwise."""
        moved = [n for n, value in enumerate(self.point) if any(map(self.framework.is_moved, leaves(value)))]
        found = [n for n in moved if n not in rule.constants]
        if not found and not rule.weights:
            kind, got = self.framework.arrays or "arrays", ", ".join(_kind(value) for value in self.point)
            raise UsageError(
                f"nothing to differentiate by: expected {kind} of floating numbers by which {_name(rule)} claims a "
                f"derivative, but got {got}"
            )
        return found

    def _own(self, rule: Rule, call: Call, claims: Claims, strict: bool) -> Claims:
        about = tuple(call.arguments.index(one) for one in call.wrt)
        places = tuple((n, part.path) for n in about for part in call.arguments[n].parts)
        if rule.vjp is None and rule.jvp is None:
            kind = rule.reading.partition(":")[0]
            raise UsageError(
                f"expected {_name(rule)} to have a derivative of its own, but none was given to it: it is {kind}"
            )
        last = places, about, len(call.arguments)
        silent = [call.arguments[n].name for n in rule.constants if n not in about and call.arguments[n].parts]
        return replace(
            claims,
            vjp=None if rule.vjp is None else Vjp(self.framework, rule.call, rule.vjp, *last, strict),
            jvp=None if rule.jvp is None else Jvp(self.framework, rule.call, rule.jvp, *last),
            certain=rule.certain,
            convention=self.framework.convention,
            reading=f"{rule.reading}{', but nothing by ' + ' and '.join(silent) if silent else ''}",
        )

    def on_arrays(self, function: Any) -> Any:
        """Return a derivative that was handed over as a function of NumPy's arrays."""
        return OnArrays(self.framework, function, function) if callable(function) else function

    def _numpy(self, leaf: Any, dtype: str = "") -> Any:
        """An array of NumPy's; real numbers in a type, if one is said."""
        if not self.framework.is_array(leaf):
            return leaf
        try:
            array = np.array(self.framework.to_numpy(leaf))
            return array.astype(dtype) if dtype and array.dtype.kind == "f" else array
        except TypeError:  # an array of what NumPy has no type for
            return Held(leaf)
        except Exception as error:  # one that has no values yet, say
            raise UsageError(f"expected arrays that hold numbers, but got {_kind(leaf)}: {message(error)}") from error


def brought(subject: Any, point: Sequence[Any], args: Sequence[Any]) -> Brought | None:
    """Return what a framework knows of a function at a point; None where no framework that is loaded has to do with it.

    It has where the function brings a derivative of the framework's, or an argument is one of its arrays. Raises
    UsageError for such a function without a point.
    """
    every = [leaf for value in (*point, *args) for leaf in leaves(value)]
    for name, make in FRAMEWORKS.items():
        if name in sys.modules:
            framework = make()
            with framework.exactly():
                rule = framework.rule(subject, (*point, *args))
            if rule is not None and not point:
                raise UsageError(
                    f"expected the point at which to check {_name(rule)} after it, as in check(f, x): "
                    f"it is {rule.reading.partition(':')[0]}"
                )
            if rule is not None or (callable(subject) and any(map(framework.is_array, every))):
                return Brought(framework, subject, tuple(point), rule)
    return None


def is_module(thing: Any) -> bool:
    """Whether it is a module, a layer or a model of a framework that is loaded, or a class of these."""
    kind = thing if isinstance(thing, type) else type(thing)
    return any(issubclass(kind, make().modules) for name, make in FRAMEWORKS.items() if name in sys.modules)


def _name(rule: Rule) -> str:
    shown = rule.shown or rule.forward
    return str(getattr(shown, "__name__", type(shown).__name__))


def _after_weights(wrt: Any) -> Any:
    """What somebody says of arguments that stand one place farther back than he knows."""
    several = [wrt] if isinstance(wrt, (str, int)) else list(wrt)
    return [one + 1 if isinstance(one, int) and not isinstance(one, bool) else one for one in several]


def _kind(value: Any) -> str:
    kind = getattr(value, "dtype", None)
    return f"{type(value).__name__} of dtype {kind}" if kind is not None else type(value).__name__


def _real_type(arguments: Sequence[Any]) -> str:
    """The type of the real numbers of some arguments, in which a module's weights are; "" where there are none."""
    kinds = [one.dtype for one in leaves(arguments) if isinstance(one, np.ndarray) and one.dtype.kind == "f"]
    return str(np.result_type(*kinds)) if kinds else ""


def _requires_grad(leaf: Any) -> bool:
    return getattr(leaf, "requires_grad", None) is True


__all__ = ["Brought", "brought", "is_module"]
