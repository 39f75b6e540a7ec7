"""The tape: it records calls and gives gradients through them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from beras import dispatch
from beras.arrays import Array, memory, ones
from beras.backward import Call, Gradients, fingerprints, run_backwards
from beras.checks import gradient_dtype
from beras.gradients import as_gradient
from beras.ops import Copy
from beras.recorder import recording
from beras.tensor import Tensor, wrap_result
from beras.write_clock import write_clock

if TYPE_CHECKING:
    from beras.core import Diffable


class GradientTape:
    """Records the calls made inside its scope and differentiates through them, in reverse order.

    `with GradientTape() as tape: loss = f(x)`, then `tape.gradient(loss, sources)`: right for any acyclic graph, since
    every call has a record of its own and is visited once, after all calls that use its outputs.
    Reverse accumulation: Linnainmaa 1970; Griewank & Walther, *Evaluating Derivatives*, 2008, ch. 3.

    Tapes nest. A gradient that is asked for while a tape is open is recorded by it, where the derivative is written in
    operations that a tape knows: those of `beras.ops`, elementwise activations, `Softmax`, `Dense`, `Flatten`,
    `MeanSquaredError`, `SoftmaxCrossEntropy`. So it can be differentiated in turn; where it is not, that is an error.

    `persistent=False` frees the records with the first gradient, which is then the only one (what TensorFlow does by
    default). `debug=True`, or `GradientTape.debug = True` for all tapes from then on, `fit`'s included, compares
    checksums of everything that was recorded, so that `gradient` notices values that were written to through a plain
    array that shares their memory (`np.asarray(tensor)[...] = 0`). Without it, it notices writes through tensors.

    >>> from beras.activations import Sin
    >>> x = Tensor([0.0, 1.0])
    >>> with GradientTape() as outer:
    ...     with GradientTape() as inner:
    ...         y = Sin()(x)
    ...     slope = inner.gradient(y, x)
    >>> slope, outer.gradient(slope, x)
    (Tensor([1.        , 0.54030231]), Tensor([-0.        , -0.84147098]))
    """

    debug = False

    def __init__(self, persistent: bool = True, *, debug: bool | None = None) -> None:
        self.persistent = persistent
        if debug is not None:
            self.debug = debug
        self._forget()
        self._open = False
        self._outer: GradientTape | None = None

    def _forget(self) -> None:
        self._calls: list[Call] = []
        self._watched: dict[int, Tensor] = {}
        self._spent = False

    def __enter__(self) -> GradientTape:
        if self._open:
            raise RuntimeError("this GradientTape is already open: open another one inside it")
        self._forget()
        self._open = True
        self._outer = cast("GradientTape | None", recording.tape)
        recording.tape = self
        return self

    def __exit__(self, *exception: object) -> None:
        recording.tape, self._outer = self._outer, None
        self._open = False

    def watch(self, tensor: Tensor | Sequence[Tensor]) -> None:
        """Give gradients by `tensor` even if it is not trainable (any other is watched anyway).

        Raises `TypeError` for plain arrays: what NumPy does with them no tape sees.
        """
        for one in tensor if isinstance(tensor, (list, tuple)) else [tensor]:
            if not isinstance(one, Tensor):
                raise TypeError(f"a tape watches Tensors, got {type(one).__name__}: make one by Tensor(x)")
            self._watched[id(one)] = one

    @property
    def previous_layers(self) -> dict[int, Diffable]:
        """The layer that made each recorded tensor, by the tensor's `id`."""
        calls = [call for call in self._calls if not isinstance(call[1], dispatch.NoRule)]
        return {id(output): layer for _, layer, _, outputs, *_ in calls for output in outputs}

    def recorded(self) -> Iterator[tuple[Any, Sequence[Any], Sequence[Tensor]]]:
        """Yield what was called so far, in order: the layer or operation, its inputs, its outputs."""
        return ((layer, inputs, outputs) for _, layer, inputs, outputs, *_ in self._calls)

    def record_call(self, call: Diffable, layer: Diffable, inputs: list[Array], outputs: list[Tensor]) -> None:
        """Keep a call that `layer` has just made (`call`: its state then); no output of it is one of another call.

        A layer may hand on its very input, or a tensor that it keeps: what may be so gets a view of its own, for one
        tensor cannot be the output of two calls.
        """
        if not layer.plain_forward:
            outputs[:] = [wrap_result(np.asarray(output), [output]) for output in outputs]
        self._record(call, layer, inputs, outputs, layer.weights)

    def record_operation(self, operation: Any) -> None:
        """Keep one NumPy operation, whose outputs are fresh tensors."""
        self._record(operation, operation, operation.inputs, operation.outputs, ())

    def _record(
        self, state: Any, layer: Any, inputs: Any, outputs: Sequence[Tensor], weights: Sequence[Tensor]
    ) -> None:
        prints = fingerprints(inputs, outputs, weights) if self._debugged() else None
        call = state, layer, inputs, outputs, weights, write_clock.now, prints
        tape: GradientTape | None = self
        while tape is not None:
            tape._calls.append(call)
            tape = tape._outer

    def _debugged(self) -> bool:
        return self.debug or (self._outer is not None and self._outer._debugged())

    def operand(self, array: Array) -> Tensor:
        """Return a plain array as a tensor that depends on it."""
        return dispatch.run(self, Copy(), array)

    def numpy_ufunc(self, function: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """NumPy applies a ufunc to a Tensor in this tape's scope."""
        return dispatch.ufunc(self, function, method, inputs, kwargs)

    def numpy_function(self, tensor: Tensor, function: Any, types: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        """NumPy applies another of its functions to a Tensor."""
        return dispatch.function(self, tensor, function, types, args, kwargs)

    def numpy_method(self, name: str, inherited: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        """A method of ndarray is called on a Tensor."""
        return dispatch.method(self, name, inherited, args, kwargs)

    def numpy_item(self, tensor: Tensor, index: Any) -> Tensor:
        """A Tensor is indexed."""
        return dispatch.item(self, tensor, index)

    def numpy_unseen(self, source: Tensor, made: Tensor) -> None:
        """NumPy makes one Tensor from another without saying so."""
        dispatch.unseen(self, source, made)

    def require_writable(self, tensor: Tensor) -> None:
        """A Tensor is about to be written in place."""
        dispatch.require_writable(tensor)

    def gradient(
        self,
        target: Tensor | Sequence[Tensor],
        sources: Any,
        output_gradients: Any = None,
    ) -> Any:
        """Return the gradient of `target` by each of `sources`, of that source's shape and type.

        `target`: a tensor, or several, whose gradients add. `output_gradients` weighs the target's entries (one array
        of its shape per target; ones by default, which makes it the gradient of the sum). `sources`: a list of arrays,
        or a single one, which gives a single gradient. A source that the target does not depend on, or that is not
        trainable, gives `None`.

        Raises `RuntimeError` if a value that the derivative needs was overwritten since; `ValueError` if a layer
        returns derivatives of the wrong number or shape, or the way to a source leads through an input that is held
        constant (a loss' `y_true`); `NotImplementedError` if it leads through something without a rule.
        """
        gradients = self._gradient(target, sources, output_gradients)
        self._give_up()
        return gradients

    def jacobian(self, target: Tensor, sources: Any) -> Any:
        """Return the derivative of every entry of `target` by every entry of each source, `(*target, *source)`.

        `sources` and errors as for `gradient`, `None` included. One way back for each entry of `target`.
        """
        if not isinstance(target, Tensor):
            raise TypeError(f"the target of a Jacobian must be a Tensor, got {type(target).__name__}")
        single = isinstance(sources, np.ndarray)
        wanted: list[Array] = [sources] if single else list(sources)
        basis = np.eye(target.size, dtype=gradient_dtype(target)).reshape(target.size, *target.shape)
        rows = [self._gradient(target, wanted, e) for e in basis]
        jacobians: list[Tensor | None] = []
        for k, source in enumerate(wanted):
            shape = target.shape + source.shape
            if not rows:
                jacobians.append(wrap_result(np.empty(shape, gradient_dtype(source)), []))
            elif rows[0][k] is None:
                jacobians.append(None)
            else:
                stacked: Any = np.stack([row[k] for row in rows])
                jacobians.append(stacked.reshape(shape))
        self._give_up()
        return jacobians[0] if single else jacobians

    def _give_up(self) -> None:
        if not self.persistent:
            self._forget()
            self._spent = True

    def _gradient(self, target: Any, sources: Any, output_gradients: Any) -> Any:
        if self._spent:
            raise RuntimeError("this GradientTape is not persistent and has given its gradients: use persistent=True")
        single = isinstance(sources, np.ndarray)
        wanted: list[Array] = [sources] if single else list(sources)
        kept: set[int] = set()
        for source in wanted:
            if not isinstance(source, np.ndarray):
                raise TypeError(f"a source must be an array that the tape has seen, got {type(source).__name__}")
            if getattr(source, "trainable", True) or id(source) in self._watched:
                kept.add(id(source))
        tape = cast("GradientTape | None", recording.tape)
        known = None if tape is None else {id(call) for call in tape._calls}
        found = _seed(target, output_gradients)
        run_backwards(self._calls, found, kept, known)
        given_away = {id(memory(g)) for g in _arrays(output_gradients)}
        gradients: list[Tensor | None] = []
        for source in wanted:
            i = id(source)
            gradients.append(_result(found[i], given_away) if i in kept and i in found else None)
        return gradients[0] if single else gradients


def _seed(target: Tensor | Sequence[Tensor], output_gradients: Any) -> Gradients:
    """Return the upstream gradient of each target by its `id`: a plain array, or a tensor where a tape records."""
    if isinstance(target, Tensor) and output_gradients is None and recording.tape is None:
        return {id(target): ones(target.shape, gradient_dtype(target))}  # the rest takes 8 % of a small step's way back
    several = isinstance(target, (list, tuple))
    targets: list[Any] = list(target) if several else [target]
    weights: list[Any] = [output_gradients] * len(targets)
    if several and output_gradients is not None:
        weights = list(output_gradients)
    if len(weights) != len(targets):
        raise ValueError(f"gradient() got {len(targets)} target(s) but {len(weights)} output gradient(s)")
    seeds: Gradients = {}
    for t, weight in zip(targets, weights, strict=True):
        if not isinstance(t, Tensor):
            raise TypeError(
                f"the target must be a Tensor, got {type(t).__name__}: float(), np.asarray() and NumPy on a list of "
                "tensors lose the gradient (np.stack joins them)"
            )
        g: Array = as_gradient(ones(t.shape, gradient_dtype(t)) if weight is None else weight, t)
        if recording.tape is None:
            g = np.asarray(g)
        if g.shape != t.shape:
            raise ValueError(f"output_gradients must have the target's shape {t.shape}, got {g.shape}")
        seeds[id(t)] = seeds[id(t)] + g if id(t) in seeds else g
    return seeds


def _result(gradient: Array, given_away: set[int]) -> Tensor:
    """Return a gradient as a tensor that shares its memory with none before it, nor with `output_gradients`."""
    owner = id(gradient if gradient.base is None else memory(gradient))
    if owner in given_away or not gradient.flags.writeable:
        gradient = gradient.copy()
    given_away.add(owner)
    return gradient if isinstance(gradient, Tensor) else gradient.view(Tensor)


def _arrays(value: Any) -> list[Array]:
    parts = value if isinstance(value, (list, tuple)) else [value]
    return [part for part in parts if isinstance(part, np.ndarray)]
