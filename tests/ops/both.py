"""One row built twice: in a graph of TensorFlow, and in a graph of ours, node for node the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

import regraft.ops  # noqa: F401  importing it registers every op
from regraft.base import dtypes
from regraft.base.shapes import UNKNOWN, TensorShape
from regraft.ir.attr import FunctionRef, TensorValue
from regraft.ir.graph import Graph
from regraft.ir.op_def import lookup
from regraft.opkit import registry
from regraft.opkit.builder import Builder
from tests.ops.case import Case
from tests.oracle import tensorflow

# How the inputs of a row become nodes.
KNOWN = "known"  # placeholders of full shape
CONSTANTS = "constants"  # integers as constants, the rest as placeholders of full shape
PARTIAL = "partial"  # integers as constants, the rest of known rank and unknown sizes
UNKNOWN_RANK = "unknown rank"  # placeholders of unknown shape


@dataclass
class Built:
    """A row in one of the two graphs: the op's node, its flat inputs and their values."""

    graph: Any
    node: Any
    inputs: list[Any]
    values: list[Any]
    variables: dict[int, Any]


RESOURCE = np.zeros((), np.dtype([("resource", np.uint8)]))
"""Stands in a row for the handle of a resource; ops that take one are run by tests of their own."""

VARIANT = np.zeros((), np.dtype([("variant", np.uint8)]))
"""Stands in a row for a dataset or another object in a variant tensor."""


def type_of(value: np.ndarray[Any, Any]) -> dtypes.DType:
    if value.dtype == RESOURCE.dtype:
        return dtypes.resource
    if value.dtype == VARIANT.dtype:
        return dtypes.variant
    return dtypes.string if value.dtype.kind in "OSU" else dtypes.as_dtype(value.dtype)


def _flat(case: Case) -> list[tuple[Any, Any, int | None]]:
    """(argument, value, position in a list or None) of each tensor that the row gives."""
    definition = lookup(case.op)
    assert definition is not None, case.op
    assert len(definition.inputs) == len(case.inputs), f"{case.op} takes {[a.name for a in definition.inputs]}"
    out: list[tuple[Any, Any, int | None]] = []
    for arg, value in zip(definition.inputs, case.inputs, strict=True):
        if arg.is_list:
            out.extend((arg, np.asarray(v), i) for i, v in enumerate(value))
        else:
            out.append((arg, None if value is None else np.asarray(value), None))
    return out


def _is_variable(case: Case, arg: Any) -> bool:
    spec = registry.lookup(case.op)
    assert spec is not None, f"no kernel for {case.op}"
    return arg.is_ref or arg.name in (*spec.reads, *spec.writes)


def _dtype_of_missing(case: Case) -> dtypes.DType:
    for key in ("dtype", "T"):
        if key in case.attrs:
            return dtypes.as_dtype(case.attrs[key])
    return type_of(next(np.asarray(v) for v in reversed(case.inputs) if v is not None))


def _shape(value: np.ndarray[Any, Any], mode: str) -> Any:
    if mode == UNKNOWN_RANK:
        return None
    return [None] * value.ndim if mode == PARTIAL else list(value.shape)


def _constant(value: np.ndarray[Any, Any], mode: str) -> bool:
    return mode in (CONSTANTS, PARTIAL) and value.dtype.kind in "iu" and value.size <= 64


def _grouped(case: Case, tensors: list[Any]) -> list[Any]:
    grouped: list[Any] = []
    at = 0
    for value in case.inputs:
        if isinstance(value, (list, tuple)):
            grouped.append(tensors[at : at + len(value)])
            at += len(value)
        else:
            grouped.append(tensors[at])
            at += 1
    return grouped


def in_tensorflow(case: Case, mode: str = KNOWN) -> Built:
    """The row in a fresh graph of TensorFlow."""
    tf = tensorflow()
    from tensorflow.python.framework import op_def_library

    graph = tf.Graph()
    tensors, values, variables = [], [], {}
    with graph.as_default():
        for i, (arg, value, _) in enumerate(_flat(case)):
            name = f"in_{i}"
            if _is_variable(case, arg):
                dtype = tf.as_dtype((_dtype_of_missing(case) if value is None else type_of(value)).enum)
                shape = None if value is None or mode == UNKNOWN_RANK else value.shape
                if arg.is_ref:
                    tensor = tf.raw_ops.VariableV2(shape=shape, dtype=dtype, name=name)
                else:
                    tensor = tf.raw_ops.VarHandleOp(shape=shape, dtype=dtype, shared_name=name, name=name)
                variables[i] = tensor
            elif _constant(value, mode):
                tensor = tf.constant(value, name=name)
            else:
                tensor = tf.placeholder(tf.as_dtype(type_of(value).enum), _shape(value, mode), name=name)
            tensors.append(tensor)
            values.append(value)
        arguments = dict(zip([a.name for a in lookup(case.op).inputs], _grouped(case, tensors), strict=True))
        attrs = {k: _attr_of_tensorflow(v) for k, v in {**_defaults(case), **case.attrs}.items()}
        op_def_library.apply_op(case.op, name="op", **arguments, **attrs)
        node = graph.get_operation_by_name("op")
    return Built(graph, node, tensors, values, variables)


def _attr_of_tensorflow(value: Any) -> Any:
    tf = tensorflow()
    if isinstance(value, dtypes.DType):
        return tf.as_dtype(value.enum)
    if isinstance(value, TensorShape):
        return tf.TensorShape(value.sizes)
    if isinstance(value, tuple):
        return [_attr_of_tensorflow(v) for v in value]
    if isinstance(value, TensorValue):
        value = value.array
    return tf.make_tensor_proto(value) if isinstance(value, np.ndarray) else value


def _defaults(case: Case) -> dict[str, Any]:
    """The default of each attribute that the row leaves out, and that does not follow from the inputs."""
    definition = lookup(case.op)
    assert definition is not None
    inferred = {name for a in definition.inputs for name in (a.type_attr, a.number_attr, a.type_list_attr)}
    return {k: a.default for k, a in definition.attrs.items() if a.has_default and k not in inferred}


def in_regraft(case: Case, mode: str = KNOWN) -> Built:
    """The row in a fresh graph of ours."""
    graph = Graph()
    b = Builder(graph)
    tensors, values, variables = [], [], {}
    for i, (arg, value, _) in enumerate(_flat(case)):
        name = f"in_{i}"
        if _is_variable(case, arg):
            dtype = _dtype_of_missing(case) if value is None else type_of(value)
            shape = UNKNOWN if value is None or mode == UNKNOWN_RANK else TensorShape(value.shape)
            if arg.is_ref:
                tensor = b.VariableV2(shape=shape, dtype=dtype, name=name)
            else:
                tensor = b.VarHandleOp(shape=shape, dtype=dtype, shared_name=name, name=name)
            variables[i] = tensor
        elif _constant(value, mode):
            tensor = b.constant(value, name=name)
        else:
            tensor = b.Placeholder(dtype=type_of(value), shape=_shape(value, mode), name=name)
        tensors.append(tensor)
        values.append(value)
    node = b.operation(case.op, *_grouped(case, tensors), name="op", **case.attrs)
    return Built(graph, node, tensors, values, variables)


def describe_ours(graph: Graph) -> dict[str, Any]:
    """Each node of a graph of ours as plain values, to be compared with `describe_tensorflow`."""
    out = {}
    for op in graph.get_operations():
        inputs = [t.name if t.value_index else t.op.name for t in op.inputs]
        controls = sorted(f"^{c.name}" for c in op.control_inputs)
        attrs = {k: _plain(v) for k, v in op.attrs.items() if k != "_output_shapes"}
        out[op.name] = (op.type, inputs, controls, attrs)
    return out


def describe_tensorflow(graph: Any) -> dict[str, Any]:
    """Each node of a graph of TensorFlow as plain values."""
    out = {}
    for op in graph.get_operations():
        node = op.node_def
        inputs = [t.name if t.value_index else t.op.name for t in op.inputs]
        controls = sorted(f"^{c.name}" for c in op.control_inputs)
        attrs = {k: _plain_proto(v) for k, v in node.attr.items() if k != "_output_shapes"}
        out[op.name] = (op.type, inputs, controls, attrs)
    return out


def _plain(value: Any) -> Any:
    if isinstance(value, TensorValue):
        return (value.dtype.enum, value.array.shape, value.array.tolist())
    if isinstance(value, dtypes.DType):
        return ("type", value.enum)
    if isinstance(value, FunctionRef):
        return ("function", value.name)
    if hasattr(value, "sizes"):
        return ("shape", value.sizes)
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    if isinstance(value, float):
        return float(np.float32(value))
    return value


def _plain_proto(value: Any) -> Any:
    from tensorflow.python.framework import tensor_util

    kind = value.WhichOneof("value")
    if kind == "tensor":
        array = tensor_util.MakeNdarray(value.tensor)
        return (value.tensor.dtype, array.shape, array.tolist())
    if kind == "type":
        return ("type", value.type)
    if kind == "func":
        return ("function", value.func.name)
    if kind == "shape":
        return ("shape", _sizes(value.shape))
    if kind == "list":
        lists = value.list
        for field in ("s", "i", "f", "b"):
            if getattr(lists, field):
                return list(getattr(lists, field))
        if lists.type:
            return [("type", t) for t in lists.type]
        return [("shape", _sizes(s)) for s in lists.shape]
    return getattr(value, kind) if kind else None


def _sizes(shape: Any) -> Any:
    return None if shape.unknown_rank else tuple(None if d.size < 0 else d.size for d in shape.dim)
