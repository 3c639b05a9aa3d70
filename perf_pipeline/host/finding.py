"""One finding about this machine: one row of ``perf-pipeline doctor``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["ok", "warning", "problem"]


@dataclass(frozen=True)
class Finding:
    """One row of ``perf-pipeline doctor``.

    Attributes:
        what: What was looked at.
        value: What was found, with its unit; ``not measured`` if it could not be.
        limit: What it is compared with.
        meaning: What that means for a run, and for the largest level where it bears on it.
        todo: What to do; empty if nothing.
        severity: ``problem`` if runs cannot work or mean little, ``warning`` if less is possible.
    """

    what: str
    value: str
    limit: str
    meaning: str
    todo: str
    severity: Severity


@dataclass(frozen=True)
class ServiceFinding:
    """Where a server would come from.

    Attributes:
        service: ``postgres``, ``redis``, ...
        source: ``settings``, ``start``, ``machine`` or ``bundle``; None if it is unavailable.
        detail: The redacted URL, binary or package; without a source how to get it.
        optional: Workflows can be built without it.
    """

    service: str
    source: str | None
    detail: str
    optional: bool = False
