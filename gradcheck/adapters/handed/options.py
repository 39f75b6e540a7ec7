"""What is said beside a function and its derivative: by which arguments, in which domain, on which manifold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradcheck.adapters.handed.given import Call, Function, Given, Part
from gradcheck.adapters.handed.spaces import ROUNDED, Complex, OnManifold, Projection, Real, Space, Symmetric
from gradcheck.errors import UsageError, told
from gradcheck.problem import Array, Variable

Domain = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Claims:
    """The derivatives of a first order that were handed over, and how they are to be read: see `gradcheck.check`.

    `reading`: what they are, where they were not written as they are asked. `certain`: what they raise is their
    mistake. `convention`: of gradients by complex numbers, where nothing has to be found out. `exact`: they may compute
    with other numbers than floats, and so be run exactly. `waivers`: what the function waives, beside what is written
    at its own code.
    """

    jac: Function | bool | None = None
    grad: Function | None = None
    deriv: Function | None = None
    vjp: Function | None = None
    jvp: Function | None = None
    domain: Any = None
    symmetric: Any = None
    tangent: Any = None
    retraction: Any = None
    accuracy: float = 0.0
    reading: str = ""
    certain: bool = True
    convention: str = ""
    exact: bool = True
    waivers: Mapping[str, str] = field(default_factory=dict)

    @property
    def functions(self) -> dict[str, Function | bool]:
        """The derivatives by their keyword."""
        every = {"jac": self.jac, "grad": self.grad, "deriv": self.deriv, "vjp": self.vjp, "jvp": self.jvp}
        return {name: one for name, one in every.items() if one is not None}

    def refuse_what_is_no_function(self) -> None:
        """Raise UsageError where a derivative is an array, or none is given."""
        for name, one in self.functions.items():
            if callable(one) or (name == "jac" and one is True):
                continue
            also = ", or True where f returns (value, derivative)" if name == "jac" else ""
            hint = "" if isinstance(one, (str, bool)) else ": pass it uncalled"
            raise UsageError(f"expected {name} to be a function{also}, but got {type(one).__name__}{hint}")
        if not self.functions:
            raise UsageError("nothing to check: give a derivative as jac=, grad=, deriv=, vjp= or jvp=")


class Spaces:
    """Makes the variables of an array, as the options want them."""

    def __init__(self, call: Call, claims: Claims) -> None:
        self.domains = dict(_by_key(claims.domain, call, "domain", is_one=_is_interval))
        self.symmetric = _symmetric(claims.symmetric, call)
        self.tangents = dict(_by_key(claims.tangent, call, "tangent", is_one=callable))
        self.retractions = dict(_by_key(claims.retraction, call, "retraction", is_one=callable))
        for name, domain in self.domains.items():
            if name and not _is_interval(domain) and domain is not None:
                raise UsageError(
                    f"expected the domain of {name} to be a pair (low, high), low < high, but got {domain!r}"
                )
        if self.retractions and not self.tangents:
            raise UsageError("retraction= needs tangent=, the projection to the tangent space, as well")

    def of(self, argument: Given, part: Part, alone: bool) -> Space:
        """Return the space of an array that is differentiated; `alone`: no other is."""
        if not np.isfinite(part.array).all():
            raise UsageError(
                f"expected {part.name} to be finite, but it holds NaN or infinity: differentiate elsewhere"
            )
        domain = self.domain(argument, part.name, free=True)
        named = (argument.name, part.name)
        symmetric = any(name in self.symmetric for name in named) or ("" in self.symmetric and _is_square(part.array))
        project = self._one(self.tangents, named, alone, "tangent")
        retract = self._one(self.retractions, named, alone, "retraction")
        if part.array.dtype.kind == "c":
            if symmetric or project is not None or domain is not None:
                raise UsageError(f"domain=, symmetric= and tangent= are for real arrays, but {part.name} is complex")
            real, imaginary = np.array(part.array.real), np.array(part.array.imag)
            return Complex(
                (Variable(f"{part.name}.real", "input", real), Variable(f"{part.name}.imag", "input", imaginary))
            )
        _inside(part, domain)
        tied = symmetric or project is not None
        variables = (Variable(part.name, "input", part.array, domain=domain, tied=tied),)
        if symmetric:
            if not _is_symmetric(part.array):
                raise UsageError(f"symmetric=: expected {part.name} to be a symmetric matrix, or a stack of them")
            return Symmetric(variables)
        if project is not None:
            _hold_projection(part, project, retract)
            return OnManifold(variables, part.array, project, retract)
        kind = type(argument.value) if isinstance(argument.value, np.matrix) else np.ndarray
        return Real(variables, kind)

    def domain(self, argument: Given, name: str, free: bool) -> Domain | None:
        """The domain of an array; a domain for all is one for those that are differentiated."""
        found = self.domains.get(name, self.domains.get(argument.name, self.domains.get("") if free else None))
        return None if found is None else _ends(found)

    def held(self, argument: Given) -> Variable | None:
        """Return the variable that an array held fixed is; None for anything else, which is only handed on."""
        for part in argument.parts:
            _inside(part, self.domain(argument, part.name, free=False))
        value = argument.value
        if argument.point and not argument.nested and isinstance(value, (list, tuple)) and argument.parts:
            value = argument.parts[0].array  # a point is made of arrays
        if type(value) is not np.ndarray or value.dtype.kind not in "fiub":
            return None
        domain = self.domain(argument, argument.name, free=False)
        return Variable(argument.name, "input", value, constant=True, domain=domain)

    def _one(self, given: Mapping[str, Any], names: Sequence[str], alone: bool, what: str) -> Projection | None:
        if "" in given and not alone:
            raise UsageError(
                f"{what}= is one function, but several arrays are differentiated: give a dict by their names"
            )
        found: Projection | None = next((given[name] for name in (*names, "") if name in given), None)
        return found


def _by_key(option: Any, call: Call, what: str, is_one: Callable[[Any], bool]) -> Iterator[tuple[str, Any]]:
    """Yield what an option says, by the name of the argument or array that it is about; "" for all of them."""
    if option is None:
        return
    if is_one(option):
        yield "", option
    elif isinstance(option, Mapping):
        parts = {part.name for one in call.arguments for part in one.parts}
        for key, value in option.items():
            yield (key if key in parts else call.arguments[call.number(key, what)].name), value
    elif isinstance(option, (list, tuple)) and len(option) <= len(call.arguments):
        yield from ((one.name, value) for one, value in zip(call.arguments, option, strict=False) if value is not None)
    else:
        wanted = "a pair (low, high)" if what == "domain" else "a function of (x, v)"
        raise UsageError(
            f"expected {what} to be {wanted}, a list with one for each argument, or a dict by name, got {option!r}"
        )


def _is_interval(option: Any) -> bool:
    if not isinstance(option, (list, tuple)) or len(option) != 2:
        return False
    if not all(end is None or isinstance(end, (int, float, np.number)) for end in option):
        return False
    low, high = _ends(option)
    return low < high


def _ends(interval: Sequence[Any]) -> Domain:
    """The ends of an interval, of which None is none, as in SciPy's bounds."""
    low, high = interval
    return (-np.inf if low is None else float(low), np.inf if high is None else float(high))


def _symmetric(option: Any, call: Call) -> set[str]:
    """The names of the arguments that are symmetric matrices; "" for every square one."""
    if option is None or option is False:
        return set()
    if option is True:
        if not any(_is_square(part.array) for one in call.candidates for part in one.parts):
            raise UsageError("symmetric=True: expected a square matrix among the arguments, but there is none")
        return {""}
    parts = {part.name for one in call.arguments for part in one.parts}
    several = [option] if isinstance(option, str) or not isinstance(option, Iterable) else list(option)
    return {key if key in parts else call.arguments[call.number(key, "symmetric")].name for key in several}


def _is_square(array: Array) -> bool:
    return array.ndim > 1 and array.shape[-1] == array.shape[-2]


def _is_symmetric(array: Array) -> bool:
    if not _is_square(array):
        return False
    apart = np.abs(array - np.swapaxes(array, -1, -2)).max(initial=0.0)
    return bool(apart <= ROUNDED * np.abs(array).max(initial=0.0))


def _inside(part: Part, domain: Domain | None) -> None:
    if domain is not None and bool(((part.array < domain[0]) | (part.array > domain[1])).any()):
        raise UsageError(f"expected {part.name} to be inside of its domain {domain}, but some of its entries are not")


def _hold_projection(part: Part, project: Projection, retract: Projection | None) -> None:
    """Raise UsageError unless v ↦ P(x, v) is linear and an orthogonal projection, and R(x, 0) is x."""
    x = part.array
    rng = np.random.default_rng(0)
    u, v = rng.standard_normal((2, *x.shape))

    def of(tangent: Array) -> Array:
        found = np.asarray(project(x.copy(), tangent.copy()), dtype=float)
        if found.shape != x.shape:
            raise UsageError(
                f"expected tangent(x, v) to be of the shape of {part.name}, {x.shape}, but got {found.shape}"
            )
        return found

    try:
        pu, pv = of(u), of(v)
        small = ROUNDED * (1 + float(np.abs(pu).max(initial=0.0) + np.abs(pv).max(initial=0.0)))
        if np.abs(of(2 * u - 3 * v) - (2 * pu - 3 * pv)).max(initial=0.0) > 10 * small:
            raise UsageError("expected tangent(x, v) to be linear in v: the projection to the tangent space at x")
        if np.abs(of(pu) - pu).max(initial=0.0) > small:
            raise UsageError("expected tangent(x, v) to be a projection, but done twice it gives something else")
        if abs(float(np.vdot(u, pv) - np.vdot(pu, v))) > small * x.size:
            raise UsageError("expected tangent(x, v) to be an orthogonal projection: u·P(v) is not P(u)·v")
        if retract is not None:
            _hold_retraction(part, pu, retract)
    except UsageError:
        raise
    except Exception as error:  # somebody else's code
        raise UsageError(f"tangent(x, v) or retraction(x, v) raised {told(error)} for x = {part.name}") from error


def _hold_retraction(part: Part, step: Array, retract: Projection) -> None:
    """Raise UsageError unless R(x, 0) = x and R(x, t·v) = x + t·v + O(t²) for a tangent v."""
    x, t = part.array, 2.0**-20
    size = 1 + float(np.abs(x).max(initial=0.0))
    if np.abs(np.asarray(retract(x.copy(), 0 * x)) - x).max(initial=0.0) > ROUNDED * size:
        raise UsageError(f"expected retraction(x, 0) to be x, but it is another point than {part.name}")
    ahead = np.asarray(retract(x.copy(), t * step), dtype=float)
    back = np.asarray(retract(x.copy(), -t * step), dtype=float)
    if np.abs((ahead - back) / (2 * t) - step).max(initial=0.0) > 1e3 * ROUNDED * size:
        raise UsageError("expected retraction(x, v) to set out from x in the direction v, but it does not")
