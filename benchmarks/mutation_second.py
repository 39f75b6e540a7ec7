"""Second derivatives: what a tape in a tape says of every operation, and of the layers whose derivative is recorded.

Everything looks Beras up when it is called, so that it meets the mutant.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from mutation_graphs import Array, Graph, X

Make = Callable[[], tuple[Any, list[Array]]]


def graphs() -> Iterator[Graph]:
    """The second derivative of every case; Jacobians and Hessians."""
    yield from (second(f"{name}, twice", make) for name, make in cases())
    yield Graph("a Jacobian", lambda x: np.sin(x) @ np.ones((2, 3)), (X,), vjp=_by_jacobian)
    yield Graph("a Hessian", lambda x: np.cos(x) * x, (X,), vjp=_by_hessian)


def cases() -> Iterator[tuple[str, Make]]:
    """Each operation at its own example, layers at small points, losses by their prediction."""
    from beras import activations, layers, losses, ops, pooling, prelu

    for name in ops.__all__:
        operation = getattr(ops, name)
        if inspect.isclass(operation) and not inspect.isabstract(operation):
            yield name, (lambda operation=operation: _example(operation))
    x, y = np.array([2.0, 3.0, 0.5]), np.array([0.0, 2.0, -1.0])
    yield "Power, of exponent 0 too", (lambda: (ops.Power(), [x, y]))
    rows = np.random.default_rng(5).normal(size=(2, 3))
    labels = np.eye(3)[[2, 0]]

    def dense(**options: Any) -> Any:
        return layers.Dense(3, 2, "xavier", dtype=np.float64, seed=1, **options)

    elementwise = ("LeakyReLU", "ReLU", "Sigmoid", "Tanh", "Sin", "GELU", "ELU", "SELU", "SiLU", "Softplus")
    made: dict[str, Callable[[], Any]] = {
        **{name: (lambda name=name: getattr(activations, name)()) for name in (*elementwise, "Softmax", "LogSoftmax")},
        "GELU, approximate": lambda: activations.GELU(approximate=True),
        "PReLU": lambda: prelu.PReLU("one", shape=(3,), dtype=np.float64),
        "Dense": dense,
        "Dense with tanh": lambda: dense(activation="tanh"),
        "Dense with ELU": lambda: dense(activation=activations.ELU(0.5)),
        "Dense with softmax, without a bias": lambda: dense(activation="softmax", use_bias=False),
    }
    for name, make in made.items():
        yield f"the layer {name}", (lambda make=make: (make(), [rows]))
    random = np.random.default_rng(17)
    w, b, stacks = random.normal(size=(3, 2)), random.normal(size=(1, 2)), random.normal(size=(2, 4, 3))
    for name, at in (("rows", rows), ("stacks", stacks)):
        for way, options in (("Dense", {}), ("Dense with tanh", {"activation": "tanh"})):
            make = lambda options=options, at=at: (_of_weights(dense, options), [at, w, b])  # noqa: E731
            yield f"{way} of {name}, by its weights", make
    yield "a layer of a layer", (lambda: (lambda x: activations.Tanh()(activations.Sin()(x)), [rows]))
    far = np.array([[0.0, 25.0, -25.0]])  # where a slope made of |x| or of 1 − y would err
    for name in ("Sigmoid", "Tanh", "Sin", "GELU", "GELU, approximate", "SiLU", "Softplus"):
        yield f"the layer {name} at 0 and far out", (lambda make=made[name]: (make(), [far]))
    images = np.random.default_rng(6).normal(size=(1, 2, 2, 2))
    yield "mean of channels", (lambda: (pooling.GlobalAveragePooling2D(), [images]))
    yield "rows", (lambda: (layers.Flatten(), [images]))
    shares = np.random.default_rng(6).dirichlet(np.ones(3), 2)
    of_logits = {
        "CategoricalCrossEntropy of logits": lambda: losses.CategoricalCrossEntropy(1e-12, True, 0.25),
        "BinaryCrossEntropy of logits": lambda: losses.BinaryCrossEntropy(from_logits=True),
        "SoftmaxCrossEntropy of indices": losses.SoftmaxCrossEntropy,
        **{name: getattr(losses, name) for name in ("MeanSquaredError", "MeanAbsoluteError", "Huber", "Hinge")},
        "SoftmaxCrossEntropy": losses.SoftmaxCrossEntropy,
    }
    of_shares = ("KLDivergence", "Poisson", "BinaryCrossEntropy", "CategoricalCrossEntropy")
    for name, loss in {**of_logits, **{name: getattr(losses, name) for name in of_shares}}.items():
        at, truth = shares if name in of_shares else rows, np.array([2, 0]) if "indices" in name else labels
        yield name, (lambda loss=loss, at=at, truth=truth: (_of_prediction(loss(), truth), [at]))
    sequences, classes = np.random.default_rng(6).dirichlet(np.ones(3), (2, 2)), np.array([[2, 0], [1, 1]])
    others: dict[str, tuple[Any, Array, Array]] = {
        "BinaryCrossEntropy of logits at 0 and far out": (of_logits["BinaryCrossEntropy of logits"], far, labels[:1]),
        "SoftmaxCrossEntropy of rows of any sum": (losses.SoftmaxCrossEntropy, rows, labels + rows**2),
        "SoftmaxCrossEntropy of sequences": (
            losses.SoftmaxCrossEntropy,
            stacks,
            np.eye(3)[[[2, 0, 1, 1], [0, 1, 2, 0]]],
        ),
        "CategoricalCrossEntropy of sequences": (losses.CategoricalCrossEntropy, sequences, classes),
    }
    for name, (loss, at, truth) in others.items():
        yield name, (lambda loss=loss, at=at, truth=truth: (_of_prediction(loss(), truth), [at]))


def _example(operation: Any) -> tuple[Any, list[Array]]:
    if hasattr(operation, "gradcheck_example"):
        layer, inputs = operation.gradcheck_example()
        return layer, list(inputs)
    random = np.random.default_rng(3)
    shapes = [(2, 3), (3,)][: len(operation._arguments)]
    return operation(), [random.uniform(0.3, 1.7, shape) for shape in shapes]


def _of_weights(make: Callable[..., Any], options: dict[str, Any]) -> Callable[..., Any]:
    def call(x: Any, w: Any, b: Any) -> Any:
        layer = make(**options)
        layer.w, layer.b = w, b
        return layer(x)

    return call


def _of_prediction(loss: Any, labels: Array) -> Callable[[Any], Any]:
    return lambda y_pred: loss(y_pred, labels)


def second(name: str, make: Make) -> Graph:
    """The first derivative, weighed, as a function; a tape in a tape says its gradient."""
    _, points = make()
    weights = np.random.default_rng(11)
    sizes = [weights.normal(size=x.shape) for x in points]

    def first(*xs: Array) -> Any:
        from beras.core import Tensor
        from beras.gradient_tape import GradientTape

        f, _ = make()
        sources = [Tensor(np.array(x)) for x in xs]
        with GradientTape() as tape:
            z = f(*sources)
        return _weighed(tape.gradient(z, sources, _seed(z)), sizes)

    def by_outer(*xs: Array) -> list[Any]:
        from beras.core import Tensor
        from beras.gradient_tape import GradientTape

        f, _ = make()
        sources = [Tensor(np.array(x)) for x in xs]
        with GradientTape() as outer:
            with GradientTape() as inner:
                z = f(*sources)
            total = _weighed(inner.gradient(z, sources, _seed(z)), sizes)
        found = outer.gradient(total, sources)
        return [np.zeros(x.shape) if g is None else g for g, x in zip(found, sources, strict=True)]

    return Graph(name, first, tuple(points), grad=by_outer)


def _seed(z: Any) -> Array:
    return np.random.default_rng(13).normal(size=z.shape)


def _weighed(gradients: list[Any], sizes: list[Array]) -> Any:
    parts = [(g * size).sum() for g, size in zip(gradients, sizes, strict=True) if g is not None]
    return sum(parts[1:], parts[0])


def _by_jacobian(x: Array, g: Array) -> Any:
    from beras.core import Tensor
    from beras.gradient_tape import GradientTape

    source = Tensor(np.array(x))
    with GradientTape() as tape:
        y = np.sin(source) @ np.ones((2, 3))
    jacobian = tape.jacobian(y, [source])[0]
    return np.tensordot(g, np.asarray(jacobian), axes=g.ndim)


def _by_hessian(x: Array, g: Array) -> Any:
    from beras.core import Tensor
    from beras.gradient_tape import GradientTape

    source = Tensor(np.array(x))
    with GradientTape() as outer:
        with GradientTape() as inner:
            y = (np.cos(source) + source * np.sin(source)).sum()  # whose derivative is x · cos x
        slope = inner.gradient(y, source)
    return np.tensordot(g, np.asarray(outer.jacobian(slope, source)), axes=g.ndim)
