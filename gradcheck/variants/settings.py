"""Settings: every option of constructor and forward at another value, one at a time; then two of them."""

from __future__ import annotations

import contextlib
import inspect
import itertools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from types import FunctionType
from typing import Any

import numpy as np

from gradcheck.adapters import construct
from gradcheck.errors import CannotBuild
from gradcheck.problem import Array, Problem, Sizes, Subject, Values
from gradcheck.variants import modes
from gradcheck.variants.literals import candidates, compared, leaves_nothing, said
from gradcheck.variants.offer import Offer, Usual
from gradcheck.variants.options import OTHER, Setting, functions, in_setting, options, within
from gradcheck.variants.presets import PLAIN, Preset, in_dicts, presets
from gradcheck.variants.screen import outputs
from gradcheck.variants.variant import Kind, Variant

# Pairs of settings that are tried.
PAIRS = 6


def settings(usual: Usual) -> Iterator[Offer]:
    """Offer other settings: of arguments with a default first, then of those that were guessed."""
    code = _code(usual)
    words = compared(code)
    before: dict[str, list[list[Array] | None]] = {}
    for option, value in _others(usual):
        mode = modes.is_mode(option.name, value)
        noted = mode and not modes.trains(option.name, value) and not modes.looks_at(option.name, code)
        noted |= isinstance(option, Preset) and option.alone
        kind: Kind = "mode" if mode else "setting"
        where = f"with {said(option.name, value)}"
        # Each word that the code compares with is a setting of its own.
        own = isinstance(value, str) and value in words
        make = partial(_at_defaults, usual, [(option, value)], kind, where, noted)
        if isinstance(value, str):
            make = partial(_word, make, own, before.setdefault(option.name, []))
        yield Offer(kind, where, make, "" if own else option.name)
    shape = _shape(usual)
    for name, guessed, given in _guessed(usual.subject):
        for value in candidates(name, guessed, words, shape):
            where = f"with {said(name, value)}"
            yield Offer("setting", where, partial(_at_guess, usual, given(value), where), name, quiet=True)


def together(usual: Usual, right: Collection[str]) -> Iterator[Offer]:
    """Offer two settings at once (a stride and padding), of those that are `right` one at a time; no fractions."""
    first: dict[str, tuple[Setting, Any]] = {}
    for option, value in _others(usual):
        if f"with {said(option.name, value)}" in right and not isinstance(value, float):
            first.setdefault(option.name, (option, value))
    for two in itertools.islice(itertools.combinations(first.values(), 2), PAIRS):
        where = f"with {' and '.join(said(option.name, value) for option, value in two)}"
        yield Offer("setting", where, partial(_at_defaults, usual, two, "setting", where, False), "two settings", True)


def _others(usual: Usual) -> Iterator[tuple[Setting, Any]]:
    """Every option with another value of it."""
    code = _code(usual)
    words, shape = compared(code), _shape(usual)
    held = in_dicts(usual.problem.held)  # before a default of the same name, which nothing reads then
    found: dict[str, Setting] = {}
    every: list[Setting] = [*held, *options(usual.subject.code), *presets(usual.subject.code)]
    for one in every:
        found.setdefault(one.name, one)
    for option in found.values():
        for value in candidates(option.name, option.default, words, shape):
            if not leaves_nothing(value, code):
                yield option, value


def _code(usual: Usual) -> list[FunctionType]:
    return [function for thing in usual.subject.code for function in functions(thing)]


def _shape(usual: Usual) -> tuple[int, ...]:
    return np.shape(usual.inputs[0].example) if usual.inputs else ()


def _at_defaults(
    usual: Usual, values: Sequence[tuple[Setting, Any]], kind: Kind, where: str, noted: bool
) -> Variant | None:
    subject, asked = usual.subject, usual.problem
    for option, value in values:
        subject, asked = in_setting(option, value, subject), within(option, value, asked)
    builds = any(option.builds for option, _ in values)
    made = _variant(usual, _built(subject) if builds else asked, subject, kind, where, noted)
    # How forward calls its own helpers is its own matter.
    return made if made is not None and (builds or not made.unseen) else None


def _word(make: Callable[[], Variant | None], own: bool, before: list[list[Array] | None]) -> Variant | None:
    """What is made for a word; for none that only we think of where forward takes it as one of those `before`."""
    made = make()
    if made is None:
        return None
    found = outputs(made.problem, made.values)
    if not own and any(_are_same(found, one) for one in before):
        return None
    before.append(found)
    return made


def _at_guess(usual: Usual, arguments: Mapping[str, Any], where: str) -> Variant | None:
    if usual.subject.again is None:
        return None
    try:
        subject = usual.subject.again(arguments)
    except CannotBuild:
        return None
    return _variant(usual, _built(subject), subject, "setting", where, False)


def _built(subject: Subject) -> Problem | None:
    try:
        return subject.build(Sizes(), np.random.default_rng(0))
    except Exception:  # the checked code refuses this setting, in whatever way
        return None


def _variant(
    usual: Usual, made: Problem | None, subject: Subject, kind: Kind, where: str, noted: bool
) -> Variant | None:
    """The variant, if forward takes the setting; if that makes no difference, what a claim makes of it is a note."""
    if made is None:
        return None
    made = usual.larger(made)
    values = usual.filled(made)
    before, after = usual.outputs_with_room, outputs(made, values)
    if before is None or after is None or len(before) != len(after):
        return None
    if sum(one.size for one in before) == 1 < sum(one.size for one in after) and not _take(made, values, after):
        return None  # the gradient of a loss, where it is asked without an upstream gradient
    # The same axis, counted from the end, is another number for backward.
    if "axis=" not in where and _are_same(before, after) and _are_same(usual.outputs_elsewhere, usual.elsewhere(made)):
        return Variant(kind, where, made, values, subject, noted=True, unseen=True)
    return Variant(kind, where, made, values, subject, noted)


def _take(problem: Problem, values: Values, found: Sequence[Array]) -> bool:
    """Whether claims take an upstream gradient for each output."""
    try:
        for method in (one for one in problem.methods if one.kind == "vjp"):
            method.at(values)([np.ones(one.shape) for one in found])
    except Exception:  # the checked code takes no such upstream
        return False
    return True


def _are_same(before: Sequence[Array] | None, after: Sequence[Array] | None) -> bool:
    return before is None or after is None or all(map(np.array_equal, before, after))


Given = Callable[[Any], Mapping[str, Any]]


def _guessed(subject: Subject) -> Iterator[tuple[str, Any, Given]]:
    """Arguments without a default, and entries of dicts, that are no sizes: their guess is the same in all sizes.

    With each comes what a constructor is given for another value of it.
    """
    cls = subject.code[0] if subject.code else None
    if subject.again is None or subject.examples or not inspect.isclass(cls):
        return
    with contextlib.suppress(CannotBuild, TypeError, ValueError):
        one, other = (construct.arguments(cls, sizes, {}) for sizes in (Sizes(), Sizes(7, 6, 9)))
        required = {p.name for p in inspect.signature(cls).parameters.values() if p.default is p.empty}
        for name in required & one.keys() & other.keys() - OTHER:
            if type(one[name]) in PLAIN and one[name] == other[name]:
                yield name, one[name], partial(_argument, name)
            elif type(one[name]) is dict:
                for key, guess in one[name].items():
                    if type(guess) in PLAIN and guess == other[name].get(key):
                        yield key, guess, partial(_entry, name, one[name], key)


def _argument(name: str, value: Any) -> Mapping[str, Any]:
    return {name: value}


def _entry(name: str, entries: Mapping[str, Any], key: str, value: Any) -> Mapping[str, Any]:
    return {name: {**entries, key: value}}
