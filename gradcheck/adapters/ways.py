"""How a class is asked: which method goes forward, which goes back, and what each argument on the way back is.

Read off names and signatures; nothing is run. Where an argument can mean several things there are several ways, in the
order in which they are tried.
"""

from __future__ import annotations

import inspect
import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from gradcheck.adapters.arguments import SWITCHES
from gradcheck.adapters.generations import is_method, recognise
from gradcheck.adapters.words import (
    BACKWARDS,
    BY_PARAMETERS,
    CACHES,
    DERIVATIVES,
    FORWARDS,
    FUNCTIONS,
    GRADIENT,
    LABELS,
    OUTPUT,
    RATES,
    plain,
)
from gradcheck.problem import Array

Kinds = tuple[str | int, ...]
Doubt = Literal["", "called as the input is", "labels once more", "has a usual value", "called otherwise"]
Reader = Callable[[Sequence[inspect.Parameter], Sequence[str]], Iterator[tuple[Kinds, Doubt]]]


@dataclass(frozen=True)
class Way:
    """`forward`, then each of `backward`, with arguments of these kinds.

    Kinds: "upstream", "output", "cache", "predictions" (a loss' own output, or its input), "rate" (1.0), or the number
    of an input. `rate`: a keyword with a default that is a learning rate. `doubt`: what has to be found out before this
    way is taken, where another one follows. `step`: a method that then applies the gradients to the weights.
    """

    forward: str
    backward: tuple[str, ...]
    kinds: tuple[str | int, ...]
    rate: str | None = None
    doubt: Doubt = ""
    step: str = ""

    @property
    def takes_upstream(self) -> bool:
        """Whether it is told an upstream gradient."""
        return "upstream" in self.kinds

    @property
    def shown(self) -> str:
        """How it is asked, in a line."""
        words = {"rate": "learning rate"}
        kinds = [words.get(str(kind), str(kind)) if isinstance(kind, str) else "input" for kind in self.kinds]
        asked = [f"{name}({', '.join(kinds)})" for name in self.backward]
        return " and ".join([*asked, self.step] if self.step else asked)

    def ask(self, obj: Any, given: Sequence[Any], output: Any, cache: Any, upstream: Sequence[Array]) -> Any:
        """Go back on `obj` and return what the first method returns."""
        flow = iter(upstream)
        known = {"output": output, "cache": cache, "rate": 1.0, "predictions": _predictions(obj, given)}
        arguments: list[Any] = []
        for kind in self.kinds:
            if isinstance(kind, int):
                arguments.append(given[kind])
            elif kind == "upstream":
                arguments.append(_next(flow, self, len(upstream)))
            else:
                arguments.append(known[kind])
        arguments += flow if "upstream" in self.kinds else ()
        fixed = {} if self.rate is None else {self.rate: 1.0}
        said = getattr(obj, self.backward[0])(*arguments, **fixed)
        for name in self.backward[1:]:
            getattr(obj, name)(*arguments)
        if self.step:
            take = getattr(obj, self.step)
            take(1.0) if inspect.signature(take).parameters else take()
        return said


def _next(flow: Iterator[Array], way: Way, count: int) -> Array:
    for one in flow:
        return one
    outputs = f"{count} output{'s' if count > 1 else ''}"
    raise TypeError(f"expected {way.backward[0]} to take what flows back from {outputs}, but it takes more")


def methods(thing: Any) -> dict[str, str]:
    """Return the methods of a class or an instance by their plain names; `type`'s own are not among them."""
    cls, own = (thing, {}) if inspect.isclass(thing) else (type(thing), getattr(thing, "__dict__", {}))
    members: dict[str, Any] = {}
    for base in cls.__mro__[:-1]:
        for name, member in vars(base).items():
            members.setdefault(name, own.get(name, member))
    found: dict[str, str] = {}
    for name, member in members.items():
        if is_method(member):
            found.setdefault(plain(name), name)
    return found


def _predictions(obj: Any, given: Sequence[Any]) -> Any:
    """What a loss is asked about: the output that it has computed on the way, or the predictions that went in."""
    first: Any = given[0] if given else None
    own = getattr(obj, "output", None)
    return own if isinstance(own, np.ndarray) and own.shape == np.shape(first) else first


def names_forward(thing: Any) -> str | None:
    """The method of a layer that goes forward; None where `thing` has none, or nothing that goes back."""
    found = ways(thing)
    return found[0].forward if found and found[0].takes_upstream else None


def _backward(known: Mapping[str, str]) -> tuple[str, str] | None:
    """The names of the methods that go forward and back; None where one is missing."""
    back = next((known[name] for name in BACKWARDS if name in known), None)
    if back is None:
        return None
    stem = plain(back)
    kin = [
        stem.replace(*change, 1) for change in (("backward", "forward"), ("back", "forward"), ("back", "feedforward"))
    ]
    return _forward(known, [*kin, *FORWARDS], back)


def _derivative(known: Mapping[str, str]) -> tuple[str, str] | None:
    """The names of a function and of its derivative."""
    back = next((known[name] for name in DERIVATIVES if name in known), None)
    if back is None:
        return None
    stem = re.sub(r"(gradient|derivative|prime|^compute|^calculate|^get|^d)", "", plain(back))
    return _forward(known, [stem, *FUNCTIONS], back)


def _forward(known: Mapping[str, str], names: Sequence[str], back: str) -> tuple[str, str] | None:
    found = [known[name] for name in names if name in known and known[name] != back]
    return (found[0], back) if found else None


def parameters(thing: Any, method: str) -> list[inspect.Parameter]:
    """The parameters of a method, without `self`."""
    try:
        written = inspect.getattr_static(thing, method)
        found = list(inspect.signature(getattr(thing, method)).parameters.values())
    except (TypeError, ValueError, AttributeError):  # a method without a signature
        return []
    if inspect.isfunction(written) and not takes_self(written):
        return list(inspect.signature(written).parameters.values())
    return found[1:] if inspect.isclass(thing) and inspect.isfunction(written) else found


def takes_self(written: Any) -> bool:
    """Whether what a class has under a name is a method of its instances; a function without `self` is called on it."""
    if not inspect.isfunction(written):
        return False
    first = next(iter(inspect.signature(written).parameters), "")
    return first in ("self", "this", "_", "me", "s") or first.endswith("self")


def called_on(obj: Any, names: Sequence[str]) -> Any:
    """Return what methods are called on: the class where they are functions that nobody gave a `self`, else `obj`."""
    written = [inspect.getattr_static(obj, name, None) for name in names]
    without = all(inspect.isfunction(one) and not takes_self(one) for one in written)
    return type(obj) if without and not inspect.isclass(obj) else obj


def inputs_of(thing: Any, forward: str) -> list[str]:
    """The names of what goes in: neither switches nor what has a default."""
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [
        p.name
        for p in parameters(thing, forward)
        if p.kind in positional and p.default is p.empty and p.name not in SWITCHES
    ]


def ways(thing: Any) -> list[Way]:
    """Return the ways in which a layer is asked, likely ones first; [] where `thing` is no layer.

    What wants labels on the way back that it was not given on the way forward is a whole network, and none.
    """
    known = {name: own for name, own in methods(thing).items() if not _is_abstract(thing, own)}
    found: list[Way] = []
    pair = _backward(known)
    if pair is not None:
        forward, back = pair
        further = tuple(known[name] for name in BY_PARAMETERS if name in known and plain(back) == "updategradinput")
        found += _called(_ways(thing, forward, (back, *further), _kinds), known)
    pair = _derivative(known) if recognise(thing) is None else None
    if pair is not None:
        found += _called(_ways(thing, pair[0], (pair[1],), _places), known)
    return found


def _called(found: list[Way], known: Mapping[str, str]) -> list[Way]:
    """The ways, and after them those by `__call__`, which may keep what the way back reads."""
    others = [replace(way, forward="__call__") for way in found if way.forward != "__call__"]
    return [*found, *(others if "__call__" in known else ())]


def _ways(thing: Any, forward: str, backward: tuple[str, ...], read: Reader) -> list[Way]:
    wanted = parameters(thing, backward[0])
    rate = next((p.name for p in wanted if plain(p.name) in RATES and p.default is not p.empty), None)
    inputs = inputs_of(thing, forward)
    return [Way(forward, backward, kinds, rate, doubt) for kinds, doubt in read(wanted, inputs)]


def pair_ways(thing: Any, forward: str, backward: str) -> list[Way]:
    """The ways in which a method that is called as the derivative of another may be asked."""
    return _ways(thing, forward, (backward,), _kinds if "back" in plain(backward) else _places)


def _is_abstract(thing: Any, name: str) -> bool:
    return bool(getattr(inspect.getattr_static(thing, name), "__isabstractmethod__", False))


def _places(wanted: Sequence[inspect.Parameter], inputs: Sequence[str]) -> Iterator[tuple[Kinds, Doubt]]:
    """The arguments of a derivative: nothing, an upstream gradient, the output, or what went in, in its order."""
    needed = [p for p in wanted if p.default is p.empty and p.kind not in (p.VAR_KEYWORD, p.KEYWORD_ONLY)]
    names = [plain(p.name) for p in needed]
    if not needed:
        yield (), ""
    elif len(names) == 1 and plain(inputs[0] if inputs else "") != names[0] and GRADIENT.match(names[0]):
        yield ("upstream",), ""
    elif len(names) == len(inputs) == 1 and plain(inputs[0]) != names[0] and OUTPUT.match(names[0]):
        yield ("output",), ""
    elif len(names) == len(inputs):
        places = {plain(name): number for number, name in enumerate(inputs)}
        known = [places.get(name, number) for number, name in enumerate(names)]
        yield tuple(known if len(set(known)) == len(known) else range(len(names))), ""


def _kinds(wanted: Sequence[inspect.Parameter], inputs: Sequence[str]) -> Iterator[tuple[Kinds, Doubt]]:
    """What the arguments of a backward may be, each as a tuple over the positions that are filled."""
    if any(p.kind is p.VAR_POSITIONAL for p in wanted):
        yield ("upstream",), ""
        return
    needed = [p for p in wanted if p.default is p.empty and p.kind not in (p.VAR_KEYWORD, p.KEYWORD_ONLY)]
    if not needed:
        usual = [p for p in wanted if p.kind is not p.VAR_KEYWORD and plain(p.name) not in RATES]
        if usual and not isinstance(usual[0].default, (bool, str)):
            yield ("upstream",), "has a usual value" if GRADIENT.match(plain(usual[0].name)) else "called otherwise"
        yield (), ""
        return
    names = [plain(p.name) for p in needed]
    places = {plain(name): number for number, name in enumerate(inputs)}
    known = [_known(name, places) for name in names]
    unknown = [at for at, kind in enumerate(known) if kind is None]
    if any(name in LABELS and name not in places for name in names) and not _are_predictions_and_labels(names, inputs):
        return
    filled = tuple("upstream" if one is None else one for one in known)
    labels = [at for at, name in enumerate(inputs) if plain(name) in LABELS]
    if labels and len(names) == len(inputs) and len(unknown) == 1 and labels[0] in known:
        # A loss that is told the labels once more, and its predictions; unless it is an upstream gradient after all.
        yield filled, "labels once more"
        yield tuple("predictions" if one is None else one for one in known), ""
        return
    if len(names) == 1 and names[0] in places:
        yield ("upstream",), "called as the input is"
    if len(unknown) == 2 and len(inputs) == 1 and not places.keys() & set(names):
        yield from ((kinds, "") for kinds in _two(names, known, unknown))
    elif len(unknown) > 1:
        yield from ((kinds, "") for kinds in _again(names, known, len(inputs)))
    yield filled, ""


def _known(name: str, places: Mapping[str, int]) -> str | int | None:
    if name in RATES:
        return "rate"
    if name in CACHES:
        return "cache"
    return places.get(name)


def _are_predictions_and_labels(names: Sequence[str], inputs: Sequence[str]) -> bool:
    """Whether a loss is told both once more, by other names."""
    return len(names) == len(inputs) == 2 and plain(inputs[1]) in LABELS and names[1] in LABELS


def _again(names: Sequence[str], known: Sequence[str | int | None], inputs: int) -> Iterator[Kinds]:
    """One upstream gradient, and the output and every input that is not named, in any order."""
    unknown = [at for at, kind in enumerate(known) if kind is None]
    flow = next((at for at in unknown if GRADIENT.match(names[at])), unknown[0])
    missing = [n for n in range(inputs) if n not in known]
    if len(unknown) - 1 not in (len(missing), len(missing) + 1) or len(unknown) > 4:
        return
    held: list[str | int] = ["output", *missing] if len(unknown) > len(missing) + 1 else [*missing]
    others = [at for at in unknown if at != flow]
    for order in itertools.permutations(held):
        kinds = {flow: "upstream", **dict(zip(others, order, strict=True))}
        yield tuple(kinds.get(at, one if one is not None else "upstream") for at, one in enumerate(known))


def _two(names: Sequence[str], known: Sequence[str | int | None], unknown: Sequence[int]) -> Iterator[Kinds]:
    """Two arguments of which one is the upstream gradient, and the other the input or the output again."""
    first = [at for at in unknown if GRADIENT.match(names[at])]
    if len(first) != 1:
        return
    other = next(at for at in unknown if at != first[0])
    again: tuple[str | int, ...] = ("output", 0) if OUTPUT.match(names[other]) else (0, "output")
    for kind in again:
        kinds = {first[0]: "upstream", other: kind}
        yield tuple(kinds.get(at, one if one is not None else "upstream") for at, one in enumerate(known))
