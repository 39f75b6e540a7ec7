"""What decides in Beras' forward and gradients and is never decided the other way by a check, with the reason why.

Outcomes are those of `results.Branch.missing`, after their file.
"""

from __future__ import annotations

from gradcheck.results import Coverage

# Files that keep calls and order gradients; whatever they decide, the numbers are those of the operations.
BOOKKEEPING = {
    "beras/diffable.py": "how a call is kept: tests/beras/test_core.py",
    "beras/gradient_tape.py": "what a tape keeps and hands out: tests/beras/test_gradient_tape.py",
}

REASONS: dict[str, tuple[str, ...]] = {
    "a gradient is differentiated again, which claims of first derivatives do not: tests/beras/test_nested_tapes.py": (
        "beras/cross_entropy.py: `recording.tape is not None`",
        "beras/losses.py: `recording.tape is not None`",
        "beras/layers.py: `isinstance(g, Tensor)`",
        "beras/ops/functions.py: not `type(x) is np.ndarray`",
        "beras/ops/linear_algebra.py: not `type(x) is np.ndarray`",
        "beras/ops/scans.py: not `type(x) is np.ndarray`",
    ),
    "a tape is asked by every input, never by some of them: tests/beras/test_gradient_tape.py": (
        "beras/loss.py: not `wanted[1]`",
        "beras/ops/einsum.py: not `want`",
    ),
    "without an upstream gradient it hands on the local derivative, a claim of its own: tests/beras/test_core.py": (
        "beras/loss.py: `upstream is None`",
        "beras/normalization.py: `upstream is None`",
    ),
    "an example is built before it is handed over: tests/beras/test_layers.py": (
        "beras/convolution.py: not `self.built`",
        "beras/layers.py: not `self.built`",
        "beras/normalization.py: not `self.built`",
        "beras/prelu.py: not `self.built`",
        "beras/recurrent.py: not `self.built`",
    ),
    "inputs are arrays, one for each argument; None and lists are none: tests/beras/test_functional.py": (
        "beras/attention.py: `attention_mask is not None`",
        "beras/attention.py: `key is None`",
        "beras/functional.py: not `self.number_of_inputs == 1`",
        "beras/functional.py: `isinstance(x, (list, tuple))`",
        "beras/functional.py: `len(node.outputs) > 1`",
        "beras/functional.py: not `self.single`",
    ),
    "what is assigned between a call and its gradient is no matter of numbers: tests/beras/test_normalization.py": (
        "beras/normalization.py: not `self.training`",
    ),
    "a layer that hands on what it is given is handed no whole numbers: tests/beras/test_dropout.py": (
        "beras/dropout.py: not `x.dtype == values.dtype`",
    ),
    "inputs are real: tests/beras/test_activations.py": ("beras/stable.py: `x.dtype.kind == 'c'`",),
    "it raises an error": ("beras/cross_entropy.py: `t.ndim != p.ndim - 1`",),
    "no number above 0 is a minimum with 0": (
        "beras/losses.py: `np.sign(np.minimum(t * p - 1, 0))` meets positive values",
    ),
}


def unexplained(coverage: Coverage) -> tuple[set[str], set[str]]:
    """Return the outcomes that were never seen for no reason that is listed, and what is listed and was seen."""
    never = {
        f"{one.file}: {outcome}" for one in coverage.branches for outcome in one.missing if one.file not in BOOKKEEPING
    }
    listed = {outcome for outcomes in REASONS.values() for outcome in outcomes}
    return never - listed, listed - never
