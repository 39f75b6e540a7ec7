"""Narrow mistakes: how many are found, with the setting, shape or kind of data named, and no right twin called wrong.

    python -m benchmarks.narrow [NAME …]

Exits with 1 where a mistake is missed, its place is not named, or right code is called wrong.
"""

from __future__ import annotations

import sys
import time

import gradcheck
from benchmarks import narrow_cases, narrow_settings, narrow_told
from benchmarks.narrow_cases import Case

CASES = (*narrow_cases.CASES, *narrow_settings.CASES, *narrow_told.CASES)


def complaint(case: Case) -> str:
    """What is wrong with what is said about a mistake: "" where nothing is."""
    result = gradcheck.check(case.wrong)
    if result.verdict != "wrong":
        return f"is called {result.verdict}"
    return "" if case.where in result.where else f"is wrong “{result.where}”, without “{case.where}”"


def complaint_about_right(right: type) -> str:
    """The same about its right twin."""
    result = gradcheck.check(right)
    return "" if result else f"is right, and called wrong {result.where}"


def main(names: list[str]) -> int:
    cases = [case for case in CASES if not names or case.wrong.__name__ in names]
    rights = list(dict.fromkeys(case.wrong.__bases__[0] for case in cases))
    start = time.perf_counter()
    found = [(case.wrong.__name__, complaint(case)) for case in cases]
    missed = [one for one in found if one[1]]
    called = [(right.__name__, said) for right in rights if (said := complaint_about_right(right))]
    for name, said in (*missed, *called):
        print(f"{name} {said}")
    seconds = time.perf_counter() - start
    print(f"{len(found) - len(missed)} of {len(found)} narrow mistakes found and placed")
    print(f"{len(rights) - len(called)} of {len(rights)} right twins pass, in {seconds:.0f} s")
    return int(bool(missed or called))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
