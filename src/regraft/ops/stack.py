"""Stacks, on which the gradient of a loop finds what its iterations computed: Stack, StackV2 and their ops.

`swap_memory` is ignored: everything stays where it is.
"""

from __future__ import annotations

from typing import Any

from regraft.base.dtypes import DType
from regraft.opkit.objects import Objects
from regraft.opkit.registry import op
from regraft.opkit.shapes import no_outputs, same_as, unknown


def _two(c: Any) -> list[Any]:
    return [(2,)]


@op("Stack", shape=_two, objects=True, no_gradient="a handle")
def stack(*, elem_type: DType, stack_name: bytes, objects: Objects) -> Any:
    """A handle of a new stack. Handles of the old kind are strings [2] in TensorFlow."""
    return objects.stack(elem_type, -1, stack_name.decode())


@op("StackV2", shape=_two, static="max_size", objects=True, no_gradient="a handle")
def stack_v2(max_size: Any, *, elem_type: DType, stack_name: bytes, objects: Objects) -> Any:
    """A handle of a new stack of at most `max_size` elements; of any number if that is negative."""
    return objects.stack(elem_type, max_size, stack_name.decode())


@op("StackPush", "StackPushV2", shape=same_as(1), objects=True, puts="elem", no_gradient="its own inverse is StackPop")
def stack_push(handle: Any, elem: Any) -> Any:
    """`elem`, which now lies on top of the stack."""
    handle.push(elem)
    return elem


@op("StackPop", "StackPopV2", shape=unknown, objects=True, gets=True, no_gradient="its own inverse is StackPush")
def stack_pop(handle: Any) -> Any:
    """The element on top, which is taken off. InvalidArgumentError when there is none."""
    return handle.pop()


@op("StackClose", "StackCloseV2", shape=no_outputs, objects=True, no_gradient="no result")
def stack_close(handle: Any) -> None:
    handle.close()
