"""The table of a bisection has every answer, and its file the same for programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from perf_pipeline.bisect.arms import TwoArmResult, bisect_both
from perf_pipeline.bisect.bisection_file import BisectionQuestion, write_bisection
from perf_pipeline.bisect.table import bisection_table
from tests.unit.bisect.planted import METRIC, Planted

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ["2.17.0", "2.17.1", "2.18.0", "2.19.0", "2.20.0"]


def found() -> TwoArmResult:
    published = {"2.17.0": 1.0, "2.17.1": 1.0, "2.18.0": 3.0, "2.19.0": 3.0, "2.20.0": 4.0}
    pinned = {"2.17.0": 1.0, "2.17.1": 1.0, "2.18.0": 0.9, "2.19.0": 0.9, "2.20.0": 1.3}
    installed = {"2.17.0": {"pandas": "2.3"}, "2.17.1": {"pandas": "2.3"}}
    broken = {"2.19.0": "it does not install:\n\x1b[31mno wheel"}
    return bisect_both(
        NAMES, Planted(published, installed=installed), Planted(pinned, broken), METRIC
    )


def test_a_row_for_each_answer_a_line_for_each_arm_the_cause_and_what_was_skipped() -> None:
    lines = bisection_table(found())
    assert lines[0].startswith("- as published: 2.18.0 is the first bad release; 2.17.1 is still")
    assert lines[1].startswith("- pinned: the first bad release is one of 2, from 2.19.0 to 2.20.0")
    assert lines[2].startswith("- cause of 2.18.0 as published: dependencies: with pinned packages")
    assert "removed: pandas 2.3" in lines[2]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if "|" in line]
    assert rows[2] == ["as published", "2.20.0", "bad", "4.000", "3.960 to 4.040", "1"]
    assert ["pinned", "2.19.0", "skipped", "", "", "0"] in rows
    assert rows[-1][:3] == ["pinned, against 2.17.1", "2.18.0", "good"]
    assert lines[-1].startswith("- skipped, pinned: 2.19.0: it does not install:")
    assert "\x1b" not in "".join(lines)
    assert len({len(line) for line in lines if line.startswith("|")}) == 1


def test_the_files_hold_question_answers_and_counts(tmp_path: Path) -> None:
    asked = BisectionQuestion("20260101_000000-0001", "kailash", "release", METRIC, tuple(NAMES))
    page = write_bisection(tmp_path, asked, found())
    stored = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))
    assert stored["releases"] == NAMES
    assert stored["published"]["first_bad"] == "2.18.0"
    assert stored["cause"] == "dependencies"
    assert stored["comparisons"] == sum(
        len(one["comparisons"])
        for one in (*stored["published"]["asked"], *stored["pinned"]["asked"], stored["step"])
    )
    text = page.read_text(encoding="utf-8")
    assert text.startswith("# First bad release of kailash, 2.17.0 to 2.20.0\n")
    assert "\n".join(bisection_table(found())) in text
