"""The public calls: check a function or an object in place, or take its numerical Jacobian."""

from __future__ import annotations

import concurrent.futures
import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gradcheck import numerical
from gradcheck.adapters import is_subject, subject_of
from gradcheck.adapters.frameworks import brought
from gradcheck.adapters.handed import Call, Claims, Forward, Given, handed_subject
from gradcheck.adapters.handed.keywords import refuse_unknown
from gradcheck.adapters.handed.second_order import SecondOrder
from gradcheck.check import Options, check_subject
from gradcheck.errors import CannotBuild, GradcheckFailure, UsageError, message
from gradcheck.measured import MeasuredJacobian
from gradcheck.orders import check_orders
from gradcheck.problem import Array, Subject
from gradcheck.results import ComponentResult

Function = Callable[..., Any]
TYPES = ("float64", "float32", "float16")


def check(
    subject: Any,
    *point: Any,
    args: Any = (),
    kwargs: Mapping[str, Any] | None = None,
    wrt: Any = None,
    jac: Function | bool | None = None,
    grad: Function | None = None,
    deriv: Function | None = None,
    vjp: Function | None = None,
    jvp: Function | None = None,
    hess: Function | None = None,
    hessp: Function | None = None,
    order: int = 1,
    domain: Any = None,
    symmetric: Any = None,
    tangent: Any = None,
    retraction: Any = None,
    accuracy: float = 0.0,
    time_limit: float | None = None,
    names: Sequence[str] | None = None,
    options: Options | None = None,
    **unknown: Any,
) -> ComponentResult:
    """Check the derivatives of a function at a point, or of a layer at points of gradcheck's own.

    `f(*point, *args, **kwargs)` returns an array of any shape, or a tuple of them. Its derivatives are called with the
    same arguments, and return, for one argument x (for several a list with one each):

    - `grad`: ∂f/∂x of a function of one number, of the shape of x;
    - `jac`: J = ∂f/∂x, of shape `f.shape + x.shape`, or `(f.size, x.size)`: an array, nested lists, a sparse matrix, a
      linear operator (`matvec` and `rmatvec`); of an elementwise f also one slope for each entry, of the shape of x.
      `jac=True`: f returns `(value, derivative)`, as `scipy.optimize.minimize` takes it;
    - `deriv`: f′ of an elementwise f, of the shape of f;
    - `vjp(*point, *args, g)`: g · J for a cotangent g of the shape of f, of the shape of x;
    - `jvp(*point, *args, v)`: J · v for a tangent v of the shape of x, of the shape of f;
    - `hess`: ∂²f/∂x² of a function of one number, of shape `x.shape + x.shape` or `(x.size, x.size)`, as `jac` is;
    - `hessp(*point, p, *args)`: ∂²f/∂x² · p, of the shape of x. Both are held against the Jacobian of the claimed
      gradient where that is right, else of a measured one, and have to be symmetric;
    - `order=2`: the Jacobian of the claimed gradient is a claim as well, and everything is held against f itself.

    What they are about, and what stays as it is:

    - `args`, `kwargs`: further arguments, held fixed; in the point, text, functions, `None` and whole numbers are, too;
    - `wrt`: names or numbers of the arguments that are differentiated. Otherwise those of which a derivative has the
      form: one that has the shape of the first argument is by the first alone;
    - an argument may be a dict or a list of arrays, nested, and its gradient is then one of the same form;
    - of complex arguments, a real f has JAX's gradient ∂f/∂x − i·∂f/∂y or PyTorch's ∂f/∂x + i·∂f/∂y: the result says
      which. The `jac` or `deriv` of a complex f is the complex derivative, dy = J·dz;
    - `domain`: (low, high), in which the arguments stay; a list with one for each argument, or a dict by name;
    - `symmetric`: True, or the names of arguments that are symmetric matrices. They are moved as such, and of a claim
      C the symmetric part (C + Cᵀ)/2 is judged;
    - `tangent(x, v)`: the orthogonal projection of v to the tangent space of a manifold at x. f is moved along tangents
      only, and of a claim the projection is judged. `retraction(x, v)`: a point of the manifold, `x + v + O(|v|²)`;
      without it f is evaluated at x + v, which is off the manifold in second order;
    - `accuracy`: the relative error of f where it stops at a tolerance (a fixed point, a solver);
    - `time_limit`: the most seconds that it takes; `names`: of the arguments, if others than in f's signature.

    Without a derivative `subject` is a class, an instance or a function with a derivative of its own, which is asked at
    the point if there is one: a layer, or what is written for a framework that your code has imported (PyTorch's
    `autograd.Function` and `nn.Module`, JAX's `custom_vjp` and `custom_jvp`, TensorFlow's `custom_gradient` and
    `tf.Module`, a layer of Keras, a primitive of autograd). Of any other function of PyTorch's, JAX's or TensorFlow's
    arrays the framework's own derivative is checked.

    It is checked in the dtype of its arguments (and in float64 where they are a framework's) unless `options` names
    others. What is drawn from generators of random numbers is the same in every call.

    Raises UsageError for a call that makes no sense; what the functions themselves do wrong is in the result.

        >>> import numpy as np
        >>> x = np.array([1.0, 3.0])
        >>> check(lambda x: (x**2).sum(), x, grad=lambda x: x).verdict
        'wrong'
        >>> check(np.sin, x, deriv=np.cos).verdict
        'correct'
        >>> check(lambda x, a: (a * (x @ x), 2 * a * x), x, args=(5.0,), jac=True).verdict
        'correct'
        >>> params = {"w": x, "b": x}
        >>> check(lambda p: p["w"] @ p["b"], params, grad=lambda p: {"w": p["b"] * 1, "b": p["w"] * 1}).verdict
        'correct'
        >>> check(lambda z: abs(z) ** 2, 1 + 2j, grad=lambda z: 2 * z).claims[0].reason
        "PyTorch's convention: the gradient by z = x + iy is ∂f/∂x + i·∂f/∂y"
        >>> check(lambda x: x @ x / 2, x, grad=lambda x: 1 * x, hessp=lambda x, p: 3 * p).claims[1].verdict
        'wrong'
        >>> check(np.trace, np.eye(2), symmetric=True, grad=lambda a: np.array([[1.0, 7.0], [-7.0, 1.0]])).verdict
        'correct'
    """
    refuse_unknown(unknown, check)
    _refuse(order, accuracy, time_limit, kwargs)
    # One argument need be no tuple, as in SciPy.
    args = () if args is None else args if isinstance(args, (tuple, list)) else (args,)
    options = _known(options)
    if time_limit is not None:
        options = replace(options, time_limit=time_limit)
    how = Claims(
        jac=jac,
        grad=grad,
        deriv=deriv,
        vjp=vjp,
        jvp=jvp,
        domain=domain,
        symmetric=symmetric,
        tangent=tangent,
        retraction=retraction,
        accuracy=accuracy,
    )
    second = hess is not None or hessp is not None or order == 2
    brings = brought(subject, point, args)
    if brings is None and not how.functions and not second and (not point or is_subject(subject)):
        beside = {"args": args or None, "kwargs": kwargs, "wrt": wrt, "domain": domain, "symmetric": symmetric}
        return check_subject(_subject(subject, point, {**beside, "tangent": tangent}), options)
    if not callable(subject):
        raise UsageError(f"expected a function to differentiate, but got {type(subject).__name__}")
    if brings is None and not how.functions and not second:
        name = getattr(subject, "__name__", type(subject).__name__)
        raise UsageError(
            f"expected a derivative to check, as jac=, grad=, deriv=, vjp=, jvp=, hess= or hessp=: {name} has none of "
            "its own"
        )
    if not point:
        raise UsageError("expected the point at which to check after the function, as in check(f, x, jac=...)")
    if order == 2 and not how.functions:
        raise UsageError("order=2 is about the Jacobian of a gradient that is claimed: give it as grad=, jac= or vjp=")
    if brings is None:
        call = Call.of(subject, point, args, kwargs, names, wrt)
    else:
        call, how = brings.posed(args, kwargs, names, wrt, how, second)
        hess, hessp = brings.on_arrays(hess), brings.on_arrays(hessp)
    _hold_executor(call, options)
    if options.dtypes is None:
        # Where float32 is what arrays are made in, nobody has chosen it.
        usual = () if brings is None else ("float64",)
        options = replace(options, dtypes=tuple(dict.fromkeys((*usual, _dtype(call)))))
    first = handed_subject(call, how) if how.functions else None
    return check_orders(first, SecondOrder(call, how, hess, hessp, order == 2) if second else None, options)


def _refuse(order: Any, accuracy: Any, time_limit: Any, kwargs: Any) -> None:
    """Raise UsageError for options that are no such numbers."""
    if order not in (1, 2) or isinstance(order, bool):
        raise UsageError(f"expected order to be 1, or 2 for second derivatives as well, but got {order!r}")
    if not isinstance(accuracy, (int, float, np.number)) or not 0 <= accuracy < 1:
        raise UsageError(f"expected accuracy to be the relative error of f, 1e-8 say, but got {accuracy!r}")
    if time_limit is not None and not (isinstance(time_limit, (int, float, np.number)) and time_limit > 0):
        raise UsageError(f"expected time_limit to be a number of seconds, but got {time_limit!r}")
    if kwargs is not None and not (isinstance(kwargs, Mapping) and all(isinstance(key, str) for key in kwargs)):
        raise UsageError(f"expected kwargs to be a dict of keyword arguments by name, but got {kwargs!r:.80}")


def _hold_executor(call: Call, options: Options) -> None:
    """Raise UsageError where f cannot be sent to the processes that are to call it."""
    if options.executor is None or not isinstance(options.executor, concurrent.futures.ProcessPoolExecutor):
        return
    try:
        pickle.dumps(call.f)
    except Exception as error:  # whatever somebody else's object says
        raise UsageError(
            "expected a function that can be sent to other processes, as one of a module can, but it cannot be pickled "
            f"({message(error)}): take an executor of threads, or none"
        ) from error


def _known(options: Any) -> Options:
    """Return the options, or those that are usual. Raises UsageError where there are no such options or types."""
    if options is None:
        return Options()
    if not isinstance(options, Options):
        raise UsageError(f"expected options to be gradcheck.Options(...), but got {type(options).__name__}")
    for dtype in options.dtypes or ():
        if dtype not in TYPES:
            raise UsageError(f"expected dtypes to be among {', '.join(TYPES)}, but got {dtype!r}")
    return options


def _subject(thing: Any, point: Sequence[Any], beside: Mapping[str, Any]) -> Subject:
    """Return the subject that a class, an instance or a function beside its derivative is, at a point if any."""
    for name, value in beside.items():
        if value is not None:
            raise UsageError(f"{name}= is for a function handed over with its derivative, as in check(f, x, grad=df)")
    try:
        return subject_of(thing, inputs=tuple(point) if point else None)
    except CannotBuild as error:
        raise UsageError(str(error)) from error


def assert_correct(subject: Any, *args: Any, **kwargs: Any) -> ComponentResult:
    """Like `check`, but raise `GradcheckFailure` (an AssertionError) unless the result passes."""
    result = check(subject, *args, **kwargs)
    if not result:
        raise GradcheckFailure(str(result))
    return result


def numerical_jacobian(
    function: Callable[..., Any], *args: Any, argnum: int = 0, options: Options | None = None
) -> MeasuredJacobian:
    """Return the Jacobian of `function` by its argument `argnum`, and a bound for every entry's error.

    Both have the shape `output.shape + argument.shape`, in float64. An entry that cannot be estimated has
    an infinite bound. The pair has attributes of the same shape: `kink` and `jump` are true where there is no
    derivative, and `left` and `right` are what it is on either side of a kink. Raises UsageError for arguments that
    are not numbers, and whatever `function` raises.

        >>> import numpy as np
        >>> jacobian, bound = numerical_jacobian(lambda x: x**2, np.array([1.0, 3.0]))
        >>> bool((np.abs(jacobian - np.diag([2.0, 6.0])) <= bound).all() and bound.max() < 1e-9)
        True
        >>> numerical_jacobian(np.abs, np.array([0.0, 3.0])).kink.diagonal().tolist()
        [True, False]
    """
    options = options or Options()
    if not callable(function):
        raise UsageError(f"expected a function to differentiate, but got {type(function).__name__}")
    if not 0 <= argnum < len(args):
        raise UsageError(f"expected argnum to name one of {len(args)} arguments, but got {argnum}")
    names = [f"arg{position}" for position in range(len(args))]
    call = Call.of(function, args, (), None, names)
    values = {name: _real(one) for name, one in zip(names, call.arguments, strict=True)}
    forward = Forward(function, tuple(names), np.asarray)
    return MeasuredJacobian(
        numerical.estimate(forward, values, names[argnum], seed=options.seed, executor=options.executor)
    )


def _real(argument: Given) -> Array:
    if argument.nested or not argument.parts or argument.parts[0].array.dtype.kind == "c":
        raise UsageError(f"expected {argument.name} to be an array of real numbers, but got {argument.value!r:.80}")
    array = argument.parts[0].array.astype(float)
    if not np.isfinite(array).all():
        raise UsageError(
            f"expected {argument.name} to be finite, but it holds NaN or infinity: differentiate elsewhere"
        )
    return array


def _dtype(call: Call) -> str:
    """The floating dtype of the arguments together; float64 for integers."""
    together = np.result_type(*(part.array.real.dtype for one in call.floats for part in one.parts))
    return str(together) if together in ("float32", "float16") else "float64"
