"""A baseline: failures that are known, so that only new and worse ones make the exit status 1.

It is a JSON file for a project's repository: for each failure, what it was found at, its verdict and its reach.
A known failure that reaches farther than it did, or has a worse verdict, is a new one.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from gradcheck.errors import UsageError
from gradcheck.report.findings import Finding
from gradcheck.report.words import count, one_line
from gradcheck.verdicts import ORDER, REACHES, rank

SCHEMA = 1
FIELDS = ("component", "about", "rule", "reach")
Key = tuple[str, str]
Rank = tuple[str, str]
"""A rule and a reach ("" where there is none)."""


@dataclass(frozen=True)
class Baseline:
    """What is known to fail: by component and part, with which verdict and reach."""

    known: Mapping[Key, Rank] = field(default_factory=dict)

    def knows(self, one: Finding) -> bool:
        """Whether a failure is known, and no worse than it was."""
        was = self.known.get(_key(one))
        return was is not None and _rank(one.rule, one.reach or "") >= _rank(*was)

    def applied(self, found: Iterable[Finding]) -> list[Finding]:
        """Return findings of which those that are known do not fail."""
        return [replace(one, fails=False, known=True) if one.fails and self.knows(one) else one for one in found]

    def notes(self, checked: Collection[str], found: Sequence[Finding]) -> list[str]:
        """Return lines to print: how many failures are known, and what of the components `checked` is mended."""
        known = sum(one.fails and self.knows(one) for one in found)
        still = {_key(one) for one in found if one.fails}
        mended = [" ".join(key).rstrip() for key in self.known if key[0] in checked and key not in still]
        lines = [f"{count(known, 'failure')} in the baseline"] if known else []
        return lines + [f"in the baseline, and mended: {one_line(', '.join(mended))}"] * bool(mended)

    def renewed(self, checked: Collection[str], found: Iterable[Finding]) -> Baseline:
        """Return the baseline with what fails now; what was not `checked` stays as it is."""
        kept = {key: was for key, was in self.known.items() if key[0] not in checked}
        worst_last = sorted(found, key=lambda one: -_rank(one.rule, one.reach or ""))
        return Baseline({**kept, **{_key(one): (one.rule, one.reach or "") for one in worst_last if one.fails}})

    def to_json(self) -> str:
        """Return the baseline as text, sorted, an entry a line, so that a diff shows what changed."""
        entries = [dict(zip(FIELDS, (*key, *self.known[key]), strict=True)) for key in sorted(self.known)]
        lines = ",\n".join(f"  {json.dumps(entry, ensure_ascii=False)}" for entry in entries)
        return f'{{\n "schema": {SCHEMA},\n "known": [\n{lines}\n ]\n}}\n'


def read(file: str, may_be_missing: bool = False) -> Baseline:
    """Read a baseline (UsageError where there is none, or it is malformed)."""
    try:
        data = json.loads(Path(file).read_text(encoding="utf-8"))
        if data["schema"] != SCHEMA:
            raise ValueError(f"its schema is {data['schema']!r}, not {SCHEMA}")
        known = {(one["component"], one["about"]): (one["rule"], one["reach"]) for one in data["known"]}
        if not all(isinstance(text, str) for key, was in known.items() for text in (*key, *was)):
            raise ValueError("its entries are not text")
    except FileNotFoundError:
        if may_be_missing:
            return Baseline()
        raise UsageError(f"there is no baseline {file!r}: --write-baseline writes it") from None
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"{file!r} is no baseline ({error}): --write-baseline writes one") from error
    return Baseline(known)


def _key(one: Finding) -> Key:
    return one.component, one.about


def _rank(rule: str, reach: str) -> int:
    """What sorts verdicts, worst first; what is no verdict, a broken contract say, is one of its kind."""
    verdict = next((word for word in ORDER if word == rule), None)
    return -1 if verdict is None else rank(verdict, next((word for word in REACHES if word == reach), None))
