"""Charts as SVG inside a page."""

from __future__ import annotations

import re

from perf_pipeline.report.charts import svg, vega


def _chart(label: str = "a") -> vega.Json:
    rows = [{"x": 0, "y": 1, "s": label}, {"x": 3, "y": 2 / 3, "s": label}]
    line = vega.Chart(rows).marked("line", clip=True)
    channels = {"x": "x:Q", "y": "y:Q", "color": "s:N"}
    drawn = line.encoded(**{name: vega.channel(field) for name, field in channels.items()})
    return vega.layered([drawn], width=300, height=200)


def test_a_drawing_refers_to_nothing_outside_itself() -> None:
    drawn = svg.inline_svg(_chart(), name="one", description="d")
    assert re.findall(r"https?://[^\"]*", drawn) == ["http://www.w3.org/2000/svg"]
    assert set(re.findall(r"url\(([^)]*)\)", drawn)) <= {"#one-0", "#one-1"}
    assert "href" not in drawn


def test_two_drawings_in_one_page_share_no_id() -> None:
    ids = [
        set(re.findall(r'id="([^"]*)"', svg.inline_svg(_chart(), name=name, description="")))
        for name in ("one", "two")
    ]
    assert ids[0]
    assert not ids[0] & ids[1]


def test_the_description_cannot_leave_its_attribute() -> None:
    drawn = svg.inline_svg(_chart(), name="one", description='"><script>x</script>')
    assert "<script" not in drawn


def test_a_legend_shows_markup_as_text() -> None:
    drawn = svg.inline_svg(_chart("<script>x</script>"), name="one", description="")
    assert "&lt;script&gt;" in drawn
    assert "<script" not in drawn


def test_coordinates_are_rounded_and_labels_are_not() -> None:
    """A tenth of a pixel is invisible, and the digits behind it are half of the file."""
    drawn = svg.inline_svg(_chart(), name="one", description="")
    geometry = " ".join(re.findall(r' d="([^"]*)"', drawn))
    assert re.search(r"\d\.\d\d", geometry) is None
    assert "0.2" in re.sub(r'="[^"]*"', "", drawn)
