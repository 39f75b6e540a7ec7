"""The pages in docs/ are true: their code runs, and what they name exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import beras

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = ["own_layer.md", "own_loss.md", "own_optimizer.md"]


def blocks(text: str) -> list[tuple[int, str]]:
    """Return the Python blocks of a page, each with the number of its first line."""
    found = re.finditer(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [(text[: match.start(1)].count("\n"), match.group(1)) for match in found]


@pytest.mark.parametrize("page", PAGES)
def test_the_code_of_a_page_runs_in_order(page: str) -> None:
    names: dict[str, object] = {"__name__": page.removesuffix(".md")}
    found = blocks((DOCS / page).read_text(encoding="utf-8"))
    assert len(found) >= 4
    for line, code in found:
        exec(compile("\n" * line + code, str(DOCS / page), "exec"), names)


def test_a_block_that_fails_would_be_noticed() -> None:
    [(line, code)] = blocks("# Page\n\n```python\nassert 1 == 2\n```\n")
    assert line == 3
    with pytest.raises(AssertionError):
        exec(code, {})


def test_what_the_table_names_exists() -> None:
    lines = (DOCS / "keras_to_beras.md").read_text(encoding="utf-8").splitlines()
    ours = [line.split("|")[2] for line in lines if line.startswith("| `")]
    named = {name for cell in ours for name in re.findall(r"`([A-Z]\w+)", cell)}
    assert len(named) > 50
    assert {name for name in named if not hasattr(beras, name)} == set()


def test_every_layer_loss_and_callback_is_in_the_table() -> None:
    text = (DOCS / "keras_to_beras.md").read_text(encoding="utf-8")
    kinds = (beras.Diffable, beras.Callback, beras.Optimizer, beras.Callable)
    own = {"Activation", "Branches", "Callable", "Diffable", "Elementwise", "FunctionalModel", "Loss", "OneHotEncoder"}
    own |= {"Optimizer", "Pointwise", "Residual", "Sin", "SoftmaxCrossEntropy"}  # Beras' alone
    public = {
        name for name in beras.__all__ if isinstance(thing := getattr(beras, name), type) and issubclass(thing, kinds)
    }
    assert {name for name in public - own if not re.search(rf"\b{name}\b", text)} == set()
