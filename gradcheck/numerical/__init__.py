"""Numerical derivatives, each with a bound on its error."""

from gradcheck.numerical.curve import curve
from gradcheck.numerical.directional import directional, sides
from gradcheck.numerical.estimate import Cost, Estimate, TooLarge
from gradcheck.numerical.jacobian import columns, estimate
from gradcheck.numerical.projection import Culprit, Probe, Projection, project

__all__ = [
    "Cost",
    "Culprit",
    "Estimate",
    "Probe",
    "Projection",
    "TooLarge",
    "columns",
    "curve",
    "directional",
    "estimate",
    "project",
    "sides",
]
