"""Seconds next to `torch.autograd.gradcheck`, on the same NumPy code wrapped in an `autograd.Function`.

    python benchmarks/speed_vs_torch.py [--quick]

Warm medians on both sides, which take turns in one run, on one thread. Ours: estimate of all input, weight and bias
Jacobians in float64, and comparison of every entry with what the code's own vector-Jacobian product says. Slow mode
builds torch's full Jacobians; fast mode projects once.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch

from gradcheck.numerical import Estimate, estimate, project

Array = np.ndarray[Any, np.dtype[Any]]
Values = dict[str, Array]
EPS = float(np.finfo(np.float64).eps)
BLOCK_ENTRIES = 1 << 14


class Dense:
    """x · w + b, and its vector-Jacobian product."""

    names = ("x", "w", "b")

    @staticmethod
    def forward(v: Values) -> Array:
        return v["x"] @ v["w"] + v["b"]

    @staticmethod
    def vjp(v: Values, g: Array) -> tuple[Array, ...]:
        return g @ v["w"].T, v["x"].T @ g, g.sum(axis=0, keepdims=True)


class Softmax:
    """Row-wise softmax, and its vector-Jacobian product."""

    names = ("x",)

    @staticmethod
    def forward(v: Values) -> Array:
        e = np.exp(v["x"] - v["x"].max(axis=-1, keepdims=True))
        return np.asarray(e / e.sum(axis=-1, keepdims=True))

    @staticmethod
    def vjp(v: Values, g: Array) -> tuple[Array, ...]:
        y = Softmax.forward(v)
        return (y * (g - (g * y).sum(axis=-1, keepdims=True)),)


class Network:
    """The mean cross-entropy of a 784-128-10 network with tanh, and its gradient."""

    names = ("w1", "b1", "w2", "b2")
    data: Values

    @classmethod
    def forward(cls, v: Values) -> Array:
        return cls._run(v)[2]

    @classmethod
    def vjp(cls, v: Values, g: Array) -> tuple[Array, ...]:
        h, z, _ = cls._run(v)
        x, y = cls.data["x"], cls.data["y"]
        p = np.exp(z)
        dz = g * (p / p.sum(axis=1, keepdims=True) - y) / len(x)
        dh = (dz @ v["w2"].T) * (1 - h * h)
        return x.T @ dh, dh.sum(axis=0, keepdims=True), h.T @ dz, dz.sum(axis=0, keepdims=True)

    @classmethod
    def _run(cls, v: Values) -> tuple[Array, Array, Array]:
        x, y = cls.data["x"], cls.data["y"]
        h = np.tanh(x @ v["w1"] + v["b1"])
        z = h @ v["w2"] + v["b2"]
        z = z - z.max(axis=1, keepdims=True)
        return h, z, np.asarray(np.mean(np.log(np.exp(z).sum(axis=1)) - (y * z).sum(axis=1)))


def wrap(code: Any) -> Any:
    """Wrap the NumPy code for torch."""

    class Function(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *tensors: Any) -> Any:
            ctx.v = {name: t.detach().numpy() for name, t in zip(code.names, tensors, strict=True)}
            return torch.from_numpy(np.asarray(code.forward(ctx.v)))

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return tuple(torch.from_numpy(np.ascontiguousarray(d)) for d in code.vjp(ctx.v, g.numpy()))

    return Function.apply


def ours(code: Any, v: Values) -> int:
    """Estimate all Jacobians and compare every entry with the claim; return how many entries are wrong."""
    wrong = 0
    answers: dict[bool, list[tuple[Array, ...]]] = {}
    for name in code.names:
        found = estimate(lambda u: [code.forward(u)], v, name)
        claimed, which = claim(code, v, name, found, answers)
        # The tolerance of the design: the bound, and what the claim itself may lose.
        largest = np.maximum(found.value.max(axis=0), -found.value.min(axis=0))
        lost = 16 * EPS * (largest + 1)
        block = max(1, BLOCK_ENTRIES // len(lost))
        for start in range(0, len(found.value), block):  # in pieces that stay in the cache
            part = slice(start, start + block)
            error = np.take(claimed, found.column[part] + which)
            error -= found.value[part]
            np.abs(error, out=error)
            error -= found.bound[part]
            wrong += error.size - int(np.count_nonzero(error <= lost))
    return wrong


def claim(
    code: Any, v: Values, name: str, found: Estimate, answers: dict[bool, list[tuple[Array, ...]]]
) -> tuple[Array, Array]:
    """Return claimed gradients, flat, one for each colour of outputs, and where in them an output's begins.

    Outputs that share no entry of the variable are asked for together, as entries that share no output are
    perturbed together: a column of a row-independent function's output, a row of any other's. `answers`: what was asked
    before.
    """
    rows, columns = found.output_shapes[0]
    by_row = found.structure == "rows"
    group = np.tile(np.arange(columns), rows) if by_row else np.repeat(np.arange(rows), columns)
    if by_row not in answers:
        asked = [(group == k).astype(float).reshape(rows, columns) for k in range(columns if by_row else rows)]
        answers[by_row] = [code.vjp(v, g) for g in asked]
    number = code.names.index(name)
    return np.concatenate([answer[number].ravel() for answer in answers[by_row]]), group * v[name].size


def medians(times: int, *runs: tuple[Callable[[], object], int]) -> list[float]:
    """Return the medians of warm runs that take turns, so that whatever else the machine does slows all of them.

    `runs`: what is run, and how often in every one of `times` turns.
    """
    taken: list[list[float]] = [[] for _ in runs]
    for run, _ in runs:
        run()
    for _ in range(times):
        for (run, often), seconds in zip(runs, taken, strict=True):
            for _ in range(often):
                begun = time.perf_counter()
                run()
                seconds.append(time.perf_counter() - begun)
    return [statistics.median(seconds) for seconds in taken]


def planted(vjp: Callable[[list[Array]], Values], v: Values, trials: int) -> None:
    """Verify the power statement: errors just above ρ, at an escape probability that can be measured."""
    escape, missed = 0.05, 0
    rng = np.random.default_rng(1)
    scale = {name: np.sqrt(np.mean(x**2)) for name, x in v.items()}
    for trial in range(trials):
        rho = project(lambda u: [Network.forward(u)], v, vjp, Network.names, seed=trial, escape=escape).rho
        noise = {name: rng.normal(size=x.shape) for name, x in v.items()}
        norm = np.sqrt(sum(float(np.sum((scale[n] * e) ** 2)) for n, e in noise.items()))

        def wrong(u: list[Array], noise: Values = noise, factor: float = rho / norm) -> Values:
            return {name: d + factor * noise[name] for name, d in vjp(u).items()}

        missed += not project(lambda u: [Network.forward(u)], v, wrong, Network.names, seed=trial).wrong
    print(f"  planted errors of norm ρ at escape {escape}: {missed} of {trials} escaped")


def main() -> None:
    """Run, and print ratios."""
    quick = argparse.ArgumentParser()
    quick.add_argument("--quick", action="store_true", help="one repetition of torch's slow mode")
    times = 1 if quick.parse_args().quick else 7
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    print(f"torch {torch.__version__}, numpy {np.__version__}, one thread, warm medians")
    for title, code, sizes, goal in (
        ("Dense(64, 32) batch 16", Dense, (16, 64, 32), 50),
        ("Dense(784, 10) batch 32", Dense, (32, 784, 10), 100),
        ("Softmax(10) batch 256", Softmax, (256, 10), 200),
    ):
        shapes = [sizes] if code is Softmax else [sizes[:2], sizes[1:], (1, sizes[2])]
        v = {name: rng.normal(size=shape) for name, shape in zip(code.names, shapes, strict=True)}
        assert ours(code, v) == 0
        tensors = [torch.from_numpy(x.copy()).requires_grad_() for x in v.values()]
        function = wrap(code)
        check = partial(torch.autograd.gradcheck, function, tensors)
        mine, slow, fast = medians(times, (partial(ours, code, v), 5), (check, 1), (partial(check, fast_mode=True), 5))
        print(
            f"{title:24s} ours {mine * 1e3:8.1f} ms   torch slow {slow:7.2f} s = {slow / mine:5.0f} × (goal {goal})"
            f"   torch fast {fast * 1e3:.1f} ms"
        )
    Network.data = {"x": rng.normal(size=(32, 784)), "y": np.eye(10)[rng.integers(0, 10, 32)]}
    v = {
        "w1": rng.normal(size=(784, 128)) / 28,
        "b1": rng.normal(size=(1, 128)) / 10,
        "w2": rng.normal(size=(128, 10)) / 11,
        "b2": rng.normal(size=(1, 10)) / 10,
    }

    def vjp(u: list[Array]) -> Values:
        return dict(zip(Network.names, Network.vjp(v, u[0]), strict=True))

    result = project(lambda u: [Network.forward(u)], v, vjp, Network.names)
    assert not result.wrong
    tensors = [torch.from_numpy(x.copy()).requires_grad_() for x in v.values()]
    mine, fast = medians(
        25,
        (lambda: project(lambda u: [Network.forward(u)], v, vjp, Network.names), 1),
        (lambda: torch.autograd.gradcheck(wrap(Network), tensors, fast_mode=True), 1),
    )
    print(
        f"784-128-10 loss gradient, {sum(x.size for x in v.values())} parameters, batch 32: ours {mine * 1e3:.1f} ms, "
        f"torch fast {fast * 1e3:.1f} ms = {fast / mine:.2f} ×; {result.power} ({result.evaluations} evaluations)"
    )
    planted(vjp, v, 100)


if __name__ == "__main__":
    main()
