"""Charts of the report as Dagster shows them: Markdown that holds each as an image."""

import base64
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

import dagster as dg

from perf_pipeline.report.text import escape

if TYPE_CHECKING:
    from perf_pipeline.report.charts.chart import Chart

_BOX = re.compile(r'viewBox="0 0 ([0-9.]+) ([0-9.]+)"')
_LOOK = "background:#fff;color:#222;font-family:sans-serif"
"""An image takes neither colours nor font of the page around it, and the UI may be dark."""


def drawn(figures: Iterable["Chart"]) -> dg.MarkdownMetadataValue:
    """Return figures one below the other, each with its title and what must be read beside it.

    A note that several figures in a row share is shown below the last of them.
    """
    all_of_them = list(figures)
    parts = []
    for position, figure in enumerate(all_of_them, start=1):
        title = escape.markdown(escape.visible(figure.title, length_max=160))
        parts.append(f"**{title}**")
        if figure.svg:
            image = base64.b64encode(standalone(figure.svg).encode()).decode()
            parts.append(f"![{title}](data:image/svg+xml;base64,{image})")
        if [figure.note] != [each.note for each in all_of_them[position : position + 1]]:
            parts.append(escape.markdown(escape.visible(figure.note)))
    return dg.MetadataValue.md("\n\n".join(parts) or "There is nothing to draw.")


def standalone(svg: str) -> str:
    """Return an SVG element of a page with the size, colours and font that it needs alone."""
    box = _BOX.search(svg)
    size = f'width="{box[1]}" height="{box[2]}" ' if box else ""
    # Of str, for what is marked as safe escapes what is put into it.
    return str.replace(svg, "<svg ", f'<svg {size}style="{_LOOK}" ', 1)
