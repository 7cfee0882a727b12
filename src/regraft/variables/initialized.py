"""The initial value of a variable that depends on other variables: safe whatever is initialized first.

`w = Variable(v * 2)` must not read `v` before `v` has a value. So every read of a variable on the way to an initial
value is replaced by "its value if it has one, else its own initial value", a conditional; nodes between are copied.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from regraft.ir.graph import Graph
from regraft.ir.graph_keys import GraphKeys
from regraft.ir.node import Operation, Tensor
from regraft.opkit.builder import Builder
from regraft.opkit.conditional import build_cond

if TYPE_CHECKING:
    from regraft.variables.variable import Variable

_VARIABLES = frozenset({"Variable", "VariableV2"})
_READS = frozenset({"Variable", "VariableV2", "VarHandleOp", "ReadVariableOp"})


def initialized_value(variable: Variable) -> Tensor:
    """The variable's value, or its initial value as long as it has none."""
    graph, initial = variable.graph, variable.initial_value
    if initial is None:
        raise ValueError(f"Variable {variable.name!r} has no initial value.")
    b = Builder(graph)
    with graph.control_dependencies(None):
        if variable._variable.dtype.is_ref:
            ready = b.op("IsVariableInitialized", variable._variable)
        else:
            ready = b.op("VarIsInitializedOp", variable._variable)
        with graph.name_scope("cond"):
            value: Tensor = build_cond(b, ready, variable.read_value, lambda: initial, strict=False)
    return value


def guarded(scope: str, value: Tensor, handle: Tensor | None = None) -> Tensor:
    """`value` with every variable that it reads replaced by that variable's initialized value.

    `value` itself where it reads none, or where it lies in a cycle (a loop), which stays as it is.
    """
    graph = value.graph
    if not _reads_variables(value, handle):
        return value
    return _safe_tensor(graph, value, scope, {})


def _reads_variables(value: Tensor, handle: Tensor | None) -> bool:
    """Whether a variable lies behind `value`, and no cycle does."""
    found = False
    done: set[Operation] = set()
    path: set[Operation] = set()
    stack: list[tuple[Operation, bool]] = [(value.op, False)]
    while stack:
        op, left = stack.pop()
        if left:
            path.discard(op)
            done.add(op)
            continue
        if op in done:
            continue
        if op in path:
            return False
        path.add(op)
        found = found or op.type in _READS
        stack.append((op, True))
        for source in [t.op for t in op.inputs] + op.control_inputs:
            if source in path:
                return False
            if source not in done:
                stack.append((source, False))
    return found


def _safe_tensor(graph: Graph, tensor: Tensor, scope: str, cache: dict[Operation, Operation]) -> Tensor:
    op = tensor.op
    if op.type in ("IsVariableInitialized", "VarIsInitializedOp", "ReadVariableOp", "If"):
        return tensor
    if op.type in ("Variable", "VariableV2", "VarHandleOp"):
        variable = _variable_of(graph, op)
        if variable is not None and variable.initial_value is not None:
            with _named(graph, scope):
                return initialized_value(variable)
        return tensor
    copied = cache.get(op)
    if copied is None:
        copied = cache[op] = _copy_if_changed(graph, op, scope, cache)
    return copied.outputs[tensor.value_index]


def _copy_if_changed(graph: Graph, op: Operation, scope: str, cache: dict[Operation, Operation]) -> Operation:
    inputs = [_safe_tensor(graph, t, scope, cache) for t in op.inputs]
    if all(new is old for new, old in zip(inputs, op.inputs, strict=True)):
        return op
    attrs: dict[str, Any] = dict(op.attrs)
    own = scope.rstrip("/").replace(":", "_")
    with graph.name_scope(None):
        name = graph.unique_name(f"{op.name}_{own}")
        op_type = "Switch" if op.type == "RefSwitch" else op.type
        return graph.create_op(op_type, inputs, [t.base for t in op.output_types], attrs, name=f"{name}/")


def _variable_of(graph: Graph, op: Operation) -> Variable | None:
    for key in (GraphKeys.GLOBAL_VARIABLES, GraphKeys.LOCAL_VARIABLES):
        for variable in graph.get_collection(key):
            if getattr(variable, "op", None) is op:
                found: Variable = variable
                return found
    return None


@contextlib.contextmanager
def _named(graph: Graph, scope: str) -> Iterator[None]:
    with graph.name_scope(scope):
        yield
