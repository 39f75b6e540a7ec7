"""Models: layers that are trained together.

    model = SequentialModel([Dense(784, 64, "kaiming"), ReLU(), Dense(64, 10, "kaiming"), Softmax()])
    model.compile(Adam(0.001), CategoricalCrossEntropy(), CategoricalAccuracy())
    history = model.fit(x_train, y_train, epochs=10, batch_size=128, validation_data=(x_test, y_test))
    metrics, predictions = model.evaluate(x_test, y_test, batch_size=1000)

`compile`, `fit`, `evaluate`, `predict` and `summary` are named and behave as in Keras; where they do not, the page
"Keras → Beras" says so.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable as Function
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np

from beras.batches import Means, Samples, Stream, checked_batch_size, is_stream, validation_of
from beras.callbacks import Callback, checked_callbacks
from beras.checks import whole_number
from beras.compiling import Trains as Optimizer
from beras.compiling import loss_of, metrics_of, optimizer_of
from beras.core import Callable, Tensor
from beras.divergence import TrainingDiverged, where_it_began
from beras.fitting import Fitting, in_the_order_of_the_course
from beras.gradient_tape import GradientTape
from beras.history import History, print_stats, stats_as_text, update_metric_dict
from beras.layer_list import checked_layers
from beras.loss import Loss, SampleWeighted
from beras.saving import save_model
from beras.summary import summary_text
from beras.symbol import Symbol
from beras.untrained import warn_of_hidden_weights, warn_of_lost_gradients
from beras.weights import Composite

__all__ = ["Model", "Optimizer", "SequentialModel", "print_stats", "stats_as_text", "update_metric_dict"]

Metrics = dict[str, float]


class Model(Composite, Callable):
    """Layers with a forward pass. Subclasses write `forward(x)`, and call their layers in it.

    Layers may be kept anywhere: as attributes, in lists or dicts, in models inside this one. A model is
    itself a layer of a bigger one. Inside a GradientTape it is its layers that are recorded.

    `Model(inputs, outputs)`, of what `Input` returned and of what layers made of it, is a `FunctionalModel`.
    """

    not_parts: ClassVar[frozenset[str]] = frozenset(
        {"optimizer", "loss_fn", "acc_fn", "metrics", "_trained", "_weighted"}
    )
    functional: ClassVar[Any] = None  # FunctionalModel, which puts itself here

    optimizer: Optimizer | None = None
    loss_fn: Function[..., Any] | None = None
    acc_fn: Function[..., Any] | None = None
    metrics: Mapping[str, Function[..., Any]] = {}
    stop_training = False
    number_of_inputs = 1
    _first_step_seen = False
    _fitting = False
    _trained: list[Tensor] | None = None  # the trainable weights, while `fit` knows them
    _weighted: SampleWeighted | None = None

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """Make a FunctionalModel of inputs and outputs."""
        if cls is Model and len(args) < 2 and "outputs" not in kwargs:
            raise TypeError(
                "Model expects inputs and outputs, Model(inputs, outputs), or a subclass that has forward(x)"
            )
        return object.__new__(cls.functional if cls is Model else cls)

    def __init__(self, layers: Iterable[Function[..., Any]] = ()) -> None:
        self.layers = checked_layers(layers, type(self).__name__)

    def __call__(self, *args: Any, training: bool | None = None, **kwargs: Any) -> Any:
        """Call `forward`, in the mode that is asked for, if one is."""
        if training is None:
            return self.forward(*args, **kwargs)
        with self.mode(training):
            return self.forward(*args, **kwargs)

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Have all layers make their weights for input of this shape, `(batch, …)`; the batch does not count."""
        zeros = np.zeros((1, *[whole_number(n or 0, "build", "a size after the batch's") for n in input_shape[1:]]))
        with self.mode(training=False):
            self.forward(zeros.astype(np.float32))

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        metrics: Any = None,
        *,
        loss_fn: Any = None,
        acc_fn: Any = None,
    ) -> None:
        """Choose how to train: `loss(y_pred, y_true)` is made small, `metrics` are reported.

        Objects, or Keras' names ("adam", "mse", "accuracy"). A single metric (`acc_fn`, in the course's words) is
        called "acc" in the history, those of a list by their names. `loss_fn` is another name for `loss`.

        Raises TypeError for what cannot be used so, classes among it.
        """
        if loss is not None and loss_fn is not None:
            raise TypeError("compile got loss and loss_fn, which are two names for the same thing")
        if metrics is not None and acc_fn is not None:
            raise TypeError("compile got metrics and acc_fn, which are two names for the same thing")
        chosen = optimizer_of(optimizer), loss_of(loss_fn if loss is None else loss)
        self.metrics = metrics_of(acc_fn if metrics is None else metrics)
        self.optimizer, self.loss_fn = chosen
        self.acc_fn = self.metrics.get("acc")
        self._first_step_seen = False

    def batch_step(self, x: Any, y: Any, training: bool = True, sample_weight: Any = None) -> Any:
        """Run one batch and return its metrics, `{"loss": …, "acc": …}` (without metrics, the loss alone).

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
                y = _as_column(y, y_pred)
                loss = self._loss(self.loss_fn, y_pred, y, sample_weight)
                return self._metrics(_one_number(loss, "a loss"), y_pred, y), y_pred
        if self._trained is not None:
            return self._training_step(x, y, sample_weight, self.loss_fn, self.optimizer)
        with self.mode(training=True):
            return self._training_step(x, y, sample_weight, self.loss_fn, self.optimizer)

    def _loss(self, loss_fn: Function[..., Any], y_pred: Any, y: Any, sample_weight: Any) -> Any:
        if sample_weight is None:
            return loss_fn(y_pred, y)
        if not isinstance(loss_fn, Loss):
            raise TypeError(
                "weights of samples or classes need a loss that says what each sample's is: a Loss of Beras, not a "
                "function"
            )
        if self._weighted is None or self._weighted.loss is not loss_fn:
            self._weighted = SampleWeighted(loss_fn)
        return self._weighted(y_pred, y, sample_weight)

    def _training_step(
        self, x: Any, y: Any, sample_weight: Any, loss_fn: Function[..., Any], optimizer: Optimizer
    ) -> Metrics:
        with GradientTape() as tape:
            y_pred = self.forward(x)
            y = _as_column(y, y_pred)
            loss = loss_fn(y_pred, y) if sample_weight is None else self._loss(loss_fn, y_pred, y, sample_weight)
        value = _one_number(loss, "a loss")  # what is wrong with it must show before any weight changes
        if not isinstance(loss, Tensor):
            raise TypeError(
                f"a loss must be a Tensor computed from y_pred, but is a {type(loss).__name__}, which has no gradient: "
                "leave out float(), .item() and np.asarray(), in `forward` as well"
            )
        if self._fitting and not math.isfinite(value):
            raise TrainingDiverged(f"the loss is {value}; {where_it_began(self, tape, x, y)}")
        # Looked up after the forward pass, which may be the first and build layers.
        trainable = self.trainable_variables if self._trained is None else self._trained
        gradients = tape.gradient(loss, trainable)
        if not self._first_step_seen:
            self._first_step_seen = True
            data = [*(x if isinstance(x, list) else [x]), y]
            warn_of_hidden_weights(self, tape, data if sample_weight is None else [*data, sample_weight], loss_fn)
            warn_of_lost_gradients(self, trainable, gradients)
        optimizer.apply_gradients(trainable, gradients)
        return self._metrics(value, y_pred, y)

    def _metrics(self, loss: float, y_pred: Any, y: Any) -> Metrics:
        metrics = {"loss": loss}
        for name, metric in self.metrics.items():
            metrics[name] = _one_number(metric(y_pred, y), "a metric")
        return metrics

    @in_the_order_of_the_course
    def fit(
        self,
        x: Any,
        y: Any = None,
        epochs: int = 1,
        batch_size: int = 32,
        *,
        shuffle: bool = True,
        seed: int | None = None,
        validation_data: Any = None,
        validation_split: float = 0.0,
        class_weight: Mapping[int, float] | None = None,
        sample_weight: Any = None,
        callbacks: Sequence[Callback] | Callback = (),
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        verbose: bool | int | str = True,
    ) -> History:
        """Train on `x (n, …)` and `y (n, …)`, and return one value per epoch for every metric.

        A metric of an epoch is the mean over its samples, taken while the weights moved: a smaller last
        batch counts by its size. `shuffle` draws a new order for each epoch (from `seed`, the same ones
        again). `validation_data=(x, y)`, or the last `validation_split` of the samples, is evaluated after each epoch,
        as `val_loss` and so on. `sample_weight (n,)` and `class_weight`, by class, multiply the losses of samples.
        `callbacks`: see `beras.callbacks`. Epochs are numbered from `initial_epoch` to `epochs`. After
        `steps_per_epoch` batches an epoch is over; the next one goes on from there.

        `x` may be a generator of batches `(x, y)` or `(x, y, sample_weight)`, or something that can be iterated over
        again for every epoch; then there is no `y`. A model of several inputs takes a list of arrays.

        Which weights are trainable is looked up once per epoch.
        Ctrl-C stops after the running batch: the weights are kept, and the history ends with the part of
        the epoch that was trained.

        Raises ValueError for data that do not fit together, TypeError for other than integer numbers of epochs and
        samples, RuntimeError before `compile`, TrainingDiverged as soon as the loss is NaN or infinite.
        """
        batch_size = checked_batch_size(batch_size)
        whole_number(epochs, "fit", "epochs", 0)
        whole_number(initial_epoch, "fit", "initial_epoch", 0)
        if steps_per_epoch is not None:
            whole_number(steps_per_epoch, "fit", "steps_per_epoch")
        data: Samples | Stream
        validation = None
        if validation_data is not None:
            # What is wrong with them should not wait for an epoch's end.
            validation = Samples.of(*validation_of(validation_data, "validation_data"), inputs=self.number_of_inputs)
        if is_stream(x, y):
            if validation_split or class_weight is not None or sample_weight is not None:
                raise ValueError("validation_split and weights need arrays: a generator yields (x, y, sample_weight)")
            data = Stream(x, steps_per_epoch)
        else:
            if y is None:
                raise ValueError("fit needs y for x, or a generator of batches (x, y)")
            data = Samples.of(x, y, sample_weight, inputs=self.number_of_inputs).weighted_by_class(class_weight)
            if validation_split and validation is None:
                data, validation = data.parted(validation_split)
        rng = np.random.default_rng(seed)
        if validation is None:
            validate = None
        else:
            held = validation

            def validate() -> Metrics:
                return self._evaluate(held, batch_size)[0]

        return Fitting(
            self,
            data,
            epochs=epochs,
            initial_epoch=initial_epoch,
            batch_size=batch_size,
            steps_per_epoch=steps_per_epoch,
            order=rng.permutation if shuffle else lambda n: None,
            validate=validate,
            callbacks=checked_callbacks(callbacks),
            verbose=verbose not in (False, 0),
        ).run()

    @contextmanager
    def fitting(self) -> Iterator[None]:
        """For an epoch: in training mode, with the weights that are trained known after the first step."""
        self._fitting = True
        try:
            with self.mode(training=True):
                yield
        finally:
            self._trained, self._fitting = None, False

    def remember_trained(self) -> None:
        """Look up the weights that are trained, once an epoch: finding them takes time."""
        if self._trained is None:
            self._trained = self.trainable_variables

    def evaluate(
        self,
        x: Any,
        y: Any,
        batch_size: int = 32,
        *,
        sample_weight: Any = None,
        verbose: bool | int | str = False,
        return_dict: bool = False,
    ) -> Any:
        """Return `(metrics, predictions)` for `x (n, …)` and `y (n, …)`: means over all samples, no weight changed.

        `return_dict=True`: the metrics alone, as in Keras.
        """
        batch_size = checked_batch_size(batch_size)
        found = self._evaluate(Samples.of(x, y, sample_weight, inputs=self.number_of_inputs), batch_size)
        if verbose not in (False, 0):
            print(stats_as_text(found[0]))
        return found[0] if return_dict else found

    def _evaluate(self, data: Samples, batch_size: int) -> tuple[Metrics, Tensor]:
        means, predictions = Means(), []
        for x, y, weight in data.batches(batch_size):
            options = {} if weight is None else {"sample_weight": weight}
            metrics, y_pred = self.batch_step(x, y, training=False, **options)
            means.add(metrics, len(np.asarray(y_pred)))
            predictions.append(np.asarray(y_pred))
        return means.values(), Tensor(np.concatenate(predictions))

    def predict(self, x: Any, batch_size: int = 32, *, verbose: bool | int | str = False) -> Any:
        """Return what the model makes of `x (n, …)`, batch by batch, with its layers in evaluation mode.

        A model of several outputs returns a list. Nothing is printed, whatever `verbose` says.
        """
        batch_size = checked_batch_size(batch_size)
        data = Samples.of(x, None, inputs=self.number_of_inputs)
        with self.mode(training=False):
            outputs = [self.forward(batch) for batch, _, _ in data.batches(batch_size)]
        if isinstance(outputs[0], (list, tuple)):
            return [
                Tensor(np.concatenate([np.asarray(part) for part in parts])) for parts in zip(*outputs, strict=True)
            ]
        return Tensor(np.concatenate([np.asarray(output) for output in outputs]))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model to one file, from which `load_model` makes it again: see `beras.saving`."""
        save_model(self, path)

    def summary(self) -> None:
        """Print the layers with the shapes of their weights, and how many numbers are trained."""
        print(summary_text(self))


class SequentialModel(Model):
    """y = layers[-1](… layers[1](layers[0](x))).

    An `Input` at the beginning says the shape of a sample, so that layers that make their weights at the first call
    make them at once.
    """

    not_parts: ClassVar[frozenset[str]] = Model.not_parts | {"_output"}

    def __init__(self, layers: Iterable[Function[..., Any]] = (), *more: Any) -> None:
        if more:
            raise TypeError("SequentialModel expects one list of layers: write SequentialModel([…])")
        super().__init__()
        self._output: Any = None  # what the layers make of an Input at the beginning, if there is one
        for layer in checked_layers(layers, type(self).__name__):
            self._append(layer)

    def add(self, layer: Function[..., Any]) -> None:
        """Append a layer, or an `Input` before all layers."""
        [layer] = checked_layers([layer], type(self).__name__)
        self._append(layer)

    def _append(self, layer: Any) -> None:
        if isinstance(layer, Symbol):
            if self.layers or self._output is not None:
                raise TypeError(f"{type(self).__name__} takes one Input, before all layers")
            self._output = layer
            return
        self.layers.append(layer)
        if self._output is not None:
            self._output = layer(self._output)  # which makes the weights

    def forward(self, x: Any) -> Any:
        """Pass `x` through all layers, each of which is recorded by a tape."""
        for layer in self.layers:
            x = layer(x)
        return x


def _as_column(y: Any, y_pred: Any) -> Any:
    """Return labels `(batch,)` as the column `(batch, 1)` where the model's output is one, as Keras does."""
    is_one = getattr(y, "ndim", 2) == 1 and getattr(y_pred, "shape", None) == (len(y), 1)
    return np.asarray(y).reshape(-1, 1) if is_one else y


def _one_number(value: Any, what: str) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        got = f"an array of shape {np.shape(value)}" if isinstance(value, np.ndarray) else repr(value)
        raise ValueError(
            f"{what} must be one number for the batch, but is {got}: take the mean over the samples (np.mean)"
        ) from None
