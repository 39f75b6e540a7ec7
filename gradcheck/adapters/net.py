"""A network and its loss as one object, which is run forward and asked back like a layer."""

from __future__ import annotations

from typing import Any

from gradcheck.adapters.plans import Plan
from gradcheck.adapters.unwritten import Assumed
from gradcheck.adapters.ways import inputs_of, parameters
from gradcheck.adapters.words import plain
from gradcheck.errors import CannotBuild

# What weighs a penalty, and what it is set to where it would be 0: what is multiplied by 0 shows no mistake.
PENALTIES = frozenset(
    {"reg", "l2", "lam", "lambda", "lambd", "reglambda", "l2reg", "weightdecay", "regularization", "lmbda"}
)
PENALTY = 0.25
# What a network that keeps its data calls them, and its labels.
OWN = (("input", "inputs", "x", "data", "features"), ("y", "target", "targets", "labels", "expected", "outputtrue"))


def penalties(net: Any, method: str) -> dict[str, float]:
    """Arguments of a method that weigh a penalty, and are 0 where nobody gives them."""
    return {p.name: PENALTY for p in parameters(net, method) if plain(p.name) in PENALTIES and p.default == 0}


class Net:
    """A network and its loss, as one object that is run forward and asked back (`net` keeps the weights).

    `assumed`: the loss where none is written.
    """

    def __init__(self, net: Any, plan: Plan, assumed: Assumed | None = None) -> None:
        self.net = net
        self.plan = plan
        self.assumed = assumed
        self.own: tuple[str, ...] = ()
        self.methods = [name for name in (plan.forward, plan.loss, plan.backward) if name is not None]
        self.penalties = {name: penalties(net, name) for name in self.methods}

    def loss(self, x: Any, y: Any) -> Any:
        """The loss."""
        plan = self.plan
        for name, value in zip(self.own, (x, y), strict=False):
            setattr(self.net, name, value)
        wanted = plan.backward is None or plan.loss is None or plan.of_output or "output" in plan.kinds
        output: Any = self.output(x) if wanted else None
        self.data = (x, y, output)
        if plan.loss is not None:
            said = self.call(plan.loss, output if plan.of_output else x, y)
            if plan.backward is None:
                if not isinstance(said, tuple) or len(said) < 2:
                    raise TypeError(f"expected {plan.loss} to return (loss, gradients)")
                said, self.said = said[0], said[1] if len(said) == 2 else said[1:]
            return said
        assert self.assumed is not None
        return self.assumed(output, y)

    def data_of_its_own(self) -> tuple[Any, ...] | None:
        """Data and labels where the network keeps them, and its methods are not told any."""
        if (
            self.plan.kinds
            or self.plan.backward is None
            or self.plan.forward is None
            or inputs_of(self.net, self.plan.forward)
        ):
            return None
        found = [
            next((plain_name for plain_name in vars(self.net) if plain(plain_name) in names), None) for names in OWN
        ]
        if None in found:
            raise CannotBuild("its forward takes no array, and no attribute is called as data and labels are")
        self.own = tuple(name for name in found if name is not None)
        return tuple(getattr(self.net, name) for name in self.own)

    def output(self, x: Any) -> Any:
        """What the network says of data, caches left out."""
        if self.plan.forward is None or self.plan.backward is None:
            return None
        said = self.call(self.plan.forward, *(() if self.own else (x,)))
        if said is None:
            said = getattr(self.net, "output", None)
        self.cache = said[1] if isinstance(said, tuple) and len(said) == 2 else None
        return said[0] if isinstance(said, tuple) else said

    def gradients(self) -> Any:
        """What the code says of them."""
        if self.plan.backward is None:
            return self.said
        x, y, output = self.data
        known = {"x": x, "y": y, "output": output, "cache": getattr(self, "cache", None), "rate": 1.0}
        fixed = {self.plan.rate: 1.0} if self.plan.rate is not None else {}
        fixed |= self.penalties[self.plan.backward]
        return getattr(self.net, self.plan.backward)(*(known[kind] for kind in self.plan.kinds), **fixed)

    def call(self, name: str, *given: Any) -> Any:
        """Call a method; a penalty that is zero by default is put to use."""
        return getattr(self.net, name)(*given, **self.penalties.get(name, {}))
