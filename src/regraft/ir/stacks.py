"""Where an operation was made: the lines of the program on the stack, kept so that keeping them costs little."""

from __future__ import annotations

import sys
import traceback
from types import CodeType, FrameType

# (code, place in it) from the innermost frame to the outermost. Which line that is, is looked up when somebody asks.
Stack = tuple[tuple[CodeType, int], ...]

_MOST = 16
"""Frames that are kept: a graph has thousands of operations, and what called the program says little about them."""


def current() -> Stack:
    """The stack of the program that called into Regraft; where nothing else did, that of the caller."""
    innermost = sys._getframe(1)
    frame: FrameType | None = innermost
    while frame is not None and frame.f_globals.get("__name__", "").startswith("regraft."):
        frame = frame.f_back
    frame = innermost if frame is None else frame
    found: list[tuple[CodeType, int]] = []
    while frame is not None and len(found) < _MOST:
        found.append((frame.f_code, frame.f_lasti))
        frame = frame.f_back
    return tuple(found)


def line_of(code: CodeType, place: int) -> int:
    """The line of a place in the code."""
    return next((line for start, end, line in code.co_lines() if start <= place < end and line), code.co_firstlineno)


def summary(stack: Stack) -> traceback.StackSummary:
    """The stack in the form of the standard library, outermost line first."""
    return traceback.StackSummary.from_list(
        [
            traceback.FrameSummary(code.co_filename, line_of(code, place), code.co_name, lookup_line=False)
            for code, place in reversed(stack)
        ]
    )
