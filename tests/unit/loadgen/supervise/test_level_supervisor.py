"""What led to an error: how many interruptions, one of which may have replaced another."""

from __future__ import annotations

import pytest

from perf_pipeline.loadgen.supervise.level_supervisor import interruptions


def _raised(*errors: BaseException) -> BaseException:
    """Raise the errors one in the handling of the other; returns the last."""
    first, *later = errors
    try:
        try:
            raise first
        finally:
            if later:
                raise _raised(*later)
    except BaseException as error:  # noqa: BLE001 an interruption is what is tested
        return error


@pytest.mark.parametrize(
    ("errors", "count"),
    [
        ([OSError()], 0),
        ([KeyboardInterrupt()], 1),
        ([KeyboardInterrupt(), KeyboardInterrupt()], 2),
        ([OSError(), KeyboardInterrupt()], 1),
        ([KeyboardInterrupt(), OSError(), SystemExit()], 2),
    ],
)
def test_an_interruption_that_replaced_another_counts_as_the_second(
    errors: list[BaseException], count: int
) -> None:
    assert interruptions(_raised(*errors)) == count
