"""py-spy: samples the call stacks of a Python process from outside of it.

Options, and why: ``--native`` adds the frames of C, C++ and Rust, without which a thread that
sleeps cannot be told from one that computes. Where native frames cannot be had, ``--gil`` samples
only the thread that holds the interpreter lock. Neither children (``--subprocesses``) nor idle
threads (``--idle``) are sampled. It stops the process for each sample, all threads one by one, so
the rate depends on how many there are.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import sysconfig
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.samples.stacks.raw_stacks import parse_raw_stacks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perf_pipeline.samples.stacks.raw_stacks import Stack

MAX_RATE_HZ, MIN_RATE_HZ = 100, 5
STOPPED_THREADS_PER_S = 2400
"""Threads that are stopped a second, at about 20 us each: 5 % of the time."""
_END_S = 20.0
"""How long py-spy may take beside the sampling, on a machine under load."""
_TRIED = "print(1, flush=True)\nwhile True: sum(range(1000))"
"""A process that computes, so that both ways of sampling have something to see."""
_REFUSED = ("permission denied", "operation not permitted")


class SamplingError(PerfPipelineError):
    """The process cannot be sampled; the text says why, and what to do."""


def sampling_rate_hz(threads: int) -> int:
    """Return how often a process with so many threads is sampled."""
    return max(MIN_RATE_HZ, min(MAX_RATE_HZ, STOPPED_THREADS_PER_S // max(1, threads)))


@dataclass(frozen=True)
class PySpy:
    """py-spy with its options.

    Attributes:
        program: The program.
        version: ``py-spy 0.4.3``.
        rate_hz: Samples a second.
        is_native: Whether native frames are sampled.
    """

    program: Path
    version: str
    rate_hz: int
    is_native: bool

    def command(self, pid: int, output: Path, length_s: int) -> list[str]:
        """Return the command that samples a process for some seconds."""
        return [
            *(str(self.program), "record", "--format", "raw", "--output", str(output)),
            *("--pid", str(pid), "--duration", str(length_s), "--rate", str(self.rate_hz)),
            "--native" if self.is_native else "--gil",
        ]

    def sample(self, pid: int, folder: Path, length_s: int) -> Mapping[Stack, int]:
        """Sample a process; returns when the stacks are read.

        Args:
            pid: The process.
            folder: For the file that py-spy writes; it is removed.
            length_s: For how long, whole seconds.

        Raises:
            SamplingError: py-spy could not; the process may have ended.
        """
        output = folder / f"stacks-{pid}-{time.monotonic_ns()}.txt"
        process = subprocess.Popen(
            self.command(pid, output, length_s),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        try:
            printed, _ = process.communicate(timeout=length_s + _END_S)
        except subprocess.TimeoutExpired as error:
            raise SamplingError(
                f"{self.version} did not end {_END_S:.0f} s after the {length_s} s that it was to "
                f"sample process {pid}: the machine is overloaded, or the process is stopped"
            ) from error
        finally:
            _end(process)
        try:
            if process.returncode:
                raise SamplingError(why_failed(self.version, printed))
            return parse_raw_stacks(output.read_text(encoding="utf-8", errors="replace"))
        except (OSError, ValueError) as error:
            raise SamplingError(
                f"{self.version} wrote no stacks of process {pid}: {error}"
            ) from error
        finally:
            output.unlink(missing_ok=True)


def _end(process: subprocess.Popen[str]) -> None:
    """End py-spy in the way that lets go of the process that it samples first."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(1.0)
    if process.poll() is None:
        process.kill()
        process.wait()


def why_failed(version: str, printed: str) -> str:
    """Return why py-spy failed, as one sentence with what to do, from what it printed."""
    lines = [line.strip() for line in printed.splitlines() if line.strip()]
    if any(word in printed.lower() for word in _REFUSED):
        return (
            f"{version} may not read the worker process: the kernel refuses ptrace here. Run as "
            "root, set kernel.yama.ptrace_scope to 0 (sysctl), or start the container with "
            "--cap-add SYS_PTRACE"
        )
    first = next((line for line in lines if line.lower().startswith("error")), "")
    return f"{version} failed: {first or ' '.join(lines)[:200] or 'it printed nothing'}"


def open_py_spy(threads: int, folder: Path) -> PySpy:
    """Return py-spy with the options that work here, tried on a process of ours.

    Args:
        threads: Of the process that will be sampled.
        folder: For what py-spy writes.

    Raises:
        SamplingError: There is no py-spy, or it may not sample; the text says what to do.
    """
    program = Path(sysconfig.get_path("scripts")) / "py-spy"
    try:
        ran = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise SamplingError(
            f"{program} does not run ({error}): make setup installs it, on platforms that it has "
            "a wheel for"
        ) from error
    with_native = PySpy(program, ran.stdout.strip(), sampling_rate_hz(threads), is_native=True)
    with subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _TRIED],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    ) as tried:
        try:
            if tried.stdout is not None:
                tried.stdout.readline()  # it is a Python process from then on
            return _that_works(with_native, tried.pid, folder)
        finally:
            tried.kill()


def _that_works(with_native: PySpy, pid: int, folder: Path) -> PySpy:
    """Return py-spy with native frames, or without if it fails with them alone."""
    without = PySpy(with_native.program, with_native.version, with_native.rate_hz, is_native=False)
    try:
        with_native.sample(pid, folder, 1)
    except SamplingError:
        without.sample(pid, folder, 1)
        return without
    return with_native
