"""Train a network on MNIST: `python -m beras.assignment`.

Prints its progress, evaluates on the 10,000 test images, and saves `predictions.npy` in the current folder:
the probabilities of the ten digits for each test image, `(10000, 10)`; the digits are `argmax(axis=1)`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from beras.activations import ReLU, Softmax
from beras.divergence import TrainingDiverged
from beras.files import written_in_one_step
from beras.layers import Dense
from beras.losses import CategoricalCrossEntropy
from beras.metrics import CategoricalAccuracy
from beras.model import SequentialModel
from beras.onehot import OneHotEncoder
from beras.optimizer import Adam
from beras.preprocess import DataError, load_and_preprocess_data
from beras.training_record import training_record, write_training_record

EPOCHS = 10
BATCH_SIZE = 128
PREDICTIONS = Path("predictions.npy")


def get_model(seed: int | None = None) -> SequentialModel:
    """784-256-128-10 with ReLU, softmax at the end, initialized for ReLU (kaiming)."""
    seeds = [None, None, None] if seed is None else np.random.SeedSequence(seed).generate_state(3).tolist()
    return SequentialModel(
        [
            Dense(784, 256, "kaiming", seed=seeds[0]),
            ReLU(),
            Dense(256, 128, "kaiming", seed=seeds[1]),
            ReLU(),
            Dense(128, 10, "kaiming", seed=seeds[2]),
            Softmax(),
        ]
    )


def get_optimizer() -> Adam:
    """Adam with its usual learning rate."""
    return Adam(learning_rate=0.001)


def get_loss_fn() -> CategoricalCrossEntropy:
    """Cross-entropy of probabilities against one-hot labels."""
    return CategoricalCrossEntropy()


def get_acc_fn() -> CategoricalAccuracy:
    """The share of samples whose most probable class is the right one."""
    return CategoricalAccuracy()


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, evaluate, save; return the exit status: 0, 2 without data, 1 when anything else goes wrong."""
    parser = argparse.ArgumentParser(prog="python -m beras.assignment", description=__doc__.split("\n")[0])
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="passes over the training data (%(default)s)")
    parser.add_argument("--batch-size", type=int, default=BATCH_SIZE, help="samples per step (%(default)s)")
    parser.add_argument("--seed", type=int, help="of the first weights and of the shuffling (default: a new one)")
    parser.add_argument("--record", type=Path, metavar="FOLDER", help="also write FOLDER/training.json, for the report")
    options = parser.parse_args(arguments)
    if options.epochs < 1 or options.batch_size < 1:
        parser.error("--epochs and --batch-size must be at least 1")
    try:
        x_train, y_train, x_test, y_test = load_and_preprocess_data()
    except DataError as error:
        print(f"beras: {error}", file=sys.stderr)
        return 2

    encoder = OneHotEncoder()
    encoder.fit(y_train)
    test_labels = encoder.forward(y_test)

    model = get_model(options.seed)
    model.compile(get_optimizer(), get_loss_fn(), get_acc_fn())
    try:
        history = model.fit(
            x_train,
            encoder.forward(y_train),
            epochs=options.epochs,
            batch_size=options.batch_size,
            seed=options.seed,
            validation_data=(x_test, test_labels),
        )
    except TrainingDiverged as error:
        print(f"beras: {error}", file=sys.stderr)
        return 1
    metrics, predictions = model.evaluate(x_test, test_labels, batch_size=1000)
    print(f"Test accuracy {100 * metrics['acc']:.2f} %, loss {metrics['loss']:.4f}")

    try:
        with written_in_one_step(PREDICTIONS) as file:
            np.save(file, np.asarray(predictions), allow_pickle=False)
        print(f"Predictions saved in {PREDICTIONS}")
        if options.record is not None:
            record = training_record(history, x_test, y_test, predictions)
            print(f"Training recorded in {write_training_record(record, options.record)}")
    except (OSError, ValueError) as error:
        print(f"beras: cannot save the results: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:  # while downloading or evaluating; in `fit` it only ends the training
        print(file=sys.stderr)
        sys.exit(130)
