"""Files for the page of a CI job: what a command left, at every end of it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from perf_pipeline.ci.ci_files import CiFileError, asked_files, with_ci_files
from perf_pipeline.ci.measured import note_measured
from perf_pipeline.ci.notes import note_error
from perf_pipeline.cli.app import call
from perf_pipeline.compat.command import main
from perf_pipeline.config.slo.slo import parse_slo
from perf_pipeline.metrics.metrics_file import read_metrics
from perf_pipeline.metrics.types.targets import TargetRow
from tests.simulated_run import write_run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from perf_pipeline.metrics.types.run_metrics import RunMetrics


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> RunMetrics:
    """A run of one valid level, 100 ms a workflow: one objective met, one missed, one undecided."""
    slos = [parse_slo(text) for text in ("p50_s < 5", "avg_s < 0.01", "memory_mb < 100")]
    folder = write_run(tmp_path_factory.mktemp("results"), "20260114_093012-4f2c", slos=slos)
    return read_metrics(folder)


@pytest.fixture
def ended(tmp_path: Path) -> Callable[..., tuple[int, ET.Element, str]]:
    """A function that ends a command in some way, and reads both files."""

    def end(run: Callable[[], int], *, code: int | type[BaseException]) -> Any:
        junit, summary = tmp_path / "junit.xml", tmp_path / "summary.md"
        arguments = ["shop.toml", "--junit", str(junit), f"--summary={summary}"]

        def command() -> int:
            assert "did not end" in junit.read_text(encoding="utf-8")
            assert "did not end" in summary.read_text(encoding="utf-8")
            return run()

        def call_it() -> int:
            return with_ci_files("perf-pipeline run", arguments, command, lambda _e: 2, {})

        if isinstance(code, int):
            assert call_it() == code
        else:
            with pytest.raises(code):
                call_it()
        assert sorted(path.name for path in tmp_path.iterdir()) == ["junit.xml", "summary.md"]
        return ET.parse(junit).getroot(), summary.read_text(encoding="utf-8")  # noqa: S314

    return end


def cases(root: ET.Element) -> dict[str, str]:
    """Return what became of each test case."""
    return {
        str(case.get("name")): case[0].tag if len(case) else "passed"
        for case in root.iter("testcase")
    }


def counts(root: ET.Element) -> tuple[int, ...]:
    return tuple(int(root.get(key, "-1")) for key in ("tests", "failures", "errors", "skipped"))


def text_of(root: ET.Element, tag: str = "error") -> str:
    return next(root.iter(tag)).get("message", "")


def test_verdicts_are_test_cases_and_what_is_undecided_is_never_passed(
    measured: RunMetrics, ended: Any, tmp_path: Path
) -> None:
    def run() -> int:
        note_measured(measured, tmp_path / "report.html")
        return 1

    root, summary = ended(run, code=1)
    assert cases(root) == {
        "run: validity": "passed",
        "10: validity": "passed",
        "10: p50_s <= 5": "passed",
        "10: avg_s <= 0.01": "failure",
        "10: memory_mb <= 100": "skipped",
    }
    assert counts(root) == (5, 1, 0, 1)
    message = text_of(root, "failure")
    assert "above the limit of 0.01 s" in message
    assert "does not meet this objective" in message
    assert {case.get("classname") for case in root.iter("testcase")} == {"simulated"}
    assert "**missed** 10: avg_s <= 0.01: A" in summary
    assert "**undecided**" in summary
    assert "3 of 5 verdicts are met" in summary
    assert "report.html" in summary


@pytest.mark.parametrize(
    ("validity", "becomes"),
    [
        ("target_failed", "failure"),
        ("incomplete", "error"),
        ("noisy_host", "skipped"),
        ("not_steady", "skipped"),
        ("too_few_samples", "skipped"),
        ("generator_limited", "skipped"),
    ],
)
def test_an_invalid_level_is_no_passed_test(
    measured: RunMetrics, ended: Any, tmp_path: Path, validity: Any, becomes: str
) -> None:
    level = replace(measured.levels[0], validity=validity, reasons=("because",))
    metrics = replace(measured, levels=(level,), validity=validity, reasons=("because",))

    def run() -> int:
        note_measured(metrics, tmp_path / "report.html")
        return 3

    root, _ = ended(run, code=3)
    assert cases(root)["10: validity"] == becomes
    assert cases(root)["run: validity"] == becomes


@pytest.mark.parametrize(
    ("verdict", "becomes"),
    [("met", "passed"), ("missed", "failure"), ("unclear", "skipped"), ("no_data", "skipped")],
)
def test_a_gate_is_a_test_case_with_value_limit_and_meaning(
    measured: RunMetrics, ended: Any, tmp_path: Path, verdict: Any, becomes: str
) -> None:
    row = TargetRow("minimum", "100", "average latency", 7.5, 2.0, "s", False, None, verdict)
    metrics = replace(measured, targets=(row, replace(row, table="goal", what="other")))

    def run() -> int:
        note_measured(metrics, tmp_path / "report.html", gate="production", table="minimum")
        return 1

    root, _ = ended(run, code=1)
    assert cases(root)["100: average latency (production)"] == becomes
    assert "100: other (production)" not in cases(root)
    if verdict == "missed":
        (text,) = [
            one.get("message", "")
            for one in root.iter("failure")
            if "average latency" in one.get("message", "")
        ]
        assert "was 7.50 s, the limit is at most 2 s. The target does not" in text


@pytest.mark.parametrize(
    ("code", "result"),
    [
        (2, "not started, wrong input"),
        (3, "undecided"),
        (70, "failed, a defect of perf_pipeline"),
        (75, "not started, the machine was busy"),
        (129, "interrupted"),
        (130, "interrupted"),
        (143, "interrupted"),
    ],
)
def test_an_end_without_a_verdict_is_an_error_that_says_what_it_was(
    ended: Any, code: int, result: str
) -> None:
    root, summary = ended(lambda: code, code=code)
    assert counts(root) == (1, 0, 1, 0)
    assert f"exit code {code}:" in text_of(root)
    assert summary.splitlines()[0].endswith(f": {result}")


def test_an_interrupted_command_and_a_crash_leave_both_files(ended: Any) -> None:
    def interrupted() -> int:
        raise KeyboardInterrupt

    def crashed() -> int:
        raise ZeroDivisionError

    root, _ = ended(interrupted, code=KeyboardInterrupt)
    assert "exit code 130" in text_of(root)
    root, _ = ended(crashed, code=ZeroDivisionError)
    assert "exit code 70" in text_of(root)


def test_a_run_that_was_complete_is_not_green_when_the_command_failed(
    measured: RunMetrics, ended: Any, tmp_path: Path
) -> None:
    """The load was complete and valid, and then the step that reports it failed."""
    without = replace(measured.levels[0], slos=())
    metrics = replace(
        measured, manifest=replace(measured.manifest, slos=()), levels=(without,), targets=()
    )

    def run() -> int:
        note_measured(metrics, tmp_path / "report.html")
        return 3

    root, _ = ended(run, code=3)
    assert counts(root)[2] == 1


def test_an_interrupted_run_is_an_error_that_says_so_once(
    measured: RunMetrics, ended: Any, tmp_path: Path
) -> None:
    reasons = ("the run is interrupted: it was asked to end",)
    metrics = replace(measured, status="interrupted", validity="incomplete", reasons=reasons)

    def run() -> int:
        note_measured(metrics, tmp_path / "report.html")
        return 130

    root, _ = ended(run, code=130)
    assert cases(root)["run: complete"] == "error"
    assert text_of(root) == f"{reasons[0]}."


def test_hostile_text_is_well_formed_and_inert(ended: Any) -> None:
    hostile = "<script>x</script> ]]> &amp; \x00 \x1b[2J \ud800 \uffff | `a` ![x](http://evil)"

    def run() -> int:
        note_error("ScenarioError", [hostile])
        return 2

    root, summary = ended(run, code=2)
    message = text_of(root)
    assert "<script>" in message  # as text
    assert message.isprintable()
    assert "<script>" not in summary
    assert "![x](" not in summary


def test_a_killed_command_leaves_an_error_and_not_the_files_of_the_one_before(
    tmp_path: Path,
) -> None:
    junit = tmp_path / "junit.xml"
    junit.write_text("<testsuites tests='1'/>", encoding="utf-8")
    program = (
        "import os, sys\n"
        "from perf_pipeline.ci.ci_files import with_ci_files\n"
        "with_ci_files('x', ['--junit', sys.argv[1]], lambda: os.kill(os.getpid(), 9), None, {})\n"
    )
    subprocess.run([sys.executable, "-c", program, junit], check=False)
    root = ET.parse(junit).getroot()  # noqa: S314
    assert "it did not end" in text_of(root)
    assert "defect" not in junit.read_text(encoding="utf-8")


def test_the_summary_of_github_is_appended_to_and_any_other_is_replaced(tmp_path: Path) -> None:
    shared, own = tmp_path / "step", tmp_path / "own.md"
    for path in (shared, own):
        path.write_text("of the command before\n", encoding="utf-8")
        environ = {"GITHUB_STEP_SUMMARY": str(shared)}
        with_ci_files("c", ["--summary", str(path)], lambda: 2, lambda _error: 2, environ)
    assert shared.read_text(encoding="utf-8").startswith("of the command before\n## c: not started")
    assert own.read_text(encoding="utf-8").startswith("## c: not started")


@pytest.mark.parametrize("option", ["--junit", "--summary"])
def test_a_file_that_cannot_be_written_is_refused_before_anything_starts(
    tmp_path: Path, option: str
) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, why in (
        ("missing/x.xml", "there is no folder"),
        (".", "is not a regular file"),
        ("pipe", "is not a regular file"),
        ("a\0b", "null byte"),
        ("x" * 300, "too long"),
    ):
        with pytest.raises(CiFileError, match=why) as refused:
            asked_files([option, f"{tmp_path}/{name}"], {})
        assert option in str(refused.value)
        assert str(refused.value).isprintable()
    with pytest.raises(CiFileError, match="name two files"):
        asked_files(["--junit", f"{tmp_path}/a", "--summary", f"{tmp_path}/b/../a"], {})


def test_every_front_end_writes_them_also_for_wrong_options(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    junit = tmp_path / "junit.xml"

    def message() -> str:
        text = text_of(ET.parse(junit).getroot())  # noqa: S314
        junit.unlink()
        return text

    assert call(["run", "nope.toml", "--junit", "junit.xml"]) == 2
    assert "nope.toml" in message()
    assert call(["run", "--junit", "junit.xml", "--nope"]) == 2
    assert "--nope" in message()
    assert call(["capacity", "baseline", "--junit", "junit.xml", "--wait", "soon"]) == 2
    assert "--wait" in message()
    with pytest.raises(SystemExit):
        main(["--scenario", "nope", "--junit", "junit.xml"])
    assert "nope" in message()
    assert main(["--scenario", "baseline", "--wait", "soon", "--junit", "junit.xml"]) == 2
    assert "--wait" in message()
    capsys.readouterr()
    assert call(["run", "nope.toml", "--junit", "no/junit.xml", "--json"]) == 2
    out, err = capsys.readouterr()
    assert "there is no folder" in err
    assert '"CiFileError"' in out
    assert call(["run", "--help", "--junit", "junit.xml"]) == 0
    assert not junit.exists()
