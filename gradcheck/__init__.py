"""gradcheck: is this derivative right, and if not, what is wrong with it?

    >>> import numpy as np
    >>> import gradcheck
    >>> result = gradcheck.check(np.sin, np.array([0.5, 1.0]), jac=lambda x: np.diag(np.cos(x)))
    >>> result.verdict
    'correct'
"""

from __future__ import annotations

__version__ = "0.1.0"

from gradcheck.adapters import register
from gradcheck.check import Options, check_subject
from gradcheck.errors import CannotBuild, GradcheckFailure, UsageError
from gradcheck.functions import assert_correct, check, numerical_jacobian
from gradcheck.results import ClaimResult, ComponentResult

__all__ = [
    "CannotBuild",
    "ClaimResult",
    "ComponentResult",
    "GradcheckFailure",
    "Options",
    "UsageError",
    "assert_correct",
    "check",
    "check_subject",
    "numerical_jacobian",
    "register",
]
