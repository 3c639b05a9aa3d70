"""What the scripts of causes share: where they play, and what is known of their alerts so far."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.selftest.alert_trials.monitors import Alert, Monitors

Looks = Generator[None, None, None]
"""What goes on at each look at the alerts, and ends what it has started when it is closed."""


@dataclass(frozen=True)
class Cause:
    """What must make one alert fire.

    Attributes:
        alert: Its name.
        text: The cause.
        labels: Labels that the alert must have: it is this cause's.
        is_real: Else values are planted in place of a real exporter's.
    """

    alert: str
    text: str
    labels: dict[str, str]
    is_real: bool = True


@dataclass
class Stage:
    """Where causes are made.

    Attributes:
        settings: Where programs are looked for, and where servers' folders are made.
        folder: Each script makes one of its own in it.
        monitors: Scrape what registers in ``scrape_dir``.
        began_s: When Prometheus was started, CLOCK_MONOTONIC.
        fired: Alert to when Alertmanager had it, seconds since then.
        begun: Alerts whose cause has been made.
        early: Alerts that fired before that: they are false.
        alerts: What Alertmanager had at the last look.
    """

    settings: Settings
    folder: Path
    monitors: Monitors
    began_s: float = 0.0
    fired: dict[str, float] = field(default_factory=dict)
    begun: set[str] = field(default_factory=set)
    early: set[str] = field(default_factory=set)
    alerts: list[Alert] = field(default_factory=list)

    @property
    def scrape_dir(self) -> Path:
        """Folder in which exporters register."""
        return self.folder / "scrape"

    def begin(self, *alerts: str) -> None:
        """Note that the causes of some alerts are there from now on."""
        self.begun.update(alerts)

    def is_active(self, alert: str, labels: dict[str, str]) -> bool:
        """Return whether Alertmanager had an alert with some labels at the last look."""
        wanted = {"alertname": alert, **labels}
        return any(wanted.items() <= one.items() for one in self.alerts)

    def until_fired(self, *alerts: str) -> Looks:
        """Return at each look until all of some alerts have fired."""
        while not self.fired.keys() >= set(alerts):
            yield


Script = Callable[[Stage], Looks]
"""Makes causes. What it does before its first ``yield`` is done before Prometheus is started."""


def can_always(_settings: Settings) -> str:
    """Return that the causes of a group can be made on every machine."""
    return ""


@dataclass(frozen=True)
class CauseGroup:
    """Causes that one script makes.

    Attributes:
        causes: What it makes.
        script: Makes it.
        is_quick: Its alerts have fired within ten seconds.
        is_alone: It would disturb other causes, and is played after them.
        why_not_here: Returns why its causes cannot be made on this machine; empty if they can.
    """

    causes: tuple[Cause, ...]
    script: Script
    is_quick: bool = False
    is_alone: bool = False
    why_not_here: Callable[[Settings], str] = can_always
