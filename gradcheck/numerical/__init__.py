"""Numerical derivatives, each with a bound on its error."""

from gradcheck.numerical.curve import curve
from gradcheck.numerical.directional import directional, one_sided
from gradcheck.numerical.estimate import Cost, Estimate, TooLarge, scale_of_rows
from gradcheck.numerical.jacobian import estimate
from gradcheck.numerical.projection import Culprit, Probe, Projection, project

__all__ = [
    "Cost",
    "Culprit",
    "Estimate",
    "Probe",
    "Projection",
    "TooLarge",
    "curve",
    "directional",
    "estimate",
    "one_sided",
    "project",
    "scale_of_rows",
]
