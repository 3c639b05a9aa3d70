"""Tables of the report as Dagster shows them."""

import dagster as dg

from perf_pipeline.report.text import escape
from perf_pipeline.report.text.table import Cell, Table


def shown_table(table: Table) -> dg.MetadataValue:
    """Return a table; a note stands behind the value of its cell."""
    if not table.rows:
        return dg.MetadataValue.text("none")
    columns = [name or "-" for name in table.columns]
    records = [
        dg.TableRecord(dict(zip(columns, map(_text, row), strict=True))) for row in table.rows
    ]
    return dg.MetadataValue.table(records)


def _text(cell: Cell) -> str:
    text = f"{cell.text} ({cell.note})" if cell.note else cell.text
    return escape.visible(text)
