"""`-k EXPR` as pytest has it: parts of names, joined by `and`, `or`, `not` and brackets."""

from __future__ import annotations

import re
from collections.abc import Callable

from gradcheck.errors import UsageError

_TOKEN = re.compile(r"\s*(?:([()])|([^\s()]+))")
Rule = Callable[[str], bool]


class Keyword:
    """A compiled expression.

    >>> wanted = Keyword("dense or (loss and not cross)")
    >>> wanted.matches("beras.layers.Dense"), wanted.matches("beras.losses.CategoricalCrossEntropy")
    (True, False)
    """

    def __init__(self, expression: str) -> None:
        self._expression = expression
        self._tokens = [bracket or word for bracket, word in _TOKEN.findall(expression)]
        self._at = 0
        if len(self._tokens) > 200:
            raise UsageError("expected -k with at most 200 words")
        self._rule = self._either()
        if self._at < len(self._tokens):
            raise self._error()

    def matches(self, name: str) -> bool:
        """Whether the expression is true of `name` (upper and lower case are the same)."""
        return self._rule(name.lower())

    def _either(self) -> Rule:
        left = self._both()
        while self._take("or"):
            left = _or(left, self._both())
        return left

    def _both(self) -> Rule:
        left = self._one()
        while self._take("and"):
            left = _and(left, self._one())
        return left

    def _one(self) -> Rule:
        if self._take("not"):
            inner = self._one()
            return lambda name: not inner(name)
        if self._take("("):
            inner = self._either()
            if not self._take(")"):
                raise self._error()
            return inner
        if self._at == len(self._tokens) or self._tokens[self._at] in ("and", "or", ")"):
            raise self._error()
        part = self._tokens[self._at].lower()
        self._at += 1
        return lambda name: part in name

    def _take(self, token: str) -> bool:
        found = self._at < len(self._tokens) and self._tokens[self._at] == token
        self._at += found
        return found

    def _error(self) -> UsageError:
        return UsageError(f"expected -k such as 'dense and not loss', but got {self._expression[:80]!r}")


def _or(left: Rule, right: Rule) -> Rule:
    return lambda name: left(name) or right(name)


def _and(left: Rule, right: Rule) -> Rule:
    return lambda name: left(name) and right(name)
