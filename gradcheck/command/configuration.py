"""`[tool.gradcheck]` in pyproject.toml: options that a project keeps, each under its long name.

    [tool.gradcheck]
    targets = ["mine.layers"]
    exclude = ["mine.layers.Old"]
    dtype = ["float64"]
    time-limit = 120
    strict = true
    init = {input_size = 4}

The file is that of the current folder, or the one that `--config` names. A value is checked as the option's is; an
option on the command line takes the place of the key. `gradcheck.report.marks` says what `marks` holds.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from gradcheck.errors import UsageError

FILE = "pyproject.toml"
REPEATED = ("exclude", "dtype", "expect")
ONCE = (
    *("seed", "budget", "time-limit", "jobs", "report", "json", "junit-xml", "sarif", "annotate", "baseline"),
    "fail-under-branches",
)
FLAGS = ("strict", "quiet", "verbose", "distrust")
KEYS = ("targets", "init", "marks", *REPEATED, *ONCE, *FLAGS)


def read(file: str) -> dict[str, Any]:
    """Return `[tool.gradcheck]` of a file, for `""` of the one that is here (UsageError where it is malformed)."""
    if not file and not os.path.isfile(FILE):
        return {}
    file = file or FILE
    try:
        with open(file, "rb") as content:
            table = tomllib.load(content).get("tool", {}).get("gradcheck", {})
    except OSError as error:
        raise UsageError(f"cannot read {file!r}: {error.strerror}") from error
    except (ValueError, AttributeError) as error:  # no TOML, no text, or `tool` is no table
        raise UsageError(f"{file}: expected TOML with a table [tool.gradcheck], but {error}") from error
    if not isinstance(table, dict):
        raise UsageError(f"{file}: expected tool.gradcheck to be a table, but got {table!r}")
    for key in table:
        if key not in KEYS:
            close = difflib.get_close_matches(key, KEYS, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"expected some of {', '.join(sorted(KEYS))}"
            raise UsageError(f"{file}: [tool.gradcheck] has no key {key!r}; {hint}")
    return table


def as_arguments(table: Mapping[str, Any]) -> list[str]:
    """Return the table as somebody would type it (UsageError for a value of a type that the option does not take).

    >>> as_arguments({"seed": 3, "strict": True, "dtype": ["float64"], "init": {"kind": "big", "shape": [4]}})
    ['--seed=3', '--strict', '--dtype=float64', '--init=kind=big', '--init=shape=[4]']
    """
    return [word for key, value in table.items() if key != "marks" for word in _words(key, value)]


def _words(key: str, value: Any) -> Iterator[str]:
    if key in FLAGS or (key == "report" and isinstance(value, bool)):
        if not isinstance(value, bool):
            raise UsageError(f"expected {key} to be true or false, but got {value!r}")
        if key == "report":
            yield from [] if value else ["--no-report"]
        elif value:
            yield f"--{key}"
    elif key == "init":
        if not isinstance(value, dict):
            raise UsageError(f"expected init to be a table such as {{input_size = 4}}, but got {value!r}")
        yield from (f"--init={name}={one if isinstance(one, str) else repr(one)}" for name, one in value.items())
    elif key == "targets" or key in REPEATED:
        listed = [value] if isinstance(value, str) else value
        if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
            raise UsageError(f"expected {key} to be a list of names, but got {value!r}")
        yield from (one if key == "targets" else f"--{key}={one}" for one in listed)
    elif isinstance(value, (str, int, float)) and not isinstance(value, bool):
        yield f"--{key}={value}"
    else:
        raise UsageError(f"expected {key} to be one value, but got {value!r}")
