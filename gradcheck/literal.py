"""Values written as Python code, for a test to paste."""

from __future__ import annotations

from typing import Any

import numpy as np


def literal(value: Any) -> str:
    """Write an array so that Python reads the same numbers.

    >>> literal(np.array([0.5, np.inf])), literal(np.ones(1, np.float32))
    ('np.array([0.5, np.inf])', 'np.array([1.0], dtype=np.float32)')
    """
    array = np.asarray(value)
    inner = repr(array.tolist()).replace("nan", "np.nan").replace("inf", "np.inf")
    usual = array.dtype in (np.dtype(float), np.dtype(int), np.dtype(complex))
    kind = "" if usual and array.size else f", dtype=np.{array.dtype.name}"
    empty = f".reshape{array.shape}" if not array.size and array.ndim > 1 else ""
    return f"np.array({inner}{kind}){empty}"


def written(value: Any) -> str | None:
    """Write an argument: an array, a number, text, or dicts, lists and tuples of them; None where it cannot be written.

    >>> written({"w": np.ones(1), "steps": (3, None)}), written([object()])
    ("{'w': np.array([1.0]), 'steps': (3, None)}", None)
    """
    if isinstance(value, np.ndarray):
        return literal(value) if value.dtype.kind in "fiubc" and type(value) is np.ndarray else None
    if isinstance(value, dict) and type(value) is dict:
        pairs = [(written(key), written(one)) for key, one in value.items()]
        known = [f"{key}: {one}" for key, one in pairs if key is not None and one is not None]
        return "{" + ", ".join(known) + "}" if len(known) == len(pairs) else None
    if type(value) in (list, tuple):
        items = [written(one) for one in value]
        if None in items:
            return None
        inside = ", ".join(map(str, items)) + ("," if type(value) is tuple and len(items) == 1 else "")
        return f"[{inside}]" if type(value) is list else f"({inside})"
    if isinstance(value, np.generic):
        value = value.item()
    return repr(value) if value is None or type(value) in (bool, int, float, complex, str) else None
