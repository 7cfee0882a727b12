"""One program built twice: in a graph of TensorFlow, and in a graph of ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import regraft.ops  # noqa: F401  importing it registers every op
from regraft.ir.graph import Graph
from regraft.opkit import registry
from regraft.v1 import _context
from tests.ops.both import describe_ours, describe_tensorflow
from tests.oracle import tensorflow

Program = Callable[[Any], Any]


def build_ours(tf: Any, program: Program) -> Graph:
    """The graph that `program(tf)` makes of ours."""
    graph = Graph()
    with _context.graph_as_default(graph):
        program(tf)
    return graph


def build_tensorflow(program: Program) -> Any:
    """The graph that `program(tf)` makes of TensorFlow's."""
    tf = tensorflow()
    with tf.Graph().as_default() as graph:
        program(tf)
    return graph


def differences(ours: Graph, theirs: Any, shapes: bool = True) -> list[str]:
    """What differs between the two, a line a node: nodes, their order, types, inputs, attributes, static shapes."""
    mine, wanted = describe_ours(ours), describe_tensorflow(theirs)
    found = [f"missing {name}: {wanted[name]}" for name in wanted if name not in mine]
    found += [f"superfluous {name}: {mine[name]}" for name in mine if name not in wanted]
    found += [
        f"{name}: {mine[name]}\n  but should be {wanted[name]}"
        for name in mine
        if _comparable(mine[name]) != _comparable(wanted.get(name, mine[name]))
    ]
    if not found and list(mine) != list(wanted):
        found.append(f"order: {list(mine)}\n  but should be {list(wanted)}")
    if shapes and not found:
        for op in theirs.get_operations():
            if registry.lookup(op.type) is None:
                continue  # without a kernel there is no shape rule either
            for tensor in op.outputs:
                wanted_shape = None if tensor.shape.rank is None else tuple(tensor.shape.as_list())
                shape = ours.get_tensor_by_name(tensor.name).shape.sizes
                if shape != wanted_shape:
                    found.append(f"{tensor.name} ({op.type}): shape {shape}\n  but should be {wanted_shape}")
    return found


def _comparable(node: tuple[Any, ...]) -> tuple[Any, ...]:
    """A node's description in which a NaN equals a NaN."""
    *rest, attrs = node
    return *rest, repr(sorted(attrs.items()))
