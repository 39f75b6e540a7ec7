"""Where an array may go: which variables describe it, how it moves with them, and what a claim about it says of them.

A derivative is judged by variables that are real and free. The space of an array says what they are:

    real            every entry                                        x = v
    complex         two arrays, the real and the imaginary part        z = a + i·b
    symmetric       a matrix of which only the symmetric part counts   S = (V + Vᵀ)/2
    on a manifold   a step of which only the tangent part counts       x = R(x₀, P(x₀, v − x₀))

`array` is that formula, `push` its derivative along tangents of the variables, and `pull` the transpose of that: it
turns the derivative by the array that somebody claims into the derivatives by the variables that it implies.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from gradcheck.problem import Array, Values, Variable

Projection = Callable[[Array, Array], Any]

# Two numbers that differ by less than this share are the same but for rounding.
ROUNDED = 1e-6


class Space(Protocol):
    """Where an array may go. `reading`: the convention in which a claim about it is read, where there are several."""

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The variables that describe the array."""

    def array(self, values: Values) -> Array:
        """Return the array at some values of its variables; it may be one of these."""

    def push(self, tangents: Sequence[Array]) -> Array:
        """Return how the array moves when its variables do."""

    def pull(self, claim: Array, reading: str = "") -> list[Array]:
        """Return what a claimed derivative by the array says about each of its variables."""


@dataclass(frozen=True)
class Real:
    """Every entry is free. `kind`: the subclass of ndarray that it came as (numpy.matrix), in which it is handed on."""

    variables: tuple[Variable, ...]
    kind: type[Array] = np.ndarray

    def array(self, values: Values) -> Array:
        """v"""
        array = np.asarray(values[self.variables[0].name])
        return array if self.kind is np.ndarray else array.view(self.kind)

    def push(self, tangents: Sequence[Array]) -> Array:
        """v̇"""
        return tangents[0] if self.kind is np.ndarray else tangents[0].view(self.kind)

    def pull(self, claim: Array, reading: str = "") -> list[Array]:
        """C"""
        return [claim]


# How dL depends on dz for a real L, by what is called the gradient C by a complex z.
JAX = "JAX's convention: the gradient by z = x + iy is ∂f/∂x − i·∂f/∂y"
PYTORCH = "PyTorch's convention: the gradient by z = x + iy is ∂f/∂x + i·∂f/∂y"


@dataclass(frozen=True)
class Complex:
    """The real and the imaginary part are free. z = a + i·b"""

    variables: tuple[Variable, ...]

    def array(self, values: Values) -> Array:
        """a + i·b, in the complex type of their precision."""
        return self.push([np.asarray(values[one.name]) for one in self.variables])

    def push(self, tangents: Sequence[Array]) -> Array:
        """ȧ + i·ḃ"""
        real, imaginary = tangents
        made = np.empty(real.shape, np.result_type(real.dtype, imaginary.dtype, np.complex64))
        made.real, made.imag = real, imaginary
        return made

    def pull(self, claim: Array, reading: str = "") -> list[Array]:
        """dL = Re(C·dz) with JAX, Re(C̄·dz) with PyTorch, so that ∂L/∂b is −Im C or +Im C."""
        # Of a number that is real by chance only the type is: it has an imaginary part of 0.
        imaginary = np.imag(claim) if np.iscomplexobj(claim) else np.zeros_like(claim)
        return [np.real(claim), imaginary if PYTORCH in reading else -imaginary]


FREE_ENTRIES = (
    "the derivative by the free entries of a symmetric matrix: off the diagonal twice the gradient, since both places "
    "of an entry move"
)


@dataclass(frozen=True)
class Symmetric:
    """Symmetric matrices along the last two axes: the two places of an entry move together. S = (V + Vᵀ)/2

    A claim C is held to its symmetric part, (C + Cᵀ)/2: that is the same for the gradient with all entries taken as
    independent, for its symmetric part, and for one that fills a triangle.
    """

    variables: tuple[Variable, ...]

    def array(self, values: Values) -> Array:
        """(V + Vᵀ)/2"""
        return symmetric_part(np.asarray(values[self.variables[0].name]))

    def push(self, tangents: Sequence[Array]) -> Array:
        """(V̇ + V̇ᵀ)/2"""
        return symmetric_part(tangents[0])

    def pull(self, claim: Array, reading: str = "") -> list[Array]:
        """(C + Cᵀ)/2; of the derivative by free entries (C + C∘I)/2."""
        if FREE_ENTRIES in reading:
            return [(claim + claim * np.eye(claim.shape[-1], dtype=claim.dtype)) / 2]
        return [symmetric_part(claim)]


def symmetric_part(matrix: Array) -> Array:
    """Return (M + Mᵀ)/2 along the last two axes.

    >>> symmetric_part(np.array([[1.0, 4.0], [0.0, 3.0]])).tolist()
    [[1.0, 2.0], [2.0, 3.0]]
    """
    return (matrix + np.swapaxes(matrix, -1, -2)) / 2


@dataclass(frozen=True)
class OnManifold:
    """Points near `base`, with steps projected to its tangent space. x = R(x₀, P(x₀, v − x₀)); without R, x₀ + P(…).

    P is an orthogonal projection, so that its transpose is itself: of a claim C only P(x₀, C) is judged. Without a
    retraction R steps leave the manifold in second order, which changes no first derivative of an f that goes on there.
    """

    variables: tuple[Variable, ...]
    base: Array
    project: Projection
    retract: Projection | None = None

    def array(self, values: Values) -> Array:
        """R(x₀, P(x₀, v − x₀)), and x₀ itself at x₀."""
        moved = np.asarray(values[self.variables[0].name])
        base = self.base.astype(moved.dtype)
        if np.array_equal(moved, base):
            return base
        step = self.push([moved - base])
        return base + step if self.retract is None else np.asarray(self.retract(base, step)).reshape(base.shape)

    def push(self, tangents: Sequence[Array]) -> Array:
        """P(x₀, v̇)"""
        base = self.base.astype(tangents[0].dtype)
        return np.asarray(self.project(base, tangents[0])).reshape(base.shape)

    def pull(self, claim: Array, reading: str = "") -> list[Array]:
        """P(x₀, C)"""
        return [self.push([claim])]
