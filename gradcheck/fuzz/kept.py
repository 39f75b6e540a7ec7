"""The smallest wrong example of each component, in a file of its own below `.gradcheck/examples`."""

from __future__ import annotations

import json
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gradcheck.errors import CannotBuild
from gradcheck.problem import Array, Sizes, Subject
from gradcheck.report.store import stem
from gradcheck.sampling import Point

FOLDER = Path(".gradcheck")
LABEL = "kept by gradcheck fuzz"


@dataclass(frozen=True)
class Kept:
    """Values of all variables, and the sizes for which the component was built."""

    sizes: Sizes
    values: dict[str, Array]

    def point(self, subject: Subject) -> Point | None:
        """The point, where the component still has these variables in these shapes."""
        try:
            problem = subject.build(self.sizes, np.random.default_rng(0))
        except CannotBuild:
            return None
        shapes = {v.name: np.shape(v.example) for v in problem.variables}
        if shapes != {name: np.shape(value) for name, value in self.values.items()}:
            return None
        return Point(LABEL, problem, self.values)


def write(folder: Path, name: str, found: Kept) -> Path:
    """Keep an example of a component in place of an earlier one."""
    path = folder / "examples" / f"{stem(name)}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    values = {key: {"dtype": value.dtype.name, "array": value.tolist()} for key, value in found.values.items()}
    path.write_text(json.dumps({"sizes": astuple(found.sizes), "values": values}) + "\n", encoding="utf-8")
    return path


def read(folder: Path, name: str) -> Kept | None:
    """The example that is kept of a component."""
    path = folder / "examples" / f"{stem(name)}.json"
    if not path.is_file():
        return None
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    values = {key: np.array(one["array"], dtype=one["dtype"]) for key, one in data["values"].items()}
    return Kept(Sizes(*data["sizes"]), values)
