"""The training loop: epochs of batches, with validation, callbacks, progress, and Ctrl-C."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, ParamSpec, TypeVar

import numpy as np

from beras.batches import Batch, Means, Samples, Stream, size_of
from beras.callbacks import Callback
from beras.divergence import TrainingDiverged
from beras.history import History, stats_as_text, update_metric_dict
from beras.interrupt import StopOnInterrupt
from beras.progress import Progress

P = ParamSpec("P")
R = TypeVar("R")
MANY_EPOCHS = 32


def in_the_order_of_the_course(fit: Callable[P, R]) -> Callable[P, R]:
    """Warn where `fit(x, y, 128, 1)` may mean batches of 128 samples, as it does in Keras."""

    @functools.wraps(fit)
    def warned(*args: P.args, **kwargs: P.kwargs) -> R:
        epochs = args[3] if len(args) > 3 else None
        batch_size: Any = args[4] if len(args) > 4 else kwargs.get("batch_size", 32)
        whole = (int, np.integer)
        if isinstance(epochs, whole) and isinstance(batch_size, whole) and MANY_EPOCHS <= epochs > batch_size:
            warnings.warn(
                f"fit(x, y, {epochs}, …) trains for {epochs} epochs in batches of {batch_size}: in Keras the batch "
                "size comes first, so name them (epochs=…, batch_size=…)",
                stacklevel=2,
            )
        return fit(*args, **kwargs)

    return warned


class Fitting:
    """One training of a model."""

    def __init__(
        self,
        model: Any,
        data: Samples | Stream,
        *,
        epochs: int,
        initial_epoch: int,
        batch_size: int,
        steps_per_epoch: int | None,
        order: Callable[[int], Any],
        validate: Callable[[], dict[str, float]] | None,
        callbacks: Sequence[Callback],
        verbose: bool,
    ) -> None:
        self.model, self.data, self.epochs, self.initial_epoch = model, data, epochs, initial_epoch
        self.batch_size, self.steps, self.order = batch_size, steps_per_epoch, order
        self.validate, self.callbacks, self.verbose = validate, callbacks, verbose
        self._batches: Iterator[Batch] | None = None

    def run(self) -> History:
        """Train; return the history."""
        history, model = History(), self.model
        steps = self.steps
        if steps is None and isinstance(self.data, Samples):
            steps = -(-len(self.data) // self.batch_size)
        for callback in self.callbacks:
            callback.set_model(model)
            callback.set_params({"epochs": self.epochs, "steps": steps, "verbose": self.verbose})
        model.stop_training = False
        self._tell("on_train_begin", {})
        with StopOnInterrupt() as interrupt:
            for epoch in range(self.initial_epoch, self.epochs):
                self._tell("on_epoch_begin", epoch, {})
                try:
                    metrics = self._epoch(epoch, interrupt)
                except TrainingDiverged as error:
                    error.history = history
                    raise
                self._tell("on_epoch_end", epoch, metrics)
                history.epoch.append(epoch)
                update_metric_dict(history, metrics)
                if interrupt.requested or model.stop_training:
                    break
        self._tell("on_train_end", {})
        return history

    def _epoch(self, epoch: int, interrupt: StopOnInterrupt) -> dict[str, float]:
        """Train for one epoch, and validate; return the metrics."""
        means, total = Means(), None
        if isinstance(self.data, Samples):
            total = len(self.data) if self.steps is None else None
        label = f"Epoch {epoch + 1}/{self.epochs}"
        with Progress(label, total, "samples", quiet=not self.verbose) as progress:
            self._train(epoch, means, progress, interrupt)
            seconds, metrics = progress.elapsed(), means.values()
            if self.validate is not None:
                metrics |= {f"val_{name}": value for name, value in self.validate().items()}
            stopped = "  stopped by Ctrl-C" if interrupt.requested else ""
            progress.close(means.count, stats_as_text(metrics) + stopped, seconds)
        return metrics

    def _train(self, epoch: int, means: Means, progress: Progress, interrupt: StopOnInterrupt) -> None:
        model, told = self.model, bool(self.callbacks)

        def note() -> str:
            return stats_as_text(means.values())

        with model.fitting():
            for number, (x, y, weight) in enumerate(self._batches_of_epoch()):
                if told:
                    self._tell("on_train_batch_begin", number, {})
                try:
                    if weight is None:
                        metrics = model.batch_step(x, y, training=True)
                    else:
                        metrics = model.batch_step(x, y, training=True, sample_weight=weight)
                except TrainingDiverged as error:
                    raise TrainingDiverged(
                        f"training stopped in epoch {epoch + 1}, batch {number + 1}: {error}"
                    ) from None
                means.add(metrics, size_of(x))
                model.remember_trained()
                progress.update(means.count, note)
                if told:
                    self._tell("on_train_batch_end", number, dict(metrics))
                if interrupt.requested or model.stop_training:
                    break

    def _batches_of_epoch(self) -> Iterable[Batch]:
        if isinstance(self.data, Stream):
            return self.data.batches()
        if self.steps is None:
            return self.data.batches(self.batch_size, self.order(len(self.data)))
        return self._some(self.data)

    def _some(self, data: Samples) -> Iterator[Batch]:
        """Yield `steps_per_epoch` batches; the next epoch goes on with the next one, and from the start at the end."""
        for _ in range(self.steps or 0):
            batch = None if self._batches is None else next(self._batches, None)
            if batch is None:
                self._batches = data.batches(self.batch_size, self.order(len(data)))
                batch = next(self._batches)
            yield batch

    def _tell(self, what: str, *arguments: Any) -> None:
        for callback in self.callbacks:
            getattr(callback, what)(*arguments)
