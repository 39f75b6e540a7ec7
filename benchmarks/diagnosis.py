"""How often is the first diagnosis right on mistakes that were not planted by hand?

Every vector-Jacobian product of some Beras components is spoiled in every way of a list, and the name of the
first diagnosis is compared with what was done. A spoiling that changes nothing (a bias of one row, reversed)
is not counted; one that is the same as another one (the last column of a vector is its last entry) may be
called by either name.

    python benchmarks/diagnosis.py
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from beras import activations, layers, losses, normalization
from gradcheck.adapters import subject_of
from gradcheck.check import Options, check_subject
from gradcheck.problem import Array, Method, Problem, Sizes, Subject, Values
from gradcheck.results import ClaimResult

COMPONENTS = (
    activations.Sigmoid,
    activations.LeakyReLU,
    activations.Softmax,
    layers.Dense,
    losses.MeanSquaredError,
    losses.SoftmaxCrossEntropy,
    normalization.LayerNormalization,
    normalization.BatchNormalization,
)


@dataclass(frozen=True)
class Spoiling:
    """What is done to a gradient (given it, the batch and the features), and the names that fit."""

    names: tuple[str, ...]
    change: Callable[[Array, int, int], Array]


def _scaled_at(index: Callable[[Array], Any], factor: float) -> Callable[[Array, int, int], Array]:
    def change(g: Array, batch: int, features: int) -> Array:
        spoiled = np.array(g)
        spoiled[index(g)] *= factor
        return spoiled

    return change


SPOILINGS = {
    "minus": Spoiling(("sign flipped",), lambda g, b, f: -g),
    "× 2": Spoiling(("extra factor 2",), lambda g, b, f: 2 * g),
    "÷ 2": Spoiling(("factor 2 missing",), lambda g, b, f: g / 2),
    "× 1.013": Spoiling(("times a constant",), lambda g, b, f: 1.013 * g),
    "× batch": Spoiling(("1/batch missing",), lambda g, b, f: g * b),
    "÷ batch": Spoiling(("averaged instead of summed", "extra 1/batch"), lambda g, b, f: g / b),
    "× batch × features": Spoiling(("both means missing",), lambda g, b, f: g * b * f),
    "× 0": Spoiling(("zero",), lambda g, b, f: 0 * g),
    "NaN": Spoiling(("not finite",), _scaled_at(lambda g: (0,) * g.ndim, np.nan)),
    "float32": Spoiling(("lost precision",), lambda g, b, f: g.astype(np.float32).astype(g.dtype)),
    "one entry": Spoiling(("one entry wrong",), _scaled_at(lambda g: (-1,) * g.ndim, 2.0)),
    "one row": Spoiling(("one sample wrong", "one row wrong", "one entry wrong"), _scaled_at(lambda g: -1, 3.5)),
    "one column": Spoiling(("one column wrong", "one entry wrong"), _scaled_at(lambda g: (..., -1), 0.0)),
    "reversed": Spoiling(("permuted",), lambda g, b, f: g[::-1]),
    "summed": Spoiling(("number instead of an array",), lambda g, b, f: np.asarray(g.sum())),
    "unsummed": Spoiling(("not summed over the batch",), lambda g, b, f: np.stack([g / 2, g / 2])),
    "spread": Spoiling(("spread over an axis",), lambda g, b, f: np.broadcast_to(g.mean(axis=0), g.shape).copy()),
}


def spoiled(subject: Subject, spoiling: Spoiling) -> Subject:
    """The subject with every vector-Jacobian product changed."""

    def build(sizes: Sizes, rng: np.random.Generator) -> Problem:
        problem = subject.build(sizes, rng)
        shape = np.shape(next(v.example for v in problem.variables if v.role == "input"))

        def change(method: Method) -> Method:
            def at(values: Values) -> Callable[[list[Array]], list[Any]]:
                derivative = method.at(values)

                def ask(cotangents: list[Array]) -> list[Any]:
                    pairs = zip(method.wrt, derivative(cotangents), strict=True)
                    return [
                        None
                        if g is None or problem.variable(name).constant
                        else spoiling.change(g, shape[0], shape[-1])
                        for name, g in pairs
                    ]

                return ask

            return replace(method, at=at)

        products = [change(m) for m in problem.methods if m.kind == "vjp" and "tape" not in m.name]
        return replace(problem, methods=tuple(products))

    return replace(subject, build=build)


def judged(claim: ClaimResult) -> str | None:
    """The first diagnosis of a claim, `None` where nothing was spoiled."""
    if claim.verdict == "wrong":
        return claim.causes[0].name if claim.causes else "no diagnosis"
    return None if claim.verdict in ("correct", "not implemented") else claim.verdict


def main() -> int:
    """Print every diagnosis that is not the expected one, and the share that is."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "").parse_args()
    right = total = 0
    for component in COMPONENTS:
        for what, spoiling in SPOILINGS.items():
            result = check_subject(spoiled(subject_of(component), spoiling), Options(dtypes=("float64",)))
            for claim in result.claims:
                found = judged(claim)
                if found is None:
                    continue
                total += 1
                right += found in spoiling.names
                if found not in spoiling.names:
                    print(f"{component.__name__}.{claim.name}, {what}: {found}, expected {spoiling.names[0]}")
    print(f"{right} of {total} first diagnoses right")
    return 0


if __name__ == "__main__":
    sys.exit(main())
