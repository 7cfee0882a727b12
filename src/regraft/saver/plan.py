"""What a Saver's restore operation restores, read from its nodes.

That operation is a group of assignments of what RestoreV2 ops give. The nodes say which key, and which part of it, goes
into which variable, so nothing needs to be run to compare them with a checkpoint, or to restore them. What is no
assignment (a table that takes its keys and values) is run, with the tensors that it wants fed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from regraft import proto
from regraft.base.dtypes import DType
from regraft.base.shapes import TensorShape
from regraft.ir.graph import Graph
from regraft.ir.node import Operation, Tensor
from regraft.opkit.constant import constant_value
from regraft.runtime.planner import variable_name

_ASSIGN = ("Assign", "AssignVariableOp")
_RESTORE = ("RestoreV2", "Restore", "RestoreSlice")
_VARIABLES = ("VariableV2", "Variable", "VarHandleOp")


@dataclass(frozen=True, slots=True)
class Wanted:
    """One tensor of a checkpoint: `key`, the part of it that `slice_spec` names ("" for all), as `dtype`."""

    key: str
    slice_spec: str
    dtype: DType


@dataclass(frozen=True, slots=True)
class Target:
    """A variable that takes a tensor.

    variable  its name in the session
    shape     the shape it must have, unknown where any will do
    reshape   bring the tensor into `shape`, which is known, instead of requiring it
    """

    wanted: Wanted
    variable: str
    shape: TensorShape
    reshape: bool


@dataclass(frozen=True, slots=True)
class RestorePlan:
    """What is restored: variables, and operations that are run with tensors of the checkpoint fed."""

    targets: tuple[Target, ...]
    operations: tuple[Operation, ...]
    feeds: tuple[tuple[Tensor, Wanted], ...]


def plan_restore(graph: Graph, saver_def: proto.SaverDef) -> RestorePlan | None:
    """The plan of a Saver, or None where only a run can tell what it restores (keys that are computed, other files).

    raises  KeyError where the graph lacks the Saver's restore operation
    """
    filename = graph.get_tensor_by_name(saver_def.filename_tensor_name)
    reader = _Reader(filename)
    root = graph.get_operation_by_name(saver_def.restore_op_name)
    targets: list[Target] = []
    operations: list[Operation] = []
    try:
        for op in _grouped(root):
            target = reader.target(op)
            if target is None:
                operations.append(op)
            else:
                targets.append(target)
        fed = {tensor: None for op in operations for tensor in reader.restored_for(op)}
        feeds = tuple((tensor, reader.wanted(tensor)) for tensor in fed)
    except _UnknownError:
        return None
    return RestorePlan(tuple(targets), tuple(operations), feeds)


def _grouped(root: Operation) -> Iterator[Operation]:
    """The operations that a group stands for."""
    seen = {root}
    stack = [root]
    while stack:
        op = stack.pop()
        if op.type != "NoOp":
            yield op
        # A sequence of assignments stays one without its order.
        for other in reversed(op.control_inputs if op.type in ("NoOp", *_ASSIGN) else ()):
            if other not in seen:
                seen.add(other)
                stack.append(other)


class _UnknownError(Exception):
    """What is restored follows from values, not from the graph."""


class _Reader:
    """Reads the restore ops of one graph; the constants of each are decoded once."""

    def __init__(self, filename: Tensor) -> None:
        self._filename = filename
        self._known: dict[Operation, list[Wanted]] = {}

    def wanted(self, tensor: Tensor) -> Wanted:
        """What an output of a restore op is."""
        op = tensor.op
        found = self._known.get(op)
        if found is None:
            if op.inputs[0] is not self._filename:
                raise _UnknownError
            keys = _texts(op.inputs[1])
            specs = _texts(op.inputs[2]) if len(op.inputs) > 2 else [""] * len(keys)
            found = [Wanted(k, s, t.dtype.base) for k, s, t in zip(keys, specs, op.outputs, strict=True)]
            self._known[op] = found
        return found[tensor.value_index]

    def target(self, op: Operation) -> Target | None:
        """The variable that an assignment restores; None for anything else."""
        if op.type not in _ASSIGN:
            return None
        reference, value = op.inputs
        variable = reference.op
        shape = reference.shape if reference.dtype.is_ref else TensorShape(variable.attrs.get("shape"))
        if op.type == "Assign" and not op.attrs.get("validate_shape", True):
            shape = TensorShape(None)
        reshape = False
        while value.op.type in ("Identity", "Reshape"):
            if value.op.type == "Reshape":
                sizes = constant_value(value.op.inputs[1])
                if reshape or sizes is None or (sizes < 0).any():
                    return None
                shape, reshape = TensorShape(sizes.tolist()), True
            value = value.op.inputs[0]
        if value.op.type not in _RESTORE or variable.type not in _VARIABLES:
            return None
        return Target(self.wanted(value), variable_name(variable), shape, reshape)

    def restored_for(self, op: Operation) -> Iterator[Tensor]:
        """The outputs of restore ops that an operation depends on."""
        seen = {op}
        stack = [op]
        while stack:
            at = stack.pop()
            for tensor in at.inputs:
                if tensor.op.type in _RESTORE:
                    yield tensor
                elif tensor is self._filename:
                    raise _UnknownError
                elif tensor.op not in seen:
                    seen.add(tensor.op)
                    stack.append(tensor.op)
            for other in at.control_inputs:
                if other.type in _RESTORE:
                    raise _UnknownError
                if other not in seen:
                    seen.add(other)
                    stack.append(other)


def _texts(tensor: Tensor) -> list[str]:
    value = constant_value(tensor)
    if value is None:
        raise _UnknownError
    return [text.decode("utf-8", "surrogateescape") for text in np.asarray(value).reshape(-1)]
