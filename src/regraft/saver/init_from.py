"""`init_from_checkpoint`: initializers that read a checkpoint, where names or scopes differ from those in it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from regraft.checkpoint import files
from regraft.checkpoint.management import latest_checkpoint, load_checkpoint
from regraft.ir.graph import Graph
from regraft.ir.graph_keys import GraphKeys
from regraft.opkit.builder import Builder
from regraft.saver.saveables import saveables_of
from regraft.variables import PartitionedVariable, Variable
from regraft.variables.store import variable_store

Assignments = Mapping[str, Any] | Iterable[tuple[str, Any]]


def init_from_checkpoint(graph: Graph, ckpt_dir_or_file: Any, assignment_map: Assignments) -> None:
    """Let variables start from the values in a checkpoint: their initializers become restore ops, added to the graph.

    assignment_map  from a tensor in the checkpoint to a variable, its name, or the list of its parts; or from a scope
                    in the checkpoint to a scope of the graph (both end with "/"; "/" alone is the root)

    raises  ValueError where the checkpoint lacks a tensor, a shape differs, or only one side is a scope
    """
    prefix = _prefix(ckpt_dir_or_file)
    with load_checkpoint(ckpt_dir_or_file) as reader:
        shapes = {name: list(shape) for name, shape in reader.shapes().items()}
    known = _variables(graph)
    pairs = assignment_map.items() if isinstance(assignment_map, Mapping) else assignment_map
    for key, target in sorted(pairs, key=lambda pair: pair[0]):
        found = _found(target, known)
        if found is None:
            _scope(graph, prefix, ckpt_dir_or_file, shapes, key, target, known)
            continue
        if key not in shapes:
            raise ValueError(f"Tensor {key} is not found in {ckpt_dir_or_file} checkpoint {shapes}")
        if isinstance(found, Variable) and not found.shape.is_compatible_with(shapes[key]):
            raise ValueError(
                f"Shape of variable {found.name} ({found.shape}) doesn't match with shape of tensor {key} "
                f"({shapes[key]}) from checkpoint reader."
            )
        _initialize(graph, prefix, key, found)


def _prefix(path: Any) -> str:
    text = files.as_text(path)
    return (latest_checkpoint(text) or text) if files.is_folder(text) else text


def _variables(graph: Graph) -> dict[str, Any]:
    """By name: those that get_variable made, and global ones (TensorFlow does not find those of imported graphs)."""
    known = {v.op.name: v for v in graph.get_collection(GraphKeys.GLOBAL_VARIABLES) if isinstance(v, Variable)}
    return known | dict(variable_store(graph)._vars)


def _found(target: Any, known: Mapping[str, Any]) -> Variable | list[Variable] | None:
    if isinstance(target, Variable):
        return target
    if isinstance(target, (list, tuple, PartitionedVariable)):
        return list(target)
    if target in known:
        variable: Variable = known[target]
        return variable
    parts: list[Variable] = []
    while f"{target}/part_{len(parts)}" in known:
        parts.append(known[f"{target}/part_{len(parts)}"])
    return parts or None


def _scope(
    graph: Graph,
    prefix: str,
    path: Any,
    shapes: Mapping[str, Any],
    key: str,
    target: str,
    known: Mapping[str, Any],
) -> None:
    scope = target.rpartition("/")[0]
    if not key.endswith("/"):
        raise ValueError(
            f"Assignment map with scope only name {scope} should map to scope only {key}. "
            "Should be 'scope/': 'other_scope/'."
        )
    inside = {name.partition("/part_")[0] for name in known if not scope or name.startswith(scope + "/")}
    for name in sorted(inside):
        own = name[len(scope) :].removeprefix("/")
        full = (own if key == "/" else key + own).removesuffix("/")
        if full not in shapes:
            raise ValueError(f"Tensor {full} ({own} in {key}) is not found in {path} checkpoint")
        found = _found(name, known)
        assert found is not None
        _initialize(graph, prefix, full, found)


def _initialize(graph: Graph, prefix: str, key: str, found: Variable | list[Variable]) -> None:
    if isinstance(found, Variable):
        _set_initializer(graph, prefix, key, "", found)
        return
    whole = _whole(found)
    for part in found:
        info = part._save_slice_info
        if info is None or info.full_name != whole:
            raise ValueError(f"Slices must all be from the same tensor: {whole} != {info and info.full_name}")
        _set_initializer(graph, prefix, key, info.spec, part)


def _whole(parts: Sequence[Variable]) -> str | None:
    info = parts[0]._save_slice_info
    return None if info is None else info.full_name


def _set_initializer(graph: Graph, prefix: str, key: str, spec: str, variable: Variable) -> None:
    b = Builder(graph)
    # RestoreV2 runs on the CPU of the variable's task.
    with graph.device(variable.device) if variable.device else contextlib.nullcontext(), graph.device("/cpu:0"):
        value = b.op("RestoreV2", prefix, [key], [spec], dtypes=[variable.dtype.base], name="checkpoint_initializer")[0]
    (saveable,) = saveables_of([variable])
    assigned = saveable.restore([value], None)
    value.set_shape(variable.shape)
    variable._initializer_op = getattr(assigned, "op", assigned)
    variable._initial_value = value
