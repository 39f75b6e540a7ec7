"""What `fit` returns: one value per epoch for every metric."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


class History(dict[str, list[float]]):
    """A dict of lists, `{"loss": [1.2, 0.8], …}`, which is its own `history` as well, as code for Keras expects it.

    `epoch`: the numbers of the epochs, 0 for the first.

    >>> history = History(loss=[0.5])
    >>> history["loss"] == history.history["loss"]
    True
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.epoch: list[int] = []

    @property
    def history(self) -> History:
        """Itself."""
        return self


def stats_as_text(stats: Mapping[str, Any]) -> str:
    """Write metrics for a person.

    >>> stats_as_text({"loss": 0.25, "acc": 0.9375})
    'loss 0.2500  acc 0.9375'
    """
    return "  ".join(f"{name} {float(value):.4f}" for name, value in stats.items())


def print_stats(
    stat_dict: Mapping[str, Any],
    batch_num: int | None = None,
    num_batches: int | None = None,
    epoch: int | None = None,
    avg: bool = False,
) -> None:
    """Print metrics on one line, with where they are from; `avg` prints the mean of each metric's list.

    >>> print_stats({"loss": [0.5, 0.25]}, batch_num=1, num_batches=10, epoch=0, avg=True)
    Epoch 1  batch 2/10  mean loss 0.3750
    """
    words = []
    if epoch is not None:
        words.append(f"Epoch {epoch + 1}")
    if batch_num is not None:
        words.append(f"batch {batch_num + 1}" + (f"/{num_batches}" if num_batches is not None else ""))
    stats = {name: np.mean(value) for name, value in stat_dict.items()} if avg else stat_dict
    words.append(("mean " if avg else "") + stats_as_text(stats))
    print("  ".join(words))


def update_metric_dict(super_dict: dict[str, Any], sub_dict: Mapping[str, Any]) -> None:
    """Append the mean of each metric in `sub_dict` to that metric's list in `super_dict`.

    >>> history = {"loss": [1.0]}
    >>> update_metric_dict(history, {"loss": [0.25, 0.75], "acc": 0.5})
    >>> history
    {'loss': [1.0, 0.5], 'acc': [0.5]}
    """
    for name, value in sub_dict.items():
        super_dict.setdefault(name, []).append(float(np.mean(value)))
