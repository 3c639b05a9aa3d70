"""What went between the target and one server since a level began, as samples store it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Traffic:
    """What went between the target and one server so far.

    Attributes:
        sent_bytes: By the target.
        recv_bytes: By the target.
        begun: Connections.
        ended: Of these.
        ended_unread: Of these, those whose last bytes are not known.
        unattributed: Connections that may have been the target's or another program's; their
            bytes are not counted.
        lost_reports: How many times the kernel dropped reports of connections that had ended.
        ends_unknown: Why ends are not reported at all; empty if they are.
    """

    sent_bytes: int = 0
    recv_bytes: int = 0
    begun: int = 0
    ended: int = 0
    ended_unread: int = 0
    unattributed: int = 0
    lost_reports: int = 0
    ends_unknown: str = ""
