"""The contexts of v1 control flow: what a branch or a loop does to the operations that are made inside it.

While a context is entered, the graph hands it every new operation (`AddOp`). The context brings the operation's inputs
inside (`AddValue`): through a Switch into a branch, through an Enter into a loop. What has no inputs waits for the
context's pivot instead. Tensors are known by name, as the protos keep them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any

from regraft import proto
from regraft.base import names
from regraft.ir.graph import Graph
from regraft.ir.node import Operation, Tensor
from regraft.opkit import control_nodes
from regraft.opkit.builder import Builder
from regraft.opkit.flow import output_context

LOOP_ENTERS = frozenset({"Enter", "RefEnter"})
LOOP_EXITS = frozenset({"Exit", "RefExit"})
SWITCHES = frozenset({"Switch", "RefSwitch"})
CALLS = frozenset({"PartitionedCall", "StatefulPartitionedCall"})


class ControlFlowContext:
    """A branch of a conditional, or a loop.

    name           scope and all, the name of the context in the graph's collection; of a loop its frame's, too
    outer_context  the context in which this one was made, or None
    """

    grad_state: Any = None
    back_prop: bool = False

    def __init__(self, graph: Graph, name: str) -> None:
        self.graph = graph
        self.name = name
        self.outer_context: ControlFlowContext | None = graph.scopes.control_flow_context
        self._nested: list[ControlFlowContext] = []
        self._values: set[str] = set()
        self._external: dict[str, Tensor] = {}
        self._left: list[Any] = []
        if self.outer_context is not None:
            self.outer_context._nested.append(self)

    def __str__(self) -> str:
        return self.name

    # What it is

    def IsCondContext(self) -> bool:
        return False

    def IsWhileContext(self) -> bool:
        return False

    def IsXLAContext(self) -> bool:
        return False

    def GetWhileContext(self) -> WhileContext | None:
        """The loop that this context is or is in."""
        return None if self.outer_context is None else self.outer_context.GetWhileContext()

    def GetControlPivot(self) -> Tensor | None:
        """What runs exactly when the context's operations may."""
        raise NotImplementedError

    def is_in(self, other: ControlFlowContext | None) -> bool:
        """Whether this context is `other` or inside it. Everything is inside None."""
        found: ControlFlowContext | None = self
        while found is not None and found is not other:
            found = found.outer_context
        return found is other

    # Entering and leaving

    def Enter(self) -> None:
        self._left.append(self.graph.scopes.control_flow_context)
        self.graph.scopes.control_flow_context = self

    def Exit(self) -> None:
        self.graph.scopes.control_flow_context = self._left.pop()

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Make operations in this context."""
        self.Enter()
        try:
            yield
        finally:
            self.Exit()

    def ExitResult(self, results: Iterable[Tensor]) -> None:
        """Make what the context gives known to the one outside it."""
        if self.outer_context is not None:
            for tensor in results:
                self.outer_context.AddName(tensor.name)

    # Operations and values

    def AddName(self, name: str) -> None:
        self._values.add(name)

    def AddInnerOp(self, op: Operation) -> None:
        """Hear of an operation that was made in a context inside this one."""
        if self.outer_context is not None:
            self.outer_context.AddInnerOp(op)

    def AddOp(self, op: Operation) -> None:
        """Take in a new operation of this context."""
        self._take_in(op)

    def _take_in(self, op: Operation) -> None:
        raise NotImplementedError

    def AddValue(self, val: Tensor) -> Tensor:
        """What stands for `val` inside this context."""
        raise NotImplementedError

    def check_use(self, context: ControlFlowContext | None, op_type: str, name: str, source: Operation) -> None:
        """ValueError if an operation in `context` can't take what `source`, in this context, gives.

        Values leave a loop through its exits alone.
        """
        mine = output_context(source)
        if mine is None or mine is context:
            return
        loop = None if context is None else context.GetWhileContext()
        source_loop = mine.GetWhileContext()
        if loop is None:
            if source_loop is None or op_type in LOOP_ENTERS or op_type in SWITCHES:
                return
            raise ValueError(
                f"Cannot use {source.name!r} as input to {name!r} because {source.name!r} is in a while loop."
            )
        if loop.is_in(source_loop) or _of_one_gradient(loop, source_loop):
            return
        raise ValueError(f"Cannot use {source.name!r} as input to {name!r} because they are in different while loops.")

    def _without_external_controls(self, op: Operation) -> tuple[list[Operation], list[Operation]]:
        """Take away the control inputs from outside the loop: those that stay, and those that went."""
        loop = self.GetWhileContext()
        if loop is None:
            return op.control_inputs, []
        inside: list[Operation] = []
        outside: list[Operation] = []
        for control in op.control_inputs:
            context = output_context(control)
            there = context is not None and context.GetWhileContext() is loop
            (inside if there else outside).append(control)
        if outside:
            self.graph.remove_all_control_inputs(op)
            self.graph.add_control_inputs(op, inside)
        return inside, outside

    def _add_pivot(self, op: Operation) -> None:
        pivot = self.GetControlPivot()
        assert pivot is not None
        self.graph.add_control_inputs(op, (pivot.op,))

    # Protos

    def to_proto(self, export_scope: str | None = None) -> Any:
        """The context's message with names below `export_scope`, or None when it lies elsewhere."""
        raise NotImplementedError

    def _values_def(self, scope: str) -> Any:
        message = proto.ValuesDef(values=[names.strip_scope(v, scope) for v in sorted(self._values)])
        for name, tensor in self._external.items():
            message.external_values[names.strip_scope(name, scope)] = names.strip_scope(tensor.name, scope)
        return message

    def _nested_defs(self, scope: str | None) -> list[Any]:
        out = []
        for context in self._nested:
            message = context.to_proto(scope)
            if message is not None:
                field = "cond_ctxt" if context.IsCondContext() else "while_ctxt"
                out.append(proto.ControlFlowContextDef(**{field: message}))
        return out

    def _read_values(self, message: Any) -> None:
        """Take over the values of a message, and the operations they come from. KeyError where one is missing."""
        self._external = {k: self.graph.get_tensor_by_name(v) for k, v in message.external_values.items()}
        self._values = set(message.values)
        own = sorted({v.partition(":")[0] for v in self._values - self._external.keys()})
        for op in [self.graph.get_operation_by_name(name) for name in own]:
            inner = op.control_flow_context
            if not isinstance(inner, CondContext) or not self._holds(inner):
                op.control_flow_context = self

    def _holds(self, branch: CondContext) -> bool:
        """Whether a branch is inside this context.

        Files from before TensorFlow 1.6 tell of both side by side. That one is inside the other shows in its condition.
        """
        pivot = self.GetControlPivot()
        inside_it = pivot is not None and pivot.name in branch._values
        if branch.outer_context is None and branch is not self and branch.pred.name in self._values and not inside_it:
            branch.outer_context = self
        return branch.outer_context is self

    def _read_nested(self, messages: Any) -> None:
        with self.entered():
            for nested in messages:
                from_proto(self.graph, getattr(nested, nested.WhichOneof("ctxt") or "cond_ctxt"))


class CondContext(ControlFlowContext):
    """One branch of a conditional.

    pred    the condition, which lies outside
    pivot   alive when the branch is taken
    branch  0 where it is taken when `pred` is false, else 1
    """

    def __init__(self, graph: Graph, pred: Tensor, pivot: Tensor, branch: int, name: str | None = None) -> None:
        super().__init__(graph, graph.unique_name("cond_text") if name is None else name)
        self.pred = pred
        self.pivot = pivot
        self.branch = branch
        self._values.update((pred.name, pivot.name))
        self._external[pred.name] = pred
        pivot.op.control_flow_context = self

    def IsCondContext(self) -> bool:
        return True

    @property
    def grad_state(self) -> Any:
        loop = self.GetWhileContext()
        return None if loop is None else loop.grad_state

    @property
    def back_prop(self) -> bool:  # type: ignore[override]  # the loop's
        loop = self.GetWhileContext()
        return loop is not None and loop.back_prop

    def GetControlPivot(self) -> Tensor:
        return self.pivot

    def AddValue(self, val: Tensor) -> Tensor:
        if val.name in self._values:
            return self._external.get(val.name, val)
        self._values.add(val.name)
        outside = self._known_outside(val)
        with self.graph.control_dependencies(None):
            inside: Tensor = control_nodes.switch_beside(Builder(self.graph), outside, self.pred)[self.branch]
            if self.outer_context is not None:
                self.outer_context.AddInnerOp(inside.op)
        self.graph.prevent_fetching(inside.op)
        inside.op.control_flow_context = self
        self._known_everywhere([inside])
        self._external[val.name] = inside
        return inside

    def AddResult(self, val: Tensor) -> Tensor:
        """A tensor that the branch gives: its own, or one from outside that a Switch brings in."""
        if val.name in self._values:
            return self._external.get(val.name, val)
        self._values.add(val.name)
        outside = self._known_outside(val)
        inside: Tensor = control_nodes.switch_beside(Builder(self.graph), outside, self.pred)[self.branch]
        self._external[val.name] = inside
        return inside

    def _known_outside(self, val: Tensor) -> Tensor:
        if self.outer_context is None:
            return val
        outside = self.outer_context.AddValue(val)
        self._values.add(outside.name)
        self._external[outside.name] = outside
        return outside

    def _known_everywhere(self, tensors: Iterable[Tensor]) -> None:
        found = [t.name for t in tensors]
        context: ControlFlowContext | None = self
        while context is not None:
            context._values.update(found)
            context = context.outer_context

    def _take_in(self, op: Operation) -> None:
        if not op.inputs:
            self._without_external_controls(op)
            if not any(_op_in(control, self) for control in op.control_inputs):
                self._add_pivot(op)
        else:
            for i, tensor in enumerate(op.inputs):
                # The way back of a loop that is being imported is not here yet; it comes by itself.
                back = op.type == "Merge" and tensor.op.type == "NextIteration"
                inside = tensor if back else self.AddValue(tensor)
                if inside is not tensor:
                    self.graph.update_input(op, i, inside)
            self._without_external_controls(op)
            if op.type == "SymbolicGradient" or self.graph.function(op.type) is not None:
                self._add_pivot(op)
        self._known_everywhere(op.outputs)
        if self.outer_context is not None or op.type not in LOOP_EXITS:
            self.graph.prevent_fetching(op)
        if self.outer_context is not None:
            self.outer_context.AddInnerOp(op)

    def to_proto(self, export_scope: str | None = None) -> Any:
        scope = export_scope or ""
        if not names.in_scope(self.name, scope):
            return None
        return proto.CondContextDef(
            context_name=names.strip_scope(self.name, scope),
            pred_name=names.strip_scope(self.pred.name, scope),
            pivot_name=names.strip_scope(self.pivot.name, scope),
            branch=self.branch,
            values_def=self._values_def(scope),
            nested_contexts=self._nested_defs(export_scope),
        )

    @classmethod
    def from_proto(cls, graph: Graph, message: Any) -> CondContext:
        """The context that the message tells of, with the names of this graph. KeyError where a node is missing."""
        pred = graph.get_tensor_by_name(message.pred_name)
        pivot = graph.get_tensor_by_name(message.pivot_name)
        context = cls(graph, pred, pivot, message.branch, message.context_name)
        context._read_values(message.values_def)
        context._read_nested(message.nested_contexts)
        return context


class WhileContext(ControlFlowContext):
    """A loop.

    pivot           the loop's condition, a LoopCond's output
    pivot_for_pred  runs in each iteration, before the condition
    pivot_for_body  runs in each iteration but the last, in which the condition is false
    loop_enters     the initial values of the loop variables, inside
    loop_exits      their last values, outside
    """

    def __init__(
        self,
        graph: Graph,
        name: str | None = None,
        maximum_iterations: Tensor | None = None,
        parallel_iterations: int = 10,
        back_prop: bool = True,
        swap_memory: bool = False,
        grad_state: Any = None,
    ) -> None:
        if not isinstance(parallel_iterations, int) or parallel_iterations <= 0:
            raise ValueError(f"'parallel_iterations' must be a positive integer: {parallel_iterations}")
        super().__init__(graph, graph.unique_name("while_context") if name is None else name)
        self.maximum_iterations = maximum_iterations
        self.parallel_iterations = parallel_iterations
        self.back_prop = back_prop
        self.swap_memory = swap_memory
        self.grad_state = grad_state
        self.pivot: Tensor | None = None
        self.pivot_for_pred: Tensor | None = None
        self.pivot_for_body: Tensor | None = None
        self.loop_enters: list[Tensor] = []
        self.loop_exits: list[Tensor] = []

    def IsWhileContext(self) -> bool:
        return True

    def GetWhileContext(self) -> WhileContext:
        return self

    def GetControlPivot(self) -> Tensor | None:
        return self.pivot_for_pred if self.pivot_for_body is None else self.pivot_for_body

    def only_knows(self, tensors: Iterable[Tensor]) -> None:
        """Forget all values but these."""
        self._values = {t.name for t in tensors}

    def AddValue(self, val: Tensor) -> Tensor:
        if val.name in self._values or val.op.control_flow_context is self:
            return self._external.get(val.name, val)
        self._values.add(val.name)
        state = self._gradient_of(val.op)
        if state is not None:
            remembered: Tensor = state.value(val)
            self._external[val.name] = remembered
            return remembered
        outside = val if self.outer_context is None else self.outer_context.AddValue(val)
        entered = self.entering(outside, is_constant=True)
        self.fix_enters([entered])
        self._values.add(entered.name)
        self._external[val.name] = entered
        return entered

    def _gradient_of(self, op: Operation) -> Any:
        """The state of the gradient loop in which we stand, if `op` gives its value in the forward loop."""
        current = self.graph.scopes.control_flow_context
        loop = None if current is None else current.GetWhileContext()
        if loop is None or loop.grad_state is None:
            return None
        context = output_context(op)
        forward = None if context is None else context.GetWhileContext()
        return loop.grad_state if forward is loop.grad_state.forward_context else None

    def entering(self, outside: Tensor, is_constant: bool, keep_shape: bool = True) -> Tensor:
        """An Enter into this loop. Its place among the contexts is settled by `fix_enters`."""
        with self.graph.control_dependencies(None):
            entered: Tensor = control_nodes.enter(
                Builder(self.graph), outside, self.name, is_constant, self.parallel_iterations, keep_shape
            )
            self.graph.prevent_feeding(entered)
            if self.outer_context is not None:
                self.outer_context.AddInnerOp(entered.op)
        return entered

    def fix_enters(self, enters: Iterable[Tensor]) -> None:
        """Give Enters those control inputs of the current scopes that lie in a context around this loop."""
        scopes = self.graph.scopes
        outer_loop = None if self.outer_context is None else self.outer_context.GetWhileContext()
        for entered in enters:
            kept = []
            for control in scopes.control_inputs_for([entered.op.inputs[0]]):
                context, wanted = self.outer_context, output_context(control)
                while context is not wanted and context is not None and context is not outer_loop:
                    context = context.outer_context
                if context is wanted:
                    kept.append(control)
            entered.op.control_flow_context = self
            self.graph.add_control_inputs(entered.op, kept)
            for scope in scopes.controls:
                scope.saw(entered.op)

    def AddOp(self, op: Operation) -> None:
        if op.type in ("Shape", "Size", "Rank") and self._gradient_of(op.inputs[0].op) is not None:
            # Better a history of the shapes than one of the values.
            op.control_flow_context = op.inputs[0].op.control_flow_context
            op.control_flow_context._take_in(op)
        else:
            self._take_in(op)

    def _take_in(self, op: Operation) -> None:
        graph = self.graph
        if op.type in CALLS:
            self._add_pivot(op)
        if not op.inputs:
            inside, outside = self._without_external_controls(op)
            if not inside:
                self._add_pivot(op)
        else:
            for i, tensor in enumerate(op.inputs):
                entered = self.AddValue(tensor)
                if entered is not tensor:
                    graph.update_input(op, i, entered)
            _, outside = self._without_external_controls(op)
            if self._never_waits(op):
                self._add_pivot(op)
        self._values.update(t.name for t in op.outputs)
        if outside:
            # What the operation has to wait for outside comes in as a value.
            with graph.control_dependencies(None), self.entered():
                b = Builder(graph)
                waits = [b.identity(control.outputs[0]).op for control in outside if control.outputs]
            graph.add_control_inputs(op, waits)
        if self.outer_context is not None or op.type not in LOOP_EXITS:
            graph.prevent_fetching(op)
            for tensor in op.outputs:
                graph.prevent_feeding(tensor)
        if self.outer_context is not None:
            self.outer_context.AddInnerOp(op)

    def _never_waits(self, op: Operation) -> bool:
        """Whether the operation takes loop invariants alone, so that nothing else keeps it to an iteration."""
        if op.control_inputs:
            return False
        if op.type == "SymbolicGradient" or self.graph.function(op.type) is not None:
            return True
        return all(is_constant_enter(t.op) for t in op.inputs)

    def to_proto(self, export_scope: str | None = None) -> Any:
        scope = export_scope or ""
        if not names.in_scope(self.name, scope):
            return None

        def named(tensor: Tensor | None) -> str:
            return "" if tensor is None else names.strip_scope(tensor.name, scope)

        return proto.WhileContextDef(
            context_name=names.strip_scope(self.name, scope),
            parallel_iterations=self.parallel_iterations,
            maximum_iterations_name=named(self.maximum_iterations),
            back_prop=self.back_prop,
            swap_memory=self.swap_memory,
            pivot_for_pred_name=named(self.pivot_for_pred),
            pivot_for_body_name=named(self.pivot_for_body),
            pivot_name=named(self.pivot),
            loop_exit_names=[named(t) for t in self.loop_exits],
            loop_enter_names=[named(t) for t in self.loop_enters],
            values_def=self._values_def(scope),
            nested_contexts=self._nested_defs(export_scope),
        )

    @classmethod
    def from_proto(cls, graph: Graph, message: Any) -> WhileContext:
        """The context that the message tells of, with the names of this graph. KeyError where a node is missing."""

        def tensor(name: str) -> Tensor | None:
            return graph.get_tensor_by_name(name) if name else None

        maximum = tensor(message.maximum_iterations_name)
        iterations = message.parallel_iterations
        context = cls(graph, message.context_name, maximum, iterations, message.back_prop, message.swap_memory)
        context.pivot = tensor(message.pivot_name)
        context.pivot_for_pred = tensor(message.pivot_for_pred_name)
        context.pivot_for_body = tensor(message.pivot_for_body_name)
        context.loop_exits = [graph.get_tensor_by_name(name) for name in message.loop_exit_names]
        context.loop_enters = [graph.get_tensor_by_name(name) for name in message.loop_enter_names]
        context._read_values(message.values_def)
        context._read_nested(message.nested_contexts)
        return context


def from_proto(graph: Graph, message: Any) -> ControlFlowContext:
    """The context that a CondContextDef or WhileContextDef tells of. KeyError where a node that it names is missing."""
    kind: Any = WhileContext if isinstance(message, proto.WhileContextDef) else CondContext
    context: ControlFlowContext = kind.from_proto(graph, message)
    return context


def is_constant_enter(op: Operation) -> bool:
    """Whether the operation brings a loop invariant in."""
    return op.type in LOOP_ENTERS and bool(op.attrs.get("is_constant"))


def _op_in(op: Operation, context: ControlFlowContext) -> bool:
    found: ControlFlowContext | None = op.control_flow_context
    return found is not None and found.is_in(context)


def _of_one_gradient(loop: WhileContext, source: WhileContext | None) -> bool:
    """Whether one loop is the gradient of the other, or of one inside it."""
    if source is None:
        return True
    if loop.grad_state is not None:
        forward = loop.grad_state.forward_context
        return bool(forward.is_in(source)) or forward is source.outer_context
    return source.grad_state is not None and source.grad_state.forward_context is loop
