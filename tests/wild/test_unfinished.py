"""Half-finished homework: what is not written is "not implemented", never "wrong"; what can be checked is checked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gradcheck.adapters import subject_of
from gradcheck.check import Options, check_subject
from tests.wild.copies import Change, importable, load, module
from tests.wild.variations import ACTIVATIONS, LAYERS, SLOPE, TAPE

LISTED = "return self.w, self.b\n"
TAPE_END = "return [grads[id(source)] for source in sources]"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield from (tmp_path for _ in importable(tmp_path))


@pytest.mark.parametrize(
    ("where", "change", "unwritten"),
    [
        ("activations.LeakyReLU", Change(ACTIVATIONS, SLOPE, "raise NotImplementedError"), 2),
        ("activations.LeakyReLU", Change(ACTIVATIONS, SLOPE, "return NotImplementedError"), 2),
        ("activations.LeakyReLU", Change(ACTIVATIONS, SLOPE, "pass"), 2),
        ("layers.Dense", Change(LAYERS, LISTED, "raise NotImplementedError\n"), 2),
        ("layers.Dense", Change(LAYERS, "return [self.w]\n", "...\n"), 2),
        ("gradient_tape.GradientTape", Change(TAPE, TAPE_END, "return [None for _ in sources]"), 6),
        ("gradient_tape.GradientTape", Change(TAPE, TAPE_END, "raise NotImplementedError"), 6),
    ],
    ids=lambda value: value.new.strip() if isinstance(value, Change) else None,
)
def test_what_is_not_written_is_not_implemented(where: str, change: Change, unwritten: int, folder: Path) -> None:
    name = load("modern", folder, (change,))
    part, cls = where.split(".")
    result = check_subject(subject_of(getattr(module(name, part), cls)), Options(dtypes=("float64",)))
    verdicts = [claim.verdict for claim in result.claims]
    assert result.verdict == "not implemented"
    assert verdicts.count("not implemented") == unwritten
    assert set(verdicts) <= {"not implemented", "correct"}


def test_a_forward_that_is_not_written_is_not_implemented(folder: Path) -> None:
    change = Change(ACTIVATIONS, "return Tensor(np.where(x > 0, x, self.alpha * x))", "return NotImplementedError")
    name = load("modern", folder, (change,))
    result = check_subject(subject_of(module(name, "activations").LeakyReLU), Options(dtypes=("float64",)))
    assert result.verdict == "not implemented"
    assert "forward is not implemented" in result.reason
