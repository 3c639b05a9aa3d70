"""No function, class, constant or field of the project is there for its tests alone."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from tests.sandbox import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
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
    "do_PATCH",
    "do_POST",
    "protocol_version",
    "log_message",
    "handle_starttag",  # html.parser
    "get_parameters",  # kailash
    "redirect_request",  # urllib
    "show_cursor",  # rich
    "wait_time",  # Locust
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


def trees() -> Iterator[tuple[Path, ast.Module]]:
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path, ast.parse(path.read_text(encoding="utf-8"))


def read_names(tree: ast.Module) -> Iterator[str]:
    """Yield what a module reads: names, attributes, and words of texts that are no docstrings."""
    documents = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            yield node.attr
        elif isinstance(node, ast.Constant) and id(node) not in documents:
            yield from re.findall(r"\w+", str(node.value))


def defined_names(tree: ast.Module) -> Iterator[tuple[str, bool]]:
    """Yield each name that a module defines, and whether it is a field or a value."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, False
        elif isinstance(node, ast.Assign):
            yield from ((one.id, True) for one in node.targets if isinstance(one, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id, True


def test_what_is_defined_is_read_outside_of_the_tests() -> None:
    read = {name for _, tree in trees() for name in read_names(tree)}
    others = [
        *(ROOT / "perf_pipeline").rglob("*.jinja"),
        ROOT / "Makefile",
        ROOT / "pyproject.toml",
    ]
    for path in others:
        read |= set(re.findall(r"\w+", path.read_text(encoding="utf-8")))
    read |= PUBLIC | CALLED_BY_OTHERS
    unread = [
        f"{path.relative_to(ROOT)}: {name}"
        for path, tree in trees()
        for name, is_value in defined_names(tree)
        if name not in read
        and not name.startswith("__")
        and not (is_value and str(path.relative_to(ROOT)) in WRITTEN)
    ]
    assert unread == []


def test_no_exception_of_this_test_is_superfluous() -> None:
    defined = {name for _, tree in trees() for name, _ in defined_names(tree)}
    assert defined >= PUBLIC | CALLED_BY_OTHERS
    assert all((ROOT / file).is_file() for file in WRITTEN)
