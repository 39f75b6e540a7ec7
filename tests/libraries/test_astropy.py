"""astropy: the models' `fit_deriv`, by one parameter after another."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("astropy")

from astropy.modeling import functional_models as f
from astropy.modeling import physical_models as ph
from astropy.modeling import polynomial as p
from astropy.modeling import powerlaws as w

from gradcheck import check
from gradcheck.results import ComponentResult
from tests.libraries.table import Bug, Call, entries, judges_of

X = np.array([-1.3, -0.4, 0.35, 1.1, 2.3])
Y = np.array([0.7, -0.9, 1.6, 0.2, -0.3])
T = np.array([0.4, 1.2, 2.7, 3.9, 6.1])

# A model and where it is evaluated. Its parameters are where it is differentiated.
MODELS: dict[str, tuple[Any, tuple[np.ndarray, ...]]] = {
    "Gaussian1D": (f.Gaussian1D(1.3, 0.2, 0.9), (X,)),
    "Gaussian2D": (f.Gaussian2D(1.3, 0.2, -0.1, 0.9, 1.4, 0.3), (X, Y)),
    "Shift": (f.Shift(0.4), (X,)),
    "Scale": (f.Scale(1.7), (X,)),
    "Multiply": (f.Multiply(1.7), (X,)),
    "RedshiftScaleFactor": (f.RedshiftScaleFactor(0.6), (X,)),
    "Sine1D": (f.Sine1D(1.3, 0.4, 0.1), (X,)),
    "Cosine1D": (f.Cosine1D(1.3, 0.4, 0.1), (X,)),
    "Tangent1D": (f.Tangent1D(1.3, 0.1, 0.03), (X,)),
    "ArcSine1D": (f.ArcSine1D(4.3, 0.4, 0.1), (X,)),
    "ArcCosine1D": (f.ArcCosine1D(4.3, 0.4, 0.1), (X,)),
    "ArcTangent1D": (f.ArcTangent1D(4.3, 0.4, 0.1), (X,)),
    "Linear1D": (f.Linear1D(1.3, 0.2), (X,)),
    "Planar2D": (f.Planar2D(1.3, 0.2, 0.7), (X, Y)),
    "Lorentz1D": (f.Lorentz1D(1.3, 0.2, 0.9), (X,)),
    "Lorentz2D": (f.Lorentz2D(1.3, 0.2, -0.1, 0.9), (X, Y)),
    "Voigt1D": (f.Voigt1D(0.2, 1.3, 0.9, 0.6), (X,)),
    "Const1D": (f.Const1D(1.3), (X,)),
    "Moffat1D": (f.Moffat1D(1.3, 0.2, 0.9, 1.6), (X,)),
    "Moffat2D": (f.Moffat2D(1.3, 0.2, -0.1, 0.9, 1.6), (X, Y)),
    "KingProjectedAnalytic1D": (f.KingProjectedAnalytic1D(1.3, 1.1, 7.0), (T,)),
    "Exponential1D": (f.Exponential1D(1.3, 0.9), (X,)),
    "Logarithmic1D": (f.Logarithmic1D(1.3, 0.9), (T,)),
    "Schechter1D": (w.Schechter1D(1.0, -20.0, -0.7), (T - 20,)),
    "PowerLaw1D": (w.PowerLaw1D(1.3, 0.9, 1.6), (T,)),
    "BrokenPowerLaw1D": (w.BrokenPowerLaw1D(1.3, 2.0, 1.6, 0.7), (T,)),
    "SmoothlyBrokenPowerLaw1D": (w.SmoothlyBrokenPowerLaw1D(1.3, 2.0, 1.6, 0.7, 0.4), (T,)),
    "ExponentialCutoffPowerLaw1D": (w.ExponentialCutoffPowerLaw1D(1.3, 0.9, 1.6, 3.0), (T,)),
    "LogParabola1D": (w.LogParabola1D(1.3, 0.9, 1.6, 0.2), (T,)),
    "Plummer1D": (ph.Plummer1D(1.3, 0.9), (T,)),
    "Polynomial1D": (p.Polynomial1D(3, c0=1, c1=0.4, c2=-0.3, c3=0.2), (X,)),
    "Polynomial2D": (p.Polynomial2D(2, c0_0=1, c1_0=0.4, c2_0=-0.3, c0_1=0.2, c0_2=0.5, c1_1=0.7), (X, Y)),
    "Chebyshev1D": (p.Chebyshev1D(3, c0=1, c1=0.4, c2=-0.3, c3=0.2), (X,)),
    "Legendre1D": (p.Legendre1D(3, c0=1, c1=0.4, c2=-0.3, c3=0.2), (X,)),
    "Hermite1D": (p.Hermite1D(3, c0=1, c1=0.4, c2=-0.3, c3=0.2), (X,)),
    "Chebyshev2D": (p.Chebyshev2D(1, 2, c0_0=1, c1_0=0.4, c0_1=0.2, c0_2=0.5, c1_1=0.7), (X, Y)),
    "Legendre2D": (p.Legendre2D(1, 2, c0_0=1, c1_0=0.4, c0_1=0.2, c0_2=0.5, c1_1=0.7), (X, Y)),
    "Hermite2D, linear in y": (p.Hermite2D(2, 1, c0_0=1, c1_0=0.4, c0_1=0.2, c2_0=0.5, c1_1=0.7), (X, Y)),
}


def fitted(model: Any, at: tuple[np.ndarray, ...], only: str = "") -> ComponentResult:
    """Check `fit_deriv` by all the parameters, or by one."""
    where = [model.param_names.index(only)] if only else range(len(model.param_names))
    values = np.array(model.parameters)

    def with_these(*some: Any) -> list[Any]:
        full = [np.array([one]) for one in values]
        for place, one in zip(where, some, strict=True):
            full[place] = one
        return full

    def evaluate(*some: Any) -> Any:
        return model.evaluate(*at, *with_these(*some))

    def columns(*some: Any) -> Any:
        every = np.asarray(model.fit_deriv(*at, *with_these(*some)), dtype=float)
        every = every if model.col_fit_deriv else every.T
        return [every[place][..., None] for place in where]

    points = [np.array([values[place]]) for place in where]
    return check(evaluate, *points, jac=columns, names=[model.param_names[place] for place in where])


def row(name: str, only: str = "") -> Call:
    return lambda: fitted(*MODELS[name], only)


def drude(x_0: np.ndarray) -> np.ndarray:
    """Drude's profile of amplitude 1.3 and width 0.9."""
    return 1.3 * 0.9**2 / ((T / x_0 - x_0 / T) ** 2 + 0.9**2)


def true_drude(x_0: np.ndarray) -> np.ndarray:
    u = T / x_0 - x_0 / T
    return -1.3 * 0.9**2 * 2 * u * (-T / x_0**2 - 1 / T) / (u**2 + 0.9**2) ** 2


MAPPED = {
    kind.__name__: kind(2, domain=(-2, 4), c0=1, c1=0.4, c2=-0.3) for kind in (p.Chebyshev1D, p.Legendre1D, p.Hermite1D)
}


def mapped(model: Any, through_the_domain: bool) -> Call:
    """A polynomial with a domain of its own: the library's call maps x, its fit_deriv does not."""

    def of(x: np.ndarray) -> np.ndarray:
        low, high = model.domain
        return model.window[0] + (x - low) * (model.window[1] - model.window[0]) / (high - low)

    return lambda: check(
        lambda c: type(model)(2, domain=(-2, 4), c0=c[0], c1=c[1], c2=c[2])(X),
        np.array(model.parameters),
        jac=lambda c: model.fit_deriv(of(X) if through_the_domain else X, *c),
    )


DRUDE = ph.Drude1D(1.3, 2.2, 0.9)
RIGHT: dict[str, Call] = {
    **{name: row(name) for name in MODELS},
    "Drude1D by amplitude": lambda: fitted(DRUDE, (T,), "amplitude"),
    "Drude1D by fwhm": lambda: fitted(DRUDE, (T,), "fwhm"),
}
BUGS = {
    "Drude1D by x_0": Bug(
        lambda: fitted(DRUDE, (T,)),
        ("jac[x_0]",),
        lambda: check(drude, np.array([2.2]), jac=lambda x_0: true_drude(x_0)[:, None]),
    ),
    "Hermite2D.evaluate of degree 2 in y": Bug(
        lambda: fitted(p.Hermite2D(1, 2), (X, Y)),
        ("jac[c0_2]", "jac[c1_2]"),
        lambda: fitted(p.Hermite2D(2, 1), (X, Y)),
    ),
    **{
        f"{name} with a domain": Bug(mapped(model, False), ("jac[c]",), mapped(model, True), entries(1, 2))
        for name, model in MAPPED.items()
    },
}
test_right, test_bugs = judges_of("astropy", RIGHT, BUGS)
