"""The real runtime, in its own environment, against real servers: what it gives and writes.

MongoDB is played by whatever the fixture ``servers`` found; see there.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from redis import Redis

from perf_pipeline.targets.target import Kind
from perf_pipeline.workload.answers import answers_of
from perf_pipeline.workload.dataset import BUCKETS, MEASUREMENTS
from perf_pipeline.workload.input_file import file_path, write_file
from perf_pipeline.workload.task import bucket_of, data_seed_of, task_of
from tests.integration.targets.bench import (
    ANALYTICS,
    CACHE,
    KINDS,
    LEVEL,
    PROCESSING,
    QUERY,
    SCHEMA,
    SEED,
    WRITTEN,
    Answer,
    Bench,
    redis_prefix,
)

pytestmark = pytest.mark.integration


@pytest.mark.parametrize(
    ("target", "nodes", "inputs"),
    [
        ("kailash", "code", 12),
        pytest.param("kailash", "code", BUCKETS, marks=pytest.mark.slow),
        ("kailash", "lean", BUCKETS),
        ("control", "lean", BUCKETS),
    ],
)
def test_every_kind_gives_the_right_result_writes_what_it_says_and_imports_nothing_of_the_harness(
    bench: Bench, target: str, nodes: str, inputs: int
) -> None:
    """The inputs of a run, of which there are 64; every stored text is compared, not only counted.

    A workflow of code nodes takes a tenth of a second: ``make test-long`` gives them all inputs.
    """
    bench.written(nodes)
    work = [
        (kind, number)
        for kind in range(len(KINDS))
        for number in _one_of_each_input(kind * 1000)[:inputs]
    ]
    assert len(work) == len(KINDS) * inputs
    answer = bench.start(target, work, threads=4).answer()
    assert Counter(answer.classes()) == {"OK": len(work)}, answer.texts()[:2000]
    _check_imports(answer, target)

    numbers = [{n for kind, n in work if kind == wanted} for wanted in range(len(KINDS))]
    found = bench.found()
    assert {server: set(by_number) for server, by_number in found.items()} == {
        "postgres": numbers[ANALYTICS] | numbers[PROCESSING],
        "mysql": numbers[PROCESSING],
        "redis": numbers[CACHE] | numbers[ANALYTICS],
        "mongodb": numbers[ANALYTICS],
    }
    run_id = bench.job.run_id
    analytics = answers_of("analytics", "complex", SEED)
    processing = answers_of("data_processing", "complex", SEED)
    with Redis.from_url(bench.redis) as redis:
        for number in numbers[ANALYTICS]:
            task = task_of(
                number, seed=SEED, run_id=run_id, level=LEVEL, redis_prefix=redis_prefix(run_id)
            )
            right = analytics.of(task)
            payload = right["report"]["payload"]
            assert found["postgres"][number] == payload
            assert redis.get(task.redis_key) == payload.encode()
            assert found["mongodb"][number] == {
                "_id": f"{run_id}:{LEVEL}:{number}",
                "run_id": run_id,
                "level": LEVEL,
                "number": number,
                "statistics": right["statistics"],
            }
    for number in numbers[PROCESSING]:
        task = task_of(number, seed=SEED, run_id=run_id, level=LEVEL, redis_prefix="")
        payload = processing.of(task)["report"]["payload"]
        assert found["postgres"][number] == found["mysql"][number] == payload


def _check_imports(answer: Answer, target: str) -> None:
    """See that a worker has imported the target, and of this project what workflows need."""
    roots = {module.partition(".")[0] for module in answer.modules}
    assert not roots & {"dagster", "polars", "numpy", "pandas", "psutil", "psycopg"}
    ours = {module for module in answer.modules if module.startswith("perf_pipeline.")}
    parts = {module.split(".")[1] for module in ours}
    assert parts - {"steps"} == {"logs", "redaction", "samples", "targets", "workload"}
    assert ("kailash" in roots) == (target == "kailash")


def _one_of_each_input(begin: int) -> list[int]:
    """Return a number from ``begin`` on for each of a run's inputs."""
    return list({bucket_of(number): number for number in range(begin, begin + 1000)}.values())


@pytest.mark.parametrize(("target", "nodes"), WRITTEN)
def test_a_server_that_is_not_there_is_left_out_and_the_others_are_written_to(
    bench: Bench, target: str, nodes: str
) -> None:
    bench.written(nodes)
    bench.job = replace(
        bench.job,
        kinds=(
            Kind("analytics", "complex", ("mongodb", "mysql")),
            Kind("data_processing", "complex", ("mongodb", "mysql")),
        ),
    )
    whole = bench.job.servers
    bench.with_urls(mysql=None, mongodb=None)
    answer = bench.start(target, [(0, 1), (1, 2)]).answer()
    assert answer.classes() == ["OK", "OK"], answer.texts()
    assert not {"pymysql", "pymongo"}.intersection(answer.modules)
    bench.job = replace(bench.job, servers=whole)
    assert {server: set(by_number) for server, by_number in bench.found().items()} == {
        "postgres": {1, 2},
        "mysql": set(),
        "redis": {1},
        "mongodb": set(),
    }


@pytest.mark.parametrize(("target", "nodes"), WRITTEN)
def test_a_row_that_was_changed_on_the_server_is_a_wrong_result_of_the_query(
    bench: Bench, target: str, nodes: str
) -> None:
    bench.written(nodes)
    change = f'UPDATE "{SCHEMA}".{MEASUREMENTS} SET value = value %s 1 WHERE position = 99'
    with psycopg.connect(bench.postgres, autocommit=True) as connection:
        connection.execute((change % "+").encode())
        answer = bench.start(target, [(QUERY, 1)]).answer()
        connection.execute((change % "-").encode())
    assert answer.classes() == ["WRONG_RESULT"]
    assert answer.texts().startswith("node query: got ")


@pytest.mark.parametrize(("target", "nodes"), WRITTEN)
def test_a_file_that_lost_a_digit_is_a_wrong_result_of_its_reading(
    bench: Bench, target: str, nodes: str, tmp_path: Path
) -> None:
    """The file is there before the target opens, which leaves it as it is."""
    bench.written(nodes)
    bench.with_access(files_dir=str(tmp_path))
    data_seed = data_seed_of(SEED, bucket_of(1))
    write_file(str(tmp_path), data_seed)
    path = Path(file_path(str(tmp_path), data_seed))
    text = path.read_text()
    position = text.rindex("0," if "0," in text else "1,")
    path.write_text(text[:position] + text[position + 1 :])
    answer = bench.start(target, [(6, 1), (6, 2)]).answer()
    assert answer.classes() == ["WRONG_RESULT", "OK"]
    assert answer.texts().startswith("node read: got ")


def test_files_where_kailash_reads_none_are_refused_when_the_target_opens(bench: Bench) -> None:
    """CSVReaderNode reads nothing below the system's folders: every workflow would fail."""
    bench.written("code")
    bench.with_access(files_dir="/proc/self/files")
    complaint = bench.start("kailash", [(6, 1)]).end()
    assert "ValueError: files_dir = /proc/self/files: " in complaint
    assert "choose a folder elsewhere" in complaint


def test_kailash_reads_files_outside_the_folders_that_it_allows_by_itself(bench: Bench) -> None:
    """It allows those for temporary files and the working folder; shared memory is neither."""
    bench.written("code")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        bench.with_access(files_dir=folder)
        answer = bench.start("kailash", [(6, 1)]).answer()
    assert answer.classes() == ["OK"], answer.texts()
