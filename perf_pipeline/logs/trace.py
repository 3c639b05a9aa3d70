"""Ids of traces and spans (W3C Trace Context), computed from the ids of run, level and workflow.

Whoever knows a run's id knows the ids of its trace: nothing has to be handed on, and a line that
is derived from the journal later has the ids that it would have had at the time.
"""

from __future__ import annotations

from hashlib import blake2b


def trace_id(run_id: str) -> str:
    """Return the id of a run's trace: 32 hexadecimal digits."""
    return blake2b(run_id.encode(), digest_size=16).hexdigest()


def span_id(run_id: str, level: str, number: int | None = None) -> str:
    """Return the id of a level's span, or of that of one of its workflows: 16 digits."""
    part = "" if number is None else f"/{number}"
    return blake2b(f"{run_id}/{level}{part}".encode(), digest_size=8).hexdigest()
