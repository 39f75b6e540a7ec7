"""gradcheck: is this derivative right, and if not, what is wrong with it?

    >>> import numpy as np
    >>> import gradcheck
    >>> result = gradcheck.check(np.sin, np.array([0.5, 1.0]), jac=lambda x: np.diag(np.cos(x)))
    >>> result.verdict
    'correct'
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradcheck.adapters import register as register
    from gradcheck.check import Options as Options
    from gradcheck.check import check_subject as check_subject
    from gradcheck.errors import CannotBuild as CannotBuild
    from gradcheck.errors import GradcheckFailure as GradcheckFailure
    from gradcheck.errors import UsageError as UsageError
    from gradcheck.functions import assert_correct as assert_correct
    from gradcheck.functions import check as check
    from gradcheck.functions import numerical_jacobian as numerical_jacobian
    from gradcheck.results import ClaimResult as ClaimResult
    from gradcheck.results import ComponentResult as ComponentResult

__version__ = "0.1.0"

# Loaded when first used, so that the command's first line does not wait for NumPy.
_HOME = {
    "register": "adapters",
    "Options": "check",
    "check_subject": "check",
    "CannotBuild": "errors",
    "GradcheckFailure": "errors",
    "UsageError": "errors",
    "assert_correct": "functions",
    "check": "functions",
    "numerical_jacobian": "functions",
    "ClaimResult": "results",
    "ComponentResult": "results",
}
__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'gradcheck' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"gradcheck.{_HOME[name]}"), name)
