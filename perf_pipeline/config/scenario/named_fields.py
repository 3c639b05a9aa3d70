"""Gives the keys of a scenario file the names of the fields that hold their values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perf_pipeline.config.scenario.key_names import FIELDS

if TYPE_CHECKING:
    from perf_pipeline.config.scenario.positions import KeyPath
    from perf_pipeline.config.scenario.problems import Problems


def name_fields(document: dict[str, Any], problems: Problems) -> None:
    """Rename the keys of a document to the fields, and tell problems how each was written."""
    for section, names in FIELDS.items():
        written = document.get(section)
        if isinstance(written, dict):
            _name_fields(written, (section,), names, problems)
        for index, table in enumerate(written) if isinstance(written, list) else ():
            if isinstance(table, dict):
                _name_fields(table, (section, index), names, problems)


def _name_fields(
    table: dict[str, Any], path: KeyPath, names: dict[str, str], problems: Problems
) -> None:
    for name, field in names.items():
        if name not in table:
            continue
        if field in table:
            problems.at((*path, name), f"is given, and {field}, which is the same; keep one.")
        table[field] = table.pop(name)
        problems.written((*path, field), name)
