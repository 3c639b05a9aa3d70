"""Names a line of a target's code: its file as modules are imported, and the function it is in."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.metrics.allocations.growth_places import CodeLine

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from perf_pipeline.samples.allocations.allocation_trace import FrameLine

Span = tuple[int, int, str]
"""First and last line of a function, and its name with those of the classes around it."""


def code_line(frame: FrameLine, folders: Iterable[str]) -> CodeLine:
    """Return a line of code as people look for it.

    Args:
        frame: Of a call stack; its file is there as it was executed.
        folders: From which the process imported modules.
    """
    return CodeLine(shown_file(frame.file, folders), frame.line, _function(frame.file, frame.line))


def shown_file(file: str, folders: Iterable[str]) -> str:
    """Return a file's path from the deepest of the folders that it is in."""
    inside = [folder for folder in folders if folder and file.startswith(f"{folder.rstrip('/')}/")]
    return file[len(max(inside, key=len).rstrip("/")) + 1 :] if inside else file


def _function(file: str, line: int) -> str:
    """Return the innermost function that a line is in; empty outside of any, or without source."""
    spans = [span for span in _functions(file) if span[0] <= line <= span[1]]
    return max(spans, default=(0, 0, ""))[2]


@cache
def _functions(file: str) -> tuple[Span, ...]:
    try:
        tree = ast.parse(Path(file).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return ()
    return tuple(_spans(tree, ""))


def _spans(node: ast.AST, around: str) -> Iterator[Span]:
    for child in ast.iter_child_nodes(node):
        name = around
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{around}.{child.name}" if around else child.name
            if not isinstance(child, ast.ClassDef):
                yield child.lineno, child.end_lineno or child.lineno, name
        yield from _spans(child, name)
