"""Numerical derivatives, each with a bound on its error."""

from gradcheck.numerical.curve import curve
from gradcheck.numerical.directional import directional
from gradcheck.numerical.estimate import Cost, Estimate
from gradcheck.numerical.jacobian import estimate

__all__ = ["Cost", "Estimate", "curve", "directional", "estimate"]
