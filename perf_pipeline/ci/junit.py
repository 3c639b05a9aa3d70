"""JUnit XML: every verdict a test case, for the pages that show failed tests."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from perf_pipeline.ci.cases import Case
from perf_pipeline.ci.notes import MEANINGS
from perf_pipeline.report.text.escape import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.ci.notes import Notes

TEXT_MAX = 4000
_TAGS = {"failed": "failure", "skipped": "skipped", "error": "error"}


def render_junit(command: str, notes: Notes, code: int) -> bytes:
    """Return what a command noted as JUnit XML.

    Args:
        command: Its words, such as ``perf-pipeline run``.
        notes: What it measured, and what went wrong.
        code: Its exit code.
    """
    root = ET.Element("testsuites", {"name": command})
    everything: list[Case] = []
    for run in notes.runs:
        facts = {"run_id": run.run_id, "report": run.report}
        name = f"{run.scenario} {run.run_id}".rstrip()
        _suite(root, name, run.cases, _with_code(facts, code), run.started_at[:19])
        everything += run.cases
    errors = [
        Case(command, kind, "error", "\n".join(sentences))
        for kind, sentences in notes.problems(code)
    ]
    if errors:
        _suite(root, command, errors, _with_code({}, code))
        everything += errors
    _count(root, everything)
    ET.indent(root)
    content: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return content + b"\n"


def _with_code(facts: dict[str, str], code: int) -> dict[str, str]:
    return {**facts, "exit_code": f"{code}: {MEANINGS.get(code, 'unknown')}"}


def _suite(
    root: ET.Element, name: str, cases: Sequence[Case], facts: dict[str, str], began: str = ""
) -> None:
    suite = ET.SubElement(root, "testsuite", {"name": visible(name)})
    if began:
        suite.set("timestamp", visible(began))
    _count(suite, cases)
    properties = ET.SubElement(suite, "properties")
    for key, value in facts.items():
        ET.SubElement(properties, "property", {"name": key, "value": visible(value)})
    for case in cases:
        _case(suite, case)


def _case(suite: ET.Element, case: Case) -> None:
    element = ET.SubElement(
        suite,
        "testcase",
        {
            "classname": visible(case.scenario),
            "name": visible(case.name),
            "time": f"{case.length_s:.3f}",
        },
    )
    if case.outcome == "passed":
        if case.detail:
            ET.SubElement(element, "system-out").text = visible(case.detail, length_max=TEXT_MAX)
        return
    lines = [visible(line, length_max=TEXT_MAX) for line in case.text.split("\n")]
    found = ET.SubElement(element, _TAGS[case.outcome], {"message": lines[0]})
    if case.outcome != "skipped":
        found.set("type", case.outcome)
        found.text = "\n".join(lines)


def _count(element: ET.Element, cases: Sequence[Case]) -> None:
    counts = Counter(case.outcome for case in cases)
    element.set("tests", str(len(cases)))
    element.set("failures", str(counts["failed"]))
    element.set("errors", str(counts["error"]))
    element.set("skipped", str(counts["skipped"]))
    element.set("time", f"{sum(case.length_s for case in cases):.3f}")
