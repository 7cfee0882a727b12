"""Operations in order: group, tuple, with_dependencies."""

from __future__ import annotations

from typing import Any

from regraft.ir.node import Operation, Tensor
from regraft.opkit.slices import IndexedSlices
from regraft.v1._math import is_tensor_like
from regraft.v1._opening import on, opened

__all__ = ["group", "tuple", "with_dependencies"]


def group(*inputs: Any, name: str | None = None) -> Operation:
    """An operation that runs after all `inputs`: operations, tensors, variables, or nests of them."""
    return on(*inputs).group(*inputs, name=name)


def tuple(tensors: Any, name: str | None = None, control_inputs: Any = None) -> list[Any]:
    """The tensors, none of which is there before all of them (and `control_inputs`) are. Nones stay None.

    raises  ValueError when there is nothing but Nones
    """
    with opened(name, "tuple", tensors) as (b, _):
        tensors = [t if t is None or isinstance(t, Operation) or is_tensor_like(t) else b.convert(t) for t in tensors]
        gates = [t if isinstance(t, Operation) else t.op for t in tensors if t is not None]
        for item in control_inputs or ():
            element = item if isinstance(item, Operation) else b.graph.as_graph_element(item)
            if not isinstance(element, (Operation, Tensor)):
                raise TypeError(f"`control_inputs` must only contain Operation or Tensor, got {item!r}")
            gates.append(element.op if isinstance(element, Tensor) else element)
        gates = sorted(dict.fromkeys(gates), key=lambda op: op._id)
        if not gates:
            raise ValueError(f"`tensors` must have at least one Tensor. Received: {tensors}.")
        gate = b.group(*gates)
        out: list[Any] = []
        for t in tensors:
            if isinstance(t, Operation):
                with b.graph.control_dependencies([gate]):
                    out.append(b.group(t))
            else:
                out.append(None if t is None else with_dependencies([gate], t))
        return out


def with_dependencies(dependencies: Any, output_tensor: Any, name: str | None = None) -> Any:
    """`output_tensor`, computed after `dependencies`."""
    with (
        opened(name, "control_dependency", dependencies, output_tensor) as (b, scope),
        b.graph.colocate_with(output_tensor),
        b.graph.control_dependencies(dependencies),
    ):
        if isinstance(output_tensor, IndexedSlices):
            values = b.Identity(output_tensor.values, name=scope)
            return IndexedSlices(values, output_tensor.indices, output_tensor.dense_shape)
        return b.Identity(b.convert(output_tensor), name=scope)
