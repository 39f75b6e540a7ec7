"""What is called while a model is trained: to stop, to save, to write down, to change the learning rate."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from beras.checks import number, whole_number

Logs = dict[str, float]


class Callback:
    """Something that `fit(callbacks=[…])` calls at every beginning and end. Subclasses write what they need.

    `self.model` is the model, `self.params` says `epochs`, `steps` and `verbose`. `logs` holds the metrics so far; what
    `on_epoch_end` adds to it goes into the history. `self.model.stop_training = True` ends the training: after the
    epoch, or at once in `on_train_batch_end`. Epochs and batches are counted from 0.

    >>> class Stop(Callback):
    ...     def on_epoch_end(self, epoch, logs):
    ...         self.model.stop_training = logs["loss"] < 0.1
    """

    model: Any = None
    params: Mapping[str, Any] = {}

    def set_model(self, model: Any) -> None:
        """Take the model that is about to be trained."""
        self.model = model

    def set_params(self, params: Mapping[str, Any]) -> None:
        """Take what is known about the training."""
        self.params = params

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """The training begins."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """The training is over, however it ended, but for an exception."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """An epoch begins."""

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """An epoch, its validation included, is over."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """A step begins."""

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        """A step is done."""


class _Watching(Callback):
    """Watches one metric for its best value."""

    def __init__(self, monitor: str, mode: str, min_delta: float = 0.0) -> None:
        who = type(self).__name__
        if mode not in ("auto", "min", "max"):
            raise ValueError(f"{who} expects mode to be 'auto', 'min' or 'max', got {mode!r}")
        self.monitor, self.mode, self.min_delta = monitor, mode, abs(number(min_delta, who, "min_delta"))
        self.best: float | None = None

    def _now(self, logs: Logs) -> float:
        if self.monitor not in logs:
            raise ValueError(
                f"{type(self).__name__} watches {self.monitor!r}, but there is only {', '.join(logs)}: give "
                "validation_data, or another monitor"
            )
        return logs[self.monitor]

    def _better(self, value: float, than: float | None) -> bool:
        if np.isnan(value) or than is None:
            return not np.isnan(value)
        upwards = self.mode == "max" or (self.mode == "auto" and "acc" in self.monitor)
        return value - self.min_delta > than if upwards else value + self.min_delta < than


class EarlyStopping(_Watching):
    """Stops when `monitor` has not become better, by more than `min_delta`, for `patience` epochs.

    `mode`: "min", "max", or "auto", which is "max" for accuracies. `baseline`: the value to be beaten at first.
    `restore_best_weights=True` goes back to the weights of the best epoch when the training ends. Nothing is watched
    before `start_from_epoch`.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0.0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        self.patience = whole_number(patience, "EarlyStopping", "patience", 0)
        self.start_from_epoch = whole_number(start_from_epoch, "EarlyStopping", "start_from_epoch", 0)
        self.verbose, self.baseline, self.restore_best_weights = verbose, baseline, restore_best_weights
        self.stopped_epoch = 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Begin anew."""
        self.best, self.wait, self.best_epoch, self.stopped_epoch = None, 0, 0, 0
        self.best_weights: list[Any] | None = None

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Stop if it has been long enough."""
        if epoch < self.start_from_epoch:
            return
        value = self._now(logs)
        self.wait += 1
        if self._better(value, self.best):
            self.best, self.best_epoch = value, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self._better(value, self.baseline):
                self.wait = 0
                return
        if self.wait >= max(self.patience, 1):
            self.stopped_epoch, self.model.stop_training = epoch, True
            if self.verbose:
                print(f"Epoch {epoch + 1}: stopped early, {self.monitor} was best in epoch {self.best_epoch + 1}")

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Go back to the best weights, if wanted."""
        if self.best_weights is not None:
            self.model.set_weights(self.best_weights)


class ModelCheckpoint(_Watching):
    """Saves the model, or its weights alone, after every epoch, or only when `monitor` has become better.

    `filepath` may hold `{epoch:02d}` (1 for the first) and metrics, `{val_loss:.2f}`.
    """

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__(monitor, mode)
        self.filepath, self.verbose = os.fspath(filepath), verbose
        self.save_best_only, self.save_weights_only = save_best_only, save_weights_only
        self.best = initial_value_threshold

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Save, if it is time to."""
        if self.save_best_only:
            value = self._now(logs)
            if not self._better(value, self.best):
                return
            self.best = value
        try:
            path = self.filepath.format(epoch=epoch + 1, **logs)
        except KeyError as error:
            raise ValueError(f"ModelCheckpoint's filepath names {error}, but there is only {', '.join(logs)}") from None
        (self.model.save_weights if self.save_weights_only else self.model.save)(path)
        if self.verbose:
            print(f"Epoch {epoch + 1}: saved {path}")


class LearningRateScheduler(Callback):
    """Sets the learning rate before every epoch to `schedule(epoch, rate)`, or `schedule(epoch)`.

    The history gets it as `learning_rate`.
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        if not callable(schedule):
            raise TypeError(f"LearningRateScheduler expects a function of the epoch and the rate, got {schedule!r}")
        self.schedule, self.verbose = schedule, verbose

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Ask for the rate, and set it."""
        optimizer = self.model.optimizer
        if getattr(optimizer, "learning_rate", None) is None or getattr(optimizer, "schedule", None) is not None:
            raise TypeError(
                "LearningRateScheduler needs an optimizer whose learning_rate is a number, not a schedule already"
            )
        both = len(inspect.signature(self.schedule).parameters) > 1
        rate = self.schedule(epoch, optimizer.learning_rate) if both else self.schedule(epoch)
        optimizer.learning_rate = float(number(rate, "LearningRateScheduler", "what its schedule returns"))
        if self.verbose:
            print(f"Epoch {epoch + 1}: learning rate {optimizer.learning_rate:.4g}")

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Write the rate down."""
        logs["learning_rate"] = float(self.model.optimizer.learning_rate)


class CSVLogger(Callback):
    """Writes a line for every epoch to a file: its number, from 0, and the metrics, in the order of their names."""

    def __init__(self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False) -> None:
        self.filename, self.separator, self.append = Path(filename), separator, append

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Begin a new file, unless it is to be appended to."""
        self._names: Sequence[str] | None = None
        if not self.append:
            self.filename.write_text("", encoding="utf-8")

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Write a line, after a line of names if it is the first."""
        begun = self.filename.exists() and self.filename.stat().st_size > 0
        if self._names is None:
            self._names = sorted(logs)
        with self.filename.open("a", encoding="utf-8", newline="") as file:
            if not begun:
                file.write(self.separator.join(["epoch", *self._names]) + "\n")
            values = [repr(float(logs[name])) if name in logs else "NA" for name in self._names]
            file.write(self.separator.join([str(epoch), *values]) + "\n")


def checked_callbacks(callbacks: Any) -> list[Callback]:
    """Return the callbacks as a list. Raises `TypeError` for what is none."""
    found = [callbacks] if isinstance(callbacks, Callback) else list(callbacks or ())
    for index, callback in enumerate(found):
        if isinstance(callback, type):
            raise TypeError(f"callbacks[{index}] is the class {callback.__name__}: write {callback.__name__}(…)")
        if not isinstance(callback, Callback):
            raise TypeError(f"callbacks[{index}] is a {type(callback).__name__}: derive it from beras.Callback")
    return found
