"""Made-up data of the other kinds for the report's tests: TensorFlow, mutants, the arena, a training."""

from __future__ import annotations

import math
from random import Random

from gradcheck.report.differential import Deviation, Differential, Measurement
from gradcheck.report.others import Arena, Case, Mutant, Mutation, Tool


def differences() -> Differential:
    """What the tests against TensorFlow would have measured."""
    how = "8 eps of the largest term of each sum"
    return Differential(
        (("tensorflow-cpu", "2.21.0"), ("keras", "3.12.0")),
        (
            Measurement("beras.activations.Tanh", "forward", "float32", 3.1e-7, 2.9e-7, 1.07, 200, how),
            Measurement("beras.layers.Dense", "backward[w]", "float64", 2.2e-16, 4e-15, 0.055, 200, how),
            Measurement("beras.layers.Dense", "forward", "float32", 1.2e-7, 9.5e-7, 0.13, 200, how),
        ),
        (
            Deviation(
                "beras.losses.BinaryCrossEntropy",
                "forward",
                "log(p)",
                "log(p + 1e-7)",
                "p is clipped already",
                1e-7,
                1.2e-7,
            ),
        ),
    )


def mutation() -> Mutation:
    """Mutants of three kinds, one of which survived."""
    diff = "-        return [(1 - y**2) * upstream[0]]\n+        return [(1 + y**2) * upstream[0]]"
    return Mutation(
        (
            *(
                Mutant(f"beras.layers.L{i % 5}", f"change {i % 7}", "caught", f"beras/layers.py:{i}", diff)
                for i in range(520)
            ),
            Mutant(
                "beras.losses.CategoricalCrossEntropy", "constant × (1 + 1e-6)", "survived", "beras/losses.py:61", diff
            ),
            Mutant(
                "beras.layers.L0",
                "copy dropped",
                "equivalent",
                "beras/layers.py:9",
                diff,
                "the array is a copy already",
            ),
        )
    )


def arena() -> Arena:
    """Three tools and four gradients."""
    tools = (
        Tool("gradcheck", "0.1.0"),
        Tool("torch.autograd.gradcheck (slow)", "2.13.0"),
        Tool("jax check_grads", "0.7"),
    )
    return Arena(
        tools,
        (
            Case("scale off by 0.09 %", "Within the relative tolerance of 1e-3.", True, ("caught", "missed", "missed")),
            Case("flipped entry", "One of 1000 entries has the wrong sign.", True, ("caught", "caught", "missed")),
            Case("x + 1e8", "Forward loses half its digits.", False, ("accepted", "false alarm", "false alarm")),
            Case("dropout", "Random, but the seed is pinned.", False, ("accepted", "unresolved", "not applicable")),
        ),
    )


def training() -> dict[str, object]:
    """A short training, in the form of its file."""
    random = Random(0)

    def image(label: int, predicted: int) -> dict[str, object]:
        pixels = [
            [round(255 * math.exp(-((math.hypot(i - 13.5, j - 13.5) - 3 - label) ** 2) / 4)) for j in range(28)]
            for i in range(28)
        ]
        return {"label": label, "predicted": predicted, "confidence": 0.5 + 0.5 * random.random(), "pixels": pixels}

    confusion = [[970 if i == j else round(8 * random.random() ** 3) for j in range(10)] for i in range(10)]
    history = {
        "loss": [0.4 * 0.7**i for i in range(10)], "val_loss": [0.35 * 0.8**i + 0.03 for i in range(10)],
        "accuracy": [1 - 0.1 * 0.7**i for i in range(10)], "val_accuracy": [0.98 - 0.08 * 0.7**i for i in range(10)],
    }  # fmt: skip
    return {
        "kind": "training", "schema": 1, "history": history, "accuracy": 0.9784, "confusion": confusion,
        "right": [image(i, i) for i in range(10)], "wrong": [image(i, (i * 7 + 3) % 10) for i in range(10)],
    }  # fmt: skip
