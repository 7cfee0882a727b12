"""ResourceVariable: a VarHandleOp node, whose output is a handle; reading and writing are nodes of their own."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from regraft.base.dtypes import DType
from regraft.base.shapes import TensorShape, as_shape
from regraft.ir.graph import Graph
from regraft.ir.node import Operation, Tensor
from regraft.opkit.builder import Builder
from regraft.opkit.conversion import register_conversion
from regraft.opkit.slices import IndexedSlices
from regraft.variables import arguments
from regraft.variables.initialized import guarded
from regraft.variables.variable import Variable


class ResourceVariable(Variable):
    """A variable behind a handle: `v` (VarHandleOp), `v/IsInitialized/...`, `v/Assign`, `v/Read/ReadVariableOp`.

    Where the variable stands for a tensor, a ReadVariableOp is added in that place.
    """

    _graph_element: Tensor
    _cached_value: Tensor | None = None
    _is_initialized_op: Tensor | None = None
    _caching_device: Any = None

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
        constraint: Callable[..., Any] | None = None,
        synchronization: Any = None,
        aggregation: Any = None,
        shape: Any = None,
    ) -> None:
        """Add the variable's nodes to the graph, and the variable to its collections; see `RefVariable`.

        raises  ValueError where an argument does not fit
        """
        args = arguments.take(
            self, initial_value, trainable, collections, dtype, constraint, synchronization, aggregation
        )
        self._caching_device = caching_device
        b = Builder(graph)
        with arguments.outside_control_flow(graph), graph.name_scope(name or "Variable") as scope:
            own_name = scope[:-1]
            # The group is named before the variable that gives it its name is there.
            with graph.attr_scope({"_class": (b"loc:@" + own_name.encode(),)}):
                with graph.name_scope("Initializer"), graph.device(None):
                    made = args.initial_value() if args.from_function else args.initial_value
                    value = b.convert(made, args.dtype, name="initial_value")
                if shape is not None and not value.shape.is_compatible_with(shape):
                    raise ValueError(
                        f"In this `tf.Variable` creation, the initial value's shape ({value.shape}) is not compatible "
                        f"with the explicitly supplied `shape` argument ({shape})."
                    )
                static = value.shape if shape is None else as_shape(shape)
                self._variable = b.op(
                    "VarHandleOp",
                    shape=static,
                    dtype=value.dtype.base,
                    shared_name=own_name,
                    debug_name=scope,
                    name=scope,
                )
            arguments.check_initial_value(value, own_name)
            self._initial_value = value
            with graph.name_scope("IsInitialized"):
                self._is_initialized_op = b.op("VarIsInitializedOp", self._variable)
            with (
                graph.name_scope("Assign") as assign_scope,
                graph.colocate_with(None, ignore_existing=True),
                graph.device(self._variable.device),
            ):
                self._initializer_op = b.op(
                    "AssignVariableOp", self._variable, guarded(scope, value, self._variable), name=assign_scope
                )
            with graph.name_scope("Read"):
                with graph.device(self._variable.device):
                    self._graph_element = b.op("ReadVariableOp", self._variable, dtype=value.dtype.base)
                if caching_device is not None:
                    with graph.colocate_with(None, ignore_existing=True), graph.device(caching_device):
                        self._cached_value = b.identity(self._graph_element)
        graph.add_to_collections(args.collections, self)

    @property
    def handle(self) -> Tensor:
        return self._variable

    @property
    def dtype(self) -> DType:
        dtype: DType = self._variable.op.attrs["dtype"]
        return dtype

    @property
    def shape(self) -> TensorShape:
        if "_shape" not in self.__dict__:
            self._shape = as_shape(self._variable.op.attrs["shape"])
        return self._shape

    def set_shape(self, shape: Any) -> None:
        self._shape = self.shape.merge_with(shape)

    @property
    def create(self) -> Operation:
        """The operation that initializes the variable."""
        return self.initializer

    def is_initialized(self, name: str | None = None) -> Tensor:
        """Whether the variable has a value, as a bool tensor."""
        result: Tensor = self._builder.op("VarIsInitializedOp", self._variable, name=name)
        return result

    def _read(self) -> Tensor:
        b = self._builder
        graph = self.graph
        with contextlib.ExitStack() as place:
            if self._caching_device is not None:
                place.enter_context(graph.colocate_with(None, ignore_existing=True))
                place.enter_context(graph.device(self._caching_device))
            result: Tensor = b.op("ReadVariableOp", self._variable, dtype=self.dtype)
        return result

    def value(self) -> Tensor:
        if self._cached_value is not None:
            return self._cached_value
        with self.graph.colocate_with(None, ignore_existing=True):
            return self._read()

    def read_value(self) -> Tensor:
        with self.graph.name_scope("Read"):
            value = self._read()
        return self._builder.identity(value)

    def _as_graph_element(self) -> Tensor:
        return self._graph_element

    def _snapshot_element(self) -> Tensor:
        return self._graph_element if self._cached_value is None else self._cached_value

    def to_proto(self, export_scope: str | None = None) -> Any:
        """The VariableDef with names below `export_scope`, or None when the variable lies elsewhere."""
        message = super().to_proto(export_scope)
        if message is not None:
            message.is_resource = True
        return message

    def sparse_read(self, indices: Any, name: str | None = None) -> Tensor:
        """The rows at `indices`, without reading the rest."""
        result: Tensor = self._builder.op(
            "ResourceGather", self._variable, indices, dtype=self.dtype, name=name or "Gather"
        )
        return result

    def gather_nd(self, indices: Any, name: str | None = None) -> Tensor:
        """The elements or slices at `indices`, without reading the rest."""
        b = self._builder
        return b.identity(b.op("ResourceGatherNd", self._variable, indices, dtype=self.dtype, name=name or "GatherNd"))

    # Changes: each returns an object that reads the new value, or the operation with `read_value=False`.

    def assign(
        self, value: Any, use_locking: bool | None = None, name: str | None = None, read_value: bool = True
    ) -> Any:
        """Replace the value. ValueError if the shape can't be the variable's."""
        b = self._builder
        tensor = b.convert(value, self.dtype)
        if not self.shape.is_compatible_with(tensor.shape):
            raise ValueError(
                f"Cannot assign value to variable ' {self.name}': Shape mismatch. The variable shape {self.shape}, and "
                f"the assigned value shape {tensor.shape} are incompatible."
            )
        validate = self.shape.is_fully_defined()
        op = b.op("AssignVariableOp", self._variable, tensor, validate_shape=validate, name=name)
        return self._unread(op) if read_value else op

    def assign_add(
        self, delta: Any, use_locking: bool | None = None, name: str | None = None, read_value: bool = True
    ) -> Any:
        """Add `delta` to the value."""
        return self._update("AssignAddVariableOp", delta, name, read_value)

    def assign_sub(
        self, delta: Any, use_locking: bool | None = None, name: str | None = None, read_value: bool = True
    ) -> Any:
        """Subtract `delta` from the value."""
        return self._update("AssignSubVariableOp", delta, name, read_value)

    def _update(self, op_type: str, delta: Any, name: str | None, read_value: bool) -> Any:
        b = self._builder
        op = b.op(op_type, self._variable, b.convert(delta, self.dtype), name=name)
        return self._unread(op) if read_value else op

    def _unread(self, op: Operation) -> Any:
        return _AfterUpdate(self, op)

    def _scatter(self, op_type: str, sparse_delta: Any, name: str | None) -> Any:
        if not isinstance(sparse_delta, IndexedSlices):
            raise TypeError(f"Argument `sparse_delta` must be a `tf.IndexedSlices`. Received arg: {sparse_delta}")
        b = self._builder
        values = b.convert(sparse_delta.values, self.dtype)
        return self._unread(b.op(op_type, self._variable, sparse_delta.indices, values, name=name))

    def scatter_add(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Any:
        """Add the rows of an IndexedSlices."""
        return self._scatter("ResourceScatterAdd", sparse_delta, name)

    def scatter_sub(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Any:
        """Subtract the rows of an IndexedSlices."""
        return self._scatter("ResourceScatterSub", sparse_delta, name)

    def scatter_mul(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Any:
        """Multiply by the rows of an IndexedSlices."""
        return self._scatter("ResourceScatterMul", sparse_delta, name)

    def scatter_div(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Any:
        """Divide by the rows of an IndexedSlices."""
        return self._scatter("ResourceScatterDiv", sparse_delta, name)

    def scatter_min(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Any:
        """Take the minimum with the rows of an IndexedSlices."""
        return self._scatter("ResourceScatterMin", sparse_delta, name)

    def scatter_max(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Any:
        """Take the maximum with the rows of an IndexedSlices."""
        return self._scatter("ResourceScatterMax", sparse_delta, name)

    def scatter_update(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Any:
        """Replace the rows of an IndexedSlices."""
        return self._scatter("ResourceScatterUpdate", sparse_delta, name)

    def _scatter_nd(self, op_type: str, indices: Any, updates: Any, name: str | None) -> Any:
        b = self._builder
        return self._unread(b.op(op_type, self._variable, indices, b.convert(updates, self.dtype), name=name))

    def scatter_nd_add(self, indices: Any, updates: Any, name: str | None = None) -> Any:
        """Add `updates` at `indices`."""
        return self._scatter_nd("ResourceScatterNdAdd", indices, updates, name)

    def scatter_nd_sub(self, indices: Any, updates: Any, name: str | None = None) -> Any:
        """Subtract `updates` at `indices`."""
        return self._scatter_nd("ResourceScatterNdSub", indices, updates, name)

    def scatter_nd_update(self, indices: Any, updates: Any, name: str | None = None) -> Any:
        """Put `updates` at `indices`."""
        return self._scatter_nd("ResourceScatterNdUpdate", indices, updates, name)

    def scatter_nd_max(self, indices: Any, updates: Any, name: str | None = None) -> Any:
        """Take the maximum with `updates` at `indices`."""
        return self._scatter_nd("ResourceScatterNdMax", indices, updates, name)

    def scatter_nd_min(self, indices: Any, updates: Any, name: str | None = None) -> Any:
        """Take the minimum with `updates` at `indices`."""
        return self._scatter_nd("ResourceScatterNdMin", indices, updates, name)

    def _strided_slice_assign(
        self, begin: Any, end: Any, strides: Any, value: Any, name: str | None, **masks: int
    ) -> Any:
        b = self._builder
        return self._unread(
            b.op(
                "ResourceStridedSliceAssign", self._variable, begin, end, strides, b.convert(value, self.dtype),
                name=name, **masks,
            )
        )  # fmt: skip

    def count_up_to(self, limit: int) -> Any:
        """Add 1, or fail with OutOfRangeError at `limit`; gives the value before."""
        return self._builder.op("ResourceCountUpTo", self._variable, limit=limit, T=self.dtype)


class _AfterUpdate(ResourceVariable):
    """A variable as it is after an operation that changes it: every read stands behind that operation."""

    def __init__(self, variable: ResourceVariable, parent: Operation) -> None:
        self.__dict__.update(variable.__dict__)
        self._parent = parent
        self._cached_value = None
        b = self._builder
        with self._behind():
            self._graph_element = b.op("ReadVariableOp", self._variable, dtype=self.dtype)

    @contextlib.contextmanager
    def _behind(self) -> Iterator[None]:
        with self.graph.control_dependencies([self._parent]):
            yield

    @property
    def op(self) -> Operation:
        """The operation that changes the variable."""
        return self._parent

    @property
    def name(self) -> str:
        """The name of the operation that changes the variable."""
        return self._parent.name

    def value(self) -> Tensor:
        with self._behind():
            return super().value()

    def read_value(self) -> Tensor:
        with self._behind():
            return super().read_value()

    def _update(self, op_type: str, delta: Any, name: str | None, read_value: bool) -> Any:
        with self._behind():
            return super()._update(op_type, delta, name, read_value)

    def assign(
        self, value: Any, use_locking: bool | None = None, name: str | None = None, read_value: bool = True
    ) -> Any:
        with self._behind():
            return super().assign(value, use_locking, name, read_value)

    def _scatter(self, op_type: str, sparse_delta: Any, name: str | None) -> Any:
        with self._behind():
            return super()._scatter(op_type, sparse_delta, name)

    def _scatter_nd(self, op_type: str, indices: Any, updates: Any, name: str | None) -> Any:
        with self._behind():
            return super()._scatter_nd(op_type, indices, updates, name)


def _convert(value: ResourceVariable, dtype: Any = None, name: Any = None, as_ref: bool = False) -> Tensor:
    if dtype is not None and dtype.base is not value.dtype.base:
        raise ValueError(
            f"Incompatible type conversion requested to type {dtype.name} for `tf.Variable` of type "
            f"{value.dtype.name}. (Variable: {value.name})"
        )
    return value.read_value().op.inputs[0] if as_ref else value.value()


register_conversion(ResourceVariable, _convert)
