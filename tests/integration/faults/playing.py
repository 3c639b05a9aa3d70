"""Plays windows by the real injector, without a load, for tests of kinds of failures."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from perf_pipeline.faults.player import play_faults
from perf_pipeline.samples.fault_log import FaultRecord, read_faults
from tests.sandbox import until

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from perf_pipeline.config.fault.fault_window import FaultWindow
    from perf_pipeline.faults.fault import FaultedServer


def played(window: FaultWindow, server: FaultedServer | None, folder: Path) -> FaultRecord:
    """Play a window whole, and return what was logged of it."""
    servers = {} if server is None else {server.service: server}
    (record,) = played_together([window], servers, folder)
    return record


def played_together(
    windows: Sequence[FaultWindow], servers: Mapping[str, FaultedServer], folder: Path
) -> list[FaultRecord]:
    """Play the windows of one level whole, and return what was logged of each."""
    level = folder / "level"
    level.mkdir()
    play = play_faults(windows, servers, level, 1, state_dir=folder / "state")
    play.wait_until_ready()
    play.begin(time.monotonic_ns())
    last_s = max(window.end_s for window in windows)
    try:
        assert until(lambda: all(map(_is_over, read_faults(level))), within_s=last_s + 40.0)
    finally:
        said = play.stop()
    assert said == []
    assert list((folder / "state/faults").glob("*")) == []
    return read_faults(level)


def assert_acted(record: FaultRecord) -> None:
    """See that a failure acted throughout, and is gone.

    Windows are a second or two long, and other tests run beside this one, so that the first sign
    may be some tenths of a second late: the share of evidence that makes a failure valid is not
    asked for.
    """
    assert record.reason == ""
    assert record.signs != ()
    assert all(sign.in_effect for sign in record.signs), record.signs
    assert record.evidence_share > 0.5
    assert record.gone_ns is not None


def _is_over(record: FaultRecord) -> bool:
    return record.gone_ns is not None or record.reason != ""
