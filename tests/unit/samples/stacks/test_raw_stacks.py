"""Folded stacks of py-spy become frames."""

from __future__ import annotations

import pytest

from perf_pipeline.samples.stacks.raw_stacks import Frame, parse_frame, parse_raw_stacks

# As py-spy 0.4.3 wrote them.
WRITTEN = """\
Thread.run (threading.py:982);order (shop.py:13);loads (json/__init__.py:346) 12
Thread.run (threading.py:982);order (shop.py:13);time_sleep (libpython3.11.so.1.0) 3
0x7f61558c38ec (libc.so.6);Thread.run (threading.py:982);order (shop.py:13) 1
"""


def test_each_line_is_a_stack_from_outside_to_inside_with_its_number_of_samples() -> None:
    stacks = parse_raw_stacks(WRITTEN)
    assert sorted(stacks.values()) == [1, 3, 12]
    deepest = next(stack for stack, count in stacks.items() if count == 12)
    assert [frame.function for frame in deepest] == ["Thread.run", "order", "loads"]
    assert deepest[-1] == Frame("loads", "json/__init__.py", 346, is_native=False)


@pytest.mark.parametrize(
    ("text", "frame"),
    [
        ("time_sleep (libpython3.11.so.1.0)", Frame("time_sleep", "libpython3.11.so.1.0", 0, True)),
        ("scan_once (_json.c:1135)", Frame("scan_once", "_json.c", 1135, True)),
        ("_hash (_hashopenssl.c.h:427)", Frame("_hash", "_hashopenssl.c.h", 427, True)),
        ("<module> (<string>:3)", Frame("<module>", "<string>", 3, False)),
        ("run (<frozen runpy>:88)", Frame("run", "<frozen runpy>", 88, False)),
        ("f (a b).g (shop.py:2)", Frame("f (a b).g", "shop.py", 2, False)),
        ("std::sort(int) (libx.so)", Frame("std::sort(int)", "libx.so", 0, True)),
    ],
)
def test_python_and_native_frames_are_told_apart(text: str, frame: Frame) -> None:
    assert parse_frame(text) == frame


def test_a_native_function_without_a_name_is_the_same_in_every_process() -> None:
    """Its address is not: libraries are loaded at random places."""
    assert parse_frame("0x7f61558c38ec (libc.so.6)") == parse_frame("0x7f0000000000 (libc.so.6)")


def test_a_line_that_is_no_stack_is_named() -> None:
    with pytest.raises(ValueError, match=r"line 2 is no stack .*: 'order \(shop.py:13\)'"):
        parse_raw_stacks("a (b.py:1) 2\norder (shop.py:13)\n")
