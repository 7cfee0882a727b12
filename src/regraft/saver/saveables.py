"""What a Saver saves: variables, parts of partitioned ones, and objects that say themselves how they are saved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from regraft.base.dtypes import DType, as_dtype
from regraft.ir.graph import Graph
from regraft.ir.node import Tensor
from regraft.opkit.builder import Builder
from regraft.variables import PartitionedVariable, ResourceVariable, Variable

_REFERENCES = ("Variable", "VariableV2", "AutoReloadVariable")
_READ = "ReadVariableOp"


class SaveSpec:
    """One tensor of a checkpoint.

    tensor      the tensor to save, or a function that makes it; for a function, say `dtype` and `device`
    slice_spec  which part of a partitioned variable it is ("4,2 0,2:0,2"), or ""
    name        the key in the checkpoint
    """

    def __init__(self, tensor: Any, slice_spec: str, name: str, dtype: Any = None, device: str | None = None) -> None:
        self._tensor = tensor
        self.slice_spec = slice_spec
        self.name = name
        self.dtype: DType = as_dtype(tensor.dtype if dtype is None else dtype)
        self.device: str = tensor.device if device is None else device

    @property
    def tensor(self) -> Any:
        return self._tensor() if callable(self._tensor) else self._tensor


class SaveableObject:
    """Something that is saved as one or more tensors. Subclasses say in `restore` how it gets them back.

    op     the variable, tensor or operation that it saves, which no other saveable of a Saver may save; may be None
    specs  the tensors of the checkpoint
    name   its name in the checkpoint
    """

    def __init__(self, op: Any, specs: Sequence[SaveSpec], name: str) -> None:
        self.op = op
        self.specs = list(specs)
        self.name = name

    @property
    def device(self) -> str:
        """Where its tensors are."""
        return self.specs[0].device

    def restore(self, restored_tensors: Sequence[Tensor], restored_shapes: Sequence[Any] | None) -> Any:
        """The operation that takes the restored tensors; `restored_shapes` are shapes to bring them into, or None."""
        raise NotImplementedError(f"{type(self).__name__}.restore")


class ReferenceVariableSaveable(SaveableObject):
    """A reference variable by its reference, or a part of a partitioned one."""

    def __init__(self, var: Any, slice_spec: str, name: str) -> None:
        super().__init__(var, [SaveSpec(var, slice_spec, name)], name)

    def restore(self, restored_tensors: Sequence[Tensor], restored_shapes: Sequence[Any] | None) -> Any:
        target = self.op._ref() if isinstance(self.op, Variable) else self.op
        b = Builder(target.graph)
        value = restored_tensors[0] if restored_shapes is None else b.reshape(restored_tensors[0], restored_shapes[0])
        check = restored_shapes is None and target.shape.is_fully_defined()
        return b.op("Assign", target, value, validate_shape=check)


class ResourceVariableSaveable(SaveableObject):
    """A resource variable by a read of it; a part of a partitioned one is read anew, on its device."""

    def __init__(self, var: Any, slice_spec: str, name: str) -> None:
        if isinstance(var, ResourceVariable):
            self.handle = var.handle
            spec = SaveSpec(lambda: _read_to_cpu(var), slice_spec, name, var.dtype, var.device)
        elif isinstance(var, Tensor) and var.op.type == _READ:
            self.handle = var.op.inputs[0]
            spec = SaveSpec(var, slice_spec, name)
        else:
            raise ValueError(f"Saveable is neither a resource variable nor a read operation. Got: {var!r}")
        super().__init__(var, [spec], name)

    def restore(self, restored_tensors: Sequence[Tensor], restored_shapes: Sequence[Any] | None) -> Any:
        b = Builder(self.handle.graph)
        value = restored_tensors[0] if restored_shapes is None else b.reshape(restored_tensors[0], restored_shapes[0])
        with b.graph.device(self.op.device):
            value = b.identity(value)
            return b.op("AssignVariableOp", self.handle, value)


def _read_to_cpu(var: ResourceVariable) -> Tensor:
    with var.graph.device(var.device):
        value = var.read_value()
        with var.graph.device("/device:CPU:0"):
            return Builder(var.graph).identity(value)


# From a var_list to saveables.


def graph_of(var_list: Any) -> Graph | None:
    """The graph of the variables or saveables in a list or dict; None where there is none."""
    for item in _flat(list(var_list.values()) if isinstance(var_list, dict) else var_list):
        owners = [item.op, *(spec._tensor for spec in item.specs)] if isinstance(item, SaveableObject) else [item]
        for owner in owners:
            graph = getattr(owner, "graph", None)
            if isinstance(graph, Graph):
                return graph
    return None


def saveables_of(var_list: Any) -> list[SaveableObject]:
    """The saveables of a list or dict of variables, in order of their names.

    raises  TypeError, ValueError with TensorFlow's key words for what cannot be saved, or twice under one name
    """
    named = var_list if isinstance(var_list, dict) else names_to_saveables(var_list)
    found: list[SaveableObject] = []
    seen: set[Any] = set()
    for name, item in sorted(named.items(), key=lambda pair: str(pair[0])):
        for saveable in _saveables_for(item, name):
            key = saveable.op
            if isinstance(key, Tensor) and key.op.type == _READ:
                key = key.op.inputs[0]
            if key is not None and key in seen:
                raise ValueError(f"The same saveable will be restored with two names: {saveable.name}")
            seen.add(key)
            found.append(saveable)
    return found


def names_to_saveables(op_list: Any) -> dict[str, Any]:
    """Checkpoint names for a list of variables: the op's name; the parts of a partitioned variable share one."""
    if not isinstance(op_list, (list, tuple, set)):
        raise TypeError(f"Variables to save should be passed in a dict or a list: {op_list!r}")
    named: dict[str, Any] = {}
    for item in sorted(_flat(op_list), key=_name):
        if isinstance(item, SaveableObject):
            named[item.name] = item
        elif isinstance(item, Variable) and item._save_slice_info is not None:
            name = item._save_slice_info.full_name or item.op.name
            parts = named.setdefault(name, [])
            if not isinstance(parts, list):
                raise ValueError(f"Mixing slices and non-slices with the same name: {name}")
            parts.append(item)
        elif hasattr(item, "_gather_saveables_for_checkpoint"):
            made = item._gather_saveables_for_checkpoint().values()
            named.update(names_to_saveables([one() if callable(one) else one for one in made]))
        else:
            name, element = (item.name, item) if isinstance(item, PartitionedVariable) else _named_element(item)
            if name in named:
                raise ValueError(f"At least two variables have the same name: {name}")
            named[name] = element
    return named


def _flat(items: Any) -> Iterator[Any]:
    for item in items if isinstance(items, (list, tuple, set)) else ():
        if isinstance(item, (list, tuple, set)):
            yield from _flat(item)
        else:
            yield item


def _name(item: Any) -> str:
    try:
        return str(item.name)
    except AttributeError as e:
        raise TypeError(f"Variable to save is not a Variable: {item!r}") from e


def _named_element(item: Any) -> tuple[str, Tensor]:
    element = _element(item)
    if element is None:
        raise TypeError(f"Variable to save is not a Variable: {item!r}")
    return (element.op.inputs[0] if element.op.type == _READ else element).op.name, element


def _element(item: Any) -> Tensor | None:
    """The tensor that stands for a variable: a reference, or the read of a resource."""
    if isinstance(item, Variable):
        item = item._as_graph_element()
    return item if isinstance(item, Tensor) and item.op.type in (*_REFERENCES, _READ) else None


def _saveables_for(item: Any, name: Any) -> Iterable[SaveableObject]:
    """The saveables of one entry of a dict."""
    if not isinstance(name, str):
        raise TypeError(
            "names_to_saveables must be a dict mapping string names to trackable operations. "
            f"Name is not a string: {name!r}"
        )
    if isinstance(item, SaveableObject):
        return [item]
    if isinstance(item, (list, tuple, PartitionedVariable)):
        return _parts(item, name)
    if hasattr(item, "_gather_saveables_for_checkpoint"):
        return _gathered(item, name)
    element = _element(item)
    if element is None:
        raise TypeError(
            f"names_to_saveables must be a dict mapping string names to Tensors/Variables. Not a variable: {item!r}"
        )
    kind = ResourceVariableSaveable if element.op.type == _READ else ReferenceVariableSaveable
    return [kind(element, "", name)]


def _gathered(item: Any, name: str) -> Iterator[SaveableObject]:
    """The saveables of an object that has several: variables under their own names, others behind the name given."""
    for attribute, made in item._gather_saveables_for_checkpoint().items():
        if callable(made):
            made = made(name if attribute == "VARIABLE_VALUE" else f"{name}_{attribute}")
        yield from _saveables_for(made, made.name)


def _parts(items: Any, name: str) -> Iterator[SaveableObject]:
    whole = None
    for part in items:
        if isinstance(part, SaveableObject):
            yield part
            continue
        if not isinstance(part, Variable):
            raise ValueError(f"Slices must all be Variables: {part!r}")
        info = part._save_slice_info
        if info is None:
            raise ValueError(f"Slices must all be slices: {part!r}")
        if whole not in (None, info.full_name):
            raise ValueError(f"Slices must all be from the same tensor: {whole} != {info.full_name}")
        whole = info.full_name
        kind = ResourceVariableSaveable if isinstance(part, ResourceVariable) else ReferenceVariableSaveable
        yield kind(part, info.spec, name)
