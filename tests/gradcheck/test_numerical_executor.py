"""Any executor takes the points, and gives the same numbers."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from gradcheck.errors import UsageError
from gradcheck.numerical import estimate

X = np.random.default_rng(0).normal(size=(3, 4))


def forward(v: Any) -> list[Any]:
    return [np.cumsum(np.sin(v["x"]).ravel())]


def test_threads_give_the_same_numbers() -> None:
    with ThreadPoolExecutor(2) as executor:
        spread = estimate(forward, {"x": X}, "x", executor=executor)
    here = estimate(forward, {"x": X}, "x")
    np.testing.assert_array_equal(spread.value, here.value)
    assert spread.cost == here.cost


def test_processes_give_the_same_numbers() -> None:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context) as executor:
        spread = estimate(np_sum_of_squares, {"x": X}, "x", executor=executor)
    np.testing.assert_array_equal(spread.value, estimate(np_sum_of_squares, {"x": X}, "x").value)


def np_sum_of_squares(v: Any) -> list[Any]:
    return [np.sum(np.asarray(v["x"]) ** 2)]


def test_a_function_that_cannot_be_pickled_is_a_usage_error() -> None:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as executor, pytest.raises(UsageError, match="cannot be pickled"):
        estimate(lambda v: [v["x"] ** 2], {"x": X}, "x", executor=executor)


def test_a_dask_cluster_takes_the_points() -> None:
    distributed = pytest.importorskip("distributed", reason="dask.distributed is not installed")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        spread = estimate(np_sum_of_squares, {"x": X}, "x", executor=client.get_executor())
    np.testing.assert_array_equal(spread.value, estimate(np_sum_of_squares, {"x": X}, "x").value)
