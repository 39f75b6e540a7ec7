"""What everything else is built of, by the names that course code imports."""

from beras.callables import Callable, Weighted
from beras.diffable import Diffable, on_plain_arrays
from beras.gradients import Upstream, as_gradient, per_row
from beras.tensor import Tensor
from beras.variable import Variable

__all__ = [
    "Callable",
    "Diffable",
    "Tensor",
    "Upstream",
    "Variable",
    "Weighted",
    "as_gradient",
    "on_plain_arrays",
    "per_row",
]
