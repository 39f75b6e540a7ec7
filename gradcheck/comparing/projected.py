"""A claim past the budget, held against derivatives along random directions (`numerical.project`)."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from gradcheck.comparing.compare import RESOLVED, Comparison
from gradcheck.in_dtype import InDtype
from gradcheck.numerical import project
from gradcheck.problem import Array, Problem
from gradcheck.results import AtPoint, Entry
from gradcheck.sampling import Point
from gradcheck.verdicts import Verdict


def compare_projected(
    problem: Problem, point: Point, name: str, vjp: Callable[[list[Array]], Array], known: InDtype, seed: int
) -> Comparison:
    """Hold `vjp(cotangents)`, the claimed gradient by the variable `name`, against directional derivatives."""
    domain = None if point.boundary else problem.variable(name).domain
    found = project(
        problem.forward,
        point.values,
        lambda cotangents: {name: vjp(cotangents)},
        (name,),
        domains={name: domain},
        seed=seed,
        eps=float(np.finfo(known.precision).eps),
    )
    errors = [abs(probe.claimed - probe.measured) for probe in found.probes]
    tolerance = max(probe.bound for probe in found.probes)
    scale = max(abs(probe.measured) for probe in found.probes)
    limit = RESOLVED.get(known.precision, RESOLVED["float64"])
    resolved = math.isfinite(tolerance) and tolerance <= limit * scale
    unresolved: Verdict = "skipped" if point.special else "unresolved"
    at = AtPoint(
        point=point.label,
        dtype=known.name,
        verdict="wrong" if found.wrong else "correct" if resolved or tolerance == 0 else unresolved,
        entries=len(found.probes),
        error=max(errors),
        tolerance=tolerance,
        truncation=math.nan,
        rounding=math.nan,
        claim_rounding=math.nan,
        ratio=max(e / p.bound if p.bound else math.inf * bool(e) for e, p in zip(errors, found.probes, strict=True)),
        resolution=found.rho,
        scale=scale,
        message=f"compared along {len(found.probes)} random directions: {found.power}",
        edge=point.edge,
        size=point.size,
    )
    worst = None
    if found.culprit is not None:
        culprit = found.culprit
        bound = culprit.bound
        worst = Entry((), culprit.index, culprit.claimed, culprit.measured, bound, bound)
    wrong = sum(probe.wrong for probe in found.probes)
    return Comparison(at, worst, (), (), np.zeros((0, 0)), wrong, plain=1)
