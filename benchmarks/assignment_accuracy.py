"""The assignment's network on MNIST with three seeds: `python -m benchmarks.assignment_accuracy`.

Prints the test accuracy after each of ten epochs and, per seed, the first epoch that reaches 97.5 %. Exit status 1 if
one of the seeds never does. Needs MNIST (`BERAS_MNIST`, or the download).
"""

from __future__ import annotations

import sys
from time import perf_counter

from beras.assignment import BATCH_SIZE, EPOCHS, get_acc_fn, get_loss_fn, get_model, get_optimizer
from beras.onehot import OneHotEncoder
from beras.preprocess import load_and_preprocess_data

SEEDS = (0, 1, 2)
WANTED = 0.975


def main() -> int:
    """Train once per seed; return 0 if every one reaches the accuracy that is wanted."""
    x_train, y_train, x_test, y_test = load_and_preprocess_data()
    encoder = OneHotEncoder()
    encoder.fit(y_train)
    train_labels, test_labels = encoder.forward(y_train), encoder.forward(y_test)
    missed = False
    for seed in SEEDS:
        model = get_model(seed)
        model.compile(get_optimizer(), get_loss_fn(), get_acc_fn())
        start = perf_counter()
        history = model.fit(
            x_train, train_labels, EPOCHS, BATCH_SIZE,
            seed=seed, validation_data=(x_test, test_labels), verbose=False,
        )  # fmt: skip
        seconds = perf_counter() - start
        accuracies = history["val_acc"]
        reached = next((epoch for epoch, accuracy in enumerate(accuracies, 1) if accuracy >= WANTED), None)
        missed |= reached is None
        print(f"seed {seed}: " + " ".join(f"{100 * accuracy:.2f}" for accuracy in accuracies) + " %")
        print(
            f"  97.5 % reached in epoch {reached}; after {EPOCHS} epochs {100 * accuracies[-1]:.2f} %, {seconds:.0f} s"
        )
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
