"""Draws a chart as an SVG element for a page: no script, no reference, readable in light and dark.

Colours are CSS variables with a fallback: the page sets them, and the drawing alone still shows
them. Text inherits the colour and the font of the page.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from perf_pipeline.report.charts.address_space import why_not_drawn
from perf_pipeline.report.charts.drawing_process import drawn_ahead

if TYPE_CHECKING:
    from perf_pipeline.report.charts.vega import Json

FIRST = "var(--series-1, #1d5fa6)"
SECOND = "var(--series-2, #b8501f)"
THIRD = "var(--series-3, #1f7a5c)"
FOURTH = "var(--series-4, #6b4fa0)"
QUIET = "var(--quiet, #6a6a6a)"
RULE = "var(--rule, #8886)"
BAND = "var(--band, #8881)"
FAULT = "var(--fault, #c0392b26)"
PAPER = "var(--paper, #ffffff)"

_ROOT = re.compile(r"<svg [^>]*?(viewBox=\"[^\"]*\")[^>]*>")
_GEOMETRY = re.compile(r'\b(?:d|transform|x|y|x1|x2|y1|y2|width|height)="[^"]*"')
_LONG_DECIMAL = re.compile(r"-?\d+\.\d{2,}")
_INVISIBLE = re.compile(
    r'<path class="(?:foreground|background)"[^>]*?/>| (?:pointer-events|aria-hidden)="[^"]*"'
    r'| aria-roledescription="[^"]*"| role="graphics-[^"]*"'
)
_ID = re.compile(r'id="(?P<name>clip\d+)"')


def styled(chart: Json) -> Json:
    """Return ``chart`` in the style that all charts of the report share."""
    axis = {
        "labelColor": "currentColor",
        "titleColor": "currentColor",
        "labelFontSize": 11,
        "titleFontSize": 11,
        "titleFontWeight": "normal",
        "domainColor": RULE,
        "tickColor": RULE,
        "gridColor": RULE,
        "gridOpacity": 0.5,
        "tickSize": 3,
        "labelPadding": 4,
    }
    legend = {
        "orient": "bottom",
        "title": None,
        "labelColor": "currentColor",
        "labelFontSize": 11,
        "symbolStrokeWidth": 2,
        "offset": 4,
        "padding": 0,
        "columnPadding": 28,  # the reader's font may be wider than the one used for the layout
    }
    config = {"background": "transparent", "font": "sans-serif", "aria": False}
    look = {**config, "axis": axis, "legend": legend, "view": {"stroke": None}}
    return {**chart, "config": look}


def inline_svg(chart: Json, *, name: str, description: str) -> Markup:
    """Draw ``chart`` as an SVG element for a page, or say why it is not drawn; it loads nothing.

    Args:
        chart: As ``vega.layered`` makes it, with its data inside.
        name: Unique in the page; makes the ids inside the element unique.
        description: What the chart shows, for screen readers.
    """
    if why := why_not_drawn():
        return Markup("<p>{}</p>").format(why)
    specification = styled(chart)
    drawn = drawn_ahead(specification)
    if drawn is None:
        import vl_convert  # noqa: PLC0415 - 200 MB of address space that only drawing pays for

        drawn = vl_convert.vegalite_to_svg(specification, allowed_base_urls=[])
    return Markup(_inline(drawn, name, description))  # noqa: S704 - vl-convert escapes text


def _inline(svg: str, name: str, description: str) -> str:
    for position, clip in enumerate(dict.fromkeys(_ID.findall(svg))):
        unique = f"{name}-{position}"
        svg = svg.replace(f'id="{clip}"', f'id="{unique}"')
        svg = svg.replace(f'url(#{clip})"', f'url(#{unique})"')
    svg = _INVISIBLE.sub("", svg)
    svg = _GEOMETRY.sub(lambda found: _LONG_DECIMAL.sub(_short, found.group(0)), svg)
    root = f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{escape(description)}" '
    return _ROOT.sub(lambda found: f"{root}{found.group(1)}>", svg, count=1)


def _short(found: re.Match[str]) -> str:
    return f"{float(found.group(0)):.1f}".removesuffix(".0")
