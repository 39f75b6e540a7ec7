"""A function and its derivative: how the one's arguments come from the other's."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gradcheck.adapters.calls import words
from gradcheck.adapters.calls.program import Constant, Derivative, Leaf, Output, Program, Source, Step, Upstream
from gradcheck.adapters.calls.source import Element, Facts, Returned, facts
from gradcheck.compiled import is_function, uncompiled
from gradcheck.syntax import nodes

Function = Callable[..., Any]

SWITCHES = words.vocabulary("deriv derivative derive prime grad gradient return_grad derivation der is_derivative diff")
FORWARD_MODE = frozenset({"jvp", "pushforward"})
GIVEN_BACK = 2


def required(function: Function) -> list[inspect.Parameter]:
    """The arguments that a call has to give; [] where nobody knows."""
    return [p for p in parameters(function) if p.default is p.empty and p.kind is not p.VAR_POSITIONAL]


def parameters(function: Function) -> list[inspect.Parameter]:
    """All named arguments."""
    try:
        every = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    return [p for p in every if p.kind is not p.VAR_KEYWORD]


def takes_any_number(function: Function) -> bool:
    """Whether it takes `*args`."""
    return any(p.kind is p.VAR_POSITIONAL for p in parameters(function))


def own_step(name: str, function: Function, also: Sequence[str] = ()) -> Step:
    """The call of a function with leaves of its own: what it requires, penalties, and what others need as well."""
    taken = [
        p.name
        for p in parameters(function)
        if p.default is p.empty or p.name in also or p.name.lower().strip("_") in _asked_for()
    ]
    return Step(function, name, tuple((one, Leaf(one)) for one in taken))


def _asked_for() -> frozenset[str]:
    """Arguments that are given although they have a default, at which a mistake would not show."""
    from gradcheck.adapters.calls.guesses import PENALTIES, WINDOWS

    return PENALTIES | WINDOWS


def pair(name: str, f: Function, other: str, derivative: Function) -> Program | None:
    """Return the program of `f` with its derivative, `None` where the one's arguments do not come from the other's."""
    if takes_any_number(f) or takes_any_number(derivative) or not required(f) or not required(derivative):
        return None
    if FORWARD_MODE & set(words.words_of(other)):
        return along_tangents(name, f, other, derivative)
    said = facts(f).last()
    roles = _roles(f, derivative, said)
    shared = [p.name for p in parameters(derivative) if p.name in {q.name for q in parameters(f)}]
    step = own_step(name, f, shared)
    if all(kind in ("shared", "other") for kind, _ in roles.values()):
        return _at_the_same_place(name, f, step, other, derivative, roles)
    upstream = [one for one, (kind, _) in roles.items() if kind == "upstream"]
    sources = _sources(f, derivative, roles, said, upstream)
    if sources is None:
        return None
    outputs = _outputs(said, upstream)
    if outputs is None:
        return None
    takes = tuple((p.name, sources[p.name]) for p in parameters(derivative) if p.name in sources)
    form = "product" if upstream else "gradient"
    if form == "gradient" and not _is_a_loss(name, said, roles):
        return None
    claims = Derivative(other, form, Step(derivative, other, takes), names_of(derivative))  # type: ignore[arg-type]
    return Program((step,), outputs, (claims,))


def along_tangents(name: str, f: Function, other: str, derivative: Function) -> Program | None:
    """`cube_jvp(x, dx)`: the arguments, and after them a tangent of each, or of the first ones."""
    ours, theirs = [p.name for p in required(f)], [p.name for p in required(derivative)]
    shares = set(ours) <= set(theirs)
    places = {one: one for one in ours} if shares else dict(zip(theirs, ours, strict=False))
    tangents = [one for one in theirs if one not in places]
    if not 1 <= len(tangents) <= len(ours) or theirs[0] == "primals":
        return None
    owners = [words.owner(one, ours) for one in tangents]
    named = None not in owners and len(set(owners)) == len(owners)
    along = tuple(one for one in owners if one) if named else tuple(ours[: len(tangents)])
    takes = [(one, Leaf(places[one])) if one in places else (one, Upstream(tangents.index(one))) for one in theirs]
    outputs = _outputs(facts(f).last(), [])
    if outputs is None:
        return None
    claims = Derivative(other, "tangent", Step(derivative, other, tuple(takes)), tangents=along)
    return Program((own_step(name, f),), outputs, (claims,))


def _is_a_loss(name: str, said: Returned | None, roles: Mapping[str, tuple[str, int]]) -> bool:
    """Whether a function returns a loss and a cache, and its derivative takes nothing that neither of them knows."""
    if said is None or said.kind not in ("several", "unknown") or any(kind == "other" for kind, _ in roles.values()):
        return False
    return bool(LOSS & set(words.words_of(name))) or (said.kind == "several" and _is_loss(said.elements[0]))


def _roles(f: Function, derivative: Function, said: Returned | None) -> dict[str, tuple[str, int]]:
    """What each argument of a derivative is: shared with `f`, an output of it, its cache, an upstream gradient."""
    own = {p.name for p in parameters(f)}
    outputs = said.names if said is not None and said.kind == "several" else ()
    roles: dict[str, tuple[str, int]] = {}
    for p in parameters(derivative):
        if p.default is not p.empty and p.name not in own:
            continue
        if p.name in own:
            roles[p.name] = ("shared", 0)
        elif p.name in outputs:
            roles[p.name] = ("output", outputs.index(p.name))
        elif any(words.matches_output(p.name, one) for one in outputs):
            at = next(n for n, one in enumerate(outputs) if words.matches_output(p.name, one))
            roles[p.name] = ("upstream", at)
        elif words.CACHE.fullmatch(p.name) and (said is None or said.kind in ("several", "unknown")):
            roles[p.name] = ("output", -1)
        elif words.UPSTREAM.fullmatch(p.name):
            roles[p.name] = ("upstream", -1)
        else:
            roles[p.name] = ("other", 0)
    cached = any(kind == "output" and at == -1 for kind, at in roles.values())
    if cached or any(kind == "upstream" for kind, _ in roles.values()):  # beside these, `dcurrent_h` can be no other
        named = {name for name, (kind, _) in roles.items() if kind == "other" and re.match(r"d[A-Za-z_]|grad", name)}
        roles |= dict.fromkeys(named, ("upstream", -1))
    return _without_a_lonely_upstream(f, derivative, roles)


def _without_a_lonely_upstream(
    f: Function, derivative: Function, roles: dict[str, tuple[str, int]]
) -> dict[str, tuple[str, int]]:
    """`df(v)` beside `f(x)`: a letter that may be an upstream gradient is none where it is all that is taken."""
    plain = [name for name, (kind, at) in roles.items() if kind == "upstream" and at == -1]
    if len(roles) == len(required(f)) == len(plain) == 1 and len(plain[0]) == 1:
        return {plain[0]: ("other", 0)}
    return roles


def has_cache(program: Program) -> bool:
    """Whether a derivative takes more than the outputs that are differentiated from what the function returns."""
    sources = [source for one in program.derivatives if one.step is not None for _, source in one.step.takes]
    return any(isinstance(one, Output) and one.index not in (None, 0) for one in sources)


def _at_the_same_place(
    name: str, f: Function, step: Step, other: str, derivative: Function, roles: dict[str, tuple[str, int]]
) -> Program | None:
    """A derivative that takes what `f` takes: the same names, or as many arguments."""
    ours, theirs = [p.name for p in required(f)], [p.name for p in required(derivative)]
    if all(kind == "shared" for kind, _ in roles.values()):
        takes = tuple((p, Leaf(p)) for p in roles)
    elif len(ours) == len(theirs):
        takes = tuple((theirs_, Leaf(ours_)) for ours_, theirs_ in zip(ours, theirs, strict=True))
    else:
        return None
    if not takes:
        return None
    partial = words.PARTIAL.fullmatch(other.strip("_"))
    names = (f"d{partial['x']}",) if partial and partial["x"] in ours else names_of(derivative)
    claims = Derivative(other, "place", Step(derivative, other, takes), names)
    said = facts(f).last()
    first_only = said is not None and said.kind == "several" and any(words.CACHE.fullmatch(n) for n in said.names[1:])
    return Program((step,), (Output(0, 0 if first_only else None),), (claims,))


def _sources(
    f: Function,
    derivative: Function,
    roles: dict[str, tuple[str, int]],
    said: Returned | None,
    upstream: Sequence[str],
) -> dict[str, Source] | None:
    """Where each argument of a derivative with upstream gradient or cache comes from."""
    sources: dict[str, Source] = {}
    own = [p.name for p in required(f)]
    others = [name for name, (kind, _) in roles.items() if kind == "other"]
    several = said is not None and said.kind in ("several", "unknown")
    for name, (kind, at) in roles.items():
        if kind == "shared":
            sources[name] = Leaf(name)
        elif kind == "output":
            sources[name] = Output(0, at) if several else Output(0)
        elif kind == "upstream":
            sources[name] = Upstream(list(upstream).index(name))
    free = [name for name in own if name not in roles]
    if len(others) == 1 and upstream and _is_output_by_name(others[0], free, f, derivative):
        sources[others[0]] = Output(0, 0) if several else Output(0)
    elif others and len(others) <= len(free):
        sources |= {name: Leaf(mine) for name, mine in zip(others, free, strict=False)}
    elif others and len(others) == 1 and words.OUTPUT.fullmatch(others[0]):
        sources[others[0]] = Output(0, 0) if several else Output(0)
    elif others:
        return None
    return sources


def _is_output_by_name(name: str, free: Sequence[str], f: Function, derivative: Function) -> bool:
    """`softmax_backward(dout, y)` beside `softmax(x)`: y is what came out, unless backward computes it once more."""
    computes = {getattr(f, "__name__", ""), "exp", "tanh", "sigmoid", "softmax", "expit"} & facts(derivative).calls
    return words.OUTPUT.fullmatch(name) is not None and not computes and not any(map(words.OUTPUT.fullmatch, free))


def _outputs(said: Returned | None, upstream: Sequence[str]) -> tuple[Output, ...] | None:
    """What is differentiated: the outputs for which there is an upstream gradient, by name and else in order."""
    if said is None or said.kind in ("one", "dict"):
        return (Output(0),) if len(upstream) <= 1 else None
    if said.kind == "unknown":
        return tuple(Output(0, n) for n in range(max(len(upstream), 1)))
    found = []
    spoken_of = [one for one in said.names if one and not words.CACHE.fullmatch(one)]
    if upstream and any(LOSS & set(words.words_of(one)) for one in spoken_of[len(upstream) :]):
        return None  # a loss beside the output, whose gradient is added without being asked for
    for number, name in enumerate(upstream):
        named = [n for n, one in enumerate(said.names) if one and words.matches_output(name, one)]
        found.append(Output(0, named[0] if named else number))
    if len({one.index for one in found}) != len(found) or any((one.index or 0) >= len(said.elements) for one in found):
        return None
    return tuple(found) or (Output(0, 0),)


def names_of(derivative: Function) -> tuple[str, ...]:
    """What a derivative calls the gradients that it returns."""
    said = facts(derivative).last()
    return said.names if said is not None and said.kind != "unknown" else ()


def switch(name: str, f: Function) -> Program | None:
    """`nonlin(x, deriv=False)`: the derivative at the same place is behind a switch."""
    found = next((p for p in parameters(f) if p.name.lower() in SWITCHES), None)
    if found is None or takes_any_number(f) or found.default not in (found.empty, False, 0, None):
        return None
    if found.default is found.empty and not _is_asked_for_its_truth(found.name, f):
        return None  # it is handed a gradient
    others = [p.name for p in required(f) if p.name != found.name]
    if not others:
        return None
    leaves = tuple((one, Leaf(one)) for one in others)
    off, on = (Step(f, name, (*leaves, (found.name, Constant(value)))) for value in (False, True))
    claims = Derivative(f"{name}({found.name}=True)", "place", on, (), switched=True)
    return Program((off,), (Output(0),), (claims,))


def _is_asked_for_its_truth(name: str, f: Function) -> bool:
    """Whether `if name:`, `if name == True:` or the like stands in a function."""
    tests = [node.test for node in nodes(f) if isinstance(node, (ast.If, ast.IfExp))]
    plain = [test.operand if isinstance(test, ast.UnaryOp) else test for test in tests]
    sides = [
        test.left for test in plain if isinstance(test, ast.Compare) and isinstance(test.comparators[0], ast.Constant)
    ]
    return any(isinstance(one, ast.Name) and one.id == name for one in (*plain, *sides))


NOT_A_GRADIENT = (
    "hat",
    "acc",
    "cache",
    "correct",
    "hid",
    "hist",
    "logit",
    "out",
    "pred",
    "prob",
    "score",
    "state",
    "param",
    "cost",
)
LOSS = words.vocabulary("loss cost objective energy nll likelihood loglik logloss error mse sse j fun func f")
TRAINS = words.vocabulary(
    "train fit optimize optimise optimizer descent ascent sgd adam update model run main test minimize solve"
    " step demo plot load read split evaluate accuracy predict check numerical numeric approx initialize init"
    " generate make get_data"
)


# What a function is called that returns its value and its gradient.
BOTH = words.vocabulary("and value val")
# What a backward function takes, and a loss does not.
GIVEN = re.compile(
    r"\w*caches?|ctx|d_?(out|loss|[A-Z])\w*|d[yzha](\d|_\w+|out|next|prev)?|grad_?(out|in|y)\w*|upstream\w*"
)


def value_and_gradient(name: str, f: Function, is_derivative: bool) -> Program | None:
    """`cost(theta, X, y) → (J, grad)`: what comes beside the value is its gradient.

    One that is named after a derivative has to call its value a loss: it may be the gradients of something else.
    """
    said = facts(f).last()
    names = frozenset(words.words_of(name))
    if said is None or said.kind != "several" or len(said.elements) < GIVEN_BACK or not required(f):
        return None
    if name.rpartition(".")[2].startswith("_"):
        return None  # a helper: what it calls `g` is no answer of its own
    if takes_any_number(f) or names & TRAINS or any(GIVEN.fullmatch(p.name) for p in required(f)):
        return None
    value, claimed = _value_and_claimed(name, f, facts(f), said)
    if value is None or not claimed or (is_derivative and not BOTH & names and not _is_loss(said.elements[value])):
        return None
    step = own_step(name, f)
    gradients = tuple(Output(0, n) for n in claimed)
    called = tuple(said.names[n] for n in claimed)
    claims = Derivative(name, "gradient", None, called, gradients)
    return Program((step,), (Output(0, value),), (claims,), globals_of(f, called))


def globals_of(f: Function, gradients: Sequence[str]) -> tuple[str, ...]:
    """The arrays of its module that a function reads, and of which it returns gradients by their names."""
    space = getattr(f, "__globals__", {})
    arrays = [name for name in read(f) if isinstance(space.get(name), np.ndarray) and space[name].dtype.kind == "f"]
    own = [p.name for p in parameters(f)]
    owned = [words.owner(one, arrays) for one in gradients if one and words.owner(one, own) is None]
    return tuple(name for name in dict.fromkeys(owned) if name is not None)


def read(f: Function, depth: int = 2) -> list[str]:
    """The globals that a function and those that it calls read."""
    found = list(facts(f).reads)
    space = getattr(uncompiled(f), "__globals__", {})
    for name in list(found):
        if depth and is_function(space.get(name)) and space[name] is not f:
            found += read(space[name], depth - 1)
    return list(dict.fromkeys(found))


def _is_written_as_one(f: Function, said: Returned) -> bool:
    """Whether a function of weights and data returns a number, and beside it what is like `X.T @ (X @ w - y)`."""
    names = [p.name for p in required(f)]
    told = bool(names) and words.WEIGHTS.fullmatch(names[0]) is not None and len(names) > 1
    value, *others = said.elements
    of_weights = bool(value.mentions - {*names[1:]})
    return told and of_weights and value.is_number and len(others) == 1 and others[0].is_product


def _value_and_claimed(name: str, f: Function, known: Facts, said: Returned) -> tuple[int | None, list[int]]:
    """Which of the returned elements is the value, and which are its gradients."""
    elements = list(said.elements)
    claimed = [n for n, one in enumerate(elements) if words.is_gradient_name(one.name) or (one.is_dict and n == 0)]
    rest = [n for n in range(len(elements)) if n not in claimed]
    if not rest:
        return None, []
    value = next((n for n in rest if _is_loss(elements[n])), rest[0])
    if _is_list_of_values(elements[value]):
        return None, []
    if claimed:
        inside = elements[0].is_dict and 0 in claimed and not words.is_gradient_name(elements[0].name)
        return (None, []) if inside and len(elements) != GIVEN_BACK else (value, claimed)
    words_ = frozenset(words.words_of(name))
    speaks = "gradient" in known.doc.lower() or "derivative" in known.doc.lower()
    others = elements[1:]
    both = bool(words_ & BOTH and words_ & words.DERIVATIVE)  # `f_and_grad`, `value_grad`
    beside_a_loss = _is_loss(elements[0]) and all(map(_is_of_gradients, others))
    is_told = words_ & LOSS or speaks or both or beside_a_loss or _is_written_as_one(f, said)
    if not is_told or value != 0:
        return None, []
    if any(one.is_tuple or _is_no_gradient(one) for one in others):
        return None, []
    return 0, list(range(1, len(elements)))


def _is_loss(one: Element) -> bool:
    return bool(LOSS & set(words.words_of(one.name)))


def _is_of_gradients(one: Element) -> bool:
    """`dx.reshape(x.shape)`, `d / n`."""
    return any(name == "d" or words.is_gradient_name(name) for name in one.mentions)


def _is_list_of_values(one: Element) -> bool:
    return one.name in ("costs", "losses", "history", "errors")


def _is_no_gradient(one: Element) -> bool:
    known = one.name.lower() or " ".join(one.mentions).lower()
    return any(word in known for word in NOT_A_GRADIENT) if one.name else False
