"""A look stores before it announces, announces once, and tries again what failed."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.alerts.look import acknowledge, deliver_due, look
from perf_pipeline.alerts.sinks.sink import SinkError
from perf_pipeline.catalogue.alerts import read_alerts
from perf_pipeline.catalogue.store import open_catalogue
from perf_pipeline.errors import AlertError
from tests.planted_comparison import change, comparison, run_id
from tests.unit.alerts.planted import Point, evidence, series

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.alerts.notice import Notice
    from perf_pipeline.catalogue.store import Catalogue
    from perf_pipeline.metrics.types.alert import Alert

NOW = datetime(2026, 1, 14, 12, tzinfo=UTC)
BAD = evidence([series(Point(20, 1.2)), series(Point(20, 0.8), metric="throughput_per_s")])
GOOD = evidence([series(), series(metric="throughput_per_s")])
MINUTE = timedelta(minutes=1)


class Inbox:
    """A sink that keeps what it gets, and refuses while it is told to."""

    def __init__(self, name: str = "webhook", *, takes_acknowledgements: bool = False) -> None:
        self.name = name
        self.takes_acknowledgements = takes_acknowledgements
        self.is_refusing = False
        self.got: list[tuple[str, str]] = []

    def send(self, notice: Notice) -> None:
        if self.is_refusing:
            raise SinkError(f"{self.name}: no")
        self.got.append((notice.alert.alert_id, notice.event))

    @property
    def events(self) -> list[str]:
        return [event for _, event in self.got]


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    return open_catalogue(tmp_path)


def stored(catalogue: Catalogue) -> tuple[Alert, ...]:
    with catalogue.reading() as session:
        return read_alerts(session)


def test_an_alert_is_read_back_equal_to_what_was_stored(catalogue: Catalogue) -> None:
    """Twice, with another number of metrics."""
    inbox = Inbox()
    inbox.is_refusing = True
    found = evidence(
        [series(Point(20, 1.2)), series(Point(20, 3.0, "fast"), metric="p50_s")],
        [comparison((1, 4), (20, 23), change("regression", 2.0, metric="avg_s"), paired=True)],
    )
    first = look(catalogue, found, [inbox], NOW)
    (alert,) = first.alerts
    assert [one.key.metric for one in alert.movements] == ["avg_s", "p99_s", "p50_s"]
    assert alert.movements[0].pair == "kailash==2.19.0 and kailash==2.20.0"
    (entry,) = alert.undelivered
    assert (entry.sink, entry.event, entry.why) == ("webhook", "raised", "webhook: no")
    assert stored(catalogue) == first.alerts
    again = look(catalogue, found, [inbox], NOW)
    assert again.alerts == first.alerts
    assert again.announced == ()


def test_every_sink_gets_one_notice_and_an_unchanged_history_is_quiet(
    catalogue: Catalogue,
) -> None:
    inboxes = [Inbox("webhook"), Inbox("email")]
    looks = [look(catalogue, BAD, inboxes, NOW + n * MINUTE) for n in range(4)]
    assert [len(one.announced) for one in looks] == [1, 0, 0, 0]
    assert [inbox.got for inbox in inboxes] == [[(run_id(20), "raised")]] * 2
    assert looks[-1].alerts[0].undelivered == ()


def test_what_a_sink_refused_is_tried_again_and_the_others_get_it_once(
    catalogue: Catalogue,
) -> None:
    broken, good = Inbox("webhook"), Inbox("email")
    broken.is_refusing = True
    first = look(catalogue, BAD, [broken, good], NOW)
    assert first.undelivered == ("webhook: no",)
    soon = look(catalogue, BAD, [broken, good], NOW + timedelta(seconds=5))
    assert soon.undelivered == ()  # somebody may still be busy with it
    broken.is_refusing = False
    later = look(catalogue, BAD, [broken, good], NOW + MINUTE)
    assert later.alerts[0].undelivered == ()
    assert (broken.events, good.events) == (["raised"], ["raised"])


def test_a_sink_that_missed_the_beginning_hears_only_what_holds(catalogue: Catalogue) -> None:
    """Raised, then cleared: nothing. Raised, then confirmed: raised, as it is now."""
    broken = Inbox()
    broken.is_refusing = True
    warning = evidence([series(Point(20, 1.2, "fast"), runs=23)])
    look(catalogue, warning, [broken], NOW)
    look(catalogue, evidence([series(Point(20, 1.2), runs=30)]), [broken], NOW + MINUTE)
    broken.is_refusing = False
    deliver_due(catalogue, [broken], NOW + 2 * MINUTE)
    assert broken.events == ["raised"]
    broken.is_refusing = True
    two = evidence([series(Point(20, 1.2), Point(30, 1.2))])
    look(catalogue, two, [broken], NOW + 3 * MINUTE)
    back = evidence([series(Point(20, 1.2), Point(30, 1.2), Point(36, 1 / 1.2))])
    look(catalogue, back, [broken], NOW + 4 * MINUTE)
    broken.is_refusing = False
    deliver_due(catalogue, [broken], NOW + 5 * MINUTE)
    assert broken.events == ["raised"]


def test_a_sink_that_another_process_can_reach_gets_what_is_open(catalogue: Catalogue) -> None:
    """A run in a shell raises the alert; the job of every night alone knows the webhook."""
    log, webhook = Inbox("log"), Inbox()
    look(catalogue, BAD, [log], NOW, absent=[webhook])
    look(catalogue, BAD, [log, webhook], NOW + MINUTE)
    look(catalogue, BAD, [log, webhook], NOW + 2 * MINUTE)
    assert (log.events, webhook.events) == (["raised"], ["raised"])


def test_a_sink_that_is_named_later_does_not_get_what_is_over(catalogue: Catalogue) -> None:
    log, webhook, email = Inbox("log"), Inbox(), Inbox("email")
    look(catalogue, BAD, [log], NOW, absent=[webhook, email])
    acknowledge(catalogue, run_id(20), "known", [log], NOW + MINUTE)
    look(catalogue, BAD, [log, webhook], NOW + 2 * MINUTE, absent=[email])
    look(catalogue, GOOD, [log], NOW + 3 * MINUTE, absent=[webhook, email])
    look(catalogue, GOOD, [log, webhook, email], NOW + 4 * MINUTE)
    assert (webhook.events, email.events) == ([], [])


def test_a_process_that_is_killed_before_it_announces_delays_and_loses_nothing(
    catalogue: Catalogue,
) -> None:
    class Killed(BaseException):
        """In place of SIGKILL."""

    class Killing(Inbox):
        def __hash__(self) -> int:
            raise Killed  # the first thing that is done with a sink after all is stored

    with pytest.raises(Killed):
        look(catalogue, BAD, [Killing()], NOW)
    inbox = Inbox()
    assert look(catalogue, BAD, [inbox], NOW + MINUTE).announced == ()
    assert inbox.events == ["raised"]


def test_looks_at_the_same_time_announce_once(catalogue: Catalogue) -> None:
    """As a sensor and the check of a run may; both write."""
    inboxes = [Inbox() for _ in range(4)]
    begin = threading.Barrier(4)

    def watch(inbox: Inbox) -> None:
        begin.wait()
        look(catalogue, BAD, [inbox], NOW)

    threads = [threading.Thread(target=watch, args=(inbox,)) for inbox in inboxes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(len(inbox.got) for inbox in inboxes) == 1
    assert len(stored(catalogue)) == 1


def test_an_acknowledged_alert_has_its_note_and_is_quiet(catalogue: Catalogue) -> None:
    webhook, alertmanager = Inbox(), Inbox("alertmanager", takes_acknowledgements=True)
    sinks = [webhook, alertmanager]
    look(catalogue, BAD, sinks, NOW)
    alert, undelivered = acknowledge(catalogue, run_id(20), "pandas left", sinks, NOW + MINUTE)
    assert (alert.state, alert.note, undelivered) == ("acknowledged", "pandas left", ())
    look(catalogue, BAD, sinks, NOW + 2 * MINUTE)
    assert webhook.events == ["raised"]
    assert alertmanager.events == ["raised", "acknowledged"]
    (kept,) = stored(catalogue)
    assert (kept.state, kept.acknowledged_at) == ("acknowledged", "2026-01-14T12:01:00+00:00")
    acknowledge(catalogue, run_id(20), "mended in 2.66", sinks, NOW + 3 * MINUTE)
    (kept,) = stored(catalogue)
    assert (kept.note, kept.acknowledged_at) == ("mended in 2.66", "2026-01-14T12:01:00+00:00")
    look(catalogue, GOOD, sinks, NOW + 4 * MINUTE)
    assert webhook.events == ["raised", "cleared"]


def test_what_is_not_there_or_cleared_cannot_be_acknowledged(catalogue: Catalogue) -> None:
    with pytest.raises(AlertError, match="there is no alert nope; none is open"):
        acknowledge(catalogue, "nope", "", [], NOW)
    look(catalogue, BAD, [], NOW)
    with pytest.raises(AlertError, match=f"open ones are {run_id(20)}"):
        acknowledge(catalogue, "nope", "", [], NOW)
    look(catalogue, GOOD, [], NOW + MINUTE)
    with pytest.raises(AlertError, match="was cleared at 2026-01-14T12:01:00"):
        acknowledge(catalogue, run_id(20), "", [], NOW)
