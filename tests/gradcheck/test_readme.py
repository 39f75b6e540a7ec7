"""The README's session is real: every command prints what stands there (run as a module, this rewrites it)."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
STEP = re.compile(
    r"<!-- file: (?P<file>\S+) -->\n```python\n(?P<code>.*?)```"
    r"|<!-- fix: (?P<old>.+?) -> (?P<new>.+?) -->"
    r"|<!-- run -->\n```console\n\$ python (?P<command>[^\n]+)\n(?P<output>.*?)```",
    re.DOTALL,
)


def session(text, folder):
    """Replay the README's session in a folder; yield each command's stated and real output, and where it stands."""
    path = folder / "nothing"
    for step in STEP.finditer(text):
        if step["file"]:
            path = folder / step["file"]
            path.write_text(step["code"])
        elif step["old"]:
            code = path.read_text()
            assert step["old"] in code
            path.write_text(code.replace(step["old"], step["new"]))
        else:
            run = subprocess.run(
                [sys.executable, *step["command"].split()],
                cwd=folder,
                env={
                    **os.environ,
                    "PYTHONPATH": str(ROOT),
                    "PYTHONDONTWRITEBYTECODE": "1",
                    "NO_COLOR": "1",
                    "COLUMNS": "120",
                },
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            yield step.span("output"), step["output"], re.sub(r"in \d+\.\d s", "in 1.0 s", run.stdout) + run.stderr


def masked(text):
    """Hide the sizes of errors and bounds: their digits are the processor's."""
    return re.sub(r"\b\d+(\.\d+)?e-\d+|(?<=worst error )[\d.]+", "…", text)


def test_the_session_prints_what_the_readme_says(tmp_path):
    steps = list(session(README.read_text(), tmp_path))
    assert len(steps) == 3
    for _, stated, real in steps:
        assert masked(real) == masked(stated)


def test_the_readme_opens_with_its_two_commands():
    commands = re.findall(r"```sh\n(.*?)\n```", README.read_text())
    assert commands[0].endswith("python -m gradcheck beras.layers.Dense")
    assert commands[1].endswith("tox")


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        text = README.read_text()
        for (start, end), _, real in reversed(list(session(text, Path(folder)))):
            text = text[:start] + real + text[end:]
        README.write_text(text)
