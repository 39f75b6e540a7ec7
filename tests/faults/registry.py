"""All planted mistakes in one list."""

from __future__ import annotations

from tests.faults import coupling, dense, elementwise, functions, losses, seeds, unusual
from tests.faults.base import Fault

FAULTS: list[Fault] = [
    *elementwise.FAULTS,
    *dense.FAULTS,
    *losses.FAULTS,
    *coupling.FAULTS,
    *functions.FAULTS,
    *unusual.FAULTS,
    *seeds.FAULTS,
]
