"""Assigning values to variables: from arrays, and from a checkpoint by name."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from regraft.ir.graph_keys import GraphKeys
from regraft.v1 import _context
from regraft.v1._graph import placeholder
from regraft.v1.contrib._variables import get_variable_full_name

__all__ = ["assign_from_checkpoint", "assign_from_checkpoint_fn", "assign_from_values", "assign_from_values_fn"]

_log = logging.getLogger("regraft")


def _fed(var: Any) -> tuple[Any, Any]:
    """A placeholder for the variable's value, and the operation that assigns it."""
    value = placeholder(var.dtype.base_dtype, var.get_shape(), "placeholder/" + var.op.name)
    return value, var.assign(value)


def assign_from_values(var_names_to_values: Mapping[str, Any]) -> tuple[Any, dict[Any, Any]]:
    """An operation that assigns arrays to variables, by the variables' names, and what to feed it.

    raises  ValueError for a name that no variable has, or that does not tell one
    """
    feeds: dict[Any, Any] = {}
    assigned = []
    for name, array in var_names_to_values.items():
        found = _context.get_default_graph().get_collection(GraphKeys.GLOBAL_VARIABLES, name)
        if not found:
            raise ValueError(f"Variable {name} wasn't found")
        if len(found) > 1:
            found = [v for v in found if v.op.name == name]
            if not found:
                raise ValueError(f"Variable {name} doesn't uniquely identify a variable")
        value, done = _fed(found[0])
        assigned.append(done)
        feeds[value] = array.reshape(found[0].get_shape().as_list())
    return _context.builder().group(*assigned), feeds


def assign_from_values_fn(var_names_to_values: Mapping[str, Any]) -> Callable[[Any], Any]:
    """A function of a session that runs `assign_from_values`."""
    done, feeds = assign_from_values(var_names_to_values)

    def assign(session: Any) -> Any:
        return session.run(done, feeds)

    return assign


def _by_checkpoint_name(var_list: Any) -> dict[str, list[Any]]:
    """The variables (or the parts of one) by their names in the checkpoint."""
    if isinstance(var_list, (list, tuple)):
        found: dict[str, list[Any]] = {}
        for var in var_list:
            found.setdefault(get_variable_full_name(var), []).append(var)
        return found
    return {name: list(v) if isinstance(v, (list, tuple)) else [v] for name, v in var_list.items()}


def assign_from_checkpoint(
    model_path: str, var_list: Any, ignore_missing_vars: bool = False
) -> tuple[Any, dict[Any, Any]]:
    """An operation that assigns values of a checkpoint to variables, and what to feed it.

    var_list             variables, or a dict of variables (lists of parts) by their names in the checkpoint
    ignore_missing_vars  whether to warn of names that the checkpoint does not have; else ValueError
    raises               ValueError where a shape differs
    """
    from regraft.v1._checkpoint_reader import NewCheckpointReader

    reader = NewCheckpointReader(model_path)
    feeds: dict[Any, Any] = {}
    assigned = []
    for name, variables in _by_checkpoint_name(var_list).items():
        if not reader.has_tensor(name):
            if not ignore_missing_vars:
                raise ValueError(f"Checkpoint is missing variable [{name}]")
            _log.warning("Checkpoint is missing variable [%s]", name)
            continue
        array = reader.get_tensor(name)
        for var in variables:
            value, done = _fed(var)
            assigned.append(done)
            part = var._save_slice_info
            if part:
                offsets = zip(part.var_offset, part.var_shape, strict=True)
                feeds[value] = array[tuple(slice(start, start + size) for start, size in offsets)]
            elif tuple(var.get_shape().as_list()) != array.shape:
                raise ValueError(
                    f"Total size of new array must be unchanged for {name} lh_shape: [{array.shape}], "
                    f"rh_shape: [{var.get_shape()}]"
                )
            else:
                feeds[value] = array
    return _context.builder().group(*assigned), feeds


def assign_from_checkpoint_fn(
    model_path: str, var_list: Any, ignore_missing_vars: bool = False, reshape_variables: bool = False
) -> Callable[[Any], None] | None:
    """A function of a session that restores variables from a checkpoint; None where the checkpoint has none of them.

    The arguments are those of `assign_from_checkpoint`; `reshape_variables` allows other shapes of as many elements.
    ValueError for an empty `var_list`.
    """
    from regraft.proto import SaverDef
    from regraft.v1._checkpoint_reader import NewCheckpointReader
    from regraft.v1._saver import Saver

    if not var_list:
        raise ValueError("var_list cannot be empty")
    if ignore_missing_vars:
        reader = NewCheckpointReader(model_path)
        wanted = var_list if isinstance(var_list, dict) else {v.op.name: v for v in var_list}
        var_list = {name: v for name, v in wanted.items() if reader.has_tensor(name)}
        for name in wanted:
            if name not in var_list:
                _log.warning("Variable %s missing in checkpoint %s", name, model_path)
        if not var_list:
            return None
    saver = Saver(var_list, reshape=reshape_variables, write_version=SaverDef.V1)

    def restore(session: Any) -> None:
        saver.restore(session, model_path)

    return restore
