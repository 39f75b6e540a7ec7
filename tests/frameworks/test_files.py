"""Functions of frameworks as they stand in a file: found by the command, asked with arrays that are found for them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

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
TENSORFLOW = """
import tensorflow as tf


@tf.custom_gradient
def cube(x):
    return x**3, lambda upstream: 3 * upstream * x**2


@tf.function
@tf.custom_gradient
def wrong(x):
    return x**3, lambda upstream: 2 * upstream * x**2
"""
METHODS = """
import tensorflow as tf

weight = tf.Variable([[1.0, 2.0, -1.0], [0.5, 0.25, 3.0], [1.0, 1.0, 0.5], [2.0, 0.5, 1.0]])


@tf.custom_gradient
def linear(x):
    def grad(upstream, variables):
        return upstream @ tf.transpose(weight), [2 * tf.transpose(x) @ upstream]

    return x @ weight, grad


class Scaled:
    def __init__(self, factor=3.0):
        self.factor = factor

    @tf.custom_gradient
    def scale(self, x):
        return self.factor * x, lambda upstream: self.factor * upstream

    @staticmethod
    @tf.custom_gradient
    def forgets(x):
        return 2 * x, lambda upstream: upstream


class Layer(tf.keras.layers.Layer):
    @tf.custom_gradient
    def through(self, x):
        return tf.sign(x), lambda upstream: upstream

    def call(self, x):
        return self.through(x)

    through.gradcheck_waivers = {"vjp[x]": "straight-through"}


class Model(tf.keras.Model):
    def call(self, x):
        return x
"""


def found_in(code: str, folder: Path) -> dict[str, dict[str, Any]]:
    """What the command says of a file, by names in it; something in it is wrong."""
    (folder / "rules.py").write_text(code)
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "gradcheck", "rules.py", "--no-report", "--hints", "none", "--json", "found.json"]
    command += ["--jobs", "1"]  # each process imports the framework, which takes longer than the checks
    environment = {**os.environ, "PYTHONPATH": str(root), "JAX_PLATFORMS": "cpu"}
    run = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    assert run.returncode == 1, run.stderr
    components = json.loads((folder / "found.json").read_text())["components"]
    return {one["name"].removeprefix("rules."): one for one in components}


@pytest.mark.parametrize(
    ("framework", "code", "claim", "names"),
    [
        ("torch", TORCH, "backward[x]", ["Cube", "Wrong"]),
        ("jax", JAX, "cube_bwd[x]", ["cube", "wrong"]),
        ("tensorflow", TENSORFLOW, "vjp[x]", ["cube", "wrong"]),
    ],
)
def test_the_command_finds_and_judges_them(framework, code, claim, names, tmp_path: Path):
    pytest.importorskip(framework)
    found = found_in(code, tmp_path)
    assert {name: one["verdict"] for name, one in found.items()} == {names[0]: "correct", names[1]: "wrong"}
    right = found[names[0]]
    assert [one["name"] for one in right["claims"]] == [claim]
    assert not right["unjudged"]
    assert right["source"].startswith("rules.py:")


def test_methods_and_functions_of_variables_are_found_and_a_model_of_a_framework_is_none(tmp_path: Path):
    pytest.importorskip("tensorflow")
    found = found_in(METHODS, tmp_path)
    assert {name: one["verdict"] for name, one in found.items()} == {
        "linear": "wrong",
        "Scaled.scale": "correct",
        "Scaled.forgets": "wrong",
        "Layer.through": "waived",
    }
    assert {one["name"]: one["verdict"] for one in found["linear"]["claims"]} == {
        "vjp[weights['Variable']]": "wrong",
        "vjp[x]": "correct",
    }
