"""Generators that code makes while its random numbers are pinned: the same numbers, and still the same classes."""

from __future__ import annotations

import numpy as np

from gradcheck.adapters.calls.pinned import Pins


def test_makers_without_a_seed_start_at_one() -> None:
    draws = []
    for _ in range(2):
        with Pins([])():
            draws.append((np.random.RandomState().random(), np.random.default_rng().random()))
            assert np.random.RandomState(3).random() == np.random.mtrand.RandomState(3).random()
    assert draws[0] == draws[1]


def test_a_class_stays_a_class() -> None:
    """Code asks what its `rng` is, and what is imported meanwhile writes `int | RandomState`."""
    before = np.random.RandomState(0)
    with Pins([])():
        kind = np.random.RandomState
        assert isinstance(before, kind)
        assert isinstance(kind(0), int | kind)
        assert not isinstance(np.random.default_rng(0), kind)
    assert isinstance(before, kind)
    assert np.random.RandomState is type(before)
