"""Tells Prometheus where an exporter listens: a file a run, or a shard of one, in its folder.

Source:
    https://prometheus.io/docs/prometheus/latest/configuration/configuration/#file_sd_config
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from perf_pipeline.samples.run_file import write_atomically

if TYPE_CHECKING:
    from pathlib import Path


def register(folder: Path, run_id: str, address: str, labels: dict[str, str]) -> Path:
    """Write the file of an exporter; Prometheus reads it within seconds.

    Args:
        folder: Which Prometheus watches; made if need be.
        run_id: The run's id, which becomes a label of everything that is scraped.
        address: ``host:port``, as Prometheus reaches it.
        labels: Further ones, such as the scenario's name; ``shard`` gives a file of its own.

    Returns:
        The file, which whoever wrote it removes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{run_id}.shard-{labels['shard']}" if "shard" in labels else run_id
    path = folder / f"{name}.json"
    target = {"targets": [address], "labels": {"run_id": run_id, **labels}}
    write_atomically(path, json.dumps([target], indent=1).encode() + b"\n")
    return path
