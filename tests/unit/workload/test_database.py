"""The database family: one unit of work over several servers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.targets.unit_of_work import UnitsOfWork
from perf_pipeline.workload import database
from perf_pipeline.workload.answers import answers_of
from perf_pipeline.workload.task import task_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from contextlib import ExitStack


class Servers:
    """Notes what it is asked to store."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []

    def transact(self, servers: Collection[str], order: dict[str, Any]) -> dict[str, Any]:
        assert set(order) == {"row", "key"}
        self.asked.append(tuple(servers))
        return {server: database.RIGHT[server] for server in servers}


@pytest.mark.parametrize("complexity", ["simple", "medium", "complex"])
@pytest.mark.parametrize("without", [(), ("mongodb",), ("mongodb", "mysql")])
def test_answers_are_what_the_stages_give(complexity: str, without: tuple[str, ...]) -> None:
    answers, servers = answers_of("database", complexity, 11, without), Servers()
    for number in range(100):
        task = task_of(number, seed=11, run_id="r", level=3, redis_prefix="p:")
        assert answers.of(task) == database.run_stages(complexity, task, servers, without)
    remaining = tuple(one for one in database.SERVERS[complexity] if one not in without)
    assert set(servers.asked) == {remaining}


def test_every_workflow_begins_on_the_servers_in_the_same_order() -> None:
    """Or two could wait for each other's connections for ever."""
    orders = [database.servers(complexity) for complexity in ("simple", "medium", "complex")]
    complete = orders[-1]
    assert all(list(one) == sorted(one, key=complete.index) for one in orders)


def _noting(said: list[str], name: str) -> Callable[[ExitStack, dict[str, Any]], int]:
    def begin(stack: ExitStack, _order: dict[str, Any]) -> int:
        said.append(f"{name} begins")
        stack.callback(said.append, f"{name} commits")
        return 1

    return begin


def test_every_transaction_is_open_while_the_workflow_thinks() -> None:
    said: list[str] = []
    units = UnitsOfWork(0.25, lambda seconds: said.append(f"thinks {seconds} s"))
    units._begin = {name: _noting(said, name) for name in ("postgres", "redis")}

    assert units.transact(("postgres", "redis"), {}) == {"postgres": 1, "redis": 1}
    assert said == [
        "postgres begins",
        "redis begins",
        "thinks 0.25 s",
        "redis commits",
        "postgres commits",
    ]
