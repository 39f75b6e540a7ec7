"""A program: functions that are called one after the other, and what claims derivatives of the last one's result."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from gradcheck.adapters.calls import words

Function = Callable[..., Any]
Given = Mapping[str, Any]

# `place`: the derivative at the same arguments; `product`: with an upstream gradient; `gradient`: of a loss; `tangent`:
# along tangents of its arguments.
Form = Literal["place", "product", "gradient", "tangent"]

# What a step that calls a function of an earlier step's calls that function.
CALLED = "_called"


@dataclass(frozen=True)
class Leaf:
    """A value that has to be found: an argument called `name`."""

    name: str


@dataclass(frozen=True)
class Output:
    """What step number `step` returned: all of it (`None`), or one element."""

    step: int
    index: int | None = None


@dataclass(frozen=True)
class Upstream:
    """The gradient by output number `number` of the program (of a `tangent`: the tangent of argument `number`)."""

    number: int


@dataclass(frozen=True)
class Constant:
    """A value that the reading itself gives: a switch that is on."""

    value: Any


Source = Leaf | Output | Upstream | Constant


@dataclass(frozen=True)
class Step:
    """One call: a function and where each of its arguments comes from."""

    function: Function
    name: str
    takes: tuple[tuple[str, Source], ...]

    def __call__(self, fetch: Callable[[Source], Any]) -> Any:
        positional, named = self._sorted
        return self.function(*(fetch(one) for one in positional), **{name: fetch(one) for name, one in named})

    @cached_property
    def _sorted(self) -> tuple[list[Source], list[tuple[str, Source]]]:
        """What is given by place, and what by name: everything after an argument that is left at its default."""
        sources: dict[str, Source] = dict(self.takes)
        positional: list[Source] = []
        named: list[tuple[str, Source]] = []
        by_place = True
        for parameter in inspect.signature(self.function).parameters.values():
            if parameter.name not in sources:
                by_place = False
            elif parameter.kind is parameter.KEYWORD_ONLY or not by_place:
                named.append((parameter.name, sources[parameter.name]))
            else:
                positional.append(sources[parameter.name])
        return positional, named


@dataclass(frozen=True)
class Derivative:
    """What claims derivatives: a call of its own, or (`step` is None) elements of what the last step returned.

    `names`: what its gradients are called in its text; `gradients`: where they are, if not all that is returned is one.
    `switched`: it is the function itself with a switch on. `convention`: what it follows; `averaged`: by it, weights'
    gradients are divided by the batch.
    """

    name: str
    form: Form
    step: Step | None = None
    names: tuple[str, ...] = ()
    gradients: tuple[Output, ...] = ()
    switched: bool = False
    convention: str = ""
    averaged: bool = False
    tangents: tuple[str, ...] = ()


@dataclass(frozen=True)
class Program:
    """`steps` in order, the `outputs` that are differentiated, and who claims to do so.

    `globals`: names of the module's own arrays by which it differentiates. `told`: what else is said of the reading;
    `unwritten`: the labels of a loss that the code starts from, and never writes. `unjudged`: what else is returned and
    looks like a derivative, and why it is not asked.
    """

    steps: tuple[Step, ...]
    outputs: tuple[Output, ...]
    derivatives: tuple[Derivative, ...]
    globals: tuple[str, ...] = ()
    told: str = ""
    unwritten: str = ""
    unjudged: tuple[tuple[str, str], ...] = ()

    @property
    def is_jacobian(self) -> bool:
        """Whether a matrix is claimed, by a name."""
        return any({"jac", "jacobian", *words.SECOND} & set(words.words_of(one.name)) for one in self.derivatives)

    @property
    def calls(self) -> tuple[Step, ...]:
        """All calls, the derivatives' too."""
        return (*self.steps, *(one.step for one in self.derivatives if one.step is not None))

    def leaves(self) -> list[str]:
        """The names of all values that have to be found, in the order in which they are taken."""
        found = [source.name for step in self.calls for _, source in step.takes if isinstance(source, Leaf)]
        return list(dict.fromkeys([*found, *self.globals]))

    def functions(self) -> list[Function]:
        """Everything that is called."""
        return list(dict.fromkeys(step.function for step in self.calls))

    def run(self, given: Given) -> Ran:
        """Call the steps."""
        ran = Ran(self, given)
        with self.placed(given):
            for step in self.steps:
                ran.said.append(step(ran.fetch))
        return ran

    @contextmanager
    def placed(self, given: Given) -> Iterator[None]:
        """Within this, the module's own arrays are those that are given."""
        spaces = [getattr(step.function, "__globals__", {}) for step in self.steps] if self.globals else []
        before = [(space, name, space[name]) for space in spaces for name in self.globals if name in space]
        try:
            for space, name, _ in before:
                space[name] = given[name]
            yield
        finally:
            for space, name, value in before:
                space[name] = value


@dataclass
class Ran:
    """The steps of a program, called once."""

    program: Program
    given: Given
    said: list[Any] = field(default_factory=list)

    def fetch(self, source: Source, upstream: Sequence[Any] = ()) -> Any:
        """Return the value that an argument takes."""
        if isinstance(source, Leaf):
            return self.given[source.name]
        if isinstance(source, Output):
            return element(self.said[source.step], source.index)
        return upstream[source.number] if isinstance(source, Upstream) else source.value

    def outputs(self) -> list[Any]:
        """What is differentiated."""
        return [self.fetch(one) for one in self.program.outputs]

    def answer(self, derivative: Derivative, upstream: Sequence[Any] = ()) -> Any:
        """What a derivative says of this run."""
        if derivative.step is not None:
            with self.program.placed(self.given):
                said = derivative.step(lambda source: self.fetch(source, upstream))
            return element(said, derivative.gradients[0].index) if derivative.gradients else said
        found = [self.fetch(one) for one in derivative.gradients]
        return found[0] if len(found) == 1 else tuple(found)


def element(said: Any, index: int | None) -> Any:
    """Return one element of what a function returned; what is no tuple is its own first and only element."""
    if index is None or (not isinstance(said, (tuple, list)) and index in (0, -1)):
        return said
    if not isinstance(said, (tuple, list)):
        raise TypeError(f"expected several values, but it returned {type(said).__name__}")
    if not -len(said) <= index < len(said):
        raise TypeError(f"expected at least {index + 1} values, but it returned {len(said)}")
    return said[index]
