"""`np.einsum` on jets: all operands are broadcast against each other over all letters, multiplied and summed."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.exact.arrays.array import as_array, scalar
from gradcheck.exact.arrays.products import tensordot


def contract(*operands: Any) -> Any:
    """Sum products as the subscripts say, two operands at a time, from the left."""
    terms, result, arrays = _parsed(operands)
    terms, arrays = map(list, zip(*(_diagonal(t, a) for t, a in zip(terms, arrays, strict=True)), strict=True))
    while len(arrays) > 1:
        rest = set("".join(terms[2:])) | set(result)
        pair = _pair(terms[:2], arrays[:2], rest)
        terms, arrays = [pair[0], *terms[2:]], [pair[1], *arrays[2:]]
    return scalar(_summed(terms[0], arrays[0], result))


def _parsed(operands: tuple[Any, ...]) -> tuple[list[str], str, list[Any]]:
    """Return a string of letters per operand and for the result; an ellipsis becomes letters of its own."""
    if not isinstance(operands[0], str):
        subscripts = [list(part) for part in operands[1::2]]
        arrays = [as_array(a) for a in operands[0 : 2 * len(subscripts) : 2]]
        result = list(operands[-1]) if len(operands) % 2 else None
        texts = ["".join(_letter(i) for i in part) for part in subscripts]
        spec = ",".join(texts) + ("" if result is None else "->" + "".join(_letter(i) for i in result))
    else:
        spec, arrays = operands[0].replace(" ", ""), [as_array(a) for a in operands[1:]]
    left, arrow, right = spec.partition("->")
    terms = left.split(",")
    free = [c for c in "ZYXWVUTSRQPONMLKJIHGFEDCBA" if c not in spec]
    longest = max(
        (a.ndim - len(t.replace("...", "")) for t, a in zip(terms, arrays, strict=True) if "..." in t), default=0
    )
    dots = "".join(free[:longest])
    named = []
    for term, array in zip(terms, arrays, strict=True):
        count = array.ndim - len(term.replace("...", ""))
        named.append(term.replace("...", dots[len(dots) - count :] if count else ""))
        if len(named[-1]) != array.ndim:
            raise ValueError(f"einstein sum subscripts string {term!r} does not fit an operand of {array.ndim} axes")
    if not arrow:
        letters = "".join(named)
        right = ("..." if dots else "") + "".join(sorted(c for c in set(letters) - set(dots) if letters.count(c) == 1))
    return named, right.replace("...", dots), arrays


def _letter(number: Any) -> str:
    return "..." if number is Ellipsis else chr(ord("a") + int(number))


def _diagonal(term: str, array: Any) -> tuple[str, Any]:
    """A letter that occurs twice in one operand stands for its diagonal."""
    while len(set(term)) < len(term):
        letter = next(c for c in term if term.count(c) > 1)
        first, second = term.index(letter), term.rindex(letter)
        array = np.diagonal(array, axis1=first, axis2=second)
        term = "".join(c for k, c in enumerate(term) if k not in (first, second)) + letter
    return term, array


def _pair(terms: list[str], arrays: list[Any], rest: set[str]) -> tuple[str, Any]:
    """Contract two operands over the letters that nobody else needs, by a product of matrices if possible."""
    (a, b), (x, y) = terms, arrays
    a, x = _without(a, x, set(b) | rest)
    b, y = _without(b, y, set(a) | rest)
    sizes = [dict(zip(t, array.shape, strict=True)) for t, array in ((a, x), (b, y))]
    inside = [c for c in a if c in b and c not in rest and sizes[0][c] == sizes[1][c]]
    shared = [c for c in a if c in b and c not in inside]
    if inside and not shared:
        made = tensordot(x, y, axes=([a.index(c) for c in inside], [b.index(c) for c in inside]))
        return "".join(c for c in a if c not in inside) + "".join(c for c in b if c not in inside), as_array(made)
    letters = a + "".join(c for c in b if c not in a)
    return _without(letters, _aligned(a, x, letters) * _aligned(b, y, letters), rest)


def _aligned(term: str, array: Any, letters: str) -> Any:
    order = [term.index(c) for c in letters if c in term]
    return as_array(array).transpose(order)[tuple(slice(None) if c in term else None for c in letters)]


def _without(term: str, array: Any, needed: set[str]) -> tuple[str, Any]:
    over = tuple(k for k, c in enumerate(term) if c not in needed)
    if not over:
        return term, as_array(array)
    return "".join(c for c in term if c in needed), as_array(np.sum(array, axis=over))


def _summed(term: str, array: Any, result: str) -> Any:
    term, array = _without(term, array, set(result))
    return array.transpose([term.index(c) for c in result])
