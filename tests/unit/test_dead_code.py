"""No function, class, constant or field of the project is there for its tests alone."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.sandbox import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FOLDERS = ("perf_pipeline", "assets")

PUBLIC = {
    "analyze_performance_regression",
    "execute_concurrent_workflows",
    "execute_single_workflow",
    "generate_analytics_workflow",
    "generate_data_processing_workflow",
    "generate_transformation_workflow",
    "get_peak_metrics",
    "run_endurance_test",
}
"""Methods that only users call."""

CALLED_BY_OTHERS = {
    "connection_made",  # asyncio
    "data_received",
    "defs",  # Dagster
    "metric_history",
    "run_checks",
    "run_report",
    "yield_for_execution",
    "do_GET",  # http.server
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


@dataclass(frozen=True)
class Module:
    """The names of one module.

    Attributes:
        file: Its path below the project.
        read: What it reads: names, attributes, and words of texts that are no docstrings.
        defined: Each name that it defines, and whether it is a field or a value.
    """

    file: str
    read: frozenset[str]
    defined: tuple[tuple[str, bool], ...]


@pytest.fixture(scope="module")
def modules() -> list[Module]:
    """All modules of the project, read once."""
    found = []
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
            names = frozenset(read_names(nodes)), tuple(defined_names(nodes))
            found.append(Module(str(path.relative_to(ROOT)), *names))
    return found


def read_names(nodes: Sequence[ast.AST]) -> Iterator[str]:
    """Yield what the nodes of a module read."""
    documents = {
        id(node.value)
        for node in nodes
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in nodes:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            yield node.attr
        elif isinstance(node, ast.Constant) and id(node) not in documents:
            yield from re.findall(r"\w+", str(node.value))


def defined_names(nodes: Sequence[ast.AST]) -> Iterator[tuple[str, bool]]:
    """Yield each name that the nodes of a module define, and whether it is a field or a value."""
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, False
        elif isinstance(node, ast.Assign):
            yield from ((one.id, True) for one in node.targets if isinstance(one, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id, True


def test_what_is_defined_is_read_outside_of_the_tests(modules: list[Module]) -> None:
    read = frozenset().union(*(module.read for module in modules))
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
        for module in modules
        for name, is_value in module.defined
        if name not in read
        and not name.startswith("__")
        and not (is_value and module.file in WRITTEN)
    ]
    assert unread == []


def test_no_exception_of_this_test_is_superfluous(modules: list[Module]) -> None:
    defined = {name for module in modules for name, _ in module.defined}
    assert defined >= PUBLIC | CALLED_BY_OTHERS
    assert all((ROOT / file).is_file() for file in WRITTEN)
