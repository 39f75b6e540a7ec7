"""statsmodels: likelihoods with score and Hessian, links, robust norms, transforms of copulas."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

pytest.importorskip("statsmodels")

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from statsmodels.discrete import conditional_models, count_model, discrete_model, truncated_model
    from statsmodels.distributions.copula import transforms
    from statsmodels.duration.hazard_regression import PHReg
    from statsmodels.genmod.families import family, links, varfuncs
    from statsmodels.genmod.generalized_linear_model import GLM
    from statsmodels.othermod.betareg import BetaModel
    from statsmodels.regression import linear_model
    from statsmodels.robust import norms

from gradcheck import check
from tests.libraries.table import Bug, Call, judges_of

RNG = np.random.default_rng(0)
N = 12
X = np.column_stack([np.ones(N), RNG.normal(size=(N, 2))])
Y = RNG.normal(size=N)
BITS = np.array([0, 1, 1, 0, 1, 0, 0, 1, 1, 0, 1, 0])
COUNTS = np.array([0, 1, 3, 0, 2, 5, 0, 1, 0, 4, 2, 1])
CLASSES = np.array([0, 1, 2, 0, 1, 2, 0, 1, 2, 1, 0, 2])
SHARES = RNG.uniform(0.1, 0.9, size=N)
W = np.array([0.2, -0.3, 0.1])
REAL = np.array([-1.3, -0.2, 0.4, 1.7])
UNIT = np.array([0.1, 0.35, 0.6, 0.9])
POSITIVE = np.array([0.3, 0.9, 1.6, 4.0])


def likelihood(model: Any, params: Any) -> Call:
    return lambda: check(model.loglike, np.array(params), grad=model.score, hess=model.hessian)


def score(model: Any, params: Any) -> Call:
    return lambda: check(model.loglike, np.array(params), grad=model.score)


def by_observation(model: Any, params: Any) -> Call:
    return lambda: check(model.loglikeobs, np.array(params), jac=model.score_obs)


def negative_binomial(kind: str, logarithm: bool) -> Any:
    """A model whose last parameter is α, or its logarithm, which a new model takes."""
    model = discrete_model.NegativeBinomial(COUNTS, X, loglike_method=kind)
    model._transparams = logarithm
    return model


LIKELIHOODS = {
    "Logit": (discrete_model.Logit(BITS, X), W),
    "Probit": (discrete_model.Probit(BITS, X), W),
    "MNLogit": (discrete_model.MNLogit(CLASSES, X), [*W, *W[::-1]]),
    "Poisson": (discrete_model.Poisson(COUNTS, X), W),
    "Poisson, exposure": (discrete_model.Poisson(COUNTS, X, exposure=POSITIVE.repeat(3)), W),
    "generalized Poisson 1": (discrete_model.GeneralizedPoisson(COUNTS, X, p=1), [*W, 0.3]),
    "generalized Poisson 2": (discrete_model.GeneralizedPoisson(COUNTS, X, p=2), [*W, 0.3]),
    "negative binomial 1": (negative_binomial("nb1", logarithm=False), [*W, 0.6]),
    "negative binomial 2": (negative_binomial("nb2", logarithm=False), [*W, 0.6]),
    "geometric": (discrete_model.NegativeBinomial(COUNTS, X, loglike_method="geometric"), W),
    "negative binomial P 1": (discrete_model.NegativeBinomialP(COUNTS, X, p=1), [*W, 0.6]),
    "negative binomial P 2": (discrete_model.NegativeBinomialP(COUNTS, X, p=2), [*W, 0.6]),
    "beta regression": (BetaModel(SHARES, X), [*W, 1.1]),
    "proportional hazards, Breslow": (PHReg(POSITIVE.repeat(3), X[:, 1:], status=BITS, ties="breslow"), W[1:]),
    "proportional hazards, Efron": (PHReg(POSITIVE.repeat(3), X[:, 1:], status=BITS, ties="efron"), W[1:]),
}
FAMILIES = {
    "Gaussian": (family.Gaussian, Y),
    "Poisson": (family.Poisson, COUNTS),
    "binomial": (family.Binomial, BITS),
    "gamma": (lambda: family.Gamma(links.Log()), np.abs(Y)),
    "inverse Gaussian": (lambda: family.InverseGaussian(links.Log()), np.abs(Y)),
    "negative binomial": (lambda: family.NegativeBinomial(alpha=0.8), COUNTS),
    "Probit": (lambda: family.Binomial(links.Probit()), BITS),
    "complementary log-log": (lambda: family.Binomial(links.CLogLog()), BITS),
    "log-log": (lambda: family.Binomial(links.LogLog()), BITS),
    "Cauchy": (lambda: family.Binomial(links.Cauchy()), BITS),
    "Poisson, square root": (lambda: family.Poisson(links.Sqrt()), COUNTS),
}
LINKS = {
    "Logit": (links.Logit(), UNIT),
    "Log": (links.Log(), POSITIVE),
    "LogC": (links.LogC(), UNIT),
    "Identity": (links.Identity(), REAL),
    "Sqrt": (links.Sqrt(), POSITIVE),
    "InversePower": (links.InversePower(), POSITIVE),
    "InverseSquared": (links.InverseSquared(), POSITIVE),
    "Power 3": (links.Power(3), POSITIVE),
    "Power -0.5": (links.Power(-0.5), POSITIVE),
    "Probit": (links.Probit(), UNIT),
    "Cauchy": (links.Cauchy(), UNIT),
    "CLogLog": (links.CLogLog(), UNIT),
    "LogLog": (links.LogLog(), UNIT),
    "NegativeBinomial": (links.NegativeBinomial(0.8), POSITIVE),
}
VARIANCES = {
    "constant": (varfuncs.constant, POSITIVE, np.zeros_like),
    "mu": (varfuncs.mu, POSITIVE, np.ones_like),
    "mu squared": (varfuncs.mu_squared, POSITIVE, lambda x: 2 * x),
    "mu cubed": (varfuncs.mu_cubed, POSITIVE, lambda x: 3 * x**2),
    "binary": (varfuncs.binary, UNIT, varfuncs.binary.deriv),
    "negative binomial": (varfuncs.NegativeBinomial(0.8), POSITIVE, varfuncs.NegativeBinomial(0.8).deriv),
}
NORMS = {
    "least squares": norms.LeastSquares(),
    "HuberT": norms.HuberT(0.7),
    "RamsayE": norms.RamsayE(0.5),
    "AndrewWave": norms.AndrewWave(0.6),
    "TrimmedMean": norms.TrimmedMean(1.0),
    "Hampel": norms.Hampel(0.3, 1.0, 2.5),
    "TukeyBiweight": norms.TukeyBiweight(2.0),
    "TukeyQuartic": norms.TukeyQuartic(2.0),
    "StudentT": norms.StudentT(c=1.2, df=4),
}
TRANSFORMS = {
    "Frank": (transforms.TransfFrank(), 1.7),
    "Clayton": (transforms.TransfClayton(), 1.7),
    "Gumbel": (transforms.TransfGumbel(), 1.7),
    "Gumbel 2": (transforms.TransfGumbel(), 2.0),
    "independence": (transforms.TransfIndep(), 0.0),
}


def generalized() -> Iterator[tuple[str, Call]]:
    for name, (make, y) in FAMILIES.items():
        w = W + [2, 0, 0] if "square" in name else W
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the domain of a link: its values here are inside
            model = GLM(y, X, family=make())
        yield (
            f"GLM {name}",
            lambda m=model, w=w: check(
                lambda w: m.loglike(w, scale=1.0),
                w,
                grad=lambda w: m.score(w, scale=1.0),
                hess=lambda w: m.hessian(w, scale=1.0, observed=True),
            ),
        )
        yield (
            f"GLM {name}, by observation",
            lambda m=model, w=w: check(
                lambda w: m.family.loglike_obs(m.endog, m.family.fitted(X @ w), scale=1.0),
                w,
                jac=lambda w: m.score_obs(w, scale=1.0),
            ),
        )
        yield (
            f"GLM {name}, by the linear predictor",
            lambda m=model, w=w: check(
                lambda w: m.family.fitted(X @ w), w, jac=lambda w: m.family.link.inverse_deriv(X @ w)[:, None] * X
            ),
        )


def of_links() -> Iterator[tuple[str, Call]]:
    for name, (link, p) in LINKS.items():
        z = link(p)
        yield f"link {name}", _row(link, link.deriv, p)
        yield f"link {name}, second", _row(link.deriv, link.deriv2, p)
        yield f"link {name}, inverse", _row(link.inverse, link.inverse_deriv, z)
        yield f"link {name}, inverse, second", _row(link.inverse_deriv, link.inverse_deriv2, z)


def of_norms() -> Iterator[tuple[str, Call]]:
    for name, norm in NORMS.items():
        yield f"norm {name}", _row(norm.rho, norm.psi, REAL)
        yield f"norm {name}, second", _row(norm.psi, norm.psi_deriv, REAL)


def of_transforms() -> Iterator[tuple[str, Call]]:
    for name, (one, theta) in TRANSFORMS.items():
        if name != "Frank":
            yield f"copula {name}", _row(one.evaluate, one.deriv, UNIT, theta)
        if name not in ("Frank", "Gumbel"):
            yield f"copula {name}, second", _row(one.deriv, one.deriv2, UNIT, theta)
        t = one.evaluate(UNIT, theta)
        for low, high in pairwise(("inverse", "deriv_inverse", "deriv2_inverse", "deriv3_inverse", "deriv4_inverse")):
            if hasattr(one, low) and hasattr(one, high):
                yield f"copula {name}, {high}", _row(getattr(one, low), getattr(one, high), t, theta)


def _row(f: Any, df: Any, x: np.ndarray, *args: Any) -> Call:
    return lambda: check(f, x, args=args, deriv=df)


def inflated(kind: type, *extra: float) -> tuple[Any, list[float]]:
    return kind(COUNTS, X, exog_infl=X[:, :1]), [-0.4, *W, *extra]


def true_frank(t: np.ndarray, theta: float) -> np.ndarray:
    """The derivative of −ln((e^(−θt) − 1) / (e^(−θ) − 1))."""
    return theta / (1 - np.exp(theta * t))


def true_frank_second(t: np.ndarray, theta: float) -> np.ndarray:
    return theta**2 * np.exp(theta * t) / (1 - np.exp(theta * t)) ** 2


def true_gumbel_second(t: np.ndarray, theta: float) -> np.ndarray:
    """The second derivative of (−ln t)^θ."""
    log = -np.log(t)
    return (theta * (theta - 1) * log ** (theta - 2) + theta * log ** (theta - 1)) / t**2


def differences(model: Any) -> Call:
    """A Hessian that the library takes by finite differences of the likelihood or of the score."""
    return lambda: check(model.loglike, W[-model.exog.shape[1] :], grad=model.score, hess=model.hessian)


ZIP, AT = inflated(count_model.ZeroInflatedPoisson)
NBP = discrete_model.NegativeBinomialP(COUNTS, X, p=1.5)
FRANK, GUMBEL = transforms.TransfFrank(), transforms.TransfGumbel()
LEFT = truncated_model.TruncatedLFGeneralizedPoisson
POSITIVE_COUNTS = COUNTS[COUNTS > 0], X[COUNTS > 0]

RIGHT: dict[str, Call] = {
    **{f"likelihood {name}": likelihood(*one) for name, one in LIKELIHOODS.items()},
    **{
        f"by observation {name}": by_observation(*one)
        for name, one in LIKELIHOODS.items()
        if hasattr(one[0], "loglikeobs") and hasattr(one[0], "score_obs") and name != "MNLogit"
    },
    **dict(generalized()),
    **dict(of_links()),
    **{f"variance {name}": _row(f, df, x) for name, (f, x, df) in VARIANCES.items()},
    **dict(of_norms()),
    **dict(of_transforms()),
    "zero-inflated Poisson": score(ZIP, AT),
    "zero-inflated Poisson, by observation": by_observation(ZIP, AT),
    "zero-inflated generalized Poisson": score(*inflated(count_model.ZeroInflatedGeneralizedPoisson, 0.3)),
    "zero-inflated negative binomial": score(*inflated(count_model.ZeroInflatedNegativeBinomialP, 0.6)),
}
BUGS = {
    "the Hessian of a zero-inflated Poisson": Bug(
        likelihood(ZIP, AT), ("hess[params]",), likelihood(discrete_model.Poisson(COUNTS, X), W)
    ),
    "the Hessian of a negative binomial with p = 1.5": Bug(
        likelihood(NBP, [*W, 0.6]),
        ("hess[params]",),
        likelihood(discrete_model.NegativeBinomialP(COUNTS, X, p=1), [*W, 0.6]),
    ),
    "the score of a truncated generalized Poisson with p = 2": Bug(
        score(LEFT(*POSITIVE_COUNTS, p=2), [*W, 0.3]), ("grad[params]",), score(LEFT(*POSITIVE_COUNTS, p=1), [*W, 0.3])
    ),
    "the derivative of Frank's transform": Bug(
        _row(FRANK.evaluate, FRANK.deriv, UNIT, 1.7), ("deriv[t]",), _row(FRANK.evaluate, true_frank, UNIT, 1.7)
    ),
    "the second derivative of Frank's transform": Bug(
        _row(true_frank, FRANK.deriv2, UNIT, 1.7),
        ("deriv[t]",),
        _row(true_frank, true_frank_second, UNIT, 1.7),
    ),
    "the second derivative of Gumbel's transform": Bug(
        _row(GUMBEL.deriv, GUMBEL.deriv2, UNIT, 1.7), ("deriv[t]",), _row(GUMBEL.deriv, true_gumbel_second, UNIT, 1.7)
    ),
    "the Hessian of least squares without a scale (issue 9469)": Bug(
        likelihood(linear_model.OLS(Y, X), W), ("hess[params]",), likelihood(discrete_model.Logit(BITS, X), W)
    ),
}
for kind in ("nb1", "nb2"):
    BUGS[f"the Hessian of a negative binomial, {kind}, by α where the score is by its logarithm"] = Bug(
        likelihood(negative_binomial(kind, logarithm=True), [*W, 0.6]),
        ("hess[params]",),
        likelihood(negative_binomial(kind, logarithm=False), [*W, 0.6]),
    )
GROUPS = np.arange(N) // 4
DIFFERENCES = {
    "Hessian, conditional Logit": differences(conditional_models.ConditionalLogit(BITS, X[:, 1:], groups=GROUPS)),
    "Hessian, conditional Poisson": differences(conditional_models.ConditionalPoisson(COUNTS, X[:, 1:], groups=GROUPS)),
}
test_right, test_bugs, test_differences = judges_of("statsmodels", RIGHT, BUGS, DIFFERENCES)
