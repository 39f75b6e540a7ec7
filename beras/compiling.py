"""What `compile` takes: objects, or Keras' names for them."""

from __future__ import annotations

import re
from collections.abc import Callable as Function
from collections.abc import Mapping
from typing import Any, Protocol

from beras import losses, metrics, optimizer
from beras.core import Callable

Measure = Function[..., Any]


class Trains(Protocol):
    """What `compile` takes as optimizer."""

    def apply_gradients(self, trainable_params: list[Any], grads: list[Any]) -> None:
        """Update the parameters in place."""


OPTIMIZERS: dict[str, Function[[], optimizer.Optimizer]] = {
    "sgd": optimizer.BasicOptimizer,
    "rmsprop": optimizer.RMSProp,
    "adam": optimizer.Adam,
    "adamw": optimizer.AdamW,
    "nadam": optimizer.Nadam,
}
LOSSES: dict[str, type[losses.Loss]] = {
    "mse": losses.MeanSquaredError,
    "mean_squared_error": losses.MeanSquaredError,
    "mae": losses.MeanAbsoluteError,
    "mean_absolute_error": losses.MeanAbsoluteError,
    "huber": losses.Huber,
    "kl_divergence": losses.KLDivergence,
    "poisson": losses.Poisson,
    "hinge": losses.Hinge,
    "categorical_crossentropy": losses.CategoricalCrossEntropy,
    "sparse_categorical_crossentropy": losses.CategoricalCrossEntropy,
    "binary_crossentropy": losses.BinaryCrossEntropy,
}
METRICS: dict[str, Function[[], Measure]] = {
    "accuracy": metrics.Accuracy,
    "acc": metrics.Accuracy,
    "binary_accuracy": metrics.BinaryAccuracy,
    "categorical_accuracy": metrics.CategoricalAccuracy,
    "sparse_categorical_accuracy": metrics.SparseCategoricalAccuracy,
    "top_k_categorical_accuracy": metrics.TopKCategoricalAccuracy,
    "sparse_top_k_categorical_accuracy": metrics.TopKCategoricalAccuracy,
    "mse": losses.MeanSquaredError,
    "mean_squared_error": losses.MeanSquaredError,
    "mae": losses.MeanAbsoluteError,
    "mean_absolute_error": losses.MeanAbsoluteError,
}


def optimizer_of(given: Any) -> Trains:
    """Return the optimizer that `given` is or names. Raises `TypeError`."""
    if isinstance(given, str) and given.lower() in OPTIMIZERS:
        return OPTIMIZERS[given.lower()]()
    if not callable(getattr(given, "apply_gradients", None)) or isinstance(given, type):
        raise TypeError(_expected("an optimizer, such as Adam(0.001)", given, OPTIMIZERS))
    found: Trains = given
    return found


def loss_of(given: Any) -> Measure:
    """Return the loss that `given` is or names. Raises `TypeError`."""
    if isinstance(given, str) and given in LOSSES:
        return LOSSES[given]()
    if not _is_function(given):
        raise TypeError(_expected("a loss, such as MeanSquaredError()", given, LOSSES))
    found: Measure = given
    return found


def metrics_of(given: Any) -> dict[str, Measure]:
    """Return the metrics by the names that they have in the history. Raises `TypeError`, `ValueError`.

    A single one is "acc", as in the course; those of a list are called by their names.

    >>> list(metrics_of(["accuracy", metrics.TopKCategoricalAccuracy(3)])), list(metrics_of(metrics.BinaryAccuracy()))
    (['accuracy', 'top_k_categorical_accuracy'], ['acc'])
    """
    if given is None:
        return {}
    if not isinstance(given, (list, tuple)):
        return {"acc": _metric(given)}
    named: dict[str, Measure] = {}
    for one in given:
        name = one if isinstance(one, str) else _name(one)
        if name in named or name == "loss":
            raise ValueError(f"compile expects metrics of different names, but two are called {name!r}")
        named[name] = _metric(one)
    return named


def _metric(given: Any) -> Measure:
    if isinstance(given, str) and given in METRICS:
        return METRICS[given]()
    if not _is_function(given):
        raise TypeError(_expected("a metric, such as CategoricalAccuracy(), or None", given, METRICS))
    found: Measure = given
    return found


def _name(metric: Any) -> str:
    own = getattr(metric, "__name__", None) or type(metric).__name__
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", own).lower()


def _is_function(thing: Any) -> bool:
    """Whether calling it gives a value, as calling `MeanSquaredError`, without `()`, does not."""
    return callable(thing) and not (isinstance(thing, type) and issubclass(thing, Callable))


def _expected(what: str, given: Any, known: Mapping[str, Any]) -> str:
    if isinstance(given, type):
        return f"compile expects {what}, but got {given!r}: write {given.__name__}(…), with parentheses"
    if isinstance(given, str):
        return f"compile expects {what}, but got {given!r}; the names that are known are {', '.join(known)}"
    return f"compile expects {what}, but got {given!r}"
