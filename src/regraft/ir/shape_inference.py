"""Where the graph asks for static shapes. The layer that knows the ops registers the answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from regraft.base.shapes import TensorShape

if TYPE_CHECKING:
    from regraft.ir.node import Operation

ShapeInference = Callable[["Operation"], Sequence[TensorShape]]

_registered: list[ShapeInference] = []


def register(function: ShapeInference) -> None:
    """Make `function` the one that infers an operation's output shapes from those of its inputs."""
    _registered[:] = [function]


def infer(op: Operation) -> Sequence[TensorShape]:
    """The operation's output shapes; unknown shapes where nothing is registered."""
    if _registered:
        return _registered[0](op)
    return [TensorShape(None) for _ in op.output_types]
