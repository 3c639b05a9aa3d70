"""The page of a campaign with a leak, a missing hour, a gap and a restart."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.report.endurance.answers import COMPLETE, EVIDENCE, LEAK, answers
from perf_pipeline.report.endurance.drawn import drawn_hours, drawn_signals
from perf_pipeline.report.endurance.files import write_campaign_report
from perf_pipeline.report.endurance.page import render_html
from perf_pipeline.report.endurance.stored_campaign import StoredCampaign, stored_campaign
from perf_pipeline.report.endurance.tables import (
    hours_table,
    interruptions_table,
    leaks_table,
    losses_table,
    resources_table,
)
from perf_pipeline.samples.campaign.campaign_folder import SIGNALS_MISSING
from perf_pipeline.samples.campaign.missing_signals import (
    MissingSignal,
    MissingSignals,
    write_missing,
)
from tests.planted_campaign import VERDICTS, write_planted_campaign

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.report.run.answers import Verdict
    from perf_pipeline.report.text.table import Table


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_planted_campaign(tmp_path_factory.mktemp("results"))


@pytest.fixture(scope="module")
def stored(root: Path) -> StoredCampaign:
    return stored_campaign(root)


def answer_to(stored: StoredCampaign, question: str) -> Verdict:
    (found,) = [one for one in answers(stored) if one.question == question]
    return found


def column(table: Table, name: str) -> list[str]:
    return [row[table.columns.index(name)].text for row in table.rows]


def test_the_row_of_a_leak_says_leak_and_how_fast_it_grows_and_stands_first(
    stored: StoredCampaign,
) -> None:
    leak, doubt, clean = leaks_table(stored).rows
    assert [cell.text for cell in leak] == [
        *("target.heap_blocks", "leak", "+1,200", "+1,150 to +1,250", "+1,000", "40.0", "72.5 h")
    ]
    assert leak[1].note == "the floors of the last half grow by 1200 an hour"
    assert (doubt[1].text, doubt[1].tone) == ("inconclusive", "warn")
    assert (clean[1].text, clean[1].tone) == ("clean", "good")
    assert clean[3].text == "−0.0200 MB to +0.0220 MB"  # noqa: RUF001 - a minus sign


def test_the_hour_without_a_result_has_a_row_that_says_so(stored: StoredCampaign) -> None:
    table = hours_table(stored)
    assert column(table, "Hour") == ["0", "1", "2", "3", "4", "5"]
    assert column(table, "Began")[2] == "missing"
    assert table.rows[3][-1].note == "the target was killed"


def test_gap_and_break_are_named_with_their_hour(stored: StoredCampaign) -> None:
    table = interruptions_table(stored)
    found = list(zip(column(table, "Before hour"), column(table, "What"), strict=True))
    assert found == [("2", "missing hour"), ("3", "gap"), ("4", "break")]
    assert column(table, "How long")[1] == "60.0 s"


def test_an_hour_that_ended_early_is_no_whole_hour(tmp_path: Path) -> None:
    real = stored_campaign(write_planted_campaign(tmp_path, hour_seconds=3600.0))
    assert "1 early end." in answer_to(real, COMPLETE).sentences
    assert answer_to(real, EVIDENCE).sentences == (
        "5 hours of 3600 s each, 1 of them ended early.",
    )


def test_a_signal_that_samples_lack_says_how_many_and_one_that_all_lack_has_a_row(
    root: Path, tmp_path: Path
) -> None:
    """Hours 0 and 3 lack some samples of the heap, and all of a server that did not answer."""
    copied = tmp_path / root.name
    shutil.copytree(root, copied)
    gone = MissingSignal(12, "no answer in 2 s")
    for hour in (0, 3):
        missing = {"target.heap_blocks": MissingSignal(5, "it has ended"), "redis.sessions": gone}
        path = copied / "hours" / f"{hour:03d}" / SIGNALS_MISSING
        write_missing(path, MissingSignals(12, missing))
    table = resources_table(stored_campaign(copied))
    rows = dict(zip(column(table, "Signal"), table.rows, strict=True))
    assert rows["heap_blocks"][-1].note == "10 lack it: it has ended"
    assert [cell.text for cell in rows["sessions"]] == [
        "sessions",
        "redis",
        *["not measured"] * 4,
        "0",
    ]
    assert rows["sessions"][-1].note == "24 lack it: no answer in 2 s"


def test_scaled_hours_are_named_on_top_and_in_every_table(stored: StoredCampaign) -> None:
    evidence = answer_to(stored, EVIDENCE)
    assert evidence.answer.text == "scaled"
    assert " of 60 s and 1,200 workflows each " in evidence.sentences[0]
    for table in (hours_table, interruptions_table, leaks_table, losses_table, resources_table):
        assert table(stored).basis == "scaled hours of 60 s"


def test_real_needs_an_hour_of_3600_s_whatever_the_file_says(stored: StoredCampaign) -> None:
    lied = replace(stored, campaign=replace(stored.campaign, evidence="real"))
    assert answer_to(lied, EVIDENCE).answer.text == "scaled"
    real = replace(lied, campaign=replace(lied.campaign, hour_seconds=3600.0))
    assert answer_to(real, EVIDENCE).answer.text == "real"


def test_a_clean_campaign_whose_twin_was_missed_proves_nothing(stored: StoredCampaign) -> None:
    missed = replace(stored, verdicts=replace(VERDICTS, leak="clean", twin="missed"))
    found = answer_to(missed, LEAK)
    assert (found.answer.text, found.answer.tone) == ("clean, and proves nothing", "warn")


def test_before_it_is_judged_no_question_is_answered(stored: StoredCampaign) -> None:
    found = answers(replace(stored, verdicts=None))
    assert [one.answer.text for one in found[2:]] == ["not judged yet"] * 3


def test_a_chart_joins_no_line_over_a_gap_or_a_restart(stored: StoredCampaign) -> None:
    """Hours 0 and 1, hour 3, hours 4 and 5: three lines a metric."""
    throughput = drawn_hours(stored)[0]
    assert "Tinted: a gap without load." in throughput.note
    assert "Vertical: a break" in throughput.note
    signal = drawn_signals(stored)[0]
    assert signal.title == "target.heap_blocks: leak"
    assert len(re.findall(r"mark-line", signal.svg)) == 3 + 1


def test_the_page_runs_nothing_of_hostile_names_and_loads_nothing(stored: StoredCampaign) -> None:
    hostile = "<script>alert(1)</script>"
    leak = replace(VERDICTS.leaks[0], name=f"target.{hostile}", reason=hostile)
    made = replace(
        stored,
        campaign=replace(stored.campaign, target=hostile),
        hours=tuple(replace(one, partition=hostile, ended_because=hostile) for one in stored.hours),
        verdicts=replace(VERDICTS, leaks=(leak,)),
    )
    page = render_html(made, (), ())
    assert hostile not in page
    assert page.count("<script>") == 1
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org", "")


def test_page_and_markdown_lie_in_the_folder_of_the_campaign(root: Path) -> None:
    page = write_campaign_report(root)
    assert page == root / "report.html"
    markdown = (root / "report.md").read_text(encoding="utf-8")
    assert "**What is it evidence of? scaled.**" in markdown
    assert "| target.heap\\_blocks | leak" in markdown or "| target.heap_blocks | leak" in markdown
    assert "Does it leak?" in page.read_text(encoding="utf-8")
