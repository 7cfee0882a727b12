"""Python functions as functions of the graph's library."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from regraft.base.dtypes import DType
from regraft.base.shapes import TensorShape
from regraft.ir.attr import FunctionRef
from regraft.ir.graph import Graph
from regraft.ir.node import Tensor
from regraft.opkit.func_graph import FuncGraph
from regraft.v1 import _context

# What TensorFlow notes on each function that it traced outside a function graph of its own.
_CONTEXT = {"_construction_context": b"kEagerRuntime"}


class Argument(NamedTuple):
    """One argument of a function: its type, and the name that it gets in the library."""

    dtype: DType
    shape: TensorShape
    name: str


class TracedFunction(NamedTuple):
    """A function in the library.

    ref       what an op's attribute takes
    captured  the tensors of the graphs around it that go in behind its arguments
    results   the tensors inside it that it returns
    """

    ref: FunctionRef
    captured: list[Tensor]
    results: list[Tensor]


def trace(
    function: Callable[..., Sequence[Any]],
    arguments: Sequence[Argument],
    name: str,
    attrs: Mapping[str, Any] | None = None,
) -> TracedFunction:
    """Call `function` with a tensor for each argument, and add what it builds to the library of the default graph.

    function  returns tensors, or what becomes tensors; tensors of the default graph that it uses are captured
    name      of the function; a number is put behind it
    attrs     of the function, in the form of `ir.attr`
    """
    from regraft.serde.function_def import function_def

    outer = _context.get_default_graph()
    body = FuncGraph(outer)
    with body.traced(), _context.graph_as_default(body):
        inputs = [body.argument(*argument) for argument in arguments]
        results = body.returned(function(*inputs))
    chosen = free_name(outer, f"__inference_{name}_")
    given = dict(attrs or {})
    outer.add_function(function_def(chosen, body, body.arguments, results, body.controls, {**given, **_CONTEXT}))
    return TracedFunction(FunctionRef(chosen, given), list(body.captures), results)


def free_name(graph: Graph, prefix: str) -> str:
    """A name for a function that the library does not have yet."""
    count = len(graph.functions)
    while f"{prefix}{count}" in graph.functions:
        count += 1
    return f"{prefix}{count}"


def captured_by_value(name: str, tensor: Tensor) -> FunctionRef:
    """A function without arguments that makes `tensor` again: what it depends on is copied into it.

    raises  ValueError where it depends on a placeholder, or on state that the function would not share
    """
    from regraft.serde.function_def import function_def

    outer = _context.get_default_graph()
    body = FuncGraph(outer)
    result = _copied(tensor, body)
    chosen = free_name(outer, f"{name}_")
    outer.add_function(function_def(chosen, body, (), [result], (), {"_disable_call_shape_inference": True}))
    return FunctionRef(chosen)


def _copied(tensor: Tensor, body: FuncGraph) -> Tensor:
    op = tensor.op
    if op.type in ("Placeholder", "PlaceholderV2"):
        raise ValueError(f"Cannot capture a placeholder (name:{op.name}, type:{op.type}) by value.")
    definition = op.graph.op_def(op.type)
    if definition is not None and definition.is_stateful and not op.type.endswith(_COPIED):
        raise ValueError(
            f"Cannot capture a stateful node (name:{op.name}, type:{op.type}) by value.: A likely cause of this error "
            "is that the dataset for which you are calling `make_one_shot_iterator()` captures a stateful object, such "
            "as a `tf.Variable` or `tf.lookup.StaticHashTable`, which is not supported. Use "
            "`make_initializable_iterator()` instead."
        )
    inputs = [_copied(t, body) for t in op.inputs]
    copy = body.create_op(op.type, inputs, op.output_types, dict(op.attrs), name=op.name)
    return copy.outputs[tensor.value_index]


# Stateful ops that can be made again where they are used: those of datasets.
_COPIED = ("Dataset", "DatasetV2", "DatasetV3", "SeedGenerator", "MemoryCache")
