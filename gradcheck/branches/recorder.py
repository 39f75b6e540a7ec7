"""A run of somebody's code with its instrumented twin in its place, and what was seen in it."""

from __future__ import annotations

import builtins
import math
import operator
import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from types import CodeType, FunctionType
from typing import Any

import numpy as np

from gradcheck.branches.decisions import Decision, Seen
from gradcheck.branches.instrument import HOOK, Places, instrument
from gradcheck.branches.recompile import called, functions_of, in_place
from gradcheck.errors import is_checked

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "Lt": operator.lt,
    "LtE": operator.le,
    "Gt": operator.gt,
    "GtE": operator.ge,
    "Eq": operator.eq,
    "NotEq": operator.ne,
}
# What the functions that choose compare: their two arguments, their argument with 0, or its entries with the winner.
PAIRS: set[Any] = {np.maximum, np.minimum, np.fmax, np.fmin}
WITH_ZERO: set[Any] = {np.abs, np.fabs, np.sign, np.heaviside, abs, math.fabs}
WINNERS: set[Any] = {np.max, np.min, np.argmax, np.argmin}

_lock = threading.RLock()
# The twins of all code that was ever looked into (the same text in two files is one code): most components share some.
_places = Places()
_twins: dict[tuple[CodeType, str], CodeType | None] = {}


class Recorder:
    """Keeps the instrumented twins of functions, and records runs of them.

    Instrumented are functions whose source lies in one of the files `home`, and what they call of the checked code,
    each when it first runs.
    """

    def __init__(self, home: Collection[str]) -> None:
        self.home = frozenset(home)
        self.places = _places
        self.twins: dict[CodeType, CodeType | None] = {}
        self.functions: dict[CodeType, list[FunctionType]] = {}
        self.seen = Seen()
        self.looked_into = Seen()
        self._at: dict[int, Decision] = {}
        self._ran: dict[int, int] = defaultdict(int)

    def living(self) -> Iterator[FunctionType]:
        """The functions of the checked code that ran so far."""
        return (one for found in self.functions.values() for one in found)

    def look_into(self, run: Callable[[], Any]) -> None:
        """Find the functions of the checked code that something calls. Raises whatever it raises."""
        with _lock:
            if self._find(run):
                self._find(run)  # what was called by code that was new is seen the second time

    def watch(self, run: Callable[[], Any], known: bool = True) -> tuple[Seen, Any]:
        """Run something that calls the checked code, and return what was decided in it, and its result.

        Raises whatever it raises. Where it is `known`, and runs lines or decides as nothing did that was looked into,
        so is this.
        """
        with _lock:
            result = self._recorded(run)
            if known and not self.seen <= self.looked_into:
                self.look_into(run)
                result = self._recorded(run)
            self.looked_into.add(self.seen)
        return self.seen, result

    def during(self, run: Callable[[], Any]) -> tuple[Seen, Any]:
        """The same, of functions that are known already, whatever else it runs."""
        with _lock:
            result = self._recorded(run)
        return self.seen, result

    def _recorded(self, run: Callable[[], Any]) -> Any:
        self.seen, self._at, self._ran = Seen(), {}, defaultdict(int)
        try:
            with self._in_place():
                return run()
        finally:
            for number, times in self._ran.items():
                self.seen.lines[self.places.lines[number]] += times

    def _find(self, run: Callable[[], Any]) -> bool:
        """Learn which functions of the checked code run; whether there were new ones."""
        new: dict[CodeType, None] = {}

        def is_new(code: CodeType, by: CodeType | None) -> None:
            if code in self.twins or code in new or not is_checked(code.co_filename):
                return
            if code.co_filename in self.home or by in new or by in self.twins:
                new[code] = None

        called(run, is_new)
        for code, found in functions_of(new).items() if new else ():
            self.functions[code] = found
            self.twins[code] = _twin(found[0], self.places) if found else None
        return bool(new)

    @contextmanager
    def _in_place(self) -> Iterator[None]:
        """The twins in place of the functions' own code."""
        twins = [(one, twin) for code, twin in self.twins.items() if twin for one in self.functions[code]]
        setattr(builtins, HOOK, self)
        try:
            with in_place(twins):
                yield
        finally:
            delattr(builtins, HOOK)

    def _decision(self, number: int) -> Decision:
        found = self._at.get(number)
        if found is None:
            found = self._at[number] = self.seen.at(self.places.sites[number])
        return found

    # What instrumented code calls.

    def line(self, number: int) -> None:
        """A statement runs."""
        self._ran[number] += 1

    def test(self, number: int, value: Any) -> bool:
        """What stands in an `if` is true, or false."""
        truth = bool(value)
        self._decision(number).test(value)
        return truth

    def compare(self, number: int, name: str, left: Any, right: Any) -> Any:
        """Two values are compared."""
        self._decision(number).compare(left, right)
        return OPERATORS[name](left, right)

    def mask(self, number: int, value: Any) -> Any:
        """Several comparisons are put together; other things are passed on."""
        if isinstance(value, (bool, np.bool_)) or (isinstance(value, np.ndarray) and value.dtype == bool):
            decision = self._decision(number)
            decision.sides[1].update(self.places.constants[number])
            decision.by_values |= isinstance(value, (np.ndarray, np.generic))
            for truth in {bool(one) for one in np.unique(value)}:
                decision.test(truth)
        return value

    def select(self, number: int, called: Any, *args: Any, **keywords: Any) -> Any:
        """A function is called that may choose by comparing."""
        decision = self._decision(number)
        if _is(called, np.clip, "clip"):
            decision.clip(*_bounds(called, args, keywords))
        else:
            for left, right in _compared(called, args, keywords):
                decision.compare(left, right)
        return called(*args, **keywords)


def _twin(function: FunctionType, places: Places) -> CodeType | None:
    key = function.__code__, function.__code__.co_filename
    if key not in _twins:
        _twins[key] = instrument(function, places)
    return _twins[key]


def _is(called: Any, function: Any, method: str) -> bool:
    """Whether a call is of this function, or of the method of an array."""
    owner = getattr(called, "__self__", None)
    return called is function or (isinstance(owner, np.ndarray) and getattr(called, "__name__", "") == method)


def _bounds(called: Any, args: tuple[Any, ...], keywords: dict[str, Any]) -> tuple[Any, Any, Any]:
    """The values that are clipped, and the two bounds."""
    values, *bounds = args if called is np.clip else (called.__self__, *args)
    low = bounds[0] if bounds else keywords.get("a_min", keywords.get("min"))
    high = bounds[1] if len(bounds) > 1 else keywords.get("a_max", keywords.get("max"))
    return values, low, high


def _compared(called: Any, args: tuple[Any, ...], keywords: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    """Yield what a call compares, if it is one of those that choose."""
    method = getattr(called, "__self__", None)
    name = getattr(called, "__name__", "")
    if isinstance(method, np.ndarray):
        called, args = getattr(np, name, None), (method, *args)
    try:
        if called in PAIRS:
            yield args[0], args[1]
        elif called in WITH_ZERO:
            yield args[0], 0
        elif called in WINNERS:
            yield from _runners_up(np.asarray(args[0]), name, args[1] if len(args) > 1 else keywords.get("axis"))
        elif called in (max, min) and len(args) == 2:
            yield args[0], args[1]
    except (TypeError, ValueError, IndexError):  # arguments of another kind: the call itself will say so
        return


def _runners_up(values: Any, name: str, axis: Any) -> Iterator[tuple[Any, Any]]:
    """The winner of each reduction and the next best: equal in a tie."""
    if values.dtype.kind not in "fiub" or isinstance(axis, tuple):
        return
    flat = values.ravel() if axis is None else np.moveaxis(values, axis, -1)
    if flat.ndim and flat.shape[-1] > 1:
        ordered = np.sort(flat, axis=-1)
        yield (ordered[..., 1], ordered[..., 0]) if "min" in name else (ordered[..., -1], ordered[..., -2])
