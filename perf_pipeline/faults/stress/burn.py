"""Uses a core, or a share of one, until it is killed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO

_PERIOD_S = 0.01


def main(arguments: list[str], orders: TextIO) -> None:
    """Compute nothing.

    Args:
        arguments: The share of a core, > 0 and at most 1.
        orders: It begins with the line that comes.
    """
    share = float(arguments[0])
    if not orders.readline():
        return
    while True:
        end = time.perf_counter() + share * _PERIOD_S
        while time.perf_counter() < end:
            pass
        if share < 1:
            time.sleep((1 - share) * _PERIOD_S)
