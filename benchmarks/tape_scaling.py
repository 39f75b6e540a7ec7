"""Time and memory of the tape over many operations: `python -m benchmarks.tape_scaling [--plot FILE.png]`.

Chains of 1,250 to 20,000 recorded operations (additions, products, sines and items of small tensors). The time of
`gradient` should grow like their number: the slope of its logarithm is fitted, processor time of the best of five. And
when the tape goes, so should the memory, without help of the garbage collector. Last, what one operation on a small
Tensor costs more than on an array, outside a tape and recorded.
"""

from __future__ import annotations

import gc
import sys
import tracemalloc
from collections.abc import Callable
from time import process_time
from timeit import repeat
from typing import Any

import numpy as np

from beras import GradientTape, Tensor

LENGTHS = (1250, 2500, 5000, 10_000, 20_000)


def chain(length: int) -> tuple[GradientTape, Tensor, Tensor]:
    """Record `length` operations, each of which depends on the one before and on the source."""
    x = Tensor(np.linspace(0.1, 0.9, 8))
    y = x
    with GradientTape() as tape:
        for k in range(length // 4):
            y = np.sin(y * 0.9 + x[k % 8])
    return tape, y, x


def seconds(length: int) -> tuple[float, float]:
    """Return the best times of recording and of `gradient`."""
    recording, walking = [], []
    for _ in range(5):
        start = process_time()
        tape, y, x = chain(length)
        recorded = process_time()
        tape.gradient(y, x)
        recording.append(recorded - start)
        walking.append(process_time() - recorded)
    return min(recording), min(walking)


def memory(length: int) -> tuple[int, int]:
    """Return the bytes held while the tape is there, and those left when it is gone."""
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        # Python keeps what it frees of small objects for the next time: a first round fills that store.
        tape, y, x = chain(length)
        tape.gradient(y, x)
        del tape, y, x
        before = tracemalloc.get_traced_memory()[0]
        tape, y, x = chain(length)
        tape.gradient(y, x)
        held = tracemalloc.get_traced_memory()[0] - before
        del tape, y, x
        return held, tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
        gc.enable()


def cost_of_a_tensor() -> float:
    """Print what an operation costs, in µs of processor time; return the largest difference to an array's."""
    a = np.linspace(0.1, 0.9, 8)
    t = Tensor(a)
    operations: dict[str, Callable[[Any], Any]] = {
        "x + x": lambda x: x + x,
        "2.0 * x": lambda x: 2.0 * x,
        "np.exp(x)": np.exp,
        "x[0]": lambda x: x[0],
        "x.sum()": lambda x: x.sum(),
        "np.sum(x)": np.sum,
        "x.reshape(2, 4)": lambda x: x.reshape(2, 4),
        "np.concatenate": lambda x: np.concatenate([x, x]),
    }
    worst = 0.0
    print("operation         array   Tensor  recorded  (µs)")
    for name, operation in operations.items():

        def recorded(operation: Callable[[Any], Any] = operation) -> None:
            with GradientTape():
                for _ in range(100):
                    operation(t)

        array, tensor = (
            1e4 * min(repeat(lambda x=x, f=operation: f(x), number=100, repeat=50, timer=process_time)) for x in (a, t)
        )
        taped = 1e4 * min(repeat(recorded, number=1, repeat=50, timer=process_time))
        print(f"{name:<16}{array:>7.2f}  {tensor:>7.2f}  {taped:>8.2f}")
        worst = max(worst, tensor - array, taped - array)
    print(f"at most {worst:.1f} µs more (wanted: 5)")
    return worst


def plot(rows: list[tuple[int, float, float]], path: str) -> None:
    """Draw both times over the number of operations."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(5, 4), layout="constrained")
    lengths = [row[0] for row in rows]
    for column, label in ((1, "recording"), (2, "gradient")):
        axes.loglog(lengths, [row[column] for row in rows], "o-", label=label)
    axes.loglog(lengths, [rows[0][2] * n / lengths[0] for n in lengths], "k:", label="linear")
    axes.set(xlabel="recorded operations", ylabel="processor time (s)")
    axes.legend()
    figure.savefig(path, dpi=120)


def main(arguments: list[str]) -> int:
    """Return 0 if time is linear (a slope of at most 1.15), at most 1 % of the memory is left and Tensors are cheap."""
    rows = [(length, *seconds(length)) for length in LENGTHS]
    print("operations  recording (s)  gradient (s)")
    for length, record, walk in rows:
        print(f"{length:>10,}  {record:13.4f}  {walk:12.4f}")
    slope = float(np.polyfit(np.log(LENGTHS), np.log([walk for _, _, walk in rows]), 1)[0])
    print(f"the time of gradient grows like n^{slope:.2f}")
    held, left = memory(10_000)
    print(f"10,000 operations hold {held / 1e6:.1f} MB; {left / 1e3:.1f} kB are left when the tape is gone")
    if "--plot" in arguments:
        plot(rows, arguments[arguments.index("--plot") + 1])
    worst = cost_of_a_tensor()
    return 0 if slope <= 1.15 and left <= 0.01 * held and worst <= 5 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
