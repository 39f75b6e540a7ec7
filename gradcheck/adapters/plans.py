"""How a whole network can be asked: which of its methods gives the output, which the loss, which the gradients.

Read off names and signatures; nothing is run.
"""

from __future__ import annotations

import dis
import inspect
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gradcheck.adapters.ways import inputs_of, methods, parameters
from gradcheck.adapters.words import BACKWARDS, CACHES, DERIVATIVES, FORWARDS, LABELS, OUTPUT, RATES, plain

LOSSES = (
    *("loss", "cost", "computeloss", "computecost", "lossfunction", "costfunction", "calculateloss", "calculatecost"),
    *("calcloss", "getloss", "getcost", "crossentropy", "crossentropyloss", "mse", "error", "objective", "lossandgrad"),
    *("lossandgradient", "lossgrad", "lossfn", "costfn", "j"),
)
PRIMES = ("prime", "gradient", "grad", "derivative", "deriv", "gradients", "grads")
# Names in the code of a loss that returns gradients as well.
GRADIENTS = re.compile(r"^(d|d[A-Z_]\w*|grads?\w*|gradients?\w*|d(w|b|x|h|scores|out|z|a)\d*)$")


@dataclass(frozen=True)
class Plan:
    """Which methods there are: `forward` gives the output, `loss` the loss of data or (`of_output`) of an output.

    `backward`: what gives the gradients, with arguments of these kinds ("x", "y", "output", "cache", "rate"); None
    where `loss` returns them itself.
    """

    forward: str | None = None
    loss: str | None = None
    of_output: bool = False
    backward: str | None = None
    kinds: tuple[str, ...] = ()
    rate: str | None = None


def plans(thing: Any) -> Iterator[Plan]:
    """Yield the ways in which a network can be asked, likely ones first."""
    known = methods(thing)
    forward = next((known[name] for name in FORWARDS if name in known), None)
    loss = next((known[name] for name in LOSSES if name in known and _data(thing, known[name])), None)
    backs = [known[name] for name in (*BACKWARDS, *DERIVATIVES) if name in known]
    if loss is not None:
        stem = plain(loss)
        backs = [known[stem + end] for end in PRIMES if stem + end in known] + backs
    of_output = loss is not None and not _is_of_data(thing, loss, forward)
    for back in backs:
        kinds = _kinds(thing, back, inputs_of(thing, forward) if forward else ())
        if kinds is not None and (loss is not None or forward is not None):
            rate = next(
                (p.name for p in parameters(thing, back) if plain(p.name) in RATES and p.default is not p.empty), None
            )
            yield Plan(forward, loss, of_output, back, kinds, rate)
    if loss is not None and not of_output and _has_gradients(thing, loss):
        yield Plan(forward, loss)


def _data(thing: Any, name: str) -> bool:
    """Whether a method takes two things: data, or predictions, and labels."""
    needed = [p for p in parameters(thing, name) if p.kind is p.POSITIONAL_OR_KEYWORD]
    return len(needed) >= 2 and sum(p.default is p.empty for p in needed) in (1, 2)


def _is_of_data(thing: Any, loss: str, forward: str | None) -> bool:
    """Whether a loss is told the data, not an output: its first argument is called as forward's is, or `x`."""
    first = plain(parameters(thing, loss)[0].name)
    inputs = [plain(name) for name in inputs_of(thing, forward)] if forward else []
    return first in inputs or first in ("x", "data", "inputs", "features") or not forward


def _has_gradients(thing: Any, name: str) -> bool:
    """Whether a method returns several things, and its code has names that gradients have."""
    function = inspect.unwrap(inspect.getattr_static(thing, name))
    code = getattr(function, "__code__", None)
    if code is None or not any(GRADIENTS.match(word) for word in (*code.co_varnames, *code.co_names)):
        return False
    steps = list(dis.get_instructions(code))
    return any(a.opname == "BUILD_TUPLE" and b.opname == "RETURN_VALUE" for a, b in itertools.pairwise(steps))


def _kinds(thing: Any, back: str, inputs: Sequence[str]) -> tuple[str, ...] | None:
    """What the arguments of a backward pass are; None where it is none that labels go into."""
    needed = [p for p in parameters(thing, back) if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
    names = [plain(p.name) for p in needed]
    if not names:
        return () if not inputs else None
    places = [plain(name) for name in inputs]
    found = []
    for name in names:
        if name in RATES:
            found.append("rate")
        elif name in CACHES:
            found.append("cache")
        elif name in LABELS and name not in places:
            found.append("y")
        elif name in places or name in ("x", "data", "inputs", "input", "features", "xbatch"):
            found.append("x")
        elif OUTPUT.match(name):
            found.append("output")
        else:
            return None
    return tuple(found) if "y" in found else None
