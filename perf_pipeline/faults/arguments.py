"""What a failure is given: its server and its settings, with the defaults of its kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.config.fault.fault_kinds import FAULT_KINDS
from perf_pipeline.faults.fault import FaultRefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perf_pipeline.config.fault.fault_window import SettingValue
    from perf_pipeline.faults.fault import FaultedServer, Place


def server_of(place: Place) -> FaultedServer:
    """Return the server that a failure is done to.

    Raises:
        FaultRefusedError: There is none.
    """
    if place.server is None:
        raise FaultRefusedError("this failure is done to a server: name one (server = ...)")
    return place.server


def number(kind: str, settings: Mapping[str, SettingValue], name: str) -> float:
    """Return a setting of a failure, or its kind's default."""
    return float(settings.get(name, FAULT_KINDS[kind].settings[name].default))


def not_on(kind: str, service: str) -> FaultRefusedError:
    """Return the refusal of a failure that a service does not have, with the reason."""
    row = FAULT_KINDS[kind]
    reason = row.not_on.get(service, f"it can be done to {', '.join(row.servers)}")
    return FaultRefusedError(f"{kind} makes no sense on {service}: {reason}")
