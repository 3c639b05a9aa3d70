"""``ResourceMonitor`` as users know it: what this process and its children use, in a thread."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from perf_pipeline.metrics.resources.resource_sampler import (
    ResourceSampler,
)
from perf_pipeline.metrics.resources.resource_samples import read_samples
from perf_pipeline.metrics.resources.resource_summary import role_use

if TYPE_CHECKING:
    from perf_pipeline.metrics.resources.resource_samples import Sample

_FILE = "resources.jsonl"
_FOREVER_NS = 2**63 - 1


class ResourceMonitor:
    """Samples this process and its children between ``start_monitoring`` and ``stop_monitoring``.

    A run samples its workers by itself; this is for code outside of a run.
    """

    def __init__(self, collection_interval: float = 5) -> None:
        """Prepare; nothing is started.

        Args:
            collection_interval: s between two samples; there is one at the start and one at the
                end as well.

        Raises:
            ValueError: It is not above 0.
        """
        if not collection_interval > 0:
            raise ValueError(
                f"collection_interval is {collection_interval}; it is the time between two "
                "samples in s and must be above 0"
            )
        self._interval_s = collection_interval
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._samples: list[Sample] = []
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None

    def start_monitoring(self) -> None:
        """Forget what was sampled before, and sample from now on.

        Raises:
            RuntimeError: It is being done already.
        """
        if self._thread is not None:
            raise RuntimeError("monitoring was started already; call stop_monitoring first")
        self._folder = tempfile.TemporaryDirectory(prefix="perf_pipeline-monitor-")
        self._stop.clear()
        self._failure = None
        path = Path(self._folder.name, _FILE)
        self._thread = threading.Thread(
            target=self._sample, args=(path,), name="monitor", daemon=True
        )
        self._thread.start()

    def stop_monitoring(self) -> None:
        """Take a last sample and stop.

        Raises:
            RuntimeError: It was not started, or sampling failed altogether.
        """
        if self._thread is None or self._folder is None:
            raise RuntimeError("monitoring was not started; call start_monitoring first")
        self._stop.set()
        self._thread.join()
        self._thread = None
        self._samples = self._read()
        self._folder.cleanup()
        self._folder = None
        if self._failure is not None:
            raise RuntimeError(f"sampling failed: {self._failure}") from self._failure

    def get_peak_metrics(self) -> dict[str, Any]:
        """Return what was used so far, under the names of ``PerformanceMetrics``.

        Returns:
            ``peak_memory_mb`` (sum of PSS, 10^6 bytes), ``avg_cpu_percent`` and
            ``peak_cpu_percent`` (100 is one core), ``disk_io_read_mb``, ``disk_io_write_mb``; None
            where nothing was measured. ``samples``, and ``problems``: each reason why a value is
            missing from a sample.
        """
        samples = self._read()
        used = role_use(samples, "workers")
        problems = {f"{what}: {why}" for one in samples for what, why in one["problems"].items()}
        return {
            "peak_memory_mb": used.pss_peak_mb,
            "avg_cpu_percent": _percent(used.cores_mean),
            "peak_cpu_percent": _percent(used.cores_peak),
            "disk_io_read_mb": used.read_mb,
            "disk_io_write_mb": used.write_mb,
            "samples": len(samples),
            "problems": sorted(problems),
        }

    def _read(self) -> list[Sample]:
        if self._folder is None:
            return self._samples
        return read_samples(Path(self._folder.name, _FILE), 0, _FOREVER_NS)

    def _sample(self, path: Path) -> None:
        try:
            with ResourceSampler(path, {}) as sampler:
                last = False
                while not last:
                    last = self._stop.is_set()
                    sampler.sample(time.monotonic_ns(), _own_pids())
                    self._stop.wait(self._interval_s)
        except Exception as error:  # noqa: BLE001 stop_monitoring raises it
            self._failure = error


def _own_pids() -> list[int]:
    return [os.getpid(), *(child.pid for child in psutil.Process().children(recursive=True))]


def _percent(cores: float | None) -> float | None:
    return None if cores is None else 100.0 * cores
