"""Restoring straight from the bundle into the variables, by what the graph's restore ops say.

The restore operation of a Saver is a group of assignments of the outputs of RestoreV2 ops. `plan_restore` reads from
those nodes which key, and which slice of it, goes into which variable. Then nothing needs to be run: keys, dtypes and
shapes are compared first, all at once, and what fits is read into place. Where the sub-graph holds anything else,
`plan_restore` gives up, and the Saver runs the operation as TensorFlow does.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from regraft.base.dtypes import DType
from regraft.base.errors import InvalidArgumentError, NotFoundError
from regraft.base.shapes import TensorShape
from regraft.checkpoint import CheckpointReader, ShapeAndSlice
from regraft.ir.graph import Graph
from regraft.ir.node import Operation, Tensor
from regraft.opkit.constant import constant_value

_ASSIGN = ("Assign", "AssignVariableOp")
_RESTORE = ("RestoreV2", "Restore", "RestoreSlice")
_GROUPS = ("NoOp",)
_THROUGH = ("Identity",)


@dataclass(frozen=True, slots=True)
class Item:
    """One tensor to restore: `key` (its part `slice_spec`) into `variable`, which wants `dtype` and `shape`.

    reshape  bring the stored tensor into `shape` instead of requiring it
    """

    key: str
    slice_spec: str
    variable: str
    dtype: DType
    shape: TensorShape
    reshape: bool


@dataclass(frozen=True, slots=True)
class Problems:
    """Why a checkpoint does not fit."""

    missing: tuple[str, ...]
    mismatched: tuple[str, ...]
    unexpected: tuple[str, ...]
    bad: tuple[Item, ...]

    def text(self, have: Sequence[str]) -> str:
        lines = []
        for key in self.missing:
            near = difflib.get_close_matches(key, have, 3, 0.6)
            lines.append(f"Key {key} not found in checkpoint" + (f"; nearest: {', '.join(near)}" if near else ""))
        lines.extend(self.mismatched)
        if self.unexpected and (self.missing or self.mismatched):
            shown = ", ".join(self.unexpected[:10])
            more = len(self.unexpected) - 10
            lines.append(f"in the checkpoint and not asked for: {shown}" + (f" and {more} more" if more > 0 else ""))
        return "\n".join(lines)


def plan_restore(graph: Graph, saver_def: Any) -> list[Item] | None:
    """What the saver's restore op restores, or None when it does more than assign restored tensors to variables."""
    root = graph.find(saver_def.restore_op_name)
    if root is None:
        raise KeyError(f"The name {saver_def.restore_op_name!r} refers to an Operation not in the graph.")
    filename = saver_def.filename_tensor_name
    items: list[Item] = []
    seen: set[Operation] = set()
    stack = [root]
    while stack:
        op = stack.pop()
        if op in seen:
            continue
        seen.add(op)
        if op.type in _GROUPS:
            stack.extend(op.control_inputs)
            continue
        item = _item(op, filename) if op.type in _ASSIGN else None
        if item is None:
            return None
        items.append(item)
        stack.extend(op.control_inputs)
    return items


def _item(assign: Operation, filename: str) -> Item | None:
    target, value = assign.inputs
    reshape = False
    while value.op.type not in _RESTORE:
        if value.op.type == "Reshape":
            reshape = True
        elif value.op.type not in _THROUGH:
            return None
        value = value.op.inputs[0]
    variable = _variable_op(target)
    restore = value.op
    if variable is None or restore.inputs[0].name != filename:
        return None
    keys, specs = constant_value(restore.inputs[1]), None
    if len(restore.inputs) > 2:
        specs = constant_value(restore.inputs[2])
    if keys is None or (len(restore.inputs) > 2 and specs is None):
        return None
    at = value.value_index
    key = np.asarray(keys).reshape(-1)[at].decode()
    spec = "" if specs is None else np.asarray(specs).reshape(-1)[at].decode()
    shape = target.shape if target.dtype.is_ref else TensorShape(variable.attrs.get("shape"))
    check = assign.attrs.get("validate_shape", True) or assign.type == "AssignVariableOp"
    name = (variable.attrs.get("shared_name") or b"").decode() or variable.name
    container = (variable.attrs.get("container") or b"").decode()
    if container:
        name = f"{container}/{name}"
    return Item(key, spec, name, value.dtype.base, shape if check or reshape else TensorShape(None), reshape)


def _variable_op(tensor: Tensor) -> Operation | None:
    op = tensor.op
    while op.type in ("Identity", "RefIdentity") and op.inputs:
        op = op.inputs[0].op
    return op if op.type in ("VariableV2", "Variable", "VarHandleOp") else None


def problems(items: Sequence[Item], reader: CheckpointReader, keys: Mapping[str, str]) -> Problems:
    """Compare what is wanted with what is there, before anything is read."""
    missing: list[str] = []
    mismatched: list[str] = []
    bad: list[Item] = []
    for item in items:
        key = keys.get(item.key, item.key)
        wrong = None
        if not reader.has_tensor(key):
            missing.append(item.key)
            bad.append(item)
            continue
        stored_dtype, stored = reader.dtype(key), reader.shape(key)
        if stored_dtype.base is not item.dtype:
            wrong = (
                f"tensor_name = {item.key}; expected dtype {_proto(item.dtype)} does not equal original dtype "
                f"{_proto(stored_dtype)}"
            )
        else:
            wrong = _shape_problem(item, stored)
        if wrong is not None:
            mismatched.append(wrong)
            bad.append(item)
    wanted = {keys.get(item.key, item.key) for item in items}
    unexpected = [name for name in reader.names() if name not in wanted] if bad else []
    return Problems(tuple(dict.fromkeys(missing)), tuple(mismatched), tuple(unexpected), tuple(bad))


def _proto(dtype: DType) -> str:
    return {"float32": "float", "float64": "double", "float16": "half"}.get(dtype.name, dtype.name)


def _shape_problem(item: Item, stored: tuple[int, ...]) -> str | None:
    if item.slice_spec:
        part = ShapeAndSlice.parse(item.slice_spec)
        assert part is not None
        if part.shape != stored:
            return (
                f"tensor_name = {item.key}; shape in shape_and_slice spec {list(part.shape)} does not match the shape "
                f"stored in checkpoint: {list(stored)}"
            )
        stored = tuple(part.slice.shape_in(part.shape))
    if item.reshape:
        wanted = item.shape.num_elements()
        count = int(np.prod(stored, dtype=np.int64))
        return (
            None
            if wanted is None or wanted == count
            else f"Input to reshape is a tensor with {count} values, but the requested shape {item.shape} of variable "
            f"{item.variable!r} has {wanted}"
        )
    if not item.shape.is_compatible_with(stored):
        text = "[" + ",".join("?" if d is None else str(d) for d in item.shape.sizes or ()) + "]"
        return (
            f"Assign requires shapes of both tensors to match. lhs shape= {text} rhs shape= "
            f"[{','.join(map(str, stored))}] (variable {item.variable!r}, key {item.key!r})"
        )
    return None


def read(items: Sequence[Item], reader: CheckpointReader, keys: Mapping[str, str], store: Any) -> None:
    """Read the items into the variable store. Each tensor is held once: in the array that becomes the variable."""
    whole = [item for item in items if not item.slice_spec]
    arrays = reader.get_tensors({keys.get(item.key, item.key) for item in whole})
    for item in whole:
        store.assign(item.variable, _shaped(item, arrays[keys.get(item.key, item.key)]))
    for item in items:
        if item.slice_spec:
            value = reader.get_slice(keys.get(item.key, item.key), item.slice_spec)
            store.assign(item.variable, _shaped(item, value))


def _shaped(item: Item, array: Any) -> Any:
    return array.reshape(tuple(item.shape.as_list())) if item.reshape and item.shape.known else array


def raise_problems(found: Problems, reader: CheckpointReader, path: str) -> None:
    """Raise for what does not fit: NotFoundError if a key is missing, else InvalidArgumentError."""
    if not found.bad:
        return
    text = found.text(reader.names())
    if found.missing:
        raise NotFoundError(
            "Restoring from checkpoint failed. This is most likely due to a Variable name or other graph key that is "
            "missing from the checkpoint. Please ensure that you have not altered the graph expected based on the "
            f"checkpoint. Original error:\n\n{text}",
            where=(path,),
        )
    raise InvalidArgumentError(
        "Restoring from checkpoint failed. This is most likely due to a mismatch between the current graph and the "
        "graph from the checkpoint. Please ensure that you have not altered the graph expected based on the "
        f"checkpoint. Original error:\n\n{text}",
        where=(path,),
    )
