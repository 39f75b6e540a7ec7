"""An object, a class or a function becomes a `Subject`, read through the first interface that recognises it."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from gradcheck.adapters import construct, registry, source
from gradcheck.adapters.construct import Made
from gradcheck.adapters.interfaces import INTERFACES
from gradcheck.adapters.protocol import Interface
from gradcheck.errors import CannotBuild, NotASubject
from gradcheck.problem import Problem, Sizes, Subject


def belonging(thing: Any) -> list[Any]:
    """Return the functions that are judged together with `thing`: the derivative beside it. Runs none of its code."""
    return [one for reading in _readings(thing)[:1] for one in reading.partners(thing)]


def is_subject(thing: Any) -> bool:
    """Whether `thing` (a class, an instance or a function) makes claims about a derivative. Runs none of its code."""
    return registry.factory_for(thing) is not None or any(one.recognises(thing) for one in INTERFACES)


def subject_of(
    thing: Any,
    *,
    name: str | None = None,
    init: Mapping[str, Any] | None = None,
    inputs: tuple[Any, ...] | None = None,
) -> Subject:
    """Return the subject that a class, an instance or a function is.

    `init`: constructor arguments by name. `inputs`: the point at which it is checked, and at no other. Raises
    NotASubject where the thing makes no claim about a derivative, and CannotBuild where it does but cannot be built
    from what is known; `Subject.build` raises CannotBuild as well.
    """
    if isinstance(thing, Subject):
        return thing
    readings = _readings(thing)
    factory = registry.factory_for(thing)
    if factory is not None:
        made = factory(thing)
        if isinstance(made, Subject):
            return made
        readings = readings or _readings(construct.unpack(made).obj)
    if not readings:
        raise NotASubject(f"{source.title(thing)} has no derivative that could be checked")
    build = _Build(thing, readings, init, inputs)
    example = inputs is None and _brings_inputs(thing, init)
    return Subject(
        name or source.title(thing),
        source.location(thing),
        source.documentation(thing),
        build,
        fixed=example or inputs is not None or readings[0].fixed,
        examples=example,
        cases=build.cases if inputs is None else tuple,
        waivers=_waivers(thing),
        code=(thing, *belonging(thing)),
    )


class _Build:
    """Builds one thing in any sizes, through the first of its readings that can be built."""

    def __init__(
        self,
        thing: Any,
        readings: list[Interface],
        init: Mapping[str, Any] | None,
        inputs: tuple[Any, ...] | None = None,
    ) -> None:
        self.thing = thing
        self.readings = readings
        self.init = init
        self.inputs = inputs

    def __call__(self, sizes: Sizes, rng: np.random.Generator) -> Problem:
        try:
            problem = self._in(sizes, rng)
            if sizes != Sizes() and (_ranks(problem) != self.usual_ranks or _stretches(problem)):
                raise CannotBuild("forward takes inputs of these sizes as something else")
        except CannotBuild:
            usual = Sizes(batch=sizes.batch)
            if sizes == usual:
                raise
            # Odd sizes do not suit every layer: one that halves its features, say.
            problem = self._in(usual, rng)
        return problem

    def cases(self) -> Iterator[Problem]:
        """What `gradcheck_cases()` gives beside the example."""
        for made in construct.cases(self.thing):
            yield self.reading.build(made, Sizes(), np.random.default_rng(0))

    def _in(self, sizes: Sizes, rng: np.random.Generator) -> Problem:
        made = self._make(self.reading, sizes, rng)
        if sizes != Sizes() and isinstance(getattr(made.obj, "training", None), bool):
            made.obj.training = False  # what has two modes is checked in both: in evaluation at other sizes
        return self.reading.build(made, sizes, rng)

    @functools.cached_property
    def reading(self) -> Interface:
        """The first reading that can be built; where none can, the first, which says why."""
        if len(self.readings) > 1:
            for one in self.readings:
                rng = np.random.default_rng(0)
                with contextlib.suppress(CannotBuild):
                    one.build(self._make(one, Sizes(), rng), Sizes(), rng)
                    return one
        return self.readings[0]

    def _make(self, reading: Interface, sizes: Sizes, rng: np.random.Generator) -> Made:
        made = reading.make(self.thing, sizes, rng, self.init)
        return made if self.inputs is None else replace(made, inputs=self.inputs)

    @functools.cached_property
    def usual_ranks(self) -> list[int]:
        """The number of axes of each input in usual sizes."""
        return _ranks(self(Sizes(), np.random.default_rng(0)))


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


def _readings(thing: Any) -> list[Interface]:
    """The interfaces that recognise `thing`, in the order in which they are tried."""
    return [one for one in INTERFACES if one.recognises(thing)]
