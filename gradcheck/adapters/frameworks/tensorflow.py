"""TensorFlow: `tf.custom_gradient`, and what its tape makes of layers and of any function of its tensors.

@tf.custom_gradient
def f(x): …; return y, grad        grad(upstream) → x̄, …        grad(upstream, variables) → ([x̄, …], [w̄, …])
"""

from __future__ import annotations

import contextlib
import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from gradcheck.adapters.frameworks import keras
from gradcheck.adapters.frameworks.protocol import Function, Rule, Run
from gradcheck.adapters.frameworks.rules import mapped
from gradcheck.adapters.frameworks.variables import OfVariables, dense
from gradcheck.adapters.handed.spaces import PYTORCH
from gradcheck.adapters.isolated import SEED
from gradcheck.errors import UsageError
from gradcheck.problem import Array


class Tensorflow:
    """The TensorFlow that is loaded."""

    arrays = "tensors"
    convention = PYTORCH  # TensorFlow's is the same

    @property
    def tf(self) -> Any:
        """The module; not kept, since modules do not travel to other processes."""
        return sys.modules["tensorflow"]

    @property
    def modules(self) -> tuple[type, ...]:
        """keras.Layer, if Keras is loaded, and tf.Module"""
        return (*keras.layers(), self.tf.Module)

    def is_array(self, value: Any) -> bool:
        """Whether it is a tensor, or a variable of TensorFlow's or Keras'."""
        return isinstance(value, (self.tf.Tensor, self.tf.Variable)) or keras.is_variable(value)

    def is_moved(self, value: Any) -> bool:
        """Whether it is a tensor of floating or complex numbers, or such an array of NumPy's."""
        if isinstance(value, np.ndarray):
            return value.dtype.kind in "fc"
        kind = self.tf.as_dtype(value.dtype) if self.is_array(value) else self.tf.bool
        return bool(kind.is_floating or kind.is_complex)

    def rule(self, subject: Any, arguments: Sequence[Any]) -> Rule | None:
        """The grad that a tf.custom_gradient returns; of a layer or a tf.Module what the tape says."""
        if isinstance(subject, type) and issubclass(subject, self.modules):
            name = subject.__name__
            raise UsageError(f"expected a layer, but got the class {name}: make one, as in check({name}(...), x)")
        if keras.is_layer(subject):
            if not subject.built and arguments:
                subject(*(mapped(one, self._tensor) for one in arguments))  # which makes its weights
            return self._by_tape(subject, subject.call, keras.weights(subject), subject.variables, "keras.Layer: call")
        if isinstance(subject, self.tf.Module) and callable(subject):
            weights = self._named(subject.trainable_variables)
            return self._by_tape(subject, subject.__call__, weights, subject.variables, "tf.Module: __call__")
        compiled = isinstance(subject, self.tf.types.experimental.PolymorphicFunction)
        written = subject.python_function if compiled else subject
        if not isinstance(written, type(self.tf.custom_gradient(abs))):  # the class of what it makes of functions
            return None
        forward, variables, silent = written.__wrapped__, *self._seen(subject, arguments)
        weights = self._named(variables)
        return Rule(
            OfVariables(subject, weights) if variables else subject,
            forward,
            forward,
            None,
            "tf.custom_gradient: the function, and what its grad says of it",
            constants=tuple(silent),
            weights=self._values(weights),
            still=partial(OfVariables(subject, {}, variables), {}) if variables else None,
        )

    def _by_tape(
        self, subject: Any, forward: Function, weights: Mapping[str, Any], variables: Sequence[Any], what: str
    ) -> Rule:
        others = [one for one in variables if all(one is not weight for weight in weights.values())]
        still = partial(OfVariables(subject, {}, variables), {})
        return Rule(
            OfVariables(subject, weights, others) if weights else still,
            forward,
            forward,
            None,
            f"{what}, and what tf.GradientTape returns",
            shown=subject,
            weights=self._values(weights),
            still=still,
        )

    def _named(self, variables: Sequence[Any]) -> dict[str, Any]:
        """Variables by their names, and by numbers where these are not all different."""
        named = {one.name.partition(":")[0]: one for one in variables}
        return named if len(named) == len(variables) else {str(n): one for n, one in enumerate(variables)}

    def _values(self, weights: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self.tf.convert_to_tensor(one) for name, one in weights.items()}

    def _seen(self, subject: Function, arguments: Sequence[Any]) -> tuple[list[Any], list[int]]:
        """The trainable variables that a function reads, and the numbers of the arguments for which grad is None."""
        for dtype in (None, self.tf.float32, self.tf.float64) if arguments else ():  # variables may suit one type alone
            given = [mapped(one, partial(self._tensor, dtype=dtype)) for one in arguments]
            moved = [n for n, one in enumerate(given) if self.is_moved(one)]
            try:
                with self.tf.GradientTape() as tape:
                    tape.watch([given[n] for n in moved])
                    said = subject(*given)
                found = tape.gradient(said, [given[n] for n in moved])
            except Exception:  # somebody else's code: what it raises is said when it is asked
                continue
            silent = [n for n, one in zip(moved, found, strict=True) if one is None]
            return list(tape.watched_variables()), silent if len(silent) < len(moved) else []
        return [], []

    def _tensor(self, leaf: Any, dtype: Any = None) -> Any:
        """A leaf of an argument as it is handed to a function, numbers in another type if one is said."""
        one = self.from_numpy(leaf) if isinstance(leaf, np.ndarray) else leaf
        if not self.is_moved(one):
            return one
        return self.tf.convert_to_tensor(one) if dtype is None else self.tf.cast(one, dtype)

    def autodiff(self, function: Function) -> Rule:
        """tf.GradientTape"""
        reading = "the derivative is what tf.GradientTape returns"
        return Rule(function, function, function, None, reading, certain=False)

    def to_numpy(self, value: Any) -> Array:
        """Types that NumPy has not (bfloat16, …) as float32. Raises TypeError for text."""
        array = np.array(self.tf.convert_to_tensor(value))
        if array.dtype.kind == "O":
            raise TypeError("NumPy has no numbers for it")
        return array.astype(np.float32) if array.dtype.kind == "V" else array

    def from_numpy(self, array: Array) -> Any:
        """A tensor of the same type."""
        return self.tf.convert_to_tensor(np.array(array))

    @contextlib.contextmanager
    def exactly(self) -> Iterator[None]:
        """Compiled functions run as they are written, and TensorFlow's generator starts anew."""
        context = sys.modules["tensorflow.python.eager.context"].context()
        generator = random.Random(SEED)
        start, before = generator.getstate(), (context._seed, getattr(context, "_rng", None))
        compiles = not self.tf.config.functions_run_eagerly()
        try:
            self.tf.config.run_functions_eagerly(True)
            context._seed, context._rng = SEED, generator  # as tf.random.set_seed, which costs milliseconds
            yield
        finally:
            context._seed, context._rng = before
            self.tf.config.run_functions_eagerly(not compiles)
            if generator.getstate() != start:
                context.clear_kernel_cache()  # operations that have drawn go on where they stopped

    def pull(self, run: Run, arrays: Sequence[Array], cotangents: Sequence[Array]) -> list[Array | None]:
        """tf.GradientTape.gradient"""
        sources = list(map(self.from_numpy, arrays))
        with self.tf.GradientTape() as tape:
            tape.watch(sources)
            outputs = run(*sources)
        g = [self.tf.cast(self.from_numpy(one), y.dtype) for one, y in zip(cotangents, outputs, strict=True)]
        found = map(dense, tape.gradient(outputs, sources, g))
        return [None if one is None else self.to_numpy(one) for one in found]

    def push(self, run: Run, arrays: Sequence[Array], tangents: Sequence[Array]) -> list[Array]:
        """Never asked: no function of TensorFlow's brings a forward rule."""
        raise NotImplementedError("tf.custom_gradient has no forward rule")
