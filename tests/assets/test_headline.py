"""What a materialization shows: verdicts, charts that are images, numbers that plots can hold."""

from __future__ import annotations

import base64
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest
from markupsafe import Markup

from assets.history import HistoryConfig, metric_history
from assets.shown.charts import drawn
from assets.shown.headline import headline_metadata
from perf_pipeline.analysis.measure import measure_run
from perf_pipeline.metrics.types.noise import Noise
from perf_pipeline.metrics.types.steady_state import SteadyState
from perf_pipeline.report.charts.chart import Chart
from perf_pipeline.report.run.plot_numbers import plot_numbers
from perf_pipeline.report.text import labels
from tests.simulated_run import write_run
from tests.unit.report.conftest import HOSTILE

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.metrics.types.service_times import ServiceTimes

DRAWN = {"svg", "g", "path", "text", "line", "rect", "defs", "clipPath", "title"}
"""Elements of a drawing that run nothing and load nothing."""

IMAGE = re.compile(r"!\[([^\n]*)\]\(data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)\)")


@pytest.fixture(scope="module")
def metrics(tmp_path_factory: pytest.TempPathFactory) -> RunMetrics:
    """10 in flight at 100 ms: 100/s."""
    return measure_run(write_run(tmp_path_factory.mktemp("results"), "r-1", measured=False))


@pytest.fixture(scope="module")
def shown(metrics: RunMetrics) -> dict[str, dg.MetadataValue]:
    """Its metadata, with a title, which may change and must not change the labels."""
    return headline_metadata(replace(metrics, levels=(replace(metrics.levels[0], title="calm"),)))


def images(markdown: object) -> list[ET.Element]:
    """Return the images of a text as a browser would read them: alone, as XML."""
    found = IMAGE.findall(str(markdown))
    return [ET.fromstring(base64.b64decode(image)) for _, image in found]  # noqa: S314


def records(table: object) -> list[dict[str, object]]:
    """Return the rows of a table."""
    assert isinstance(table, dg.TableMetadataValue)
    return [dict(record.data) for record in table.records]


def test_the_headline_has_validity_a_table_and_numbers_under_labels_that_name_all(
    shown: dict[str, dg.MetadataValue],
) -> None:
    assert (shown["validity"].value, shown["status"].value) == ("valid", "complete")
    (row,) = records(shown["levels"])
    assert (row["level"], row["validity"]) == ("10 (calm)", "valid, drift not tested")
    assert shown["throughput_per_s: simulated 10 control"].value == pytest.approx(100, rel=0.03)
    assert shown["error_ratio: simulated 10 control"].value == 0
    assert "cpu_per_workflow_ms: simulated 10 control" not in shown, "was not measured"


def test_the_table_begins_with_what_is_read_first_and_has_units(
    shown: dict[str, dg.MetadataValue],
) -> None:
    (row,) = records(shown["levels"])
    assert list(row)[:6] == ["level", "throughput", "p50", "p99", "errors", "CPU each"]
    assert (row["p50"], str(row["throughput"])[-2:]) == ("100 ms", "/s")
    assert all(len(str(value)) < 25 for value in row.values()), "the sixth column is in view"


def test_a_series_is_of_a_level_a_target_without_its_release_and_a_validity(
    metrics: RunMetrics,
) -> None:
    """Of repeats it has the median; nothing that is not valid is on the line of what is."""
    one = replace(metrics.levels[0], target="kailash==2.19.0+pandas", throughput_per_s=100.0)
    repeated = [
        replace(one, repeat=number, throughput_per_s=value)
        for number, value in enumerate((90.0, 123.456, 200.0))
    ]
    doubtful = replace(one, label="20", validity="noisy_host")
    numbers = plot_numbers(replace(metrics, levels=(*repeated, doubtful)))
    assert numbers["throughput_per_s: simulated 10 kailash+pandas"] == 123
    assert numbers["throughput_per_s: simulated 20 kailash+pandas, not valid"] == 100
    failed = replace(one, validity="target_failed", error_ratio=1.0)
    assert plot_numbers(replace(metrics, levels=(failed,))) == {
        "error_ratio: simulated 10 kailash+pandas, not valid": 1.0
    }


def test_a_p99_that_is_not_graded_is_not_plotted(
    metrics: RunMetrics, shown: dict[str, dg.MetadataValue]
) -> None:
    """With 9 samples beyond it, or as a bound, it is not; with 10 it is."""
    label = "p99_service_time_s: simulated 10 control"
    assert label not in shown
    times = metrics.levels[0].service_times

    def with_p99(beyond: int) -> ServiceTimes:
        p99 = replace(times.p99, samples_beyond=beyond, at_least=False)
        others = (one for one in times.percentiles if one.p != p99.p)
        return replace(times, percentiles=(*others, p99))

    level = replace(metrics.levels[0], service_times=with_p99(10))
    graded = headline_metadata(replace(metrics, levels=(level,)))
    assert graded[label].value == pytest.approx(times.p99.value_s, rel=0.01)
    waiting = replace(level, response_times=with_p99(9), loop="open")
    labels_of_open = set(headline_metadata(replace(metrics, levels=(waiting,))))
    assert not [one for one in labels_of_open if one.startswith("p99_")]


def test_an_interval_and_what_is_doubtful_are_in_the_metadata(metrics: RunMetrics) -> None:
    level = replace(
        metrics.levels[0],
        throughput_low_per_s=90.0,
        throughput_high_per_s=110.0,
        steady_state=SteadyState(9.0, "undecided", "a drift cannot be ruled out"),
        noise=Noise("noisy", ("others used 30 %",), False, ()),
    )
    shown = headline_metadata(replace(metrics, levels=(level,)))
    (row,) = records(shown["levels"])
    assert "[" not in str(row["throughput"])
    (interval,) = records(shown["95 % intervals"])
    assert interval["throughput"] == "[90.0 to 110/s]"
    name = labels.level_name(level)
    assert shown[f"steady state {name}"].value == "undecided: a drift cannot be ruled out"
    assert shown[f"machine {name}"].value == "noisy: shown and not judged: others used 30 %"
    quiet = replace(level, steady_state=SteadyState(9.0, "steady"), noise=None)
    assert not [
        key
        for key in headline_metadata(replace(metrics, levels=(quiet,)))
        if key.startswith(("steady state", "machine"))
    ]


def test_every_chart_is_a_self_contained_image(
    metrics: RunMetrics, shown: dict[str, dg.MetadataValue]
) -> None:
    """It has its own size, colours and font, loads nothing, and shows axes, phases and lines."""
    found = images(shown["over time 10 (calm)"].value)
    assert len(found) == 2
    for image, lines in zip(found, (1, 2), strict=True):  # throughput; p50 and p99
        _, _, width, height = map(float, image.attrib["viewBox"].split())
        assert (float(image.attrib["width"]), float(image.attrib["height"])) == (width, height)
        assert min(width, height) > 100
        for look in ("background:#fff", "color:#222", "font-family:"):
            assert look in image.attrib["style"]
        values = [value for each in image.iter() for value in each.attrib.values()]
        outside = r"(?:https?:|//|url\((?!#))"
        assert [value for value in values if re.match(outside, value)] == []
        assert {each.tag.rpartition("}")[2] for each in image.iter()} <= DRAWN
        colours = re.findall(r"var\([^()]*\)", " ".join(values))
        assert colours
        assert all(re.fullmatch(r"var\(--[\w-]+, #[0-9a-f]+\)", colour) for colour in colours)
        texts = {each.text for each in image.iter() if each.text}
        assert {"seconds since the start of the level", "steady"} <= texts
        drawn_lines = [
            each.attrib["d"]
            for each in image.iter()
            if each.attrib.get("stroke-width") == "1.4" and "d" in each.attrib
        ]
        assert len(drawn_lines) == lines
        points = [len(re.findall("[ML]", line)) for line in drawn_lines]
        seconds = len(metrics.levels[0].seconds)
        assert all(0.5 * seconds < count <= seconds for count in points), points


def test_hostile_titles_and_notes_stay_text() -> None:
    markdown = str(drawn([Chart(HOSTILE, drawn_svg(), HOSTILE)]).value)
    bare = IMAGE.sub("", markdown)
    assert "<script" not in bare
    assert "<img" not in bare
    assert "\x1b" not in markdown
    assert re.search(r"(?<!\\)\]\(", bare) is None, "a link"
    assert len(images(markdown)) == 1


def drawn_svg() -> Markup:
    """Return a chart as the report's charts are: marked as safe."""
    return Markup('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 100"><g></g></svg>')


def test_a_note_that_two_charts_share_is_read_once() -> None:
    pair = [Chart("A", drawn_svg(), "the note"), Chart("B", drawn_svg(), "the note")]
    assert str(drawn(pair).value).count("the note") == 1
    other = [pair[0], replace(pair[1], note="another")]
    assert str(drawn(other).value).count("the note") == 1


def test_the_history_draws_every_series_and_says_what_it_left_out(tmp_path: Path) -> None:
    """Three runs, one of other phases and one without metrics."""
    write_run(tmp_path, "r-1", phases={"steady_s": 60})
    write_run(tmp_path, "r-2", measured=False)
    newest = write_run(tmp_path, "r-3")
    result = metric_history(dg.build_asset_context(), HistoryConfig(), str(newest.metrics))
    assert isinstance(result, dg.MaterializeResult)
    shown: dict[str, Any] = dict(result.metadata or {})
    assert shown["runs"].value == "2"
    assert "r-2/metrics.json is missing" in str(shown["not read"].value)
    rows = records(shown["table"])
    assert [row["comparable with the newest"] for row in rows] == ["yes", "other phases"]
    assert len(images(shown["history: simulated control"].value)) >= 3
    assert shown["verdict: simulated control"].value.startswith("too few runs to see a change.")
    (page,) = (tmp_path / "trends").glob("*.html")
    assert shown["open: simulated control"].value.endswith(f"/trends/{page.name}")
