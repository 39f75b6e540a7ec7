"""An object, a class or a function becomes a `Subject`, read through the first interface that recognises it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradcheck.adapters import construct, registry, source
from gradcheck.adapters.calls import table
from gradcheck.adapters.construct import Made
from gradcheck.adapters.declarations import declares, waivers
from gradcheck.adapters.interfaces import INTERFACES
from gradcheck.adapters.modes import set_mode
from gradcheck.adapters.protocol import Build, Interface, Settled
from gradcheck.adapters.stretched import is_something_else
from gradcheck.errors import CannotBuild, NotASubject, place, told
from gradcheck.problem import Problem, Sizes, Subject


def belonging(thing: Any) -> list[Any]:
    """Return the functions that are judged together with `thing`: the derivative beside it. Runs none of its code."""
    return [one for reading in _readings(thing)[:1] for one in reading.partners(thing)]


def inside(module: Any) -> dict[str, Any]:
    """Return the functions with derivatives that stand in dicts of a module, by dotted paths."""
    return dict(table.inside(module.__name__, vars(module)))


def parts(thing: Any) -> list[str]:
    """Return the names of the methods of a class that are subjects of their own. May run its code."""
    return list(dict.fromkeys(name for one in INTERFACES for name in one.parts(thing)))


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
        waivers=waivers(thing),
        code=(thing, *belonging(thing)),
        again=functools.partial(_again, thing, name, init or {}),
    )


def _again(thing: Any, name: str | None, init: Mapping[str, Any], more: Mapping[str, Any]) -> Subject:
    return subject_of(thing, name=name, init={**more, **init})


@dataclass(frozen=True)
class Reading:
    """How a thing is read: the interface, what builds a problem with it, and how the thing is made."""

    interface: Interface
    build: Build
    variant: int = 0
    modes: tuple[Problem, ...] = ()


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
        if sizes == Sizes():
            return self._in(sizes, rng)
        # Odd sizes do not suit every layer: one that halves its features, say. One feature is one, or nothing.
        tries = (sizes, Sizes(batch=sizes.batch)) if sizes.inputs > 1 else (sizes,)
        for tried in tries:
            try:
                problem = self._in(tried, rng)
            except CannotBuild:
                continue
            if not is_something_else(problem, self.usual):
                return problem
        raise CannotBuild("it is not made for these sizes")

    def cases(self) -> Iterator[Problem]:
        """What `gradcheck_cases()` gives beside the example."""
        reading = self.reading
        for made in construct.cases(self.thing):
            yield reading.interface.build(made, Sizes(), np.random.default_rng(0))
        yield from reading.modes

    def _in(self, sizes: Sizes, rng: np.random.Generator) -> Problem:
        try:
            return self.reading.build(self._made(sizes, rng), sizes, rng)
        except CannotBuild:
            raise
        except Exception as error:  # the checked code is run in many ways before it is asked anything
            if not place(error):
                raise
            raise CannotBuild(f"it cannot be run: {told(error)}") from error

    def _made(self, sizes: Sizes, rng: np.random.Generator) -> Made:
        reading = self.reading
        return self._make(reading.interface, sizes, rng, reading.variant)

    def _make(self, interface: Interface, sizes: Sizes, rng: np.random.Generator, variant: int) -> Made:
        made = interface.make(self.thing, sizes, rng, self.init, variant)
        if inspect.isclass(self.thing):
            set_mode(made.obj, training=True)  # a backward belongs to the mode that trains
        return made if self.inputs is None else replace(made, inputs=self.inputs)

    @functools.cached_property
    def reading(self) -> Reading:
        """The first reading that can be built, settled in usual sizes; where none can, the first, which says why."""
        first: Reading | None = None
        for one in self.readings:
            for variant in range(construct.variants(self.thing)):
                rng = np.random.default_rng(0)
                try:
                    made = self._make(one, Sizes(), rng, variant)
                    settled = one.settle(made, rng) if one.settle is not None else Settled(one.build)
                    if one.settle is None and len(self.readings) > 1:
                        one.build(made, Sizes(), rng)
                except CannotBuild:
                    continue
                except Exception as error:  # the checked code is run in many ways before it is asked anything
                    if not place(error):
                        raise
                    continue
                found = Reading(one, settled.build, variant, settled.modes)
                if settled.fits:
                    return found
                first = first or found
        return first or Reading(self.readings[0], self.readings[0].build)

    @functools.cached_property
    def usual(self) -> Problem:
        """The problem in usual sizes."""
        return self(Sizes(), np.random.default_rng(0))


def _brings_inputs(thing: Any, init: Mapping[str, Any] | None) -> bool:
    """Whether the inputs come with an example, so that sizes cannot be chosen."""
    if registry.factory_for(thing) is None and not declares(thing, "gradcheck_example"):
        return False
    try:
        return construct.make(thing, Sizes(), np.random.default_rng(0), init).inputs is not None
    except CannotBuild:  # said again, and listed, when it is built
        return False


def _readings(thing: Any) -> list[Interface]:
    """The interfaces that recognise `thing`, in the order in which they are tried."""
    return [one for one in INTERFACES if one.recognises(thing)]
