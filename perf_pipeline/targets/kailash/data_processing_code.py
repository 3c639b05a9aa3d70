"""The data-processing family as users of kailash write it: CSVReaderNode, PythonCodeNode, SQL.

The code of a PythonCodeNode runs with separate globals and locals: comprehensions do not see the
names that it assigned, hence the plain loops. Every piece of code gives what the plain function
of the same name in ``perf_pipeline.workload.data_processing`` gives; tests compare them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import kailash.nodes.data  # noqa: F401 - puts CSVReaderNode and SQLDatabaseNode into the registry
from kailash.nodes.code import PythonCodeNode  # noqa: F401 - ditto
from kailash.security import SecurityError, get_security_config, validate_file_path
from kailash.workflow.builder import WorkflowBuilder

from perf_pipeline.targets.kailash.analytics_code import STATISTICS
from perf_pipeline.targets.kailash.written import WrittenWorkflow
from perf_pipeline.targets.pools import (
    SQLALCHEMY_MYSQL,
    SQLALCHEMY_POSTGRES,
    mysql_pool_options,
    postgres_pool_options,
)
from perf_pipeline.workload import data_processing
from perf_pipeline.workload.dataset import insert_sql, mysql_insert_sql
from perf_pipeline.workload.input_file import DEFECTS, VALUE_LIMIT, file_path
from perf_pipeline.workload.transformation import WEIGHTS

if TYPE_CHECKING:
    from collections.abc import Collection

    from perf_pipeline.targets.target import Job
    from perf_pipeline.workload.task import Task

_VALIDATE = f"""
good = []
bad = dict.fromkeys({DEFECTS!r}, 0)
seen = set()
for row in rows:
    value = row.get("value")
    if not value:
        defect = "missing"
    elif not value.removeprefix("-").isdecimal():
        defect = "not_a_number"
    elif not 0 <= int(value) < {VALUE_LIMIT}:
        defect = "out_of_range"
    elif row["category"] not in {tuple(WEIGHTS)!r}:
        defect = "unknown_category"
    elif row["id"] in seen:
        defect = "duplicate"
    else:
        defect = ""
    seen.add(row["id"])
    if defect:
        bad[defect] += 1
    else:
        good.append(row)
result = {{"rows": good, "bad": bad, "bad_rows": len(rows) - len(good)}}
"""

_TRANSFORM = f"""
weights = {WEIGHTS!r}
result = []
for row in rows:
    value = int(row["value"])
    category = row["category"]
    result.append({{
        "id": int(row["id"]),
        "category": category,
        "value": value,
        "score": value * weights[category],
    }})
"""

_REPORT = """
import json
payload = json.dumps({"rows": rows, "statistics": summary, "bad": bad}, sort_keys=True)
result = {"run_id": run_id, "level": level, "number": number, "payload": payload}
"""

_PORTS = {
    "read": "data",
    "validate": "result",
    "transform": "result",
    "statistics": "result",
    "report": "result",
    "store_postgres": "row_count",
    "store_mysql": "row_count",
}


def write_code(complexity: str, job: Job, without: Collection[str]) -> WrittenWorkflow:
    """Build the data-processing workflow of a complexity over the job's servers.

    kailash keeps one pool a process for each database, bounded by the options given here.

    Args:
        complexity: ``simple``, ``medium`` or ``complex``.
        job: What the worker executes.
        without: Servers that are not there; see ``data_processing.OPTIONAL``.
    """
    servers = job.servers
    names = data_processing.stages(complexity, without)
    builder = WorkflowBuilder()
    builder.add_node("CSVReaderNode", "read", {"file_path": servers.files_dir})
    builder.add_node("PythonCodeNode", "validate", {"code": _VALIDATE})
    builder.add_connection("read", "data", "validate", "rows")
    builder.add_node("PythonCodeNode", "transform", {"code": _TRANSFORM})
    builder.add_connection("validate", "result.rows", "transform", "rows")
    if "statistics" in names:
        builder.add_node("PythonCodeNode", "statistics", {"code": STATISTICS})
        builder.add_connection("transform", "result", "statistics", "rows")
    if "report" in names:
        builder.add_node("PythonCodeNode", "report", {"code": _REPORT})
        builder.add_connection("transform", "result", "report", "rows")
        builder.add_connection("statistics", "result", "report", "summary")
        builder.add_connection("validate", "result.bad", "report", "bad")
    if "store_postgres" in names:
        database = {"connection_string": SQLALCHEMY_POSTGRES, **postgres_pool_options(job)}
        insert = {**database, "query": insert_sql(servers.name("postgres"))}
        builder.add_node("SQLDatabaseNode", "store_postgres", insert)
        builder.add_connection("report", "result", "store_postgres", "parameters")
    if "store_mysql" in names:
        database = {"connection_string": SQLALCHEMY_MYSQL, **mysql_pool_options(job)}
        insert = {**database, "query": mysql_insert_sql(servers.name("mysql"))}
        builder.add_node("SQLDatabaseNode", "store_mysql", insert)
        builder.add_connection("report", "result", "store_mysql", "parameters")

    def inputs(task: Task) -> dict[str, dict[str, Any]]:
        given: dict[str, dict[str, Any]] = {"read": {"file_path": task.file_path}}
        if "report" in names:
            given["report"] = task.signature()
        return given

    return WrittenWorkflow(
        workflow=builder.build(), ports={name: _PORTS[name] for name in names}, inputs=inputs
    )


def allow_files(folder: str) -> None:
    """Let CSVReaderNode read from a folder.

    By itself it reads below the working folder and those for temporary files only, and never
    below those of the system.

    Raises:
        ValueError: kailash refuses the folder with any settings.
    """
    get_security_config().allowed_directories.append(str(Path(folder).resolve()))
    try:
        validate_file_path(file_path(folder, 0))
    except SecurityError as error:
        raise ValueError(
            f"files_dir = {folder}: kailash's CSVReaderNode reads nothing below /etc, /var, /usr, "
            "/root, /boot, /sys and /proc, nor where a path has .. in it; choose a folder "
            "elsewhere, such as one below /tmp"
        ) from error
