"""The whole check of one claim with changed code, beside the claims that were right and have to stay so."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradcheck.problem import Array, Method, Problem, Sizes, Subject, Values
from gradcheck.results import AtPoint, ComponentResult

Check = Callable[[Subject, int], ComponentResult]
Claim = tuple[str, str]

RIGHT = ("correct", "convention")


@dataclass(frozen=True)
class Outcome:
    """What a whole check says of a claim; where it is wrong, the first point and dtype at which it is, and the seed."""

    passes: bool
    at: AtPoint | None = None
    seed: int = 0


def outcome(result: ComponentResult, claim: Claim, others: Collection[Claim], broken: Collection[str]) -> Outcome:
    """Whether a claim is right at all points, and `others` are; what was `broken` of the contract may stay so."""
    found = {(one.method, one.wrt): one for one in result.claims}
    kept = all(one in found and found[one].verdict in RIGHT for one in (claim, *others))
    unbroken = all(one.name in broken for one in result.contract if one.verdict == "broken")
    points = found[claim].points if claim in found else ()
    return Outcome(kept and unbroken, next((one for one in points if one.verdict == "wrong"), None))


def only(subject: Subject, claims: Collection[Claim]) -> Subject:
    """The subject with some of its claims: what else is wrong with it is another matter."""

    def build(sizes: Sizes, rng: np.random.Generator) -> Problem:
        return _with(subject.build(sizes, rng), claims)

    def cases() -> Iterable[Problem]:
        return (_with(one, claims) for one in subject.cases())

    return replace(subject, build=build, cases=cases, waivers={})


def _with(problem: Problem, claims: Collection[Claim]) -> Problem:
    kept = ((method, [name for name in method.wrt if (method.name, name) in claims]) for method in problem.methods)
    return replace(problem, methods=tuple(_about(method, names) for method, names in kept if names))


def _about(method: Method, names: list[str]) -> Method:
    """A method that speaks of some of its variables only (a tangent has a part for each, so a jvp speaks of all)."""
    if method.kind == "jvp":
        return method
    places = [method.wrt.index(name) for name in names]

    def at(values: Values) -> Callable[[list[Array]], list[Any]]:
        derivative = method.at(values)

        def ask(cotangents: list[Array]) -> list[Any]:
            said = list(derivative(cotangents))
            return [said[place] for place in places]

        return ask

    return replace(method, wrt=tuple(names), at=at, suspects=())
