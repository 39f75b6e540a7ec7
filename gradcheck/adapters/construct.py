"""Build an object from its class: a registration, `gradcheck_example()`, what the user says, or the signature."""

from __future__ import annotations

import ast
import contextlib
import copy
import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.adapters import containers, registry
from gradcheck.adapters.declarations import counts, declares, written
from gradcheck.adapters.ready_made import SETS, kind_of, ready_made
from gradcheck.adapters.state import seeded
from gradcheck.compiled import is_function
from gradcheck.errors import CannotBuild, NotWritten, told
from gradcheck.problem import Sizes
from gradcheck.syntax import nodes

# Names of constructor arguments, as words that they contain or are, for sizes and settings.
# The first kind that fits is taken: "input_units" is an input size, "units" an output size.
KINDS = (
    ("outputs", ("output", "outputs", "out", "nout", "o")),
    ("inputs", ("input", "inputs", "in", "nin", "i")),
    ("outputs", ("units", "neurons", "filters", "m")),
    ("hidden", ("hidden", "latent", "middle", "h")),
    ("inputs", ("classes", "class", "features", "feature", "channels", "channel", "dim", "size", "width", "n", "d")),
    ("inputs", ("embedding",)),
)
SMALL: Mapping[str, Any] = {
    "initializer": "normal",
    "initialization": "normal",
    "dtype": np.float64,
    "trainable": True,
    "use_bias": True,
    "keepdims": False,
    "kernel_shape": (2, 2),
    "filter_shape": (2, 2),
    "pool_shape": (2, 2),
    "kernel": 2,
    "pool": 2,
    "downsampling_factor": 2,
    "upsampling_factor": 2,
    "window": 2,
    "filter_size": 2,
    "stride": 1,
    "strides": 1,
    "padding": 0,
    "pad": 0,
    "groups": 1,
    "heads": 1,
    "seed": 0,
    "random_state": 0,
    "axis": -1,
    "rate": 0.5,
    "p": 0.5,
    "prob": 0.5,
    "dropout": 0.5,
    "alpha": 0.3,
    "beta": 0.9,
    "gamma": 0.9,
    "momentum": 0.9,
    "slope": 0.3,
    "eps": 1e-5,
    "epsilon": 1e-5,
    "scalar": 2.0,
    "power": 2,
    "exponent": 2,
    "factor": 2.0,
    "constant": 2.0,
    "slices": slice(0, 2),
    "x_min": -0.5,
    "x_max": 0.75,
    "min_value": -0.5,
    "max_value": 0.75,
    "decay": 0.9,
    "lr": 0.1,
    "learning_rate": 0.1,
    "name": "x",
}
# A default that is larger than this makes a check slow, and shows nothing that a small size does not.
LARGE = 32
# The widths of hidden layers: hidden_sizes, hidden_size_list, hidden_dims.
HIDDEN = re.compile(r"hidden\w*(list|sizes|dims|layers)|(list|sizes)_?\w*hidden")
# What is either an array of weights or a number; and what stands beside it where it is a number.
COUNTED = frozenset({"filter", "filters", "kernel", "kernels"})
BESIDE_COUNTS = frozenset({"size", "channels", "channel", "in", "out", "inputs", "outputs", "shape", "input", "depth"})
# The widths of a whole network.
SIZES = frozenset(
    {
        "sizes",
        "layer_sizes",
        "layers_sizes",
        "layer_dims",
        "layers_dims",
        "dims",
        "layer_dimensions",
        "topology",
        "layers",
    }
)


@dataclass(frozen=True)
class Made:
    """An object ready to be called; `inputs` where an example came with them."""

    obj: Any
    inputs: tuple[Any, ...] | None = None


def make(
    thing: Any, sizes: Sizes, rng: np.random.Generator, init: Mapping[str, Any] | None = None, variant: int = 0
) -> Made:
    """Return a fresh object of class `thing`, or a copy of the instance `thing`. Raises CannotBuild with the reason.

    `variant`: which of the shapes that arrays for its constructor may have.
    """
    with seeded(int(rng.integers(2**31))):
        try:
            return _make(thing, sizes, dict(init or {}), variant)
        except CannotBuild:
            raise
        except NotImplementedError as error:
            raise NotWritten(f"cannot build {_name(thing)}: its constructor is not implemented") from error
        except Exception as error:  # whatever somebody else's constructor raises is a reason to skip
            hint = "give --init name=value, or define gradcheck_example() on the class"
            raise CannotBuild(f"cannot build {_name(thing)}: {told(error)}; {hint}") from error


def variants(thing: Any) -> int:
    """In how many ways a class can be made: several where its constructor takes arrays; the last takes numbers."""
    if not inspect.isclass(thing) or says_how(thing):
        return 1
    try:
        parameters = inspect.signature(thing).parameters.values()
    except ValueError:  # a class without a readable signature
        return 1
    return len(SETS) + 1 if any(p.default is p.empty and kind_of(p.name) for p in parameters) else 1


def _make(thing: Any, sizes: Sizes, init: dict[str, Any], variant: int) -> Made:
    factory = registry.factory_for(thing)
    if factory is not None:
        made = unpack(factory(thing))
        if inspect.isclass(thing) and not isinstance(made.obj, thing):
            raise CannotBuild(
                f"what is registered for {_name(thing)} should return one, but returned {_name(made.obj)}"
            )
        return made
    if is_function(thing):
        if not declares(thing, "gradcheck_example"):
            return Made(thing)
        example = getattr(thing, "gradcheck_example")()  # noqa: B009
        made = unpack(example)
        if is_function(made.obj):
            return made
        return Made(thing, tuple(example) if isinstance(example, (tuple, list)) else (example,))
    if not inspect.isclass(thing):
        return _with_inputs(duplicate(thing))
    missing = sorted(getattr(thing, "__abstractmethods__", ()))
    if missing:
        raise CannotBuild(f"not finished: {', '.join(missing)} must be written")
    if brings_example(thing) and not init:
        return _expected(thing, unpack(getattr(thing, "gradcheck_example")()))  # noqa: B009
    listed = [] if init else _listed(thing, sizes)
    obj = thing(*listed, **arguments(thing, sizes, init, variant))
    return _with_inputs(containers.fill(obj, lambda: containers.stack(thing, sizes, thing_of)))


def thing_of(cls: type, sizes: Sizes) -> Any:
    """An object of a class in its plainest form."""
    return cls(**arguments(cls, sizes, {}))


def _listed(thing: Any, sizes: Sizes) -> list[Any]:
    """Layers for a container that takes any number of them."""
    try:
        parameters = list(inspect.signature(thing).parameters.values())
    except ValueError:  # a class without a readable signature
        return []
    starred = any(p.kind is p.VAR_POSITIONAL and containers.takes_layers(p) for p in parameters)
    return (
        containers.stack(thing, sizes, thing_of)
        if starred and parameters[0].kind is parameters[0].VAR_POSITIONAL
        else []
    )


def says_how(thing: Any) -> bool:
    """Whether somebody says how the class is built: a registration or an example."""
    return registry.factory_for(thing) is not None or declares(thing, "gradcheck_example")


def brings_example(thing: Any) -> bool:
    """Whether the class says with a static or class method `gradcheck_example()` how it is built."""
    return isinstance(written(thing, "gradcheck_example"), (staticmethod, classmethod))


def cases(thing: Any) -> list[Made]:
    """What a class brings with a static or class method `gradcheck_cases()` of its own, beside what is sampled.

    A list of `(instance, inputs)`: other settings than its defaults, other shapes than rows. Those of a base class are
    about the base. Raises CannotBuild where the method fails.
    """
    own = vars(thing).get("gradcheck_cases") if inspect.isclass(thing) else None
    if not isinstance(own, (staticmethod, classmethod)) or not counts("gradcheck_cases"):
        return []
    try:
        with seeded(0):
            return [unpack(case) for case in thing.gradcheck_cases()]
    except Exception as error:  # other people's code
        raise CannotBuild(f"{_name(thing)}.gradcheck_cases() raised {told(error)}") from error


def _expected(thing: Any, made: Made) -> Made:
    """Hold what a class' example returned against what it should be."""
    wanted = f"{_name(thing)}.gradcheck_example() should return an instance, or (instance, [inputs])"
    if not isinstance(made.obj, thing):
        raise CannotBuild(f"{wanted}, but returned {type(made.obj).__name__}")
    for one in made.inputs or ():
        array = np.asarray(one)
        if array.dtype.kind not in "fiub":
            raise CannotBuild(f"{wanted} with numbers for inputs, but one is {type(one).__name__}")
    return made


def unpack(example: Any) -> Made:
    """Read what an example or a registration returned: an instance, or (instance, inputs)."""
    if isinstance(example, tuple) and len(example) == 2:
        given = example[1]
        return Made(example[0], tuple(given) if isinstance(given, (tuple, list)) else (given,))
    return _with_inputs(example)


def _with_inputs(obj: Any) -> Made:
    """Where `gradcheck_example` is a method of instances, it says the inputs only."""
    if not inspect.isfunction(written(obj, "gradcheck_example")):
        return Made(obj)
    given = obj.gradcheck_example()
    if isinstance(given, tuple) and given and isinstance(given[0], type(obj)):
        return unpack(given)
    return Made(obj, tuple(given) if isinstance(given, (tuple, list)) else (given,))


def duplicate(obj: Any) -> Any:
    """Return a deep copy of an instance; the instance itself where it cannot be copied."""
    try:
        return copy.deepcopy(obj)
    except Exception:  # __deepcopy__ of somebody else's attributes; a check in place still puts everything back
        return obj


def arguments(cls: type, sizes: Sizes, init: dict[str, Any], variant: int = 0) -> dict[str, Any]:
    """Return constructor arguments: what the user says, and a size or setting for the rest."""
    try:
        parameters = list(inspect.signature(cls).parameters.values())
    except ValueError:  # a class without a readable signature takes nothing, or fails below
        return init
    names = {p.name for p in parameters}
    open_ended = any(p.kind is p.VAR_KEYWORD for p in parameters)
    unknown = [name for name in init if name not in names]
    if unknown and not open_ended:
        known = ", ".join(p.name for p in parameters) or "none"
        raise CannotBuild(f"{cls.__name__} takes no argument {unknown[0]!r}; it takes {known}")
    found = dict(init)
    used: dict[str, int] = {}
    for parameter in parameters:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD) or parameter.name in found:
            continue
        if parameter.default is parameter.empty:
            found[parameter.name] = _guess(cls, parameter, sizes, used, variant)
        elif parameter.name in ("seed", "random_state") and parameter.default is None:
            found[parameter.name] = 0
        elif parameter.name in ("input_shape", "input_dim", "input_size", "in_features") and parameter.default is None:
            found[parameter.name] = (sizes.inputs,) if parameter.name == "input_shape" else sizes.inputs
        elif _is_large(parameter.default) and (size := _size(parameter.name.lower(), sizes, used)) is not None:
            found[parameter.name] = size
    return found


def _guess(cls: type, parameter: inspect.Parameter, sizes: Sizes, used: dict[str, int], variant: int) -> Any:
    name = parameter.name.lower()
    is_number = parameter.annotation in (int, float, "int", "float") or _is_counted(cls, name) or variant == len(SETS)
    array = None if is_number else ready_made(parameter.name, sizes, variant)
    if array is not None:
        return array
    words = {word.rstrip("0123456789") for word in name.split("_")} | {name}
    for known, value in SMALL.items():
        if known in words or (len(known) > 3 and name.startswith(known)):
            return value
    if "shape" in words:
        return (sizes.inputs,)
    if containers.takes_a_layer(parameter) and (layer := containers.as_wide(cls, sizes, thing_of)) is not None:
        return layer
    if containers.takes_layers(parameter) and (found := containers.stack(cls, sizes, thing_of)):
        return found
    if HIDDEN.fullmatch(name):
        return [sizes.inputs + sizes.outputs]
    if name in SIZES:
        return [sizes.inputs, sizes.inputs + sizes.outputs, sizes.outputs]
    if words & {"batch"}:
        return sizes.batch
    size = _size(name, sizes, used)
    if size is not None:
        return size
    annotation = str(parameter.annotation)
    if parameter.annotation in (int, "int"):
        used["int"] = used.get("int", -1) + 1
        return (sizes.inputs, sizes.outputs)[used["int"]] if used["int"] < 2 else 2
    if parameter.annotation in (float, "float"):
        return 0.5
    if parameter.annotation in (bool, "bool"):
        return True
    if words & {"init", "initializer"} and words & {"fn", "func", "function"}:
        return _initial
    if "Callable" in annotation or "activation" in name or name in ("func", "function", "fn", "f"):
        return _activation(cls, name)
    if keys := _keys(cls, parameter.name):
        asked = [inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY) for key in keys if key.isidentifier()]
        with contextlib.suppress(CannotBuild):
            return {one.name: _guess(cls, one, sizes, used, variant) for one in asked}
    raise CannotBuild(
        f"cannot build {cls.__name__}: nothing is known about its argument {parameter.name!r}; "
        f"give --init {parameter.name}=value, or define gradcheck_example() on the class"
    )


def _keys(cls: type, name: str) -> list[str]:
    """The entries that a constructor reads out of an argument: `config["stride"]`."""
    return list(
        dict.fromkeys(
            node.slice.value
            for node in nodes(cls.__init__)  # type: ignore[misc]
            if isinstance(node, ast.Subscript)
            and isinstance(node.value, ast.Name)
            and node.value.id == name
            and isinstance(node.slice, ast.Constant)
            and isinstance(node.slice.value, str)
        )
    )


def _is_counted(cls: type, name: str) -> bool:
    """Whether filters are a number of them, and a kernel is its size: sizes stand beside them, and no weights do."""
    others = (one.lower() for one in inspect.signature(cls).parameters if one.lower() != name)
    return name in COUNTED and any(set(one.split("_")) & BESIDE_COUNTS for one in others)


def _is_large(default: Any) -> bool:
    return isinstance(default, int) and not isinstance(default, bool) and default >= LARGE


def _size(name: str, sizes: Sizes, used: dict[str, int]) -> int | None:
    """The number that an argument of this name is, where it is one of sizes."""
    words = {word.rstrip("0123456789") for word in name.split("_")} | {name}
    sized = {"outputs": sizes.outputs, "inputs": sizes.inputs, "hidden": sizes.inputs + sizes.outputs}
    for kind, known in KINDS:
        if words & set(known):
            # A second input size of the same layer is another number, so that the two cannot be confused.
            used[kind] = used.get(kind, -1) + 1
            return sized[kind] + used[kind]
    return None


def _activation(cls: type, name: str) -> Any:
    """A smooth function for an activation, its derivative for whatever is named after one."""
    if any(word in name for word in ("grad", "prime", "deriv", "diff", "backward")):
        return lambda x: 1.0 - np.tanh(x) ** 2
    return np.tanh


def _initial(*shape: Any) -> Any:
    """Weights of a shape, of both signs: `init(in, out)`, or `init((in, out))`."""
    axes = shape[0] if isinstance(shape[0], tuple) else shape
    return np.sin(np.arange(1.0, 1.0 + np.prod(axes))).reshape(axes)


def _name(thing: Any) -> str:
    return thing.__name__ if inspect.isclass(thing) else type(thing).__name__
