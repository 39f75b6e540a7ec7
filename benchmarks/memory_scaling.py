"""Peak memory of Dense(784, 10) at batch 32, and time against the number of colours (a plot).

python benchmarks/memory_scaling.py [--plot scaling.png]
"""

from __future__ import annotations

import argparse
import resource
import time

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
    colours, seconds = [50, 100, 200, 400, 800, 1600], []
    for n in colours:
        values = {"x": rng.normal(size=(8, n)), "w": rng.normal(size=(n, 4)) / np.sqrt(n), "b": np.zeros((1, 4))}
        taken = []
        for _ in range(3):
            begun = time.perf_counter()
            estimate(nonlinear, values, "w")
            taken.append(time.perf_counter() - begun)
        seconds.append(sorted(taken)[1])
        print(f"{n:5d} colours: {seconds[-1] * 1e3:8.1f} ms, {seconds[-1] / n * 1e6:6.0f} µs per colour")
    slope = np.polyfit(np.log(colours), np.log(seconds), 1)[0]
    print(f"time ∝ colours^{slope:.2f} (goal: linear; one evaluation itself grows with the size of w)")
    if options.plot:
        import matplotlib

        matplotlib.use("Agg")
        import matplotlib.pyplot as plt

        figure, axes = plt.subplots(figsize=(5, 3.5), layout="constrained")
        axes.loglog(colours, seconds, "o-")
        axes.set(xlabel="colours", ylabel="seconds", title="estimate of tanh(x·w + b) by w, batch 8")
        figure.savefig(options.plot, dpi=120)


if __name__ == "__main__":
    main()
