"""What every kind of sink has in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from perf_pipeline.errors import PerfPipelineError

if TYPE_CHECKING:
    from perf_pipeline.alerts.notice import Notice

TIMEOUT_S = 4.0
"""For one answer of a server; ``deliver`` bounds the whole."""


class SinkError(PerfPipelineError):
    """A notice was not taken; the text says by whom and why, without any secret."""


class Addressee(Protocol):
    """A kind of sink, whether this process can reach one or not."""

    @property
    def name(self) -> str:
        """``log``, ``webhook``, ``email`` or ``alertmanager``."""

    @property
    def takes_acknowledgements(self) -> bool:
        """Whether it is told that somebody acknowledged an alert."""


class AbsentSink(NamedTuple):
    """A kind of sink that the settings of this process do not name; see ``Addressee``."""

    name: str
    takes_acknowledgements: bool


class Sink(Addressee, Protocol):
    """Takes notices of alerts."""

    def send(self, notice: Notice) -> None:
        """Announce something.

        Raises:
            SinkError: It was not taken, or nobody knows.
        """
