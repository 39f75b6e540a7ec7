"""A convolutional network and an LSTM on MNIST beside PyTorch: `python -m benchmarks.image_training`.

`conv`: 3×3 convolutions of 32 and 64 filters, each with ReLU and 2×2 max pooling, then Dense of 128 and of 10.
`lstm`: the 28 rows of a digit as a sequence through LSTM(128), and Dense. Both in float32 with softmax cross-entropy on
logits, Adam with a rate that falls on a cosine, and batches of 128. `BERAS_MNIST` says where MNIST is.

Prints how long a step takes here and in PyTorch's eager mode (the median of fresh processes, which take turns, with
two threads each) and the test accuracy after some epochs (three seeds and their mean). `--steps` and `--accuracy` do
one of the two.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from statistics import mean, median
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.training_speed import Array, data, one_hot
from beras import LSTM, Adam, Conv2D, CosineDecay, Dense, Flatten, MaxPooling2D, SequentialModel, SoftmaxCrossEntropy

BATCH, THREADS = 128, "2"
EPOCHS, RATE = {"conv": 5, "lstm": 7}, {"conv": 2e-3, "lstm": 3e-3}
PROCESSES, WARM_UP, STEPS = 5, 5, 40
WANTED = {"conv": 0.990, "lstm": 0.980}
SLOWEST = {"conv": 2.5}  # times PyTorch's step
Step = Callable[[Array, Array], None]


def layers(kind: str, seed: int = 0) -> list[Any]:
    """The network, whose last layer returns logits."""
    if kind == "lstm":
        return [LSTM(128, seed=seed), Dense(10, seed=seed + 100)]
    return [
        Conv2D(32, 3, activation="relu", seed=seed),
        MaxPooling2D(2),
        Conv2D(64, 3, activation="relu", seed=seed + 100),
        MaxPooling2D(2),
        Flatten(),
        Dense(128, activation="relu", seed=seed + 200),
        Dense(10, seed=seed + 300),
    ]


def shaped(kind: str, x: Array) -> Array:
    """The images as the network wants them."""
    return x.reshape(-1, 28, 28, 1) if kind == "conv" else x.reshape(-1, 28, 28)


def accuracy(kind: str) -> bool:
    """Print the test accuracy of three seeds; return whether the mean is as wanted."""
    x, y, x_test, y_test = data()
    found = []
    for seed in range(3):
        model = SequentialModel(layers(kind, seed))
        steps = EPOCHS[kind] * -(-len(x) // BATCH)
        model.compile(Adam(CosineDecay(RATE[kind], steps)), SoftmaxCrossEntropy())
        model.fit(shaped(kind, x), one_hot(y), epochs=EPOCHS[kind], batch_size=BATCH, verbose=False, seed=seed)
        logits = np.asarray(model.predict(shaped(kind, x_test)))
        found.append(float((logits.argmax(axis=1) == y_test).mean()))
    each = ", ".join(f"{100 * value:.2f}" for value in found)
    good = mean(found) >= WANTED[kind]
    print(
        f"{kind}: {100 * mean(found):.2f} % of the test images after {EPOCHS[kind]} epochs ({each}); "
        f"wanted {100 * WANTED[kind]:.1f}: {'met' if good else 'MISSED'}",
        flush=True,
    )
    return good


def beras_step(kind: str) -> Step:
    """A step of `fit`."""
    model = SequentialModel(layers(kind))
    model.compile(Adam(RATE[kind]), SoftmaxCrossEntropy())

    def step(x: Array, y: Array) -> None:
        model.batch_step(x, one_hot(y))

    return step


def torch_step(kind: str) -> Step:
    """The same step in PyTorch's eager mode, its images with channels first, as it prefers them."""
    import torch
    from torch import nn

    torch.set_num_threads(int(THREADS))

    class Rows(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.lstm, self.dense = nn.LSTM(28, 128, batch_first=True), nn.Linear(128, 10)

        def forward(self, x: Any) -> Any:
            return self.dense(self.lstm(x)[0][:, -1])

    model = Rows() if kind == "lstm" else nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(1600, 128),
    )  # fmt: skip
    optimizer, loss_fn = torch.optim.Adam(model.parameters(), lr=RATE[kind], eps=1e-7), nn.CrossEntropyLoss()

    def step(x: Array, y: Array) -> None:
        images = x.reshape(-1, 1, 28, 28) if kind == "conv" else x
        optimizer.zero_grad()
        loss_fn(model(torch.from_numpy(images)), torch.from_numpy(y)).backward()
        optimizer.step()

    return step


def milliseconds(kind: str, library: str) -> float | None:
    """Return what a step takes in this process, in the median; nothing where the library is not installed."""
    try:
        step = {"beras": beras_step, "torch": torch_step}[library](kind)
    except ImportError:
        return None
    x, y, _, _ = data()
    x, random, times = shaped(kind, x), np.random.default_rng(0), []
    for k in range(WARM_UP + STEPS):
        rows = random.integers(0, len(x), BATCH)
        images, labels = x[rows], y[rows]
        start = perf_counter()
        step(images, labels)
        if k >= WARM_UP:
            times.append(1e3 * (perf_counter() - start))
    return median(times)


def steps(kind: str) -> bool:
    """Print what a step takes in both; return whether Beras' is as fast as wanted."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), max_tasks_per_child=1) as pool:
        jobs = [[pool.submit(milliseconds, kind, library) for library in ("beras", "torch")] for _ in range(PROCESSES)]
        pairs = [[job.result() for job in pair] for pair in jobs]
    ours = median(beras for beras, _ in pairs)
    if pairs[0][1] is None:
        print(f"{kind}: a step takes {ours:.1f} ms; PyTorch is left out: it is not installed")
        return True
    ratios = sorted(beras / torch for beras, torch in pairs)
    good = median(ratios) <= SLOWEST.get(kind, np.inf)
    wanted = f"; wanted {SLOWEST[kind]}: {'met' if good else 'MISSED'}" if kind in SLOWEST else ""
    print(
        f"{kind}: a step takes {ours:.1f} ms, PyTorch's {median(torch for _, torch in pairs):.1f}: "
        f"{median(ratios):.2f} times as long{wanted} ({' '.join(f'{ratio:.2f}' for ratio in ratios)})",
        flush=True,
    )
    return good


def main(arguments: list[str]) -> int:
    """Return 0 if what is measured is as wanted."""
    os.environ.setdefault("OMP_NUM_THREADS", THREADS)  # of the processes that are timed
    measured = [*([] if "--accuracy" in arguments else [steps]), *([] if "--steps" in arguments else [accuracy])]
    met = [measure(kind) for measure in measured for kind in WANTED]
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
