"""gradcheck: is this derivative right, and if not, what is wrong with it?

>>> import numpy as np
>>> import gradcheck
>>> result = gradcheck.check(np.sin, np.array([0.5, 1.0]), jac=lambda x: np.diag(np.cos(x)))
>>> result.verdict
'correct'
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType

__version__ = "0.1.0"

TYPE_CHECKING = False  # not typing's, for the sake of `python -m gradcheck`: see gradcheck.__main__
if TYPE_CHECKING:
    from typing import Any

    from gradcheck.adapters import register as register
    from gradcheck.check import Options as Options
    from gradcheck.check import check_subject as check_subject
    from gradcheck.diagnose.counterexample import assert_claim as assert_claim
    from gradcheck.errors import CannotBuild as CannotBuild
    from gradcheck.errors import GradcheckFailure as GradcheckFailure
    from gradcheck.errors import UsageError as UsageError
    from gradcheck.functions import assert_correct as assert_correct
    from gradcheck.functions import check as check
    from gradcheck.functions import numerical_jacobian as numerical_jacobian
    from gradcheck.report.terminal import explain as explain
    from gradcheck.results import ClaimResult as ClaimResult
    from gradcheck.results import ComponentResult as ComponentResult

# Loaded when first used, so that neither pytest nor the command's first line waits for NumPy.
_HOME = {
    "CannotBuild": "errors",
    "ClaimResult": "results",
    "ComponentResult": "results",
    "GradcheckFailure": "errors",
    "Options": "check",
    "UsageError": "errors",
    "assert_claim": "diagnose.counterexample",
    "assert_correct": "functions",
    "check": "functions",
    "check_subject": "check",
    "explain": "report.terminal",
    "numerical_jacobian": "functions",
    "register": "adapters",
}
__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'gradcheck' has no attribute {name!r}")
    return getattr(import_module(f"gradcheck.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return [*globals(), *_HOME]


class _Package(ModuleType):
    """`gradcheck.check` is the function, also after Python has imported the module of that name and binds it here."""

    @property
    def check(self) -> Any:
        return __getattr__("check")

    @check.setter
    def check(self, module: ModuleType) -> None:
        assert module is sys.modules["gradcheck.check"]


sys.modules[__name__].__class__ = _Package
