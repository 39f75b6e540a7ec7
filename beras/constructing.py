"""How layers and optimizers are made from what people write who come from Keras."""

from __future__ import annotations

import inspect
from abc import ABCMeta
from typing import Any

_SIZES = "sizes come from the first call, or from an Input(shape) before the first layer"
_PENALTY = "add the penalty to the loss, or give the optimizer weight_decay"

REMEDIES = {
    **dict.fromkeys(("input_shape", "batch_input_shape", "input_dim", "input_length"), _SIZES),
    **dict.fromkeys(("kernel_regularizer", "bias_regularizer", "activity_regularizer"), _PENALTY),
    **dict.fromkeys(("dropout", "recurrent_dropout"), "put a Dropout(rate) before or after it"),
    "bias_initializer": "biases begin at zero; layer.b.assign(…) sets others",
    "data_format": "images are (batch, height, width, channels)",
    "lr": "write learning_rate",
    "decay": "give learning_rate a schedule, ExponentialDecay say",
}
"""What to do about arguments that Keras knows, or knew, and Beras does not."""


class Constructing(ABCMeta):
    """Takes a `name` for every layer, kept as an attribute, and says what to do about Keras' other arguments."""

    @property
    def __signature__(cls) -> inspect.Signature:
        """The constructor's, which Python would otherwise not look for behind `__call__`."""
        if cls.__init__ is object.__init__:  # type: ignore[misc]
            return inspect.Signature()
        whole = inspect.signature(cls.__init__)  # type: ignore[misc]
        return whole.replace(parameters=list(whole.parameters.values())[1:])

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        """Make one. Raises `TypeError` with the remedy for an argument in `REMEDIES` that it does not take."""
        taken = cls.__signature__.parameters if kwargs else {}
        given = {key: kwargs.pop(key) for key in ("name",) if key in kwargs and key not in taken}
        try:
            made = super().__call__(*args, **kwargs)
        except TypeError:
            for key in kwargs.keys() & REMEDIES.keys() - taken.keys():
                raise TypeError(f"{cls.__name__} takes no {key}: {REMEDIES[key]}") from None
            raise
        if given:
            vars(made).update(given)
        return made
