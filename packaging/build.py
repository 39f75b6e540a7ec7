"""Make two wheels of this repository, so that a course can install the checker without the solution.

    python packaging/build.py DIR

Each has one of the packages, its own README, and of the root's pyproject.toml what is about it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
ABOUT = {
    "gradcheck": "A gradient checker for hand-written derivatives: is it right, and if not, what is wrong with it?",
    "beras": "A NumPy neural-network library, every derivative of which is written by hand and proven",
}
EXTRAS = {"gradcheck": ("report", "proof"), "beras": ()}


def project_of(name: str, root: dict[str, Any]) -> dict[str, Any]:
    """What the wheel's own pyproject.toml says."""
    project = {**root["project"], "name": name, "description": ABOUT[name]}
    project["optional-dependencies"] = {extra: project["optional-dependencies"][extra] for extra in EXTRAS[name]}
    tools = root["tool"]["setuptools"]
    data = {"package-data": {name: tools["package-data"][name]}, "packages": {"find": {"include": [f"{name}*"]}}}
    if name != "gradcheck":
        del project["scripts"], project["entry-points"]
        project["classifiers"] = [one for one in project["classifiers"] if one != "Framework :: Pytest"]
    return {"build-system": root["build-system"], "project": project, "tool": {"setuptools": data}}


def toml(table: dict[str, Any], at: str = "") -> str:
    """Write tables of strings and lists of strings, which JSON writes as TOML does."""
    inner = {key: value for key, value in table.items() if isinstance(value, dict)}
    lines = [f"{json.dumps(key)} = {_value(value)}" for key, value in table.items() if key not in inner]
    text = f"[{at}]\n" + "\n".join(lines) + "\n" if at else ""
    return text + "".join(toml(value, f"{at}.{json.dumps(key)}".lstrip(".")) for key, value in inner.items())


def _value(value: Any) -> str:
    if not isinstance(value, list) or not any(isinstance(one, dict) for one in value):
        return json.dumps(value)
    tables = (", ".join(f"{json.dumps(k)} = {json.dumps(v)}" for k, v in one.items()) for one in value)
    return f"[{', '.join(f'{{{one}}}' for one in tables)}]"


def build(name: str, target: Path) -> None:
    """Copy a package with what it needs, and make its wheel."""
    root = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        shutil.copytree(ROOT / name, here / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "LICENSE", here / "LICENSE")
        shutil.copy(ROOT / "packaging" / f"{name}.md", here / "README.md")
        (here / "pyproject.toml").write_text(toml(project_of(name, root)), encoding="utf-8")
        words = ["-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(target), str(here)]
        subprocess.run([sys.executable, *words], check=True)


if __name__ == "__main__":
    for name in ABOUT:
        build(name, Path(sys.argv[1]))
