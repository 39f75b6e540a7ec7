"""Sums of products by Einstein's convention."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from beras.arrays import Array
from beras.ops.operation import Operation


class Einsum(Operation):
    """`np.einsum(subscripts, *operands)`, with the output written out and no letter twice in one operand."""

    def __init__(self, subscripts: str = "ij,jk->ik", optimize: Any = False) -> None:
        terms, self.output = subscripts.split("->")
        self.terms, self.optimize = terms.split(","), optimize

    def forward(self, *operands: Array) -> Array:
        return np.asarray(np.einsum(f"{','.join(self.terms)}->{self.output}", *operands, optimize=self.optimize))

    def products(self, wanted: Sequence[bool], g: Array, z: Array, *xs: Array) -> list[Any]:
        """Return, for each operand, the sum over what it does not have of `g` times the others."""
        return [self._by(k, g, xs) if want else None for k, want in enumerate(wanted)]

    def _by(self, k: int, g: Array, xs: Sequence[Array]) -> Any:
        others = [(term, x) for j, (term, x) in enumerate(zip(self.terms, xs, strict=True)) if j != k]
        factors = [(self.output, g), *others]
        known = set("".join(term for term, _ in factors))
        # What only this operand has was summed over: each of its entries gets the same.
        alone = [(c, np.ones(n, g.dtype)) for c, n in zip(self.terms[k], xs[k].shape, strict=True) if c not in known]
        factors += alone
        return np.einsum(f"{','.join(term for term, _ in factors)}->{self.terms[k]}", *[x for _, x in factors])

    @classmethod
    def gradcheck_example(cls) -> tuple[Einsum, list[Array]]:
        """A stack of products of matrices."""
        random = np.random.default_rng(0)
        return cls("bij,bjk->bik"), [random.normal(size=(2, 2, 3)), random.normal(size=(2, 3, 2))]

    @classmethod
    def gradcheck_cases(cls) -> list[tuple[Einsum, list[Array]]]:
        """Sums of one operand; three operands, in another order."""
        random = np.random.default_rng(1)
        three = [random.normal(size=shape) for shape in ((2, 3), (3, 2), (2,))]
        return [(cls("ijk->j"), [random.normal(size=(2, 3, 2))]), (cls("ab,bc,c->ca", True), three)]


def explicit(subscripts: str, ranks: Sequence[int]) -> tuple[list[str], str]:
    """Return the terms and the output of `subscripts`, with letters for `...` and the output that is meant.

    `ranks`: how many axes the operands have. Raises TypeError where they are not text that NumPy would take.

    >>> explicit("...i,ij", [3, 2])
    (['ABi', 'ij'], 'ABj')
    """
    text = subscripts.replace(" ", "")
    inputs, arrow, output = text.partition("->")
    terms = inputs.split(",")
    if len(terms) != len(ranks):
        raise TypeError("as many operands as terms are needed")
    letters = [c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" if c not in text]
    between = [rank - len(term.replace("...", "")) for term, rank in zip(terms, ranks, strict=True) if "..." in term]
    dots = letters[: max(between, default=0)]
    terms = [
        term.replace("...", "".join(dots[len(dots) - (rank - len(term.replace("...", ""))) :] if rank else ""))
        for term, rank in zip(terms, ranks, strict=True)
    ]
    if not arrow:
        names = "".join(terms)
        output = "".join(dots) + "".join(sorted(c for c in set(names) if names.count(c) == 1 and c not in dots))
    return terms, output.replace("...", "".join(dots))
