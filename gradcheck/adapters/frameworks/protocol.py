"""What a framework is: its arrays, how NumPy's become them and back, and how its own derivatives are asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from gradcheck.problem import Array

Function = Callable[..., Any]
Run = Callable[..., list[Any]]
"""A function of a framework's arrays that returns a list of them."""


@dataclass(frozen=True)
class Rule:
    """A function with a derivative of its own. `call`: what is called; `forward`: where it is written.

    `vjp`, `jvp`: where the derivatives are written, of which None is not there. `reading`: what is held against what,
    in words. `shown`: what a result is called by, if not `forward`. `skip`: how many arguments `forward` takes before
    those of `call`. `constants`: the numbers of arguments about which it claims nothing. `weights`: arrays by name that
    are the first argument of `call`, before the others; empty where there is no such argument.
    """

    call: Function
    forward: Function
    vjp: Function | None
    jvp: Function | None
    reading: str
    shown: Any = None
    skip: int = 0
    constants: tuple[int, ...] = ()
    weights: Mapping[str, Any] = field(default_factory=dict)
    still: Function | None = None
    certain: bool = True


class Framework(Protocol):
    """A framework that is loaded: it is never imported here, only found where the checked code has imported it.

    `arrays`: what its functions return, in words; "" where these are NumPy's. `convention`: of gradients by complex
    numbers, one of those of `handed/spaces.py`.
    """

    arrays: str
    convention: str

    @property
    def modules(self) -> tuple[type, ...]:
        """The classes of its modules, layers and models, which hold their weights."""

    def is_array(self, value: Any) -> bool:
        """Whether a value is one of its arrays."""

    def is_moved(self, value: Any) -> bool:
        """Whether it differentiates by such a value, if nobody says otherwise."""

    def rule(self, subject: Any, arguments: Sequence[Any]) -> Rule | None:
        """Return the derivative that a function brings with it; None where it brings none. `arguments`: its point."""

    def autodiff(self, function: Function) -> Rule:
        """Return what the framework makes of any function of its arrays."""

    def to_numpy(self, value: Any) -> Array:
        """Return one of its arrays as NumPy's, in a type that NumPy has."""

    def from_numpy(self, array: Array) -> Any:
        """Return one of NumPy's arrays as one of its own, in memory of its own."""

    def exactly(self) -> AbstractContextManager[Any]:
        """Within it double precision is kept, and random numbers are the same in every call."""

    def pull(self, run: Run, arrays: Sequence[Array], cotangents: Sequence[Array]) -> list[Array | None]:
        """Return cotangents · J for every array; None where the derivative says nothing about one."""

    def push(self, run: Run, arrays: Sequence[Array], tangents: Sequence[Array]) -> list[Array]:
        """Return J · tangents for every output."""
