"""Adapters: an object becomes a `Problem`. Recognised by what it does, never by the class that it comes from."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from gradcheck.adapters import (
    backward,
    cached,
    construct,
    layers,
    models,
    nodes,
    pairs,
    propagation,
    registry,
    source,
    tapes,
)
from gradcheck.adapters.errors import NotASubject
from gradcheck.adapters.functions import function_subject
from gradcheck.adapters.registry import register
from gradcheck.errors import CannotBuild
from gradcheck.problem import Problem, Sizes, Subject

__all__ = ["CannotBuild", "NotASubject", "belonging", "function_subject", "is_subject", "register", "subject_of"]

# In the order in which they are tried.
ADAPTERS = (tapes, models, layers, nodes, propagation, backward, cached, pairs)


def belonging(thing: Any) -> list[Any]:
    """Return the functions that are judged together with `thing`: the derivative beside it. Runs none of its code."""
    partner = getattr(_adapter(thing), "partner", None)
    found = None if partner is None else partner(thing)
    return [] if found is None else [found]


def is_subject(thing: Any) -> bool:
    """Whether `thing` (a class, an instance or a function) makes claims about a derivative. Runs none of its code."""
    return registry.factory_for(thing) is not None or _adapter(thing) is not None


def subject_of(thing: Any, *, name: str | None = None, init: Mapping[str, Any] | None = None) -> Subject:
    """Return the subject that a class, an instance or a function is.

    `init`: constructor arguments by name. Raises NotASubject where the thing makes no claim about a derivative, and
    CannotBuild where it does but cannot be built from what is known; `Subject.build` raises CannotBuild as well.
    """
    if isinstance(thing, Subject):
        return thing
    adapter = _adapter(thing)
    factory = registry.factory_for(thing)
    if factory is not None:
        made = factory(thing)
        if isinstance(made, Subject):
            return made
        adapter = adapter or _adapter(construct.unpack(made).obj)
    if adapter is None:
        raise NotASubject(f"{source.title(thing)} has no derivative that could be checked")
    chosen = adapter

    @functools.cache
    def usual_ranks() -> list[int]:
        return _ranks(build(Sizes(), np.random.default_rng(0)))

    def build(sizes: Sizes, rng: np.random.Generator) -> Problem:
        make = getattr(chosen, "make", construct.make)
        try:
            made = make(thing, sizes, rng, init)
            if sizes != Sizes() and isinstance(getattr(made.obj, "training", None), bool):
                made.obj.training = False  # what has two modes is checked in both: in evaluation at other sizes
            problem: Problem = chosen.build(made, sizes, rng)
            if sizes != Sizes() and (_ranks(problem) != usual_ranks() or _stretches(problem)):
                raise CannotBuild("forward takes inputs of these sizes as something else")
        except CannotBuild:
            usual = Sizes(batch=sizes.batch)
            if sizes == usual:
                raise
            # Odd sizes do not suit every layer: one that halves its features, say.
            problem = chosen.build(make(thing, usual, rng, init), usual, rng)
        return problem

    def cases() -> Iterator[Problem]:
        for made in construct.cases(thing):
            yield chosen.build(made, Sizes(), np.random.default_rng(0))

    example = _brings_inputs(thing, init)
    return Subject(
        name or source.title(thing),
        source.location(thing),
        source.documentation(thing),
        build,
        fixed=example or getattr(chosen, "FIXED", False),
        examples=example,
        cases=cases,
        waivers=_waivers(thing),
        code=(thing, *belonging(thing)),
    )


def _ranks(problem: Problem) -> list[int]:
    """The number of axes of each input."""
    return [np.ndim(v.example) for v in problem.variables if v.role == "input"]


def _stretches(problem: Problem) -> bool:
    """Whether forward merely broadcasts an input of one feature: one that repeats it gives the same."""
    values = {v.name: np.asarray(v.example) for v in problem.variables}
    for name in [v.name for v in problem.variables if v.role == "input"]:
        if values[name].ndim < 2 or values[name].shape[-1] != 1:
            continue
        try:
            with np.errstate(all="ignore"):
                [output] = problem.forward(dict(values))
                wide = np.repeat(values[name], output.shape[-1] if output.ndim else 1, axis=-1)
                [again] = problem.forward({**values, name: wide})
        except Exception:  # whatever other people's code says of another shape: it does not broadcast
            continue
        if wide.shape != values[name].shape and np.array_equal(output, again):
            return True
    return False


def _waivers(thing: Any) -> dict[str, str]:
    """The claims that the class waives, each with its reason."""
    waivers = getattr(thing, "gradcheck_waivers", {})
    if not isinstance(waivers, Mapping):
        found = type(waivers).__name__
        raise CannotBuild(f"gradcheck_waivers must be a dict of claim and reason, but it is of type {found}")
    return {str(claim): str(reason) for claim, reason in waivers.items()}


def _brings_inputs(thing: Any, init: Mapping[str, Any] | None) -> bool:
    """Whether the inputs come with an example, so that sizes cannot be chosen."""
    if registry.factory_for(thing) is None and not hasattr(thing, "gradcheck_example"):
        return False
    try:
        return construct.make(thing, Sizes(), np.random.default_rng(0), init).inputs is not None
    except CannotBuild:  # said again, and listed, when it is built
        return False


def _adapter(thing: Any) -> Any:
    return next((adapter for adapter in ADAPTERS if adapter.recognises(thing)), None)
