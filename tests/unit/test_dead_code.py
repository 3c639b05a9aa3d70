"""No function, class, constant or field of the project is there for its tests alone."""

from __future__ import annotations

import ast
import re
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from tests.sandbox import ROOT

if TYPE_CHECKING:
    from pathlib import Path

FOLDERS = ("perf_pipeline", "assets")

PUBLIC = {
    "analyze_performance_regression",
    "execute_concurrent_workflows",
    "execute_single_workflow",
    "failure_of",
    "generate_analytics_workflow",
    "generate_data_processing_workflow",
    "generate_transformation_workflow",
    "get_peak_metrics",
    "inject_failure",
    "run_endurance_test",
}
"""Methods that only users call."""

CALLED_BY_OTHERS = {
    "_fields_",  # ctypes
    "connection_lost",  # asyncio
    "connection_made",
    "data_received",
    "eof_received",
    "pause_writing",
    "resume_writing",
    "defs",  # Dagster
    "fault_timeline",
    "fault_evidence",
    "recovery_table",
    "metric_history",
    "run_checks",
    "run_report",
    "yield_for_execution",
    "do_DELETE",  # http.server
    "do_GET",
    "do_HEAD",
    "do_PATCH",
    "do_POST",
    "protocol_version",
    "address_family",
    "handle_error",
    "log_message",
    "handle_starttag",  # html.parser
    "get_parameters",  # kailash
    "redirect_request",  # urllib
    "show_cursor",  # rich
    "collect",  # prometheus_client
    "wait_time",  # Locust
    "connection_check_out_started",  # pymongo
    "connection_checked_out",
    "connection_check_out_failed",
    "pool_created",
    "pool_ready",
    "pool_cleared",
    "pool_closed",
    "connection_created",
    "connection_ready",
    "connection_closed",
    "connection_checked_in",
    "revision",  # Alembic
    "down_revision",
}
"""Names that a library looks for."""

WRITTEN = (
    "perf_pipeline/catalogue/tables.py",
    "perf_pipeline/compat/single_execution.py",
    "perf_pipeline/exit_code.py",
    "perf_pipeline/metrics/performance.py",
    "perf_pipeline/metrics/survival/histogram_block.py",
    "perf_pipeline/samples/host_record.py",
    "perf_pipeline/samples/manifest.py",
)
"""Modules whose fields and values are for the readers of result files and exit codes."""


class Module(NamedTuple):
    """What a module reads, and what it defines: each name, and whether it is a field or a value."""

    file: str
    read: set[str]
    defined: list[tuple[str, bool]]


@cache
def modules() -> tuple[Module, ...]:
    """Return every module of the project, each parsed and walked once."""
    paths = (path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py")))
    return tuple(_module(path) for path in paths)


def _module(path: Path) -> Module:
    """Read names, attributes, and words of texts that are no docstrings."""
    read: set[str] = set()
    defined: list[tuple[str, bool]] = []
    documents = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):  # from the outside inwards
        match node:
            case ast.Expr(value=ast.Constant() as text):
                documents.add(text)
            case ast.Name(id=name, ctx=ast.Load()) | ast.Attribute(attr=name, ctx=ast.Load()):
                read.add(name)
            case ast.Constant(value=value) if node not in documents:
                read.update(re.findall(r"\w+", str(value)))
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                defined.append((node.name, False))
            case ast.Assign(targets=targets):
                defined += [(one.id, True) for one in targets if isinstance(one, ast.Name)]
            case ast.AnnAssign(target=ast.Name(id=name)):
                defined.append((name, True))
    return Module(str(path.relative_to(ROOT)), read, defined)


def test_what_is_defined_is_read_outside_of_the_tests() -> None:
    read: set[str] = set().union(*(module.read for module in modules()))
    others = [
        *(ROOT / "perf_pipeline").rglob("*.jinja"),
        ROOT / "Makefile",
        ROOT / "pyproject.toml",
    ]
    for path in others:
        read |= set(re.findall(r"\w+", path.read_text(encoding="utf-8")))
    read |= PUBLIC | CALLED_BY_OTHERS
    unread = [
        f"{module.file}: {name}"
        for module in modules()
        for name, is_value in module.defined
        if name not in read
        and not name.startswith("__")
        and not (is_value and module.file in WRITTEN)
    ]
    assert unread == []


def test_no_exception_of_this_test_is_superfluous() -> None:
    defined = {name for module in modules() for name, _ in module.defined}
    assert defined >= PUBLIC | CALLED_BY_OTHERS
    assert all((ROOT / file).is_file() for file in WRITTEN)
