"""Makes a model again from a file of `Model.save`: only Beras' own classes, and those that the caller names."""

from __future__ import annotations

import inspect
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from beras import (
    activations,
    composition,
    functional,
    initializers,
    layers,
    losses,
    metrics,
    model,
    numpy_rules,
    optimizer,
    schedules,
)
from beras.array_archive import Header, read_arrays
from beras.arrays import Array
from beras.saving import VERSION
from beras.symbol import NumPyCall, Symbol, symbolic
from beras.update_rule import Optimizer

LARGEST_CONFIG = 2**24  # bytes
MODULES = (activations, composition, functional, initializers, layers, losses, metrics, model, optimizer, schedules)


def load_model(path: str | os.PathLike[str], custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return the model that `Model.save` wrote to `path`, compiled as it was, its optimizer in the midst of its steps.

    `custom_objects`: your own classes and functions by name. Nothing in the file is run, and no class is looked up but
    among Beras' and these.

    Raises OSError for a missing file; ValueError, in one line, for one that is no saved model, that is damaged, or that
    needs a class that is not given.
    """
    name = os.fspath(path)
    try:
        config = _config(path)
        known = dict(_known()) | dict(custom_objects or {})
        headers: dict[str, Header] = {}
        read_arrays(path, lambda found: headers.update(found) or [])
        with _room_for(sum(int(np.prod(h.shape)) for n, h in headers.items() if n.startswith("weights/"))):
            reader = Reader(known)
            made = reader.value(config["model"])
        _set_weights(made, path, config)
        if "compile" in config:
            _compile(made, reader, config, path)
    except ModelError as error:
        raise ValueError(f"{name} cannot be loaded: {error}") from error
    except (KeyError, IndexError, TypeError, AttributeError, ValueError, MemoryError, RecursionError) as error:
        told = " ".join(str(error).split())[:300] or type(error).__name__
        raise ValueError(f"{name} cannot be loaded as a saved model: {told}") from error
    return made


class ModelError(ValueError):
    """What is wrong with a file, in words for its reader."""


def _config(path: str | os.PathLike[str]) -> dict[str, Any]:
    def accept(headers: Mapping[str, Header]) -> Iterable[str]:
        found = headers.get("config")
        if found is None or found.dtype != np.uint8 or len(found.shape) != 1:
            raise ModelError("it holds no model: files of save_weights are for load_weights")
        if found.nbytes > LARGEST_CONFIG:
            raise ModelError(f"its description is {found.nbytes:,} bytes long, which is no model's")
        return ["config"]

    config: Any = json.loads(read_arrays(path, accept)["config"].tobytes())
    if not isinstance(config, dict) or config.get("version") != VERSION:
        raise ModelError(f"it is of another version than {VERSION}, which this Beras reads")
    return config


def _known() -> Iterator[tuple[str, Any]]:
    for module in MODULES:
        for name, thing in vars(module).items():
            if inspect.isclass(thing) and thing.__module__.startswith("beras."):
                yield name, thing


@contextmanager
def _room_for(numbers: int) -> Iterator[None]:
    """Let no more weights be drawn than the file has."""
    initializers.budget.left = numbers
    try:
        yield
    finally:
        initializers.budget.left = None


class Reader:
    """Makes objects from what `saving.Writer` wrote."""

    def __init__(self, known: Mapping[str, Any]) -> None:
        self.known = known
        self._made: dict[int, Any] = {}

    def value(self, written: Any) -> Any:
        """Return what was written."""
        if isinstance(written, list):
            return [self.value(part) for part in written]
        if not isinstance(written, dict):
            return written
        if "ref" in written:
            return self._made[written["ref"]]
        if "class" in written:
            return self._object(written)
        [kind, *_] = written
        content = written[kind]
        if kind == "function":
            return self._named(content)
        kinds: dict[str, Callable[[], Any]] = {
            "number": lambda: float(content),
            "tuple": lambda: tuple(self.value(part) for part in content),
            "dict": lambda: {self.value(k): self.value(v) for k, v in content},
            "dtype": lambda: np.dtype(content),
            "slice": lambda: slice(*[self.value(part) for part in content]),
            "ellipsis": lambda: Ellipsis,
            "array": lambda: np.array(content, written["dtype"]),
        }
        return kinds[kind]()

    def _named(self, name: str) -> Any:
        if name not in self.known:
            raise ModelError(f"it needs {name!r}, which is not of Beras: give custom_objects={{{name!r}: …}}")
        return self.known[name]

    def _object(self, written: dict[str, Any]) -> Any:
        cls = self._named(written["class"])
        if "graph" in written:
            made = self._graph(cls, written["graph"])
        else:
            made = cls(**{name: self.value(value) for name, value in written["config"].items()})
        self._made[written["id"]] = made
        if not getattr(made, "built", True) and "built_for" in written:
            made.build(*[tuple(shape) for shape in written["built_for"]])
        return made

    def _graph(self, cls: Any, graph: dict[str, Any]) -> Any:
        symbols = [Symbol(np.zeros((1, *i["shape"]), i["dtype"])) for i in graph["inputs"]]
        inputs = list(symbols)

        def value(tree: Any) -> Any:
            if isinstance(tree, dict) and "symbol" in tree:
                return symbols[tree["symbol"]]
            if isinstance(tree, dict) and "tuple" in tree:
                return tuple(value(part) for part in tree["tuple"])
            return [value(part) for part in tree] if isinstance(tree, list) else self.value(tree)

        for step in graph["steps"]:
            args, kwargs = value(step["args"]), {name: value(v) for name, v in step["kwargs"].items()}
            function = self.value(step["call"]) if "call" in step else _of_numpy(*step["numpy"])
            found = function(*args, **kwargs) if "call" in step else symbolic(function, args, kwargs)
            symbols += found if isinstance(found, (list, tuple)) else [found]
        outputs = [symbols[k] for k in graph["outputs"]]
        return cls(inputs[0] if len(inputs) == 1 else inputs, outputs[0] if graph["single"] else outputs)


def _of_numpy(kind: str, name: str) -> NumPyCall:
    """Return a step of NumPy's, if it is one that a tape knows."""
    known = {f.__name__ for f in (*numpy_rules.UFUNCS, *numpy_rules.FUNCTIONS, *numpy_rules.MADE_OF_RULES)}
    allowed = {"item": [""], "method": numpy_rules.METHODS, "function": known}
    if name.rpartition(".")[2] not in allowed.get(kind, ()) and name not in allowed.get(kind, ()):
        raise ModelError(f"it needs NumPy's {name!r}, which is no step of a model")
    return NumPyCall(kind, name)


def _set_weights(made: Any, path: Any, config: dict[str, Any]) -> None:
    mine = made.named_weights()

    def accept(headers: Mapping[str, Header]) -> Iterable[str]:
        saved = {name.removeprefix("weights/"): h for name, h in headers.items() if name.startswith("weights/")}
        made.check_weights(saved)
        return [f"weights/{name}" for name in mine]

    for name, array in read_arrays(path, accept).items():
        mine[name.removeprefix("weights/")].assign(array)
    for name in config["frozen"]:
        mine[name].trainable = False


def _compile(made: Any, reader: Reader, config: dict[str, Any], path: Any) -> None:
    written = config["compile"]
    metrics_by_name = {name: reader.value(metric) for name, metric in written["metrics"].items()}
    made.compile(reader.value(written["optimizer"]), reader.value(written["loss"]))
    made.metrics, made.acc_fn = metrics_by_name, metrics_by_name.get("acc")
    if not isinstance(made.optimizer, Optimizer):
        return
    for name, number in config["numbers"].items():
        if type(number) not in (int, float) or name not in vars(made.optimizer):
            raise ModelError(f"its optimizer has no number {name!r} that could be {number!r}")
        setattr(made.optimizer, name, number)
    mine = made.named_weights()
    kept: dict[str, dict[int, Array]] = {}

    def accept(headers: Mapping[str, Header]) -> Iterable[str]:
        for name, header in headers.items():
            if name.startswith("optimizer/"):
                weight, _, number = name.removeprefix("optimizer/").rpartition("/")
                if weight not in mine or header.shape != mine[weight].shape or not number.isdecimal():
                    raise ModelError(f"what its optimizer keeps does not fit: {name}")
                yield name

    for name, array in read_arrays(path, accept).items():
        weight, _, number = name.removeprefix("optimizer/").rpartition("/")
        kept.setdefault(weight, {})[int(number)] = array
    for name, numbered in kept.items():
        made.optimizer.state.restore(mine[name], [numbered[k] for k in sorted(numbered)])
