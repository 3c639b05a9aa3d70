"""Draws a differential flame graph: a picture of every call path that moved.

A box is a function on one call path; what it calls is below it. Its width is the mean of both
sides' CPU time per workflow, so that neither what is new nor what is gone is invisible, and widths
add up. Its colour is how much its time, with everything that it calls, moved: red grew, blue
shrank. Boxes have a class in place of a colour, so that the page's style serves both themes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape as escape_html
from typing import TYPE_CHECKING

from perf_pipeline.report.text import quantity
from perf_pipeline.report.text.escape import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from perf_pipeline.metrics.types.profile import StackCost

WIDTH, ROW = 1200, 17
CHARACTER = 6.7
"""Width of a character of the font, 11 px."""
MIN_WIDTH = 0.6
"""Narrower boxes are not drawn; the space below their caller stays empty."""
MIN_TEXT_WIDTH = 24.0
SHADES = 4
"""Shades of each colour; 0 for what did not move."""
FULL_SHADE_SHARE = 0.05
"""A move of a twentieth of all CPU time has the strongest colour."""
ALL = "all"


@dataclass
class Call:
    """A function on one call path.

    Attributes:
        name: ``function (file)``.
        before_s: CPU time per workflow in the baseline, with everything that it calls.
        after_s: In the candidate.
        calls: What it calls, by name.
    """

    name: str
    before_s: float = 0.0
    after_s: float = 0.0
    calls: dict[str, Call] = field(default_factory=dict)

    @property
    def mean_s(self) -> float:
        """Mean of both sides: the width of its box."""
        return (self.before_s + self.after_s) / 2

    @property
    def move_s(self) -> float:
        """How much longer it takes in the candidate."""
        return self.after_s - self.before_s


def call_tree(stacks: Sequence[StackCost]) -> Call:
    """Add up call paths to a tree; its root is everything."""
    root = Call(ALL)
    for stack in stacks:
        path = [root]
        for name in stack.frames:
            path.append(path[-1].calls.setdefault(name, Call(name)))
        for call in path:
            call.before_s += stack.baseline_s
            call.after_s += stack.candidate_s
    return root


def flame_graph(stacks: Sequence[StackCost]) -> str:
    """Return the graph as SVG without script; empty without any time."""
    root = call_tree(stacks)
    if root.mean_s <= 0:
        return ""
    boxes = list(_boxes(root, root.mean_s))
    height = ROW * (1 + max(box.depth for box in boxes))
    drawn = "\n".join(_drawn(box, root) for box in boxes)
    return (
        f'<svg class="flames" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        'role="img" aria-label="Differential flame graph: what the table above says, by call path">'
        f"\n{drawn}\n</svg>"
    )


@dataclass(frozen=True)
class _Box:
    call: Call
    x: float
    width: float
    depth: int


def _boxes(root: Call, whole_s: float) -> Iterator[_Box]:
    """Yield every box that is wide enough, callers before what they call."""
    waiting = [_Box(root, 0.0, float(WIDTH), 0)]
    while waiting:
        box = waiting.pop()
        yield box
        x = box.x
        for _, call in sorted(box.call.calls.items()):
            width = call.mean_s / whole_s * WIDTH
            if width >= MIN_WIDTH:
                waiting.append(_Box(call, x, width, box.depth + 1))
            x += width


def shade(call: Call, root: Call) -> str:
    """Return the class of a box: ``same``, ``more-1`` to ``more-4``, ``less-1`` to ``less-4``."""
    share = call.move_s / max(root.before_s, root.after_s)
    level = min(SHADES, round(SHADES * abs(share) / FULL_SHADE_SHARE))
    if not level:
        return "same"
    return f"{'more' if share > 0 else 'less'}-{level}"


def _drawn(box: _Box, root: Call) -> str:
    call, y = box.call, box.depth * ROW
    letters = int((box.width - 6) / CHARACTER)
    label = visible(call.name)
    shown = label if len(label) <= letters else f"{label[: max(0, letters - 1)]}…"
    text = (
        f'<text x="{box.x + 3:.1f}" y="{y + ROW - 5}">{escape_html(shown)}</text>'
        if box.width >= MIN_TEXT_WIDTH
        else ""
    )
    return (
        f'<g class="{shade(call, root)}"><title>{escape_html(_tooltip(call, root))}</title>'
        f'<rect x="{box.x:.1f}" y="{y}" width="{max(box.width - 0.5, 0.3):.1f}" '
        f'height="{ROW - 1}"/>{text}</g>'
    )


def _tooltip(call: Call, root: Call) -> str:
    moved = "+" if call.move_s > 0 else ""
    share = 100 * call.move_s / root.before_s if root.before_s else None
    of_all = "" if share is None else f", {moved}{quantity.percent(share)} of a workflow"
    return (
        f"{visible(call.name)}: {quantity.seconds(call.before_s)} before, "
        f"{quantity.seconds(call.after_s)} now per workflow, with everything that it calls"
        f"{of_all}"
    )
