"""Charts in the grammar of Vega-Lite, as plain JSON.

Each function makes one piece of a specification under the name that Vega-Lite's documentation has
for it. Altair makes the same pieces, but its import takes longer than drawing all charts of a
level, and a report waits for it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

Json = dict[str, Any]

_TYPES = {"Q": "quantitative", "N": "nominal"}


@dataclass(frozen=True)
class Chart:
    """One mark with its data; every method returns a new chart.

    Attributes:
        rows: The data, an object a row.
        mark: The mark and its look.
        encoding: Channel to what decides it.
    """

    rows: Sequence[Json]
    mark: Json = field(default_factory=dict)
    encoding: Json = field(default_factory=dict)

    def with_rows(self, rows: Sequence[Json]) -> Chart:
        """Return the chart with other data."""
        return replace(self, rows=rows)

    def marked(self, kind: str, **look: Any) -> Chart:
        """Return the chart with a mark: ``line``, ``point``, ``rule``, ``text``, ..."""
        return replace(self, mark={"type": kind, **look})

    def encoded(self, **channels: Json) -> Chart:
        """Return the chart with channels in addition to those it has, such as ``x`` and ``y``."""
        return replace(self, encoding={**self.encoding, **channels})

    def to_json(self) -> Json:
        """Return the chart as a layer of a specification."""
        return {"data": {"values": list(self.rows)}, "mark": self.mark, "encoding": self.encoding}


def channel(name: str, **options: Any) -> Json:
    """Return what decides a channel: a field of the rows.

    Args:
        name: Of the field, with the type of its values: ``t:Q`` is quantitative, ``series:N``
            nominal; without one for the second of two ends, as in ``x2``.
        options: ``scale``, ``axis``, ``legend``, ``title``; None turns one off.
    """
    of_rows, _, kind = name.partition(":")
    return {"field": of_rows, **({"type": _TYPES[kind]} if kind else {}), **options}


def options(**given: Any) -> Json:
    """Return the options of a scale, an axis or a legend."""
    return given


scale = axis = legend = options


def constant(value: float) -> Json:
    """Return what decides a channel for all rows: a place in pixels."""
    return {"value": value}


def layered(layers: Sequence[Chart], *, width: float, height: float) -> Json:
    """Return the specification of charts on top of each other, on the same axes."""
    return {"layer": [one.to_json() for one in layers], "width": width, "height": height}
