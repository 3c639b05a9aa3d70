"""Charts of the report as Dagster shows them: Markdown that holds each as an image."""

import base64
import re
from collections.abc import Iterable

import dagster as dg

from perf_pipeline.report import text
from perf_pipeline.report.level_drawing import Figure

_BOX = re.compile(r'viewBox="0 0 ([0-9.]+) ([0-9.]+)"')
_LOOK = "background:#fff;color:#222;font-family:sans-serif"
"""An image takes neither colours nor font of the page around it, and the UI may be dark."""


def drawn(figures: Iterable[Figure]) -> dg.MarkdownMetadataValue:
    """Return figures one below the other, each with its title and what must be read beside it."""
    parts = []
    for figure in figures:
        title = text.markdown(text.visible(figure.title, length_max=160))
        note = text.markdown(text.visible(figure.note))
        if figure.svg:
            image = base64.b64encode(standalone(figure.svg).encode()).decode()
            note = f"![{title}](data:image/svg+xml;base64,{image})\n\n{note}"
        parts.append(f"**{title}**\n\n{note}")
    return dg.MetadataValue.md("\n\n".join(parts) or "There is nothing to draw.")


def standalone(svg: str) -> str:
    """Return an SVG element of a page with the size, colours and font that it needs alone."""
    box = _BOX.search(svg)
    size = f'width="{box[1]}" height="{box[2]}" ' if box else ""
    return svg.replace("<svg ", f'<svg {size}style="{_LOOK}" ', 1)
