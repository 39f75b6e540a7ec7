"""The seam between a subject and the checker: plain NumPy, no framework.

An adapter turns an object into a `Subject`. A subject builds a `Problem` for given sizes: a pure
forward function, its named variables, and the derivative methods that make claims about it.
Everything after this file sees arrays only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Values = Mapping[str, Array]
Role = Literal["input", "weight"]
Data = Literal["real", "probabilities", "one-hot", "one-hot only", "class-indices"]
Kind = Literal["local", "vjp", "sum", "jvp"]


@dataclass(frozen=True)
class Variable:
    """One named array that the function reads.

    `constant`: data that is held constant (labels). `domain`: the open interval that it must stay
    in, while it is differentiated. `data`: what its values mean, so that sampling can draw them ("one-hot only": the
    code reads labels as class numbers, and soft ones mean nothing to it). `tied`: its entries depend on each other (a
    symmetric matrix, a point of a manifold), so that none can be made simpler alone. `blurred`: what is claimed about
    it is what an update took away from it, and loses this many times its own rounding.
    """

    name: str
    role: Role
    example: Array
    constant: bool = False
    domain: tuple[float, float] | None = None
    data: Data = "real"
    tied: bool = False
    blurred: float = 0.0


@dataclass(frozen=True)
class Suspect:
    """A mistake that an adapter knows to be likely: its name, a sentence, and what the method would then answer.

    `at(values)` returns one array per name in the method's `wrt` (`None`: says nothing about it).
    """

    name: str
    sentence: str
    at: Callable[[Values], list[Any]]


@dataclass(frozen=True)
class Method:
    """One derivative method of the subject, and how to ask it.

    `at(values)` runs forward on `values` and returns a function that asks for the derivative of
    *that* call, as often as wanted. What it takes and returns depends on `kind`:

    - `"vjp"`: takes one cotangent per output (of that output's shape), returns one array per name in
      `wrt`, of that variable's shape;
    - `"sum"`: takes nothing; the gradient of the sum of all outputs (a tape without upstream);
    - `"local"`: takes nothing; the local derivative in the subject's own compact layout;
    - `"jvp"`: takes one tangent per name in `wrt`, returns one array per output.

    An entry that is `None` says nothing about its variable; an array may be one that the subject goes on using.
    Exceptions pass through: the caller turns them into verdicts. `certain`: this is how the code's own tape, training
    loop or caller asks, so that an exception is the code's mistake; else it may be ours. `convention`: what the numbers
    were divided by before they came here, in words ("averaged over the batch, in all of its package"): a claim that is
    right then follows that convention. `symmetric`: it is a Hessian. `source` is the function that was handed in, where
    the claim is one.
    """

    name: str
    kind: Kind
    wrt: tuple[str, ...]
    at: Callable[[Values], Callable[[list[Array]], list[Any]]]
    suspects: tuple[Suspect, ...] = ()
    certain: bool = False
    convention: str = ""
    symmetric: bool = False
    source: Callable[..., Any] | None = None


@dataclass(frozen=True)
class Problem:
    """A function with claims about its derivatives.

    `forward(values)` is pure: it leaves no trace in the subject or in `values`, and returns the list
    of outputs. It accepts float64, float32, float16 and complex arrays, whatever the subject's own
    dtype is (a subject that refuses one of them raises). `random`: it draws random numbers, and the
    adapter starts their generators anew for every call. `call`: the subject's own forward on the very
    arrays that it is given, where no method calls it (a function beside its derivative). `reading`: how the code was
    read ("backward(upstream)"); `unjudged`: what was seen and cannot be paired, with the reason. `notes`: of what, and
    what is true of it and nobody's mark. `dtype`: the widest type that forward takes. `accuracy`: the relative error at
    which forward stops (a solver's tolerance); 0: it is exact but for rounding. `exact`: it may be run on other numbers
    than floats, and so be shown exactly. `written(values)`: the arguments of the
    call that poses this problem at other values, as code (None where they cannot be written). `label`: what is special
    about one of a subject's cases ("in evaluation mode"). `held`: dicts that forward is given, with settings in them.
    """

    variables: tuple[Variable, ...]
    forward: Callable[[Values], list[Array]]
    methods: tuple[Method, ...]
    random: bool = False
    call: Callable[[Values], object] | None = None
    reading: str = ""
    unjudged: tuple[tuple[str, str], ...] = ()
    notes: tuple[tuple[str, str], ...] = ()
    dtype: str = "float64"
    accuracy: float = 0.0
    exact: bool = True
    written: Callable[[Values], list[str] | None] | None = None
    label: str = ""
    held: tuple[dict[str, Any], ...] = ()

    def variable(self, name: str) -> Variable:
        """Return the variable called `name` (KeyError if there is none)."""
        for variable in self.variables:
            if variable.name == name:
                return variable
        raise KeyError(name)


@dataclass(frozen=True)
class Sizes:
    """Small and distinct by default, so that a transposed or missing factor cannot hide."""

    batch: int = 5
    inputs: int = 4
    outputs: int = 3


@dataclass(frozen=True)
class Subject:
    """What is checked: a name, where it stands, and how to build it.

    `build(sizes, rng)` returns a fresh `Problem`; a subject of fixed sizes ignores `sizes` and says so with
    `fixed=True`, and with `examples=True` where its values only show what may come in. `cases()` are further problems,
    checked at their own values beside the sampled points (other settings, other shapes). `source` is
    `"path/of/file.py:line"`, relative to the current folder where it lies inside it. `waivers` maps a claim
    (`"get_input_gradients[x]"`) to the reason why it deliberately differs from the derivative. `code`: the classes and
    functions whose code is checked. `again(arguments)`: the same, with these constructor arguments (CannotBuild).
    """

    name: str
    source: str
    doc: str
    build: Callable[[Sizes, np.random.Generator], Problem]
    fixed: bool = False
    examples: bool = False
    cases: Callable[[], Iterable[Problem]] = tuple
    waivers: Mapping[str, str] = field(default_factory=dict)
    code: tuple[Any, ...] = ()
    again: Callable[[Mapping[str, Any]], Subject] | None = None
