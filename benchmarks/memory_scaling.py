"""Peak memory of Dense(784, 10) at batch 32, and time against the number of colours (a plot).

    python benchmarks/memory_scaling.py [--plot scaling.png]

A colour costs a few evaluations of the function, and one evaluation of x·w costs more where w has more entries. So the
colours are varied in two ways: at a fixed size of the function (the Jacobian by a part of w, for each of which another
variable stands), where the time is to grow linearly, and with the size of w, where an evaluation itself grows.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable

import numpy as np

from gradcheck.numerical import estimate


def main() -> None:
    """Run, and print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--plot", metavar="FILE", help="write the plot (needs matplotlib)")
    options = parser.parse_args()
    rng = np.random.default_rng(0)

    def forward(v: dict[str, np.ndarray]) -> list[np.ndarray]:
        return [v["x"] @ v["w"] + v["b"]]

    def nonlinear(v: dict[str, np.ndarray]) -> list[np.ndarray]:
        return [np.tanh(v["x"] @ v["w"] + v["b"])]

    for title, f in (("Dense(784, 10)", forward), ("tanh of Dense(784, 10)", nonlinear)):
        values = {"x": rng.normal(size=(32, 784)), "w": rng.normal(size=(784, 10)) / 28, "b": rng.normal(size=(1, 10))}
        for name in values:
            estimate(f, values, name)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{title}, batch 32, all Jacobians: peak {peak:.0f} MB (goal: below 500)")
    counts = [50, 100, 200, 400, 800, 1600]
    x, w = rng.normal(size=(8, counts[-1])), rng.normal(size=(counts[-1], 4)) / np.sqrt(counts[-1])
    fixed, growing = [], []
    for n in counts:

        def of_some(v: dict[str, np.ndarray], n: int = n) -> list[np.ndarray]:
            return [np.tanh(x[:, :n] @ v["some"] + x[:, n:] @ w[n:])]

        fixed.append(seconds(of_some, {"some": w[:n]}, "some"))
        values = {"x": x[:, :n], "w": w[:n], "b": np.zeros((1, 4))}
        growing.append(seconds(nonlinear, values, "w"))
        print(
            f"{n:5d} colours: {fixed[-1] / n * 1e6:6.0f} µs per colour with w of {counts[-1]} rows, "
            f"{growing[-1] / n * 1e6:6.0f} µs with w of {n} rows"
        )
    for title, taken in (("one evaluation costs the same", fixed), ("w grows", growing)):
        slope = np.polyfit(np.log(counts), np.log(taken), 1)[0]
        print(f"{title}: time ∝ colours^{slope:.2f}" + (" (goal: linear)" if taken is fixed else ""))
    if options.plot:
        import matplotlib

        matplotlib.use("Agg")
        import matplotlib.pyplot as plt

        figure, axes = plt.subplots(figsize=(5, 3.5), layout="constrained")
        axes.loglog(counts, fixed, "o-", label=f"w of {counts[-1]} rows, by some of them")
        axes.loglog(counts, growing, "s-", label="w grows")
        axes.loglog(counts, [fixed[0] * n / counts[0] for n in counts], ":", color="gray", label="linear")
        axes.set(xlabel="colours", ylabel="seconds", title="estimate of tanh(x·w) by w, batch 8")
        axes.legend()
        figure.savefig(options.plot, dpi=120)


def seconds(forward: Callable[..., list[np.ndarray]], values: dict[str, np.ndarray], wrt: str) -> float:
    """Return the median time of warm estimates, of this process alone."""
    estimate(forward, values, wrt)
    taken = []
    for _ in range(5):
        begun = time.process_time()
        estimate(forward, values, wrt)
        taken.append(time.process_time() - begun)
    return sorted(taken)[2]


if __name__ == "__main__":
    main()
