"""The chain of hours along which the slots of a lasting worker go."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, cast

from perf_pipeline.worker.endurance.hour_link import HourLink

if TYPE_CHECKING:
    from perf_pipeline.worker.endurance.hour_loop import HourLoop

WAIT_S = 30.0


def test_every_slot_plays_every_hour_in_order_and_ends_with_the_chain() -> None:
    """Eight threads, of which one begins only when the first hour is over: it passes that by."""
    first, played = HourLink(), []

    def play(slot: int, link: HourLink | None) -> None:
        while link is not None:
            link.wait()
            if link.hour is not None:
                played.append((slot, link.hour))
            link = link.next

    threads = [threading.Thread(target=play, args=(slot, first)) for slot in range(8)]
    for thread in threads[:7]:
        thread.start()
    second = first.announce(cast("HourLoop", "a"))
    while len(played) < 7:
        pass
    first.hour = None
    threads[7].start()
    second.announce(cast("HourLoop", "b")).end()
    for thread in threads:
        thread.join(WAIT_S)
    by_slot = {slot: [hour for who, hour in played if who == slot] for slot in range(8)}
    assert by_slot == {**{slot: ["a", "b"] for slot in range(7)}, 7: ["b"]}
