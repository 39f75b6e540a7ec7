"""How a class is asked: which method goes forward, which goes back, and what each argument on the way back is.

Read off names and signatures; nothing is run. Where an argument can mean several things there are several ways, in the
order in which they are tried.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gradcheck.adapters.arguments import CONSTANTS, SWITCHES
from gradcheck.adapters.generations import has, is_stub
from gradcheck.problem import Array

# Names without underscores and capitals; the first that a class has is taken.
FORWARDS = (
    *("forward", "call", "forwardpass", "forwardpropagation", "forwardpropagate", "forwardprop", "fprop", "fwd"),
    *("feedforward", "updateoutput", "propagate", "__call__", "activate", "apply", "compute", "predict"),
)
BACKWARDS = (
    *("backward", "backwards", "backwardpass", "backwardpropagation", "backwardpropagate", "backwardprop"),
    *("backpropagation", "backpropagate", "backprop", "backpass", "bprop", "bwd", "updategradinput"),
)
# What is asked after the input gradient, with the same arguments.
BY_PARAMETERS = ("accgradparameters",)
RATES = frozenset({"learningrate", "lr", "eta", "rate", "stepsize", "lrate", "learnrate"})
CACHES = frozenset({"cache", "caches", "ctx", "context", "memory", "saved", "tape"})
LABELS = frozenset({*(name.replace("_", "") for name in CONSTANTS), "y", "t", "expected", "desired", "onehot"})
GRADIENT = re.compile(r"^(d(?!ata)[a-z]*|.*(grad|delta|error|upstream|cotangent).*|g|gy|dout|err|top|next)$")
OUTPUT = re.compile(r"^(a|y|yhat|out|outputs?|.*output|result|pred.*|ypred|o)$")


@dataclass(frozen=True)
class Way:
    """`forward`, then each of `backward`, with arguments of these kinds.

    Kinds: "upstream", "output", "cache", "rate" (1.0), or the number of an input. `rate`: a keyword with a default that
    is a learning rate. `keywords`: switches that have to be set for training.
    """

    forward: str
    backward: tuple[str, ...]
    kinds: tuple[str | int, ...]
    rate: str | None = None

    @property
    def takes_upstream(self) -> bool:
        """Whether it is told an upstream gradient."""
        return "upstream" in self.kinds

    @property
    def shown(self) -> str:
        """How it is asked, in a line."""
        words = {"rate": "learning rate"}
        kinds = [words.get(str(kind), str(kind)) if isinstance(kind, str) else "input" for kind in self.kinds]
        return f"{self.backward[0]}({', '.join(kinds)})"

    def ask(self, obj: Any, given: Sequence[Any], output: Any, cache: Any, upstream: Sequence[Array]) -> Any:
        """Go back on `obj` and return what the first method returns."""
        flow = iter(upstream)
        known = {"output": output, "cache": cache, "rate": 1.0}
        arguments: list[Any] = []
        for kind in self.kinds:
            if isinstance(kind, int):
                arguments.append(given[kind])
            elif kind == "upstream":
                arguments.append(next(flow))
            else:
                arguments.append(known[kind])
        arguments += flow if "upstream" in self.kinds else ()
        fixed = {} if self.rate is None else {self.rate: 1.0}
        said = getattr(obj, self.backward[0])(*arguments, **fixed)
        for name in self.backward[1:]:
            getattr(obj, name)(*arguments)
        return said


def plain(name: str) -> str:
    """A name without underscores and capitals.

    >>> plain("backward_pass"), plain("updateGradInput"), plain("__call__")
    ('backwardpass', 'updategradinput', '__call__')
    """
    return name if name.startswith("__") else name.replace("_", "").lower()


def methods(thing: Any) -> dict[str, str]:
    """Return the methods of a class or an instance by their plain names; `type`'s own are not among them."""
    cls = thing if inspect.isclass(thing) else type(thing)
    found: dict[str, str] = {}
    for base in cls.__mro__[:-1]:
        for name in vars(base):
            if has(thing, name):
                found.setdefault(plain(name), name)
    return found


def names_of(thing: Any) -> tuple[str, str] | None:
    """Return the names of the methods that go forward and back; None where one is missing."""
    known = methods(thing)
    back = next((known[name] for name in BACKWARDS if name in known), None)
    if back is None:
        return None
    stem = plain(back)
    kin = [stem.replace("backward", "forward", 1), stem.replace("back", "forward", 1), stem.replace("back", "feedforward", 1)]
    fore = [known[name] for name in (*kin, *FORWARDS) if name in known and known[name] != back]
    written = [name for name in fore if not is_stub(inspect.getattr_static(thing, name))]
    return (written or fore)[0], back


def parameters(thing: Any, method: str) -> list[inspect.Parameter]:
    """The parameters of a method, without `self`."""
    try:
        written = inspect.getattr_static(thing, method)
        found = list(inspect.signature(getattr(thing, method)).parameters.values())
    except (TypeError, ValueError, AttributeError):  # a method without a signature
        return []
    return found[1:] if inspect.isclass(thing) and inspect.isfunction(written) else found


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
    pair = names_of(thing)
    if pair is None:
        return []
    forward, backward = pair
    known = methods(thing)
    further = tuple(known[name] for name in BY_PARAMETERS if name in known and backward.lower() == "updategradinput")
    inputs = inputs_of(thing, forward)
    wanted = parameters(thing, backward)
    rate = next((p.name for p in wanted if plain(p.name) in RATES and p.default is not p.empty), None)
    found = [Way(forward, (backward, *further), kinds, rate) for kinds in _kinds(wanted, inputs)]
    if "__call__" in known and forward != "__call__":
        found += [Way("__call__", one.backward, one.kinds, one.rate) for one in found]
    return found


def _kinds(wanted: Sequence[inspect.Parameter], inputs: Sequence[str]) -> Iterator[tuple[str | int, ...]]:
    """What the arguments may be, each as a tuple over the positions that are filled."""
    if any(p.kind is p.VAR_POSITIONAL for p in wanted):
        yield ("upstream",)
        return
    needed = [p for p in wanted if p.default is p.empty and p.kind not in (p.VAR_KEYWORD, p.KEYWORD_ONLY)]
    if not needed:
        usual = [p for p in wanted if p.kind is not p.VAR_KEYWORD and plain(p.name) not in RATES]
        if usual and not _is_switch(usual[0]):
            yield ("upstream",)
        yield ()
        return
    names = [plain(p.name) for p in needed]
    places = {plain(name): number for number, name in enumerate(inputs)}
    known: list[str | int | None] = []
    for name in names:
        if name in RATES:
            known.append("rate")
        elif name in CACHES:
            known.append("cache")
        elif name in places:
            known.append(places[name])
        elif name in LABELS:
            return
        else:
            known.append(None)
    unknown = [at for at, kind in enumerate(known) if kind is None]
    if not unknown and "rate" not in known and len(needed) == 1:
        yield ("upstream",)  # called as the input is: told apart by whether it needs the call before it
        yield tuple(one for one in known if one is not None)
        return
    if len(unknown) == 2 and len(inputs) == 1 and not places.keys() & set(names):
        yield from _two(names, known, unknown)
    yield tuple("upstream" if one is None else one for one in known)


def _two(names: Sequence[str], known: Sequence[str | int | None], unknown: Sequence[int]) -> Iterator[tuple[str | int, ...]]:
    """Two arguments of which one is the upstream gradient, and the other the input or the output again."""
    first = [at for at in unknown if GRADIENT.match(names[at])]
    if len(first) != 1:
        return
    other = next(at for at in unknown if at != first[0])
    for kind in ("output", 0) if OUTPUT.match(names[other]) else (0, "output"):
        yield tuple("upstream" if at == first[0] else kind if at == other else one for at, one in enumerate(known))  # type: ignore[misc]


def _is_switch(parameter: inspect.Parameter) -> bool:
    return isinstance(parameter.default, (bool, str))
