"""An object that is run forward and asked back becomes a problem: inputs and weights, and what is said of their slopes.

How it is asked is a `Way`. All that is not told by names and signatures is found out on twins of the object: the shapes
that it takes, its weights (what forward depends on), where their gradients are, which of them add up from call to call.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gradcheck.adapters import arguments, averages, examples, labels, weights
from gradcheck.adapters.accepted import accepted
from gradcheck.adapters.arguments import Role
from gradcheck.adapters.construct import Made, duplicate
from gradcheck.adapters.doubts import Trial
from gradcheck.adapters.gradients import Asked
from gradcheck.adapters.isolated import Call, Live
from gradcheck.adapters.resetting import accumulating, read_all
from gradcheck.adapters.study import Study, require_shapes
from gradcheck.adapters.tried import Tried
from gradcheck.adapters.updates import set_rates, step_of
from gradcheck.adapters.ways import Way, called_on, inputs_of
from gradcheck.adapters.weights import Slot
from gradcheck.asking import layouts
from gradcheck.errors import CannotBuild
from gradcheck.problem import Array, Kind, Method, Problem, Sizes, Values, Variable
from gradcheck.syntax import nodes


class Layer:
    """One object, asked in one way. Raises CannotBuild where it cannot be called.

    `usual`: the same in usual sizes, whose decisions are kept. `roles`: what its inputs are, where names do not say so.
    `within`: the attribute of a wrapper that holds the code's own object. `evaluation`: its switches are set for that.
    """

    hard: frozenset[str]
    mean: bool
    local: bool
    averages: str

    def __init__(
        self,
        made: Made,
        way: Way,
        sizes: Sizes,
        rng: np.random.Generator,
        usual: Layer | None = None,
        roles: Sequence[Role] | None = None,
        within: str = "",
        evaluation: bool = False,
    ) -> None:
        obj = called_on(made.obj, (way.forward, *way.backward))
        named = arguments.roles_of(inputs_of(obj, way.forward), obj)
        known = roles or arguments.held_inside(named, getattr(obj, way.forward))
        self.way = way
        self.certain = made.inputs is not None
        self.tried = Tried(obj, way, known, rng, within, evaluation)
        self.tried.roles, self.given = accepted(self.tried, made, sizes, hints=roles is None or within == "net")
        self.obj = self.tried.obj
        self.tried.warm(self.obj, self.given)
        self.tried.habits = self.tried.learn(self.given)
        self.study = self._studied()
        self._require_arrays()
        self.held: set[str] = set()
        if not self.certain:
            self.tried.roles, self.given, self.held = labels.held(self.tried, self.study, self.given)
            self.tried.roles, self.given = labels.scored(self.tried, self.given)
        self.trial = Trial(way, self.given, self.tried.outputs, self.tried.first(self.study), rng)
        self.hard = usual.hard if usual is not None else self._hard()
        self.tried.roles = labels.hardened(self.tried.roles, self.hard)
        self.mean = self.tried.mean = usual.mean if usual is not None else self.trial.is_a_mean()
        self.local = usual.local if usual is not None else self._is_local()
        # What its package does throughout: "averaged" weights, "whole" gradients of losses; said by who knows it.
        self.averages = usual.averages if usual is not None else ""
        self.axis = averages.batch_axis(self.given, self.tried.outputs(self.given)) or 0
        self._settle()
        if usual is not None and not self._reads_as(usual):
            raise CannotBuild("its gradients would be read elsewhere in these sizes: shapes coincide")

    def _require_arrays(self) -> None:
        """Raise CannotBuild where forward goes through a list of arrays, and backward returns one gradient for each."""
        said = self.study.said
        if len(self.given) != 1 or self.study.pairs or not isinstance(said, (list, tuple)) or len(said) < 2:
            return
        name = self.tried.roles[0].name
        written = nodes(getattr(type(self.obj), self.way.forward, None))
        loops = [node.iter for node in written if isinstance(node, (ast.For, ast.comprehension))]
        if any(isinstance(one, ast.Name) and one.id == name for one in loops):
            forward = self.way.forward
            raise CannotBuild(f"{forward} goes through {name}, a list: gradcheck.check(f, [a, b], vjp=f_vjp) asks that")

    def _reads_as(self, usual: Layer) -> bool:
        """Whether the gradients of the weights that both have were found in the same places."""
        here, there = self._told(), usual._told()
        return all(here[name] == there[name] for name in here.keys() & there.keys())

    def _told(self) -> dict[str, str]:
        """Where the gradient of each weight was found."""
        return {one.slot.name: one.offer.path if one.offer is not None else "" for one in self.pairs}

    def _studied(self) -> Study:
        """What backward tells; where it leaves no gradient of a weight, and a step follows, what that tells."""
        found = self.tried.study(self.given)
        step = step_of(self.obj) if found.silent and not found.updated else None
        if step is not None:
            plain, self.tried.way = self.tried.way, replace(self.way, step=step)
            stepped = self.tried.study(self.given)
            if stepped.updated and self.tried.is_descent(self.given, stepped):
                self.way, found = self.tried.way, stepped
            else:
                self.tried.way = plain
        if found.updated:
            set_rates(self.obj)
            # What else a step changes (a velocity, say) is what it was before each question.
            self.tried.habits = replace(self.tried.habits, counting=True)
        return found

    def _settle(self) -> None:
        self.pairs = [] if self.local else self.study.pairs
        names = self.tried.names
        self.slots = weights.apart([self._own(one.slot) for one in self.pairs], names)
        run = self.tried.run_of(self.obj)
        self.live = Live(self.obj, self.slots, names, run, run.call, habits=self.tried.habits)
        updates = bool(self.study.updated)
        asked = [] if updates else self.pairs
        self.adding, self.anew = accumulating(self.obj, duplicate(self.obj), asked, self._train)

    def _hard(self) -> frozenset[str]:
        hot = [(n, role.name) for n, role in enumerate(self.tried.roles) if role.data == "one-hot"]
        return frozenset(name for n, name in hot if not self.certain and self.trial.reads_class_numbers(n))

    def _is_local(self) -> bool:
        return not self.way.takes_upstream and not self.mean and self.tried.outputs(self.given)[0].size != 1

    def problem(self, convention: str = "") -> Problem:
        """The problem that it poses; `convention`: a named one that its gradients follow."""
        pairs = zip(self.tried.roles, self.given, strict=True)
        inputs = [Variable(r.name, "input", a, r.constant, r.domain, r.data) for r, a in pairs]
        updated = {slot.paths for slot in self.study.updated}
        by_weight = [
            Variable(
                s.name,
                "weight",
                np.array(s.array),
                domain=arguments.domain_of_weight(s.name),
                blurred=1 / self.tried.rate() if s.paths in updated else 0.0,
            )
            for s in self.slots
        ]
        return Problem(
            (*inputs, *by_weight),
            self.live.forward,
            tuple(self._methods(inputs, by_weight, convention)),
            self.live.habits.random,
            call=lambda values: self.live.at(values).said[0],
            reading=self._reading(),
            unjudged=tuple(self._unjudged()),
            notes=tuple((self.way.backward[0], note) for note in (self.tried.note, self._mixed()) if note),
            dtype=examples.widest(self.given, lambda given: self.tried.run_of(duplicate(self.obj))(*given)),
        )

    def _mixed(self) -> str:
        """What to say where one backward adds to the gradient of one weight, and writes that of another anew."""
        if not self.adding or not self.anew:
            return ""
        adding, anew = (" and ".join(names) for names in ([one.path for one in self.adding], self.anew))
        return f"it adds to {adding} and overwrites {anew}: after two calls, one is of both and the other of the last"

    def _methods(self, inputs: list[Variable], by_weight: list[Variable], convention: str) -> Iterator[Method]:
        """One claim about all that goes back; one about inputs and one about weights where a convention is of these."""
        claimed = [] if self.of_weights_alone else [v for v in inputs if v.name not in self.held]
        kind: Kind = "local" if self.local else "vjp"
        name, (mine, theirs) = self.way.backward[0], ([v.name for v in claimed], [v.name for v in by_weight])
        at = self._at(claimed)
        if self.averages != "averaged":
            yield Method(name, kind, (*mine, *theirs), at, certain=self.certain, convention=convention)
            return
        if mine:
            yield Method(name, kind, tuple(mine), _part(at, slice(len(mine))), certain=self.certain)
        yield Method(
            name, kind, tuple(theirs), _part(at, slice(len(mine), None)), certain=self.certain, convention=convention
        )

    @property
    def of_weights_alone(self) -> bool:
        """Whether nothing is said about inputs, nor meant to be: a network's own backward pass."""
        return not self.way.takes_upstream and bool(self.study.pairs) and self.study.answered.is_about_weights

    def _at(self, claimed: Sequence[Variable]) -> Callable[[Values], Callable[[list[Array]], list[Any]]]:
        names, shapes = [v.name for v in claimed], [v.example.shape for v in claimed]
        constants = [v.name for v in claimed if v.constant]

        def at(values: Values) -> Callable[[list[Array]], list[Any]]:
            # Weights are changed by an update: each question is then asked of a call of its own.
            copies = {name: np.array(array) for name, array in values.items()} if self.study.updated else None
            call = self.live.at(values)

            def ask(cotangents: list[Array]) -> list[Any]:
                asking = call if copies is None else self.live.at({key: value.copy() for key, value in copies.items()})
                asking.enter()
                after = self._asked(asking, cotangents)
                behind = self._shared(read_all(self.pairs, after), asking.given, "averaged")
                read, what = self.study.answered.read, self.way.backward[0]
                mine = read(after, names, shapes, constants, what, bool(behind)) if names else []
                return self._scaled([*self._shared(mine, asking.given, "whole"), *behind], cotangents)

            return ask

        return at

    def _asked(self, call: Call, cotangents: Sequence[Array]) -> Asked:
        for one in self.adding:
            one.begin(self.obj)
        before = {slot.paths[0]: np.array(slot.current) for slot in self.slots} if self.study.updated else {}
        return Asked(self.obj, self.tried.ask(self.obj, call.given, call.said, cotangents), before)

    def _shared(self, gradients: list[Any], given: Sequence[Any], by: str) -> list[Any]:
        """Undo what a package's convention does: weights are averaged over the batch, losses leave 1/batch out."""
        if self.averages != by:
            return gradients
        count = float(np.shape(given[0])[self.axis])
        factor = count if by == "averaged" else 1 / count
        return [None if one is None else np.asarray(one) * factor for one in gradients]

    def _scaled(self, answers: list[Any], cotangents: Sequence[Array]) -> list[Any]:
        """A loss that is asked without an upstream gradient says what belongs to 1."""
        if self.way.takes_upstream or self.local:
            return answers
        factor = cotangents[0].reshape(())
        return [None if one is None else np.asarray(one) * factor for one in answers]

    def _train(self, twin: Any) -> Any:
        """Forward and backward, as a training loop calls them; what came back."""
        given = [array.copy() for array in self.given]
        said = self.tried.forth(twin, given)
        ones = [np.ones_like(one, dtype=float) for one in self.tried.run_of(twin).outputs(said[0])]
        return self.tried.ask(twin, given, said, ones)

    def _own(self, slot: Slot) -> Slot:
        """A weight as its class calls it, without what it is wrapped in."""
        return replace(slot, name=slot.name.removeprefix(f"{self.tried.within}."))

    def answers(self) -> bool:
        """Whether this way of asking is understood: no exception, and no doubt whether it is another one."""
        if isinstance(self.study.said, Exception):
            return isinstance(self.study.said, NotImplementedError)
        return not self.way.doubt or self.trial.is_meant()

    def fits(self) -> bool:
        """Whether it answers, and every gradient has the shape of what it is by."""
        twin = duplicate(self.obj)
        try:
            found = self.tried.study(self.given, twin)
            require_shapes(found, self.given, twin)
            self._require_layout(found.said)
        except Exception:  # other people's code
            return False
        return not isinstance(found.said, Exception)

    def _require_layout(self, said: Any) -> None:
        """Raise ValueError where a lone local gradient has a shape that means nothing beside the output's."""
        if self.local and len(self.given) == 1 and isinstance(said, np.ndarray):
            layouts.read(said, self.given[0].shape, self.tried.outputs(self.given)[0].shape, "input")

    def grows(self) -> str | None:
        """How gradients of weights, or of a loss by each row, grow with the batch; None where nobody can tell."""
        return averages.grows(
            self.trial, lambda arrays, upstream: read_all(self.pairs, self.tried.asked(arrays, upstream))
        )

    def _reading(self) -> str:
        """How the object was read, in a line."""
        asked = f"{self.way.forward}({', '.join(self.tried.names)}), then {self.way.shown}"
        found = [f"the loss is the mean of what {self.way.forward} returns"] if self.mean else []
        paths = [one.offer.path for one in self.pairs if one.offer is not None]
        getters = dict.fromkeys(path.partition("(")[0] for path in paths if "()" in path)
        found += [f"{name}() hands out gradients" for name in getters if name not in self.way.backward]
        if self.adding:
            adding = ", ".join(one.name for one in self.adding)
            found.append(f"gradients of {adding} add up, and are set to zero before each question")
        if self.study.updated:
            rate = self.tried.rate()
            over = "" if rate == 1 else f", over its rate {rate:g}"
            found.append(f"gradients are what the update takes away{over}")
        return "; ".join([asked, *found])

    def _unjudged(self) -> Iterator[tuple[str, str]]:
        """What was seen and cannot be paired; a derivative at its own argument is about that, and no more."""
        at_place = bool(self.way.kinds) and all(isinstance(kind, int) for kind in self.way.kinds)
        for slot in () if at_place else self.study.silent:
            yield self._own(slot).name, "forward depends on it, and no gradient of it was found"
        for offer in self.study.unpaired:
            path = offer.path.removeprefix(f"{self.tried.within}.")
            yield path, "it is called as a gradient is, and no weight that it belongs to was found"


def _part(
    at: Callable[[Values], Callable[[list[Array]], list[Any]]], which: slice
) -> Callable[[Values], Callable[[list[Array]], list[Any]]]:
    """The same about some of the variables only."""

    def of(values: Values) -> Callable[[list[Array]], list[Any]]:
        ask = at(values)
        return lambda cotangents: ask(cotangents)[which]

    return of
