"""Training that turns NaN: where it began."""

from __future__ import annotations

from typing import Any

import numpy as np

from beras.gradient_tape import GradientTape
from beras.weights import Composite


class TrainingDiverged(FloatingPointError):
    """The loss is NaN or infinite. The message says where that began; `history`: the epochs before."""

    history: dict[str, list[float]]


def where_it_began(model: Composite, tape: GradientTape, x: Any, y: Any) -> str:
    """Return in words which number was the first that is not finite: of weights, of data, or computed from them."""
    for name, weight in model.named_weights().items():
        if not _finite(weight):
            return (
                f"the step before made the weight {name} {_kind(weight)}: take a smaller learning rate, or clip the "
                "gradients (clipnorm=1.0)"
            )
    for name, data in (("x", x), ("y", y)):
        for part in data if isinstance(data, (list, tuple)) else [data]:
            if not _finite(part):
                return f"there is {_kind(part)} in {name} itself: look for it with np.isfinite"
    paths = {id(leaf): path for path, leaf in model.named_leaves()}
    for layer, inputs, outputs in tape.recorded():
        if all(map(_finite, outputs)):
            continue
        path = paths.get(id(layer))
        who = type(layer).__name__ if path is None else f"{path} ({type(layer).__name__})"
        largest = max((float(np.abs(np.asarray(a)).max()) for a in inputs if np.size(a)), default=0.0)
        return f"it is in what {who} makes of numbers up to {largest:.3g}"
    return "it is in what the loss makes of the predictions"


def _finite(value: Any) -> bool:
    array = np.asarray(value)
    return array.dtype.kind not in "fc" or bool(np.isfinite(array).all())


def _kind(value: Any) -> str:
    return "NaN" if np.isnan(np.asarray(value)).any() else "infinite"
