"""Data of a report that is not one component's: what the files `data/<kind>.json` hold, and how they are read.

`tensorflow` is `gradcheck.report.differential.Differential`; `mutation`, `arena` and `training` are the classes
below. Each file is one JSON object with the fields of its class, `kind` and `schema` among them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from gradcheck.data import typed
from gradcheck.report.differential import Differential

SCHEMA = 1
Outcome = Literal["caught", "survived", "equivalent"]
Finding = Literal["caught", "noted", "missed", "accepted", "false alarm", "unresolved", "not applicable"]


@dataclass(frozen=True)
class Mutant:
    """One change of one line of a derivative, and whether gradcheck called it wrong.

    `change`: the sort of change (`"sign"`, `"transpose dropped"`); `where`: `"beras/layers.py:40"`.
    `diff`: the line before and after; `reason`: why it is equivalent, or what explains its survival.
    """

    component: str
    change: str
    outcome: Outcome
    where: str
    diff: str
    reason: str = ""


@dataclass(frozen=True)
class Mutation:
    """Every mutant (`data/mutation.json`)."""

    mutants: tuple[Mutant, ...]
    kind: str = "mutation"
    schema: int = SCHEMA

    @property
    def score(self) -> float:
        """Share of the mutants that are not equivalent which were caught, in per cent (100 without any)."""
        counts = Counter(mutant.outcome for mutant in self.mutants)
        judged = counts["caught"] + counts["survived"]
        return 100 * counts["caught"] / judged if judged else 100.0

    def of(self, outcome: Outcome) -> list[Mutant]:
        """Return the mutants with one outcome."""
        return [mutant for mutant in self.mutants if mutant.outcome == outcome]

    def by(self, field: Literal["component", "change"]) -> list[tuple[str, Counter[str]]]:
        """Return the outcomes by component or by sort of change, those with survivors first."""
        groups: dict[str, Counter[str]] = {}
        for mutant in self.mutants:
            groups.setdefault(getattr(mutant, field), Counter())[mutant.outcome] += 1
        return sorted(groups.items(), key=lambda group: (-group[1]["survived"], group[0]))


@dataclass(frozen=True)
class Case:
    """One gradient of the arena, right or wrong, and what each tool (in the arena's order) said about it."""

    name: str
    about: str
    wrong: bool
    found: tuple[Finding, ...]


@dataclass(frozen=True)
class Tool:
    """One gradient checker of the arena."""

    name: str
    version: str


@dataclass(frozen=True)
class Arena:
    """Gradient checkers side by side (`data/arena.json`)."""

    tools: tuple[Tool, ...]
    cases: tuple[Case, ...]
    kind: str = "arena"
    schema: int = SCHEMA

    def errors(self, tool: int) -> int:
        """Return how many wrong gradients a tool missed, and right ones it rejected."""
        return sum(case.found[tool] in ("missed", "false alarm") for case in self.cases)


@dataclass(frozen=True)
class Image:
    """One test image, what it shows and what was predicted."""

    label: int
    predicted: int
    confidence: float
    pixels: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Training:
    """One training (`data/training.json`): numbers per epoch, confusion matrix, examples.

    `history` is an object in the file: `{"loss": [...], "accuracy": [...]}`. A row of `confusion` is a
    label, a column a prediction.
    """

    history: tuple[tuple[str, tuple[float, ...]], ...]
    accuracy: float
    confusion: tuple[tuple[int, ...], ...]
    right: tuple[Image, ...] = ()
    wrong: tuple[Image, ...] = ()
    kind: str = "training"
    schema: int = SCHEMA


_CLASSES: Mapping[str, type] = {
    "tensorflow": Differential,
    "mutation": Mutation,
    "arena": Arena,
    "training": Training,
}


def read_all(files: Mapping[str, bytes], refuse: Callable[[str, str], object]) -> dict[str, Any]:
    """Read the files of all kinds; one that cannot be read is refused: `refuse(file name, why)`."""
    found = {}
    for kind in (kind for kind in _CLASSES if kind in files):
        try:
            found[kind] = from_json(kind, files[kind].decode("utf-8"))
        except ValueError as error:
            refuse(f"{kind}.json", str(error))
    return found


def from_json(kind: str, text: str) -> Any:
    """Read data of one kind (ValueError where it is of another kind or schema, or malformed)."""
    data = json.loads(text)
    if not isinstance(data, dict) or (data.get("kind"), data.get("schema")) != (kind, SCHEMA):
        raise ValueError(f"expected data of kind {kind!r}, schema {SCHEMA}: make it again")
    try:
        if kind == "training":
            data["history"] = [[name, values] for name, values in data["history"].items()]
        result = typed(data, _CLASSES[kind])
    except (TypeError, AttributeError, KeyError) as error:
        raise ValueError(
            f"expected data of kind {kind!r}, schema {SCHEMA}, but a field is malformed: {error}"
        ) from error
    if isinstance(result, Arena) and any(len(case.found) != len(result.tools) for case in result.cases):
        raise ValueError("every case of the arena needs one finding per tool")
    if isinstance(result, Training):
        for image in (*result.right, *result.wrong):
            if not image.pixels or {len(line) for line in image.pixels} != {len(image.pixels)}:
                raise ValueError("an image of the training is not square")
    return result
