"""How people watch a run: a live picture in a terminal, plain lines anywhere else."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Protocol

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from perf_pipeline.cli.lines.terminal import show
from perf_pipeline.host.load_lock import WAITING
from perf_pipeline.monitoring.run_progress import REPORT
from perf_pipeline.report.text.escape import name, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType
    from typing import Self

    from perf_pipeline.monitoring.run_progress import RunProgress

PLAIN_EVERY_S = 10.0
LIVE_EVERY_S = 1.0
BEFORE_LEVELS = "servers and data"
STOPPING = "interrupted: stopping load and servers, keeping what was measured"
HINT = "Ctrl-C: stop and keep what was measured"
HINT_STOPPING = "stopping; what was measured is kept. Ctrl-C again: end at once"


class Watch(Protocol):
    """Knows how far a run is."""

    def look(self) -> RunProgress | None:
        """Return how far it is; None before its first level."""


class View(Protocol):
    """Shows a run; a context manager, which leaves the terminal as it was."""

    def __enter__(self) -> Self:
        """Begin to show."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Show no more."""

    def notify(self, text: str) -> None:
        """Show a line at once."""

    def look(self) -> None:
        """Show the progress of the run, if it is due."""

    def stopping(self) -> None:
        """Show that the run is being stopped, and what is kept."""


class LinesView:
    """The lines of a program that tells its steps itself, and nothing between them."""

    def __init__(self, *, as_json: bool) -> None:
        """Print on standard error where standard output is for a program."""
        self._as_json = as_json

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Restore nothing."""

    def notify(self, text: str) -> None:
        """Print a line."""
        show(text, as_json=self._as_json)

    def look(self) -> None:
        """Show nothing between the lines."""

    def stopping(self) -> None:
        """Print that the run is being stopped."""
        self.notify(STOPPING)


class PlainView(LinesView):
    """A line every 10 s and at every phase."""

    def __init__(
        self, watch: Watch, *, as_json: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Prepare."""
        super().__init__(as_json=as_json)
        self._watch = watch
        self._clock = clock
        self._looked_s = self._shown_s = -PLAIN_EVERY_S
        self._shown: tuple[int, str] | None = None

    def look(self) -> None:
        """Print the progress of the run, if it is due or the phase is new."""
        if self._clock() - self._looked_s < LIVE_EVERY_S:
            return
        self._looked_s = self._clock()
        progress = self._watch.look()
        if progress is None:
            return
        phase = (progress.index, progress.phase)
        # Nothing moves while the report is made: shown once.
        is_due = self._clock() - self._shown_s >= PLAIN_EVERY_S and progress.phase != REPORT
        if phase != self._shown or is_due:
            self._shown, self._shown_s = phase, self._clock()
            self.notify(plain_line(progress))


class SteadyCursor(Console):
    """A console that never hides the cursor: nobody could show it again after a ``kill -9``."""

    def show_cursor(self, show: bool = True) -> bool:  # noqa: ARG002, FBT001, FBT002 - rich's
        """Leave the cursor as it is."""
        return False


class LiveView:
    """A picture that is drawn anew once a second, below the lines printed so far."""

    def __init__(
        self,
        watch: Watch,
        *,
        title: str,
        console: Console,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare; nothing is drawn.

        Args:
            watch: Reads the progress of the run.
            title: Of the scenario; of unknown origin.
            console: Where to draw.
            clock: Seconds, never going back.
        """
        self._watch = watch
        self._title = title
        self._console = console
        self._clock = clock
        self._before, self._before_s = BEFORE_LEVELS, clock()
        self._looked_s = -LIVE_EVERY_S
        self._hint = HINT
        self._live = Live(
            console=console, auto_refresh=False, redirect_stdout=False, transient=True
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the picture away."""
        self._live.stop()

    def notify(self, text: str) -> None:
        """Print a line above the picture."""
        before = WAITING if text.startswith(WAITING) else BEFORE_LEVELS
        if before != self._before:
            self._before, self._before_s = before, self._clock()
        self._console.print(Text(visible(text)), soft_wrap=True)

    def look(self) -> None:
        """Draw the picture anew, if it is time to."""
        if self._clock() - self._looked_s >= LIVE_EVERY_S:
            self._draw()

    def stopping(self) -> None:
        """Show that the run is being stopped, and draw the picture at once."""
        self.notify(STOPPING)
        self._hint = HINT_STOPPING
        self._draw()

    def _draw(self) -> None:
        self._looked_s = self._clock()
        rows = {"scenario": name(self._title)}
        progress = self._watch.look()
        if progress is None:
            rows["phase"] = f"{self._before}, for {self._looked_s - self._before_s:.0f} s"
        else:
            rows |= picture(progress)
        self._live.update(laid_out(rows, progress, self._hint), refresh=True)


def picture(progress: RunProgress) -> dict[str, str]:
    """Return the rows of the picture of a level: what is shown to its value."""
    is_open = progress.loop == "open"
    of = f"of {progress.wanted} {'slots' if is_open else 'wanted'}"
    waited = {"response time": mean_text(progress.mean_response_s)} if is_open else {}
    return {
        "level": f"{progress.index + 1} of {progress.levels}: {name(progress.shown)}",
        "phase": f"{progress.phase}, {progress.elapsed_s:.0f} s since the level's go",
        "in flight": f"{progress.in_flight} {of}",
        "rate": f"{rate_text(progress)}; {progress.ended} ended",
        **waited,
        "service time": mean_text(progress.mean_service_s),
        "errors": error_counts(progress),
        "time left": time_left(progress.left_s),
    }


def mean_text(mean_s: float | None) -> str:
    """Return the text of a mean over the last 10 s."""
    if mean_s is None:
        return "nothing ended in the last 10 s"
    return f"{mean_s:.3g} s, mean of what ended in the last 10 s"


def rate_text(progress: RunProgress) -> str:
    """Return the rate of the last second; of an open level, beside what was offered in it."""
    rate = f"{progress.rate_per_s:.1f}/s"
    if progress.loop == "closed":
        return rate
    if progress.offered_per_s is None:
        return f"{rate} achieved"
    return f"{rate} achieved of {progress.offered_per_s:.1f}/s offered"


def laid_out(rows: Mapping[str, str], progress: RunProgress | None, hint: str) -> Table:
    """Lay a picture out; long values are folded to the width of the terminal."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True, style="dim")
    grid.add_column(overflow="fold")
    for what, value in rows.items():
        failing = what == "errors" and progress is not None and progress.failed
        grid.add_row(what, Text(value, style="red" if failing else ""))
    for concern in progress.concerns if progress else ():
        grid.add_row("concern", Text(visible(concern), style="yellow"))
    grid.add_row("", Text(hint, style="dim"))
    return grid


def error_counts(progress: RunProgress) -> str:
    """Return how many workflows failed, by class; the journals may lag behind the count."""
    if not progress.failed:
        return "none"
    if progress.errors is None:
        return f"{progress.failed} (their classes cannot be read)"
    classes = [f"{what} {count}" for what, count in sorted(progress.errors.items())]
    unread = progress.failed - sum(progress.errors.values())
    classes += [f"class not known yet {unread}"] if unread > 0 else []
    return f"{progress.failed}: {', '.join(classes)}"


def time_left(left_s: float | None) -> str:
    """Return the text of the estimated time left."""
    if left_s is None:
        return "not known yet"
    if left_s < 90:  # noqa: PLR2004 - seconds say more below a minute and a half
        return f"about {left_s:.0f} s (estimate)"
    return f"about {left_s / 60:.0f} min (estimate)"


def plain_line(progress: RunProgress) -> str:
    """Return the progress of a level in one line."""
    if progress.phase == REPORT:
        return "  all levels are played; counting the records and writing the report"
    line = (
        f"  {name(progress.shown):>8} {progress.phase:8} {progress.elapsed_s:6.1f} s  "
        f"done {progress.ended:7}  in flight {progress.in_flight:5} of {progress.wanted}  "
        f"{rate_text(progress):>10}  failed {error_counts(progress)}  "
        f"left {time_left(progress.left_s)}"
    )
    return "".join([line, *(f"  concern: {visible(each)}" for each in progress.concerns)])


def choose_view(watch: Watch, *, title: str, plain: bool, as_json: bool, no_color: bool) -> View:
    """Return the live view where standard error is a terminal that can draw, else plain lines."""
    console = SteadyCursor(stderr=True, highlight=False)
    drawable = sys.stderr.isatty() and console.is_terminal and not console.is_dumb_terminal
    if plain or no_color or not drawable:
        return PlainView(watch, as_json=as_json)
    return LiveView(watch, title=title, console=console)
