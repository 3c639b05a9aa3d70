"""A session whose limits no command can work under is told so, before a library dies of them."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

from perf_pipeline.program.limits import MIN_LIGHT_BYTES, limits_refused


def test_an_ordinary_session_is_not_refused() -> None:
    assert limits_refused() == ""


def ended_under(kind: int, size_bytes: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "perf_pipeline.cli", *arguments],
        preexec_fn=lambda: resource.setrlimit(kind, (size_bytes, size_bytes)),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("kind", "size_bytes", "command", "said"),
    [
        # OpenBLAS would end the process with exit code 1, which means that a gate failed
        (resource.RLIMIT_AS, 400_000_000, "scenarios", "address space to 400.00 MB (ulimit -v)"),
        (resource.RLIMIT_AS, 1_500_000_000, "run", "needs at least 2,000 MB"),
        (resource.RLIMIT_FSIZE, 40_960, "scenarios", "a file to 0.04 MB (ulimit -f)"),
    ],
)
def test_a_limit_that_is_too_low_is_named_in_one_sentence(
    kind: int, size_bytes: int, command: str, said: str
) -> None:
    ended = ended_under(kind, size_bytes, command, "baseline")

    assert ended.returncode == 2, ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert said in ended.stderr
    assert "raise the limit" in ended.stderr


@pytest.mark.parametrize("command", ["doctor", "scenarios"])
def test_commands_that_measure_nothing_need_less_memory(command: str) -> None:
    """`doctor` is what shows the limit and what fits under it."""
    ended = ended_under(resource.RLIMIT_AS, MIN_LIGHT_BYTES, command)

    assert ended.stdout
    assert "needs at least" not in ended.stderr
    assert "Traceback" not in ended.stderr
