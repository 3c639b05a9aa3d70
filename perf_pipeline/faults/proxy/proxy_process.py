"""The process of our proxies, as its owner starts and ends it."""

from __future__ import annotations

import json
import select
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Self

from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.faults.proxy.client import ProxyClient

if TYPE_CHECKING:
    from types import TracebackType

_ROOT = str(Path(__file__).resolve().parents[3])
_RUN = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); "
    "from perf_pipeline.faults.proxy.process import main; main()"
)
_READY_S = 30.0
_STOP_S = 5.0
_LOG_TAIL_BYTES = 2000


class ProxyProcess:
    """The proxies of a run in a process of their own, which ends with this one.

    Attributes:
        control_url: Address of their API.
        client: Speaks to it.
        pid: Of the process.
    """

    def __init__(self, seed: int, decisions_file: Path | None = None) -> None:
        """Start the process and wait until it answers.

        Args:
            seed: Of every random choice.
            decisions_file: Where the choices are written, as they are made; None for nowhere.

        Raises:
            PerfPipelineError: It does not start.
        """
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _RUN, _ROOT],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            start_new_session=True,  # Ctrl-C concerns the owner; it ends when that does
        )
        self.pid = self._process.pid
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        file = str(decisions_file.absolute()) if decisions_file else None
        self._process.stdin.write(
            json.dumps({"seed": seed, "decisions_file": file}).encode() + b"\n"
        )
        ready = select.select([self._process.stdout], [], [], _READY_S)[0]
        line = self._process.stdout.readline() if ready else b""
        if not line:
            why = self.ended_because() or f"it did not answer within {_READY_S:.0f} s"
            self.close()
            raise PerfPipelineError(
                f"The process of the proxies does not start: {why}.\n"
                "Without it no failure of the network can be made: leave those faults out of the "
                "scenario, or free memory and processes on this machine."
            )
        self.control_url: str = json.loads(line)["url"]
        self.client = ProxyClient(self.control_url)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it."""
        self.close()

    def ended_because(self) -> str:
        """Return why the process has ended; empty while it runs."""
        code = self._process.poll()
        if code is None:
            return ""
        size = self._log.seek(0, 2)
        self._log.seek(max(0, size - _LOG_TAIL_BYTES))
        said = self._log.read().decode(errors="replace").strip()
        return f"it ended with {code}{': ' if said else ''}{said}"

    def close(self) -> None:
        """End the process with all connections through it; a second call does nothing."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._log.close()
