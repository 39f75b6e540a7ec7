"""What a derivative must respect beside its numbers: purity, determinism, linearity, independence, quiet.

Every item is tried through the `Problem` alone: arrays are handed over of which copies are kept, the same
question is put twice, other data are computed in between. Numbers are compared as the same code gives them
twice, so that a tolerance has to cover the order of summation only.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from gradcheck import layouts
from gradcheck.problem import Array, Method, Problem, Sizes, Subject, Values
from gradcheck.results import ContractResult

Answer = list[Any]

# Roundings that two ways to the same number may differ by.
ROUNDINGS = 256.0

# Where exponentials overflow and squares do not.
EXTREME = 1000.0


@dataclass(frozen=True)
class Setting:
    """One subject at one point, with the methods that answer there."""

    subject: Subject
    problem: Problem
    values: dict[str, Array]
    outputs: list[Array]
    methods: tuple[Method, ...]
    rng: np.random.Generator

    def arguments(self, method: Method) -> list[Array]:
        """Draw what the method is asked with: a cotangent per output, a tangent per variable, or nothing."""
        if method.kind == "vjp":
            return [self._draw(output) for output in self.outputs]
        return [self._draw(self.values[name]) for name in method.wrt] if method.kind == "jvp" else []

    def _draw(self, like: Array) -> Array:
        kind = like.dtype if like.dtype.kind == "f" else np.dtype(float)
        size = self.rng.integers(1, 32, size=like.shape) / 16
        return np.asarray(size * self.rng.choice([-1, 1], size=like.shape), dtype=kind)

    def copies(self) -> dict[str, Array]:
        """Copies of the values, to be handed to code that may write into them."""
        return {name: np.array(value) for name, value in self.values.items()}

    def ask(self, method: Method, values: Values | None = None, arguments: list[Array] | None = None) -> Answer:
        """Ask one method at a fresh call; what comes back is copied, so that nobody can change it later."""
        derivative = method.at(self.copies() if values is None else values)
        return copied(derivative(self.arguments(method) if arguments is None else arguments))


def check_contract(
    subject: Subject, problem: Problem, values: Values, rng: np.random.Generator
) -> list[ContractResult]:
    """Try every item of the contract at `values`; "not tried" where no method answers, or the item has no meaning."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        setting = _setting(subject, problem, values, rng)
        return [_try(name, item, setting) for name, item in ITEMS.items()]


def _setting(subject: Subject, problem: Problem, values: Values, rng: np.random.Generator) -> Setting:
    kept = {name: np.array(value) for name, value in values.items()}
    outputs = [np.asarray(output) for output in problem.forward(kept)]
    setting = Setting(subject, problem, kept, outputs, problem.methods, rng)
    return replace(setting, methods=tuple(method for method in problem.methods if _answers(setting, method)))


def _answers(setting: Setting, method: Method) -> bool:
    """Whether the method answers at all: one that raises is a matter of its claims, not of the contract."""
    try:
        return any(item is not None for item in setting.ask(method))
    except Exception:  # other people's code
        return False


class NotTried(Exception):
    """An item has no meaning for this subject; the message says why."""


def _try(name: str, item: Callable[[Setting], Iterator[str]], setting: Setting) -> ContractResult:
    try:
        complaints = list(dict.fromkeys(item(setting)))
    except NotTried as reason:
        return ContractResult(name, "not tried", str(reason))
    except Exception as error:  # other people's code, which answered before: say so rather than stop the check
        return ContractResult(name, "not tried", f"it raised {type(error).__name__}: {error}")
    return ContractResult(name, "broken" if complaints else "kept", "; ".join(complaints))


def forward_leaves_its_inputs(s: Setting) -> Iterator[str]:
    """The arrays that go into a call are the same after it."""
    for method in _needed(s.methods):
        given = s.copies()
        method.at(given)
        for variable in s.problem.variables:
            if variable.role == "input" and not _identical(given[variable.name], s.values[variable.name]):
                yield f"forward changes its input {variable.name} in place"


def derivatives_leave_inputs_and_weights(s: Setting) -> Iterator[str]:
    """The arrays that go into a call are the same after its derivatives were asked for."""
    for method in _needed(s.methods):
        given = s.copies()
        derivative = method.at(given)
        before = {name: np.array(value) for name, value in given.items()}
        derivative(s.arguments(method))
        for name, value in given.items():
            if not _identical(value, before[name]):
                yield f"{method.name} changes {name} in place"


def derivatives_leave_the_upstream_gradient(s: Setting) -> Iterator[str]:
    """Cotangents (tangents) are read, not written; a read-only array is accepted."""
    asked = _needed([method for method in s.methods if method.kind in ("vjp", "jvp")], "no method takes a gradient")
    for method in asked:
        given = s.arguments(method)
        kept = [np.array(one) for one in given]
        derivative = method.at(s.copies())
        derivative(given)
        if not all(_identical(one, was) for one, was in zip(given, kept, strict=True)):
            yield f"{method.name} changes the upstream gradient in place"
            continue
        for one in given:
            one.flags.writeable = False
        try:
            method.at(s.copies())(given)
        except ValueError as error:
            if "read-only" in str(error):
                yield f"{method.name} writes into the upstream gradient ({error})"


def forward_is_deterministic(s: Setting) -> Iterator[str]:
    """The same values give the same outputs; random numbers come from a seed that can be pinned."""
    for _ in range(2):
        again = s.problem.forward(s.copies())
        if not all(_identical(np.asarray(a), b) for a, b in zip(again, s.outputs, strict=True)):
            yield "forward is random: the same inputs give different outputs, and no seed was found to pin"
            return


def derivatives_are_deterministic(s: Setting) -> Iterator[str]:
    """Two calls with the same values answer the same question alike."""
    for method in _needed(s.methods):
        arguments = s.arguments(method)
        if not _agree(s.ask(method, arguments=_fresh(arguments)), s.ask(method, arguments=_fresh(arguments))):
            yield f"{method.name} is random: two calls with the same inputs give different gradients"


def asking_twice(s: Setting) -> Iterator[str]:
    """The second answer about one call is the first one."""
    for method in _needed(s.methods):
        arguments = s.arguments(method)
        derivative = method.at(s.copies())
        first = copied(derivative(_fresh(arguments)))
        second = copied(derivative(_fresh(arguments)))
        if not _agree(first, second):
            doubled = _agree([_times(2, one) for one in first], second)
            how = "twice the first one (added up, not replaced)" if doubled else "another one"
            yield f"{method.name}: asked again about the same call, the answer is {how}"


def linear(s: Setting) -> Iterator[str]:
    """vjp(2g − 3h) = 2·vjp(g) − 3·vjp(h)"""
    asked = _needed([method for method in s.methods if method.kind in ("vjp", "jvp")], "no method takes a gradient")
    for method in asked:
        g, h = s.arguments(method), s.arguments(method)
        mixed = s.ask(method, arguments=[2 * a - 3 * b for a, b in zip(g, h, strict=True)])
        first, second = s.ask(method, arguments=g), s.ask(method, arguments=h)
        for name, whole, a, b in zip(_labels(method, mixed), mixed, first, second, strict=True):
            if whole is None or a is None or b is None:
                continue
            wanted = 2 * np.asarray(a) - 3 * np.asarray(b)
            size = 2 * np.abs(a).max(initial=0) + 3 * np.abs(b).max(initial=0)
            if not _near(whole, wanted, float(size)):
                yield f"{method.name}[{name}] is not linear in the upstream gradient"


def agrees_with_local(s: Setting) -> Iterator[str]:
    """The local gradient, multiplied with an upstream gradient, is the vector-Jacobian product."""
    tried = False
    shapes = [output.shape for output in s.outputs]
    if len(shapes) != 1:
        raise NotTried("several outputs have no compact local gradient")
    composed = [method for method in s.methods if method.kind == "vjp"]
    for local in [method for method in s.methods if method.kind == "local"]:
        said = s.ask(local)
        for vjp in composed:
            g = s.arguments(vjp)
            products = s.ask(vjp, arguments=_fresh(g))
            for name, product in zip(vjp.wrt, products, strict=True):
                if name not in local.wrt or product is None or said[local.wrt.index(name)] is None:
                    continue
                variable = s.problem.variable(name)
                try:
                    claimed = np.asarray(said[local.wrt.index(name)])
                    _, times = layouts.read(claimed, s.values[name].shape, shapes[0], variable.role)
                except ValueError:  # an unreadable layout is a matter of the claim
                    continue
                tried = True
                wanted = np.asarray(times(g[0]))
                size = float(np.abs(wanted).max(initial=0.0)) * max(1, g[0].size // max(1, wanted.size))
                if np.shape(product) == wanted.shape and not _near(product, wanted, size):
                    yield f"{vjp.name}[{name}] is not the upstream gradient times {local.name}"
    if not tried:
        raise NotTried("it has no local gradients and vector-Jacobian products of the same variable")


def earlier_calls_leave_no_trace(s: Setting) -> Iterator[str]:
    """A fresh object, and one that was called with other data before (or in between), give the same answer."""
    other = {name: _reordered(value) for name, value in s.values.items()}
    for number, method in enumerate(_needed(s.methods)):
        arguments = s.arguments(method)
        fresh, used = _rebuilt(s, method), _rebuilt(s, method)
        if fresh is None or used is None:
            raise NotTried(f"a second object could not be built for {method.name}")
        wanted = s.ask(fresh[1], arguments=_fresh(arguments))
        s.ask(used[1], values=other, arguments=_fresh(arguments))
        if not _agree(wanted, s.ask(used[1], arguments=_fresh(arguments))):
            yield f"{method.name} depends on an earlier call: after one with other inputs the answer changes"
            continue
        derivative = used[1].at(s.copies())
        used[0].forward({name: np.array(value) for name, value in other.items()})
        if not _agree(wanted, copied(derivative(_fresh(arguments)))):
            yield f"{method.name} answers for another call: forward on other data in between changes it"
        if number >= 4:
            return


def samples_do_not_leak(s: Setting) -> Iterator[str]:
    """Where forward treats the samples apart, a sample's upstream gradient reaches that sample's inputs only."""
    batch = s.outputs[0].shape[0] if s.outputs[0].ndim > 1 else 0
    names = [
        v.name
        for v in s.problem.variables
        if v.role == "input" and not v.constant and s.values[v.name].ndim > 1 and len(s.values[v.name]) == batch
    ]
    asked = [method for method in s.methods if method.kind == "vjp" and set(names) & set(method.wrt)]
    if batch < 2 or not asked or any(output.ndim < 2 or len(output) != batch for output in s.outputs):
        raise NotTried("it has no batch of samples")
    for name in names:
        moved = s.copies()
        moved[name] = moved[name].copy()
        moved[name][0] = _reordered(moved[name][0]) + 1
        after = s.problem.forward(moved)
        if not all(_identical(np.asarray(a)[1:], b[1:]) for a, b in zip(after, s.outputs, strict=True)):
            raise NotTried(f"forward couples the samples of {name}")
    for method in asked:
        upstream = s.arguments(method)
        for one in upstream:
            one[1:] = 0
        for name, product in zip(method.wrt, s.ask(method, arguments=upstream), strict=True):
            if name in names and product is not None and np.shape(product) == s.values[name].shape:
                leak = float(np.abs(np.asarray(product)[1:]).max(initial=0.0))
                if leak > 0 and not np.isnan(leak):
                    yield f"{method.name}[{name}]: what flows back from sample 0 reaches other samples ({leak:.3g})"


def gradients_are_finite(s: Setting) -> Iterator[str]:
    """No NaN and no infinity where outputs and their differences are finite, far out as well."""
    for values in _far_out(s):
        for method in _needed(s.methods):
            answer = s.ask(method, values={name: np.array(value) for name, value in values.items()})
            for name, gradient in zip(_labels(method, answer), answer, strict=True):
                if gradient is None or np.isfinite(np.asarray(gradient, dtype=float)).all():
                    continue
                if name in values and _smooth(s.problem, values, name):
                    top = float(np.abs(values[name]).max(initial=0.0))
                    yield f"{method.name}[{name}] is not finite for {name} up to ±{top:g}, where the derivative is"


def no_warnings(s: Setting) -> Iterator[str]:
    """No overflow, division by zero or invalid operation is reported where the result is finite."""
    for values in _far_out(s):
        steps: list[tuple[str, Callable[[], Any]]] = [("forward", partial(s.problem.forward, dict(values)))]
        steps += [(method.name, partial(s.ask, method, dict(values))) for method in s.methods]
        for name, step in steps:
            with np.errstate(divide="warn", over="warn", invalid="warn"), warnings.catch_warnings(record=True) as heard:
                warnings.simplefilter("always")
                result = step()
            said = sorted({str(w.message) for w in heard if issubclass(w.category, RuntimeWarning)})
            finite = all(one is None or np.isfinite(np.asarray(one, dtype=float)).all() for one in result)
            if said and finite:
                top = max(
                    float(np.abs(values[v.name]).max(initial=0.0)) for v in s.problem.variables if v.role == "input"
                )
                yield f"{name} warns for inputs up to ±{top:g}, although its result is right: {', '.join(said)}"


ITEMS: dict[str, Callable[[Setting], Iterator[str]]] = {
    "forward leaves its inputs alone": forward_leaves_its_inputs,
    "derivatives leave inputs and weights alone": derivatives_leave_inputs_and_weights,
    "derivatives leave the upstream gradient alone": derivatives_leave_the_upstream_gradient,
    "forward is deterministic": forward_is_deterministic,
    "derivatives are deterministic": derivatives_are_deterministic,
    "asking twice gives the same answer": asking_twice,
    "vector-Jacobian products are linear": linear,
    "vector-Jacobian products agree with the local gradients": agrees_with_local,
    "earlier calls leave no trace": earlier_calls_leave_no_trace,
    "samples do not leak into each other": samples_do_not_leak,
    "gradients are finite": gradients_are_finite,
    "no floating-point warnings": no_warnings,
}


def copied(answer: Sequence[Any]) -> Answer:
    """Copy what a method returned: it may hand out an array that it goes on using."""
    return [None if one is None else np.array(one) for one in answer]


def _fresh(arrays: list[Array]) -> list[Array]:
    return [np.array(one) for one in arrays]


def _needed(methods: Sequence[Method], why: str = "no derivative method answers") -> Sequence[Method]:
    if not methods:
        raise NotTried(why)
    return methods


def _labels(method: Method, answer: Answer) -> list[str]:
    return list(method.wrt) if len(answer) == len(method.wrt) else [f"output {n}" for n in range(len(answer))]


def _identical(a: Array, b: Array) -> bool:
    return a.shape == b.shape and np.array_equal(a, b, equal_nan=a.dtype.kind == "f" and b.dtype.kind == "f")


def _times(factor: float, one: Any) -> Any:
    return None if one is None else factor * one


def _agree(first: Answer, second: Answer) -> bool:
    """Whether two answers are the same, up to the order of summation."""
    if len(first) != len(second):
        return False
    for a, b in zip(first, second, strict=True):
        if (a is None) != (b is None):
            return False
        if a is not None and (np.shape(a) != np.shape(b) or not _near(a, b, float(np.abs(b).max(initial=0.0)))):
            return False
    return True


def _near(a: Any, b: Any, size: float) -> bool:
    """|a − b| ≤ some roundings of `size` in the coarser of the two types; NaN is NaN."""
    left, right = np.asarray(a), np.asarray(b)
    eps = max([float(np.finfo(one.dtype).eps) for one in (left, right) if one.dtype.kind == "f"], default=0.0)
    with np.errstate(invalid="ignore"):
        close = np.abs(left - right) <= ROUNDINGS * eps * size
    return bool(np.all(close | (left == right) | (np.isnan(left) & np.isnan(right))))


def _reordered(value: Array) -> Array:
    """Values that are legal wherever these are, in another order."""
    return np.array(value.ravel()[::-1].reshape(value.shape)) if value.ndim < 2 else np.array(value[::-1])


def _rebuilt(s: Setting, method: Method) -> tuple[Problem, Method] | None:
    """Build the subject anew, and return the same method of it; `None` where the shapes come out differently."""
    problem = s.subject.build(Sizes(), np.random.default_rng(0))
    shapes = {v.name: np.shape(v.example) for v in problem.variables}
    if shapes != {name: value.shape for name, value in s.values.items()}:
        return None
    found = next((one for one in problem.methods if one.name == method.name), None)
    return None if found is None else (problem, found)


def _far_out(s: Setting) -> Iterator[dict[str, Array]]:
    """Yield the values themselves, and real inputs as large as ±1000 where no domain forbids it."""
    yield s.copies()
    free = [v for v in s.problem.variables if v.role == "input" and v.data == "real" and v.domain is None]
    names = [v.name for v in free if not v.constant and s.values[v.name].dtype.kind == "f" and s.values[v.name].size]
    if not names:
        return
    values = s.copies()
    for name in names:
        top = float(np.abs(values[name]).max()) or 1.0
        values[name] = values[name] * (EXTREME / top)
    outputs = s.problem.forward(values)
    if all(np.isfinite(np.asarray(output, dtype=float)).all() for output in outputs):
        yield values


def _smooth(problem: Problem, values: dict[str, Array], name: str) -> bool:
    """Whether the outputs are finite on both sides of every entry, and their difference quotients are moderate."""
    x = values[name]
    for index in range(x.size):
        sides = []
        for sign in (-1, 1):
            moved = np.array(x, dtype=float)
            moved.flat[index] += sign * 2.0**-10 * max(1.0, abs(float(x.flat[index])))
            sides.append(problem.forward({**values, name: moved}))
        for low, high in zip(*sides, strict=True):
            if not np.isfinite(np.asarray(high, dtype=float) - np.asarray(low, dtype=float)).all():
                return False
    return True
