"""Gradients of while loops: for each loop one that runs its iterations backwards.

The gradient loop counts down what a counter beside the forward loop counted up. Values that it needs of the forward
loop's iterations go through stacks: the forward loop pushes them, the gradient loop pops them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from regraft.base import dtypes
from regraft.ir.node import Operation, Tensor
from regraft.opkit import constant, control_nodes
from regraft.opkit.builder import Builder
from regraft.opkit.control_context import (
    LOOP_EXITS,
    SWITCHES,
    CondContext,
    ControlFlowContext,
    WhileContext,
    is_constant_enter,
)
from regraft.opkit.flow import output_context
from regraft.opkit.getitem import getitem
from regraft.opkit.slices import IndexedSlices


@contextlib.contextmanager
def inside(context: ControlFlowContext | None) -> Iterator[None]:
    """Make operations in the context, or where one stands if there is none."""
    with contextlib.nullcontext() if context is None else context.entered():
        yield


def loop_of(op: Operation) -> WhileContext | None:
    """The loop that an operation is in."""
    context: ControlFlowContext | None = op.control_flow_context
    return None if context is None else context.GetWhileContext()


def is_loop_switch(op: Operation) -> bool:
    """Whether the operation is a loop's Switch, not that of a conditional in a loop."""
    if op.type not in SWITCHES or not isinstance(op.control_flow_context, WhileContext):
        return False
    for output in op.outputs:
        for consumer in output.consumers():
            context = consumer.control_flow_context
            if consumer.type in ("Enter", "RefEnter") and context is not None:
                context = context.outer_context
            if context is None or not context.IsCondContext():
                return True
    return False


class LoopGradient:
    """One loop, and the loop of its gradient.

    history   what stands in the gradient loop for a value of the forward loop, by name
    switches  the Merge of the gradient loop that belongs to a Switch of the forward loop
    """

    forward_context: WhileContext
    grad_context: WhileContext

    def __init__(self, b: Builder, forward: WhileContext, outer: LoopGradient | None) -> None:
        self.b = b
        self.graph = b.graph
        self.outer = outer
        self.history: dict[str, Tensor] = {}
        self.switches: dict[Operation, Tensor] = {}
        self.unused_exits: list[Tensor] = []
        self.deferred_exits: list[Tensor] = []
        self.forward_exits = list(forward.loop_exits)
        self.pending_exits = len(forward.loop_exits)
        self._forward_sync: Operation | None = None
        self._grad_sync: Operation | None = None
        outside = forward.outer_context if outer is None else outer.forward_context
        with inside(outside):
            count, self.forward_index = self._count_up(forward)
        self.forward_context = forward
        if outer is None:
            with inside(outside):
                self.grad_context = self._backward_context()
                self.grad_index = self._count_down(count)
            return
        assert outside is not None
        outside.AddName(count.name)
        stack = outer.push(count)
        with outer.grad_context.entered():
            self.grad_context = self._backward_context()
            self.grad_index = self._count_down(outer.pop(stack, count))

    def _backward_context(self) -> WhileContext:
        forward = self.forward_context
        return WhileContext(
            self.graph,
            self.graph.unique_name(forward.name),
            forward.maximum_iterations,
            forward.parallel_iterations,
            forward.back_prop,
            forward.swap_memory,
            self,
        )

    def _enter(self, context: WhileContext, value: Any, name: str, keep_shape: bool = True) -> Any:
        context.AddName(value.name)
        entered = control_nodes.enter(self.b, value, context.name, False, context.parallel_iterations, keep_shape, name)
        context.loop_enters.append(entered)
        return entered

    def _count_up(self, forward: WhileContext) -> tuple[Tensor, Tensor]:
        """(How many iterations the forward loop makes, the counter in the next iteration)."""
        b = self.b
        start = b.constant(0, name="f_count")
        if self.outer is not None:
            self.graph.add_control_inputs(start.op, (self.outer.forward_index.op.inputs[0].op,))
        with forward.entered():
            entered = self._enter(forward, start, "f_count")
            merged = control_nodes.merge(b, [entered, entered])[0]
            left, stays = control_nodes.switch(b, merged, forward.pivot)
            after = control_nodes.next_iteration(b, b.AddV2(stays, 1, name="Add"))
            self.graph.update_input(merged.op, 1, after)
            total = control_nodes.exit(b, left, name="f_count")
            forward.loop_exits.append(total)
            forward.ExitResult([total])
        return total, after

    def _count_down(self, count: Tensor) -> Tensor:
        b, context = self.b, self.grad_context
        one = b.constant(1, name="b_count")
        with context.entered():
            entered = self._enter(context, count, "b_count")
            merged = control_nodes.merge(b, [entered, entered])[0]
            context.pivot_for_pred = merged
            context.pivot = b.op("LoopCond", b.GreaterEqual(merged, one), name="b_count")
            left, stays = control_nodes.switch(b, merged, context.pivot)
            index = b.Sub(stays, one)
            context.pivot_for_body = index
            after = control_nodes.next_iteration(b, index)
            self.graph.update_input(merged.op, 1, after)
            last = control_nodes.exit(b, left, name="b_count")
            context.loop_exits.append(last)
            if self.outer is not None:
                self.graph.add_control_inputs(self.outer.grad_sync, (last.op,))
            context.ExitResult([last])
        return after

    @property
    def forward_sync(self) -> Operation:
        """Keeps pushes from conditionals in the order of the iterations."""
        if self._forward_sync is None:
            with self.graph.control_dependencies(None):
                self._forward_sync = self.b.operation("ControlTrigger", name="f_sync")
            self._forward_sync.control_flow_context = self.forward_context
            self.graph.add_control_inputs(self.forward_index.op, (self._forward_sync,))
        return self._forward_sync

    @property
    def grad_sync(self) -> Operation:
        """Keeps pops in the order of the iterations."""
        if self._grad_sync is None:
            with self.graph.control_dependencies(None):
                self._grad_sync = self.b.operation("ControlTrigger", name="b_sync")
            self._grad_sync.control_flow_context = self.grad_context
            self.graph.add_control_inputs(self.grad_index.op, (self._grad_sync,))
            if self.grad_context.outer_context is not None:
                self.grad_context.outer_context.AddInnerOp(self._grad_sync)
        return self._grad_sync

    def push(self, value: Tensor, dead_branch: bool = False) -> Tensor:
        """Push a value of the forward loop in each iteration, and return the stack.

        dead_branch  the value is that of the branch which is not taken
        """
        graph, b, forward = self.graph, self.b, self.forward_context
        current: ControlFlowContext | None = graph.scopes.control_flow_context
        with graph.control_dependencies(None):
            with inside(current), graph.colocate_with(value):
                size = b.constant(-1, dtypes.int32)
                stack: Tensor = b.StackV2(size, elem_type=value.dtype.base, name="f_acc")
            entered = forward.AddValue(stack)
            context = output_context(value.op)
            if context is forward:
                with forward.entered():
                    pushed = b.StackPushV2(entered, value, swap_memory=forward.swap_memory)
                graph.add_control_inputs(self.forward_index.op, (pushed.op,))
            else:
                if not isinstance(context, CondContext):
                    raise TypeError(
                        f"{value.name!r} is not in a conditional of the loop {forward.name!r}, but in {context}"
                    )
                with inside(context.outer_context if dead_branch else context):
                    pushed = b.StackPushV2(entered, value, swap_memory=forward.swap_memory)
                if dead_branch:
                    pushed.op.control_flow_context = context
                graph.add_control_inputs(self.forward_sync, (pushed.op,))
            graph.add_control_inputs(pushed.op, (self.forward_index.op.inputs[0].op,))
        return stack

    def pop(self, stack: Tensor, value: Tensor, dead_branch: bool = False) -> Tensor:
        """What was pushed of `value`, in the gradient loop."""
        b = self.b
        outermost = stack.op.control_flow_context
        context: ControlFlowContext | None = value.op.control_flow_context
        while context is not None and context is not outermost and not isinstance(context, CondContext):
            context = context.outer_context
        with self.graph.control_dependencies(None), self.grad_context.entered():
            if isinstance(context, CondContext) and context is not outermost:
                pred: Any = None
                state: LoopGradient | None = self
                while pred is None and state is not None:
                    pred, state = state.history.get(context.pred.name), state.outer
                branch = 1 - context.branch if dead_branch else context.branch
                stack = control_nodes.switch_beside(b, stack, context.pred if pred is None else pred)[branch]
            popped: Tensor = b.StackPopV2(stack, elem_type=value.dtype.base)
            popped.set_shape(value.shape)
        if self.grad_context.parallel_iterations > 1:
            self.graph.add_control_inputs(self.grad_sync, (popped.op,))
        return popped

    def value(self, value: Tensor) -> Tensor:
        """What stands for a value of the forward loop; call it in the gradient loop."""
        found = self.history.get(value.name)
        if found is not None:
            return found
        source, state = value, self
        while True:
            entered = _constant_enter(source)
            if entered is not None:
                source = entered.inputs[0]
                if state.outer is None:  # outside of all loops: it needs no history
                    found = self.grad_context.AddValue(source)
                    break
                state = state.outer
            elif source.op.type == "Const":
                found = self.b.constant(constant.constant_value(source), source.dtype)
                break
            else:
                with self.suspended():
                    stack = state.push(source)
                found = state.pop(stack, source)
                if state is not self:
                    found = self.grad_context.AddValue(found)
                break
        self.history[value.name] = found
        return found

    @contextlib.contextmanager
    def suspended(self) -> Iterator[None]:
        """Leave the gradient loop for a while."""
        self.grad_context.Exit()
        try:
            yield
        finally:
            self.grad_context.Enter()

    def accumulated(self, op: Operation, grad: Tensor) -> Tensor:
        """The sum of the gradients that a loop invariant gets in all iterations; `op` is its Enter."""
        b, context = self.b, self.grad_context
        context.Exit()
        outer = context.outer_context
        if grad.shape.known:
            with inside(outer):
                start = b.constant(0, grad.dtype.base, shape=grad.shape, name="b_acc")
        elif self.outer is not None and isinstance(outer, WhileContext) and outer.grad_state is not None:
            with inside(self.forward_context.outer_context):
                shape = b.shape(op.inputs[0], optimize=False)
            stack = self.outer.push(shape)
            with inside(outer):
                start = b.zeros(self.outer.pop(stack, shape), grad.dtype.base)
        else:
            with inside(outer):
                start = b.zeros(b.shape(op.inputs[0], optimize=False), grad.dtype.base)
        context.Enter()
        entered = self._enter(context, start, "b_acc")
        merged = control_nodes.merge(b, [entered, entered], name="b_acc")[0]
        left, stays = control_nodes.switch(b, merged, context.pivot)
        after = control_nodes.next_iteration(b, b.AddV2(stays, grad, name="Add"))
        self.graph.update_input(merged.op, 1, after)
        return self._leave(left)

    def accumulated_slices(self, op: Operation, grad: IndexedSlices) -> IndexedSlices:
        """`accumulated` for rows of a loop invariant: those of all iterations, one behind another."""
        b, context = self.b, self.grad_context
        context.Exit()
        with inside(context.outer_context):
            starts = self._no_slices(op, grad)
        context.Enter()
        entered = [self._enter(context, start, "b_acc", keep_shape=False) for start in starts]
        entered[0].set_shape([None])
        sizes = starts[1].shape.sizes
        if sizes is not None:
            entered[1].set_shape([None, *sizes[1:]])
        merged = [control_nodes.merge(b, [value, value], name="b_acc")[0] for value in entered]
        ways = [control_nodes.switch(b, value, context.pivot) for value in merged]
        new = [b.concat([stays, more], 0) for (_, stays), more in zip(ways, (grad.indices, grad.values), strict=False)]
        if grad.dense_shape is not None:
            new.append(b.Maximum(grad.dense_shape, ways[2][1]))
        after = [control_nodes.next_iteration(b, value) for value in new]
        for value, following in zip(merged, after, strict=True):
            self.graph.update_input(value.op, 1, following)
        left = [control_nodes.exit(b, leaves, name="b_acc") for leaves, _ in ways]
        context.loop_exits.extend(left)
        context.ExitResult(left)
        return IndexedSlices(left[1], left[0], left[2] if len(left) == 3 else None)

    def _no_slices(self, op: Operation, grad: IndexedSlices) -> list[Tensor]:
        """What the indices, values and shape of slices are before the first iteration: a row of zeros for row 0."""
        b, source = self.b, op.inputs[0]
        if grad.values.shape.known:
            row = (1, *grad.values.shape.as_list()[1:])
            with inside(self.grad_context.outer_context):
                values = b.constant(0, grad.values.dtype.base, shape=row, name="b_acc")
        else:
            sizes = b.concat([[1], _row_sizes(b, source)], 0)
            values = b.zeros(sizes, grad.values.dtype.base)
        starts = [b.constant([0], grad.indices.dtype.base), values]
        if grad.dense_shape is not None:
            dtype = grad.dense_shape.dtype.base
            if grad.dense_shape.shape.known:
                starts.append(b.constant(0, dtype, shape=grad.dense_shape.shape))
            else:
                sizes = b.shape(source, out_type=dtype, optimize=False)
                starts.append(b.zeros_like(sizes, optimize=False))
        return starts

    def _leave(self, value: Tensor) -> Tensor:
        left = control_nodes.exit(self.b, value, name="b_acc")
        self.grad_context.loop_exits.append(left)
        self.grad_context.ExitResult([left])
        return left


def _row_sizes(b: Builder, source: Tensor) -> Any:
    """The sizes of a row of a value, or of the variable behind a handle."""
    if source.dtype is not dtypes.resource:
        return getitem(b, b.shape(source, optimize=False), slice(1, None))
    while source.op.inputs:
        source = source.op.inputs[0]
    return list(source.op.get_attr("shape").sizes[1:])


def _constant_enter(value: Tensor) -> Operation | None:
    """The Enter of a loop invariant, if the value is one."""
    op = value.op
    while op.type in ("Switch", "RefSwitch", "Identity", "RefIdentity"):
        op = op.inputs[0].op
    return op if is_constant_enter(op) else None


class LoopGradients:
    """The loops of one call of `gradients`."""

    def __init__(self, b: Builder) -> None:
        self.b = b
        self.states: dict[WhileContext, LoopGradient] = {}

    def add(self, op: Operation) -> list[Operation]:
        """Make the gradient loop of the loop that the Exit `op` leaves, if it is new; all Exits of the loop then."""
        forward = loop_of(op)
        if forward is None or forward in self.states:
            return []
        outer = None if forward.outer_context is None else forward.outer_context.GetWhileContext()
        state = LoopGradient(self.b, forward, None if outer is None else self.states.get(outer))
        self.states[forward] = state
        return [t.op for t in state.forward_exits]

    def state_of(self, op: Operation, before: bool) -> LoopGradient | None:
        """The state of the loop that an operation is in; `before` an Exit's gradient, of the loop around."""
        forward = loop_of(op)
        if before and op.type in LOOP_EXITS and forward is not None:
            forward = None if forward.outer_context is None else forward.outer_context.GetWhileContext()
        return None if forward is None else self.states.get(forward)

    def entered(self, op: Operation, before: bool) -> contextlib.AbstractContextManager[None]:
        """Stand in the gradient loop of the loop that the operation is in."""
        state = self.state_of(op, before)
        return inside(None if state is None else state.grad_context)

    def unused_exits(self, pending: dict[Operation, int], starts: set[Operation]) -> list[Tensor]:
        """Exits that nothing uses of loops of which another Exit is a y: they get zeros."""
        found: list[Tensor] = []
        for state in self.states.values():
            for exit in state.forward_exits:
                if pending.get(exit.op, 0) == 0:
                    state.pending_exits -= 1
                    if exit.op not in starts:
                        state.unused_exits.append(exit)
                    if state.pending_exits == 0:
                        found.extend(state.unused_exits)
            for enter in state.forward_context.loop_enters:
                if pending.get(enter.op, 0) == 0:
                    pending[enter.op] = 1
        return found

    def zeros_for_exit(self, exit: Tensor) -> Tensor:
        """The gradient of an Exit that nothing uses."""
        b = self.b
        forward = exit.op.control_flow_context
        outer_loop = None if forward.outer_context is None else forward.outer_context.GetWhileContext()
        outer = None if outer_loop is None else self.states.get(outer_loop)
        if outer is None:
            if exit.shape.known:
                return b.zeros(exit.shape, exit.dtype.base)
            return b.zeros_like(exit, optimize=False)
        if exit.shape.known:
            with outer.grad_context.entered():
                return b.zeros(exit.shape, exit.dtype.base)
        with forward.outer_context.entered():
            shape = b.shape(exit, optimize=False)
        stack = outer.push(shape)
        with outer.grad_context.entered():
            return b.zeros(outer.pop(stack, shape), exit.dtype.base)

    def zeros(self, op: Operation, index: int, otherwise: Callable[[Operation, int], Tensor]) -> Tensor | None:
        """The gradient of an output that nothing uses; call it in the gradient loop."""
        if is_loop_switch(op):
            return None
        forward = loop_of(op)
        state = None if forward is None else self.states.get(forward)
        if state is None:
            return otherwise(op, index)
        b, context, value = self.b, op.control_flow_context, op.outputs[index]
        dead = op.type in SWITCHES
        if value.shape.known:
            if value.dtype.base is dtypes.resource:
                zeros = b.zeros(b.op("VariableShape", value), dtypes.float32)
            else:
                zeros = b.constant(0, value.dtype.base, shape=value.shape)
            if dead:
                zeros = control_nodes.switch_beside(b, zeros, state.history[context.pred.name])[1 - context.branch]
            return zeros
        if dead:
            with context.outer_context.entered():
                value = control_nodes.switch_beside(b, op.inputs[0], context.pred)[1 - context.branch]
                shape = b.shape(value, optimize=False)
            value.op.control_flow_context = context
            shape.op.control_flow_context = context
        else:
            with context.entered():
                shape = b.shape(value, optimize=False)
        with state.suspended():
            stack = state.push(shape, dead)
        return b.zeros(state.pop(stack, shape, dead), value.dtype.base)

    def finish(self) -> None:
        """Give zeros to loop variables whose next value does not depend on the last."""
        b = self.b
        for state in self.states.values():
            for merged in state.switches.values():
                first, again = merged.op.inputs
                if first is not again:
                    continue
                context = state.grad_context
                if first.shape.known:
                    with context.entered():
                        after = control_nodes.next_iteration(b, b.constant(0, first.dtype.base, shape=first.shape))
                else:
                    with inside(context.outer_context):
                        zeros = b.zeros(b.shape(first.op.inputs[0], optimize=False))
                    with context.entered():
                        after = control_nodes.next_iteration(b, zeros)
                b.graph.update_input(merged.op, 1, after)
