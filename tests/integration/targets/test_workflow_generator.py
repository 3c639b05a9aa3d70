"""Generated workflows are what they say: executed by LocalRuntime, their results are right."""

from __future__ import annotations

import json
import subprocess
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from perf_pipeline.workload import transformation
from perf_pipeline.workload.dataset import RESULTS
from perf_pipeline.workload.task import data_seed_of
from tests.integration.targets.bench import SCHEMA, SEED, mysql_session

if TYPE_CHECKING:
    from perf_pipeline.targets.target import ServerAccess

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[3]

EXECUTE = """
import json, sys
from kailash.runtime.local import LocalRuntime
from perf_pipeline import WorkflowGenerator
from perf_pipeline.targets.target import ServerAccess
servers = ServerAccess.from_json(json.loads(sys.argv[1]))
generator = WorkflowGenerator("simple", servers=servers, seed=int(sys.argv[2]))
made = {
    "transformation": generator.generate_transformation_workflow(),
    "analytics": generator.generate_analytics_workflow(),
    "data_processing": generator.generate_data_processing_workflow(),
}
runtime = LocalRuntime()
found = {}
for name, workflow in made.items():
    found[name], _ = runtime.execute(workflow, parameters=generator.parameters(name))
print(json.dumps(found, default=str))
"""

OLD_SNIPPET = """
import json, sys
from kailash.runtime.local import LocalRuntime
from perf_pipeline.targets.target import ServerAccess
servers = ServerAccess.from_json(json.loads(sys.argv[1]))

from perf_pipeline import WorkflowGenerator

generator = WorkflowGenerator(complexity="complex", servers=servers)
workflow = generator.generate_data_processing_workflow()

LocalRuntime().execute(workflow, parameters=generator.parameters("data_processing", number=7))
"""


def _ended(python: Path, code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    ended = subprocess.run(
        [str(python), "-c", code, *arguments],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended


def test_generated_workflows_of_every_type_give_what_plain_functions_give(
    python: Path, seeded: ServerAccess
) -> None:
    """In the target's environment, which has kailash and nothing of the harness."""
    ended = _ended(python, EXECUTE, json.dumps(asdict(seeded)), str(SEED))
    found = json.loads(ended.stdout.splitlines()[-1])

    right = transformation.run_stages("simple", data_seed_of(SEED, 0))
    last = list(right)[-1]
    assert right[last] in found["transformation"][last].values()
    assert found["analytics"]["statistics"]["result"]["count"] > 0
    assert found["data_processing"]["validate"]["result"]["bad_rows"] > 0


@pytest.mark.slow
def test_the_complex_workflow_of_the_old_readme_stores_its_result_on_both_databases(
    python: Path, seeded: ServerAccess
) -> None:
    """The servers are what it has to be told beside the old lines."""
    _ended(python, OLD_SNIPPET, json.dumps(asdict(seeded)))

    mine = "run_id = 'generated' AND number = 7"
    with psycopg.connect(seeded.url("postgres") or "") as connection:
        query = f'SELECT count(*) FROM "{SCHEMA}".{RESULTS} WHERE {mine}'
        assert connection.execute(query.encode()).fetchall() == [(1,)]
    with mysql_session(seeded.url("mysql") or "") as cursor:
        cursor.execute(f"SELECT count(*) FROM {seeded.name('mysql')} WHERE {mine}")
        assert cursor.fetchall() == ((1,),)
