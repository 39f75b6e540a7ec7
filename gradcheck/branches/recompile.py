"""Functions whose code is exchanged for a while: found while they run, compiled anew from a changed tree, put back.

The new code takes the place of a function's own: wherever the function is known, the new code runs. For that it needs
the same arguments and free variables, and the class that private names and `super()` hang on.
"""

from __future__ import annotations

import ast
import functools
import gc
import inspect
import itertools
import operator
import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from types import CodeType, FrameType, FunctionType
from typing import Any

from gradcheck.errors import is_checked

Definition = ast.FunctionDef | ast.Lambda

# By the identity of their code, which they keep alive.
_known: dict[int, list[FunctionType]] = {}

# Their functions live for one call, which runs what stands in the code around them.
PASSING = frozenset({"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"})


def called(run: Callable[[], Any], tell: Callable[[CodeType, CodeType | None], None]) -> Any:
    """Run something, and `tell(code, caller)` which Python functions call which, each pair once; return the result."""
    told: dict[tuple[int, int], tuple[CodeType, CodeType | None]] = {}  # they keep the identities of their codes

    def call(frame: FrameType, event: str, _: Any) -> None:
        code, by = frame.f_code, None if frame.f_back is None else frame.f_back.f_code
        if (id(code), id(by)) not in told:
            told[id(code), id(by)] = code, by
            tell(code, by)

    before = sys.gettrace()
    sys.settrace(call)
    try:
        return run()
    finally:
        sys.settrace(before)


def functions_of(codes: Collection[CodeType]) -> dict[CodeType, list[FunctionType]]:
    """The living functions that have each of these codes, which are of the checked code.

    What is defined inside of a function is made anew with each call; of all else, the functions are known once found,
    all together: to find one, everything that lives is looked at.
    """
    found = _living() if not all(map(_is_known, codes)) else {}
    _known.update({key: ones for key, ones in found.items() if "<locals>" not in ones[0].__code__.co_qualname})
    candidates = {code: found.get(id(code)) or _known.get(id(code), []) for code in codes}
    return {code: [one for one in functions if one.__code__ is code] for code, functions in candidates.items()}


def _is_known(code: CodeType) -> bool:
    return code.co_name in PASSING or any(one.__code__ is code for one in _known.get(id(code), ()))


def _living() -> dict[int, list[FunctionType]]:
    """All functions of the checked code, by the identity of their code."""
    everything, is_ours = gc.get_objects(), functools.cache(is_checked)
    found: dict[int, list[FunctionType]] = {}
    for one in itertools.compress(everything, map(partial(operator.is_, FunctionType), map(type, everything))):
        if is_ours(one.__code__.co_filename):
            found.setdefault(id(one.__code__), []).append(one)
    return found


@contextmanager
def in_place(changes: Iterable[tuple[FunctionType, CodeType]]) -> Iterator[None]:
    """Give functions other code, and put their own back whatever happens."""
    changed: list[tuple[FunctionType, CodeType]] = []
    try:
        for function, code in changes:
            changed.append((function, function.__code__))
            function.__code__ = code
        yield
    finally:
        for function, code in reversed(changed):
            function.__code__ = code


def as_statement(node: Definition) -> ast.FunctionDef:
    """A definition without what is not run again: decorators, annotations. A lambda becomes a function `lambda_`."""
    if isinstance(node, ast.FunctionDef):
        node.decorator_list = []
        node.returns = None
        return node
    (made,) = ast.parse("def lambda_(): return 0").body
    assert isinstance(made, ast.FunctionDef)
    made.args, made.body = node.args, [ast.copy_location(ast.Return(node.body), node.body)]
    return ast.copy_location(made, node)


def compiled(made: ast.FunctionDef, code: CodeType, shift: int = 0) -> CodeType | None:
    """Compile a definition inside of what its free variables and its class need; the code of the function alone.

    `shift` is added to its line numbers. None where it cannot take the place of `code`.
    """
    ast.increment_lineno(ast.fix_missing_locations(made), shift)
    free = [name for name in code.co_freevars if name != "__class__"]
    owner, module = _class_of(code), ast.parse(f"def outer({', '.join(free)}): pass")
    (outer,) = module.body
    assert isinstance(outer, ast.FunctionDef)
    # A function that calls itself finds itself where it did before.
    itself = [] if owner or code.co_name in (*free, "<lambda>") else ast.parse(f"global {code.co_name}").body
    # What is captured stays captured, though a changed body may not need it: this line is compiled and never run.
    made.body[:0] = ast.parse(f"if 0: {', '.join(code.co_freevars)}").body if code.co_freevars else []
    inner: ast.FunctionDef | ast.ClassDef = outer
    if owner:
        inner = ast.parse(f"class {owner}: pass").body[0]  # type: ignore[assignment]
        outer.body = [inner]
    inner.body = [*itself, made]
    for around in (inner, outer):
        ast.copy_location(around, made)
    ast.fix_missing_locations(module)
    try:
        everything = compile(module, code.co_filename, "exec", flags=code.co_flags & _FUTURE, dont_inherit=True)
    except (SyntaxError, ValueError, TypeError):
        return None
    wanted = "lambda_" if code.co_name == "<lambda>" else code.co_name
    for one in inside(everything):
        if one.co_name == wanted and one.co_firstlineno >= 1 and _alike(one, code):
            return one.replace(co_name=code.co_name, co_qualname=code.co_qualname)
    return None


def inside(code: CodeType) -> Iterator[CodeType]:
    """The codes of everything that is defined inside of a code."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from inside(constant)


def _alike(made: CodeType, code: CodeType) -> bool:
    """Whether one can take the place of the other: the same arguments and free variables."""
    return (
        made.co_freevars == code.co_freevars
        and made.co_varnames[: _arguments(made)] == code.co_varnames[: _arguments(code)]
        and made.co_argcount == code.co_argcount
        and made.co_kwonlyargcount == code.co_kwonlyargcount
    )


def _arguments(code: CodeType) -> int:
    both = inspect.CO_VARARGS, inspect.CO_VARKEYWORDS
    return code.co_argcount + code.co_kwonlyargcount + sum(bool(code.co_flags & flag) for flag in both)


def _class_of(code: CodeType) -> str:
    """The name of the class in which a function was defined: private names and `super()` hang on it."""
    parts = code.co_qualname.split(".")
    return parts[-2] if len(parts) > 1 and parts[-2] != "<locals>" else ""


_FUTURE = sum(1 << bit for bit in range(17, 25))
