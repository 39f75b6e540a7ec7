"""Layouts: an upstream gradient and weights in Fortran order, not contiguous, read-only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from gradcheck.problem import Array, Method, Values
from gradcheck.sampling.arrange import ARRANGED, Arrange
from gradcheck.variants.offer import Offer, Usual
from gradcheck.variants.variant import Variant


def layouts(usual: Usual) -> Iterator[Offer]:
    """Offer each layout for the upstream gradient, then for the weights."""
    for name, _, arrange in ARRANGED:
        where = f"for an upstream gradient {_said(name, 'is')}"
        if any(method.kind == "vjp" for method in usual.problem.methods):
            yield Offer("layout", where, partial(_upstream, usual, arrange, where))
    for name, _, arrange in ARRANGED:
        where = f"for weights {_said(name, 'are')}"
        if any(v.role == "weight" and v.example.ndim > 1 for v in usual.problem.variables):
            yield Offer("layout", where, partial(_weights, usual, arrange, where))


def _said(name: str, verb: str) -> str:
    return f"in {name}" if name == "Fortran order" else f"that {verb} {name}"


def _upstream(usual: Usual, arrange: Arrange, where: str) -> Variant:
    methods = tuple(replace(m, at=_arranging(m, arrange)) if m.kind == "vjp" else m for m in usual.problem.methods)
    return usual.variant("layout", where, usual.values, replace(usual.problem, methods=methods))


def _arranging(method: Method, arrange: Arrange) -> Callable[[Values], Callable[[list[Array]], list[object]]]:
    def at(values: Values) -> Callable[[list[Array]], list[object]]:
        ask = method.at(values)
        return lambda cotangents: ask([arrange(np.asarray(one)) for one in cotangents])

    return at


def _weights(usual: Usual, arrange: Arrange, where: str) -> Variant:
    weights = {v.name for v in usual.problem.variables if v.role == "weight"}

    def arranged(values: Values) -> Values:
        return {name: arrange(np.asarray(v)) if name in weights else v for name, v in values.items()}

    def moved(method: Method) -> Method:
        return replace(method, at=lambda values: method.at(arranged(values)))

    methods = tuple(moved(method) for method in usual.problem.methods)
    return usual.variant("layout", where, usual.values, replace(usual.problem, methods=methods))
