"""What an injector plays, as one line of JSON; it may have passwords, and goes by a pipe."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perf_pipeline.config.fault.fault_window import FaultWindow
from perf_pipeline.faults.fault import FaultedServer
from perf_pipeline.lifeline import ProcessStamp
from perf_pipeline.logs.log import NO_LOG, LogContext
from perf_pipeline.samples.manifest import ContainerRecord

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class InjectorJob:
    """The failures of a level.

    Attributes:
        windows: In the order of the scenario.
        servers: Service to the server that may be faulted.
        folder: The level's folder.
        seed: Of the scenario.
        state_dir: Where the fault journal is.
        owner: The process for which they are injected.
        log: What it logs with.
    """

    windows: tuple[FaultWindow, ...]
    servers: Mapping[str, FaultedServer]
    folder: Path
    seed: int
    state_dir: Path
    owner: ProcessStamp
    log: LogContext = NO_LOG

    def to_json(self) -> str:
        """Return the job as one line."""
        return json.dumps(asdict(self), default=str)  # paths are written as texts

    @classmethod
    def from_json(cls, line: str) -> InjectorJob:
        """Read what ``to_json`` wrote."""
        values = json.loads(line)
        return cls(
            windows=tuple(FaultWindow(**one) for one in values["windows"]),
            servers={name: _server(one) for name, one in values["servers"].items()},
            folder=Path(values["folder"]),
            seed=values["seed"],
            state_dir=Path(values["state_dir"]),
            owner=ProcessStamp.from_json(values["owner"]),
            log=LogContext(**values["log"]),
        )


def _server(values: dict[str, Any]) -> FaultedServer:
    folder, inside = values["data_folder"], values["container"]
    return FaultedServer(
        **{
            **values,
            "pids": tuple(values["pids"]),
            "data_folder": None if folder is None else Path(folder),
            "container": None if inside is None else ContainerRecord(**inside),
        }
    )
