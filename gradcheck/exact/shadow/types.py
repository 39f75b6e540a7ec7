"""What `float`, `np.float64` and their kin are while code runs exactly: jets pass through them unchanged.

They stand in for the types in the modules that are shadowed, as functions (`float(x)`), in `isinstance`, and as a
dtype.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.exact import session
from gradcheck.exact.arrays.array import FLOAT64, SHORT, ExactArray, cast_to, exact, scalar
from gradcheck.exact.jets.jet import Jet


class _Passing(type):
    """The class of the stand-ins."""

    stands_for: type

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        value = args[0] if len(args) == 1 and not kwargs and session.is_active() else None
        if isinstance(value, (list, tuple)) and cls.stands_for is not float:
            value = exact(value)
        if type(value) is Jet or isinstance(value, ExactArray):
            if cls.stands_for is float and isinstance(value, ExactArray):
                return value.item()
            return scalar(cast_to(value, cls.stands_for)) if isinstance(value, ExactArray) else _noted(value, cls)
        return cls.stands_for(*args, **kwargs)

    def __instancecheck__(cls, value: Any) -> bool:
        return isinstance(value, cls.stands_for) or (type(value) is Jet and issubclass(np.float64, cls.stands_for))

    def __subclasscheck__(cls, kind: type) -> bool:
        return issubclass(getattr(kind, "stands_for", kind), cls.stands_for)

    def __eq__(cls, other: Any) -> bool:
        return True if other is cls or other is cls.stands_for else NotImplemented

    def __hash__(cls) -> int:
        return hash(cls.stands_for)


def _noted(value: Jet, cls: _Passing) -> Jet:
    name = np.dtype(cls.stands_for).name
    if name in SHORT:
        session.note(f"rounds to {name} here")
    return value


def _stand_in(kind: type) -> Any:
    """A stand-in for a type; as a dtype it is that of the type."""
    members: dict[str, Any] = {"stands_for": kind, "__doc__": kind.__doc__, "__module__": kind.__module__}
    if kind not in (np.floating, np.inexact, np.number, np.generic):
        members["dtype"] = np.dtype(kind)
    # Abstract types of NumPy's make no scalars: nothing that is subclassed from them could be called.
    return _Passing(kind.__name__, (kind,), members)


STAND_INS: dict[type, Any] = {
    kind: _stand_in(kind)
    for kind in (
        *(float, np.float64, np.float32, np.float16, np.longdouble),
        *(np.floating, np.inexact, np.number, np.generic),
    )
}


class _Dtype:
    """The dtype of a jet, as that of a scalar: float64 in all that NumPy asks, but its `type` lets jets pass."""

    dtype = FLOAT64
    type = STAND_INS[np.float64]

    def __getattr__(self, name: str) -> Any:
        return getattr(FLOAT64, name)

    def __eq__(self, other: Any) -> bool:
        return bool(other == FLOAT64) if not isinstance(other, _Dtype) else True

    def __hash__(self) -> int:
        return hash(FLOAT64)

    def __repr__(self) -> str:
        return repr(FLOAT64)


JET_DTYPE = _Dtype()
