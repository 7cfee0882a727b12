"""Graphs, scopes, collections, placeholders and constants under TensorFlow's names."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from regraft.base.dtypes import DType, as_dtype
from regraft.base.shapes import Dimension, TensorShape
from regraft.ir.graph import Graph
from regraft.ir.graph_keys import GraphKeys
from regraft.ir.node import Operation, Tensor
from regraft.metagraph.import_graph import import_graph_def as _import_graph_def
from regraft.opkit.conversion import register_conversion
from regraft.opkit.func_graph import FuncGraph
from regraft.opkit.slices import IndexedSlices
from regraft.v1 import _context
from regraft.v1._context import get_default_graph, get_default_session, reset_default_graph

__all__ = [
    "DType",
    "Dimension",
    "Graph",
    "GraphKeys",
    "IndexedSlices",
    "Operation",
    "Tensor",
    "TensorShape",
    "add_to_collection",
    "add_to_collections",
    "as_dtype",
    "colocate_with",
    "constant",
    "container",
    "control_dependencies",
    "convert_to_tensor",
    "convert_to_tensor_or_indexed_slices",
    "device",
    "disable_eager_execution",
    "enable_eager_execution",
    "executing_eagerly",
    "get_collection",
    "get_collection_ref",
    "get_default_graph",
    "get_default_session",
    "get_name_scope",
    "import_graph_def",
    "is_tensor",
    "name_scope",
    "no_op",
    "op_scope",
    "placeholder",
    "placeholder_with_default",
    "register_tensor_conversion_function",
    "reset_default_graph",
]


def executing_eagerly() -> bool:
    """Whether `enable_eager_execution` was called. Regraft itself always builds graphs."""
    return _context.executing_eagerly()


def enable_eager_execution(config: Any = None, device_policy: Any = None, execution_mode: Any = None) -> None:
    """Declare eager execution on: the functions that need a graph then refuse, as TensorFlow's do."""
    _context.declare_eager(True)


def disable_eager_execution() -> None:
    """Declare eager execution off, which is how Regraft starts."""
    _context.declare_eager(False)


@contextlib.contextmanager
def name_scope(name: str | None, default_name: str | None = None, values: Any = None) -> Iterator[str]:
    """Put `name/` (`default_name/` when it is None) before the names of operations made inside; yields the scope.

    values  tensors that the scope's operations will take; the graph is theirs
    """
    chosen = default_name if name is None else name
    if chosen is None and values is not None:
        raise ValueError(
            f"At least one of name ({name}) and default_name ({default_name}) must be provided when values are given."
        )
    graph = graph_of(values)
    with contextlib.ExitStack() as stack:
        if graph is not get_default_graph():
            stack.enter_context(_context.graph_as_default(graph))
        yield stack.enter_context(graph.name_scope(chosen))


@contextlib.contextmanager
def op_scope(values: Any, name: str | None, default_name: str | None = None) -> Iterator[str]:
    """The older order of arguments of `name_scope`."""
    with name_scope(name, default_name, values) as scope:
        yield scope


def graph_of(values: Any) -> Graph:
    """The graph that the tensors among `values` belong to, else the default graph. ValueError when they differ."""
    default = get_default_graph()
    if isinstance(default, FuncGraph):
        return default  # it captures what is of the graphs around it
    found: Graph | None = None
    for value in _leaves(values):
        graph = getattr(value, "graph", None)
        if not isinstance(graph, Graph):
            continue
        if found is None:
            found = graph
        elif graph is not found:
            raise ValueError(f"{value} must be from the same graph as the other inputs")
    return found or default


def _leaves(values: Any) -> Iterator[Any]:
    if isinstance(values, (list, tuple)):
        for v in values:
            yield from _leaves(v)
    elif values is not None:
        yield values


def get_name_scope() -> str:
    """The current name scope of the default graph, without the slash."""
    return get_default_graph().get_name_scope()


def control_dependencies(control_inputs: Any) -> contextlib.AbstractContextManager[None]:
    """Make operations created inside run after these. Callables, which eager programs pass, are not accepted."""
    return get_default_graph().control_dependencies(control_inputs)


def device(device_name_or_function: Any) -> contextlib.AbstractContextManager[None]:
    """Place operations created inside; kept for export, and ignored when they run."""
    return get_default_graph().device(device_name_or_function)


def colocate_with(op: Any, ignore_existing: bool = False) -> contextlib.AbstractContextManager[None]:
    """Put operations created inside into the colocation group of `op`."""
    return get_default_graph().colocate_with(op, ignore_existing)


def container(container_name: str) -> contextlib.AbstractContextManager[str]:
    """Keep the state of operations created inside in this resource container."""
    return get_default_graph().container(container_name)


def add_to_collection(name: Any, value: Any) -> None:
    get_default_graph().add_to_collection(name, value)


def add_to_collections(names: Any, value: Any) -> None:
    get_default_graph().add_to_collections(names, value)


def get_collection(key: Any, scope: str | None = None) -> list[Any]:
    """A copy of a collection of the default graph; with `scope`, of the items whose names match it as a pattern."""
    return get_default_graph().get_collection(key, scope)


def get_collection_ref(key: Any) -> list[Any]:
    """A collection of the default graph itself; changes to the list stay."""
    return get_default_graph().get_collection_ref(key)


def placeholder(dtype: Any, shape: Any = None, name: str | None = None) -> Tensor:
    """A tensor whose value each run must feed."""
    tensor: Tensor = _context.builder().op("Placeholder", dtype=dtype, shape=TensorShape(shape), name=name)
    return tensor


def placeholder_with_default(input: Any, shape: Any, name: str | None = None) -> Tensor:
    """A tensor with the value `input` unless a run feeds another."""
    tensor: Tensor = _context.builder().op("PlaceholderWithDefault", input, shape=TensorShape(shape), name=name)
    return tensor


def constant(
    value: Any, dtype: Any = None, shape: Any = None, name: str = "Const", verify_shape: bool = False
) -> Tensor:
    """A constant tensor. With `shape`, one value (or a short list, by its last) fills the whole shape."""
    return _context.builder().constant(value, dtype, shape, name, verify_shape)


def convert_to_tensor(
    value: Any, dtype: Any = None, name: str | None = None, preferred_dtype: Any = None, dtype_hint: Any = None
) -> Tensor:
    """The tensor that `value` is or stands for, or a constant made of it."""
    hint = preferred_dtype if dtype_hint is None else dtype_hint
    return _context.builder().convert(value, dtype, name=name, preferred=None if hint is None else as_dtype(hint))


def convert_to_tensor_or_indexed_slices(value: Any, dtype: Any = None, name: str | None = None) -> Any:
    return value if isinstance(value, IndexedSlices) else convert_to_tensor(value, dtype, name)


def register_tensor_conversion_function(base_type: Any, conversion_func: Any, priority: int = 100) -> None:
    """Make `conversion_func(value, dtype, name, as_ref)` the way from `base_type` to tensors.

    raises  TypeError for what is no type or no function; a conversion to no tensor, or to one of another dtype than was
            wanted, is a RuntimeError where the value is used
    """
    types = base_type if isinstance(base_type, tuple) else (base_type,)
    if not all(isinstance(kind, type) for kind in types):
        raise TypeError(f"Argument `base_type` must be a type or a tuple of types. Obtained: {base_type}")
    if not callable(conversion_func):
        raise TypeError(f"Argument `conversion_func` must be callable. Received {conversion_func}.")

    def convert(value: Any, dtype: DType | None, name: str | None, as_ref: bool) -> Any:
        found = conversion_func(value, dtype=dtype, name=name, as_ref=as_ref)
        if found is NotImplemented:
            return found
        if not isinstance(found, Tensor):
            raise RuntimeError(
                f"Conversion function {conversion_func} for type {type(value)} returned non-Tensor: {found!r}"
            )
        if dtype is not None and not dtype.is_compatible_with(found.dtype):
            raise RuntimeError(
                f"Conversion function {conversion_func} for type {type(value)} returned incompatible dtype: "
                f"requested = {dtype.base.name}, actual = {found.dtype.name}"
            )
        return found

    register_conversion(types, convert, priority)


def is_tensor(x: Any) -> bool:
    """Whether `x` is a tensor or stands for one (a variable, slices)."""
    return isinstance(x, (Tensor, IndexedSlices)) or hasattr(x, "_as_graph_element")


def no_op(name: str | None = None) -> Operation:
    """An operation that does nothing."""
    return _context.builder().no_op(name)


def import_graph_def(
    graph_def: Any,
    input_map: Any = None,
    return_elements: Any = None,
    name: str | None = None,
    op_dict: Any = None,
    producer_op_list: Any = None,
) -> Any:
    """Add the nodes of a GraphDef to the default graph, under `name` ("import"); see the contract in docs."""
    return _import_graph_def(
        get_default_graph(),
        graph_def,
        input_map=input_map,
        return_elements=return_elements,
        name=name,
        producer_op_list=producer_op_list,
    )
