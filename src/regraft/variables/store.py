"""The variables of a graph by name: what get_variable makes, and finds again."""

from __future__ import annotations

import enum
import functools
import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from regraft.base import dtypes
from regraft.base.dtypes import DType, as_dtype
from regraft.base.shapes import TensorShape, as_shape
from regraft.ir.graph import Graph
from regraft.ir.graph_keys import GraphKeys
from regraft.ir.node import Tensor
from regraft.opkit.builder import Builder
from regraft.opkit.conversion import register_conversion
from regraft.variables import SaveSliceInfo, ambient, make_variable
from regraft.variables.initializers import GlorotUniform, Zeros
from regraft.variables.partition_info import PartitionInfo
from regraft.variables.partitioned import PartitionedVariable

_KEY = ("__variable_store",)


class ReuseMode(enum.Enum):
    """Values of `reuse` beside True, False and None."""

    AUTO_REUSE = 1


AUTO_REUSE = ReuseMode.AUTO_REUSE


class RegularizationLoss:
    """What a regularizer says of a variable: a tensor, and a new one each time that it is converted to a tensor."""

    def __init__(self, make: Callable[[], Tensor]) -> None:
        self._make = make
        self._tensor = make()

    def _as_graph_element(self) -> Tensor:
        return self._tensor

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tensor, name)


register_conversion(RegularizationLoss, lambda value, dtype, name, as_ref: value._make())


def variable_store(graph: Graph) -> VariableStore:
    """The store of a graph; made with the first question."""
    found = graph.get_collection_ref(_KEY)
    if not found:
        found.append(VariableStore(graph))
    store: VariableStore = found[0]
    return store


class VariableStore:
    """Variables by full name, single ones and partitioned ones."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._vars: dict[str, Any] = {}
        self._partitioned_vars: dict[str, PartitionedVariable] = {}

    def get_variable(self, name: str, custom_getter: Any = None, **arguments: Any) -> Any:
        """The variable of this full name, found or made; `custom_getter(getter, name, ...)` may step in between.

        arguments  shape, dtype, initializer, regularizer, reuse, trainable, collections, caching_device, partitioner,
                   validate_shape, use_resource, constraint, synchronization, aggregation
        """
        if custom_getter is not None and not callable(custom_getter):
            raise ValueError(f"Passed a custom_getter which is not callable: {custom_getter}")
        if isinstance(arguments.get("dtype"), DType):
            arguments["dtype"] = arguments["dtype"].base
        if custom_getter is None:
            return self._get(name, **arguments)
        if not _accepts(custom_getter, "constraint"):
            del arguments["constraint"]
        return custom_getter(getter=self._get, name=name, **arguments)

    def _get(
        self,
        name: str,
        shape: Any = None,
        dtype: Any = dtypes.float32,
        initializer: Any = None,
        regularizer: Any = None,
        reuse: Any = None,
        trainable: bool | None = None,
        collections: Any = None,
        caching_device: Any = None,
        partitioner: Any = None,
        validate_shape: bool = True,
        use_resource: bool | None = None,
        constraint: Any = None,
        synchronization: Any = None,
        aggregation: Any = None,
    ) -> Any:
        rest = {
            "initializer": initializer,
            "regularizer": regularizer,
            "reuse": reuse,
            "trainable": trainable,
            "collections": collections,
            "caching_device": caching_device,
            "validate_shape": validate_shape,
            "use_resource": use_resource,
            "constraint": constraint,
            "synchronization": synchronization,
            "aggregation": aggregation,
        }
        scalar = isinstance(shape, Sequence) and not shape
        if partitioner is not None and not scalar:
            if not callable(partitioner):
                raise ValueError(f"Partitioner must be callable, but received: {partitioner}")
            with self.graph.name_scope(None):
                return self.partitioned(name, partitioner, shape, dtype, **rest)
        if reuse is True and partitioner is None and name in self._partitioned_vars:
            return self.partitioned(name, None, shape, dtype, **rest)
        if f"{name}/part_0" in self._vars:
            raise ValueError(
                f"No partitioner was provided, but a partitioned version of the variable was found: {name}/part_0. "
                "Perhaps a variable of the same name was already created with partitioning?"
            )
        return self._single(name, shape, dtype, **rest)

    # One variable

    def _single(
        self,
        name: str,
        shape: Any,
        dtype: Any,
        initializer: Any,
        regularizer: Any,
        reuse: Any,
        use_resource: bool | None,
        partition_info: PartitionInfo | None = None,
        **rest: Any,
    ) -> Any:
        from_value = initializer is not None and not callable(initializer)
        if shape is not None and from_value:
            raise ValueError("If initializer is a constant, do not specify shape.")
        kind = as_dtype(dtype)
        known = None if shape is None else as_shape(shape)
        if name in self._vars:
            return self._shared(name, known, kind, reuse)
        if reuse is True:
            raise ValueError(
                f"Variable {name} does not exist, or was not created with tf.get_variable(). "
                "Did you mean to set reuse=tf.AUTO_REUSE in VarScope?"
            )
        if initializer is None:
            if known is None:
                raise ValueError(
                    f"Variable {name} did not get an initializer, so its `shape` argument must be specified."
                )
            initializer = default_initializer(name, kind)
        value, value_type = initializer, None
        if not from_value:
            value, value_type = _initial_value(initializer, known, kind, partition_info)
        variable = make_variable(
            self.graph,
            value,
            ambient.use_resource() if use_resource is None else use_resource,
            name=name,
            dtype=value_type,
            shape=known,
            **rest,
        )
        self._vars[name] = variable
        if regularizer:
            self._regularize(variable, name, regularizer)
        return variable

    def _shared(self, name: str, shape: TensorShape | None, dtype: DType, reuse: Any) -> Any:
        found = self._vars[name]
        if reuse is False:
            raise ValueError(
                f"Variable {name} already exists, disallowed. "
                "Did you mean to set reuse=True or reuse=tf.AUTO_REUSE in VarScope?"
            )
        if shape is not None and not shape.is_compatible_with(found.shape):
            raise ValueError(
                f"Trying to share variable {name}, but specified shape {shape} and found shape {found.shape}."
            )
        if not dtype.is_compatible_with(found.dtype.base):
            raise ValueError(
                f"Trying to share variable {name}, but specified dtype {dtype.name} and found dtype {found.dtype.name}."
            )
        return found

    def _regularize(self, variable: Any, name: str, regularizer: Any) -> None:
        graph = self.graph

        def make() -> Any:
            with graph.colocate_with(variable.op), graph.name_scope(name + "/Regularizer/"):
                return regularizer(variable)

        if regularizer(variable) is not None:
            graph.add_to_collection(GraphKeys.REGULARIZATION_LOSSES, RegularizationLoss(make))

    # One variable in parts

    def partitioned(
        self,
        name: str,
        partitioner: Any,
        shape: Any,
        dtype: Any,
        initializer: Any = None,
        reuse: Any = None,
        **rest: Any,
    ) -> PartitionedVariable:
        """The variable `name` in the parts that `partitioner(shape, dtype)` asks for, found or made."""
        from_value = isinstance(initializer, Tensor)
        if name in self._vars:
            raise ValueError(
                f"A partitioner was provided, but an unpartitioned version of the variable was found: {name}.  "
                "Perhaps a variable of the same name was already created without partitioning?"
            )
        whole = as_shape(shape)
        if from_value:
            whole = whole.merge_with(initializer.shape)
        kind = as_dtype(dtype)
        partitions = _partitions(partitioner, whole, kind) if not reuse or partitioner else None
        if name in self._partitioned_vars:
            return self._shared_partitioned(name, whole, kind, partitions, reuse)
        if reuse is True or partitions is None:
            raise ValueError(
                f"PartitionedVariable {name} does not exist, or was not created with tf.get_variable(). "
                "Did you mean to set reuse=False or reuse=tf.AUTO_REUSE in VarScope?"
            )
        axis, count = next(((i, n) for i, n in enumerate(partitions) if n > 1), (0, 1))
        self._check_parts(name, count)
        sizes = [int(d) for d in whole.as_list() if d is not None]
        parts = []
        for i, (offset, size) in enumerate(_slices(sizes, count, axis)):
            full_name = f"{name}/part_{i}"
            with self.graph.name_scope(full_name + "/PartitionedInitializer"):
                value, part_shape, kind = self._part_value(name, initializer, offset, size, kind)
            with self.graph.name_scope(None):
                part = self._single(
                    full_name,
                    part_shape,
                    kind,
                    initializer=value,
                    reuse=reuse,
                    partition_info=PartitionInfo(sizes, offset),
                    **rest,
                )
            part._set_save_slice_info(SaveSliceInfo(name, sizes, offset, size))
            parts.append(part)
        made = PartitionedVariable(name, whole, kind, parts, partitions)
        self._partitioned_vars[name] = made
        return made

    def _shared_partitioned(
        self, name: str, shape: TensorShape, dtype: DType, partitions: Any, reuse: Any
    ) -> PartitionedVariable:
        if reuse is False:
            raise ValueError(
                f"Partitioned variable with name {name} already exists. "
                "Did you mean to set reuse=True or reuse=tf.AUTO_REUSE in VarScope?"
            )
        found = self._partitioned_vars[name]
        trying = f"Trying to reuse partitioned variable {name}, but specified"
        if not shape.is_compatible_with(found.shape):
            raise ValueError(f"{trying} shape {shape} and found shape {found.shape}.")
        if not dtype.is_compatible_with(found.dtype):
            raise ValueError(f"{trying} dtype {dtype.name} and found dtype {found.dtype.name}.")
        if partitions is not None and list(found._get_partitions()) != list(partitions):
            raise ValueError(f"{trying} partitions {partitions} and found partitions {found._get_partitions()}.")
        return found

    def _check_parts(self, name: str, count: int) -> None:
        if f"{name}/part_0" not in self._vars:
            return
        for index, wanted in ((count - 1, True), (count, False)):
            if (f"{name}/part_{index}" in self._vars) is not wanted:
                raise ValueError(
                    "Partitioner returned a different partitioning than what was already found.  Partitioner returned "
                    f"{count} shards, and shard {name}/part_0 was found, {'but' if wanted else 'but so was'} "
                    f"{name}/part_{index}{' was not' if wanted else ''}."
                )

    def _part_value(
        self, name: str, initializer: Any, offset: list[int], size: list[int], dtype: DType
    ) -> tuple[Any, Any, DType]:
        """(initializer, shape, dtype) of a part."""
        if initializer is None:
            return default_initializer(name, dtype), size, dtype
        if callable(initializer):
            return initializer, size, dtype
        b = Builder(self.graph)
        value = initializer if isinstance(initializer, Tensor) else b.convert(initializer, dtype)
        value = b.Slice(value, offset, size)
        return value, None, value.dtype.base


def default_initializer(name: str, dtype: DType) -> Any:
    """What fills a variable for which nobody says: Glorot's uniform values, or zeros where they make no sense."""
    if dtype.is_floating:
        return GlorotUniform()
    if dtype.is_integer or dtype.is_bool or dtype is dtypes.string:
        return Zeros()
    raise ValueError(f"An initializer for variable {name} of {dtype.base} is required")


def _initial_value(
    initializer: Any, shape: TensorShape | None, dtype: DType, partition_info: PartitionInfo | None
) -> tuple[Any, DType | None]:
    """A function without arguments that makes the initial value, and the dtype to convert that to."""
    if inspect.isclass(initializer):
        initializer = initializer()
    if shape is not None and shape.is_fully_defined():
        more = {"partition_info": partition_info} if _accepts(initializer, "partition_info", named=True) else {}
        return functools.partial(initializer, shape.as_list(), dtype=dtype, **more), dtype.base
    if _needs_no_arguments(initializer):
        return initializer, None
    raise ValueError(
        "The initializer passed is not valid. It should be a callable with no arguments and the shape should not be "
        "provided or an instance of an initializer and `shape` should be fully defined."
    )


def _accepts(function: Any, argument: str, named: bool = False) -> bool:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return False
    return any(p.name == argument or (not named and p.kind is p.VAR_KEYWORD) for p in parameters)


def _needs_no_arguments(function: Any) -> bool:
    parameters = inspect.signature(function).parameters.values()
    return all(p.default is not p.empty or p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters)


def _partitions(partitioner: Any, shape: TensorShape, dtype: DType) -> Sequence[int]:
    if not shape.is_fully_defined():
        raise ValueError(f"Shape of a new partitioned variable must be fully defined, but instead was {shape}.")
    if not shape.rank:
        raise ValueError(f"A partitioned Variable must have rank at least 1, shape: {shape}")
    parts = partitioner(shape=shape, dtype=dtype)
    if not isinstance(parts, Sequence):
        raise ValueError(f"Partitioner must return a sequence, but saw: {parts}")
    if len(parts) != shape.rank:
        raise ValueError(
            f"Partitioner returned a partition list that does not match the Variable's rank: {parts} vs. {shape}"
        )
    if any(n < 1 for n in parts):
        raise ValueError(f"Partitioner returned zero partitions for some axes: {parts}")
    if sum(n > 1 for n in parts) > 1:
        raise ValueError(f"Can only slice a variable along one dimension: shape: {shape}, partitioning: {parts}")
    return parts


def _slices(sizes: list[int], count: int, axis: int) -> Iterator[tuple[list[int], list[int]]]:
    """(offset, shape) of each of `count` parts along `axis`, the longer ones first."""
    least, longer = divmod(sizes[axis], count)
    start = 0
    for i in range(count):
        offset, size = [0] * len(sizes), list(sizes)
        offset[axis], size[axis] = start, least + (i < longer)
        start += size[axis]
        yield offset, size
