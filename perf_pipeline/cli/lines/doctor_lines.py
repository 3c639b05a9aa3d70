"""What the limits of this machine mean, for a terminal: the answer, then what is not good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.cli.lines.lines import wrapped
from perf_pipeline.report.text.quantity import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.host.finding import Finding

LARGEST = "largest level, "
_MARGIN = " " * 9


def doctor_lines(findings: Sequence[Finding], width: int, *, explain: bool = False) -> list[str]:
    """Return what the machine holds, and each finding that is a warning or a problem.

    Args:
        findings: What was found.
        width: Columns of a line.
        explain: Each finding, and what it means, also where it is good.
    """
    good = [one.what for one in findings if one.severity == "ok" and LARGEST not in one.what]
    lines = wrapped(_answer(findings), width)
    for one in findings:
        if not explain and one.severity == "ok":
            continue
        found = f"{one.severity:8} {one.what}: {one.value} ({one.limit})"
        lines += wrapped(found, width, indent=_MARGIN)
        for text in filter(None, (one.meaning, one.todo)):
            lines += wrapped(f"{_MARGIN}{text}", width, indent=_MARGIN)
    if good and not explain:
        found = f"ok       {', '.join(good)} (--explain shows each)"
        lines += wrapped(found, width, indent=_MARGIN)
    return lines


def _answer(findings: Sequence[Finding]) -> str:
    """Return what the machine holds, and how many findings are not good."""
    held = [
        f"{one.value} with {one.what.removeprefix(LARGEST)}"
        for one in findings
        if one.what.startswith(LARGEST)
    ]
    problems = sum(one.severity == "problem" for one in findings)
    warnings = sum(one.severity == "warning" for one in findings)
    counts = f"{counted(problems, 'problem')}, {counted(warnings, 'warning')}"
    return f"{counts}; this machine holds {', '.join(held)}"
