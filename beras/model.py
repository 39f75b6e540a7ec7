"""Models: layers that are trained together.

    model = SequentialModel([Dense(784, 64, "kaiming"), ReLU(), Dense(64, 10, "kaiming"), Softmax()])
    model.compile(Adam(0.001), CategoricalCrossEntropy(), CategoricalAccuracy())
    history = model.fit(x_train, y_train, epochs=10, batch_size=128, validation_data=(x_test, y_test))
    metrics, predictions = model.evaluate(x_test, y_test, batch_size=1000)

`compile`, `fit`, `evaluate`, `predict` and `summary` are named and behave as in Keras.
"""

from __future__ import annotations

from collections.abc import Callable as Function
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Protocol

import numpy as np

from beras.batches import Means, batches, dataset, pair
from beras.checks import whole_number
from beras.core import Callable, Tensor
from beras.gradient_tape import GradientTape
from beras.interrupt import StopOnInterrupt
from beras.progress import Progress
from beras.summary import summary_text
from beras.untrained import warn_of_hidden_weights, warn_of_lost_gradients
from beras.weights import Composite

Metrics = dict[str, float]
History = dict[str, list[float]]


class Optimizer(Protocol):
    """What `compile` takes as optimizer."""

    def apply_gradients(self, trainable_params: list[Any], grads: list[Any]) -> None:
        """Update the parameters in place."""


class Model(Composite, Callable):
    """Layers with a forward pass. Subclasses write `forward(x)`, and call their layers in it.

    Layers may be kept anywhere: as attributes, in lists or dicts, in models inside this one. A model is
    itself a layer of a bigger one. Inside a GradientTape it is its layers that are recorded.
    """

    not_parts: ClassVar[frozenset[str]] = frozenset({"optimizer", "loss_fn", "acc_fn", "_trained"})

    optimizer: Optimizer | None = None
    loss_fn: Function[..., Any] | None = None
    acc_fn: Function[..., Any] | None = None
    _first_step_seen = False
    _trained: list[Tensor] | None = None  # the trainable weights, while `fit` knows them

    def __init__(self, layers: Iterable[Function[..., Any]] = ()) -> None:
        self.layers = list(layers)
        for index, layer in enumerate(self.layers):
            if not callable(layer):
                raise TypeError(f"expected layers, but layers[{index}] is a {type(layer).__name__}: {layer!r}")

    def compile(
        self, optimizer: Optimizer, loss_fn: Function[..., Any], acc_fn: Function[..., Any] | None = None
    ) -> None:
        """Choose how to train: `loss_fn(y_pred, y_true)` is made small, `acc_fn(y_pred, y_true)` is reported.

        Raises TypeError for what cannot be used so, names as in Keras ("adam") and classes among it.
        """
        if not callable(getattr(optimizer, "apply_gradients", None)) or isinstance(optimizer, type):
            raise TypeError(f"compile expects an optimizer, such as Adam(0.001), but got {optimizer!r}")
        if not _is_function(loss_fn):
            raise TypeError(f"compile expects a loss, such as MeanSquaredError(), but got {loss_fn!r}")
        if acc_fn is not None and not _is_function(acc_fn):
            raise TypeError(f"compile expects a metric, such as CategoricalAccuracy(), or None, but got {acc_fn!r}")
        self.optimizer, self.loss_fn, self.acc_fn = optimizer, loss_fn, acc_fn
        self._first_step_seen = False

    def batch_step(self, x: Any, y: Any, training: bool = True) -> Any:
        """Run one batch and return its metrics, `{"loss": …, "acc": …}` (without `acc` if there is no `acc_fn`).

        With `training` the weights take one step of the optimizer. Without it nothing changes, and the
        answer is `(metrics, predictions)`.

        Raises RuntimeError before `compile`; ValueError for a loss that is not one number, TypeError for one
        that has no gradient, both before the optimizer's step.
        """
        if self.loss_fn is None or self.optimizer is None:
            raise RuntimeError("the model has no loss and optimizer yet: call compile(optimizer, loss_fn, acc_fn)")
        if not training:
            with self.mode(training=False):
                y_pred = self.forward(x)
                return self._metrics(_one_number(self.loss_fn(y_pred, y), "a loss"), y_pred, y), y_pred
        if self._trained is not None:
            return self._training_step(x, y, self.loss_fn, self.optimizer)
        with self.mode(training=True):
            return self._training_step(x, y, self.loss_fn, self.optimizer)

    def _training_step(self, x: Any, y: Any, loss_fn: Function[..., Any], optimizer: Optimizer) -> Metrics:
        with GradientTape() as tape:
            y_pred = self.forward(x)
            loss = loss_fn(y_pred, y)
        value = _one_number(loss, "a loss")  # what is wrong with it must show before any weight changes
        if not isinstance(loss, Tensor):
            raise TypeError(
                f"a loss must be a Tensor computed from y_pred, but is a {type(loss).__name__}, which has no gradient: "
                "leave out float(), .item() and np.asarray(), in `forward` as well"
            )
        # Looked up after the forward pass, which may be the first and build layers.
        trainable = self.trainable_variables if self._trained is None else self._trained
        gradients = tape.gradient(loss, trainable)
        if not self._first_step_seen:
            self._first_step_seen = True
            warn_of_hidden_weights(self, tape, (x, y), loss_fn)
            warn_of_lost_gradients(self, trainable, gradients)
        optimizer.apply_gradients(trainable, gradients)
        return self._metrics(value, y_pred, y)

    def _metrics(self, loss: float, y_pred: Any, y: Any) -> Metrics:
        metrics = {"loss": loss}
        if self.acc_fn is not None:
            metrics["acc"] = _one_number(self.acc_fn(y_pred, y), "a metric")
        return metrics

    def fit(
        self,
        x: Any,
        y: Any,
        epochs: int = 1,
        batch_size: int = 32,
        *,
        shuffle: bool = True,
        seed: int | None = None,
        validation_data: tuple[Any, Any] | None = None,
        verbose: bool = True,
    ) -> History:
        """Train on `x (n, …)` and `y (n, …)`, and return one value per epoch for every metric.

        A metric of an epoch is the mean over its samples, taken while the weights moved: a smaller last
        batch counts by its size. `shuffle` draws a new order for each epoch (from `seed`, the same ones
        again). `validation_data=(x, y)` is evaluated after each epoch, as `val_loss` and `val_acc`.
        Which weights are trainable is looked up once per epoch.
        Ctrl-C stops after the running batch: the weights are kept, and the history ends with the part of
        the epoch that was trained.

        Raises ValueError for data that do not fit together, TypeError for other than integer numbers of epochs and
        samples, RuntimeError before `compile`.
        """
        inputs, labels = dataset(x, y, batch_size)
        whole_number(epochs, "fit", "epochs", 0)
        if validation_data is not None:
            # What is wrong with them should not wait for an epoch's end.
            dataset(*pair(validation_data, "validation_data"), batch_size)
        rng = np.random.default_rng(seed)
        history: History = {}
        with StopOnInterrupt() as interrupt:
            for epoch in range(epochs):
                order = rng.permutation(len(inputs)) if shuffle else None
                label = f"Epoch {epoch + 1}/{epochs}"
                with Progress(label, len(inputs), "samples", quiet=not verbose) as progress:
                    means = self._train_epoch(batches((inputs, labels), batch_size, order), progress, interrupt)
                    seconds, metrics = progress.elapsed(), means.values()
                    if validation_data is not None:
                        validation, _ = self.evaluate(*validation_data, batch_size)
                        metrics |= {f"val_{name}": value for name, value in validation.items()}
                    stopped = "  stopped by Ctrl-C" if interrupt.requested else ""
                    progress.close(means.count, stats_as_text(metrics) + stopped, seconds)
                update_metric_dict(history, metrics)
                if interrupt.requested:
                    break
        return history

    def _train_epoch(self, data: Iterable[Sequence[Tensor]], progress: Progress, interrupt: StopOnInterrupt) -> Means:
        means = Means()

        def note() -> str:
            return stats_as_text(means.values())

        try:
            with self.mode(training=True):
                for x, y in data:
                    means.add(self.batch_step(x, y, training=True), len(x))
                    if self._trained is None:
                        self._trained = self.trainable_variables  # once an epoch: finding them takes time
                    progress.update(means.count, note)
                    if interrupt.requested:
                        break
        finally:
            self._trained = None
        return means

    def evaluate(self, x: Any, y: Any, batch_size: int = 32) -> tuple[Metrics, Tensor]:
        """Return `(metrics, predictions)` for `x (n, …)` and `y (n, …)`: means over all samples, no weight changed."""
        means, predictions = Means(), []
        for batch_x, batch_y in batches(dataset(x, y, batch_size), batch_size):
            metrics, y_pred = self.batch_step(batch_x, batch_y, training=False)
            means.add(metrics, len(batch_x))
            predictions.append(np.asarray(y_pred))
        return means.values(), Tensor(np.concatenate(predictions))

    def predict(self, x: Any, batch_size: int = 32) -> Tensor:
        """Return what the model makes of `x (n, …)`, batch by batch, with its layers in evaluation mode."""
        inputs, _ = dataset(x, None, batch_size)
        with self.mode(training=False):
            outputs = [np.asarray(self.forward(batch)) for (batch,) in batches([inputs], batch_size)]
        return Tensor(np.concatenate(outputs))

    def summary(self) -> None:
        """Print the layers with the shapes of their weights, and how many numbers are trained."""
        print(summary_text(self))


class SequentialModel(Model):
    """y = layers[-1](… layers[1](layers[0](x)))."""

    def forward(self, x: Any) -> Any:
        """Pass `x` through all layers, each of which is recorded by a tape."""
        for layer in self.layers:
            x = layer(x)
        return x


def _is_function(thing: Any) -> bool:
    """Whether calling it gives a value, as calling `MeanSquaredError`, without `()`, does not."""
    return callable(thing) and not (isinstance(thing, type) and issubclass(thing, Callable))


def _one_number(value: Any, what: str) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        got = f"an array of shape {np.shape(value)}" if isinstance(value, np.ndarray) else repr(value)
        raise ValueError(
            f"{what} must be one number for the batch, but is {got}: take the mean over the samples (np.mean)"
        ) from None


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
