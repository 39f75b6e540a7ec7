"""Without python-flint, the package says what to install, and loads nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

import gradcheck.exact
from tests.gradcheck.foreign import python


def test_without_flint_it_says_what_to_install(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['flint'] = None\n"
        "import gradcheck.exact as exact\n"
        "print(exact.available(), exact.NotExact.__name__)\n"
        "try: exact.along\n"
        "except ImportError as error: print(error)\n"
    )
    done = python("-c", program, folder=tmp_path)
    said = "along needs python-flint, which the extra installs: pip install 'beras-gradcheck[proof]'"
    assert done.stdout == f"False NotExact\n{said}\n", done.stderr


def test_every_public_name_is_there() -> None:
    if not gradcheck.exact.available():
        pytest.skip("python-flint, the extra `proof`, is not installed")
    for name in gradcheck.exact.__all__:
        assert getattr(gradcheck.exact, name).__doc__


def test_other_names_are_not() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = gradcheck.exact.nothing
