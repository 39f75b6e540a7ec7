"""Which lines ran and which outcomes were seen, over all points of a subject; and where a wrong claim is wrong."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import numpy as np

from gradcheck import results
from gradcheck.adapters.generations import FORWARDS
from gradcheck.branches.decisions import Outcome, Seen, Site
from gradcheck.branches.recorder import Recorder
from gradcheck.errors import shown
from gradcheck.problem import Problem, Values

# Branches that one claim is wrong on, in words.
MOST = 3

Made = TypeVar("Made")
Taken = frozenset[tuple[Site, Outcome]]
Shapes = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Visit:
    """What a point has shown: the shapes of the inputs, and what was decided (None: forward fails there)."""

    shapes: Shapes
    seen: Seen | None = None

    @property
    def taken(self) -> Taken:
        """The outcomes of decisions."""
        return self.seen.outcomes if self.seen is not None else frozenset()


class Coverage:
    """What the code of `things` (a class, an instance, a function and its derivative) has decided so far."""

    def __init__(self, things: Sequence[Any]) -> None:
        self.recorder = Recorder({file for thing in things for file in files_of(thing)})
        self.seen = Seen()
        self.visited: dict[int, Problem] = {}

    def visit(self, problem: Problem, values: Values, alike: bool = False) -> Visit:
        """Run forward and every claim once at a point, and return what was decided.

        `alike`: the problem is another that was visited with other shapes or values, of which all functions are known.
        """
        found = self.at(problem, values, alike)
        shapes = tuple(np.shape(values[v.name]) for v in problem.variables if v.role == "input")
        if found is not None:
            self.seen.add(found)
            self.visited[id(problem)] = problem
        return Visit(shapes, found)

    def during(self, run: Callable[[], Made]) -> Made:
        """Run something that calls the checked code in its own ways, and note what is decided in functions known.

        Where no outcome is missing, nothing has to be noted.
        """
        if not any(decision.missing for site, decision in self.seen.decisions.items() if self.counts(site)):
            return run()
        found, result = self.recorder.during(run)
        self.seen.add(found)
        return cast(Made, result)

    def counts(self, site: Site) -> bool:
        """Whether a decision is a branch of the checked code; ties are points of their own."""
        return site.kind != "winner" and site.file in self.recorder.home

    def at(self, problem: Problem, values: Values, alike: bool = False) -> Seen | None:
        """What forward and the claims decide at a point; None where forward fails or is not finite."""
        known = alike or id(problem) in self.visited
        try:
            if not known:
                self.recorder.look_into(lambda: _everything(problem, values))
            found, finite = self.recorder.watch(lambda: _everything(problem, values), known)
        except Exception:  # the checked code refuses these values
            return None
        return found if finite else None


def _everything(problem: Problem, values: Values) -> bool:
    """Run forward and, where it is finite, ask every claim; one that refuses says so where it is judged."""
    outputs = problem.forward(_copies(values))
    if not all(np.isfinite(np.asarray(one, dtype=float)).all() for one in outputs):
        return False
    for method in problem.methods:
        with contextlib.suppress(Exception):
            _ask(method, values, outputs)
    return True


def files_of(thing: Any) -> Iterator[str]:
    """Where a function is written; of an object or class, its class and whatever class its forward comes from."""
    if inspect.isroutine(thing):
        code = getattr(inspect.unwrap(thing), "__code__", None)
        if code is not None:
            yield code.co_filename
        return
    cls = thing if inspect.isclass(thing) else type(thing)
    for method in (*vars(cls).values(), *(getattr(cls, name, None) for name in FORWARDS)):
        code = getattr(inspect.unwrap(method) if inspect.isfunction(method) else method, "__code__", None)
        if code is not None:
            yield code.co_filename


def _ask(method: Any, values: Values, outputs: Sequence[Any]) -> None:
    derivative = method.at(_copies(values))
    if method.kind == "vjp":
        derivative([np.ones_like(np.asarray(one, dtype=float)) for one in outputs])
    elif method.kind == "jvp":
        derivative([np.ones_like(np.asarray(values[name], dtype=float)) for name in method.wrt])
    else:
        derivative([])


def _copies(values: Values) -> dict[str, Any]:
    return {name: np.array(value) for name, value in values.items()}


def where(wrong: Sequence[Taken], right: Sequence[Taken]) -> str:
    """Say which branches wrong points take and no right one: one that all take, or as few as there are; "" if none."""
    known = frozenset[tuple[Site, Outcome]]().union(*right)
    only = [taken - known for taken in wrong]
    if not right or not only or not all(only):
        return ""
    common = frozenset.intersection(*only)
    if common:
        return describe(min(common, key=_plainness))
    found: list[tuple[Site, Outcome]] = []
    for taken in only:
        if not taken & set(found):
            found.append(min(taken, key=_plainness))
    return " and ".join(describe(one) for one in found[:MOST])


def _plainness(outcome: tuple[Site, Outcome]) -> tuple[bool, Site]:
    """Ties last: any other branch says more."""
    site, word = outcome
    return site.kind == "winner" or word == "equal", site


def describe(outcome: tuple[Site, Outcome]) -> str:
    """Say which outcome at which place: "where `x > 700` is true (layers.py, line 88)"."""
    site, word = outcome
    return f"where {said(site, word)} ({shown(site.file)}, line {site.line})"


def said(site: Site, word: Outcome) -> str:
    """Say an outcome in the words of its own source.

    >>> said(Site("f.py", 3, 0, "x > 700", "comparison"), "above")
    '`x > 700`'
    >>> said(Site("f.py", 3, 0, "np.maximum(x, 0)", "selection"), "below")
    '`np.maximum(x, 0)` takes the second'
    """
    text = f"`{site.text}`"
    if site.kind == "test":
        return text if word == "true" else f"not {text}"
    if site.kind == "equality":
        return text if (word == "equal") == ("==" in site.text) else f"not {text}"
    if site.kind == "comparison":
        holds = {"above": ">" in site.text, "below": "<" in site.text}
        return f"the sides of {text} are equal" if word == "equal" else text if holds[word] else f"not {text}"
    if site.kind == "winner":
        return f"two entries tie in {text}" if word == "equal" else f"one entry wins in {text}"
    if site.kind == "clip":
        return f"{text} meets values {'between its bounds' if word == 'inside' else f'{word} a bound'}"
    return f"{text} {_selected(site.text, word)}"


def _selected(text: str, word: Outcome) -> str:
    if word == "equal":
        return "meets equal values"
    if "abs" in text or "sign" in text:
        return f"meets {'negative' if word == 'below' else 'positive'} values"
    largest = "max" in text
    return "takes the first" if (word == "above") == largest else "takes the second"


def result(coverage: Coverage, variants: tuple[results.Variant, ...] = ()) -> results.Coverage:
    """What was decided and what ran, as it goes into a result."""
    branches = [
        results.Branch(
            file=shown(site.file),
            line=site.line,
            column=site.column,
            text=site.text,
            taken=tuple(said(site, one) for one in decision.taken),
            missing=tuple(said(site, one) for one in decision.missing),
        )
        for site, decision in sorted(coverage.seen.decisions.items())
        if coverage.counts(site)
    ]
    return results.Coverage(tuple(branches), tuple(_sources(coverage)), variants)


def _sources(coverage: Coverage) -> Iterator[results.Source]:
    """The functions that ran, by file and line."""
    ran = coverage.seen.lines
    statements = set(coverage.recorder.places.lines)
    for code in sorted(coverage.recorder.twins, key=lambda one: (one.co_filename, one.co_firstlineno)):
        if coverage.recorder.twins[code] is None or code.co_filename not in coverage.recorder.home:
            continue
        if "<locals>" in code.co_qualname:
            continue  # it stands in the source of the function around it
        lines, first = inspect.getsourcelines(code)
        file = code.co_filename
        numbers = range(first, first + len(lines))
        counts = tuple(ran[file, n] if (file, n) in statements else -1 for n in numbers)
        text = tuple(line.rstrip("\n") for line in lines)
        yield results.Source(code.co_qualname, shown(file), first, text, counts)
