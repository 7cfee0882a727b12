"""Variable: what reference and resource variables have in common. An object beside the graph; sessions hold values."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

from regraft import proto
from regraft.base import names
from regraft.base.dtypes import DType
from regraft.base.shapes import TensorShape
from regraft.ir.graph import Graph
from regraft.ir.node import Operation, Reference, Tensor
from regraft.opkit import operators
from regraft.opkit.builder import Builder
from regraft.variables import save_slice
from regraft.variables.policy import VariableAggregation, VariableSynchronization
from regraft.variables.save_slice import SaveSliceInfo as _Slice


class Variable:
    """A variable of a graph. `RefVariable` and `ResourceVariable` are the two kinds.

    Stands for a tensor wherever one is wanted, and for itself (its reference or handle) where an op changes it.
    """

    SaveSliceInfo = save_slice.SaveSliceInfo

    _variable: Tensor
    """The reference or the resource handle."""
    _initializer_op: Operation | None
    _initial_value: Tensor | None
    _trainable: bool
    _synchronization: VariableSynchronization
    _aggregation: VariableAggregation
    _constraint: Any = None
    _save_slice_info: _Slice | None = None

    @property
    def graph(self) -> Graph:
        return self._variable.graph

    @property
    def name(self) -> str:
        return self._variable.name

    @property
    def _shared_name(self) -> str:
        return self._variable.op.name

    @property
    def op(self) -> Operation:
        return self._variable.op

    @property
    def device(self) -> str:
        return self._variable.device

    @property
    def dtype(self) -> DType:
        return self._variable.dtype

    @property
    def shape(self) -> TensorShape:
        return self._variable.shape

    def get_shape(self) -> TensorShape:
        return self.shape

    def set_shape(self, shape: Any) -> None:
        """Add to what is known of the shape. ValueError when it contradicts what is known already."""
        self._variable.set_shape(shape)
        self.value().set_shape(shape)

    @property
    def initializer(self) -> Operation:
        """The operation that gives the variable its initial value."""
        assert self._initializer_op is not None
        return self._initializer_op

    @property
    def initial_value(self) -> Tensor | None:
        return self._initial_value

    @property
    def trainable(self) -> bool:
        return self._trainable

    @property
    def synchronization(self) -> VariableSynchronization:
        return self._synchronization

    @property
    def aggregation(self) -> VariableAggregation:
        return self._aggregation

    @property
    def constraint(self) -> Any:
        """The function that projects the value after each update by an optimizer, or None."""
        return self._constraint

    def _set_save_slice_info(self, save_slice_info: _Slice | None) -> None:
        self._save_slice_info = save_slice_info

    def _get_save_slice_info(self) -> _Slice | None:
        return self._save_slice_info

    @property
    def _builder(self) -> Builder:
        return Builder(self.graph)

    def value(self) -> Tensor:
        """The value, to be used by ops that only read it."""
        raise NotImplementedError

    def read_value(self) -> Tensor:
        """A new read of the value: it stands in the current control dependencies, unlike that of `value()`."""
        raise NotImplementedError

    def _as_graph_element(self) -> Tensor:
        return self.value()

    def _ref(self) -> Tensor:
        """The reference or handle, for ops that write."""
        return self._variable

    def initialized_value(self) -> Tensor:
        """The value, or the initial value as long as the variable has none (a conditional in the graph)."""
        from regraft.variables.initialized import initialized_value

        return initialized_value(self)

    if TYPE_CHECKING:  # given by `regraft.v1`, which knows the default session
        eval: Callable[..., Any]
        load: Callable[..., None]

    @staticmethod
    def from_proto(variable_def: Any, import_scope: str | None = None) -> Variable:
        """The variable of the default graph that a VariableDef names; see `variable_from_proto`."""
        from regraft.variables import ambient
        from regraft.variables.from_proto import variable_from_proto

        return variable_from_proto(ambient.default_graph(), variable_def, import_scope=import_scope)

    def ref(self) -> Reference:
        """Something hashable that stands for the variable in sets and mappings, as TensorFlow 2's programs want it."""
        return Reference(self)

    experimental_ref = ref

    def to_proto(self, export_scope: str | None = None) -> Any:
        """The VariableDef with names below `export_scope`, or None when the variable lies elsewhere."""
        scope = export_scope or ""
        if not names.in_scope(self._variable.name, scope):
            return None

        def strip(element: Tensor | Operation) -> str:
            return names.strip_scope(element.name, scope)

        message = proto.VariableDef(
            variable_name=strip(self._variable),
            initializer_name=strip(self.initializer),
            snapshot_name=strip(self._snapshot_element()),
            trainable=self._trainable,
            synchronization=self._synchronization.value,
            aggregation=self._aggregation.value,
        )
        if self._initial_value is not None:
            message.initial_value_name = strip(self._initial_value)
        if self._save_slice_info is not None:
            info = self._save_slice_info.to_proto(export_scope)
            if info is not None:
                message.save_slice_info_def.CopyFrom(info)
        return message

    def _snapshot_element(self) -> Tensor:
        raise NotImplementedError

    def __getitem__(self, key: Any) -> Any:
        value = self.value()
        part = value[key]  # type: ignore[index]  # installed by opkit
        if part.op.type == "StridedSlice" and part.op.inputs[0] is value:
            part.assign = functools.partial(self._assign_part, part.op)
        return part

    def _assign_part(self, part: Operation, value: Any, name: str | None = None) -> Any:
        """Replace the elements that `part`, a StridedSlice of the variable, takes."""
        masks = ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask")
        begin, end, strides = part.inputs[1:]
        name = f"{part.name}/_assign/" if name is None else name
        given = {mask: part.get_attr(mask) for mask in masks}
        return self._strided_slice_assign(begin, end, strides, value, name, **given)

    def _strided_slice_assign(
        self, begin: Any, end: Any, strides: Any, value: Any, name: str | None, **masks: int
    ) -> Any:
        raise NotImplementedError

    def __iter__(self) -> NoReturn:
        raise TypeError("'Variable' object is not iterable.")

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other

    def __repr__(self) -> str:
        return f"<tf.Variable {self.name!r} shape={self.shape} dtype={self.dtype.name}>"


def _forward(name: str) -> Any:
    def method(self: Variable, *args: Any) -> Any:
        # The variable is read before the operator opens its name scope.
        return getattr(self.value(), name)(*args)

    return method


operators.install(Variable)
for _name in ("add", "sub", "mul", "div", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor"):
    setattr(Variable, f"__{_name}__", _forward(f"__{_name}__"))
    if _name != "div":
        setattr(Variable, f"__r{_name}__", _forward(f"__r{_name}__"))
for _name in ("lt", "le", "gt", "ge", "neg", "abs", "invert"):
    setattr(Variable, f"__{_name}__", _forward(f"__{_name}__"))
