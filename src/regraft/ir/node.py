"""Operation and Tensor: the nodes of a graph and their outputs.

An Operation is made by its Graph and never moves to another. What a reader of a graph may rely on:

- `inputs` and `control_inputs` are tuples; they change only through the graph, which counts a new version; those of a
  node that was latent (`ir.latent`) are looked up when they are asked for;
- `attrs` is a mapping that may decode its values when they are asked for;
- shapes are inferred when they are asked for, and remembered until an input changes.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from regraft.base import names
from regraft.base.dtypes import DType
from regraft.base.shapes import UNKNOWN, TensorShape
from regraft.ir import stacks
from regraft.ir.stacks import Stack

if TYPE_CHECKING:
    from regraft.ir.graph import Graph
    from regraft.ir.latent import LatentNodes, Links


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
        known = self.shape
        if not known.is_compatible_with(shape):
            raise ValueError(_contradiction(known, shape))
        self._shape = known.merge_with(shape)

    def consumers(self) -> list[Operation]:
        """The operations that take this tensor as an input, in order of creation."""
        return self.op.graph.consumers(self)

    def ref(self) -> Reference:
        """Something hashable that stands for the tensor in sets and mappings, as TensorFlow 2's programs want it."""
        return Reference(self)

    experimental_ref = ref

    @property
    def ndim(self) -> int | None:
        """How many dimensions; None where that is not known."""
        return self.shape.rank

    def __len__(self) -> int:
        raise TypeError(
            f"len is not well defined for a symbolic Tensor ({self.name}). "
            "Please call `x.shape` rather than `len(x)` for shape information."
        )

    __hash__ = object.__hash__  # identity; in Python it would be a good part of a small run

    def __eq__(self, other: object) -> bool:
        return self is other

    def __repr__(self) -> str:
        return f"<tf.Tensor {self.name!r} shape={self.shape} dtype={self.dtype.name}>"

    def __str__(self) -> str:
        parts = [f'"{self.name}"']
        if self.shape.rank is not None:
            parts.append(f"shape={self.shape}")
        return f"Tensor({', '.join(parts)}, dtype={self.dtype.name})"


class Reference:
    """A hashable stand-in for a tensor or variable; equal to another of the same one."""

    __slots__ = ("_of",)

    def __init__(self, of: Any) -> None:
        self._of = of

    def deref(self) -> Any:
        """What it stands for."""
        return self._of

    def __hash__(self) -> int:
        return id(self._of)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reference) and self._of is other._of

    def __repr__(self) -> str:
        return f"<Reference wrapping {self._of!r}>"


def _contradiction(known: TensorShape, new: TensorShape) -> str:
    """Which of the dimensions of two shapes say different things."""
    a, b = known.sizes or (), new.sizes or ()
    shapes = f"Shapes are {_bracketed(a)} and {_bracketed(b)}: they are incompatible."
    if len(a) != len(b):
        return f"Shapes must be equal rank, but are {len(a)} and {len(b)}. {shapes}"
    index = next(i for i, (x, y) in enumerate(zip(a, b, strict=True)) if None not in (x, y) and x != y)
    return f"Dimension {index} in both shapes must be equal, but are {a[index]} and {b[index]}. {shapes}"


def _bracketed(sizes: Sequence[int | None]) -> str:
    return f"[{','.join('?' if d is None else str(d) for d in sizes)}]"


class Operation:
    """A node: an op type applied to tensors, with attributes, a device string and control inputs."""

    __slots__ = (
        "__dict__",
        "__weakref__",
        "_id",
        "_latent",
        "_links",
        "_outputs",
        "_stack",
        "_version",
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
        links: Links | LatentNodes,
        attrs: Mapping[str, Any],
        output_types: tuple[DType, ...],
        device: str,
        id: int,
    ) -> None:
        """Links are the inputs and the control inputs, or the latent nodes that know them."""
        self.graph = graph
        self.name = name
        self.type = type
        self._links: Links | None
        self._latent: LatentNodes | None
        if isinstance(links, tuple):
            self._links, self._latent = links, None
        else:
            self._links, self._latent = None, links
        self.attrs = attrs
        self.output_types = output_types
        self.device = device
        self._id = id
        self._outputs: list[Tensor] | None = None
        self._stack: Stack = ()
        self._version = 0
        self.control_flow_context: Any = None

    @property
    def _inputs(self) -> tuple[Tensor, ...]:
        return (self._links or self._linked())[0]

    @_inputs.setter
    def _inputs(self, inputs: tuple[Tensor, ...]) -> None:
        self._links = (inputs, self._controls)
        self._latent = None

    @property
    def _controls(self) -> tuple[Operation, ...]:
        return (self._links or self._linked())[1]

    @_controls.setter
    def _controls(self, controls: tuple[Operation, ...]) -> None:
        self._links = (self._inputs, controls)
        self._latent = None

    def _linked(self) -> Links:
        assert self._latent is not None
        with self.graph.lock:
            links = self._links
            if links is None:
                links = self._links = self._latent.links(self._id - self._latent.first)
        return links

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
            with self.graph.lock:
                outputs = self._outputs
                if outputs is None:
                    outputs = self._outputs = [Tensor(self, i) for i in range(len(self.output_types))]
        return outputs

    def values(self) -> tuple[Tensor, ...]:
        return tuple(self.outputs)

    @property
    def traceback(self) -> traceback.StackSummary:
        """The lines of the program that made the operation, outermost first, as `traceback.extract_stack` has them."""
        return stacks.summary(self._stack)

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
        return f'name: "{self.name}"\nop: "{self.type}"\n' + "".join(f'input: "{t.name}"\n' for t in self._inputs)
