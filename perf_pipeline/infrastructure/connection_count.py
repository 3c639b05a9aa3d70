"""How many connections a run's workers have to a server, and how that was found out."""

from __future__ import annotations

from typing import NamedTuple


class ConnectionCount(NamedTuple):
    """Connections to one server at one moment.

    Attributes:
        total: All that were counted.
        active: Those of them that execute something; None where the server does not tell.
        how: What was counted, since not every server knows the name of the program behind a
            connection.
    """

    total: int
    active: int | None
    how: str
