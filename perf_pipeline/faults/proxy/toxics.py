"""Toxics as Toxiproxy's API describes them: what may be done to what passes through a proxy.

Attributes are whole numbers there: ms, KB/s (of 1000 bytes), bytes; ``delay`` of a slicer is in us.

Source: github.com/Shopify/toxiproxy, README.md, *Toxics*.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from perf_pipeline.faults.proxy.api_error import ApiError, bad_body

Stream = Literal["upstream", "downstream"]
"""From the client to the server, or back."""

STREAMS: tuple[Stream, ...] = ("upstream", "downstream")

ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "latency": ("latency", "jitter"),
    "bandwidth": ("rate",),
    "slow_close": ("delay",),
    "timeout": ("timeout",),
    "reset_peer": ("timeout",),
    "slicer": ("average_size", "size_variation", "delay"),
    "limit_data": ("bytes",),
    "noop": (),
}
"""Type of a toxic to the names of its attributes; one that is not given is 0."""


@dataclass(frozen=True)
class Toxic:
    """One toxic of a proxy.

    Attributes:
        name: Unique within its proxy.
        type: A key of ``ATTRIBUTES``.
        stream: The direction that it acts on.
        toxicity: Probability that it acts on a connection.
        attributes: As ``ATTRIBUTES`` names them.
        number: Counts the toxics that the proxy has had, changed ones anew; part of the seed of
            its random choices.
    """

    name: str
    type: str
    stream: Stream = "downstream"
    toxicity: float = 1.0
    attributes: Mapping[str, int] = field(default_factory=dict)
    number: int = 0

    def row(self) -> dict[str, Any]:
        """Return it as the API shows it."""
        return {
            "name": self.name,
            "type": self.type,
            "stream": self.stream,
            "toxicity": self.toxicity,
            "attributes": dict(self.attributes),
        }


def new_toxic(body: Mapping[str, Any], number: int) -> Toxic:
    """Read the toxic that a request describes.

    Raises:
        ApiError: It is none.
    """
    kind = body.get("type", "")
    stream = body.get("stream") or "downstream"
    if stream not in STREAMS:
        raise ApiError("stream was invalid, can be either upstream or downstream")
    if kind not in ATTRIBUTES:
        raise ApiError("invalid toxic type")
    name = body.get("name") or f"{kind}_{stream}"
    if not isinstance(name, str):
        raise bad_body(f"name is {name!r:.40}, not a text")
    attributes = _attributes(kind, body, dict.fromkeys(ATTRIBUTES[kind], 0))
    return Toxic(name, kind, stream, _toxicity(body, 1.0), attributes, number)


def changed_toxic(toxic: Toxic, body: Mapping[str, Any], number: int) -> Toxic:
    """Return a toxic with the attributes and the toxicity of a request.

    Raises:
        ApiError: They are not what its type takes.
    """
    attributes = _attributes(toxic.type, body, toxic.attributes)
    toxicity = _toxicity(body, toxic.toxicity)
    return replace(toxic, attributes=attributes, toxicity=toxicity, number=number)


def _attributes(kind: str, body: Mapping[str, Any], before: Mapping[str, int]) -> dict[str, int]:
    given = body.get("attributes") or {}
    if not isinstance(given, Mapping):
        raise bad_body(f"attributes is {given!r:.40}, not an object")
    values = {name: given.get(name, before[name]) for name in ATTRIBUTES[kind]}
    for name, value in values.items():
        if type(value) is not int or value < 0:
            raise bad_body(f"{name} is {value!r:.40}, not a whole number of at least 0")
    if kind == "slicer" and not 0 <= values["size_variation"] < max(1, values["average_size"]):
        raise bad_body("size_variation must be less than average_size")
    return values


def _toxicity(body: Mapping[str, Any], before: float) -> float:
    value = body.get("toxicity", before)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise bad_body(f"toxicity is {value!r:.40}, not a number from 0 to 1")
    return float(value)
