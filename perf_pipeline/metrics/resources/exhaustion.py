"""Which resources ran out, from the texts of the errors and what the monitor counted.

The class of an error says that something ran out, its text says what: the number of the kernel's
error, or the words of Python, of a pool or of a server. The monitor's samples give the count
against the limit, of everything that this machine counts.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from perf_pipeline.metrics.resources.resource_samples import processes
from perf_pipeline.metrics.types.exhaustion import Exhaustion

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from perf_pipeline.metrics.resources.resource_samples import Sample

CLASS = "resource_exhaustion"
"""Name of the class of errors."""

LOCAL_PORTS, DESCRIPTORS, THREADS, MEMORY = ("local ports", "descriptors", "threads", "memory")
"""Names of what the monitor counts, in ``limits`` of a sample of the host."""

FEW = 0.5
"""With fewer ports in use than this share, the kernel refused the address (``localhost`` as ::1
without IPv6, say): it has one error for both."""


class _Kind(NamedTuple):
    resource: str
    signs: re.Pattern[str]
    remedy: str


def _kind(resource: str, signs: str, remedy: str) -> _Kind:
    return _Kind(resource, re.compile(signs, re.IGNORECASE), remedy)


_KINDS = (
    _kind(
        LOCAL_PORTS,
        r"Errno 99\b|cannot assign requested address|can't assign requested address",
        "keep connections open and reuse them, widen net.ipv4.ip_local_port_range, or lower the "
        "load",
    ),
    _kind(
        DESCRIPTORS,
        r"Errno 2[34]\b|too many open files",
        "close what is opened, raise the hard limit (ulimit -Hn), or lower the load",
    ),
    _kind(
        THREADS,
        r"start new thread|Errno 11\b|resource temporarily unavailable",
        "raise the limit on processes and threads, or lower the load",
    ),
    _kind(
        MEMORY,
        r"MemoryError|Errno 12\b|cannot allocate memory|out of memory|MemoryLimit|OOM command",
        "raise the limit on memory, or lower the load",
    ),
    _kind(
        "disk space",
        r"Errno 28\b|Errno 122\b|no space left|disk full|disk quota|OutOfDiskSpace",
        "free disk space",
    ),
    _kind(
        "connections of the pool",
        r"QueuePool limit|no connection available|WaitQueueTimeout|MaxConnectionsError",
        "raise max_db_connections, or lower the load",
    ),
    _kind(
        "connections of a server",
        r"too many clients|too many connections|connection slots|max number of clients",
        "raise the server's max_connections, or lower max_db_connections",
    ),
    _kind("buffers of sockets", r"Errno 105\b|no buffer space", "lower the load"),
)


def exhaustions_of(
    error_classes: Mapping[str, int],
    error_examples: Mapping[str, Sequence[str]],
    samples: Sequence[Sample],
) -> tuple[Exhaustion, ...]:
    """Return the resources that ran out, those of the first errors first; empty if none did.

    Args:
        error_classes: Class to errors, of the whole level.
        error_examples: Class to texts.
        samples: All of the monitor's lines.
    """
    errors = error_classes.get(CLASS, 0)
    if not errors:
        return ()
    texts = error_examples.get(CLASS, ())
    kinds = dict.fromkeys(kind for text in texts for kind in _KINDS if kind.signs.search(text))
    if not kinds:
        return (Exhaustion("a resource", errors, None, None, "", "its text says which"),)
    return tuple(filter(None, (_counted(kind, errors, samples) for kind in kinds)))


def _counted(kind: _Kind, errors: int, samples: Sequence[Sample]) -> Exhaustion | None:
    limits = [limit for s in samples if (limit := _limits(s).get(kind.resource)) is not None]
    if not limits:
        return Exhaustion(kind.resource, errors, None, None, "", kind.remedy)
    known = [limit["used"] for limit in limits if limit["used"] is not None]
    if kind.resource == DESCRIPTORS:
        known = [
            one["descriptors"]
            for sample in samples
            for one in processes(sample, "workers")
            if one.get("descriptors") is not None
        ]
    used, last = max(known, default=None), limits[-1]
    if kind.resource == LOCAL_PORTS and used is not None and used < FEW * last["limit"]:
        return None
    return Exhaustion(kind.resource, errors, used, last["limit"], last["source"], kind.remedy)


def _limits(sample: Sample) -> Mapping[str, Mapping[str, Any]]:
    host = sample.get("host") or {}
    limits: Mapping[str, Mapping[str, Any]] = host.get("limits") or {}
    return limits
