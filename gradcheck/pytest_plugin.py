"""The pytest plugin: a fixture whose failures read like assertion errors, and `--gradcheck-report=DIR`.

    def test_dense(gradcheck):
        gradcheck(Dense)                                          # a class or an instance, at points of gradcheck's own
        gradcheck(np.sin, np.array([0.5]), jac=lambda x: np.diag(np.cos(x)))          # a function, at this point

Whatever uses the fixture has the marker `gradcheck` (`-m gradcheck`, `-m "not gradcheck"`).
Nothing happens unless the fixture or an option is used, and `sys.path` stays as it is: which copy of a package is
checked is what the test imports (`python -m pytest` looks in the current folder first). The last lines name its files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gradcheck.hints import HINTS

if TYPE_CHECKING:
    from gradcheck.results import ComponentResult

Check = Callable[..., "ComponentResult"]
PROPERTY = "gradcheck"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--gradcheck-report=DIR`, `--gradcheck-hints=HINTS` and `--gradcheck-seed=N`."""
    group = parser.getgroup("gradcheck", "derivatives")
    group.addoption(
        "--gradcheck-report",
        metavar="DIR",
        type=_writable,
        default=None,
        help="write a report of everything that the gradcheck fixture checked into this folder",
    )
    group.addoption(
        "--gradcheck-hints",
        choices=HINTS,
        default=None,
        help="how much the gradcheck fixture says about what is wrong (default cause)",
    )
    group.addoption(
        "--gradcheck-seed",
        metavar="N",
        type=_seed,
        default=None,
        help="every point of the gradcheck fixture follows from it (default 0)",
    )


def _writable(text: str) -> str:
    from gradcheck.command.values import folder

    return folder(text)


def _seed(text: str) -> int:
    from gradcheck.command.values import seed

    return seed(text)


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", "gradcheck: checks derivatives with the fixture gradcheck (set by the plugin)")


@pytest.hookimpl(tryfirst=True)  # before -m selects
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that use the fixture."""
    for item in items:
        if "gradcheck" in getattr(item, "fixturenames", ()):
            item.add_marker("gradcheck")


@pytest.fixture
def gradcheck(request: pytest.FixtureRequest) -> Iterator[Check]:
    """Check derivatives: `gradcheck(Dense)`, `gradcheck(layer)`, `gradcheck(f, x, jac=…)`, as `gradcheck.check` does.

    Returns the result if it passes (correct, waived, a convention); raises `GradcheckFailure` (an AssertionError) that
    says what is wrong otherwise, with a test to paste if pytest runs with `-v`.
    """
    results: list[ComponentResult] = []

    def check_here(thing: Any, *args: Any, **kwargs: Any) -> ComponentResult:
        __tracebackhide__ = True  # the failure is at the line of the test
        from gradcheck.check import Options
        from gradcheck.errors import GradcheckFailure
        from gradcheck.functions import check
        from gradcheck.report.terminal import text_of

        said = {name: request.config.getoption(f"--gradcheck-{name}") for name in ("hints", "seed")}
        if given := {name: value for name, value in said.items() if value is not None}:
            kwargs["options"] = replace(kwargs.get("options") or Options(), **given)
        result = check(thing, *args, **kwargs)
        results.append(result)
        request.node.user_properties.append((PROPERTY, f"{result.verdict}: {result.name} ({result.source})"))
        if not result:
            raise GradcheckFailure(text_of(result, verbose=request.config.get_verbosity() > 0))
        return result

    yield check_here
    if folder := _folder(request.config):
        from gradcheck.report import store

        for i, result in enumerate(results):
            # By the test's name: two tests may check one class with different arguments.
            again = f" ({i + 1})" if i else ""
            store.save(replace(result, name=f"{request.node.nodeid}{again}"), folder)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Paint the report once, when all workers have written their data."""
    folder = _folder(session.config)
    if folder and not hasattr(session.config, "workerinput") and (folder / "data").is_dir():
        from gradcheck.report.writing import paint

        session.config.stash[_PAINTED] = paint(str(folder))


_PAINTED = pytest.StashKey[list[str]]()


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Name the files that were checked, so that a verdict about the wrong copy cannot go unnoticed."""
    reports = [
        report for some in terminalreporter.stats.values() for report in some if hasattr(report, "user_properties")
    ]
    said = {(report.nodeid, value) for report in reports for key, value in report.user_properties if key == PROPERTY}
    if said:
        files = sorted({value.rpartition("(")[2].rstrip(")").rpartition(":")[0] or value for _, value in said})
        terminalreporter.write_line(f"gradcheck: {len(said)} checked, of {', '.join(files)}")
    for line in config.stash.get(_PAINTED, []):
        terminalreporter.write_line(f"gradcheck: {line}")


def _folder(config: pytest.Config) -> Path | None:
    given = config.getoption("--gradcheck-report")
    return config.invocation_params.dir / given if given else None
