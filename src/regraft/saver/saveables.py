"""What a Saver saves: variables, slices of partitioned ones, and objects that say themselves how they are saved."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from regraft.base.dtypes import DType, as_dtype
from regraft.ir.graph import Graph
from regraft.ir.node import Operation, Tensor
from regraft.opkit.builder import Builder
from regraft.variables import PartitionedVariable, ResourceVariable, Variable


class SaveSpec:
    """One tensor of a checkpoint.

    tensor      the tensor to save, or a function that makes it
    slice_spec  which part of a partitioned variable it is ("4,2 0,2:0,2"), or ""
    name        the key in the checkpoint
    """

    def __init__(self, tensor: Any, slice_spec: str, name: str, dtype: Any = None, device: str | None = None) -> None:
        self._tensor = tensor
        self.slice_spec = slice_spec
        self.name = name
        self.dtype: DType = as_dtype(dtype if callable(tensor) and not isinstance(tensor, Tensor) else tensor.dtype)
        self.device: str = device if device is not None else getattr(tensor, "device", "")

    @property
    def tensor(self) -> Tensor:
        made = self._tensor() if callable(self._tensor) and not isinstance(self._tensor, Tensor) else self._tensor
        return made  # type: ignore[no-any-return]


class SaveableObject:
    """Something that is saved as one or more tensors. Subclasses say in `restore` how it gets them back.

    op     the variable, tensor or operation that it saves
    specs  the tensors of the checkpoint
    name   its name in the checkpoint
    """

    def __init__(self, op: Any, specs: Sequence[SaveSpec], name: str) -> None:
        self.op = op
        self.specs = list(specs)
        self.name = name

    @property
    def device(self) -> str:
        return self.specs[0].device

    def restore(self, restored_tensors: Sequence[Tensor], restored_shapes: Sequence[Any] | None) -> Any:
        """The operation that takes the restored tensors; `restored_shapes` are shapes to bring them into, or None."""
        raise NotImplementedError(f"{type(self).__name__}.restore")


class ReferenceVariableSaveable(SaveableObject):
    """A reference variable, by its reference (or a slice of a partitioned one, by a read of it)."""

    def __init__(self, var: Any, slice_spec: str, name: str) -> None:
        super().__init__(var, [SaveSpec(var, slice_spec, name, dtype=var.dtype)], name)

    def restore(self, restored_tensors: Sequence[Tensor], restored_shapes: Sequence[Any] | None) -> Any:
        target = self.op._ref() if isinstance(self.op, Variable) else self.op
        b = Builder(target.graph)
        value = restored_tensors[0]
        if restored_shapes is not None:
            value = b.reshape(value, restored_shapes[0])
        check = restored_shapes is None and target.shape.is_fully_defined()
        return b.op("Assign", target, value, validate_shape=check)


class ResourceVariableSaveable(SaveableObject):
    """A resource variable, or the read that stands for one."""

    def __init__(self, var: Any, slice_spec: str, name: str) -> None:
        if isinstance(var, ResourceVariable):
            self.handle, self._shape = var.handle, var.shape
            tensor: Any = lambda: _read(var)  # noqa: E731
        elif isinstance(var, Tensor) and var.op.type == "ReadVariableOp":
            self.handle, self._shape, tensor = var.op.inputs[0], var.shape, var
        else:
            raise ValueError(f"Saveable is neither a resource variable nor a read operation. Got: {var!r}")
        super().__init__(var, [SaveSpec(tensor, slice_spec, name, dtype=var.dtype, device=var.device)], name)

    def restore(self, restored_tensors: Sequence[Tensor], restored_shapes: Sequence[Any] | None) -> Any:
        b = Builder(self.handle.graph)
        value = restored_tensors[0]
        if restored_shapes is not None:
            value = b.reshape(value, restored_shapes[0])
        place = self.handle.device
        with b.graph.device(place) if place else contextlib.nullcontext():
            value = b.identity(value)
            return b.op("AssignVariableOp", self.handle, value)


def _read(var: ResourceVariable) -> Tensor:
    """The value on the CPU: the read that the variable has already, or for a part of one a read of its own."""
    if var._save_slice_info is None:
        return var._graph_element
    graph = var.graph
    with graph.device(var.device) if var.device else contextlib.nullcontext():
        value = var.read_value()
        with graph.device("/device:CPU:0"):
            return Builder(graph).identity(value)


def as_graph_element(graph: Graph, name: str) -> Any:
    return graph.as_graph_element(name)


# From a var_list to saveables.


def saveables_of(var_list: Any) -> list[SaveableObject]:
    """The saveables of a list or dict of variables, in order of their names.

    raises  TypeError, ValueError with TensorFlow's key words for what cannot be saved, or twice under one name
    """
    named = var_list if isinstance(var_list, dict) else names_to_saveables(var_list)
    found: list[SaveableObject] = []
    seen: set[Any] = set()
    for name, op in sorted(named.items(), key=lambda item: str(item[0])):
        for saveable in saveables_for(op, name):
            _add(saveable, found, seen)
    return found


def _add(saveable: SaveableObject, found: list[SaveableObject], seen: set[Any]) -> None:
    key = saveable.op.handle if isinstance(saveable.op, ResourceVariable) else saveable.op
    if isinstance(key, Tensor) and key.op.type == "ReadVariableOp":
        key = key.op.inputs[0]
    if isinstance(key, Tensor):
        key = key.op
    if key in seen:
        raise ValueError(f"The same saveable will be restored with two names: {saveable.name}")
    seen.add(key)
    found.append(saveable)


def names_to_saveables(op_list: Any) -> dict[str, Any]:
    """Checkpoint names for a list of variables: the op's name; slices of a partitioned variable share one."""
    if not isinstance(op_list, (list, tuple, set)):
        raise TypeError(f"Variables to save should be passed in a dict or a list: {op_list}")
    named: dict[str, Any] = {}
    for var in sorted(op_list, key=lambda v: v.name):
        if isinstance(var, SaveableObject):
            named[var.name] = var
        elif isinstance(var, PartitionedVariable):
            if var.name in named:
                raise ValueError(f"At least two variables have the same name: {var.name}")
            named[var.name] = var
        elif isinstance(var, Variable) and var._save_slice_info is not None:
            name = var._save_slice_info.full_name or var.op.name
            if name not in named:
                named[name] = [var]
            elif isinstance(named[name], list):
                named[name].append(var)
            else:
                raise ValueError(f"Mixing slices and non-slices with the same name: {name}")
        else:
            element = _variable_element(var)
            name = element.op.name
            if name in named:
                raise ValueError(f"At least two variables have the same name: {name}")
            named[name] = var if isinstance(var, ResourceVariable) else element
    return named


def _variable_element(var: Any) -> Any:
    if isinstance(var, ResourceVariable):
        return var
    if isinstance(var, Variable):
        return var._ref()
    if isinstance(var, Tensor) and (var.dtype.is_ref or var.op.type == "ReadVariableOp"):
        return var
    raise TypeError(f"Variable to save is not a Variable: {var}")


def saveables_for(op: Any, name: str) -> Iterable[SaveableObject]:
    """The saveables of one entry of a dict."""
    if not isinstance(name, str):
        raise TypeError(
            "names_to_saveables must be a dict mapping string names to trackable operations. "
            f"Name is not a string: {name}"
        )
    if isinstance(op, SaveableObject):
        return [op]
    if isinstance(op, (list, tuple, PartitionedVariable)):
        return [_slice_saveable(part, name) for part in _checked_slices(op)]
    if isinstance(op, ResourceVariable):
        return [ResourceVariableSaveable(op, "", name)]
    if callable(getattr(op, "_gather_saveables_for_checkpoint", None)):
        return [
            made if isinstance(made, SaveableObject) else make(made, key)
            for key, made in op._gather_saveables_for_checkpoint().items()
        ]
    element = op._ref() if isinstance(op, Variable) else op
    if not isinstance(element, Tensor):
        raise TypeError(
            f"names_to_saveables must be a dict mapping string names to Tensors/Variables. Not a variable: {op}"
        )
    return [make(element, name)]


def make(element: Any, name: str) -> SaveableObject:
    if isinstance(element, Tensor) and element.dtype.is_ref:
        return ReferenceVariableSaveable(element, "", name)
    if isinstance(element, Tensor) and element.op.type == "ReadVariableOp":
        return ResourceVariableSaveable(element, "", name)
    raise TypeError(
        f"names_to_saveables must be a dict mapping string names to Tensors/Variables. Not a variable: {element}"
    )


def _checked_slices(parts: Any) -> list[Any]:
    found = list(parts)
    whole = None
    for part in found:
        if not isinstance(part, Variable):
            raise ValueError(f"Slices must all be Variables: {part}")
        if part._save_slice_info is None:
            raise ValueError(f"Slices must all be slices: {part}")
        if whole is None:
            whole = part._save_slice_info.full_name
        elif whole != part._save_slice_info.full_name:
            raise ValueError(f"Slices must all be from the same tensor: {whole} != {part._save_slice_info.full_name}")
    return found


def _slice_saveable(part: Any, name: str) -> SaveableObject:
    spec = part._save_slice_info.spec
    if isinstance(part, ResourceVariable):
        return ResourceVariableSaveable(part, spec, name)
    return ReferenceVariableSaveable(part, spec, name)


Restore = Callable[[Sequence[Tensor], Sequence[Any] | None], Operation]
