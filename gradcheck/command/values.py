"""Values on the command line: each is what its option takes, or is refused in one line."""

from __future__ import annotations

import argparse
import os

LARGEST_SEED = 2**63 - 1


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        number = float(text)
    if not number.is_integer():
        raise ValueError(text)
    return int(number)


def seed(text: str) -> int:
    """A seed."""
    return _between(text, 0, LARGEST_SEED, "a whole number from 0 up")


def budget(text: str) -> int:
    """A number of entries, as people write it (1e6)."""
    return _between(text, 1, 10**15, "a number of entries from 1 up")


def jobs(text: str) -> int:
    """A number of processes."""
    return _between(text, 1, 1024, "a number of processes from 1 to 1024")


def _between(text: str, least: int, most: int, expected: str) -> int:
    try:
        value = _whole(text)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(f"expected {expected}, but got {text[:40]!r}") from None
    if not least <= value <= most:
        raise argparse.ArgumentTypeError(f"expected {expected}, but got {text[:40]}")
    return value


def seconds(text: str) -> float:
    """A time limit."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 1e6:
        raise argparse.ArgumentTypeError(f"expected a number of seconds above 0, but got {text[:40]!r}")
    return value


def percent(text: str) -> float:
    """A share of a hundred."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 100:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to 100, but got {text[:40]!r}")
    return value


def minutes(text: str) -> float:
    """A time to search for."""
    try:
        return seconds(text)
    except argparse.ArgumentTypeError as error:
        raise argparse.ArgumentTypeError(str(error).replace("seconds", "minutes")) from None


def file(text: str) -> str:
    """A file that can be written: found out before anything is checked rather than after it."""
    _can_name_a_file(text)
    parent = os.path.dirname(text) or "."
    if not text or os.path.isdir(text):
        raise argparse.ArgumentTypeError(f"expected a file to write, but {text!r} is a folder")
    if not os.path.isdir(parent):
        raise argparse.ArgumentTypeError(f"there is no folder {parent!r} to write {text!r} in")
    return text


def folder(text: str) -> str:
    """A folder that can be written to, or made."""
    _can_name_a_file(text)
    if not text or os.path.isfile(text):
        raise argparse.ArgumentTypeError(f"expected a folder, but got {text!r}")
    there = os.path.abspath(text)
    while not os.path.lexists(there):
        there = os.path.dirname(there)
    if not os.path.isdir(there) or not os.access(there, os.W_OK):
        raise argparse.ArgumentTypeError(f"{text!r} cannot be written: {there!r} is no folder that can be written to")
    return text


def _can_name_a_file(text: str) -> None:
    try:
        os.lstat(text)
    except (FileNotFoundError, NotADirectoryError):
        pass  # it may be made, or is refused in other words
    except (OSError, ValueError) as error:  # too long, or with a NUL character
        why = error.strerror if isinstance(error, OSError) else error
        raise argparse.ArgumentTypeError(f"{text[:40]!r} cannot name a file: {why}") from None
