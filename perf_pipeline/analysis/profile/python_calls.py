"""Names what a stack's time belongs to: the innermost Python function, and how it was called.

Native code is part of the Python function that called it: a slower loop of Python shows in the
interpreter's own functions, which say nothing to its author.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.analysis.profile.on_cpu import native_part

if TYPE_CHECKING:
    from perf_pipeline.samples.stacks.raw_stacks import Frame, Stack

Function = tuple[str, str]
"""Name and file. Not the line of its definition, which another release has moved."""

_OURS = ("perf_pipeline/worker/", "perf_pipeline/targets/", "threading.py")
"""Files that are above every function of the target."""


def python_part(stack: Stack) -> Stack:
    """Return a stack from its outermost Python function to its innermost one.

    Native frames between Python functions remain. A stack without Python is returned whole.
    """
    first = next((i for i, frame in enumerate(stack) if not frame.is_native), 0)
    return stack[first : len(stack) - len(native_part(stack))] or stack


def function_of(frame: Frame) -> Function:
    """Return the function that a frame is a call of."""
    return frame.function, frame.file


def own_frame(stack: Stack) -> Frame:
    """Return the frame whose own time a sample of this stack is."""
    return python_part(stack)[-1]


def called_functions(stack: Stack) -> set[Function]:
    """Return every function of a stack once: what it calls itself is not counted twice."""
    return {function_of(frame) for frame in python_part(stack)}


def call_path(stack: Stack) -> tuple[str, ...]:
    """Return the Python functions of a stack by name, without those of the load generator."""
    frames = [frame for frame in python_part(stack) if not frame.is_native]
    names = tuple(frame.function for frame in frames if not frame.file.startswith(_OURS))
    return names or tuple(frame.function for frame in frames)


def shown_frames(stack: Stack) -> tuple[str, ...]:
    """Return a whole stack for the flame graph, from its outermost Python function."""
    first = next((i for i, frame in enumerate(stack) if not frame.is_native), 0)
    return tuple(shown_frame(frame) for frame in stack[first:])


def shown_frame(frame: Frame) -> str:
    """Return ``function (file)``, or what stands for a native function without a name."""
    is_named = frame.file and not frame.function.startswith("[")
    return f"{frame.function} ({frame.file})" if is_named else frame.function
