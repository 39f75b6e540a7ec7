"""Functions of frameworks as they stand in a file: found by the command, asked with arrays that are found for them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TORCH = """
import torch


class Cube(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 3 * g * x**2


class Wrong(Cube):
    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 2 * g * x**2
"""
JAX = """
import jax


@jax.custom_vjp
def cube(x):
    return x**3


def cube_fwd(x):
    return cube(x), x


def cube_bwd(x, g):
    return (3 * g * x**2,)


cube.defvjp(cube_fwd, cube_bwd)


@jax.custom_vjp
def wrong(x):
    return x**3


wrong.defvjp(cube_fwd, lambda x, g: (2 * g * x**2,))
"""


@pytest.mark.parametrize(
    ("framework", "code", "claim", "names"),
    [("torch", TORCH, "backward[x]", ["Cube", "Wrong"]), ("jax", JAX, "cube_bwd[x]", ["cube", "wrong"])],
)
def test_the_command_finds_and_judges_them(framework, code, claim, names, tmp_path: Path):
    pytest.importorskip(framework)
    (tmp_path / "rules.py").write_text(code)
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "gradcheck", "rules.py", "--no-report", "--hints", "none", "--json", "found.json"]
    environment = {**os.environ, "PYTHONPATH": str(root), "JAX_PLATFORMS": "cpu"}
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
    assert run.returncode == 1, run.stderr
    found = json.loads((tmp_path / "found.json").read_text())["components"]
    assert {one["name"]: one["verdict"] for one in found} == {
        f"rules.{names[0]}": "correct",
        f"rules.{names[1]}": "wrong",
    }
    right = next(one for one in found if one["verdict"] == "correct")
    assert [one["name"] for one in right["claims"]] == [claim]
    assert not right["unjudged"]
    assert right["source"].startswith("rules.py:")
