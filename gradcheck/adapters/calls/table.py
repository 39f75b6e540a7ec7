"""The functions of a module: which of them is a subject, read as which program, and which belong to it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from gradcheck.adapters.calls import chains, closures, held, pairs, tangents, ufuncs, words
from gradcheck.adapters.calls.program import Program
from gradcheck.adapters.source import is_foreign
from gradcheck.compiled import is_function

Function = Callable[..., Any]
Functions = Mapping[str, Function]

# Named after gradients, and no derivatives: what is done with one, or what measures one.
OTHERWISE = words.vocabulary(
    "numerical numeric num approx approximate approximation check checking checker descent ascent clip clipping zero"
    " update apply test plot estimate finite hook tape accumulate stochastic print show run train main fit sgd"
    " momentum adam optimizer optimize init initialize demo compare"
)


@dataclass
class Table:
    """Programs by the function that is their subject; `paths` of those that stand in dicts."""

    programs: dict[int, Program] = field(default_factory=dict)
    paths: dict[str, Function] = field(default_factory=dict)
    kept: list[Function] = field(default_factory=list)

    def program(self, function: Any) -> Program | None:
        """The program of which a function is the subject."""
        return self.programs.get(id(function))


_tables: dict[str, tuple[tuple[tuple[str, int], ...], Table]] = {}


def program_of(thing: Any) -> Program | None:
    """Return the program of which a function is the subject, by what stands beside it in its module; `None` if none."""
    if not is_function(thing):
        return None
    module = sys.modules.get(thing.__module__)
    return None if module is None else table_of(module.__name__, vars(module)).program(thing)


def beside(function: Function) -> list[Program]:
    """Return all programs of the module in which a function stands."""
    module = sys.modules.get(getattr(function, "__module__", ""))
    return [] if module is None else list(table_of(module.__name__, vars(module)).programs.values())


def _can_be_looked_at(thing: Any) -> bool:
    """Whether asking what a thing is raises nothing, as a metaclass of somebody else's may."""
    try:
        return isinstance(thing, Mapping) or True
    except Exception:  # whatever that raises
        return False


def table_of(name: str, space: Mapping[str, Any]) -> Table:
    """Return the table of a module, made anew where its functions have changed."""
    space = {key: one for key, one in list(space.items()) if _can_be_looked_at(one)}
    functions = {key: one for key, one in space.items() if is_function(one) and not is_foreign(one, name)}
    containers = [(key, one) for key, one in space.items() if isinstance(one, (dict, tuple)) and key[:2] != "__"]
    state = tuple((key, id(one)) for key, one in (*functions.items(), *containers))
    known = _tables.get(name)
    if known is not None and known[0] == state:
        return known[1]
    table = _made(functions)
    for path, function, other, derivative in held.held(space):
        subject = derivative if isinstance(function, np.ufunc) else function
        if isinstance(function, np.ufunc):
            program = ufuncs.pair(function, other, derivative)
        else:
            program = pairs.pair(path, function, other, derivative)
        if program is not None and id(subject) not in table.programs:
            table.programs[id(subject)] = program
            table.paths[path] = subject
    table.kept = list(functions.values())
    _tables[name] = (state, table)
    return table


def _made(functions: Functions) -> Table:
    table = Table()
    names = _names(functions)
    for name, function in list(names.items()):
        program = None if name.startswith("_") else closures.program(name, function)
        if program is not None:
            table.programs[id(names.pop(name))] = program
    derivatives = {key: one for key, one in names.items() if _is_derivative(key, names)}
    bases = {key: words.derivative_bases(key) for key in derivatives}
    for other, derivative in derivatives.items():
        for name in _nearest(other, bases[other], names, derivatives):
            program = pairs.pair(name, names[name], other, derivative)
            if program is not None:
                _add(table, names[name], program)
    for other, derivative in derivatives.items():
        if not any(derivative in program.functions() for program in table.programs.values()):
            joined = chains.chain(other, derivative, names, derivatives)
            if joined is not None:
                _add(table, joined.steps[0].function, joined)
    for other, derivative in derivatives.items():
        if not any(derivative in program.functions() for program in table.programs.values()):
            known = ufuncs.derivative_of_a_ufunc(other, derivative)
            if known is not None:
                table.programs[id(derivative)] = known
    for other, function in names.items():
        program = _second(other, function, names, derivatives)
        if program is not None:
            table.programs.setdefault(id(program.steps[0].function), program)
    paired = {id(one) for program in table.programs.values() for one in program.functions()}
    for name, function in names.items():
        if id(function) in paired:
            continue
        program = pairs.switch(name, function) or tangents.value_and_tangent(name, function)
        program = program or pairs.value_and_gradient(name, function, name in derivatives)
        if program is not None:
            table.programs[id(function)] = program
    return table


def _second(other: str, function: Function, names: Functions, derivatives: Functions) -> Program | None:
    """`f_hessian` beside `f_grad`: the derivative of the gradient; `f_hessp` is along a vector."""
    about = frozenset(words.words_of(other))
    if not about & words.SECOND_ORDER:
        return None
    is_product = bool(about & words.PRODUCTS or about & words.VECTORS)
    base = about - words.SECOND_ORDER - words.VECTORS
    for name, derivative in derivatives.items():
        if name != other and base in words.derivative_bases(name):
            along = pairs.along_tangents(name, derivative, other, function) if is_product else None
            program = along or pairs.pair(name, derivative, other, function)
            if program is not None and program.derivatives[0].form in ("place", "tangent"):
                return program
    return None


def _names(functions: Functions) -> dict[str, Function]:
    """Every function by the first of its names."""
    found: dict[int, tuple[str, Function]] = {}
    for name, function in functions.items():
        found.setdefault(id(function), (name, function))
    return dict(found.values())


def _is_derivative(name: str, names: Functions) -> bool:
    """Whether a name is that of a derivative: a word says so, or it is `d` and the name of another function."""
    if name.startswith("__") or OTHERWISE & set(words.words_of(name)) or _is_a_norm(name):
        return False
    bases = words.derivative_bases(name)
    if words.is_named_after_a_derivative(name):
        return True
    return any(words.distance(base, other) == 0 for base in bases for other in names if other != name)


def _is_a_norm(name: str) -> bool:
    """Whether a name is that of the norm of gradients, and not of the gradient of a norm."""
    said = words.words_of(name)
    return "norm" in said[1:] and said[said.index("norm") - 1] in words.DERIVATIVE


def _nearest(other: str, bases: list[frozenset[str]], names: Functions, derivatives: Functions) -> list[str]:
    """The functions that a derivative may belong to, those with the nearest names."""
    found: list[tuple[int, str]] = []
    about = frozenset(words.words_of(other))
    residuals = [name for name in names if words.RESIDUALS & set(words.words_of(name))]
    if about <= words.JACOBIAN and residuals:
        bases = [frozenset(words.words_of(name)) for name in residuals]
    for name in names:
        if name == other or name in derivatives or OTHERWISE & set(words.words_of(name)):
            continue
        distances = [d for base in bases if (d := words.distance(base, name)) is not None]
        if distances:
            found.append((min(distances), name))
    programs = {name: pairs.pair(name, names[name], other, derivatives[other]) for _, name in found}
    cached = {name for name, program in programs.items() if program is not None and pairs.has_cache(program)}
    fitting = [(d, n) for d, n in found if programs[n] is not None and (n in cached or not cached)]
    if not fitting:
        return []
    least = min(d for d, _ in fitting)
    return [name for d, name in fitting if d == least or (d < 10 and least < 10)]


def _add(table: Table, function: Function, program: Program) -> None:
    """Another derivative of a function that has one already is asked beside it, where the outputs are the same."""
    known = table.programs.get(id(function))
    if known is None:
        table.programs[id(function)] = program
    elif known.outputs == program.outputs:
        step = max(known.steps[0], program.steps[0], key=lambda one: len(one.takes))
        derivatives = (*known.derivatives, *program.derivatives)
        table.programs[id(function)] = replace(known, steps=(step, *known.steps[1:]), derivatives=derivatives)


def partners(thing: Any) -> list[Function]:
    """Return what is judged together with a function."""
    program = program_of(thing)
    if program is None:
        return []
    return [one for one in program.functions() if one is not thing and program_of(one) is None]


def inside(name: str, space: Mapping[str, Any]) -> dict[str, Function]:
    """Return the subjects that stand in the dicts of a module, by their paths."""
    return dict(table_of(name, space).paths)
