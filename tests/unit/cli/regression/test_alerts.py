"""The command alerts: what stands, what a check finds, and who knows of it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from perf_pipeline.metrics.comparison_file import write_comparison
from tests.planted_comparison import change, comparison, run_id
from tests.unit.alerts.sinks.servers import web_server

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from perf_pipeline.metrics.types.comparison import ComparisonVerdict
    from tests.unit.cli.conftest import Answer


def compare(
    here: Path, baseline: int, candidate: int, verdict: ComparisonVerdict = "regression"
) -> None:
    write_comparison(here / "results", comparison(baseline, candidate, change(verdict)))


def test_without_a_run_no_alert_stands_and_no_folder_is_made(
    command: Callable[..., Answer], here: Path
) -> None:
    assert command("alerts").out == "no alert stands\n"
    answer = command("alerts", "check", "--json")
    assert (answer.code, answer.reported["alerts"]) == (0, [])
    assert not (here / "results").exists()


def test_a_regression_is_announced_once_and_fails_a_check_until_it_is_acknowledged(
    command: Callable[..., Answer], here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compare(here, 1, 10)
    with web_server() as web:
        monkeypatch.setenv("PERF_PIPELINE_ALERT_WEBHOOK_URL", f"{web.url}/hook")
        first, second = command("alerts", "check"), command("alerts", "check", "--json")
        assert len(web.requests) == 1
        monkeypatch.delenv("PERF_PIPELINE_ALERT_WEBHOOK_URL")
    assert (first.code, second.code) == (1, 1)
    assert "announced: Regression, major: baseline (kailash)" in first.out
    assert "P99 latency at 100, kailash: +20.0 %" in first.out
    assert "announced" not in second.err
    (alert,) = second.reported["alerts"]
    assert (alert["alert_id"], alert["state"], alert["tier"]) == (run_id(10), "open", "confirmed")
    assert alert["movements"][0]["metric"] == "p99_s"
    known = command("alerts", "ack", run_id(10), "--note", "a new codec")
    assert known.code == 0
    assert "Note: a new codec" in known.out
    answer = command("alerts", "check")
    assert answer.code == 0
    assert "1 acknowledged alert" in answer.out
    lines = (here / "results" / "alerts.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 2
    compare(here, 1, 12, "no_change")
    answer = command("alerts", "check")
    assert "announced: Cleared" in answer.out
    assert answer.out.endswith("no alert stands; 1 cleared\n")


def test_a_webhook_that_fails_twice_gets_an_alert_once_and_the_list_says_it_has_not_yet(
    command: Callable[..., Answer], here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever looks between two attempts reads that nobody was told, and why."""
    compare(here, 1, 10)
    with web_server() as web:
        monkeypatch.setenv("PERF_PIPELINE_ALERT_WEBHOOK_URL", f"{web.url}/hook")
        web.status, web.answer = 503, "overloaded"
        assert "overloaded" in command("alerts", "check").out
        assert len(web.requests) == 1
        waiting = " ".join(command("alerts", "check").out.split())
        assert len(web.requests) == 1  # half a minute lies between two attempts
        assert "Not delivered yet, and tried again by the next run or check: webhook: " in waiting
        assert "answered 503: overloaded" in waiting
        monkeypatch.setattr("perf_pipeline.alerts.queue.RETRY_AFTER", timedelta())
        command("alerts", "check")
        assert "Not delivered yet" in command("alerts").out
        web.status = 200
        assert "Not delivered yet" not in command("alerts", "check").out
        assert "Not delivered yet" not in command("alerts").out
        command("alerts", "check")
        assert len(web.requests) == 3


def test_what_is_wrong_with_the_arguments_is_said(
    command: Callable[..., Answer], here: Path
) -> None:
    (here / "results").mkdir()
    for words in (("ack",), ("check", "x"), ("list", "--note", "x"), ("ack", "nope")):
        answer = command("alerts", *words, "--json")
        assert answer.code == 2, words
        assert "alert" in answer.reported["problems"][0]
    assert command("alerts", "nope").code == 2


def test_alerts_are_test_cases_and_a_known_one_is_skipped(
    command: Callable[..., Answer], here: Path
) -> None:
    """As CI shows them; in the summary as well."""

    def check() -> tuple[ET.Element, str]:
        command("alerts", "check", "--junit", "a.xml", "--summary", "a.md")
        root = ET.parse(here / "a.xml").getroot()  # noqa: S314
        return root, (here / "a.md").read_text(encoding="utf-8")

    root, summary = check()
    assert [len(case) for case in root.iter("testcase")] == [0]
    assert "No alert stands" in summary
    compare(here, 1, 10)
    root, summary = check()
    (case,) = root.iter("testcase")
    assert (case.get("classname"), case.get("name")) == ("baseline", f"since {run_id(10)}")
    assert case[0].tag == "failure"
    assert "+20.0 %" in case[0].get("message", "")
    assert f"First bad run: {run_id(10)}" in summary.replace("\\", "")
    command("alerts", "ack", run_id(10))
    root, _ = check()
    (case,) = root.iter("testcase")
    assert case[0].tag == "skipped"


def test_a_damaged_catalogue_is_a_sentence(command: Callable[..., Answer], here: Path) -> None:
    (here / "results").mkdir()
    (here / "results" / "catalogue.sqlite").write_bytes(b"no database" * 100)
    for words in ((), ("check",), ("ack", "x")):
        answer = command("alerts", *words)
        assert answer.code == 2
        assert "is damaged" in answer.err
