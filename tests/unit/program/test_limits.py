"""A session whose limits no command can work under is told so, before a library dies of them."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

from perf_pipeline.program.limits import limits_refused


def test_an_ordinary_session_is_not_refused() -> None:
    assert limits_refused() == ""


@pytest.mark.parametrize(
    ("kind", "size_bytes", "said"),
    [
        # OpenBLAS would end the process with exit code 1, which means that a gate failed
        (resource.RLIMIT_AS, 400_000_000, "address space to 400.00 MB (ulimit -v)"),
        (resource.RLIMIT_FSIZE, 40_960, "a file to 0.04 MB (ulimit -f)"),
    ],
)
def test_a_limit_that_is_too_low_is_named_in_one_sentence(
    kind: int, size_bytes: int, said: str
) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "perf_pipeline.cli", "scenarios"],
        preexec_fn=lambda: resource.setrlimit(kind, (size_bytes, size_bytes)),
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 2, ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert said in ended.stderr
    assert "raise the limit" in ended.stderr
