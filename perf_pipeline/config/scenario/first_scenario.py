"""A commented scenario for a user's function: what must be there, and what most people add next.

A line that begins with ``#`` and a key, without a space, is a setting that is not used: without
that sign it is valid, in place of a line with the same key or beside the others.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.config.scenario.function_source import FunctionSource

_TEMPLATE = """\
# A load test of {text}, written by `perf-pipeline init`.
# perf-pipeline check {file} explains every problem; perf-pipeline run {file} measures.

title = {title}

# {kind}
target = {target}
# Packages of the function, installed into an environment of their own:
#target = "{plain}+requests"
# or a Python of yours that has everything installed:
#interpreter = "/usr/bin/python3"

# The folder from which the module is imported, seen from this file.
python_path = {python_path}

# Functions without arguments{awaited}, called once in each worker process: setup after the module's
# import and before the first workflow, teardown after the last one (it may take 10 s).
#setup = "{module}:start"
#teardown = "{module}:stop"

# So many workflows are in flight at all times; each number is a level.
concurrency = [10]
# More levels:
#concurrency = [10, 50, 100]

# Servers that are started for the run; the function finds PERF_PIPELINE_REDIS_URL and so on in its
# environment.
#servers = ["redis", "postgres"]

# Objectives: a missed one ends the run with exit code 1.
#slo = ["p95 < 100ms", "error_ratio < 1%"]

# Variables of the function. pass = ["SHOP_TOKEN"] among them hands one of your session through,
# whose value is stored nowhere.
#environment = {{ SHOP_API = "http://127.0.0.1:8080" }}

[[workload]]
# Called with the workflow's number, from 0 on; the negative numbers are trial calls (-1, before the
# load and in `check`) and the first workflows of each process, which are not measured. It raises if
# the workflow failed; a failed `assert` is a wrong result. Several [[workload]] tables make a mix.
function = {function}
# Its share of a mix, relative to the others:
#weight = 1.0

[phases]
# How long each level is measured, after a warm-up that is found in the data.
duration = "12s"
# A workflow that takes longer is a timeout:
#deadline_s = "30s"
"""

_KIND = {
    True: "An async function: a slot is a task of an event loop.",
    False: "A plain function: a slot is a thread. For an async function: callable_async.",
    None: "Taken for a plain function, as its source does not show it (async: callable_async).",
}


def first_scenario(source: FunctionSource, file: Path) -> str:
    """Return the text of a scenario for a function.

    Args:
        source: The function.
        file: Where the text will be; relative paths begin in its folder.
    """
    python_path = os.path.relpath(source.folder, file.resolve().parent)
    return _TEMPLATE.format(
        text=source.text,
        file=file.name,
        title=_quoted(source.summary or f"Load test of {source.text}"),
        kind=_KIND[source.is_async],
        target=_quoted(source.target),
        plain=source.target,
        python_path=_quoted(python_path),
        function=_quoted(source.text),
        module=source.text.partition(":")[0],
        awaited=" (async def)" if source.is_async else "",
    )


def _quoted(text: str) -> str:
    """Return a text as a basic string of TOML, which a string of JSON is."""
    return json.dumps(text, ensure_ascii=False)
