"""Which servers a kind of workflow needs, which it writes to, and how it signs there."""

from __future__ import annotations

_POSTGRES = frozenset({"postgres"})
_REDIS = frozenset({"redis"})
_NONE: frozenset[str] = frozenset()

_USED = {
    ("transformation", "simple"): _NONE,
    ("transformation", "medium"): _NONE,
    ("transformation", "complex"): _NONE,
    ("analytics", "simple"): _POSTGRES,
    ("analytics", "medium"): _POSTGRES | _REDIS,
    ("analytics", "complex"): _POSTGRES | _REDIS,
}
_WRITTEN = _USED | {
    ("analytics", "simple"): _NONE,
    ("analytics", "medium"): _REDIS,
}

_NAME_LIMIT_BYTES = 63  # PostgreSQL cuts application_name at NAMEDATALEN - 1


def servers_used(family: str, complexity: str) -> frozenset[str]:
    """Return the servers that a kind of workflow needs: ``postgres``, ``redis``, both or none.

    Raises:
        KeyError: There is no such kind.
    """
    return _USED[family, complexity]


def servers_written(family: str, complexity: str) -> frozenset[str]:
    """Return the servers on which every ok workflow of a kind leaves exactly one write.

    Raises:
        KeyError: There is no such kind.
    """
    return _WRITTEN[family, complexity]


def connection_name(run_id: str) -> str:
    """Return the name that every connection of a run's workers carries on the servers.

    It is ``application_name`` in PostgreSQL's ``pg_stat_activity`` and the client's name in
    Redis' ``CLIENT LIST``; connections are counted by it.

    Args:
        run_id: Identifier of the run: printable ASCII without spaces.

    Raises:
        ValueError: A server would cut or alter the name, so that counting by it would find none.
    """
    name = f"perf_pipeline-{run_id}"
    if len(name) > _NAME_LIMIT_BYTES or not name.isascii() or not name.isprintable() or " " in name:
        raise ValueError(
            f"connection name {name!r} must be printable ASCII without spaces and at most "
            f"{_NAME_LIMIT_BYTES} bytes (now {len(name.encode())}), or the servers alter it "
            "and connections cannot be counted by it; use a shorter run_id"
        )
    return name
