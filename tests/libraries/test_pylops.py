"""PyLops: `rmatvec` of its linear operators is the vector-Jacobian product of `matvec`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pylops = pytest.importorskip("pylops")

from gradcheck import check
from tests.libraries.table import Call, judges_of

RNG = np.random.default_rng(0)
A = RNG.normal(size=(4, 6))
H = np.array([0.5, 1.0, -0.25])
T = np.linspace(0, 1, 6)
D = pylops.MatrixMult(RNG.normal(size=(6, 6)))
REAL = "float64"

OPERATORS: dict[str, Any] = {
    "MatrixMult": pylops.MatrixMult(A),
    "MatrixMult, several columns": pylops.MatrixMult(A, otherdims=2),
    "Identity": pylops.Identity(6),
    "Identity, more rows": pylops.Identity(8, 6),
    "Zero": pylops.Zero(4, 6),
    "Diagonal": pylops.Diagonal(T + 1),
    "Diagonal along an axis": pylops.Diagonal(np.array([1.0, 2, 3]), dims=(2, 3), axis=1),
    "Transpose": pylops.Transpose((2, 3), (1, 0)),
    "Flip": pylops.Flip(6),
    "Roll": pylops.Roll(6, shift=2),
    "Pad": pylops.Pad(6, (1, 2)),
    "Sum": pylops.Sum((2, 3), axis=0),
    "Symmetrize": pylops.Symmetrize(6),
    "Restriction": pylops.Restriction(6, [0, 2, 5]),
    "Regression": pylops.Regression(T, 2),
    "LinearRegression": pylops.LinearRegression(T),
    "CausalIntegration": pylops.CausalIntegration(6),
    "CausalIntegration, trapezoidal": pylops.CausalIntegration(6, kind="trapezoidal"),
    "CausalIntegration, half": pylops.CausalIntegration(6, kind="half"),
    "Smoothing1D": pylops.Smoothing1D(3, 6),
    "Smoothing2D": pylops.Smoothing2D([3, 3], (4, 4)),
    "FirstDerivative": pylops.FirstDerivative(6),
    "FirstDerivative, forward": pylops.FirstDerivative(6, kind="forward"),
    "FirstDerivative, backward": pylops.FirstDerivative(6, kind="backward"),
    "FirstDerivative with edges": pylops.FirstDerivative(6, edge=True),
    "FirstDerivative, order 5": pylops.FirstDerivative(8, order=5),
    "SecondDerivative": pylops.SecondDerivative(6),
    "SecondDerivative, forward": pylops.SecondDerivative(6, kind="forward"),
    "SecondDerivative, backward": pylops.SecondDerivative(6, kind="backward"),
    "SecondDerivative with edges": pylops.SecondDerivative(6, edge=True),
    "Laplacian": pylops.Laplacian((4, 4)),
    "Gradient": pylops.Gradient((4, 4)),
    "FirstDirectionalDerivative": pylops.FirstDirectionalDerivative((4, 4), np.array([0.6, 0.8])),
    "SecondDirectionalDerivative": pylops.SecondDirectionalDerivative((4, 4), np.array([0.6, 0.8])),
    "Convolve1D": pylops.signalprocessing.Convolve1D(6, H, offset=1),
    "Convolve1D by FFT": pylops.signalprocessing.Convolve1D(6, H, offset=1, method="fft"),
    "Convolve2D": pylops.signalprocessing.Convolve2D((4, 4), np.outer(H, H), offset=(1, 1)),
    "NonStationaryConvolve1D": pylops.signalprocessing.NonStationaryConvolve1D(7, np.stack([H, 2 * H]), ih=(1, 5)),
    "Interp": pylops.signalprocessing.Interp(6, np.array([0.5, 2.3, 4.1]))[0],
    "Interp, nearest": pylops.signalprocessing.Interp(6, np.array([0.4, 2.3, 4.1]), kind="nearest")[0],
    "Interp, sinc": pylops.signalprocessing.Interp(6, np.array([0.5, 2.3, 4.1]), kind="sinc")[0],
    "Interp, cubic": pylops.signalprocessing.Interp(6, np.array([0.5, 2.3, 4.1]), kind="cubic_spline")[0],
    "Bilinear": pylops.signalprocessing.Bilinear(np.array([[0.5, 1.2], [0.3, 2.1]]), (3, 4)),
    "Shift": pylops.signalprocessing.Shift(6, 1.5, real=True),
    "DCT": pylops.signalprocessing.DCT(6),
    "DCT, type 3": pylops.signalprocessing.DCT(6, type=3),
    "Seislet": pylops.signalprocessing.Seislet(np.zeros((4, 8)), sampling=(1.0, 1.0)),
    "AVOLinearModelling": pylops.avo.avo.AVOLinearModelling(np.array([0.0, 10, 20]), nt0=3),
    "PoststackLinearModelling": pylops.avo.poststack.PoststackLinearModelling(H, nt0=6),
    "VStack": pylops.VStack([D, pylops.Identity(6)]),
    "HStack": pylops.HStack([D, pylops.Identity(6)]),
    "BlockDiag": pylops.BlockDiag([D, pylops.FirstDerivative(6)]),
    "Block": pylops.Block([[D, pylops.Identity(6)], [pylops.Identity(6), D]]),
    "Kronecker": pylops.Kronecker(pylops.MatrixMult(A[:2, :2]), pylops.MatrixMult(A[:, :3])),
    "Real": pylops.Real(6, dtype=REAL),
    "sum of two": D + pylops.FirstDerivative(6),
    "product of two": D @ pylops.FirstDerivative(6),
    "multiple": 2.5 * D,
    "power": D**2,
    "transpose": D.T,
    "adjoint": D.H,
    "column": D.apply_columns([0, 2, 3]),
}


def adjoint(operator: Any) -> Call:
    x = RNG.normal(size=operator.shape[1])
    return lambda: check(operator.matvec, x, vjp=lambda x, u: operator.rmatvec(u))


def jacobian(operator: Any) -> Call:
    x = RNG.normal(size=operator.shape[1])
    return lambda: check(operator.matvec, x, jac=lambda x: operator)


RIGHT: dict[str, Call] = {
    **{name: adjoint(operator) for name, operator in OPERATORS.items()},
    **{f"{name}, as a Jacobian": jacobian(operator) for name, operator in OPERATORS.items()},
}
[test_right] = judges_of("PyLops", RIGHT, {})
