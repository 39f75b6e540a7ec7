"""What a training leaves behind as data, for a report to paint: `training.json`.

    {
      "kind": "training", "schema": 1,
      "history":   {"loss": [per epoch], "acc": […], "val_loss": […], "val_acc": […]},
      "accuracy":  share of test images whose most probable class is the label,
      "confusion": [[count of test images with the row's label and the column's prediction]],
      "right":     up to ten images that were recognised, the first of each digit,
      "wrong":     up to ten images that were not, the most confident mistakes first
    }

An image is `{"label": 7, "predicted": 1, "confidence": 0.93, "pixels": [28 rows of 28 integers, 0 to 255]}`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from beras.files import written_in_one_step

SCHEMA = 1
IMAGES = 10


def training_record(
    history: Mapping[str, Sequence[float]], inputs: Any, labels: Any, probabilities: Any
) -> dict[str, Any]:
    """Build the record from test `inputs (n, 784)` in [0, 1], `labels (n,)` and `probabilities (n, classes)`."""
    images = np.rint(np.asarray(inputs) * 255).astype(int).reshape(-1, 28, 28)
    truth, shares = np.asarray(labels).astype(int), np.asarray(probabilities)
    predicted, confidence = shares.argmax(axis=1), shares.max(axis=1)
    confusion = np.zeros((shares.shape[1], shares.shape[1]), dtype=int)
    np.add.at(confusion, (truth, predicted), 1)

    right, wrong = np.flatnonzero(predicted == truth), np.flatnonzero(predicted != truth)
    _, first_of_each = np.unique(truth[right], return_index=True)
    most_confident = np.argsort(-confidence[wrong], kind="stable")

    def image(index: int) -> dict[str, Any]:
        return {
            "label": int(truth[index]),
            "predicted": int(predicted[index]),
            "confidence": float(confidence[index]),
            "pixels": images[index].tolist(),
        }

    return {
        "kind": "training",
        "schema": SCHEMA,
        "history": {name: [float(value) for value in values] for name, values in history.items()},
        "accuracy": float(np.mean(predicted == truth)),
        "confusion": confusion.tolist(),
        "right": [image(index) for index in right[first_of_each][:IMAGES]],
        "wrong": [image(index) for index in wrong[most_confident][:IMAGES]],
    }


def write_training_record(record: Mapping[str, Any], folder: Path) -> Path:
    """Write `training.json` into `folder`, in one step, and return its path.

    Raises OSError, and ValueError for a training that diverged; then an old file stays.
    """
    path = folder / "training.json"
    with written_in_one_step(path) as file:
        try:
            file.write(json.dumps(record, allow_nan=False).encode())
        except ValueError:  # JSON knows no NaN
            raise ValueError("the training diverged: a loss or a prediction is NaN or infinite") from None
    return path
