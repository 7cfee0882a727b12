"""PartitionedVariable: several variables that are the parts of one tensor."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from regraft.base.dtypes import DType, as_dtype
from regraft.base.errors import UnimplementedError
from regraft.base.shapes import TensorShape, as_shape
from regraft.ir.graph import Graph
from regraft.ir.node import Tensor
from regraft.opkit import operators
from regraft.opkit.builder import Builder
from regraft.opkit.conversion import register_conversion
from regraft.variables.variable import Variable


class PartitionedVariable:
    """The parts, in order of their offset. Iterates over them; as a tensor it is their concatenation.

    name        of the whole, which is the key in checkpoints
    shape       of the whole
    partitions  how many parts there are along each axis
    """

    def __init__(
        self, name: str, shape: Any, dtype: Any, variable_list: Sequence[Variable], partitions: Sequence[int]
    ) -> None:
        if not isinstance(variable_list, (list, tuple)):
            raise TypeError(f"variable_list is not a list or tuple: {variable_list}")
        if not isinstance(partitions, (list, tuple)):
            raise TypeError(f"partitions is not a list or tuple: {partitions}")
        if not all(p >= 1 for p in partitions):
            raise ValueError(f"partition values must be positive: {partitions}")
        if not variable_list:
            raise ValueError("variable_list may not be empty")
        offsets: dict[int, list[int]] = {}
        sizes = as_shape(shape).as_list()
        if len(sizes) != len(partitions):
            raise ValueError(f"len(shape) != len(partitions): {shape} vs. {partitions}")
        for variable in variable_list:
            info = variable._get_save_slice_info()
            if info is None:
                raise ValueError(
                    f"All variables must have a save_slice_info available: {[v.name for v in variable_list]}"
                )
            if list(info.full_shape) != sizes:
                raise ValueError(
                    f"All variables' full shapes must match shape: {shape}; but full shapes were: {info.full_shape}"
                )
            offsets[id(variable)] = list(info.var_offset)
        self._variable_list = sorted(variable_list, key=lambda v: offsets[id(v)])
        self._name = name
        self._shape = as_shape(shape)
        self._dtype = as_dtype(dtype)
        self._partitions = partitions

    def __iter__(self) -> Iterator[Variable]:
        return iter(self._variable_list)

    def __len__(self) -> int:
        axes = self._partition_axes()
        if len(axes) > 1:
            raise ValueError(f"Cannot get a length for {len(axes)} > 1 partition axes")
        return len(self._variable_list)

    @property
    def name(self) -> str:
        return self._name

    @property
    def graph(self) -> Graph:
        graph: Graph = self._variable_list[0].graph
        return graph

    @property
    def dtype(self) -> DType:
        return self._dtype

    @property
    def shape(self) -> TensorShape:
        return self._shape

    def get_shape(self) -> TensorShape:
        return self._shape

    def _get_variable_list(self) -> list[Variable]:
        return self._variable_list

    def _get_partitions(self) -> Sequence[int]:
        return self._partitions

    def _partition_axes(self) -> list[int]:
        return [i for i, p in enumerate(self._partitions) if p > 1] or [0]

    def _axis(self, what: str) -> int:
        axes = self._partition_axes()
        if len(axes) > 1:
            raise UnimplementedError(
                f"Cannot {what} along more than one dimension: {axes}. {self._name!r} is partitioned along them."
            )
        return axes[0]

    def as_tensor(self) -> Tensor:
        """The parts put together; outside of all control dependencies."""
        graph = self.graph
        b = Builder(graph)
        with graph.control_dependencies(None):
            whole: Any = self._variable_list[0]
            if len(self._variable_list) > 1:
                axis = self._axis("concatenate")
                with graph.name_scope(f"{self._name}/ConcatPartitions/"):
                    whole = b.concat(self._variable_list, axis)
            with graph.name_scope(None):
                return b.identity(whole, name=self._name)

    def _apply(self, function: Callable[[Any, Any], Any], value: Any) -> list[Any]:
        axis = self._axis("assign")
        if isinstance(value, (list, PartitionedVariable)):
            parts = list(value)
            if len(parts) != len(self._variable_list):
                raise ValueError(f"{len(parts)} values for the {len(self._variable_list)} parts of {self._name!r}")
        else:
            sizes = [v.shape.as_list()[axis] for v in self._variable_list]
            parts = list(Builder(self.graph).op("SplitV", value, sizes, axis, num_split=len(sizes), name="split"))
        return [function(variable, part) for variable, part in zip(self._variable_list, parts, strict=True)]

    def assign(
        self, value: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
    ) -> list[Any]:
        """Replace the value, part by part: a tensor is split, a list has a value for each part."""
        return self._apply(lambda v, part: v.assign(part, use_locking, name, read_value), value)

    def assign_add(
        self, value: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
    ) -> list[Any]:
        """Add to the value, part by part."""
        return self._apply(lambda v, part: v.assign_add(part, use_locking, name, read_value), value)

    def assign_sub(
        self, value: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
    ) -> list[Any]:
        """Subtract from the value, part by part."""
        return self._apply(lambda v, part: v.assign_sub(part, use_locking, name, read_value), value)


def _convert(value: PartitionedVariable, dtype: Any = None, name: Any = None, as_ref: bool = False) -> Tensor:
    if dtype is not None and dtype.base is not value.dtype.base:
        raise ValueError(
            f"Incompatible type conversion requested to type {dtype.name!r} for variable of type {value.dtype.name!r}"
        )
    if as_ref:
        raise UnimplementedError(
            f"PartitionedVariable {value.name!r} doesn't support being used as a reference.", hint="use its parts"
        )
    return value.as_tensor()


operators.install(PartitionedVariable)
register_conversion(PartitionedVariable, _convert)
