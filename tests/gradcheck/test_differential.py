"""The data about the differences to TensorFlow: what is recorded, what is refused, what a file holds."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from gradcheck.data import to_json
from gradcheck.report.differential import Deviation, Differential, Measurement, Record, from_json, read, write


def compare(record: Record, ours: object, theirs: object, tolerance: object) -> None:
    record.compare("beras.layers.Dense", "forward", "float64", ours, theirs, tolerance, "basis")  # type: ignore[arg-type]


def deviation(measured: float, bound: float = 1.0) -> Deviation:
    return Deviation("beras.activations.LeakyReLU", "at 0", "0", "alpha", "a convention", measured, bound)


def test_largest_difference_and_nearest_to_the_tolerance_are_kept_apart() -> None:
    record = Record()
    compare(record, [1.0, 10.0], [1.0625, 10.5], [0.125, 100.0])
    compare(record, [2.0], [2.0], [0.125])
    (found,) = record.result().measurements
    assert (found.difference, found.tolerance, found.ratio, found.cases) == (0.5, 100.0, 0.5, 2)
    assert found.agrees


def test_a_difference_above_its_tolerance_is_an_error_that_names_the_entry_and_stays_recorded() -> None:
    record = Record()
    with pytest.raises(AssertionError, match=r"Dense, forward.* at \(1, 0\) Beras has .*2\.0.*allowed are 0\.1"):
        compare(record, [[1.0], [2.0]], [[1.0], [3.0]], 0.1)
    (found,) = record.result().measurements
    assert not found.agrees
    assert found.ratio == 10


@pytest.mark.parametrize("ours", [math.nan, math.inf])
def test_nan_and_infinity_agree_with_no_number(ours: float) -> None:
    with pytest.raises(AssertionError, match="differ by"):
        compare(Record(), [ours], [1.0], 1e300)


def test_nan_does_not_agree_with_nan_but_equal_infinities_do() -> None:
    with pytest.raises(AssertionError, match="nan"):
        compare(Record(), [math.nan], [math.nan], 1.0)
    compare(Record(), [math.inf], [math.inf], 0.0)


def test_shapes_must_be_equal_and_are_not_broadcast() -> None:
    with pytest.raises(AssertionError, match=r"shape \(1,\), TensorFlow \(2,\)"):
        compare(Record(), [1.0], [1.0, 1.0], 1.0)


def test_zero_tolerance_takes_equal_values_and_nothing_else() -> None:
    compare(Record(), [1.0], [1.0], 0.0)
    with pytest.raises(AssertionError):
        compare(Record(), [1.0], [np.nextafter(1.0, 2.0)], 0.0)


def test_of_several_deviations_of_one_kind_the_largest_is_kept() -> None:
    record = Record()
    for measured in (0.1, 0.3, 0.2):
        record.deviate(deviation(measured))
    assert [d.measured for d in record.result().deviations] == [0.3]


def test_a_deviation_beyond_its_bound_is_an_error() -> None:
    with pytest.raises(AssertionError, match=r"explains 1, but 2 was measured"):
        Record().deviate(deviation(2.0))
    with pytest.raises(AssertionError):
        Record().deviate(deviation(math.nan))


def test_numbers_are_rounded_and_everything_is_sorted_so_that_bytes_are_stable(tmp_path: Path) -> None:
    texts = []
    for order, wobble in (((0, 1), 0.0), ((1, 0), 1e-9)):
        record = Record((("tensorflow", "2.0"),))
        for name in np.array(["b", "a"])[list(order)]:
            record.compare(str(name), "forward", "float32", [1.0], [1.0123 + wobble], [0.1], "basis")
        write(record.result(), tmp_path / "data" / "tensorflow.json")
        texts.append((tmp_path / "data" / "tensorflow.json").read_bytes())
    assert texts[0] == texts[1]
    assert [m.component for m in from_json(texts[0].decode()).measurements] == ["a", "b"]
    assert [m.difference for m in from_json(texts[0].decode()).measurements] == [0.012, 0.012]
    assert list((tmp_path / "data").iterdir()) == [tmp_path / "data" / "tensorflow.json"]


def test_what_is_written_reads_back(tmp_path: Path) -> None:
    result = Differential(
        (("tensorflow", "2.0"),),
        (Measurement("c", "forward", "float32", 1.0, math.inf, 0.0, 3, "basis"),),
        (deviation(0.25),),
    )
    write(result, tmp_path / "t.json")
    assert read(tmp_path / "t.json") == result
    assert result.components == ("beras.activations.LeakyReLU", "c")
    assert result.of("c") == result.measurements


@pytest.mark.parametrize("text", ["[]", "{}", '{"kind": "arena", "schema": 1}', '{"kind": "tensorflow", "schema": 2}'])
def test_data_of_another_kind_or_schema_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected data of kind 'tensorflow', schema 1"):
        from_json(text)


def test_a_malformed_field_is_refused() -> None:
    text = to_json(Differential((), (), (deviation(0.5),))).replace('"measured"', '"mesured"')
    with pytest.raises(ValueError, match="malformed"):
        from_json(text)
