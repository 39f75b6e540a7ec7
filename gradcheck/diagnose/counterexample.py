"""The smallest values found at which a claim is still wrong, and a test that shows it."""

from __future__ import annotations

import contextlib
import inspect
import keyword
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from gradcheck.adapters import subject_of
from gradcheck.comparing.compare import RESOLVED
from gradcheck.comparing.judge import judge
from gradcheck.diagnose.shrink import fewer_samples, holds, shrink
from gradcheck.errors import CannotBuild, TimeLimit, UsageError
from gradcheck.evaluated import Evaluated, Ledger
from gradcheck.literal import literal
from gradcheck.problem import Method, Problem, Sizes, Subject, Values
from gradcheck.sampling import SHAPES, Point

# Entries are written out up to so many; a longer point is no example that anybody reads.
ENTRIES = 400


def counterexample(
    subject: Subject, method_name: str, wrt: str, point_values: Values, still_wrong: Callable[[Values], bool]
) -> tuple[str, str, Values, Problem | None]:
    """Return the smallest values found at which `method_name`'s claim about `wrt` is wrong, and a pytest test.

    Both are text. The test is "" where nothing can be imported that it could be about (a lambda, a local class,
    an object that is built by hand). And the values themselves, with the problem where it was built anew for them.
    """
    values = {name: np.array(value) for name, value in point_values.items()}
    built: Problem | None = None
    if sum(value.size for value in values.values()) > ENTRIES:
        return _text(values), "", values, None
    for fewer in fewer_samples(values):
        smaller = _problem_for(subject, fewer)
        wrong_there = _claim_is_wrong(smaller, method_name, wrt) if smaller is not None else None
        with contextlib.suppress(TimeLimit):
            if wrong_there is not None and holds(wrong_there, fewer):
                values, built, still_wrong = fewer, smaller, wrong_there
                break
    values = shrink(values, still_wrong, _fixed(subject, wrt))
    return _text(values), _test(subject, method_name, wrt, values), values, built


def _claim_is_wrong(problem: Problem, method_name: str, wrt: str) -> Callable[[Values], bool] | None:
    """How to ask for a claim; None where it is not made: of fewer samples a backward may leave other gradients."""
    method = next((one for one in problem.methods if one.name == method_name and wrt in one.wrt), None)
    return None if method is None else lambda values: bool(claim_error(problem, method, wrt, values))


def _problem_for(subject: Subject, values: Values) -> Problem | None:
    """Build the subject in the sizes (or as one of its cases) that fit the shapes of `values`; `None` if none do."""
    for problem in _problems(subject, values):
        if all(v.name in values and np.shape(v.example) == np.shape(values[v.name]) for v in problem.variables):
            return problem
    return None


def _problems(subject: Subject, values: Values) -> Iterator[Problem]:
    rows = next((np.shape(value) for value in values.values() if np.ndim(value) > 1), (1,))
    own = replace(Sizes(), batch=rows[0]), replace(Sizes(), batch=rows[0], inputs=rows[-1])
    for sizes in (Sizes(), *own, *(sizes for _, _, sizes in SHAPES)):
        with contextlib.suppress(CannotBuild):  # some layers refuse a batch of one
            yield subject.build(sizes, np.random.default_rng(0))
    yield from subject.cases()


def _fixed(subject: Subject, wrt: str) -> dict[str, str]:
    """Say which arrays may become what: "data" keeps its entries, "signed" never becomes 0.

    Labels and probabilities mean something, so they only get fewer. The variable itself stays away from 0, unless it
    was there: 0 is where kinks are, and a mistake must not turn into another one on its way.
    """
    variables = subject.build(Sizes(), np.random.default_rng(0)).variables
    data = {v.name: "data" for v in variables if v.constant or v.data != "real" or v.domain is not None or v.tied}
    return {wrt: "signed", **data}


def _text(values: Values) -> str:
    if sum(np.size(value) for value in values.values()) > ENTRIES:
        shapes = ", ".join(f"{name} of shape {np.shape(value)}" for name, value in values.items())
        return f"too large to be written out: {shapes}"
    return "\n".join(f"{name} = {literal(value)}" for name, value in values.items())


def _test(subject: Subject, method_name: str, wrt: str, values: Values) -> str:
    """Write a pytest test of this one claim at these values."""
    found = _importable(subject.name)
    if found is None or sum(np.size(value) for value in values.values()) > ENTRIES:
        return ""
    module, name, thing = found
    title = re.sub(r"\W+", "_", f"{name.split('.')[-1]}_{method_name}_by_{wrt}").lower().strip("_")
    # What was handed over is called as it was, also where it is a class of a framework.
    if not inspect.isclass(thing) or subject.build(Sizes(), np.random.default_rng(0)).written is not None:
        return _test_of_function(subject, method_name, values, title, (module, name, thing))
    dtype = next((one for one in DTYPES if _wrong(thing, method_name, wrt, values, one)), "")
    if not dtype:
        return ""
    return TEST.format(
        imports="from gradcheck import assert_claim\n" + _import(module, name),
        title=title,
        call="assert_claim",
        about=_lines([name, repr(method_name), repr(wrt), *([f"dtype={dtype!r}"] if dtype != "float64" else [])]),
        given=_lines([f"{key}={literal(value)}" for key, value in values.items()])
        if all(key.isidentifier() and not keyword.iskeyword(key) for key in values)
        else _lines(["**{" + ", ".join(f"{key!r}: {literal(value)}" for key, value in values.items()) + "}"]),
    )


def _test_of_function(
    subject: Subject, method_name: str, values: Values, title: str, function: tuple[str, str, Any]
) -> str:
    """Write a test that calls `gradcheck.assert_correct` with the function and its derivative, both by their names."""
    problem = subject.build(Sizes(), np.random.default_rng(0))
    method = next(one for one in problem.methods if one.name == method_name)
    arguments = problem.written(values) if problem.written is not None else None
    # A partial or a callable object has no name of its own.
    name = getattr(method.source, "__qualname__", "")
    derivative = _importable(f"{getattr(method.source, '__module__', '')}.{name}") if name else None
    if derivative is None or derivative[2] is not method.source or arguments is None:
        return ""
    claim = method_name.partition(".")[0]  # jac of jac.matvec
    beside = method.source is function[2]
    imports = "".join(sorted({_import(module, name) for module, name, _ in (function, derivative)}))
    return TEST.format(
        imports="from gradcheck import assert_correct\n" + imports,
        title=title,
        call="assert_correct",
        about=_lines([function[1], *arguments]),
        given=_lines([f"{claim}={True if beside else derivative[1]}"]),
    )


DTYPES = ("float64", "float32", "float16")
TEST = """import numpy as np

{imports}

def test_{title}():
    {call}(
{about}{given}    )
"""


def _import(module: str, name: str) -> str:
    first = name.split(".")[0]
    if all(part.isidentifier() and not keyword.iskeyword(part) for part in module.split(".")):
        return f"from {module} import {first}\n"
    return f"import importlib\n\n{first} = importlib.import_module({module!r}).{first}\n"  # 1_layers.py, a-b.py


def _lines(arguments: list[str]) -> str:
    # Quoted as formatters do it, unless there are such quotes inside: params["W"].
    quoted = [one if '"' in one else one.replace("'", '"') for one in arguments]
    return "".join(f"        {argument},\n" for argument in quoted)


def _importable(title: str) -> tuple[str, str, Any] | None:
    """Split `package.module.Class` into what an import statement needs; `None` where there is no such thing."""
    parts = title.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        thing: Any = sys.modules.get(".".join(parts[:cut]))
        if thing is None:
            continue
        if "." in Path(getattr(thing, "__file__", None) or "").stem.partition(".cpython")[0]:
            return None  # layers.v2.py: no import leads to it
        for part in parts[cut:]:
            thing = getattr(thing, part, None)
        return None if thing is None else (".".join(parts[:cut]), ".".join(parts[cut:]), thing)
    return None


def _wrong(thing: Any, method_name: str, wrt: str, values: Values, dtype: str) -> bool:
    try:
        assert_claim(thing, method_name, wrt, dtype=dtype, **values)
    except AssertionError:
        return True
    except Exception:  # built anew from its class the subject may be another one, and refuse these values
        return False
    return False


@np.errstate(all="ignore")
def assert_claim(thing: Any, method: str, wrt: str, dtype: str = "float64", **values: Any) -> None:
    """Check one derivative method of a class (or instance) by one variable, at given values only.

    Raises AssertionError where it is wrong, naming the entry that is furthest from the measured derivative, where it
    says nothing, and where nobody can tell; UsageError where there is nothing to ask, or no derivative.
    """
    if dtype not in RESOLVED:
        raise UsageError(f"expected dtype to be among {', '.join(RESOLVED)}, but got {dtype!r}")
    arrays = {name: np.asarray(value) for name, value in values.items()}
    problem = _problem_for(subject_of(thing), arrays)
    if problem is None:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise UsageError(f"{thing!r} cannot be built in the sizes that these values have: {shapes or 'none are given'}")
    asked = next((one for one in problem.methods if one.name == method and wrt in one.wrt), None)
    if asked is None:
        raise UsageError(f"{thing!r} has no method {method!r} with a gradient by {wrt!r}")
    here = _at(problem, arrays)
    if here.random:
        raise UsageError("forward is random (two calls on the same values differ): pin its seed")
    refusal = here.in_dtype(dtype).refusal if np.isfinite(here.flat).all() else "forward is not finite here"
    if refusal:
        raise UsageError(f"there is no derivative to compare with: {refusal}")
    if complaint := _complaint(here, asked, wrt, dtype, strict=True):
        raise AssertionError(complaint)


def claim_error(problem: Problem, method: Method, wrt: str, values: Values, dtype: str = "float64") -> str:
    """Return what is wrong with one claim at one point, "" where nothing is."""
    return _complaint(_at(problem, values), method, wrt, dtype)


def _at(problem: Problem, values: Values) -> Evaluated:
    exact = {name: value.astype(float) if value.dtype.kind == "f" else value for name, value in values.items()}
    return Evaluated(Point("given values", problem, exact), Ledger())


def _complaint(here: Evaluated, method: Method, wrt: str, dtype: str, strict: bool = False) -> str:
    """What is wrong with a claim; with `strict`, also that it says nothing, or that nobody can tell."""
    known = here.in_dtype(dtype)
    answer, asked = here.ask_entries(method, wrt, known)
    if answer.rows is None:
        wrong = strict or answer.status in ("raised", "unreadable")
        return f"{method.name} by {wrt}: {answer.message or 'it says nothing'}" if wrong else ""
    found = judge(here, method, wrt, answer.rows, asked, known)
    if strict and found.at.verdict in ("unresolved", "skipped"):
        return f"{method.name} by {wrt} cannot be told here: {found.at.message}"
    if found.at.verdict != "wrong" or found.worst is None:
        return ""
    worst = found.worst
    return (
        f"{method.name}: the derivative of output {list(worst.output)} by {wrt}{list(worst.index)} is claimed to be "
        f"{worst.claim:.10g}, and was measured as {worst.estimate:.10g} ± {worst.bound:.2g}"
    )
