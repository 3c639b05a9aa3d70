"""The flame graph shows all of the time, what moved in colour, and no text that is markup."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from perf_pipeline.metrics.types.profile import StackCost
from perf_pipeline.report.profile.flame_graph import WIDTH, call_tree, flame_graph, shade
from tests.unit.report.conftest import HOSTILE

STACKS = (
    StackCost(("work (shop.py)", "score (shop.py)"), 1e-3, 3e-3),
    StackCost(("work (shop.py)", "parse (shop.py)"), 2e-3, 2e-3),
    StackCost(("work (shop.py)",), 1e-3, 1e-3),
    StackCost(("work (shop.py)", "gone (shop.py)"), 2e-3, 0.0),
)


def boxes(svg: str) -> dict[str, tuple[str, float, float]]:
    """Return name to class, left edge and width of each box."""
    found = {}
    for group in ET.fromstring(svg).iter("g"):  # noqa: S314 - ours
        title, rect = group.find("title"), group.find("rect")
        assert title is not None
        assert title.text is not None
        assert rect is not None
        place = float(rect.attrib["x"]), float(rect.attrib["width"])
        found[title.text.partition(" (")[0].partition(":")[0]] = (group.attrib["class"], *place)
    return found


def test_a_caller_is_as_wide_as_its_own_time_and_all_that_it_calls() -> None:
    """Widths are the mean of both sides: 6 ms in all, of which parse takes 2."""
    found = boxes(flame_graph(STACKS))
    assert found["all"][2] == pytest.approx(WIDTH, abs=1)
    assert found["work"][2] == pytest.approx(WIDTH, abs=1)
    assert found["parse"][2] == pytest.approx(WIDTH / 3, abs=1)
    assert found["score"][2] == pytest.approx(WIDTH / 3, abs=1)


def test_what_is_gone_and_what_grew_have_colours_and_what_stayed_has_none() -> None:
    found = boxes(flame_graph(STACKS))
    assert found["gone"][0] == "less-4"
    assert found["score"][0] == "more-4"
    assert found["parse"][0] == "same"
    assert found["gone"][2] > 1


def test_boxes_of_one_caller_do_not_overlap() -> None:
    found = boxes(flame_graph(STACKS))
    spans = sorted(found[name][1:] for name in ("gone", "parse", "score"))
    assert all(a[0] + a[1] <= b[0] for a, b in pairwise(spans))


def test_a_shade_is_the_move_relative_to_a_workflow() -> None:
    root = call_tree((StackCost(("a",), 100.0, 101.5), StackCost(("b",), 0.0, 0.0)))
    assert shade(root.calls["a"], root) == "more-1"
    assert shade(root.calls["b"], root) == "same"


def test_names_of_functions_are_text_and_never_markup() -> None:
    svg = flame_graph((StackCost((f"{HOSTILE} (x.py)",), 1.0, 2.0),))
    assert "<script" not in svg
    assert not re.search(r"<(?!/?(?:svg|g|title|rect|text)\b)", svg)
    ET.fromstring(svg)  # noqa: S314 - ours


def test_no_time_is_no_picture() -> None:
    assert flame_graph(()) == ""
    assert flame_graph((StackCost(("a",), 0.0, 0.0),)) == ""
