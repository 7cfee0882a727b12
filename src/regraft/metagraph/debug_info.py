"""Where the operations of a graph were made, as a GraphDebugInfo."""

from __future__ import annotations

from collections.abc import Sequence
from types import CodeType
from typing import Any

from regraft import proto
from regraft.ir.graph import Graph
from regraft.ir.stacks import Stack, line_of


def debug_info(graph: Graph) -> proto.GraphDebugInfo:
    """The program's lines behind each operation, outermost first, under the key `NAME@`.

    They stand there twice: as TensorFlow 1 reads them (`traces`), and in the form of today, where operations that were
    made by the same lines share them.
    """
    message = proto.GraphDebugInfo()
    files: dict[str, int] = {}
    frames: dict[tuple[CodeType, int], int] = {}
    traces: dict[Stack, int] = {}
    for op in graph.get_operations():
        stack = op._stack[::-1]
        if stack not in traces:
            _put_trace(message, stack, files, frames)
            traces[stack] = len(traces)
        key = f"{op.name}@"
        message.name_to_trace_id[key] = traces[stack]
        for frame in stack:
            _put_frame(message.traces[key].file_line_cols.add(), frame, files)
    message.files.extend(files)
    return message


def _put_trace(
    message: Any, stack: Sequence[tuple[CodeType, int]], files: dict[str, int], frames: dict[tuple[CodeType, int], int]
) -> None:
    for frame in stack:
        if frame not in frames:
            frames[frame] = len(frames)
            _put_frame(message.frames_by_id[frames[frame]], frame, files)
    message.traces_by_id[len(message.traces_by_id)].frame_id.extend([frames[frame] for frame in stack])


def _put_frame(message: Any, frame: tuple[CodeType, int], files: dict[str, int]) -> None:
    code, place = frame
    message.file_index = files.setdefault(code.co_filename, len(files))
    message.line = line_of(code, place)
    message.func = code.co_name
