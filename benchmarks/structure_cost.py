"""What finding the structure costs: rows evaluated, next to the same ladder told the structure in advance.

    python benchmarks/structure_cost.py

The goal is at most 3 × on Dense, Softmax, elementwise layers and losses at batch 32. Told in advance means: noise
and steps only; the rest
(structure, certificate) is the price of not being told. Then: an unstructured function, and one whose structure
probe lies.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from beras import activations, layers, losses
from gradcheck.numerical import estimate

BATCH = 32
ASKING = ("structure", "certificate")


def main() -> None:
    """Run, and print the ratios."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(BATCH, 10))
    dense = layers.Dense(10, 6, "xavier")
    w, b = (np.asarray(v, dtype=np.float64) for v in dense.weights)
    labels = np.eye(10)[rng.integers(0, 10, BATCH)]
    p = rng.dirichlet(np.ones(10), BATCH)
    subjects: list[tuple[str, Any, dict[str, Any]]] = [
        (f"Dense(10, 6) by {name}", lambda v: [v["x"] @ v["w"] + v["b"]], {"x": x, "w": w, "b": b, "wrt": name})
        for name in ("x", "w", "b")
    ]
    for cls in (activations.Softmax, activations.Sigmoid, activations.Tanh, activations.Sin, activations.LeakyReLU):
        layer = cls()
        subjects.append(
            (cls.__name__, lambda v, layer=layer: [np.asarray(layer.forward(v["x"]))], {"x": x, "wrt": "x"})
        )
    for loss_class, data in (
        (losses.MeanSquaredError, p),
        (losses.CategoricalCrossEntropy, p),
        (losses.BinaryCrossEntropy, p),
        (losses.SoftmaxCrossEntropy, x),
    ):
        loss = loss_class()
        subjects.append(
            (
                loss_class.__name__,
                lambda v, loss=loss: [np.asarray(loss.forward(v["x"], labels))],
                {"x": data, "wrt": "x"},
            )
        )
    worst = 0.0
    for title, forward, values in subjects:
        wrt = values.pop("wrt")
        found = estimate(forward, values, wrt)
        total = sum(found.cost.rows.values())
        told = total - sum(found.cost.rows.get(stage, 0) for stage in ASKING)
        worst = max(worst, total / told)
        print(f"{title:26s} {found.structure:12s} {total:8d} rows, told in advance {told:8d}: {total / told:.2f} ×")
    print(f"worst: {worst:.2f} × (goal: at most 3)")
    small = rng.normal(size=(8, 5))
    found = estimate(lambda v: [np.cumsum(np.sin(v["x"]))], {"x": small}, "x")
    error = np.abs(found.dense() - np.tril(np.ones((40, 40))) * np.cos(small.ravel()))
    print(f"unstructured: {found.structure}, errors within bounds: {bool(np.all(error <= found.dense('bound')))}")

    def lying(v: dict[str, Any]) -> list[Any]:
        z = v["x"]
        everything = np.count_nonzero((z != small).any(axis=1)) > 4
        return [z * z + (z.sum() - small.sum() if everything else 0.0)]

    found = estimate(lying, {"x": small}, "x")
    print(f"a probe that lies (rows interact only when more than half of them move): {found.structure}")


if __name__ == "__main__":
    main()
