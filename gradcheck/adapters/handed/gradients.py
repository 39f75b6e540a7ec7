"""The gradient by one argument as a function of the arguments: as it was claimed, or measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from gradcheck import numerical
from gradcheck.adapters import returned
from gradcheck.adapters.handed.derivatives import Derivative
from gradcheck.adapters.handed.given import Call, Given, Part
from gradcheck.adapters.handed.known import Known
from gradcheck.adapters.handed.options import Claims, Domain
from gradcheck.errors import CannotBuild
from gradcheck.problem import Array

# Steps of a measured gradient, as powers of two of each entry.
EXPONENTS = range(3, 12)


@dataclass(frozen=True)
class Gradient:
    """A claimed derivative as a function of the arguments: the gradient by one array."""

    claimed: Derivative
    part: Part
    output: Array

    def __call__(self, *arguments: Any, **kwargs: Any) -> Array:
        items = self.claimed.at(list(arguments))([np.ones_like(self.output)])
        return np.asarray(items[self.claimed.parts.index(self.part)]).reshape(self.part.shape)


@dataclass(frozen=True)
class Measured:
    """The gradient of f by one argument as a function of the arguments: differences of sixth order, at fixed steps.

    (45 (f(x+h) − f(x−h)) − 9 (f(x+2h) − f(x−2h)) + (f(x+3h) − f(x−3h))) / 60h, truncated at h⁶f⁽⁷⁾/140. Each entry
    has the step that comes nearest to an estimate with a bound, at the point; `accuracy` is how near that is, as a
    share of the largest entry.
    """

    call: Call
    place: int
    pair: bool
    steps: Array
    accuracy: float = 0.0

    @classmethod
    def of(cls, call: Call, variable: Given, domain: Domain | None, claims: Claims) -> Measured:
        """Return the gradient near the point. Raises CannotBuild where it cannot be estimated there."""
        arguments, place = Known(call).point(), call.arguments.index(variable)
        x = np.asarray(arguments[place], dtype=float)
        plain = cls(call, place, claims.jac is True, np.zeros(x.shape))

        def forward(values: Any) -> list[Array]:
            return [np.asarray(plain.value(arguments, call.kwargs, np.array(values["x"])))]

        found = numerical.estimate(forward, {"x": x}, "x", domain=domain, accuracy=claims.accuracy)
        value, bound = found.dense()[0].reshape(x.shape), found.dense("bound")[0].reshape(x.shape)
        if not np.isfinite(bound).all():
            raise CannotBuild(f"the gradient of f could not be measured: {found.reason}")
        size = np.where(x == 0, float(np.abs(x).max(initial=0.0)) or 1.0, np.abs(x))
        low, high = domain or (-np.inf, np.inf)
        room = np.minimum(size, np.minimum(x - low, high - x) / 4)
        ladder = [2.0**-k * room for k in EXPONENTS]
        off = np.stack([np.abs(replace(plain, steps=h)(*arguments, **call.kwargs) - value) + bound for h in ladder])
        off[np.isnan(off)] = np.inf
        best = np.argmin(off, axis=0)
        largest = float(np.abs(value).max(initial=0.0)) or 1.0
        steps = np.take_along_axis(np.stack(ladder), best[None], axis=0)[0]
        return replace(plain, steps=steps, accuracy=float(off.min(axis=0).max(initial=0.0)) / largest)

    def value(self, arguments: Any, kwargs: Any, x: Array) -> float:
        """f at the arguments, with x in its place."""
        said = self.call.f(*arguments[: self.place], x, *arguments[self.place + 1 :], **kwargs)
        [output] = returned.outputs(said[0] if self.pair else said)
        return float(output.reshape(()))

    def __call__(self, *arguments: Any, **kwargs: Any) -> Array:
        x = np.asarray(arguments[self.place], dtype=float)
        gradient = np.empty(x.shape)
        for index in np.ndindex(x.shape):
            h, total = float(self.steps[index]), 0.0
            for weight, times in ((45, 1), (-9, 2), (1, 3)):
                ahead, behind = x.copy(), x.copy()
                ahead[index] += times * h
                behind[index] -= times * h
                difference = self.value(arguments, kwargs, ahead) - self.value(arguments, kwargs, behind)
                total += weight * difference
            gradient[index] = total / (60 * h)
        return gradient


@dataclass(frozen=True)
class JacobianOf:
    """The Jacobian of a claimed gradient by one argument, measured once at each point."""

    gradient: Gradient
    place: int
    known: dict[bytes, Array] = field(default_factory=dict)

    def __call__(self, *arguments: Any, **kwargs: Any) -> Array:
        point = b"".join(np.asarray(one).tobytes() for one in arguments if isinstance(one, (np.ndarray, float)))
        if point not in self.known:
            self.known[point] = self._measured(arguments)
        return self.known[point].copy()

    def _measured(self, arguments: Sequence[Any]) -> Array:
        def forward(values: Any) -> list[Array]:
            return [self.gradient(*arguments[: self.place], np.array(values["x"]), *arguments[self.place + 1 :])]

        x = np.asarray(arguments[self.place], dtype=float)
        return numerical.estimate(forward, {"x": x}, "x").dense()
