"""``FailureInjector`` on a real PostgreSQL: in effect inside of the block, and undone after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from perf_pipeline import FailureInjector
from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.faults.marker import MARKER
from tests.integration.commands.postgres_table import table

if TYPE_CHECKING:
    from perf_pipeline.config.settings import Settings

pytestmark = pytest.mark.integration


def write(url: str) -> None:
    with psycopg.connect(url, options="-c lock_timeout=200ms") as connection:
        connection.execute("INSERT INTO shop_orders VALUES (1)")


def test_a_lock_is_in_effect_inside_of_the_block_and_gone_after_it(served: Settings) -> None:
    url = served.urls["postgres"]
    injector = FailureInjector(settings=served)
    with table(url, "shop_orders", "number int"), table(url, MARKER, ""):
        write(url)
        with (
            injector.inject_failure("database_timeout"),
            pytest.raises(psycopg.errors.LockNotAvailable),
        ):
            write(url)
        write(url)

    (failure,) = injector.failures
    assert failure.window.name == "database_timeout on postgres"
    assert failure.is_valid
    assert 0 < (failure.undoing_ns or 0) < (failure.gone_ns or 0)


def test_an_error_inside_of_the_block_passes_and_the_failure_is_undone(served: Settings) -> None:
    url = served.urls["postgres"]
    injector = FailureInjector(settings=served)
    with table(url, "shop_orders", "number int"), table(url, MARKER, ""):
        with (
            pytest.raises(ZeroDivisionError),
            injector.inject_failure("database_timeout", server="postgres"),
        ):
            _ = 1 / 0
        write(url)


def test_a_server_that_is_not_ours_and_carries_no_marker_is_refused_by_name(
    served: Settings,
) -> None:
    injector = FailureInjector(settings=served)
    with (
        pytest.raises(PerfPipelineError, match=rf"(?s)PostgreSQL at .* is not faulted.*{MARKER}"),
        injector.inject_failure("database_timeout"),
    ):
        pytest.fail("the block was entered")
