"""Operation and Tensor: the nodes of a graph and their outputs.

An Operation is made by its Graph and never moves to another. What a reader of a graph may rely on:

- `inputs` and `control_inputs` are tuples; they change only through the graph, which counts a new version;
- `attrs` is a mapping that may decode its values when they are asked for;
- shapes are inferred when they are asked for, and remembered until an input changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from regraft.base import names
from regraft.base.dtypes import DType
from regraft.base.shapes import UNKNOWN, TensorShape

if TYPE_CHECKING:
    from regraft.ir.graph import Graph


class Tensor:
    """Output `value_index` of `op`. A name for a value, not the value itself."""

    __slots__ = ("__dict__", "__weakref__", "_shape", "op", "value_index")

    def __init__(self, op: Operation, value_index: int) -> None:
        self.op = op
        self.value_index = value_index
        self._shape: TensorShape | None = None

    @property
    def graph(self) -> Graph:
        return self.op.graph

    @property
    def name(self) -> str:
        return f"{self.op.name}:{self.value_index}"

    @property
    def dtype(self) -> DType:
        return self.op.output_types[self.value_index]

    @property
    def device(self) -> str:
        return self.op.device

    @property
    def shape(self) -> TensorShape:
        """What is known of the shape before anything runs."""
        if self._shape is None:
            self.op.graph.infer_shapes(self.op)
        return self._shape or UNKNOWN

    def get_shape(self) -> TensorShape:
        return self.shape

    def set_shape(self, shape: Any) -> None:
        """Add to what is known of the shape. ValueError when it contradicts what is known already."""
        if not isinstance(shape, TensorShape):
            shape = TensorShape(shape)
        self._shape = self.shape.merge_with(shape)

    def consumers(self) -> list[Operation]:
        """The operations that take this tensor as an input, in order of creation."""
        return self.op.graph.consumers(self)

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other

    def __repr__(self) -> str:
        return f"<tf.Tensor {self.name!r} shape={self.shape} dtype={self.dtype.name}>"

    def __str__(self) -> str:
        parts = [repr(self.name)]
        if self.shape.rank is not None:
            parts.append(f"shape={self.shape}")
        return f"Tensor({', '.join(parts)}, dtype={self.dtype.name})"


class Operation:
    """A node: an op type applied to tensors, with attributes, a device string and control inputs."""

    __slots__ = (
        "__dict__",
        "__weakref__",
        "_controls",
        "_id",
        "_inputs",
        "_outputs",
        "attrs",
        "control_flow_context",
        "device",
        "graph",
        "name",
        "output_types",
        "type",
    )

    def __init__(
        self,
        graph: Graph,
        name: str,
        type: str,
        inputs: tuple[Tensor, ...],
        controls: tuple[Operation, ...],
        attrs: Mapping[str, Any],
        output_types: tuple[DType, ...],
        device: str,
        id: int,
    ) -> None:
        self.graph = graph
        self.name = name
        self.type = type
        self._inputs = inputs
        self._controls = controls
        self.attrs = attrs
        self.output_types = output_types
        self.device = device
        self._id = id
        self._outputs: list[Tensor] | None = None
        self.control_flow_context: Any = None

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        return self._inputs

    @property
    def control_inputs(self) -> list[Operation]:
        return list(self._controls)

    @property
    def outputs(self) -> list[Tensor]:
        outputs = self._outputs
        if outputs is None:
            outputs = self._outputs = [Tensor(self, i) for i in range(len(self.output_types))]
        return outputs

    def values(self) -> tuple[Tensor, ...]:
        return tuple(self.outputs)

    def get_attr(self, name: str) -> Any:
        """The attribute's Python value (see `ir.attr`). ValueError when the node has no such attribute."""
        try:
            return self.attrs[name]
        except KeyError:
            raise ValueError(f"Operation {self.name!r} has no attr named {name!r}.") from None

    def colocation_groups(self) -> list[bytes]:
        """The `loc:@node` strings of the groups this node belongs to; its own group when it names none."""
        own = names.COLOCATION_PREFIX + self.name.encode()
        groups = [g for g in self.attrs.get("_class", ()) if g.startswith(names.COLOCATION_PREFIX)]
        return groups or [own]

    # Changes go through the graph, so that it can count versions and refuse when finalized.

    def _set_attr(self, name: str, value: Any) -> None:
        self.graph.set_attr(self, name, value)

    def _set_device(self, device: Any) -> None:
        self.graph.set_device(self, device)

    def _add_control_input(self, op: Operation) -> None:
        self.graph.add_control_inputs(self, (op,))

    def _add_control_inputs(self, ops: Sequence[Operation]) -> None:
        self.graph.add_control_inputs(self, ops)

    def _update_input(self, index: int, tensor: Tensor) -> None:
        self.graph.update_input(self, index, tensor)

    @property
    def _control_flow_context(self) -> Any:
        return self.control_flow_context

    def _get_control_flow_context(self) -> Any:
        return self.control_flow_context

    def _set_control_flow_context(self, context: Any) -> None:
        self.control_flow_context = context

    def __repr__(self) -> str:
        return f"<tf.Operation {self.name!r} type={self.type}>"

    def __str__(self) -> str:
        return f"name: {self.name!r}\nop: {self.type!r}\n" + "".join(f"input: {t.name!r}\n" for t in self._inputs)
