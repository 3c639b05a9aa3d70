"""What ran out is named by the errors' texts, with the count against the limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.metrics.resources.exhaustion import exhaustions_of

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.exhaustion import Exhaustion

RANGE = "net.ipv4.ip_local_port_range = 40000 40999"


def _sample(used: int | None, resource: str = "local ports", **more: Any) -> dict[str, Any]:
    limit = {"used": used, "limit": 1000, "source": RANGE}
    return {"workers": [], "problems": {}, "host": {"limits": {resource: limit}}, **more}


def _found(*texts: str, samples: tuple[dict[str, Any], ...] = ()) -> tuple[Exhaustion, ...]:
    return exhaustions_of({"resource_exhaustion": 97}, {"resource_exhaustion": texts}, samples)


@pytest.mark.parametrize(
    ("text", "resource"),
    [
        ("OSError: [Errno 99] Cannot assign requested address", "local ports"),
        ("OperationalError: connection failed: Cannot assign requested address", "local ports"),
        ("OSError: [Errno 24] Too many open files: 'a.json'", "descriptors"),
        ("RuntimeError: can't start new thread", "threads"),
        ("BlockingIOError: [Errno 11] Resource temporarily unavailable", "threads"),
        ("MemoryError: ", "memory"),
        ("OSError: [Errno 12] Cannot allocate memory", "memory"),
        ("OSError: [Errno 28] No space left on device", "disk space"),
        ("TimeoutError: QueuePool limit of size 5 overflow 0 reached", "connections of the pool"),
        ("OperationalError: FATAL: sorry, too many clients already", "connections of a server"),
        ("SomethingElse: quota", "a resource"),
    ],
)
def test_the_text_of_an_error_names_the_resource(text: str, resource: str) -> None:
    (found,) = _found(text)

    assert (found.resource, found.errors) == (resource, 97)


def test_nothing_ran_out_where_no_error_is_of_that_class() -> None:
    texts = {"other": ("OSError: [Errno 99] Cannot assign requested address",)}

    assert exhaustions_of({"other": 5}, texts, ()) == ()


def test_the_greatest_count_of_all_samples_stands_against_the_limit() -> None:
    samples = tuple(map(_sample, (10, 998, 700)))
    (found,) = _found("OSError: [Errno 99] Cannot assign requested address", samples=samples)

    assert (found.used, found.limit, found.source) == (998, 1000, RANGE)
    assert found.sentence.startswith(f"local ports ran out: 998 of 1,000 in use at most ({RANGE});")


def test_few_ports_in_use_are_not_exhausted_ports() -> None:
    """The kernel has one error for "no port left" and for "not an address of this machine"."""
    assert _found("[Errno 99] Cannot assign requested address", samples=(_sample(12),)) == ()


def test_descriptors_are_counted_of_the_process_that_has_most() -> None:
    workers = [{"pid": 1, "descriptors": 990}, {"pid": 2, "descriptors": None}]
    samples = (_sample(None, "descriptors", workers=workers),)
    (found,) = _found("OSError: [Errno 24] Too many open files", samples=samples)

    assert (found.used, found.limit) == (990, 1000)


def test_several_resources_are_all_named() -> None:
    found = _found("MemoryError: ", "OSError: [Errno 24] Too many open files")

    assert [one.resource for one in found] == ["memory", "descriptors"]
