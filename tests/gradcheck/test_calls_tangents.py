"""A function that returns its value and its change along a tangent: asked along tangents, not for a gradient."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.gradcheck.foreign import command, document

TEXTS = {
    "named by what it returns": (
        "def sine_dual(x, v):\n    y = np.sin(x)\n    dy = np.cos(x) * v\n    return y, dy",
        ("np.cos(x) * v", "-np.cos(x) * v"),
    ),
    "named by its name": (
        "def softplus_jvp(x, v):\n    z = np.exp(-np.abs(x))\n"
        "    return np.log1p(z) + np.maximum(x, 0), v / (1 + np.exp(-x))",
        ("v / (1", "v * (1"),
    ),
    "of two arguments": (
        "def matvec_jvp(W, x, dW, dx):\n    y = W @ x\n    dy = dW @ x + W @ dx\n    return y, dy",
        ("+ W @ dx", "+ 2 * W @ dx"),
    ),
    "along the first argument alone": (
        "def cube(x, n, dot):\n    out = x**3 + n\n    out_dot = 3 * x**2\n    out_dot *= dot\n    return out, out_dot",
        ("3 * x**2", "2 * x**2"),
    ),
    "a gradient beside a value, and no tangent": (
        "def square_loss(w):\n    y = w @ w\n    dy = 2 * w\n    return y, dy",
        ("2 * w", "3 * w"),
    ),
    "a penalty that the value forgets is no tangent": (
        "def ridge_loss(w, reg):\n    y = 0.5 * np.sum(w * w)\n    dy = w + 0 * reg * w\n    return y, dy",
        ("0 * reg", "reg"),
    ),
}


@pytest.mark.parametrize(("text", "mistake"), TEXTS.values(), ids=TEXTS)
def test_a_value_and_its_change_along_a_tangent(text: str, mistake: tuple[str, str], tmp_path: Path) -> None:
    verdicts = {}
    for name, written in (("right", text), ("wrong", text.replace(*mistake))):
        (tmp_path / f"{name}.py").write_text(f"import numpy as np\n{written}\n")
        command(f"{name}.py", "--no-report", "--json", "out.json", folder=tmp_path)
        verdicts[name] = [one["verdict"] for one in document(tmp_path)["components"]]
    assert verdicts == {"right": ["correct"], "wrong": ["wrong"]}
