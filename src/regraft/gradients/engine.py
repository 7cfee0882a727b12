"""Reverse-mode differentiation of a graph, by adding ops to it.

The walk goes from the ys back to the xs over the operations between them. An operation is visited when the gradients of
all its consumers are there; its op's rule then adds the gradients of its inputs, in a scope `<operation>_grad`. The
order of the walk, and so every name, is TensorFlow's.
"""

from __future__ import annotations

import contextlib
import enum
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

from regraft.base import dtypes
from regraft.ir.graph import Graph
from regraft.ir.node import Operation, Tensor
from regraft.opkit import control_nodes, registry
from regraft.opkit.builder import Builder
from regraft.opkit.control_context import LOOP_EXITS, SWITCHES, CondContext
from regraft.opkit.loop_gradient import LoopGradients, is_loop_switch
from regraft.opkit.slices import IndexedSlices

Grad = Tensor | IndexedSlices


class AggregationMethod:
    """How several gradients of one tensor are summed. All of them give AddN here, as TensorFlow's default does."""

    ADD_N = 0
    DEFAULT = ADD_N
    EXPERIMENTAL_TREE = 1
    EXPERIMENTAL_ACCUMULATE_N = 2


class UnconnectedGradients(enum.Enum):
    """What the gradient is where no path leads from y to x."""

    NONE = "none"
    ZERO = "zero"


def is_trainable(tensor: Tensor) -> bool:
    """Whether a gradient can flow through a tensor of this dtype."""
    dtype = tensor.dtype.base
    return dtype.is_floating or dtype.is_complex or dtype in (dtypes.resource, dtypes.variant)


def gradients(
    graph: Graph,
    ys: Any,
    xs: Any,
    grad_ys: Any = None,
    name: str | None = "gradients",
    colocate_gradients_with_ops: bool = False,
    gate_gradients: bool = False,
    aggregation_method: int | None = None,
    stop_gradients: Any = None,
    unconnected_gradients: Any = UnconnectedGradients.NONE,
) -> list[Any]:
    """Add the ops that compute d(sum of ys)/dx for each x.

    ys, xs          tensors or what stands for them (variables), or lists of them
    grad_ys         the gradient that comes in at each y; None for ones
    gate_gradients  let no gradient of an operation be used before all of them are computed
    stop_gradients  tensors to treat as constants
    returns         for each x a Tensor, an IndexedSlices, or without a path None (or zeros: `unconnected_gradients`)
    raises          LookupError when an operation on the path has no gradient
    """
    try:
        unconnected = UnconnectedGradients(getattr(unconnected_gradients, "value", unconnected_gradients))
    except ValueError:
        raise ValueError(f"Unknown value for unconnected_gradients: {unconnected_gradients!r}") from None
    walk = _Walk(graph, colocate_gradients_with_ops, gate_gradients)
    ys = [walk.b.convert(y) if hasattr(y, "handle") else y for y in _as_list(ys)]
    xs = [getattr(x, "handle", x) for x in _as_list(xs)]  # of a resource variable
    incoming = [None] * len(ys) if grad_ys is None else _as_list(grad_ys)
    if len(incoming) != len(ys):
        raise ValueError(f"Passed {len(incoming)} grad_ys for {len(ys)} ys")
    with graph.name_scope(name or "gradients"):
        graph.unique_name("uid")
        found = walk.run(ys, xs, incoming, _as_list(stop_gradients or []))
    if unconnected is UnconnectedGradients.ZERO:
        found = [walk.b.zeros_like(x) if grad is None else grad for x, grad in zip(xs, found, strict=True)]
    return found


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


class _Walk:
    """The state of one call: the gradients received so far for each output, and what is still to come."""

    def __init__(self, graph: Graph, colocate: bool, gate: bool) -> None:
        self.graph = graph
        self.b = Builder(graph)
        self.colocate = colocate
        self.gate = gate
        self.received: dict[Operation, list[list[Grad]]] = {}
        self.settled: dict[Operation, list[Grad | None]] = {}
        self.loops = LoopGradients(self.b)

    def run(self, ys: list[Any], xs: list[Any], incoming: list[Any], stops: list[Any]) -> list[Any]:
        ys_ = [self._convert(y, f"y_{i}") for i, y in enumerate(ys)]
        xs_ = [self._convert(x, f"x_{i}", as_ref=True) for i, x in enumerate(xs)]
        starts = self._incoming(incoming, ys_)
        from_ops = [x.op for x in xs_]
        pending, between = self._between([y.op for y in ys_], from_ops)
        for y, grad in zip(ys_, starts, strict=True):
            self._receive(y, grad)
        queue: deque[Operation] = deque()
        for op in dict.fromkeys(y.op for y in ys_):
            if pending.get(op, 0) == 0 and op in between:
                queue.append(op)
        for exit in self.loops.unused_exits(pending, set(queue)):
            if is_trainable(exit):
                self._receive(exit, self.loops.zeros_for_exit(exit))
                queue.append(exit.op)
        stop_ops = {op for op in from_ops if not any(pending.get(t.op, 0) > 0 for t in op.inputs)}
        stop_ops |= {self._convert(t, "stop").op for t in stops}
        while queue:
            op = queue.popleft()
            self._visit(op, stop_ops)
            for t in op.inputs:
                if t.op not in pending:
                    continue
                pending[t.op] -= 1
                # The Switch of a loop is visited twice: from its Exit, and from its body.
                if pending[t.op] == 0 or (pending[t.op] > 0 and self.loops.states and is_loop_switch(t.op)):
                    queue.extend(self._ready(t))
        self.loops.finish()
        return [self._result(x) for x in xs_]

    def _ready(self, tensor: Tensor) -> list[Operation]:
        """What can be visited now that the operation of `tensor` can: an Exit waits for the others of its loop."""
        state = self.loops.state_of(tensor.op, before=False) if tensor.op.type in LOOP_EXITS else None
        if state is None:
            return [tensor.op]
        state.deferred_exits.append(tensor)
        state.pending_exits -= 1
        if state.pending_exits > 0:
            return []
        used = [t.op for t in state.deferred_exits if any(self.received.get(t.op, ()))]
        state.unused_exits.extend(t for t in state.deferred_exits if not any(self.received.get(t.op, ())))
        if used:
            for exit in state.unused_exits:
                if is_trainable(exit):
                    self._receive(exit, self.loops.zeros_for_exit(exit))
        return used + [t.op for t in state.unused_exits]

    def _convert(self, value: Any, name: str, as_ref: bool = False) -> Any:
        return value if isinstance(value, IndexedSlices) else self.b.convert(value, name=name, as_ref=as_ref)

    def _incoming(self, grads: list[Any], ys: list[Any]) -> list[Grad]:
        out: list[Grad] = []
        for i, (grad, y) in enumerate(zip(grads, ys, strict=True)):
            with self._near(y.op):
                if grad is None:
                    if y.dtype.is_complex:
                        raise TypeError(
                            f"Gradients of complex tensors must set grad_ys ({y.name}: {y.dtype.base.name})"
                        )
                    out.append(self.b.ones(self.b.shape(y), y.dtype.base, name=f"grad_ys_{i}"))
                    continue
                if isinstance(grad, IndexedSlices):
                    b, dense = self.b, grad.dense_shape
                    with self.graph.name_scope(f"grad_ys_{i}"):
                        indices = b.identity(grad.indices, name="indices")
                        values = b.identity(grad.values, name="values")
                        shape = None if dense is None else b.identity(dense, name="shape")
                    out.append(IndexedSlices(values, indices, shape))
                    continue
                tensor = self.b.convert(grad, name=f"grad_y_{i}") if not isinstance(grad, Tensor) else grad
                if tensor.dtype.base is not y.dtype.base and y.dtype.base is not dtypes.variant:
                    raise TypeError(
                        f"Gradient type {tensor.dtype.name} generated for {y.name} must be {y.dtype.base.name}"
                    )
                out.append(self.b.identity(tensor, name=f"grad_ys_{i}"))
        return out

    def _between(
        self, to_ops: list[Operation], from_ops: list[Operation]
    ) -> tuple[dict[Operation, int], set[Operation]]:
        """How many gradients each operation between the xs and the ys waits for, and the set of those operations."""
        reached: set[Operation] = set()
        queue = deque(from_ops)
        while queue:
            op = queue.popleft()
            if op not in reached:
                reached.add(op)
                for output in op.outputs:
                    if is_trainable(output):
                        queue.extend(self.graph.consumers(output))
        between: list[Operation] = []
        queue = deque(to_ops)
        while queue:
            op = queue.popleft()
            if op in reached:
                between.append(op)
                reached.discard(op)
                queue.extend(t.op for t in op.inputs)
        inside = set(between)
        for op in between:  # which grows by what it meets
            if op.type in LOOP_EXITS:
                with self._near(op):
                    between.extend(exit for exit in self.loops.add(op) if exit not in inside)
                inside.update(between)
        pending: dict[Operation, int] = {}
        for op in between:
            for t in op.inputs:
                if t.op in inside:
                    pending[t.op] = pending.get(t.op, 0) + 1
        return pending, inside

    def _receive(self, tensor: Any, grad: Grad) -> None:
        lists = self.received.setdefault(tensor.op, [[] for _ in tensor.op.output_types])
        if tensor.op in self.settled:  # a loop's Switch, on its second visit
            lists[tensor.value_index].clear()
        lists[tensor.value_index].append(grad)

    def _near(self, op: Operation | None) -> contextlib.AbstractContextManager[None]:
        return self.graph.colocate_with(op) if self.colocate and op is not None else contextlib.nullcontext()

    def _aggregated(self, op: Operation) -> list[Grad | None]:
        lists = self.received.get(op)
        if lists is None:
            return [None] * len(op.output_types)
        for grads in lists:
            total = self._sum(grads)
            if total is not None:
                grads[:] = [total]
        return [grads[0] if grads else None for grads in lists]

    def _sum(self, grads: list[Grad]) -> Grad | None:
        if len(grads) < 2:
            return grads[0] if grads else None
        tensors = [g for g in grads if isinstance(g, Tensor)]
        if len(tensors) == len(grads):
            return self._add_n(tensors)
        if tensors:
            return self.b.add_n(grads)
        slices = as_int_slices(self.b, [g for g in grads if isinstance(g, IndexedSlices)])
        return IndexedSlices(
            self.b.concat([s.values for s in slices], 0),
            self.b.concat([s.indices for s in slices], 0),
            slices[0].dense_shape,
        )

    def _add_n(self, tensors: Sequence[Tensor]) -> Tensor:
        by_device: dict[str, list[Tensor]] = {}
        for t in tensors:
            by_device.setdefault(t.device, []).append(t)
        sums = []
        for device in sorted(by_device):
            group = by_device[device]
            with self.graph.colocate_with(group[0].op, ignore_existing=True):
                sums.append(self.b.add_n(group))
        return self.b.add_n(sums)

    def _visit(self, op: Operation, stop_ops: set[Operation]) -> None:
        with self._near(op), contextlib.ExitStack() as loop:
            with self.loops.entered(op, before=True):
                grads = self._aggregated(op)
            self.settled[op] = grads
            loop.enter_context(self.loops.entered(op, before=False))
            if op in stop_ops or all(g is None for g in grads):
                return
            rule = _rule(op)
            if rule is None:
                return
            for i, grad in enumerate(grads):
                if grad is None and is_trainable(op.outputs[i]):
                    grads = [*grads[:i], self.loops.zeros(op, i, self._zeros), *grads[i + 1 :]]
            with self.graph.name_scope(f"{op.name}_grad"):
                # A rule sees the gradients it was called with; shapes carry over to what it returns.
                result = rule(self.b, op, *grads)
                inputs: list[Any] = list(result) if isinstance(result, (list, tuple)) else [result]
                if len(inputs) != len(op.inputs):
                    raise ValueError(f"Num gradients {len(inputs)} generated for op {op.name!r} do not match inputs "
                                     f"{len(op.inputs)}")  # fmt: skip
                if self.gate and sum(g is not None for g in inputs) > 1:
                    with self.graph.device(None), self._ungrouped():
                        inputs = gated(self.b, inputs)
            for t, grad in zip(op.inputs, inputs, strict=True):
                if grad is None:
                    continue
                if isinstance(grad, Tensor) and t.dtype.base is not dtypes.resource:
                    try:
                        grad.set_shape(t.shape)
                    except ValueError as e:
                        raise ValueError(
                            f"Incompatible shapes between op input and calculated input gradient. Forward operation: "
                            f"{op.name!r}. Original input shape: {t.shape}. Calculated gradient shape: {grad.shape}"
                        ) from e
                self._receive(t, grad)

    @contextlib.contextmanager
    def _ungrouped(self) -> Iterator[None]:
        with self.graph.colocate_with(None, ignore_existing=True):
            yield

    def _zeros(self, op: Operation, index: int) -> Tensor:
        """The gradient of an output that nothing uses."""
        output = op.outputs[index]
        if op.type in SWITCHES and isinstance(op.control_flow_context, CondContext):
            return self._zeros_elsewhere(op, output, op.control_flow_context)
        if output.dtype.base is dtypes.resource:
            return self.b.zeros(self.b.op("VariableShape", output), dtypes.float32)
        return self.b.zeros_like(output, optimize=False)

    def _zeros_elsewhere(self, op: Operation, output: Tensor, context: CondContext) -> Tensor:
        """Zeros that are there when the branch of `op` is not taken."""
        b = self.b
        other = control_nodes.switch(b, op.inputs[0], context.pred)[1 - context.branch]
        pivot = b.identity(other)
        if output.dtype.base is dtypes.resource:
            with self.graph.control_dependencies([pivot]):
                return b.zeros(b.op("VariableShape", other), dtypes.float32)
        shape = b.shape(other, optimize=False)
        with self.graph.control_dependencies([pivot]):
            return b.zeros(shape, output.dtype.base)

    def _result(self, x: Any) -> Grad | None:
        grads = self.settled.get(x.op)
        index: int = x.value_index
        if grads is not None:
            return grads[index]
        received = self.received.get(x.op)
        return None if received is None else self._sum(received[index])


def _rule(op: Operation) -> Any:
    """The gradient rule of an operation; None where its op is known to stop gradients."""
    override = op.attrs.get("_gradient_op_type")
    if override is not None:
        rule = registry.named_gradient(override.decode())
        if rule is None:
            raise LookupError(f"gradient registry has no entry for: {override.decode()}")
        return rule
    named = registry.named_gradient(op.type)
    if named is not None:
        return named
    spec = registry.lookup(op.type)
    if spec is not None and spec.no_grad:
        return None
    raise LookupError(
        f"No gradient defined for operation {op.name!r} (op type: {op.type}). "
        "Register one with tf.RegisterGradient, or put tf.stop_gradient before it if it should count as a constant."
    )


def gated(b: Builder, grads: Sequence[Any], name: str | None = None) -> list[Any]:
    """The tensors, none of which can be used before all are computed; None stays None."""
    with b.graph.name_scope(name or "tuple"):
        present = [g for g in grads if g is not None]
        gate = b.group(*[g.op for g in present])
        return [None if g is None else _after(b, gate, g) for g in grads]


def _after(b: Builder, gate: Operation, grad: Grad) -> Grad:
    if isinstance(grad, Tensor):
        return b.with_dependencies([gate], grad)
    graph = b.graph
    with (
        graph.name_scope("control_dependency"),
        graph.colocate_with(grad.values),
        graph.control_dependencies([gate]),
    ):
        parts = [b.identity(grad.values), b.identity(grad.indices)]
        shape = None if grad.dense_shape is None else b.identity(grad.dense_shape)
    return IndexedSlices(parts[0], parts[1], shape)


def as_int_slices(b: Builder, slices: Sequence[IndexedSlices]) -> list[IndexedSlices]:
    """The slices with indices of one dtype: int64 where they differ."""
    kinds = {s.indices.dtype.base for s in slices}
    if len(kinds) < 2:
        return list(slices)
    return [IndexedSlices(s.values, b.cast(s.indices, dtypes.int64), s.dense_shape) for s in slices]
