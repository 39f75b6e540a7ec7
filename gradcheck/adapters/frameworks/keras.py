"""Keras' layers where its backend is TensorFlow: their variables, and how they compute in another precision."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any


def _keras() -> Any:
    """Keras, if it is loaded and computes with TensorFlow."""
    found = sys.modules.get("keras")
    return found if found is not None and found.backend.backend() == "tensorflow" else None


def layers() -> tuple[type, ...]:
    """The class of all layers, if there is one."""
    keras = _keras()
    return (keras.Layer,) if keras is not None else ()


def is_layer(value: Any) -> bool:
    """Whether it is a layer."""
    return isinstance(value, layers())


def is_variable(value: Any) -> bool:
    """Whether it is a variable of Keras'."""
    keras = _keras()
    return keras is not None and isinstance(value, keras.Variable)


def weights(layer: Any) -> dict[str, Any]:
    """The trainable weights of a layer by their paths in it."""
    every = layer.trainable_weights
    named = {one.path.removeprefix(f"{layer.name}/"): one for one in every}
    return named if len(named) == len(every) else {f"{one.path} {n}": one for n, one in enumerate(every)}


@contextlib.contextmanager
def precisely(layer: Any, dtype: str) -> Iterator[None]:
    """Within it a layer and all its parts compute in `dtype`, and so does what Keras makes where no type is said."""
    keras = _keras()
    policy, floatx = keras.DTypePolicy(dtype), keras.config.floatx()
    parts = list(layer._flatten_layers())
    graphs = [vars(part).get("_functional") or part for part in parts]  # where a Sequential keeps its layers' graph
    inputs = [one for graph in graphs for one in keras.tree.flatten(vars(graph).get("_inputs") or [])]
    typed = [(part, "_dtype_policy") for part in parts if keras.backend.is_float_dtype(part.compute_dtype)]
    own = [part for part in parts if "_dtype" in vars(part)]  # an InputLayer
    typed += [(one, "_dtype") for one in (*layer.variables, *inputs, *own) if keras.backend.is_float_dtype(one.dtype)]
    before = [(vars(one), name, vars(one)[name]) for one, name in typed]
    try:
        keras.config.set_floatx(dtype)
        for attributes, name, _ in before:
            attributes[name] = policy if name == "_dtype_policy" else dtype
        yield
    finally:
        keras.config.set_floatx(floatx)
        for attributes, name, value in before:
            attributes[name] = value
