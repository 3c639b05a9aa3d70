"""A process that cannot start threads says so, before a library dies of it."""

from __future__ import annotations

import resource
import subprocess
import sys
import threading

from perf_pipeline.program.threads import threads_refused


def test_an_ordinary_process_can_start_threads_and_none_of_them_stays() -> None:
    before = threading.active_count()

    assert threads_refused() == ""
    assert threading.active_count() == before


def test_a_command_whose_threads_do_not_fit_is_refused_in_one_sentence() -> None:
    """Stacks of 100 MB in an address space of 250 MB: at most two fit."""

    def confine() -> None:
        resource.setrlimit(resource.RLIMIT_STACK, (100_000_000, 100_000_000))
        resource.setrlimit(resource.RLIMIT_AS, (250_000_000, 250_000_000))

    ended = subprocess.run(
        [sys.executable, "-m", "perf_pipeline.cli", "scenarios"],
        preexec_fn=confine,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 2, ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert "threads could be started" in ended.stderr
    assert "a stack of 100 MB (ulimit -s)" in ended.stderr
