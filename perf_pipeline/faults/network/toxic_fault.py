"""A failure that is made of toxics of a proxy: all but its evidence."""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perf_pipeline.faults.fault import FaultRefusedError, Sign
from perf_pipeline.faults.network.proxied_server import DIRECT_S, ProxiedServer
from perf_pipeline.faults.proxy.client import ProxyClient, ProxyControlError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from perf_pipeline.config.fault.fault_window import SettingValue
    from perf_pipeline.faults.fault import Place, State
    from perf_pipeline.faults.network.path import Trip
    from perf_pipeline.faults.network.proxied_server import Trips

VISIBLE_S = 0.08
"""An answer that comes so much later than past the proxy shows a delay of any greater length."""

LOOKS = 6
"""Signs that are taken before it is injected; at most a third of them may say that it acts."""


@dataclass(frozen=True)
class PlannedToxic:
    """A toxic that makes a failure: as ``ProxyClient.add_toxic`` takes it."""

    type: str
    stream: str
    attributes: Mapping[str, int]


class ToxicFault(ABC):
    """Adds toxics to the proxy before a server, and removes them.

    The proxy belongs to the run's step and outlives a killed injector; a toxic has a name that no
    other has, so that what is left behind can be removed by its name.

    Attributes:
        looks: How many signs are taken before it is injected.
    """

    looks = LOOKS
    _server: ProxiedServer | None = None

    def __init__(self, place: Place, kind: str, toxics: Sequence[PlannedToxic]) -> None:
        """Prepare.

        Args:
            place: Where it happens.
            kind: Name of the failure; begins the names of its toxics.
            toxics: What it is made of.
        """
        self._place = place
        self._kind = kind
        unique = secrets.token_hex(4)
        self._toxics = {f"{kind}_{toxic.stream}_{unique}": toxic for toxic in toxics}

    @property
    def server(self) -> ProxiedServer:
        """The server with its proxy, once ``preflight`` has found it."""
        assert self._server is not None
        return self._server

    def preflight(self) -> None:
        """Find the proxy, open both paths, and see that it would be told from a slow path.

        Raises:
            FaultRefusedError: There is no proxy, its path has a failure already, or signs say that
                this one acts though it does not.
        """
        self._server = ProxiedServer(self._place)
        signs = [self.sign() for _ in range(self.looks)]
        seen = [sign.text for sign in signs if sign.in_effect]
        if len(seen) > self.looks // 3:
            raise FaultRefusedError(
                f"it would not be told from no failure: {len(seen)} of {self.looks} observations "
                f"without it say that {seen[-1]}. Ask for a stronger failure, or for less load"
            )

    @abstractmethod
    def sign(self) -> Sign:
        """Look whether it is in effect, on both paths."""

    def state(self) -> State:
        """Return the toxics of this failure that the proxy has."""
        return {"toxics": self._present()}

    def undo_entry(self) -> Mapping[str, SettingValue]:
        """Return where its toxics are, for ``undo_left_behind``."""
        return {
            "control_url": self.server.client.control_url,
            "proxy": self.server.proxy,
            "toxics": " ".join(self._toxics),
        }

    def inject(self) -> None:
        """Add the toxics."""
        for name, toxic in self._toxics.items():
            self.server.client.add_toxic(
                self.server.proxy, toxic.type, toxic.stream, toxic.attributes, name=name
            )

    def undo(self) -> None:
        """Remove the toxics."""
        if self._server is not None:
            undo_left_behind(self.undo_entry())
            self._server.close()

    def _present(self) -> str:
        has = sorted(str(toxic["name"]) for toxic in self.server.state().toxics)
        return ", ".join(name for name in has if name.startswith(self._kind))


def undo_left_behind(entry: Mapping[str, SettingValue]) -> None:
    """Remove the toxics of an ``undo_entry``; those of a proxy that is gone are gone.

    Raises:
        ProxyControlError: The proxy is there, and does not remove them.
    """
    client = ProxyClient(str(entry["control_url"]))
    try:
        for name in str(entry["toxics"]).split():
            client.remove_toxic(str(entry["proxy"]), name)
    except ProxyControlError as error:
        if not error.is_gone:
            raise


def delay_sign(trips: Trips, needed_s: float) -> Sign:
    """Return whether an exchange through the proxy takes longer than one past it.

    With jitter a single exchange may be early: of the last two the later one counts.

    Args:
        trips: The exchanges.
        needed_s: How much longer it must take.
    """
    if trips.through is None:
        return unclear_sign(trips.direct)
    if trips.through.error:
        text = f"no exchange through the proxy: {trips.through.error}"
        return Sign(in_effect=False, value=0.0, text=text)
    known = [one for one in (trips.through, trips.earlier) if one is not None and not one.error]
    latest = max(known, key=lambda one: one.took_s)
    later_ms = 1e3 * (latest.took_s - trips.direct.took_s)
    so_far = "" if latest.is_answered else "at least "
    return Sign(
        in_effect=later_ms >= 1e3 * needed_s,
        value=later_ms,
        text=f"answers come {so_far}{later_ms:.1f} ms later than past the proxy",
    )


def unclear_sign(direct: Trip) -> Sign:
    """Return the sign of a server that does not answer past the proxy either."""
    why = direct.error or f"no answer within {DIRECT_S:g} s"
    return Sign(in_effect=False, value=0.0, text=f"the server itself does not answer: {why}")
