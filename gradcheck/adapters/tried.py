"""An object and a way of asking it, tried on twins that are thrown away."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gradcheck.adapters import weights
from gradcheck.adapters.arguments import Role
from gradcheck.adapters.bases import needed
from gradcheck.adapters.construct import duplicate
from gradcheck.adapters.forwards import Run, switches
from gradcheck.adapters.gradients import Asked
from gradcheck.adapters.isolated import SEED, Habits, Live
from gradcheck.adapters.modes import flipped
from gradcheck.adapters.places import follow
from gradcheck.adapters.resetting import read_all
from gradcheck.adapters.state import seeded
from gradcheck.adapters.study import Inputs, Study, study
from gradcheck.adapters.updates import constant_rate, has_rate
from gradcheck.adapters.warm import warm_up
from gradcheck.adapters.ways import Way
from gradcheck.adapters.weights import Slot
from gradcheck.adapters.words import plain
from gradcheck.problem import Array

Arrays = Sequence[Array]


class Tried:
    """What can be found out about `obj`, asked in one `way`, without leaving a trace in it.

    `roles`: what its inputs are. `within`: the attribute that holds the code's own object, where `obj` wraps one.
    `mean`: the loss is the mean of what comes out.
    """

    def __init__(
        self, obj: Any, way: Way, roles: Sequence[Role], rng: np.random.Generator, within: str, evaluation: bool
    ) -> None:
        self.obj = obj
        self.way = way
        self.roles = list(roles)
        self.rng = rng
        self.within = within
        trains = switches(obj, way.forward)
        self.fixed = flipped(trains) if evaluation else trains
        self.mean = False
        self.habits = Habits()
        self.note = ""  # at which shapes, though forward takes them, it cannot be asked

    @property
    def names(self) -> list[str]:
        """The names of the inputs."""
        return [role.name for role in self.roles]

    @property
    def constants(self) -> list[str]:
        """Those that are data and held constant."""
        return [role.name for role in self.roles if role.constant]

    def run_of(self, obj: Any) -> Run:
        """Its forward, on `obj`."""
        return Run(obj, self.way.forward, self.fixed, cached="cache" in self.way.kinds, mean=self.mean)

    def ask(self, obj: Any, given: Sequence[Any], said: tuple[Any, Any], upstream: Arrays) -> Any:
        """Go back on `obj`, after a forward that returned `said`."""
        run = self.run_of(obj)
        output = run.outputs(said[0])
        cache = said[1] if said[1] is not None else run.cache(said[0])
        return self.way.ask(obj, given, output[0], cache, upstream[:1] if run.cached else upstream)

    def called(self, arrays: Arrays) -> tuple[Any, list[Array], tuple[Any, Any]]:
        """A twin after a forward, what it was given, and what it returned."""
        twin, given = duplicate(self.obj), [array.copy() for array in arrays]
        return twin, given, self.forth(twin, given)

    def forth(self, obj: Any, given: Arrays) -> tuple[Any, Any]:
        """Run forward on `obj` itself, with random numbers from the start."""
        with seeded(SEED):
            return self.run_of(obj).call(*given)

    def outputs(self, arrays: Arrays) -> list[Array]:
        """What comes out."""
        twin, _, said = self.called(arrays)
        return list(self.run_of(twin).outputs(said[0]))

    def asked(self, arrays: Arrays, upstream: Arrays) -> Asked:
        """A twin after forward and backward."""
        twin, given, said = self.called(arrays)
        return Asked(twin, self.ask(twin, given, said, upstream), {})

    def upstream(self, outputs: Sequence[Any]) -> list[Array]:
        """Upstream gradients, drawn."""
        return [np.round(self.rng.normal(size=np.shape(y)), 2) for y in outputs]

    def warm(self, obj: Any, arrays: Arrays) -> None:
        """Make on `obj` what only appears at its first call."""

        def call(one: Any, change: float = 1.0) -> None:
            pairs = zip(arrays, self.roles, strict=True)
            self.run_of(one).call(*(a.copy() if r.constant or a.dtype.kind != "f" else a * change for a, r in pairs))

        warm_up(obj, call, lambda one: call(one, 0.75))

    def learn(self, arrays: Arrays) -> Habits:
        """What a call does beside its result."""
        twin = duplicate(self.obj)
        if twin is self.obj:
            return Habits()
        live = Live(twin, [], self.names, self.run_of(twin))
        with np.errstate(all="ignore"):
            return live.learn(dict(zip(self.names, arrays, strict=True)))

    def study(self, arrays: Arrays, obj: Any = None) -> Study:
        """Ask a twin; with an `obj`, that one itself, and only for what names say."""
        kept: dict[str, tuple[Any, Any]] = {}
        given = [array.copy() for array in arrays]
        mine = self.obj if obj is None else duplicate(obj)

        def run(one: Any) -> None:
            kept["said"] = self.forth(one, given)

        def back(one: Any) -> Any:
            inputs.flow[:] = self.upstream(self.run_of(one).outputs(kept["said"][0]))
            return self.ask(one, given, kept["said"], inputs.flow)

        def moving(slots: Sequence[Slot]) -> list[Slot]:
            return self.moving(arrays, slots) if obj is None else list(slots)

        # A network says nothing about its data.
        inputs = (
            Inputs([], [], [])
            if self.within == "net"
            else Inputs(self.names, [a.shape for a in arrays], self.constants)
        )
        first = [self.way.forward, *self.way.backward, *getattr(mine, "methods", ())]
        holder = follow(mine, self.within)
        own = needed(holder if inspect.isclass(holder) else type(holder), [plain(name) for name in first])
        called = {*first, *(function.__name__ for function in own)}
        twin = duplicate(self.obj) if obj is None else obj
        return study(mine, twin, run, back, inputs, moving, self.rate, self.way.backward[0], called, self.within)

    def moving(self, arrays: Arrays, slots: Sequence[Slot]) -> list[Slot]:
        """Those of the slots that forward depends on."""
        twin = duplicate(self.obj)
        mine = [replace(one, name=f"slot {n}") for n, one in enumerate(weights.all_on(twin, slots))]
        live = Live(twin, mine, self.names, self.run_of(twin), habits=self.habits)
        values = dict(zip(self.names, arrays, strict=True)) | {one.name: one.array for one in mine}
        moved = [weights.moves(one.name, values, live.forward) for one in mine]
        return [slot for slot, depends in zip(slots, moved, strict=True) if depends]

    def is_descent(self, arrays: Arrays, found: Study) -> bool:
        """Whether an update is the gradient times a number: twice the upstream gradient, twice the step."""
        drawn = self.upstream(self.outputs(arrays))
        steps = []
        for factor in (1.0, 2.0):
            twin, given, said = self.called(arrays)
            before = {slot.paths[0]: np.array(follow(twin, slot.paths[0])) for slot in found.updated}
            after = Asked(twin, self.ask(twin, given, said, [factor * g for g in drawn]), before)
            steps.append(read_all(found.pairs, after))
        return all(a is not None and b is not None and np.allclose(2 * a, b) for a, b in zip(*steps, strict=True))

    def rate(self) -> float:
        """By which an update multiplied the gradient."""
        if "rate" in self.way.kinds or self.way.rate is not None or has_rate(self.obj):
            return 1.0
        return constant_rate(getattr(self.obj, self.way.backward[0]))

    def first(self, found: Study) -> Callable[[Arrays, Arrays], Array | None]:
        """Return what gives the gradient by the first input that there is one for."""

        def gradient(arrays: Arrays, upstream: Arrays) -> Array | None:
            shapes, what = [a.shape for a in arrays], self.way.backward[0]
            after = self.asked(arrays, upstream)
            every = found.answered.read(after, self.names, shapes, self.constants, what, False)
            return next((np.asarray(one, dtype=float) for one in every if one is not None), None)

        return gradient
