"""Forward, cost and backward of a whole network, joined by the names of what they return and take.

`A2, cache = forward_propagation(X, parameters)`, `cost = compute_cost(A2, Y)`, and beside them
`grads = backward_propagation(parameters, cache, X, Y)`: the gradients are those of the cost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gradcheck.adapters.calls import words
from gradcheck.adapters.calls.pairs import LOSS, TRAINS, names_of, own_step, parameters, required, takes_any_number
from gradcheck.adapters.calls.program import Derivative, Leaf, Output, Program, Source, Step
from gradcheck.adapters.calls.source import Returned, facts

Function = Callable[..., Any]
Functions = Mapping[str, Function]


def chain(other: str, derivative: Function, names: Functions, derivatives: Functions) -> Program | None:
    """Return forward, cost and `derivative` as one program; `None` where no forward gives what it takes."""
    needed = [p.name for p in required(derivative)]
    if not needed or takes_any_number(derivative):
        return None
    functions = {name: one for name, one in names.items() if name not in derivatives and _may_belong(name, one)}
    forwards = [(score, name) for name in functions if (score := _gives(functions[name], name, needed, other)) > 0]
    if not forwards:
        return None
    _, name = max(forwards, key=lambda one: one[0])
    forward = own_step(name, functions[name])
    given = _given(functions[name], needed, 0)
    costs = {n: one for n, one in functions.items() if n != name and LOSS & set(words.words_of(n))}
    cost = _cost(costs, functions[name], needed, other)
    steps = (forward,) if cost is None else (forward, cost)
    if cost is not None:
        given = {**_given(cost.function, needed, 1), **given}
    takes = tuple((p.name, given.get(p.name, Leaf(p.name))) for p in parameters(derivative) if p.name in needed)
    claims = Derivative(other, "gradient", Step(derivative, other, takes), names_of(derivative))
    if cost is not None:
        said = facts(cost.function).last()
        at = 0 if said is not None and said.kind == "several" else None
        return Program(steps, (Output(1, at),), (claims,))
    starts = _starts_from(derivative, given)
    if starts is None:
        return None
    prediction, labels = starts
    return Program(steps, (prediction,), (claims,), unwritten=labels)


def _may_belong(name: str, function: Function) -> bool:
    said = set(words.words_of(name))
    trains = bool(TRAINS & said) and not words.FORWARD & said
    return bool(required(function)) and not takes_any_number(function) and not trains


def _gives(function: Function, name: str, needed: Sequence[str], other: str) -> float:
    """How well what a function returns fits what a derivative takes; 0 where it does not."""
    found = _given(function, needed, 0)
    if not found:
        return 0.0
    own = set(words.words_of(name)) - words.FORWARD - words.FILLING
    return len(found) + 0.5 - 0.3 * len(own - set(words.words_of(other)))


def _given(function: Function, needed: Sequence[str], step: int) -> dict[str, Source]:
    """Which of the needed arguments a function returns: by name, as its cache, or beside those by order."""
    said = facts(function).last()
    if said is None or said.kind in ("dict", "unknown"):
        return {}
    if said.kind == "one":
        name = said.elements[0].name if said.elements else ""
        return {one: Output(step) for one in needed if name and _alike(one, name)}
    own = {p.name for p in parameters(function)}
    found: dict[str, Source] = {}
    for number, name in enumerate(said.names):
        for one in needed:
            if name and one not in found and one not in own and _alike(one, name):
                found[one] = Output(step, number)
    caches = [n for n, name in enumerate(said.names) if name and words.CACHE.fullmatch(name)]
    caches = caches or [
        n for n, one in enumerate(said.elements) if n and not one.name and (one.is_dict or one.is_tuple)
    ]
    for one in needed:
        if one not in found and one not in own and words.CACHE.fullmatch(one) and caches:
            found[one] = Output(step, caches[-1])
    return found | _in_order(said, needed, found, own, step)


def _in_order(
    said: Returned, needed: Sequence[str], found: Mapping[str, Source], own: set[str], step: int
) -> dict[str, Source]:
    """An output without a name is the argument at its place among the others."""
    offsets = {list(needed).index(one) - (out.index or 0) for one, out in found.items() if isinstance(out, Output)}
    more: dict[str, Source] = {}
    if len(offsets) == 1 and len(found) > 1:
        [offset] = offsets
        for number, name in enumerate(said.names):
            place = number + offset
            if not name and 0 <= place < len(needed) and needed[place] not in found and needed[place] not in own:
                more[needed[place]] = Output(step, number)
    return more


def _alike(one: str, other: str) -> bool:
    plain, wanted = one.replace("_", "").lower(), other.replace("_", "").lower()
    return plain == wanted or plain.rstrip("s") == wanted.rstrip("s")


def _cost(costs: Functions, forward: Function, needed: Sequence[str], other: str) -> Step | None:
    """The cost that belongs to a forward and a derivative, as a step after the forward."""
    best: tuple[float, Step] | None = None
    for name, function in costs.items():
        step, bound = _after(name, function, forward, needed)
        if step is None:
            continue
        own = set(words.words_of(name)) - words.VALUE - words.FILLING
        score = bound - 0.6 * len(own - set(words.words_of(other)))
        score += 0.6 * len(own & set(words.words_of(other)))
        if best is None or score > best[0]:
            best = score, step
    return None if best is None else best[1]


def _after(name: str, function: Function, forward: Function, needed: Sequence[str]) -> tuple[Step | None, int]:
    """A cost with its arguments: leaves taken elsewhere too, labels and penalties; the rest comes from forward."""
    said = facts(forward).last()
    outputs = list(said.names) if said is not None and said.kind == "several" else [_only_name(said)]
    taken = {p.name for p in parameters(forward)} | set(needed)
    takes: list[tuple[str, Source]] = []
    bound, predicted = 0, False
    for p in required(function):
        at = next((n for n, one in enumerate(outputs) if one and _alike(one, p.name)), None)
        plain = p.name.lower()
        if at is not None:
            takes.append((p.name, Output(0, at if said is not None and said.kind == "several" else None)))
            bound, predicted = bound + 1, True
        elif (
            p.name in taken
            or words.LABELS.fullmatch(p.name)
            or plain in _penalties()
            or words.BATCHES.fullmatch(p.name)
        ):
            takes.append((p.name, Leaf(p.name)))
        elif not predicted:
            takes.append((p.name, _main(said)))
            bound, predicted = bound + 1, True
        else:
            return None, 0
    return (Step(function, name, tuple(takes)), bound) if predicted else (None, 0)


def _only_name(said: Returned | None) -> str:
    return said.elements[0].name if said is not None and said.elements else ""


def _main(said: Returned | None) -> Output:
    """The prediction among what a forward returns: its first output, or the last activation of several layers."""
    if said is None or said.kind != "several":
        return Output(0)
    activations = [n for n, name in enumerate(said.names) if name[:1] in ("A", "a") and name[1:].isdigit()]
    return Output(0, activations[-1] if activations else 0)


def _penalties() -> frozenset[str]:
    from gradcheck.adapters.calls.guesses import PENALTIES

    return PENALTIES


def _starts_from(derivative: Function, given: Mapping[str, Source]) -> tuple[Output, str] | None:
    """`A2 - Y`, or `A2 - one_hot(Y)`: the prediction and the labels of a loss that is never written."""
    for prediction, labels in facts(derivative).subtracts:
        source = given.get(prediction)
        if isinstance(source, Output) and labels not in given and words.LABELS.fullmatch(labels):
            return source, labels
    return None
