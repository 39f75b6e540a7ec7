"""The arena: gradient checkers side by side, on gradients that they are known to misjudge.

    python benchmarks/arena.py [--verbose] [--output reports/data/arena.json]

Every mechanism of `arena_cases` goes through every tool of `arena_tools`, at its defaults, in its natural form.
The result is a table, and data for the report. Needs torch, jax and autograd; ends with 1 if gradcheck misses a
wrong gradient, rejects a right one, or leaves one unresolved.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

from arena_cases import CASES, Case
from arena_tools import TOOLS, Opinion, Tool

from gradcheck.data import to_json
from gradcheck.report import others


def finding(case: Case, tool: Tool, opinion: Opinion | None) -> others.Finding:
    """Name what a tool's opinion means for a case whose truth is known."""
    if opinion is None:
        return "not applicable"
    if opinion.objects is None:
        return "unresolved"
    if case.wrong:
        return "caught" if opinion.objects else "noted" if opinion.notes else "missed"
    return "false alarm" if opinion.objects else "accepted"


def run(verbose: bool) -> others.Arena:
    """Ask every tool about every case."""
    rows = []
    for case in CASES:
        found: list[others.Finding] = []
        for tool in TOOLS:
            opinion = None if tool.family in case.refused else tool.ask(case)
            found.append(finding(case, tool, opinion))
            if verbose:
                print(f"{case.name} | {tool.name} | {found[-1]} | {opinion.words if opinion else ''}", flush=True)
        rows.append(others.Case(case.name, case.about, case.wrong, tuple(found)))
    return others.Arena(tuple(others.Tool(tool.name, tool.version) for tool in TOOLS), tuple(rows))


def table(arena: others.Arena) -> str:
    """Return the table as Markdown, the wrong gradients first, with a line of totals for each half."""
    heads = [f"{tool.name} {tool.version}" for tool in arena.tools]
    lines = ["| " + " | ".join(["gradient", *heads]) + " |", "|---" * (len(heads) + 1) + "|"]
    for wrong, title, good in ((True, "wrong gradients caught", "caught"), (False, "right ones accepted", "accepted")):
        cases = [case for case in arena.cases if case.wrong == wrong]
        lines += ["| " + " | ".join([case.name, *case.found]) + " |" for case in cases]
        totals = []
        for k in range(len(heads)):
            counts = Counter(case.found[k] for case in cases)
            noted = f", {counts['noted']} noted" if counts["noted"] else ""
            totals.append(f"**{counts[good]} of {len(cases) - counts['not applicable']}{noted}**")
        lines.append("| " + " | ".join([f"**{title}**", *totals]) + " |")
    return "\n".join(lines)


def main() -> int:
    """Run the arena, print the table, write the data."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--verbose", action="store_true", help="print what every tool said")
    parser.add_argument("--output", type=Path, help="write the data there (reports/data/arena.json)")
    options = parser.parse_args()
    arena = run(options.verbose)
    print(table(arena))
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(to_json(arena), encoding="utf-8")
    return 1 if any(case.found[0] not in ("caught", "noted", "accepted") for case in arena.cases) else 0


if __name__ == "__main__":
    raise SystemExit(main())
