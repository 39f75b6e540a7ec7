"""scikit-learn: kernels by their hyperparameters, losses, and what its estimators hand to their optimizers."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn")

from scipy.spatial.distance import pdist, squareform
from sklearn._loss import link, loss
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor, kernels
from sklearn.linear_model import _huber, _linear_loss, _sgd_fast
from sklearn.manifold import _t_sne
from sklearn.neighbors import NeighborhoodComponentsAnalysis
from sklearn.neural_network import MLPClassifier, MLPRegressor, _base

from gradcheck import check
from tests.libraries.table import Bug, Call, judges_of

RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 2))
Y = RNG.normal(size=6)
TWO = RNG.normal(size=(6, 2))
SIGNS = np.array([1.0, -1, 1, 1, -1, -1])
BITS = np.array([1.0, 0, 1, 1, 0, 0])
CLASSES = np.array([0, 1, 2, 1, 0, 2])
WEIGHTS = np.array([0.5, 1, 2, 1, 1, 0.25])
RAW = np.array([0.3, -1.2, 0.8, 2.1, -0.4, 0.1])

C, White, RBF, Matern = kernels.ConstantKernel, kernels.WhiteKernel, kernels.RBF, kernels.Matern
KERNELS = {
    "constant": C(0.7),
    "white": White(0.3),
    "RBF": RBF(0.8),
    "RBF, two lengths": RBF([0.8, 1.7]),
    "Matern 1/2": Matern(0.8, nu=0.5),
    "Matern 3/2": Matern(0.8, nu=1.5),
    "Matern 5/2": Matern([0.8, 1.7], nu=2.5),
    "Matern inf": Matern(0.8, nu=np.inf),
    "rational quadratic": kernels.RationalQuadratic(0.8, 1.4),
    "periodic": kernels.ExpSineSquared(0.8, 2.3),
    "dot product": kernels.DotProduct(0.6),
    "sum": C(0.7) + RBF(0.8),
    "product": C(0.7) * RBF([0.8, 1.7]),
    "power": RBF(0.8) ** 2,
    "power of a sum": (C(0.4) + kernels.DotProduct(0.6)) ** 3,
    "usual": C(0.7) * RBF(0.8) + White(0.3),
    "compound": C(2.0) * kernels.ExpSineSquared(0.8, 2.3) * RBF(1.5) + White(0.1),
}


def by_theta(kernel: kernels.Kernel) -> Call:
    return lambda: check(lambda theta: kernel.clone_with_theta(theta)(X, eval_gradient=True), kernel.theta, jac=True)


def evidence(model: Any, accuracy: float = 0.0) -> Call:
    """The log marginal likelihood of a fitted model by the hyperparameters."""
    return lambda: check(
        lambda theta: model.log_marginal_likelihood(theta, eval_gradient=True),
        model.kernel_.theta + 0.3,
        jac=True,
        accuracy=accuracy,
    )


LOSSES = {
    "half squared": (loss.HalfSquaredError, Y),
    "absolute": (loss.AbsoluteError, Y),
    "pinball": (lambda: loss.PinballLoss(quantile=0.3), Y),
    "Huber": (lambda: loss.HuberLoss(delta=0.7), Y),
    "half Poisson": (loss.HalfPoissonLoss, np.abs(Y)),
    "half gamma": (loss.HalfGammaLoss, np.abs(Y)),
    "half Tweedie": (lambda: loss.HalfTweedieLoss(power=1.5), np.abs(Y)),
    "half Tweedie, 0": (lambda: loss.HalfTweedieLoss(power=0.0), np.abs(Y)),
    "half Tweedie, 3": (lambda: loss.HalfTweedieLoss(power=3.0), np.abs(Y)),
    "half Tweedie, identity": (lambda: loss.HalfTweedieLossIdentity(power=0.0), np.abs(Y)),
    "half binomial": (loss.HalfBinomialLoss, BITS),
    "exponential": (loss.ExponentialLoss, BITS),
}
LINKS = {
    "identity": (link.IdentityLink, RAW, np.ones_like),
    "log": (link.LogLink, np.abs(RAW), lambda y: 1 / y),
    "logit": (link.LogitLink, np.abs(RAW) / 3, lambda y: 1 / (y * (1 - y))),
    "half logit": (link.HalfLogitLink, np.abs(RAW) / 3, lambda y: 0.5 / (y * (1 - y))),
}
SGD = {
    "hinge": (_sgd_fast.Hinge(1.0), SIGNS),
    "perceptron": (_sgd_fast.Hinge(0.0), SIGNS),
    "squared hinge": (_sgd_fast.SquaredHinge(1.0), SIGNS),
    "modified Huber": (_sgd_fast.ModifiedHuber(), SIGNS),
    "epsilon-insensitive": (_sgd_fast.EpsilonInsensitive(0.1), Y),
    "squared epsilon-insensitive": (_sgd_fast.SquaredEpsilonInsensitive(0.1), Y),
}


def of_losses() -> Iterator[tuple[str, Call]]:
    for name, (make, y) in LOSSES.items():
        one = make()
        yield (
            f"loss {name}",
            lambda one=one, y=y: check(lambda raw: one.loss(y, raw), RAW, deriv=lambda raw: one.gradient(y, raw)),
        )
        yield (
            f"loss {name}, weighted",
            lambda one=one, y=y: check(
                lambda raw: one.loss(y, raw, WEIGHTS), RAW, deriv=lambda raw: one.loss_gradient(y, raw, WEIGHTS)[1]
            ),
        )
        if name not in ("absolute", "pinball", "Huber"):  # theirs is an approximation on purpose
            yield (
                f"second derivative of the loss {name}",
                lambda one=one, y=y: check(
                    lambda raw: one.gradient(y, raw), RAW, deriv=lambda raw: one.gradient_hessian(y, raw)[1]
                ),
            )
    several = loss.HalfMultinomialLoss(n_classes=3)
    raw = RNG.normal(size=(6, 3))
    labels = CLASSES.astype(float)
    yield (
        "loss half multinomial",
        lambda: check(lambda raw: several.loss(labels, raw).sum(), raw, grad=lambda raw: several.gradient(labels, raw)),
    )
    yield (
        "loss half multinomial, with probabilities",
        lambda: check(
            lambda raw: several.loss(labels, raw).sum(), raw, grad=lambda raw: several.gradient_proba(labels, raw)[0]
        ),
    )
    for name, (kind, y, slope) in LINKS.items():
        one = kind()
        yield f"link {name}", lambda one=one, y=y, slope=slope: check(one.link, y, deriv=slope)
        yield (
            f"inverse link {name}",
            lambda one=one, slope=slope: check(one.inverse, RAW, deriv=lambda raw: 1 / slope(one.inverse(raw))),
        )
    for name, (one, y) in SGD.items():
        yield (
            f"SGD {name}",
            lambda one=one, y=y: check(
                lambda p: np.array([one.py_loss(a, b) for a, b in zip(p, y, strict=True)]),
                RAW,
                deriv=lambda p: np.array([one.py_dloss(a, b) for a, b in zip(p, y, strict=True)]),
            ),
        )


def of_linear_models() -> Iterator[tuple[str, Call]]:
    for name, (make, y) in LOSSES.items():
        for intercept in (False, True):
            model = _linear_loss.LinearModelLoss(base_loss=make(), fit_intercept=intercept)
            w = np.array([0.4, -0.7, 0.2][: 2 + intercept])
            yield (
                f"linear model, {name}, intercept {intercept}",
                lambda model=model, w=w, y=y: check(model.loss_gradient, w, args=(X, y, WEIGHTS, 0.3), jac=True),
            )
            if name in ("half squared", "half Poisson", "half gamma", "half binomial", "half Tweedie"):
                yield (
                    f"linear model, {name}, intercept {intercept}, Hessian",
                    lambda model=model, w=w, y=y: check(
                        model.loss,
                        w,
                        args=(X, y, WEIGHTS, 0.3),
                        grad=model.gradient,
                        hess=lambda w, *args: model.gradient_hessian(w, *args)[1],
                        hessp=lambda w, v, *args: model.gradient_hessian_product(w, *args)[1](v),
                    ),
                )
    several = _linear_loss.LinearModelLoss(base_loss=loss.HalfMultinomialLoss(n_classes=3), fit_intercept=True)
    coefficients = RNG.normal(size=(3, 3))
    yield (
        "linear model, multinomial",
        lambda: check(several.loss_gradient, coefficients, args=(X, CLASSES.astype(float), WEIGHTS, 0.3), jac=True),
    )
    yield (
        "Huber regressor",
        lambda: check(
            _huber._huber_loss_and_gradient, np.array([0.4, -0.7, 0.2, 0.9]), args=(X, Y, 1.35, 0.1, WEIGHTS), jac=True
        ),
    )


def perceptron(estimator: type, y: np.ndarray, **settings: object) -> Call:
    """A network's loss by all of its weights, as its L-BFGS sees it."""
    model = estimator(hidden_layer_sizes=(3,), solver="lbfgs", alpha=0.1, max_iter=2, random_state=1, **settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X, y)
    if estimator is MLPClassifier:
        y = model._label_binarizer.transform(y).astype(float)
    y = y.reshape(len(X), -1)

    def value_and_gradient(packed: np.ndarray) -> tuple[float, np.ndarray]:
        activations = [X] + [np.empty((len(X), n)) for n in (3, y.shape[1])]
        deltas = [np.empty_like(one) for one in activations[1:]]
        gradients = [np.empty_like(one) for one in model.coefs_], [np.empty_like(one) for one in model.intercepts_]
        return model._loss_grad_lbfgs(packed, X, y, None, activations, deltas, *gradients)

    packed = _base_pack(model)
    return lambda: check(value_and_gradient, packed, jac=True)


def _base_pack(model: MLPRegressor | MLPClassifier) -> np.ndarray:
    return np.concatenate([one.ravel() for one in model.coefs_ + model.intercepts_])


def activation(name: str) -> Call:
    """An activation, which works in place, beside its derivative, which takes the output."""

    def forward(x: np.ndarray) -> np.ndarray:
        out = x.copy()
        _base.ACTIVATIONS[name](out)
        return out

    def vjp(x: np.ndarray, g: np.ndarray) -> np.ndarray:
        delta = g.copy()
        _base.DERIVATIVES[name](forward(x), delta)
        return delta

    return lambda: check(forward, X, vjp=vjp)


def neighbours() -> Call:
    model = NeighborhoodComponentsAnalysis()
    model.n_iter_ = 0
    same = CLASSES[:, None] == CLASSES[None, :]
    return lambda: check(lambda A: model._loss_grad_lbfgs(A, X, same, 1.0), np.array([0.8, 0.2, -0.3, 1.1]), jac=True)


P = squareform(RNG.dirichlet(np.ones(15)) / 2)[np.triu_indices(6, 1)]


def embedding(nu: int, components: int) -> Call:
    return lambda: check(_t_sne._kl_divergence, RNG_EMBEDDING[: 6 * components], args=(P, nu, 6, components), jac=True)


RNG_EMBEDDING = np.random.default_rng(1).normal(size=24)


def true_gradient(y: np.ndarray, nu: int, components: int) -> np.ndarray:
    """Of the Kullback-Leibler divergence with ν degrees of freedom (van der Maaten, 2009)."""
    points = y.reshape(6, components)
    near = 1 / (1 + pdist(points, "sqeuclidean") / nu)
    q = near ** ((nu + 1) / 2)
    pull = squareform((P - q / (2 * q.sum())) * near)
    return 2 * (nu + 1) / nu * (pull.sum(1)[:, None] * points - pull @ points).ravel()


def true_embedding(nu: int, components: int) -> Call:
    return lambda: check(
        lambda y: _t_sne._kl_divergence(y, P, nu, 6, components)[0],
        RNG_EMBEDDING[: 6 * components],
        grad=lambda y: true_gradient(y, nu, components),
    )


def processes() -> Iterator[tuple[str, Call]]:
    for name in ("RBF", "RBF, two lengths", "Matern 3/2", "rational quadratic", "usual", "compound", "dot product"):
        kernel = KERNELS[name]
        regressor = GaussianProcessRegressor(kernel, alpha=0.1, optimizer=None).fit(X, Y)
        yield f"evidence of a regression, {name}", evidence(regressor)
        classifier = GaussianProcessClassifier(kernel, optimizer=None).fit(X, SIGNS)
        # Newton's method stops where the likelihood gains less than 1e-10.
        yield f"evidence of a classification, {name}", evidence(classifier.base_estimator_, accuracy=1e-10)


RIGHT: dict[str, Call] = {
    **{f"kernel {name}": by_theta(kernel) for name, kernel in KERNELS.items()},
    **dict(processes()),
    **dict(of_losses()),
    **dict(of_linear_models()),
    **{f"activation {name}": activation(name) for name in _base.DERIVATIVES},
    **{f"perceptron, {name}": perceptron(MLPRegressor, Y, activation=name) for name in _base.DERIVATIVES},
    **{f"classifier, {name}": perceptron(MLPClassifier, CLASSES, activation=name) for name in _base.DERIVATIVES},
    "classifier of two": perceptron(MLPClassifier, BITS.astype(int), activation="tanh"),
    "perceptron, Poisson": perceptron(MLPRegressor, np.abs(Y), activation="tanh", loss="poisson"),
    "perceptron, Poisson, two outputs": perceptron(MLPRegressor, np.abs(TWO), activation="tanh", loss="poisson"),
    "neighbourhood components": neighbours(),
    "t-SNE in one dimension": embedding(1, 1),
    "t-SNE in two dimensions": embedding(1, 2),
}
BUGS = {
    "t-SNE in three dimensions": Bug(embedding(2, 3), ("jac[params]",), true_embedding(2, 3)),
    "t-SNE in four dimensions": Bug(embedding(3, 4), ("jac[params]",), true_embedding(3, 4)),
    "perceptron of two outputs, averaged in the loss and summed in the gradient (issue 8349)": Bug(
        perceptron(MLPRegressor, TWO, activation="tanh"),
        ("jac[packed]",),
        perceptron(MLPRegressor, TWO[:, 0], activation="tanh"),
    ),
}
DIFFERENCES = {
    f"pairwise kernel {metric}": by_theta(kernels.PairwiseKernel(0.7, metric=metric))
    for metric in ("rbf", "laplacian", "polynomial", "sigmoid")
}
test_right, test_bugs, test_differences = judges_of("scikit-learn", RIGHT, BUGS, DIFFERENCES)
