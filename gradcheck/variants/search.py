"""Variants one after the other, the cheapest first, as long as calls of the checked code are left for them."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from gradcheck.guarded import Watch, guarded
from gradcheck.problem import Problem, Subject, Values
from gradcheck.sampling import Point
from gradcheck.variants.data import data, numbers
from gradcheck.variants.labels import labels
from gradcheck.variants.layouts import layouts
from gradcheck.variants.offer import Offer, Usual
from gradcheck.variants.screen import Screened, is_smooth, screen
from gradcheck.variants.settings import settings, together
from gradcheck.variants.shapes import shapes
from gradcheck.variants.variant import Log, Variant

# Calls of the checked code for variants: as many as the check had needed, within these limits.
LEAST, MOST = 10_000, 30_000

# Kinds of variants in which functions run that ran in no other.
BRANCHING = ("setting", "mode", "rank", "labels")


class Search:
    """Looks for variants in which a claim may be wrong, and keeps the log of what was tried.

    `visit(problem, values, alike)` is told what forward takes; `alike`: the functions that run there are known.
    """

    def __init__(
        self, subject: Subject, point: Point, seed: int, watch: Watch, visit: Callable[[Problem, Values, bool], object]
    ) -> None:
        self.usual = Usual(subject, point, seed)
        self.watch = watch
        self.visit = visit
        self.log = Log()
        self.started = time.monotonic()

    def suspicious(self, thresholds: Sequence[float]) -> Iterator[Variant]:
        """Yield variants that a closer look is due to; whoever takes it says what came out with `judged`."""
        end = self.watch.calls + min(max(self.watch.calls, LEAST), MOST)
        latest = self.started + (self.watch.deadline - self.started) / 2  # the rest takes time, too
        groups: set[str] = set()
        for offer in self._offers(thresholds):
            if offer.group and offer.group in groups:
                continue
            if self.watch.calls > end or time.monotonic() > latest:
                self.log.passed_over[offer.kind] += 1
                continue
            variant = offer.make()
            if variant is None or _is_ambiguous(variant):
                self.log.add(offer.kind, offer.where, "not offered")
                continue
            variant = self._guarded(variant)
            found = screen(variant.problem, variant.values, self.usual.seed)
            if found.outcome != "not offered":
                self.visit(variant.problem, variant.values, offer.kind not in BRANCHING)
            suspicious = found.outcome == "suspicious"
            if variant.unseen and not suspicious:
                self.log.add(offer.kind, offer.where, "not offered")
            elif suspicious and (variant.noted or (found.infinite and offer.kind == "edge")):
                what = "is not finite" if found.infinite else "is not the derivative of forward"
                what = "changes and forward does not, so that it is not its derivative," if variant.unseen else what
                if offer.kind != "rank":
                    self.log.notes.setdefault(offer.group or offer.where, f"backward {what} {offer.where}")
                self.log.add(offer.kind, offer.where, "noted")
            elif suspicious and offer.kind == "edge" and not is_smooth(variant.problem, variant.values):
                self.log.add(offer.kind, offer.where, "not offered")
            elif suspicious:
                yield variant
                if self.log.tried.get((variant.kind, variant.where)) == "wrong":
                    groups.add(offer.group)
            else:
                self._write(offer, found)

    def judged(self, variant: Variant, wrong: bool) -> None:
        """Write down what the closer look came to."""
        self.log.add(variant.kind, variant.where, "wrong" if wrong else "right")

    def _offers(self, thresholds: Sequence[float]) -> Iterator[Offer]:
        sampled = not self.usual.subject.examples  # points beside an example keep its shapes and its range
        yield from itertools.chain(layouts(self.usual), labels(self.usual) if sampled else (), data(self.usual))
        yield from settings(self.usual)
        yield from together(self.usual, self._right_settings())
        if sampled:
            yield from itertools.chain(shapes(self.usual), numbers(self.usual, thresholds))

    def _right_settings(self) -> set[str]:
        return {where for (kind, where), outcome in self.log.tried.items() if (kind, outcome) == ("setting", "right")}

    def _guarded(self, variant: Variant) -> Variant:
        problem: Problem = guarded(variant.problem, self.watch)
        return Variant(**{**vars(variant), "problem": problem})

    def _write(self, offer: Offer, found: Screened) -> None:
        assert found.outcome != "suspicious"
        self.log.add(offer.kind, offer.where, found.outcome)
        shape = found.unreadable and (offer.kind == "rank" or offer.group == "broadcast")
        if found.outcome == "refused" and (shape or offer.kind in ("setting", "mode")) and not offer.quiet:
            self.log.notes.setdefault(offer.group or offer.where, f"cannot be asked {offer.where}: {found.message}")


def _is_ambiguous(variant: Variant) -> bool:
    """Whether a local derivative of a square input could be a matrix for all rows, or a number for each entry."""
    shapes = [np.shape(value) for value in variant.values.values()]
    square = any(len(shape) == 2 and shape[0] == shape[1] > 1 for shape in shapes)
    return square and any(method.kind == "local" for method in variant.problem.methods)
