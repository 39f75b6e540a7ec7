"""Numerical derivatives, each with a bound on its error."""
