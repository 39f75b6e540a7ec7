"""TensorFlow's functions that read variables, as functions of the values of these."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from gradcheck.adapters.frameworks import keras
from gradcheck.adapters.frameworks.rules import leaves, mapped


class OfVariables:
    """`called` as a function of the `weights` that it reads; all else that it reads is made anew for every call.

    A variable has one type for ever, so that others stand in its place while `called` runs, and while its gradient
    does: they hold the given values, in the type of these.
    """

    def __init__(self, called: Callable[..., Any], weights: Mapping[str, Any], others: Sequence[Any] = ()) -> None:
        self.called = called
        self.variables = list(map(_of_tensorflow, (*weights.values(), *others)))

    def __call__(self, weights: Mapping[str, Any], *inputs: Any, **kwargs: Any) -> Any:
        tf = sys.modules["tensorflow"]
        given = list(weights.values())
        varied = [leaf for one in inputs for leaf in leaves(one) if _is_floating(leaf)]
        dtype = next((one.dtype.real_dtype for one in (*given, *varied)), None)
        twins = [tf.Variable(one) for one in given]
        twins += [self._twin(one, dtype) for one in self.variables[len(given) :]]
        found: list[Any] = []

        @tf.custom_gradient  # type: ignore[untyped-decorator]
        def of(*tensors: Any) -> Any:
            now = iter(tensors[len(given) :])
            filled = [mapped(one, lambda leaf: next(now) if _is_floating(leaf) else leaf) for one in inputs]
            with self._instead(twins, dtype), tf.GradientTape(persistent=True) as tape:
                tape.watch(tensors)
                found.append(self.called(*filled, **kwargs))
                outputs = list(filter(_is_floating, leaves(found[0])))

            def grad(*upstream: Any, variables: Sequence[Any] = ()) -> Any:
                with self._instead(twins, dtype):
                    sources = [*twins[: len(given)], *tensors[len(given) :]]
                    pulled = [dense(one) for one in tape.gradient(outputs, sources, list(upstream))]
                return (pulled, [None] * len(variables)) if variables else pulled

            return outputs, grad

        outputs = iter(of(*given, *varied))
        return mapped(found[0], lambda leaf: next(outputs) if _is_floating(leaf) else leaf)

    def _twin(self, variable: Any, dtype: Any) -> Any:
        tf = sys.modules["tensorflow"]
        value = tf.convert_to_tensor(variable)
        value = tf.cast(value, dtype) if dtype is not None and value.dtype.is_floating else value
        return tf.Variable(value, trainable=False)

    @contextlib.contextmanager
    def _instead(self, twins: Sequence[Any], dtype: Any) -> Iterator[None]:
        """Within it the variables are their twins: the same objects, with the attributes of these."""
        before = [dict(vars(one)) for one in self.variables]
        is_layer = dtype is not None and keras.is_layer(self.called)
        with keras.precisely(self.called, dtype.name) if is_layer else contextlib.nullcontext():
            try:
                for variable, twin in zip(self.variables, twins, strict=True):
                    vars(variable).update(vars(twin))
                yield
            finally:
                for variable, attributes in zip(self.variables, before, strict=True):
                    vars(variable).clear()
                    vars(variable).update(attributes)


def dense(gradient: Any) -> Any:
    """A gradient by rows (tf.IndexedSlices) written out; None as it is."""
    return None if gradient is None else sys.modules["tensorflow"].convert_to_tensor(gradient)


def _of_tensorflow(variable: Any) -> Any:
    return variable.value if keras.is_variable(variable) else variable


def _is_floating(value: Any) -> bool:
    known = isinstance(value, sys.modules["tensorflow"].Tensor)
    return known and bool(value.dtype.is_floating or value.dtype.is_complex)
