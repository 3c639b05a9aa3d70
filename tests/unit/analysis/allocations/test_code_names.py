"""Lines of code by the function that they are in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perf_pipeline.analysis.allocations.code_names import code_line, shown_file
from perf_pipeline.metrics.allocations.growth_places import CodeLine
from perf_pipeline.samples.allocations.allocation_trace import FrameLine

if TYPE_CHECKING:
    from pathlib import Path

SHOP = """KEPT = []

class Shop:
    def order(self, number):
        def keep(value):
            KEPT.append(value)
        keep(number)

    async def refund(self):
        KEPT.clear()
"""


@pytest.mark.parametrize(
    ("line", "function"),
    [
        (1, ""),
        (3, ""),
        (4, "Shop.order"),
        (6, "Shop.order.keep"),
        (7, "Shop.order"),
        (10, "Shop.refund"),
        (99, ""),
    ],
)
def test_a_line_belongs_to_the_innermost_function(tmp_path: Path, line: int, function: str) -> None:
    file = tmp_path / "shop.py"
    file.write_text(SHOP)
    frame = FrameLine(str(file), line)
    assert code_line(frame, [str(tmp_path)]) == CodeLine("shop.py", line, function)


@pytest.mark.parametrize("content", [None, "def (", "\0"])
def test_a_line_without_readable_source_has_no_function(
    tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / f"other{len(content or '')}.py"
    if content is not None:
        file.write_text(content)
    assert code_line(FrameLine(str(file), 1), []).function == ""
    assert code_line(FrameLine("<string>", 3), ["/usr/lib"]) == CodeLine("<string>", 3, "")


def test_a_file_is_shown_from_the_deepest_folder_that_modules_come_from() -> None:
    folders = ["", "/lib/python3.11", "/lib/python3.11/site-packages", "/lib/python3.11/"]
    assert shown_file("/lib/python3.11/site-packages/a/b.py", folders) == "a/b.py"
    assert shown_file("/lib/python3.11/json/decoder.py", folders) == "json/decoder.py"
    assert shown_file("/lib/python3.110/x.py", folders) == "/lib/python3.110/x.py"
