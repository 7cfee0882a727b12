"""Control flow: the primitives of v1 loops and conditionals, and ops that call functions of the library.

The executor gives these ops their meaning (see `runtime.structure`).
"""

from __future__ import annotations

from regraft.base.errors import AbortedError
from regraft.base.shapes import TensorShape
from regraft.opkit.registry import Control, Runs, control_op, op
from regraft.opkit.shapes import ShapeContext, Sizes, no_outputs, same_as, scalar


def _merged(c: ShapeContext) -> list[Sizes]:
    """What all inputs have in common; the loop's own way back counts as unknown."""
    shapes = c.inputs
    first = shapes[0]
    if first is None or any(s is None or len(s) != len(first) for s in shapes):
        return [None, ()]
    dims = [d if all(s is not None and s[i] == d for s in shapes) else None for i, d in enumerate(first)]
    return [tuple(dims), ()]


def _entered(c: ShapeContext) -> list[Sizes]:
    """A loop variable may change its shape; a constant keeps it."""
    return [c.input(0) if c.attr("is_constant") else None]


def _selected(c: ShapeContext) -> list[Sizes]:
    shapes = c.inputs[1:]
    first = shapes[0] if shapes else None
    return [first if first is not None and all(s == first and None not in s for s in shapes) else None]


def _called(c: ShapeContext) -> list[Sizes]:
    """What the node's `output_shapes` says, where it says something."""
    shapes = c.attr("output_shapes") or ()
    if len(shapes) != c.output_count:
        return [None] * c.output_count
    return [TensorShape(s).sizes for s in shapes]


def _looped(c: ShapeContext) -> list[Sizes]:
    shapes = c.attr("output_shapes") or ()
    return [TensorShape(s).sizes for s in shapes] if len(shapes) == c.output_count else list(c.inputs)


control_op("Switch", "RefSwitch", shape=same_as(0), control=Control.SWITCH, module=__name__)
control_op("_SwitchN", shape=same_as(0), control=Control.SWITCH, module=__name__)
control_op("Merge", "RefMerge", shape=_merged, control=Control.MERGE, module=__name__)
control_op("Enter", shape=_entered, control=Control.ENTER, module=__name__)
control_op("RefEnter", shape=same_as(0), control=Control.ENTER, module=__name__)
control_op("Exit", "RefExit", shape=same_as(0), control=Control.EXIT, module=__name__)
control_op("NextIteration", "RefNextIteration", shape=same_as(0), control=Control.NEXT_ITERATION, module=__name__)
control_op("LoopCond", shape=scalar, control=Control.LOOP_COND, no_gradient="a condition", module=__name__)
control_op("ControlTrigger", shape=no_outputs, control=Control.TRIGGER, no_gradient="no result", module=__name__)

control_op(
    "PartitionedCall", "StatefulPartitionedCall", "RemoteCall", shape=_called, control=Control.CALL, module=__name__
)
control_op("SymbolicGradient", shape=_called, control=Control.GRADIENT, module=__name__)
control_op("If", "StatelessIf", shape=_called, control=Control.IF, module=__name__)
control_op("Case", "StatelessCase", shape=_called, control=Control.CASE, module=__name__)
control_op("While", "StatelessWhile", shape=_looped, control=Control.WHILE, module=__name__)


@op("Abort", shape=no_outputs, runs=Runs.HOST, pure=False)
def abort(*, error_msg: bytes, exit_without_error: bool) -> None:
    """Ends the run with AbortedError. TensorFlow ends the process."""
    if not exit_without_error:
        raise AbortedError(error_msg.decode(errors="backslashreplace") or "Abort was run")
