"""A real Prometheus on loopback that scrapes what registers in a folder, and is asked here."""

from __future__ import annotations

import json
import random
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING, Any, Self

from perf_pipeline.config.settings import current_settings
from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.servers.lifecycle.port import LOOPBACK, ephemeral_range, free_ports
from perf_pipeline.servers.monitors.monitor import find_program
from perf_pipeline.servers.monitors.programs import INFRA

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

_READY_S = 60.0
_ANSWER_S = 30.0
_RETENTION = "20y"
Found = dict[frozenset[tuple[str, str]], float]
"""Labels of a series, without its name, to its value."""


def find_tool(name: str) -> str | None:
    """Return ``prometheus`` or ``promtool``: on PATH, else of Debian's package in our cache."""
    found = find_program(current_settings(), name)
    return str(found.program) if found else None


class PrometheusProcess:
    """Prometheus with data of its own. A context manager.

    Attributes:
        url: Where it answers.
        scrape_dir: Folder that it watches.
    """

    def __init__(self, program: str, folder: Path, scrape_every_s: float = 1.0) -> None:
        """Start it.

        Args:
            program: Its path.
            folder: For its files; ``data`` in it may have blocks already.
            scrape_every_s: Time between two scrapes.
        """
        port = next(free_ports(random.Random(), ephemeral_range()))
        self.url = f"http://{LOOPBACK}:{port}"
        self.scrape_dir = folder / "runs"
        self.scrape_dir.mkdir(parents=True)
        every = f"{round(1000 * scrape_every_s)}ms"
        config = {
            "global": {"scrape_interval": every, "evaluation_interval": every},
            "rule_files": [f"{INFRA}/prometheus/rules/*.yml"],
            "scrape_configs": [
                {
                    "job_name": "runs",
                    "file_sd_configs": [
                        {"files": [f"{self.scrape_dir}/*.json"], "refresh_interval": "1s"}
                    ],
                }
            ],
        }
        (folder / "prometheus.yml").write_text(json.dumps(config))  # JSON is YAML
        self._log = (folder / "prometheus.log").open("wb")
        self._process = subprocess.Popen(
            [
                program,
                f"--config.file={folder}/prometheus.yml",
                f"--storage.tsdb.path={folder}/data",
                f"--storage.tsdb.retention.time={_RETENTION}",
                f"--web.listen-address={LOOPBACK}:{port}",
            ],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )

    def __enter__(self) -> Self:
        """Wait until it answers.

        Raises:
            PerfPipelineError: It ended, or did not answer in time.
        """
        deadline_s = time.monotonic() + _READY_S
        while self._process.poll() is None and time.monotonic() < deadline_s:
            try:
                with urllib.request.urlopen(f"{self.url}/-/ready", timeout=_ANSWER_S):  # noqa: S310 - ours
                    return self
            except OSError:
                time.sleep(0.1)
        self._end()
        raise PerfPipelineError(f"Prometheus did not start; see {self._log.name}")

    def query(self, expression: str, at_s: float | None = None) -> Found:
        """Evaluate an expression.

        Args:
            expression: PromQL with an instant vector as its value.
            at_s: When, seconds of the epoch; None for now.

        Raises:
            PerfPipelineError: Prometheus refused it.
        """
        given = {"query": expression} if at_s is None else {"query": expression, "time": str(at_s)}
        result = self._get("query", given)["result"]
        return {
            frozenset((name, text) for name, text in one["metric"].items() if name != "__name__"):
            float(one["value"][1])
            for one in result
        }  # fmt: skip

    def drawn(self, expression: str, begin_s: float, end_s: float) -> int:
        """Return how many series an expression has over a time, in steps of a second.

        Args:
            expression: PromQL.
            begin_s: From when, seconds of the epoch.
            end_s: Until when.

        Raises:
            PerfPipelineError: Prometheus refused it.
        """
        span = {"start": str(begin_s), "end": str(end_s), "step": "1"}
        return len(self._get("query_range", {"query": expression, **span})["result"])

    def _get(self, what: str, given: Mapping[str, str]) -> Any:
        address = f"{self.url}/api/v1/{what}?{urllib.parse.urlencode(given)}"
        try:
            with urllib.request.urlopen(address, timeout=_ANSWER_S) as answer:  # noqa: S310 - ours
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise PerfPipelineError(f"Prometheus refused {given}: {error.read()!r}") from error

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it."""
        self._end()

    def _end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(_ANSWER_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()
