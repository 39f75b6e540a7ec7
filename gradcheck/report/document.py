"""The JSON of one run (`--json FILE`).

schema        version of this format (2); it counts up when a field changes its meaning or goes away
gradcheck     version of gradcheck; python: version of Python
targets       what was asked for; files: the source file of each, so that the wrong copy cannot go unnoticed
seed, dtypes  how it was checked
verdict       the worst verdict of all components; exit_status: what the command returned
counts        components by verdict (`gradcheck.verdicts` says what each means)
reaches       how many of the wrong ones reach how far ("everywhere", "an edge", …)
branches      how many outcomes of decisions in forward and derivatives were seen over all components, of how many
seconds       how long each component took, by name (the only part that differs between two equal runs)
kept          components that --cache did not ask again, as nothing has changed since; seconds says 0 of them
components    one object per component: the fields of `gradcheck.results.ComponentResult`, nested as there;
              infinities and NaN are the strings "inf", "-inf" and "nan"
"""

from __future__ import annotations

import dataclasses
import json
import platform
from collections.abc import Mapping, Sequence

from gradcheck import __version__
from gradcheck.data import plain
from gradcheck.report.branches import together
from gradcheck.report.counted import counts, reached
from gradcheck.results import ComponentResult, from_data
from gradcheck.verdicts import overall

SCHEMA = 2


@dataclasses.dataclass(frozen=True)
class Document:
    """What one run of the command found."""

    targets: tuple[str, ...]
    files: tuple[str, ...]
    seed: int
    dtypes: tuple[str, ...]
    exit_status: int
    components: tuple[ComponentResult, ...]
    seconds: Mapping[str, float]
    kept: tuple[str, ...] = ()

    def to_json(self) -> str:
        """Return the document as JSON text."""
        branches = together(self.components)
        data = {
            "schema": SCHEMA,
            "gradcheck": __version__,
            "python": platform.python_version(),
            "targets": self.targets,
            "files": self.files,
            "seed": self.seed,
            "dtypes": self.dtypes,
            "verdict": overall(result.verdict for result in self.components),
            "exit_status": self.exit_status,
            "counts": counts(self.components),
            "reaches": reached(self.components),
            "branches": {"taken": branches.taken, "outcomes": branches.outcomes},
            "seconds": {name: round(value, 3) for name, value in self.seconds.items()},
            "kept": self.kept,
            "components": [plain(result) for result in self.components],
        }
        return json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def components_of(text: str) -> Sequence[ComponentResult]:
    """Read the components back from a document (ValueError where it is of another schema or malformed)."""
    data = json.loads(text)
    found = data.get("schema") if isinstance(data, dict) else None
    if found != SCHEMA or not isinstance(data.get("components"), list):
        raise ValueError(f"expected the JSON of a gradcheck run, schema {SCHEMA}, but found {found!r}: run it again")
    return [from_data(item) for item in data["components"]]
