"""An object that is run forward and asked back becomes a problem: inputs and weights, and what is said of their slopes.

How it is asked is a `Way`. All that is not told by names and signatures is found out on twins of the object: the shapes
that it takes, its weights (what forward depends on), where their gradients are, which of them add up from call to call.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gradcheck.adapters import arguments, examples, returned, weights
from gradcheck.adapters.construct import Made, duplicate
from gradcheck.adapters.doubts import Trial
from gradcheck.adapters.forwards import Run, switches
from gradcheck.adapters.gradients import Asked
from gradcheck.adapters.isolated import SEED, Habits, Live
from gradcheck.adapters.prepared import prepared
from gradcheck.adapters.resetting import accumulating
from gradcheck.adapters.state import seeded
from gradcheck.adapters.study import Inputs, Study, require_shapes, study
from gradcheck.adapters.updates import constant_rate, has_rate, set_rates
from gradcheck.adapters.warm import warm_up
from gradcheck.adapters.ways import LABELS, Way, called_on, inputs_of, plain
from gradcheck.adapters.weights import Slot
from gradcheck.errors import CannotBuild, NotWritten
from gradcheck.problem import Array, Kind, Method, Problem, Sizes, Values, Variable


class Layer:
    """One object, asked in one way. Raises CannotBuild where it cannot be called."""

    def __init__(
        self,
        made: Made,
        way: Way,
        sizes: Sizes,
        rng: np.random.Generator,
        usual: Layer | None = None,
        roles: Sequence[arguments.Role] | None = None,
        prefix: str = "",
    ) -> None:
        self.obj = called_on(made.obj, (way.forward, *way.backward))
        self.usual = usual
        self.way = way
        self.rng = rng
        self.certain = made.inputs is not None
        self.hints = roles is None or bool(prefix)
        self.fixed = switches(self.obj, way.forward)
        self.mean = False
        self.habits = Habits()
        self.prefix = prefix
        self.held: set[str] = set()
        known = roles or arguments.roles_of(inputs_of(self.obj, way.forward), self.obj)
        self.roles, self.given = self._arrays(made, sizes, list(known))
        self._warm(self.obj, self.given)
        self.habits = self._habits()
        self.study = self._study(self.given)
        if self.study.updated:
            set_rates(self.obj)
        self.hard: set[str] = set()
        self._hold_labels_constant()
        self._harden_labels()
        self.mean = usual.mean if usual is not None else self.trial.is_a_mean()
        self.local = usual.local if usual is not None else self._is_local()
        self.pairs = [] if self.local else self.study.pairs
        self.slots = weights.apart([self._own(one.slot) for one in self.pairs], self.names)
        run = self.run_of(self.obj)
        self.live = Live(self.obj, self.slots, self.names, run, run.call, habits=self.habits)
        self.fresh = bool(self.study.updated)
        self.adding = [] if self.fresh else accumulating(self.obj, duplicate(self.obj), self.pairs, self._train)

    @property
    def names(self) -> list[str]:
        """The names of the inputs."""
        return [role.name for role in self.roles]

    def problem(self) -> Problem:
        """The problem that it poses."""
        pairs = zip(self.roles, self.given, strict=True)
        inputs = [Variable(r.name, "input", a, r.constant, r.domain, r.data) for r, a in pairs]
        by_weight = [
            Variable(s.name, "weight", np.array(s.array), domain=arguments.domain_of_weight(s.name)) for s in self.slots
        ]
        claimed = [] if self.of_weights_alone else [v for v in inputs if v.name not in self.held]
        kind: Kind = "local" if self.local else "vjp"
        wrt = (*(v.name for v in claimed), *(v.name for v in by_weight))
        method = Method(self.way.backward[0], kind, wrt, self._at(claimed), certain=self.certain)
        return Problem(
            (*inputs, *by_weight),
            self.live.forward,
            (method,),
            self.live.habits.random,
            call=lambda values: self.live.at(values).said[0],
            reading=self._reading(),
            unjudged=tuple(self._unjudged()),
            dtype=examples.widest(self.given, lambda given: self.run_of(duplicate(self.obj))(*given)),
        )

    def _at(self, claimed: Sequence[Variable]) -> Callable[[Values], Callable[[list[Array]], list[Any]]]:
        names, shapes = [v.name for v in claimed], [v.example.shape for v in claimed]
        constants = [v.name for v in claimed if v.constant]
        live, way, pairs = self.live, self.way, self.pairs

        def at(values: Values) -> Callable[[list[Array]], list[Any]]:
            copies = {name: np.array(array) for name, array in values.items()} if self.fresh else {}
            call = live.at(values)

            def ask(cotangents: list[Array]) -> list[Any]:
                if self.fresh:  # weights are changed by the answer: each question is asked of a call of its own
                    asking = live.at({name: array.copy() for name, array in copies.items()})
                else:
                    asking = call
                    asking.enter()
                self._prepare(live.obj)
                before = {slot.paths[0]: np.array(slot.current) for slot in self.slots} if self.fresh else {}
                said = self.ask(live.obj, asking.given, asking.said, cotangents)
                after = Asked(live.obj, said, before)
                behind = [one.read(after) for one in pairs]
                read = self.study.answered.read
                mine = read(after, names, shapes, constants, way.backward[0], bool(behind)) if names else []
                return self._scaled([*mine, *behind], cotangents)

            return ask

        return at

    def ask(self, obj: Any, given: Sequence[Any], said: tuple[Any, Any], upstream: Sequence[Array]) -> Any:
        """Go back on `obj`, after a forward that returned `said`."""
        run = self.run_of(obj)
        output = run.outputs(said[0])
        cache = said[1] if said[1] is not None else run.cache(said[0])
        return self.way.ask(obj, given, output[0], cache, upstream[:1] if run.cached else upstream)

    def _prepare(self, obj: Any) -> None:
        """Before a question: what adds up begins at nothing."""
        for one in self.adding:
            one.begin(obj)

    def _scaled(self, answers: list[Any], cotangents: Sequence[Array]) -> list[Any]:
        """A loss that is asked without an upstream gradient says what belongs to 1."""
        if self.way.takes_upstream or self.local:
            return answers
        factor = cotangents[0].reshape(())
        return [None if one is None else np.asarray(one) * factor for one in answers]

    def run_of(self, obj: Any) -> Run:
        """Its forward, on `obj`."""
        return Run(obj, self.way.forward, self.fixed, cached="cache" in self.way.kinds, mean=self.mean)

    def _copies(self) -> list[Array]:
        return [array.copy() for array in self.given]

    def _arrays(
        self, made: Made, sizes: Sizes, found: list[arguments.Role]
    ) -> tuple[list[arguments.Role], list[Array]]:
        if made.inputs is not None:
            if len(made.inputs) != len(found):
                raise CannotBuild(f"its example gives {len(made.inputs)} inputs, but forward takes {len(found)}")
            given = [np.asarray(array) for array in made.inputs]
            return [arguments.fitting(r, a) for r, a in zip(found, given, strict=True)], given
        if not found:
            raise CannotBuild("its forward takes no array")
        self.roles = found
        shapes = [slot.array.shape for slot in weights.every(self.obj) if slot.array.ndim]

        def runs(arrays: list[Array]) -> None:
            returned.filled(self.run_of(duplicate(self.obj))(*arrays))

        def both(arrays: list[Array]) -> None:
            twin = duplicate(self.obj)
            self._warm(twin, arrays)
            found = self._study(arrays, twin)
            if isinstance(found.said, Exception):
                raise found.said
            require_shapes(found, arrays, twin)

        try:
            return examples.find(found, sizes, shapes, self.rng, runs, both, hints=self.hints)
        except NotWritten:
            raise
        except CannotBuild:
            for ready in prepared(self.obj, sizes):
                self.obj = ready
                shapes = [slot.array.shape for slot in weights.every(ready) if slot.array.ndim]
                with contextlib.suppress(CannotBuild):
                    return examples.find(found, sizes, shapes, self.rng, runs, both)
            raise

    def fits(self) -> bool:
        """Whether it answers, and every gradient has the shape of what it is by."""
        twin = duplicate(self.obj)
        try:
            found = self._study(self.given, twin)
            require_shapes(found, self.given, twin)
        except Exception:  # other people's code
            return False
        return not isinstance(found.said, Exception)

    def _warm(self, obj: Any, arrays: Sequence[Array]) -> None:
        def call(one: Any, change: float = 1.0) -> None:
            pairs = zip(arrays, self.roles, strict=True)
            self.run_of(one).call(*(a.copy() if r.constant or a.dtype.kind != "f" else a * change for a, r in pairs))

        warm_up(obj, call, lambda one: call(one, 0.75))

    def _study(self, arrays: Sequence[Array], obj: Any = None) -> Study:
        """Ask a twin; with an `obj`, that one itself, and only for what names say."""
        kept: dict[str, Any] = {}
        twin = duplicate(self.obj) if obj is None else obj
        given = [array.copy() for array in arrays]

        def run(one: Any) -> None:
            kept["said"] = self._pinned(lambda: self.run_of(one).call(*given))

        def ask(one: Any) -> Any:
            upstream = [np.round(self.rng.normal(size=np.shape(y)), 2) for y in self.run_of(one).outputs(kept["said"][0])]
            return self.ask(one, given, kept["said"], upstream)

        inputs = Inputs(self.names, [a.shape for a in arrays], [r.name for r in self.roles if r.constant])
        inputs = Inputs([], [], []) if self.prefix else inputs  # a network says nothing about its data
        methods, part = [self.way.forward, *self.way.backward, *getattr(self.obj, "methods", ())], self.prefix.rstrip(".")
        moving = self._moving if obj is None else lambda slots: list(slots)
        return study(self.obj if obj is None else duplicate(obj), twin, run, ask, inputs, moving, self._rate, self.way.backward[0], methods, part)

    def _pinned(self, run: Callable[[], Any]) -> Any:
        with seeded(SEED):
            return run()

    def _moving(self, slots: Sequence[Slot]) -> list[Slot]:
        """Those of the slots that forward depends on."""
        twin = duplicate(self.obj)
        mine = weights.all_on(twin, slots)
        live = Live(twin, mine, self.names, self.run_of(twin), habits=self.habits)
        values = dict(zip(self.names, self.given, strict=True)) | {f"slot {n}": one.array for n, one in enumerate(mine)}
        live = Live(
            twin, [replace(one, name=f"slot {n}") for n, one in enumerate(mine)], self.names, self.run_of(twin), habits=self.habits
        )
        return [slot for n, slot in enumerate(slots) if weights.moves(f"slot {n}", values, live.forward)]

    def _rate(self) -> float:
        """By which an update multiplied the gradient."""
        if "rate" in self.way.kinds or self.way.rate is not None or has_rate(self.obj):
            return 1.0
        return constant_rate(getattr(self.obj, self.way.backward[0]))

    def _habits(self) -> Habits:
        twin = duplicate(self.obj)
        if twin is self.obj:
            return Habits()
        live = Live(twin, [], self.names, self.run_of(twin))
        with np.errstate(all="ignore"):
            return live.learn(dict(zip(self.names, self.given, strict=True)))

    def _train(self, twin: Any) -> Any:
        """Forward and backward, as a training loop calls them; what came back."""
        said = self._pinned(lambda: self.run_of(twin).call(*self._copies()))
        ones = [np.ones_like(one, dtype=float) for one in self.run_of(twin).outputs(said[0])]
        return self.ask(twin, self._copies(), said, ones)

    def _own(self, slot: Slot) -> Slot:
        """A weight as its class calls it, without what it is wrapped in."""
        return replace(slot, name=slot.name.removeprefix(self.prefix))

    @property
    def of_weights_alone(self) -> bool:
        """Whether nothing is said about inputs, nor meant to be: a network's own backward pass."""
        return not self.way.takes_upstream and bool(self.study.pairs) and self.study.answered.is_about_weights

    @property
    def trial(self) -> Trial:
        """What can be tried about the way of asking."""
        return Trial(self.way, self.given, lambda arrays: self._outputs(arrays), self._first, self.rng)

    def _outputs(self, arrays: Sequence[Array]) -> list[Array]:
        twin = duplicate(self.obj)
        return list(self._pinned(lambda: self.run_of(twin)(*(array.copy() for array in arrays))))

    def _harden_labels(self) -> None:
        """One-hot rows that the code reads as class numbers stay one-hot."""
        for n, role in enumerate(self.roles):
            if role.data == "one-hot" and not self.certain:
                hard = role.name in self.usual.hard if self.usual is not None else self.trial.reads_class_numbers(n)
                self.hard |= {role.name} if hard else set()
        self.roles = [replace(r, data="one-hot only") if r.name in self.hard else r for r in self.roles]

    def _hold_labels_constant(self) -> None:
        """A loss that returns one gradient for several inputs: the others are data, one-hot rows if these run."""
        said = self.study.said
        single = isinstance(said, np.ndarray) or (isinstance(said, (list, tuple)) and len(said) == 1)
        single |= len(self.study.answered.left) == 1
        declared = any(role.constant for role in self.roles) or hasattr(type(self.obj), "input_data")
        if not single or declared or len(self.roles) < 2 or self.certain:
            return
        if self._outputs(self.given)[0].size != 1 and self.way.takes_upstream:
            return
        at = next((n for n, role in enumerate(self.roles) if plain(role.name) not in LABELS), 0)
        roles = [r if n == at else arguments.Role(r.name, True, "one-hot") for n, r in enumerate(self.roles)]
        drawn = [a if n == at else examples.draw(roles[n], a.shape, self.rng) for n, a in enumerate(self.given)]
        with np.errstate(all="ignore"):
            value = self._outputs(drawn)[0]
        if not np.isfinite(value).all():  # a logarithm of what is no probability
            roles[at] = replace(roles[at], data="probabilities", domain=(0.0, 1.0))
            drawn[at] = examples.draw(roles[at], drawn[at].shape, self.rng)
        self.roles, self.given = roles, drawn
        self.held = {role.name for role in roles if role.constant}

    def _is_local(self) -> bool:
        return not self.way.takes_upstream and not self.mean and self._outputs(self.given)[0].size != 1

    def _first(self, arrays: Sequence[Array], upstream: Sequence[Array] = ()) -> Array | None:
        """The gradient by the first input that there is one for."""
        twin, given = duplicate(self.obj), [array.copy() for array in arrays]
        said = self._pinned(lambda: self.run_of(twin).call(*given))
        after = Asked(twin, self.ask(twin, given, said, upstream), {})
        shapes, constants = [a.shape for a in arrays], [r.name for r in self.roles if r.constant]
        found = self.study.answered.read(after, self.names, shapes, constants, self.way.backward[0], False)
        return next((np.asarray(one, dtype=float) for one in found if one is not None), None)

    def answers(self) -> bool:
        """Whether this way of asking is understood: no exception, and no doubt whether it is another one."""
        if isinstance(self.study.said, Exception):
            return isinstance(self.study.said, NotImplementedError)
        return not self.way.doubt or self.trial.is_meant()

    def _reading(self) -> str:
        """How the object was read, in a line."""
        asked = f"{self.way.forward}({', '.join(self.names)}), then {self.way.shown}"
        found = [f"the loss is the mean of what {self.way.forward} returns"] if self.mean else []
        if self.adding:
            adding = ", ".join(one.name for one in self.adding)
            found.append(f"gradients of {adding} add up, and are set to zero before each question")
        if self.study.updated:
            rate = self._rate()
            how = "are what the update takes away" if rate == 1 else f"are what the update takes away, over its rate {rate:g}"
            found.append(f"gradients {how}")
        return "; ".join([asked, *found])

    def _unjudged(self) -> Iterator[tuple[str, str]]:
        """What was seen and cannot be paired."""
        for slot in self.study.silent:
            yield self._own(slot).name, "forward depends on it, and no gradient of it was found"
        for offer in self.study.unpaired:
            yield offer.path.removeprefix(self.prefix), "it is called as a gradient is, and no weight that it belongs to was found"
