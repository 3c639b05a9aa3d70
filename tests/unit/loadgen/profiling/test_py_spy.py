"""py-spy: its options, and what is said when it fails."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from perf_pipeline.loadgen.profiling.py_spy import (
    PySpy,
    SamplingError,
    open_py_spy,
    sampling_rate_hz,
    why_failed,
)


def test_the_more_threads_have_to_be_stopped_the_fewer_samples_are_taken() -> None:
    rates = [sampling_rate_hz(threads) for threads in (1, 20, 100, 480, 5000)]
    assert rates == [100, 100, 24, 5, 5]


def test_without_native_frames_only_the_holder_of_the_interpreter_lock_is_sampled() -> None:
    """Else threads that sleep would count: Python frames alone do not tell."""
    spy = PySpy(Path("py-spy"), "py-spy 0.4.3", 50, is_native=False)
    command = spy.command(7, Path("out"), 1)
    assert "--gil" in command
    assert "--native" not in command
    assert not {"--idle", "--subprocesses"} & {*command}


@pytest.mark.parametrize(
    "printed",
    [
        "Permission Denied: Try running again with elevated permissions by going 'sudo env ...'",
        "Error: Failed to open process 7\n\nReason: Operation not permitted (os error 1)",
    ],
)
def test_a_kernel_that_refuses_ptrace_is_one_sentence_with_what_to_do(printed: str) -> None:
    why = why_failed("py-spy 0.4.3", printed)
    assert why.startswith("py-spy 0.4.3 may not read the worker process")
    assert "kernel.yama.ptrace_scope" in why
    assert "SYS_PTRACE" in why
    assert "\n" not in why


def test_another_failure_is_repeated_without_its_backtrace() -> None:
    printed = "py-spy> Sampling\nError: Failed to find python version\n\nStack backtrace:\n 0: x\n"
    assert why_failed("py-spy 0.4.3", printed) == (
        "py-spy 0.4.3 failed: Error: Failed to find python version"
    )


def test_py_spy_is_installed_and_samples_a_process_of_ours(tmp_path: Path) -> None:
    """It is tried on a process before any level is played."""
    spy = open_py_spy(4, tmp_path)
    assert spy.version.startswith("py-spy ")
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_is_gone_is_an_error_and_not_an_empty_profile(tmp_path: Path) -> None:
    gone = os.spawnlp(os.P_NOWAIT, "true", "true")
    os.waitpid(gone, 0)
    begun_s = time.monotonic()
    with pytest.raises(SamplingError, match="py-spy"):
        open_py_spy(4, tmp_path).sample(gone, tmp_path, 1)
    assert time.monotonic() - begun_s < 60
