"""How far Beras and TensorFlow are apart, as data: what the differential tests measured.

The tests under `tests/against_tensorflow` fill a `Record` and write it to
`reports/data/tensorflow.json`; the report paints its TensorFlow page from that file. Neither this
module nor the report imports TensorFlow.

Every number is rounded to a few significant digits when it is recorded, and everything is sorted when
it is written, so that the same code on the same machine gives the same bytes.
"""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gradcheck.data import to_json

SCHEMA = 1
KIND = "tensorflow"


@dataclass(frozen=True)
class Measurement:
    """One aspect of one component, in one dtype, over all cases of a test.

    `component`: its dotted name (`"beras.layers.Dense"`).
    `aspect`: what was compared (`"forward"`, `"backward[x]"`, `"moments"`, `"quantiles"`,
    `"Kolmogorov-Smirnov"`, `"50 steps"`, `"value"`, …).
    `difference`: the largest absolute difference over all cases and entries.
    `tolerance`: what was allowed at that entry (the most, where several are equally far apart).
    `ratio`: the largest difference ÷ tolerance over all cases and entries; above 1 the test failed.
    `basis`: how the tolerance came about, in one sentence.
    """

    component: str
    aspect: str
    dtype: str
    difference: float
    tolerance: float
    ratio: float
    cases: int
    basis: str

    @property
    def agrees(self) -> bool:
        """Whether every entry of every case stayed within its tolerance."""
        return self.ratio <= 1


@dataclass(frozen=True)
class Deviation:
    """A place where Beras differs from Keras on purpose.

    `beras`, `keras`: what each side does. `reason`: why Beras does it its way. `measured`: the largest
    difference that was seen, `bound`: the largest that this deviation explains, at the same entry.
    """

    component: str
    aspect: str
    beras: str
    keras: str
    reason: str
    measured: float
    bound: float


@dataclass(frozen=True)
class Differential:
    """Everything that the differential tests found, sorted by component."""

    versions: tuple[tuple[str, str], ...]
    measurements: tuple[Measurement, ...]
    deviations: tuple[Deviation, ...]
    kind: str = KIND
    schema: int = SCHEMA

    @property
    def components(self) -> tuple[str, ...]:
        """The names of all components, sorted, each once."""
        return tuple(sorted({m.component for m in self.measurements} | {d.component for d in self.deviations}))

    def of(self, component: str) -> tuple[Measurement, ...]:
        """Return the measurements of one component."""
        return tuple(m for m in self.measurements if m.component == component)


class Record:
    """Collects measurements while the tests run."""

    def __init__(self, versions: tuple[tuple[str, str], ...] = ()) -> None:
        self.versions = versions
        self._measurements: dict[tuple[str, str, str], Measurement] = {}
        self._deviations: dict[tuple[str, str], Deviation] = {}

    def __repr__(self) -> str:
        return f"Record({len(self._measurements)} measurements, {len(self._deviations)} deviations)"

    def compare(
        self,
        component: str,
        aspect: str,
        dtype: str,
        ours: ArrayLike,
        theirs: ArrayLike,
        tolerance: ArrayLike,
        basis: str,
    ) -> None:
        """Record one case, and raise AssertionError where an entry is further away than its tolerance.

        `tolerance` broadcasts against the values. NaN agrees with nothing; two infinities of one sign
        agree. Differences are taken in float64.
        """
        a, b = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
        if a.shape != b.shape:
            raise AssertionError(f"{component}, {aspect}: Beras has shape {a.shape}, TensorFlow {b.shape}")
        allowed = np.broadcast_to(np.asarray(tolerance, np.float64), a.shape)
        with np.errstate(invalid="ignore", divide="ignore"):
            difference = np.where(a == b, 0.0, np.abs(a - b))
            ratio = np.where(difference == 0, 0.0, difference / allowed)
        difference, ratio = np.nan_to_num(difference, nan=np.inf), np.nan_to_num(ratio, nan=np.inf)
        largest = int(np.lexsort((allowed.ravel(), difference.ravel()))[-1]) if a.size else None
        now = Measurement(
            component,
            aspect,
            dtype,
            0.0 if largest is None else float(difference.flat[largest]),
            0.0 if largest is None else float(allowed.flat[largest]),
            float(ratio.max(initial=0.0)),
            1,
            basis,
        )
        key = (component, aspect, dtype)
        before = self._measurements.get(key)
        self._measurements[key] = now if before is None else _both(before, now)
        if now.ratio > 1:
            at = np.unravel_index(int(np.argmax(ratio)), a.shape)
            raise AssertionError(
                f"{component}, {aspect}, {dtype}: at {tuple(map(int, at))} Beras has {a[at]!r}, TensorFlow {b[at]!r}; "
                f"they differ by {difference[at]:.3g}, allowed are {allowed[at]:.3g} ({basis})"
            )

    def deviate(self, deviation: Deviation) -> None:
        """Record a documented deviation (the largest of several), and check that it is within its bound."""
        key = (deviation.component, deviation.aspect)
        before = self._deviations.get(key)
        if before is None or deviation.measured > before.measured:
            self._deviations[key] = deviation
        if not deviation.measured <= deviation.bound:
            raise AssertionError(
                f"{deviation.component}, {deviation.aspect}: the documented deviation explains "
                f"{deviation.bound:.3g}, but {deviation.measured:.3g} was measured"
            )

    def result(self) -> Differential:
        """Return what was collected so far: sorted, and rounded to 2 significant digits."""
        return Differential(
            self.versions,
            tuple(
                Measurement(
                    m.component,
                    m.aspect,
                    m.dtype,
                    significant(m.difference),
                    significant(m.tolerance),
                    significant(m.ratio),
                    m.cases,
                    m.basis,
                )
                for _, m in sorted(self._measurements.items())
            ),
            tuple(
                Deviation(
                    d.component, d.aspect, d.beras, d.keras, d.reason, significant(d.measured), significant(d.bound)
                )
                for _, d in sorted(self._deviations.items())
            ),
        )


def _both(a: Measurement, b: Measurement) -> Measurement:
    """Return the measurement that stands for the cases of both."""
    larger = max(a, b, key=lambda m: (m.difference, m.tolerance))
    return Measurement(
        a.component,
        a.aspect,
        a.dtype,
        larger.difference,
        larger.tolerance,
        max(a.ratio, b.ratio),
        a.cases + b.cases,
        a.basis,
    )


def significant(value: float, digits: int = 2) -> float:
    """Round to so many significant digits.

    >>> significant(0.0012345)
    0.0012
    """
    return float(f"{value:.{digits - 1}e}") if math.isfinite(value) else value


def write(result: Differential, path: str | os.PathLike[str]) -> None:
    """Write the JSON file: beside it first, then moved into place, so that it is never half there."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(target.name + ".part")
    beside.write_text(to_json(result), encoding="utf-8")
    beside.replace(target)


def read(path: str | os.PathLike[str]) -> Differential:
    """Read what `write` wrote (ValueError where the file is of another kind or schema, or malformed)."""
    return from_json(Path(path).read_text(encoding="utf-8"))


def from_json(text: str) -> Differential:
    """Read a `Differential` from JSON text (ValueError as in `read`).

    >>> empty = Differential((("tensorflow", "2.0"),), (), ())
    >>> from_json(to_json(empty)) == empty
    True
    """
    data = json.loads(text)
    if not isinstance(data, dict) or (data.get("kind"), data.get("schema")) != (KIND, SCHEMA):
        raise ValueError(f"expected data of kind {KIND!r}, schema {SCHEMA}: run the tests against TensorFlow again")
    try:
        return Differential(
            tuple((str(name), str(version)) for name, version in data["versions"]),
            tuple(Measurement(**_floats(m, ("difference", "tolerance", "ratio"))) for m in data["measurements"]),
            tuple(Deviation(**_floats(d, ("measured", "bound"))) for d in data["deviations"]),
        )
    except (TypeError, KeyError, ValueError) as error:
        raise ValueError(
            f"expected data of kind {KIND!r}, schema {SCHEMA}, but a field is malformed: {error}"
        ) from error


def _floats(fields: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {key: float(value) if key in names else value for key, value in fields.items()}
