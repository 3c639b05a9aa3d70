"""What the harness asks a trial to try (``trial.py``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from perf_pipeline.targets.target import Kind

if TYPE_CHECKING:
    from perf_pipeline.targets.user_function import Form

CALLS = 3
"""A function that raises is called again, so that one which fails now and then can be measured."""


@dataclass(frozen=True)
class TrialJob:
    """What is tried.

    Attributes:
        form: The target.
        kinds: The functions, with their data.
        setup: ``module:function``; empty for none.
        teardown: Likewise.
        servers: What the functions find in their environment, as ``dataclasses.asdict`` gives it.
        calls: Call them too, and do not only import them.
        seed: Seed of the run.
    """

    form: Form
    kinds: tuple[Kind, ...]
    setup: str
    teardown: str
    servers: dict[str, Any]
    calls: bool
    seed: int = 1

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> TrialJob:
        """Read what ``dataclasses.asdict`` and JSON made of it."""
        kinds = tuple(map(Kind.from_json, values["kinds"]))
        return cls(**{**values, "kinds": kinds})
