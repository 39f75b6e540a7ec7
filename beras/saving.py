"""A whole model in one file: how it is made, its weights, and how it is trained. Arrays and text, no pickles.

The file is an archive of arrays (`beras.array_archive`): `config`, JSON as bytes; the weights by their paths,
`weights/layers.0.w`; and what the optimizer keeps for each weight, `optimizer/layers.0.w/0`. In the JSON an object is
`{"class": name, "config": its constructor's arguments}`, and `{"ref": n}` where it stands for the second time.
"""

from __future__ import annotations

import json
import os
import types
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from beras.array_archive import write_arrays
from beras.arrays import Array
from beras.constructor_arguments import CannotBeSaved, arguments_of
from beras.symbol import NumPyCall, Symbol
from beras.update_rule import Optimizer

VERSION = 1


def save_model(model: Any, path: str | os.PathLike[str]) -> None:
    """Write `model` to `path`, in one step. Raises `TypeError` where it is made of what a file cannot hold.

    A loss, metric or optimizer that cannot be saved is left out, with a warning: the loaded model is not compiled.
    """
    writer = Writer()
    config: dict[str, Any] = {"version": VERSION, "model": writer.object(model)}
    names = {id(weight): name for name, weight in model.named_weights().items()}
    config["frozen"] = sorted(name for name, weight in model.named_weights().items() if not weight.trainable)
    arrays: dict[str, Array] = {f"weights/{name}": np.asarray(w) for name, w in model.named_weights().items()}
    if model.optimizer is not None:
        try:
            config["compile"] = {
                "optimizer": writer.value(model.optimizer),
                "loss": writer.value(model.loss_fn),
                "metrics": {name: writer.value(metric) for name, metric in model.metrics.items()},
            }
        except CannotBeSaved as error:
            warnings.warn(f"how the model is trained is not saved: {error}", stacklevel=3)
        else:
            if isinstance(model.optimizer, Optimizer):
                config["numbers"] = numbers_of(model.optimizer)
                for weight, kept in model.optimizer.state.items():
                    if id(weight) in names:
                        arrays |= {f"optimizer/{names[id(weight)]}/{k}": array for k, array in enumerate(kept)}
    text = json.dumps(config, allow_nan=False).encode()
    write_arrays(path, {"config": np.frombuffer(text, np.uint8), **arrays})


def numbers_of(optimizer: Optimizer) -> dict[str, float]:
    """Return what an optimizer counts and keeps besides arrays: its step, its present rate."""
    return {name: value for name, value in vars(optimizer).items() if type(value) in (int, float)}


class Writer:
    """Turns objects into what JSON can hold; an object that occurs twice is written once."""

    def __init__(self) -> None:
        self._seen: dict[int, tuple[int, Any]] = {}

    def value(self, value: Any) -> Any:
        """Return a constructor's argument as JSON."""
        if value is None or isinstance(value, (bool, int, str)):
            return value
        if isinstance(value, (float, np.floating)):
            return float(value) if np.isfinite(value) else {"number": repr(float(value))}
        if isinstance(value, np.integer):
            return int(value)
        if isinstance(value, tuple):
            return {"tuple": [self.value(part) for part in value]}
        if isinstance(value, list):
            return [self.value(part) for part in value]
        if isinstance(value, Mapping):
            return {"dict": [[self.value(name), self.value(part)] for name, part in value.items()]}
        if isinstance(value, np.dtype) or (isinstance(value, type) and issubclass(value, np.generic)):
            return {"dtype": np.dtype(value).str}
        if isinstance(value, slice):
            return {"slice": [self.value(part) for part in (value.start, value.stop, value.step)]}
        if value is Ellipsis:
            return {"ellipsis": True}
        if isinstance(value, np.random.Generator):
            return None  # a seed that has been used up: what it gave is in the weights
        if isinstance(value, types.FunctionType):
            if value.__name__ == "<lambda>":
                raise CannotBeSaved("a lambda has no name to find it by: write it as a function")
            return {"function": value.__name__}
        if isinstance(value, np.ndarray):
            return {"array": value.tolist(), "dtype": value.dtype.str}
        return self.object(value)

    def object(self, thing: Any) -> Any:
        """Return an object as its class and its constructor's arguments."""
        if id(thing) in self._seen:
            return {"ref": self._seen[id(thing)][0]}
        number = len(self._seen)
        self._seen[id(thing)] = number, thing
        own = getattr(thing, "get_config", None)
        found: dict[str, Any] = {"class": type(thing).__name__, "id": number}
        if isinstance(getattr(thing, "nodes", None), list):
            found["graph"] = self._graph(thing)
        else:
            arguments = own() if own is not None else arguments_of(thing)
            found["config"] = {name: self.value(value) for name, value in arguments.items()}
        shapes = getattr(thing, "built_for", None)
        if shapes is not None:
            found["built_for"] = [list(shape) for shape in shapes]
        return found

    def _graph(self, model: Any) -> Any:
        """Return the steps of a functional model; symbols by number, inputs first."""
        numbers: dict[int, int] = {}

        def named(tree: Any) -> Any:
            if isinstance(tree, Symbol):
                return {"symbol": numbers[id(tree)]}
            if isinstance(tree, list):
                return [named(part) for part in tree]
            if isinstance(tree, tuple):
                return {"tuple": [named(part) for part in tree]}
            return self.value(tree)

        inputs = []
        for symbol in model.inputs:
            numbers[id(symbol)] = len(numbers)
            inputs.append({"shape": list(symbol.example.shape[1:]), "dtype": symbol.dtype.str})
        steps = []
        for node in model.nodes:
            step = {"args": named(list(node.args)), "kwargs": {k: named(v) for k, v in node.kwargs.items()}}
            if isinstance(node.function, NumPyCall):
                step["numpy"] = [node.function.kind, node.function.name]
            else:
                step["call"] = self.object(node.function)
            steps.append(step)
            for symbol in node.outputs:
                numbers[id(symbol)] = len(numbers)
        outputs = [numbers[id(symbol)] for symbol in model.outputs]
        return {"inputs": inputs, "steps": steps, "outputs": outputs, "single": model.single}
