"""The asynchronous control target does the control target's work, and reports how much at once."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.targets.control_async.adapter import open_target, run_in_order
from perf_pipeline.targets.target import Job, Kind, ServerAccess
from perf_pipeline.workload import analytics, data_processing
from perf_pipeline.workload.dataset import bucket_rows
from perf_pipeline.workload.input_file import write_file
from perf_pipeline.workload.task import Task, data_seed_of, task_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Servers:
    """The servers in memory, and what was written to them, in order."""

    def __init__(self) -> None:
        self.written: list[object] = []

    def query(self, bucket: int) -> list[dict[str, Any]]:
        return bucket_rows(5)[bucket]

    def cache(self, key: str, payload: str) -> bool:
        return self._write(key, payload)

    def store(self, row: dict[str, Any]) -> int:
        return self._write("store", row)

    def store_mysql(self, row: dict[str, Any]) -> int:
        return self._write("store_mysql", row)

    def insert(self, document: dict[str, Any]) -> bool:
        return self._write("insert", document)

    def _write(self, *what: object) -> bool:
        self.written.append(what)
        return True


def _task(folder: Path, number: int) -> Task:
    return task_of(number, seed=5, run_id="r", level=1, redis_prefix="p:", files_dir=str(folder))


async def _call(function: Callable[..., Any], *arguments: object) -> Any:
    await asyncio.sleep(0)
    return function(*arguments)


@pytest.mark.parametrize("without", [(), ("mongodb",), ("mysql",)])
@pytest.mark.parametrize("complexity", ["simple", "medium", "complex"])
def test_its_stages_give_and_write_what_the_plain_ones_do(
    tmp_path: Path, complexity: str, without: tuple[str, ...]
) -> None:
    """Both families with servers, eight inputs each."""
    families: tuple[Any, ...] = (analytics, data_processing)
    for number in range(8):
        task = _task(tmp_path, number)
        write_file(str(tmp_path), task.data_seed)
        assert task.data_seed == data_seed_of(5, task.bucket)
        for family in families:
            here, there = Servers(), Servers()
            names = family.stages(complexity, without)
            walk = run_in_order(names, family.STAGE_FUNCTIONS, family.ASKING, task, here, _call)  # type: ignore[arg-type]
            found = asyncio.run(walk)
            wanted = family.run_stages(complexity, task, there, without)
            assert list(found.items()) == list(wanted.items())
            assert here.written == there.written


def test_without_servers_it_executes_one_workflow_at_once_on_the_loop() -> None:
    """Looked at from another thread while the loop computes, and while it does not."""

    async def play() -> tuple[int | None, set[int | None], int | None]:
        servers = ServerAccess({}, 3, 1.0)
        kinds = (Kind("transformation", "simple"),)
        target = await open_target(Job(kinds, "lean", 5, "r", 1, servers))
        idle, busy = await asyncio.to_thread(target.executing), set()
        over = threading.Event()

        def watch() -> None:
            while not over.is_set():
                busy.add(target.executing())
                time.sleep(0.001)

        watcher = threading.Thread(target=watch)
        watcher.start()
        for number in range(3000):
            await target.open_slot().execute(0, number)
        over.set()
        watcher.join()
        await target.close()
        return idle, busy, target.at_once

    idle, busy, at_once = asyncio.run(play())

    assert (idle, at_once) == (0, 1)
    assert 1 in busy <= {0, 1}
