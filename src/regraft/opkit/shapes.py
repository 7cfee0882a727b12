"""Static shape rules: what is known of an op's outputs before it runs.

A rule is a function (ShapeContext) -> a list with one `Sizes` for each output. `Sizes` is a tuple of ints and Nones, or
None where the rank is unknown. A rule raises ValueError where no value could make the op valid.

Named rules stand here for the families to pick from; a rule that only one op needs stands beside that op.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from regraft.base.shapes import TensorShape
from regraft.opkit.constant import constant_sizes, constant_value, handle_sizes

if TYPE_CHECKING:
    from regraft.ir.node import Operation, Tensor

Dim = int | None
Sizes = tuple[Dim, ...] | None
Rule = Callable[["ShapeContext"], list[Sizes]]


class ShapeContext:
    """What a rule may look at: the node's input shapes, its attributes, and those input values that are constants."""

    __slots__ = ("node",)

    def __init__(self, node: Operation) -> None:
        self.node = node

    @property
    def inputs(self) -> list[Sizes]:
        """The shapes of all input tensors, lists laid out flat."""
        return [_sizes_of(t) for t in self.node.inputs]

    def __len__(self) -> int:
        return len(self.node.inputs)

    @property
    def output_count(self) -> int:
        return len(self.node.output_types)

    def input(self, index: int) -> Sizes:
        """The shape of flat input `index`."""
        return _sizes_of(self.node.inputs[index])

    def tensor(self, index: int) -> Tensor:
        return self.node.inputs[index]

    def attr(self, name: str, default: Any = None) -> Any:
        """The attribute's value; the OpDef's default where the node does not say, then `default`."""
        value = self.node.attrs.get(name)
        if value is not None:
            return value
        definition = self.node.graph.op_def(self.node.type)
        if definition is not None and name in definition.attrs and definition.attrs[name].has_default:
            return definition.attrs[name].default
        return default

    def value(self, index: int) -> np.ndarray[Any, Any] | None:
        """The value of flat input `index` if it follows from constants and static shapes alone, else None."""
        return constant_value(self.node.inputs[index])

    def sizes(self, index: int) -> Sizes:
        """Flat input `index`, a 1-D tensor of dimensions, read as a shape: what is known of it (-1 is unknown)."""
        sizes: Sizes = constant_sizes(self.node.inputs[index])
        return sizes

    def handle_shape(self, index: int) -> Sizes:
        """The static shape of the variable that the resource handle `index` stands for."""
        return handle_sizes(self.node.inputs[index])

    def fail(self, message: str) -> ValueError:
        """A ValueError that names the node and its input shapes; `raise c.fail("...")`."""
        shapes = ", ".join(str(TensorShape.of(s)) for s in self.inputs)
        return ValueError(f"{message} for {self.node.name!r} (op: {self.node.type!r}) with input shapes: {shapes}.")


def _sizes_of(tensor: Tensor) -> Sizes:
    # The way back of a loop (NextIteration -> Merge) is unknown until the loop's own shapes are known.
    if tensor._shape is None and tensor.op.type in ("NextIteration", "RefNextIteration"):
        return None
    return tensor.shape.sizes


# Arithmetic of shapes. None stands for an unknown dimension or an unknown rank.


def merge(c: ShapeContext, a: Sizes, b: Sizes) -> Sizes:
    """What is known of two shapes that must be equal."""
    if a is None or b is None:
        return b if a is None else a
    if len(a) != len(b):
        raise c.fail(f"Shapes must be equal rank, but are {len(a)} and {len(b)}")
    return tuple(merge_dim(c, x, y, i) for i, (x, y) in enumerate(zip(a, b, strict=True)))


def merge_dim(c: ShapeContext, a: Dim, b: Dim, axis: int = 0) -> Dim:
    if a is None or b is None:
        return b if a is None else a
    if a != b:
        raise c.fail(f"Dimension {axis} in both shapes must be equal, but are {a} and {b}")
    return a


def with_rank(c: ShapeContext, sizes: Sizes, rank: int) -> tuple[Dim, ...]:
    """The shape, of which the rank must be `rank`."""
    if sizes is None:
        return (None,) * rank
    if len(sizes) != rank:
        raise c.fail(f"Shape must be rank {rank} but is rank {len(sizes)}")
    return sizes


def at_least_rank(c: ShapeContext, sizes: Sizes, rank: int) -> Sizes:
    if sizes is not None and len(sizes) < rank:
        raise c.fail(f"Shape must be at least rank {rank} but is rank {len(sizes)}")
    return sizes


def broadcast_shapes(c: ShapeContext, a: Sizes, b: Sizes) -> Sizes:
    """The shape of an elementwise op on two inputs."""
    if a is None or b is None:
        return None
    rank = max(len(a), len(b))
    a, b = (1,) * (rank - len(a)) + a, (1,) * (rank - len(b)) + b
    out: list[Dim] = []
    for x, y in zip(a, b, strict=True):
        if x is not None and y is not None:
            if x != y and 1 not in (x, y):
                raise c.fail(f"Dimensions must be equal, but are {x} and {y}")
            out.append(y if x == 1 else x)
        elif x == 1 or y == 1:
            out.append(y if x == 1 else x)
        else:
            # An unknown size beside one above 1 must be that size or 1; beside another unknown, nothing is known.
            out.append(x if y is None else y)
    return tuple(out)


def product(dims: Iterable[Dim]) -> Dim:
    result = 1
    for d in dims:
        if d is None:
            return None
        result *= d
    return result


def times(a: Dim, b: Dim) -> Dim:
    """The product of two dimensions: 0 if either is, whatever the other."""
    if a == 0 or b == 0:
        return 0
    return None if a is None or b is None else a * b


# Named rules.


def same_as(index: int) -> Rule:
    """Every output has the shape of input `index`."""
    return lambda c: [c.input(index)] * c.output_count


def merged(*indices: int) -> Rule:
    """The output has the one shape that these inputs (all, if none is named) must share."""

    def rule(c: ShapeContext) -> list[Sizes]:
        out: Sizes = None
        for i in indices or range(len(c)):
            out = merge(c, out, c.input(i))
        return [out] * c.output_count

    return rule


def broadcast(c: ShapeContext) -> list[Sizes]:
    """The output is the two inputs broadcast against each other."""
    return [broadcast_shapes(c, c.input(0), c.input(1))]


def scalar(c: ShapeContext) -> list[Sizes]:
    """Every output is a scalar."""
    return [()] * c.output_count


def unknown(c: ShapeContext) -> list[Sizes]:
    """Nothing is known of any output."""
    return [None] * c.output_count


def no_outputs(c: ShapeContext) -> list[Sizes]:
    return []


def fixed(*shapes: Sizes) -> Rule:
    """The outputs have these shapes whatever the inputs."""
    return lambda c: list(shapes)


def vector(c: ShapeContext) -> list[Sizes]:
    """Every output is 1-D of unknown length."""
    return [(None,)] * c.output_count


def from_attr(name: str) -> Rule:
    """The output has the shape that the attribute `name` gives."""
    return lambda c: [TensorShape(c.attr(name)).sizes]


def from_input(index: int) -> Rule:
    """The output has the shape that the value of input `index` gives."""
    return lambda c: [c.sizes(index)]


def ref_shape(c: ShapeContext) -> list[Sizes]:
    """The output is the variable of input 0."""
    return [c.input(0)]


def written_ref(*indices: int) -> Rule:
    """The output is the variable of input 0, merged with the inputs that must share its shape."""

    def rule(c: ShapeContext) -> list[Sizes]:
        out = c.input(0)
        for i in indices:
            out = merge(c, out, c.input(i))
        return [out] * c.output_count

    return rule
