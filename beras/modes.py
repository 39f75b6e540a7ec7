"""Training and evaluation: in which of its two modes a layer is called."""

from __future__ import annotations

import threading
from typing import Any


class Modes(threading.local):
    """The modes that models have put their layers into in this thread, by the layers' `id`.

    They count for calls before a layer's own `training`, which stays as somebody set it: while one thread trains a
    model, or is done with it, another may predict.
    """

    def __init__(self) -> None:
        self.training: dict[int, bool] = {}


modes = Modes()


class TrainingMode:
    """`training` of a layer that has two modes: what a model has put it into in this thread, else what was set."""

    def __get__(self, layer: Any, owner: type) -> Any:
        if layer is None:
            return self
        own: dict[str, Any] = layer.__dict__
        return modes.training.get(id(layer), own["training"])

    def __set__(self, layer: Any, training: bool) -> None:
        layer.__dict__["training"] = training
