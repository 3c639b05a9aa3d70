"""Toxics are read as Toxiproxy reads them, and what would not act as meant is refused."""

from __future__ import annotations

from typing import Any

import pytest

from perf_pipeline.faults.proxy.api_error import ApiError
from perf_pipeline.faults.proxy.toxics import changed_toxic, new_toxic


def test_a_toxic_without_more_than_its_type_acts_downstream_on_every_connection() -> None:
    toxic = new_toxic({"type": "latency", "attributes": {"latency": 50}}, 0)
    assert toxic.row() == {
        "name": "latency_downstream",
        "type": "latency",
        "stream": "downstream",
        "toxicity": 1.0,
        "attributes": {"latency": 50, "jitter": 0},
    }


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"type": "lag"}, "invalid toxic type"),
        ({"type": "latency", "stream": "up"}, "stream was invalid"),
        ({"type": "latency", "attributes": {"latency": 50.5}}, "latency is 50.5"),
        ({"type": "latency", "attributes": {"latency": -1}}, "latency is -1"),
        ({"type": "latency", "attributes": {"latency": True}}, "latency is True"),
        ({"type": "latency", "attributes": [50]}, "not an object"),
        ({"type": "latency", "toxicity": 1.5}, "toxicity is 1.5"),
        ({"type": "latency", "name": 3}, "name is 3"),
        (
            {"type": "slicer", "attributes": {"average_size": 4, "size_variation": 4}},
            "less than average_size",
        ),
    ],
)
def test_what_would_not_act_as_meant_is_refused(body: dict[str, Any], text: str) -> None:
    with pytest.raises(ApiError, match=text):
        new_toxic(body, 0)


def test_a_change_keeps_what_it_does_not_name() -> None:
    before = new_toxic({"type": "latency", "attributes": {"latency": 50, "jitter": 5}}, 0)
    after = changed_toxic(before, {"attributes": {"latency": 80}}, 1)
    assert after.attributes == {"latency": 80, "jitter": 5}
    assert (after.name, after.toxicity, after.number) == (before.name, 1.0, 1)
