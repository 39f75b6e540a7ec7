"""Training speed beside PyTorch, Keras and bare matrix products: `python -m benchmarks.training_speed`.

784-128-64-10 with ReLU, softmax cross-entropy on logits, Adam, float32, on MNIST (`BERAS_MNIST`; random data without
it). One run measures all in turns, round by round, so that a busy machine is as busy for each, in several processes one
after the other, for where memory happens to lie in a process weighs as much. It prints medians and ratios of samples
per second:

- `beras fit`: `SequentialModel.fit`; `beras step`: a hand-written loop with the tape; `by hand`: the same arithmetic in
  NumPy, without layers, checks and tape; `floor`: the eight matrix products of a step alone;
- `torch`: an eager loop; `keras fit`: `fit` with TensorFlow. Both are left out where they are not installed.

`--bookkeeping` takes a step at batch 128 apart instead, in as many processes: what recording and walking the tape cost
(the layers' own methods called by hand, without it) and what all of Beras costs over the same arithmetic in NumPy.
`--accuracy` trains each for five epochs with three seeds and compares the test accuracy.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from itertools import chain, pairwise
from statistics import mean, median
from time import perf_counter, thread_time
from typing import Any, TypeVar

import numpy as np

from beras import Adam, Dense, GradientTape, ReLU, SequentialModel, SoftmaxCrossEntropy
from beras.preprocess import load_and_preprocess_data

SIZES = (784, 128, 64, 10)
RATE = 1e-3
BATCHES = (32, 128, 512)
PROCESSES = 11
SPEED_ROUNDS, BOOKKEEPING_ROUNDS = 3, 30  # in each process
WANTED = {"torch": {32: 1.0, 128: 1.0, 512: 0.9}, "keras fit": dict.fromkeys(BATCHES, 3.0)}
Array = np.ndarray[Any, np.dtype[Any]]
Train = Callable[[Array, Array, int], None]
Result = TypeVar("Result")


def data() -> tuple[Array, Array, Array, Array]:
    """MNIST where `BERAS_MNIST` says, else random numbers of the same shape."""
    if os.environ.get("BERAS_MNIST"):
        x, y, x_test, y_test = (np.asarray(part) for part in load_and_preprocess_data())
        return x, y.astype(np.int64), x_test, y_test.astype(np.int64)
    print("BERAS_MNIST is not set: random data")
    random = np.random.default_rng(0)
    x = random.random((12_800, 784), dtype=np.float32)
    y = random.integers(0, 10, 12_800)
    return x, y, x[:1000], y[:1000]


def layers(seed: int = 0) -> list[Any]:
    """The network, whose last layer returns logits."""
    made: list[Any] = []
    for index, (fan_in, fan_out) in enumerate(pairwise(SIZES)):
        made += [Dense(fan_in, fan_out, "kaiming", seed=100 * seed + index), ReLU()]
    return made[:-1]


def batches(n: int, size: int) -> Iterator[Array]:
    """Rows in random order."""
    order = np.random.default_rng(0).permutation(n)
    return (order[start : start + size] for start in range(0, n, size))


def one_hot(y: Array) -> Array:
    """Labels as float32 rows."""
    return np.eye(10, dtype=np.float32)[y]


def beras_fit(seed: int = 0) -> tuple[Train, Callable[[Array], Array]]:
    """`SequentialModel.fit`."""
    model = SequentialModel(layers(seed))
    model.compile(Adam(RATE), SoftmaxCrossEntropy())

    def train(x: Array, y: Array, batch: int) -> None:
        model.fit(x, one_hot(y), 1, batch, verbose=False)

    return train, lambda x: np.asarray(model.predict(x))


def beras_step() -> tuple[Train, Callable[[Array], Array]]:
    """A loop written with the tape."""
    network, loss_fn, optimizer = layers(), SoftmaxCrossEntropy(), Adam(RATE)
    weights = [weight for layer in network for weight in layer.weights]

    def train(x: Array, y: Array, batch: int) -> None:
        labels = one_hot(y)
        for rows in batches(len(x), batch):
            with GradientTape() as tape:
                h = x[rows]
                for layer in network:
                    h = layer(h)
                loss = loss_fn(h, labels[rows])
            optimizer.apply_gradients(weights, tape.gradient(loss, weights))

    return train, lambda x: x


class ByHand:
    """The same step in plain NumPy."""

    def __init__(self) -> None:
        dense = layers()[::2]
        self.weights = [np.array(weight) for layer in dense for weight in layer.weights]
        self.state = [[np.zeros_like(weight) for _ in range(3)] for weight in self.weights]
        self.t = 0

    def gradients(self, x: Array, labels: Array) -> list[Array]:
        """Forward and backward."""
        w, b = self.weights[::2], self.weights[1::2]
        inputs, h = [x], x
        for k in range(3):
            z = h @ w[k]
            z += b[k]
            if k < 2:
                h = np.maximum(z, 0)
                inputs.append(h)
        z -= z.max(axis=1, keepdims=True)
        e = np.exp(z)
        g = e / e.sum(axis=1, keepdims=True)
        g -= labels
        g *= 1 / len(x)
        found: list[Array] = []
        for k in (2, 1, 0):
            found[:0] = [inputs[k].T @ g, g.sum(axis=0, keepdims=True)]
            if k:
                g = g @ w[k].T
                g *= inputs[k] > 0
        return found

    def apply(self, gradients: list[Array]) -> None:
        """Adam, as beras.optimizer writes it."""
        self.t += 1
        root = np.sqrt((1 - 0.999**self.t) / 0.001)
        rate = RATE * 0.1 / (1 - 0.9**self.t) * root
        for weight, (m, v, scratch), g in zip(self.weights, self.state, gradients, strict=True):
            m *= 0.9
            m += g
            v *= 0.999
            v += np.multiply(g, g, out=scratch)
            step = np.sqrt(v, out=scratch)
            step += float(1e-7 * root)
            np.divide(m, step, out=step)
            step *= float(rate)
            weight -= step

    def train(self, x: Array, y: Array, batch: int) -> None:
        """One epoch."""
        labels = one_hot(y)
        for rows in batches(len(x), batch):
            self.apply(self.gradients(x[rows], labels[rows]))


def matrix_products(x: Array, y: Array, batch: int) -> None:
    """The eight products of each step, on batches that lie ready."""
    random = np.random.default_rng(0)
    w = [random.random(shape, dtype=np.float32) for shape in pairwise(SIZES)]
    h = [random.random((batch, size), dtype=np.float32) for size in SIZES]
    for _ in range(0, len(x), batch):
        for k in range(3):
            h[k] @ w[k]
            h[k].T @ h[k + 1]
            if k:
                h[k + 1] @ w[k].T


def torch_loop(seed: int = 0) -> tuple[Train, Callable[[Array], Array]]:
    """PyTorch, eager. Raises ImportError where it is not installed."""
    import torch

    torch.manual_seed(seed)
    parts: list[Any] = []
    for fan_in, fan_out in pairwise(SIZES):
        parts += [torch.nn.Linear(fan_in, fan_out), torch.nn.ReLU()]
    model, loss_fn = torch.nn.Sequential(*parts[:-1]), torch.nn.CrossEntropyLoss()
    for module in parts[:-1:2]:
        torch.nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        torch.nn.init.zeros_(module.bias)
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE, eps=1e-7)

    def train(x: Array, y: Array, batch: int) -> None:
        inputs, labels = torch.from_numpy(x), torch.from_numpy(y)
        for rows in torch.randperm(len(x)).split(batch):
            optimizer.zero_grad()
            loss_fn(model(inputs[rows]), labels[rows]).backward()
            optimizer.step()

    def predict(x: Array) -> Array:
        with torch.no_grad():
            return np.asarray(model(torch.from_numpy(x)))

    return train, predict


def keras_fit(seed: int = 0) -> tuple[Train, Callable[[Array], Array]]:
    """Keras' `fit` on TensorFlow. Raises ImportError where it is not installed."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import keras

    keras.utils.set_random_seed(seed)
    parts: list[Any] = [keras.Input((SIZES[0],))]
    for size in SIZES[1:-1]:
        parts += [keras.layers.Dense(size, activation="relu", kernel_initializer="he_normal")]
    parts.append(keras.layers.Dense(SIZES[-1], kernel_initializer="he_normal"))
    model = keras.Sequential(parts)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(RATE), loss)

    def train(x: Array, y: Array, batch: int) -> None:
        model.fit(x, y, batch_size=batch, epochs=1, verbose=0)

    return train, lambda x: np.asarray(model.predict(x, batch_size=1000, verbose=0))


def available(seed: int = 0) -> dict[str, tuple[Train, Callable[[Array], Array]]]:
    """Every library that is installed."""
    found = {"beras fit": beras_fit(seed)}
    for name, make in (("torch", torch_loop), ("keras fit", keras_fit)):
        with suppress(ImportError):
            found[name] = make(seed)
    return found


def in_processes(measure: Callable[[], Result]) -> list[Result]:
    """Return what `measure` returns in each of several fresh processes, one after the other."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, max_tasks_per_child=1) as pool:
        return [job.result() for job in [pool.submit(measure) for _ in range(PROCESSES)]]


def rates() -> dict[int, dict[str, list[float]]]:
    """Return samples per second in each round, by batch size and by who trains."""
    x, y, _, _ = data()
    trainers: dict[str, Train] = {name: train for name, (train, _) in available().items()}
    trainers |= {"beras step": beras_step()[0], "by hand": ByHand().train, "floor": matrix_products}
    random = np.random.default_rng()
    found: dict[int, dict[str, list[float]]] = {}
    for batch in BATCHES:
        n = min(len(x), 100 * batch)
        found[batch] = {name: [] for name in trainers}
        for round_ in range(SPEED_ROUNDS + 1):
            # In another order each time: nobody always comes after the same one, which leaves caches and threads.
            for name in random.permutation(list(trainers)).tolist():
                start = perf_counter()
                trainers[name](x[:n], y[:n], batch)
                if round_:  # the first one warms up
                    found[batch][name].append(n / (perf_counter() - start))
    return found


def speed() -> bool:
    """Print the table of medians and ratios; return whether Beras is as fast as wanted."""
    processes = in_processes(rates)
    good = True
    for batch in BATCHES:
        print(f"batch {batch}: samples per second, and how many times as fast beras fit is (each process' median)")
        found = [process[batch] for process in processes]
        for name in found[0]:
            ratio, each = _ratio(found, "beras fit", name)
            wanted = WANTED.get(name, {}).get(batch)
            verdict = "" if wanted is None else f"  wanted {wanted:.1f}: {'met' if ratio >= wanted else 'MISSED'}"
            value = median(rate for process in found for rate in process[name])
            print(f"  {name:<11}{value:>10,.0f}  {ratio:5.2f}{verdict}  ({each})")
            good &= wanted is None or ratio >= wanted
        over_floor, each = _ratio(found, "floor", "beras step")
        verdict = " (wanted: 3.5)" if batch == 128 else ""
        print(f"  a step takes {over_floor:.2f} times its eight matrix products{verdict}  ({each})")
        good &= batch != 128 or over_floor <= 3.5
    for name in WANTED.keys() - processes[0][BATCHES[0]].keys():
        print(f"{name} is left out: it is not installed")
    return good


def _ratio(processes: list[dict[str, list[float]]], of: str, to: str) -> tuple[float, str]:
    """Return the median ratio of two rates of the same round, and each process' own, sorted, as text."""
    ratios = [[a / b for a, b in zip(found[of], found[to], strict=True)] for found in processes]
    return median(chain.from_iterable(ratios)), " ".join(f"{value:.2f}" for value in sorted(map(median, ratios)))


def bookkeeping() -> bool:
    """Print what the tape, and Beras as a whole, add to a step; return whether the tape adds at most 3 %."""
    tape, everything = np.transpose(in_processes(shares))
    print(f"in {PROCESSES} processes, sorted, and median:")
    for what, found in (("recording and walking the tape", tape), ("all that Beras adds to NumPy  ", everything)):
        print(f"{what}: {' '.join(f'{100 * v:.1f}' for v in sorted(found))}; {100 * np.median(found):.1f} % of a step")
    print("wanted of the tape: 3 %")
    return bool(np.median(tape) <= 0.03)


def shares() -> tuple[float, float]:
    """Return what the tape adds to a step, and what Beras adds, as shares of the step: medians over rounds.

    A step is what a training loop repeats: pick the rows, forward, backward, update. What is compared is from the same
    round, so that what slows a machine down for a while slows all.
    """
    x, y, _, _ = data()
    labels, random = one_hot(y), np.random.default_rng(0)
    network, loss_fn, optimizer, hand = layers(), SoftmaxCrossEntropy(), Adam(RATE), ByHand()
    weights = [weight for layer in network for weight in layer.weights]

    def with_tape(picked: Array) -> None:
        h: Any = x[picked]
        truth = labels[picked]
        with GradientTape() as tape:
            for layer in network:
                h = layer(h)
            loss = loss_fn(h, truth)
        optimizer.apply_gradients(weights, tape.gradient(loss, weights))

    def without_tape(picked: Array) -> None:
        h: Any = x[picked]
        truth = labels[picked]
        for layer in network:
            h = layer(h)
        loss_fn(h, truth)
        g = np.asarray(loss_fn.input_gradients_for([np.ones((), np.float32)], [True, False])[0])
        gradients: list[Any] = []
        for layer in reversed(network):
            if layer.weights:
                gradients[:0] = layer.compose_weight_gradients([g])
            if layer is not network[0]:
                g = np.asarray(layer.compose_input_gradients([g])[0])
        optimizer.apply_gradients(weights, gradients)

    def by_hand(picked: Array) -> None:
        hand.apply(hand.gradients(x[picked], labels[picked]))

    def typical(step: Callable[[Array], None]) -> float:
        """Median of some steps on end, as in training: with their caches warm, after a few to warm them."""
        times = []
        for k in range(24):
            picked = random.integers(0, len(x), 128)
            start = thread_time()  # not the clock: what interrupts a step is none of its cost
            step(picked)
            if k >= 4:
                times.append(thread_time() - start)
        return median(times)

    times = []
    for round_ in range(BOOKKEEPING_ROUNDS):
        steps = [with_tape, without_tape, by_hand]
        turn = round_ % 3  # each comes after each other one as often
        found = {step: typical(step) for step in steps[turn:] + steps[:turn]}
        times.append([found[step] for step in steps])
    tape, bare, plain = np.transpose(times)
    return float(np.median((tape - bare) / tape)), float(np.median((tape - plain) / tape))


def accuracy(x: Array, y: Array, x_test: Array, y_test: Array) -> bool:
    """Print the mean test accuracy of three seeds each; return whether Beras is within 0.3 points of the others."""
    found: dict[str, list[float]] = {}
    for seed in range(3):
        for name, (train, predict) in available(seed).items():
            for _ in range(5):
                train(x, y, 128)
            found.setdefault(name, []).append(float((predict(x_test).argmax(axis=1) == y_test).mean()))
    means = {name: mean(values) for name, values in found.items()}
    for name, value in means.items():
        print(f"  {name:<11}{100 * value:6.2f} %  ({', '.join(f'{100 * v:.2f}' for v in found[name])})")
    return all(means["beras fit"] >= value - 0.003 for value in means.values())


def main(arguments: list[str]) -> int:
    """Return 0 if what is measured is as wanted."""
    if "--bookkeeping" in arguments:
        return 0 if bookkeeping() else 1
    return 0 if (accuracy(*data()) if "--accuracy" in arguments else speed()) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
