"""Which servers a kind of workflow needs and writes to, and the name of its connections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.workload import analytics, data_processing, database

if TYPE_CHECKING:
    from collections.abc import Collection

_NONE: frozenset[str] = frozenset()

_USED: dict[tuple[str, str], frozenset[str]] = {
    ("transformation", "simple"): _NONE,
    ("transformation", "medium"): _NONE,
    ("transformation", "complex"): _NONE,
    ("analytics", "simple"): frozenset({"postgres"}),
    ("analytics", "medium"): frozenset({"postgres", "redis"}),
    ("analytics", "complex"): frozenset({"postgres", "redis", "mongodb"}),
    ("data_processing", "simple"): _NONE,
    ("data_processing", "medium"): _NONE,
    ("data_processing", "complex"): frozenset({"postgres", "mysql"}),
    **{("database", complexity): frozenset(used) for complexity, used in database.SERVERS.items()},
}
_ONLY_READ = {("analytics", "simple"): {"postgres"}, ("analytics", "medium"): {"postgres"}}
_OPTIONAL = {
    ("analytics", "complex"): frozenset(analytics.OPTIONAL),
    ("data_processing", "complex"): frozenset(data_processing.OPTIONAL),
    ("database", "complex"): frozenset(database.OPTIONAL),
}

OPTIONAL_SERVERS = frozenset().union(*_OPTIONAL.values())
"""Servers that workflows only write to, and can be built without."""

# A user's own function has no complexity; which servers it writes to is not known.
_FUNCTION = ""

_NAME_LIMIT_BYTES = 63  # PostgreSQL cuts application_name at NAMEDATALEN - 1


def servers_used(family: str, complexity: str, without: Collection[str] = ()) -> frozenset[str]:
    """Return the names of the services that a kind of workflow needs.

    Args:
        family: The kind's family.
        complexity: Its complexity; empty for a user's own function, which needs none.
        without: Unavailable servers; those that the kind does not use do not matter.

    Raises:
        KeyError: There is no such kind.
        ValueError: A server of ``without`` cannot be left out; see ``servers_optional``.
    """
    if complexity == _FUNCTION:
        return _NONE
    used, optional = _USED[family, complexity], servers_optional(family, complexity)
    lacking = sorted(used.intersection(without) - optional)
    if lacking:
        can = f"only {', '.join(sorted(optional))} can" if optional else "none of its servers can"
        raise ValueError(
            f"{family}/{complexity} cannot be built without {', '.join(lacking)}: {can} be left out"
        )
    return used.difference(without)


def servers_optional(family: str, complexity: str) -> frozenset[str]:
    """Return the servers without which a kind can be built: it only writes there, at its end.

    Raises:
        KeyError: There is no such kind.
    """
    if complexity == _FUNCTION:
        return _NONE
    kind = family, complexity
    return _USED[kind] & _OPTIONAL.get(kind, _NONE)


def servers_written(family: str, complexity: str, without: Collection[str] = ()) -> frozenset[str]:
    """Return the servers on which every ok workflow of a kind leaves exactly one write.

    Raises:
        KeyError: There is no such kind.
        ValueError: A server of ``without`` cannot be left out.
    """
    used = servers_used(family, complexity, without)
    return used.difference(_ONLY_READ.get((family, complexity), ()))


def connection_name(run_id: str) -> str:
    """Return the name that every connection of a run's workers carries on the servers.

    It is ``application_name`` in PostgreSQL's ``pg_stat_activity``, the client's name in Redis'
    ``CLIENT LIST``, the connection attribute ``program_name`` in MySQL (performance schema only)
    and ``application.name`` of MongoDB's client metadata; connections are counted by it.

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
