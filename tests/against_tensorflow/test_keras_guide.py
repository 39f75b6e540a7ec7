"""The programs of `tests/keras_guide.md` are Keras: they run there as they stand."""

from __future__ import annotations

import pytest

from tests.beras.test_keras_guide import guide


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")  # of Keras, about itself
@pytest.mark.parametrize("title", guide())
def test_it_runs_with_keras(title: str) -> None:
    exec(compile(guide()[title], title, "exec"), {"__name__": "snippet"})
