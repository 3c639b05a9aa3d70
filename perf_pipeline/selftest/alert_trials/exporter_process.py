"""Exporters without a run of their own."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_EXPORTER = "perf_pipeline.monitoring.exporter"


@contextmanager
def exporter_process(
    run: Path, scrape_dir: Path, scenario: str, *, under: Sequence[str] = ()
) -> Iterator[None]:
    """Serve a folder as that of a run for the block.

    Args:
        run: The folder.
        scrape_dir: Where the exporter registers.
        scenario: What it calls the scenario.
        under: A command that takes the exporter's as its last arguments.
    """
    served = [str(run), "--scrape-dir", str(scrape_dir), "--scenario", scenario]
    command = [*under, sys.executable, "-I", "-m", _EXPORTER, *served]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()
        process.wait()
