"""What an engine changes in the machine's packet filter, taken back when it has ended."""

from __future__ import annotations

import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

_TABLES = ("filter", "nat")
_FORWARD = Path("/proc/sys/net/ipv4/ip_forward")


@dataclass(frozen=True)
class Firewall:
    """The packet filter at one moment.

    Attributes:
        lines: Table to the lines of ``iptables-save``, without counters.
        forwards: Whether the kernel forwarded packets between interfaces.
    """

    lines: dict[str, list[str]]
    forwards: str

    @classmethod
    def read(cls) -> Firewall:
        """Read the packet filter of this machine."""
        return cls({table: _saved(table) for table in _TABLES}, _FORWARD.read_text())

    def restore(self, bridge: str) -> None:
        """Remove what an engine with a bridge of its own has added since.

        Rules of an engine that runs beside it name other interfaces, in chains that were there.
        """
        for table in _TABLES:
            before, after = self.lines[table], _saved(table)
            new_chains = _chains(after) - _chains(before)
            for line in reversed(after):
                is_ours = bridge in line or any(name in shlex.split(line) for name in new_chains)
                if line.startswith("-A ") and line not in before and is_ours:
                    _iptables(table, "-D", *shlex.split(line)[1:])
            for chain in new_chains:
                _iptables(table, "-F", chain)
            for chain in new_chains:
                _iptables(table, "-X", chain)
            if new_chains:  # else another engine needs these as they are
                for policy in (line for line in before if line.startswith(":FORWARD ")):
                    _iptables(table, "-P", "FORWARD", policy.split()[1])
                _FORWARD.write_text(self.forwards)


def _chains(lines: list[str]) -> set[str]:
    return {line.split()[0][1:] for line in lines if line.startswith(":")}


def _saved(table: str) -> list[str]:
    done = subprocess.run(
        ["iptables-save", "-t", table], capture_output=True, text=True, check=True
    )
    return [line.partition(" [")[0] for line in done.stdout.splitlines() if line[:1] in ":-"]


def _iptables(table: str, *arguments: str) -> None:
    subprocess.run(["iptables", "-w", "-t", table, *arguments], capture_output=True, check=False)
