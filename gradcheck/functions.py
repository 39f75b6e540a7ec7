"""The public calls: check a function or an object in place, or take its numerical Jacobian."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gradcheck import numerical
from gradcheck.adapters import function_subject, subject_of
from gradcheck.adapters.handed import Forward
from gradcheck.check import Options, check_subject
from gradcheck.errors import CannotBuild, GradcheckFailure, UsageError
from gradcheck.problem import Array
from gradcheck.results import ComponentResult


def check(
    subject: Any,
    *args: Any,
    jac: Callable[..., Any] | None = None,
    vjp: Callable[..., Any] | None = None,
    jvp: Callable[..., Any] | None = None,
    grad: Callable[..., Any] | None = None,
    names: Sequence[str] | None = None,
    options: Options | None = None,
) -> ComponentResult:
    """Check the derivatives of a function at `args`, or of a layer at points of gradcheck's own.

    A function takes its arguments and returns an array, or a tuple of arrays. Its derivatives are

    - `jac(*args)`: the Jacobian, of shape `output.shape + argument.shape` (a tuple, one per argument, if
      there are several);
    - `grad(*args)`: the gradient of a scalar function, of the argument's shape;
    - `vjp(*args, cotangent)`: the product `cotangent · J`, of the argument's shape;
    - `jvp(*args, tangent)`: the product `J · tangent`, of the output's shape (one tangent per argument).

    It is checked in the dtype of its arguments unless `options` names others. Without arguments `subject` is a class or
    an instance with derivative methods of its own.

    Raises UsageError for arguments that are not numbers, or where there is nothing to check.

        >>> import numpy as np
        >>> check(lambda x: (x**2).sum(), np.array([1.0, 3.0]), grad=lambda x: x).verdict
        'wrong'
    """
    derivatives = {"jac": jac, "vjp": vjp, "jvp": jvp, "grad": grad}
    for name, derivative in derivatives.items():
        if derivative is not None and not callable(derivative):
            raise UsageError(f"expected {name} to be a function, but got {type(derivative).__name__}: pass it uncalled")
    given = any(derivative is not None for derivative in derivatives.values())
    if args or given:
        if not callable(subject):
            raise UsageError(f"expected a function to differentiate, but got {type(subject).__name__}")
        if not args:
            raise UsageError("expected the point at which to check after the function, as in check(f, x, jac=...)")
        if not given:
            raise UsageError("expected a derivative to check: jac=, vjp=, jvp= or grad=")
        arrays = [_real(arg, position) for position, arg in enumerate(args)]
        built = function_subject(subject, arrays, jac=jac, vjp=vjp, jvp=jvp, grad=grad, names=names)
        options = options or Options()
        if options.dtypes is None:
            options = replace(options, dtypes=(_dtype(arrays),))
    else:
        try:
            built = subject_of(subject)
        except CannotBuild as error:
            raise UsageError(str(error)) from error
    return check_subject(built, options)


def assert_correct(subject: Any, *args: Any, **kwargs: Any) -> ComponentResult:
    """Like `check`, but raise `GradcheckFailure` (an AssertionError) unless the result passes."""
    result = check(subject, *args, **kwargs)
    if not result:
        raise GradcheckFailure(str(result))
    return result


def numerical_jacobian(
    function: Callable[..., Any], *args: Any, argnum: int = 0, options: Options | None = None
) -> tuple[Array, Array]:
    """Return the Jacobian of `function` by its argument `argnum`, and a bound for every entry's error.

    Both have the shape `output.shape + argument.shape`, in float64. An entry that cannot be estimated has
    an infinite bound. Raises UsageError for arguments that are not numbers, and whatever `function` raises.

        >>> import numpy as np
        >>> jacobian, bound = numerical_jacobian(lambda x: x**2, np.array([1.0, 3.0]))
        >>> bool((np.abs(jacobian - np.diag([2.0, 6.0])) <= bound).all() and bound.max() < 1e-9)
        True
    """
    options = options or Options()
    if not callable(function):
        raise UsageError(f"expected a function to differentiate, but got {type(function).__name__}")
    if not 0 <= argnum < len(args):
        raise UsageError(f"expected argnum to name one of {len(args)} arguments, but got {argnum}")
    arrays = [_real(arg, position) for position, arg in enumerate(args)]
    names = [f"arg{position}" for position in range(len(args))]
    forward = Forward(function, tuple(names), np.asarray)
    values = {name: array.astype(float) for name, array in zip(names, arrays, strict=True)}
    estimate = numerical.estimate(forward, values, names[argnum], seed=options.seed, executor=options.executor)
    shape = estimate.output_shapes[0] + estimate.variable_shape
    return estimate.dense().reshape(shape), estimate.dense("bound").reshape(shape)


def _dtype(arrays: Sequence[Array]) -> str:
    """The floating dtype of the arguments together; float64 for integers."""
    together = np.result_type(*arrays)
    return str(together) if together in ("float32", "float16") else "float64"


def _real(arg: Any, position: int) -> Array:
    try:
        array = np.asarray(arg)
    except ValueError as error:
        raise UsageError(f"expected argument {position} to be an array of numbers, but {error}") from error
    if array.dtype.kind not in "fiub":
        raise UsageError(f"expected argument {position} to be real numbers, but got dtype {array.dtype}")
    if not np.isfinite(array).all():
        raise UsageError(
            f"expected argument {position} to be finite, but it holds NaN or infinity: differentiate elsewhere"
        )
    return array
