"""Functions of a user's own as workflows, in this process."""

from __future__ import annotations

import asyncio
import gc
import itertools
import os
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.data_file import read_data
from perf_pipeline.config.services import SERVICES
from perf_pipeline.samples.record import ErrorClass
from perf_pipeline.targets.callable import adapter as threads
from perf_pipeline.targets.callable_async import adapter as tasks
from perf_pipeline.targets.target import Job, Kind, ServerAccess, ServerAddress
from perf_pipeline.targets.user_function import server_environment
from perf_pipeline.workload.servers import connection_name

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NO_SERVERS = ServerAccess({}, 3, 1.0)
SOURCE = """
import functools, os
URL = os.environ.get("PERF_PIPELINE_REDIS_URL")
CONNECTIONS = os.environ["PERF_PIPELINE_CONNECTIONS"]
calls = []
def note(number):
    calls.append(number)
def wrong(number):
    assert number < 0, "not what it should be"
def broken(number):
    raise ConnectionRefusedError(111, "nobody listens")
async def wait(number):
    calls.append(number)
async def wait_wrong(number):
    assert number < 0
async def forget(number):
    return wait(number)
class Later:
    async def __call__(self, number):
        calls.append(number)
class Engine:
    def run(self, number):
        calls.append(number)
def order(number, row):
    calls.append((number, row["id"]))
    row["id"] = "changed"
async def wait_order(number, row):
    calls.append((number, row["id"]))
engine, later, decorated = Engine(), Later(), functools.partial(wait)
hidden = lambda number: wait(number)
def lazily(number):
    yield number
nothing = 7
"""
_names = (f"functions_{n}" for n in itertools.count())


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Job]:
    """Return a job of functions of a module that is new to this process."""
    name = next(_names)
    (tmp_path / f"{name}.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(os, "environ", {**os.environ})

    def make(*functions: str, module: str = name, servers: ServerAccess = NO_SERVERS) -> Job:
        kinds = tuple(Kind(f"{module}:{function}", "") for function in functions)
        return Job(kinds=kinds, nodes="code", seed=1, run_id="r", level=0, servers=servers)

    return make


def calls_of(job: Job) -> list[int]:
    """Return what the module of a job noted."""
    module = __import__(job.kinds[0].family.partition(":")[0])
    noted: list[int] = module.calls
    return noted


def test_a_function_is_called_with_the_number_of_each_workflow(job: Callable[..., Job]) -> None:
    """Of two kinds, the first is a plain function, the second a method of the user's engine."""
    made = job("note", "engine.run")
    target = threads.open_target(made)
    target.open_slot().execute(0, 17)
    target.open_slot().execute(1, 18)
    target.close()
    assert calls_of(made) == [17, 18]


def with_data(job: Job, folder: Path) -> Job:
    """Give the only kind of a job a data file of three rows."""
    path = folder / "orders.csv"
    path.write_text("id\nzero\none\ntwo\n", encoding="utf-8")
    data = read_data(str(path))
    kind = replace(job.kinds[0], data=str(path), data_sha256=data.sha256)
    return replace(job, kinds=(kind,))


def test_a_workflow_gets_the_row_of_its_number_modulo_the_rows(
    job: Callable[..., Job], tmp_path: Path
) -> None:
    """Also a cold start, whose number is negative; and what a function changes stays its own."""
    made = with_data(job("order"), tmp_path)
    slot = threads.open_target(made).open_slot()
    for number in (0, 5, 3, -1):
        slot.execute(0, number)
    assert calls_of(made) == [(0, "zero"), (5, "two"), (3, "zero"), (-1, "two")]


def test_a_coroutine_function_gets_its_row(job: Callable[..., Job], tmp_path: Path) -> None:
    made = with_data(job("wait_order"), tmp_path)

    async def play() -> None:
        target = await tasks.open_target(made)
        await target.open_slot().execute(0, 4)

    asyncio.run(play())
    assert calls_of(made) == [(4, "one")]


@pytest.mark.parametrize("function", ["wait", "later", "decorated"])
def test_a_coroutine_function_is_awaited_with_the_number(
    job: Callable[..., Job], function: str
) -> None:
    made = job(function)

    async def play() -> None:
        target = await tasks.open_target(made)
        await asyncio.gather(*(target.open_slot().execute(0, number) for number in range(3)))
        await target.close()

    asyncio.run(play())
    assert calls_of(made) == [0, 1, 2]


def test_a_failed_assertion_is_a_wrong_result_and_other_errors_are_what_they_are(
    job: Callable[..., Job],
) -> None:
    slot = threads.open_target(job("wrong", "broken")).open_slot()
    with pytest.raises(AssertionError) as wrong:
        slot.execute(0, 1)
    with pytest.raises(ConnectionRefusedError) as refused:
        slot.execute(1, 1)
    for adapter in (threads, tasks):
        assert adapter.classify(wrong.value) is ErrorClass.WRONG_RESULT
        assert adapter.classify(refused.value) is ErrorClass.CONNECTION
        assert adapter.classify(ValueError()) is ErrorClass.WORKFLOW_ERROR


def test_the_module_finds_the_servers_in_its_environment_when_it_is_imported(
    job: Callable[..., Job],
) -> None:
    made = job(
        "note", servers=ServerAccess({"redis": ServerAddress("redis://127.0.0.1:1/0")}, 3, 1.0)
    )
    threads.open_target(made)
    module = __import__(made.kinds[0].family.partition(":")[0])
    assert (module.URL, module.CONNECTIONS) == ("redis://127.0.0.1:1/0", "3")


@pytest.mark.parametrize("given", ["", "mine"])
def test_connections_of_libpq_carry_the_name_of_the_run_unless_they_have_one(
    job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    """By that name the sessions of the target are counted on PostgreSQL."""
    monkeypatch.delenv("PGAPPNAME", raising=False)
    if given:
        monkeypatch.setenv("PGAPPNAME", given)
    made = job("note")
    threads.open_target(made)
    assert os.environ["PGAPPNAME"] == (given or connection_name(made.run_id))


def test_servers_that_are_not_there_are_not_in_the_environment() -> None:
    assert server_environment(NO_SERVERS) == {"PERF_PIPELINE_CONNECTIONS": "3"}
    every = ServerAccess({name: ServerAddress(name[:2]) for name in SERVICES}, 5, 1.0)
    assert server_environment(every) == {
        "PERF_PIPELINE_POSTGRES_URL": "po",
        "PERF_PIPELINE_MYSQL_URL": "my",
        "PERF_PIPELINE_REDIS_URL": "re",
        "PERF_PIPELINE_MONGODB_URL": "mo",
        "PERF_PIPELINE_CONNECTIONS": "5",
    }


@pytest.mark.parametrize("function", ["wait", "later", "decorated"])
def test_a_coroutine_function_is_sent_to_the_other_target_before_anything_runs(
    job: Callable[..., Job], function: str
) -> None:
    with pytest.raises(ValueError, match=f'{function} is a coroutine .*"callable_async"'):
        threads.open_target(job(function))


@pytest.mark.parametrize("function", ["note", "engine.run", "hidden"])
def test_a_plain_function_is_sent_to_the_other_target_before_anything_runs(
    job: Callable[..., Job], function: str
) -> None:
    with pytest.raises(ValueError, match=f'{function} is not a coroutine .*"callable"'):
        asyncio.run(tasks.open_target(job(function)))


def test_what_is_not_there_is_named(job: Callable[..., Job]) -> None:
    with pytest.raises(ImportError, match=r"no_such:note: no_such cannot .*python_path"):
        threads.open_target(job("note", module="no_such"))
    with pytest.raises(ValueError, match=r":absent: /.*/functions_\d+\.py has no absent"):
        threads.open_target(job("absent"))
    with pytest.raises(TypeError, match=r":nothing is an int, which cannot be called"):
        threads.open_target(job("nothing"))


def test_a_generator_is_refused_before_anything_runs(job: Callable[..., Job]) -> None:
    with pytest.raises(ValueError, match="lazily is a generator, of which a call runs nothing"):
        threads.open_target(job("lazily"))


def test_a_function_that_only_gives_what_would_do_the_work_is_not_ok(
    job: Callable[..., Job],
) -> None:
    """Nor does Python warn of each coroutine that nobody awaited."""
    slot = threads.open_target(job("hidden")).open_slot()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        with pytest.raises(TypeError, match=r"hidden gave a .* that nobody runs"):
            slot.execute(0, 1)
        gc.collect()
    assert warned == []


def test_a_coroutine_that_was_not_awaited_inside_another_is_not_ok(
    job: Callable[..., Job],
) -> None:
    made = job("forget", "wait_wrong")

    async def play(kind: int) -> None:
        await (await tasks.open_target(made)).open_slot().execute(kind, 1)

    with pytest.raises(TypeError, match="forget gave a coroutine that nobody runs"):
        asyncio.run(play(0))
    with pytest.raises(AssertionError):
        asyncio.run(play(1))
