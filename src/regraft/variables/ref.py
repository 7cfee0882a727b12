"""RefVariable: a VariableV2 node, whose output is a reference to a buffer."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from regraft.base.shapes import UNKNOWN, as_shape
from regraft.ir.graph import Graph
from regraft.ir.node import Tensor
from regraft.opkit.builder import Builder
from regraft.opkit.conversion import register_conversion
from regraft.opkit.slices import IndexedSlices
from regraft.variables import arguments
from regraft.variables.initialized import guarded
from regraft.variables.variable import Variable


class RefVariable(Variable):
    """A variable in the classic form: `v` (VariableV2), `v/Assign`, and `v/read` (Identity), which stands for it."""

    _snapshot: Tensor

    def __init__(
        self,
        graph: Graph,
        initial_value: Any = None,
        trainable: bool | None = None,
        collections: Any = None,
        validate_shape: bool = True,
        caching_device: Any = None,
        name: str | None = None,
        dtype: Any = None,
        expected_shape: Any = None,
        constraint: Callable[..., Any] | None = None,
        synchronization: Any = None,
        aggregation: Any = None,
        shape: Any = None,
    ) -> None:
        """Add the variable's nodes to the graph, and the variable to its collections.

        initial_value   what becomes a tensor, or a function that returns it and is called inside `v/Initializer`
        validate_shape  False for a variable whose shape may change
        shape           the static shape, where it is to be another than that of the initial value

        raises  ValueError where an argument does not fit
        """
        args = arguments.take(
            self, initial_value, trainable, collections, dtype, constraint, synchronization, aggregation
        )
        b = Builder(graph)
        with arguments.outside_control_flow(graph), graph.name_scope(name or "Variable") as scope:
            with contextlib.ExitStack() as group:
                if args.from_function:
                    # The group is named before the variable that gives it its name is there.
                    group.enter_context(graph.attr_scope({"_class": (b"loc:@" + scope[:-1].encode(),)}))
                    with graph.name_scope("Initializer"), graph.device(None):
                        value = b.convert(args.initial_value(), args.dtype, name="initial_value")
                else:
                    value = b.convert(args.initial_value, args.dtype, name="initial_value")
                    arguments.check_initial_value(value, scope)
                if shape is None:
                    shape = value.shape if validate_shape else UNKNOWN
                self._variable = b.op("VariableV2", shape=as_shape(shape), dtype=value.dtype.base, name=scope)
            self._initial_value = value
            if validate_shape and not value.shape.is_fully_defined():
                raise ValueError(f"initial_value must have a shape specified: {value}")
            assign = b.op("Assign", self._variable, guarded(scope, value), validate_shape=validate_shape)
            self._initializer_op = assign.op
            place = graph.device(caching_device) if caching_device is not None else graph.colocate_with(self.op)
            with place:
                self._snapshot = b.identity(self._variable, name="read")
        graph.add_to_collections(args.collections, self)

    def value(self) -> Tensor:
        return self._snapshot

    def read_value(self) -> Tensor:
        return self._builder.identity(self._variable, name="read")

    def _as_graph_element(self) -> Tensor:
        return self._variable

    def _snapshot_element(self) -> Tensor:
        return self._snapshot

    # Changes: each returns the reference, which reads as the new value, or the operation with `read_value=False`.

    def assign(self, value: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True) -> Any:
        """Replace the value; the shape must be the same."""
        return self._update("Assign", (value,), name, read_value, use_locking=use_locking)

    def assign_add(
        self, delta: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
    ) -> Any:
        """Add `delta` to the value."""
        return self._update("AssignAdd", (delta,), name, read_value, use_locking=use_locking)

    def assign_sub(
        self, delta: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
    ) -> Any:
        """Subtract `delta` from the value."""
        return self._update("AssignSub", (delta,), name, read_value, use_locking=use_locking)

    def _update(self, op_type: str, inputs: tuple[Any, ...], name: str | None, read_value: bool, **attrs: Any) -> Any:
        result = self._builder.op(op_type, self._variable, *inputs, name=name, **attrs)
        return result if read_value else result.op

    def _scatter(self, op_type: str, sparse_delta: Any, use_locking: bool, name: str | None) -> Any:
        if not isinstance(sparse_delta, IndexedSlices):
            raise TypeError(f"sparse_delta is not IndexedSlices: {sparse_delta}")
        inputs = (sparse_delta.indices, sparse_delta.values)
        return self._update(op_type, inputs, name, True, use_locking=use_locking)

    def scatter_add(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Any:
        """Add the rows of an IndexedSlices."""
        return self._scatter("ScatterAdd", sparse_delta, use_locking, name)

    def scatter_sub(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Any:
        """Subtract the rows of an IndexedSlices."""
        return self._scatter("ScatterSub", sparse_delta, use_locking, name)

    def scatter_mul(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Any:
        """Multiply by the rows of an IndexedSlices."""
        return self._scatter("ScatterMul", sparse_delta, use_locking, name)

    def scatter_div(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Any:
        """Divide by the rows of an IndexedSlices."""
        return self._scatter("ScatterDiv", sparse_delta, use_locking, name)

    def scatter_min(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Any:
        """Take the minimum with the rows of an IndexedSlices."""
        return self._scatter("ScatterMin", sparse_delta, use_locking, name)

    def scatter_max(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Any:
        """Take the maximum with the rows of an IndexedSlices."""
        return self._scatter("ScatterMax", sparse_delta, use_locking, name)

    def scatter_update(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Any:
        """Replace the rows of an IndexedSlices."""
        return self._scatter("ScatterUpdate", sparse_delta, use_locking, name)

    def scatter_nd_add(self, indices: Any, updates: Any, name: str | None = None) -> Any:
        """Add `updates` at `indices`."""
        return self._update("ScatterNdAdd", (indices, updates), name, True, use_locking=True)

    def scatter_nd_sub(self, indices: Any, updates: Any, name: str | None = None) -> Any:
        """Subtract `updates` at `indices`."""
        return self._update("ScatterNdSub", (indices, updates), name, True, use_locking=True)

    def scatter_nd_update(self, indices: Any, updates: Any, name: str | None = None) -> Any:
        """Put `updates` at `indices`."""
        return self._update("ScatterNdUpdate", (indices, updates), name, True, use_locking=True)

    def scatter_nd_max(self, indices: Any, updates: Any, name: str | None = None) -> Any:
        """Take the maximum with `updates` at `indices`."""
        return self._update("ScatterNdMax", (indices, updates), name, True, use_locking=True)

    def scatter_nd_min(self, indices: Any, updates: Any, name: str | None = None) -> Any:
        """Take the minimum with `updates` at `indices`."""
        return self._update("ScatterNdMin", (indices, updates), name, True, use_locking=True)

    def _strided_slice_assign(
        self, begin: Any, end: Any, strides: Any, value: Any, name: str | None, **masks: int
    ) -> Any:
        return self._update("StridedSliceAssign", (begin, end, strides, value), name, True, **masks)

    def __bool__(self) -> bool:
        """True: the variable is an object, whatever its value."""
        return True

    def count_up_to(self, limit: int) -> Any:
        """Add 1, or fail with OutOfRangeError at `limit`; gives the value before."""
        return self._builder.op("CountUpTo", self._variable, limit=limit)


def _convert(value: RefVariable, dtype: Any = None, name: Any = None, as_ref: bool = False) -> Tensor:
    if dtype is not None and not dtype.is_compatible_with(value.dtype) and dtype.base is not value.dtype.base:
        raise ValueError(
            f"Incompatible type conversion requested to type {dtype.name!r} for variable of type "
            f"{value.dtype.name!r} ({value.name})"
        )
    return value._ref() if as_ref else value.value()


register_conversion(RefVariable, _convert)
