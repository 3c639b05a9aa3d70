"""The line that ``make test`` and ``make test-long`` end with."""

from __future__ import annotations

from pathlib import Path

from tests.suite import ALONE_IN, ROOT, Stage, decided_alone, stage_of, summary, workers_for

JUNIT = """<?xml version="1.0" encoding="utf-8"?>
<testsuites><testsuite name="pytest" errors="1" failures="2" skipped="3" tests="20"/></testsuites>
"""


def test_the_counts_of_a_stage_are_those_of_its_report(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(JUNIT, encoding="utf-8")
    assert stage_of(1, report) == Stage(1, tests=20, failed=3, skipped=3)


def test_a_stage_that_wrote_no_report_has_failed_whatever_it_ended_with(tmp_path: Path) -> None:
    assert stage_of(0, tmp_path / "none.xml").exit_code == 1
    assert stage_of(4, tmp_path / "none.xml").exit_code == 4


def test_the_summary_adds_the_stages_and_tells_how_busy_the_cores_were() -> None:
    stages = [Stage(0, 2000, 0, 10), Stage(1, 100, 2, 3)]
    line = summary("make test", stages, check_failed=False, seconds=612, cpu_s=918, cores=2)
    assert line == (
        "make test: 2085 passed, 2 failed, 13 skipped; make check passed; "
        "10 min 12 s, 75 % of 2 cores"
    )


def test_what_failed_beside_others_is_decided_alone_and_is_told() -> None:
    first = Stage(1, 2000, 3, 10)
    passed, failed = (decided_alone(first, again) for again in (Stage(0, 3), Stage(1, 3, failed=1)))
    assert passed == Stage(0, 2000, 0, 10, unclear=3)
    assert failed == Stage(1, 2000, 1, 10, unclear=2)
    line = summary("make test", [failed], check_failed=False, seconds=60, cpu_s=60, cores=1)
    assert "1989 passed (2 of them failed beside others and passed alone), 1 failed" in line


def test_two_tests_a_core_run_side_by_side_and_never_fewer_than_four() -> None:
    assert [workers_for(cores) for cores in (1, 2, 8)] == [4, 4, 16]


def test_every_folder_with_tests_that_run_alone_is_looked_through_for_them() -> None:
    marked = {
        path.relative_to(ROOT / "tests").parts[0]
        for path in (ROOT / "tests").rglob("test_*.py")
        if "mark.alone" in path.read_text(encoding="utf-8") and path != Path(__file__)
    }
    assert marked == set(ALONE_IN)
