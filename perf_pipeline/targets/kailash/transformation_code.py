"""The transformation family as users of kailash write it: PythonCodeNode, FilterNode, Sort.

The code of a PythonCodeNode runs with separate globals and locals: comprehensions do not see the
names that it assigned, hence the plain loops. Every piece of code gives what the plain function
of the same name in ``perf_pipeline.workload.transformation`` gives; tests compare them.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import kailash.nodes.transform  # noqa: F401 - puts FilterNode and Sort into the registry
from kailash.nodes.code import PythonCodeNode  # noqa: F401 - ditto
from kailash.workflow.builder import WorkflowBuilder

from perf_pipeline.targets.kailash.written import WrittenWorkflow
from perf_pipeline.workload import transformation
from perf_pipeline.workload.dataset import CATEGORIES

_GENERATE = f"""
import random
rng = random.Random(seed)
categories = {CATEGORIES!r}
result = []
for number in range({transformation.ROWS}):
    category = categories[int(rng.random() * len(categories))]
    value = int(rng.random() * 1100) - 100
    result.append({{"id": number, "category": category, "value": value}})
"""

_CLEAN = """
result = []
for row in rows:
    if row["value"] >= 0:
        result.append(row)
"""

_TOTAL = """
values = []
for row in rows:
    values.append(row["value"])
result = {
    "count": len(values),
    "sum": sum(values),
    "minimum": min(values) if values else 0,
    "maximum": max(values) if values else 0,
}
"""

_SCORE = f"""
weights = {transformation.WEIGHTS!r}
result = []
for row in rows:
    scored = dict(row)
    scored["score"] = row["value"] * weights[row["category"]]
    result.append(scored)
"""

_GROUP = """
groups = {}
for row in rows:
    category = row["category"]
    if category not in groups:
        groups[category] = {"category": category, "count": 0, "score": 0}
    groups[category]["count"] += 1
    groups[category]["score"] += row["score"]
result = []
for category in sorted(groups):
    result.append(groups[category])
"""

_SHARE = """
whole = 0
for group in rows:
    whole += group["score"]
result = []
for group in rows:
    shared = dict(group)
    shared["permille"] = group["score"] * 1000 // max(whole, 1)
    result.append(shared)
"""

_SUMMARY = """
count = 0
score = 0
for group in rows:
    count += group["count"]
    score += group["score"]
result = {
    "groups": len(rows),
    "count": count,
    "score": score,
    "first": rows[0]["category"] if rows else "",
}
"""

# name: (node type, configuration, input, output)
_CODE = "PythonCodeNode"
_NODES: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "generate": (_CODE, {"code": _GENERATE}, "", "result"),
    "clean": (_CODE, {"code": _CLEAN}, "rows", "result"),
    "keep": (
        "FilterNode",
        {"field": "value", "operator": ">=", "value": transformation.MIN_VALUE},
        "data",
        "filtered_data",
    ),
    "total": (_CODE, {"code": _TOTAL}, "rows", "result"),
    "score": (_CODE, {"code": _SCORE}, "rows", "result"),
    "order": ("Sort", {"field": "score", "reverse": True}, "data", "sorted_data"),
    "group": (_CODE, {"code": _GROUP}, "rows", "result"),
    "share": (_CODE, {"code": _SHARE}, "rows", "result"),
    "rank": ("Sort", {"field": "score", "reverse": True}, "data", "sorted_data"),
    "summary": (_CODE, {"code": _SUMMARY}, "rows", "result"),
}


def write_code(complexity: str) -> WrittenWorkflow:
    """Build the transformation workflow of a complexity."""
    builder = WorkflowBuilder()
    names = [name for name, _ in transformation.STAGES[complexity]]
    for name in names:
        node_type, config, _, _ = _NODES[name]
        builder.add_node(node_type, name, dict(config))
    for before, after in pairwise(names):
        output, data = _NODES[before][3], _NODES[after][2]
        builder.add_connection(before, output, after, data)
    return WrittenWorkflow(
        workflow=builder.build(),
        ports={name: _NODES[name][3] for name in names},
        inputs=lambda task: {"generate": {"seed": task.data_seed}},
    )
