"""What every kind of sink has in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from perf_pipeline.errors import PerfPipelineError

if TYPE_CHECKING:
    from perf_pipeline.alerts.notice import Notice

TIMEOUT_S = 4.0
"""For one answer of a server; ``deliver`` bounds the whole."""


class SinkError(PerfPipelineError):
    """A notice was not taken; the text says by whom and why, without any secret."""


class Sink(Protocol):
    """Takes notices of alerts."""

    @property
    def name(self) -> str:
        """``log``, ``webhook``, ``email`` or ``alertmanager``."""

    @property
    def takes_acknowledgements(self) -> bool:
        """Whether it is told that somebody acknowledged an alert."""

    def send(self, notice: Notice) -> None:
        """Announce something.

        Raises:
            SinkError: It was not taken, or nobody knows.
        """
