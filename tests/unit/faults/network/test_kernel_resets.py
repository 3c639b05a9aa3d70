"""The kernel's count of connections that a program closed with a reset."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perf_pipeline.faults.network.kernel_resets import aborted_connections

if TYPE_CHECKING:
    from pathlib import Path


def proc_with(folder: Path, names: str, values: str) -> Path:
    (folder / "net").mkdir()
    text = f"TcpExt: {names}\nTcpExt: {values}\nIpExt: InNoRoutes\nIpExt: 5\n"
    (folder / "net/netstat").write_text(text, encoding="ascii")
    return folder


def test_both_ways_of_closing_with_a_reset_are_counted(tmp_path: Path) -> None:
    proc = proc_with(tmp_path, "SyncookiesSent TCPAbortOnData TCPAbortOnClose", "9 12 30")
    assert aborted_connections(proc) == 42


def test_a_kernel_without_the_counters_is_named_and_not_read_as_zero(tmp_path: Path) -> None:
    proc = proc_with(tmp_path, "SyncookiesSent TCPAbortOnData", "9 12")
    with pytest.raises(ValueError, match="TCPAbortOnClose"):
        aborted_connections(proc)
