"""Transformations of elements into batches, and back: batch, padded_batch, window, unbatch, bucketing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from regraft.base import dtypes
from regraft.base.shapes import TensorShape
from regraft.ir.node import Tensor
from regraft.opkit.constant import constant_sizes, literal_value
from regraft.v1 import _context
from regraft.v1._checks import assert_less
from regraft.v1._reduction import reduce_min
from regraft.v1.data import _nest, _structure
from regraft.v1.data._base import dataset, determined, tensor
from regraft.v1.data._function import ElementFunction
from regraft.v1.data._functional import grouped_by_window
from regraft.v1.data._structure import DatasetSpec, TensorSpec

if TYPE_CHECKING:
    from regraft.v1.data._dataset import Dataset


def batch_spec(spec: Any, size: Tensor, drop: Tensor) -> Any:
    """The structure of batches of elements."""
    count = literal_value(size) if literal_value(drop) else None
    return _nest.map_structure(lambda s: s.batch(None if count is None else int(count)), spec)


def batched(
    source: Any,
    batch_size: Any,
    drop_remainder: Any = False,
    num_parallel_calls: Any = None,
    deterministic: bool | None = None,
    name: str | None = None,
) -> Dataset:
    """`Dataset.batch`."""
    size = tensor(batch_size, "batch_size")
    drop = tensor(drop_remainder, "drop_remainder", dtypes.bool_)
    if num_parallel_calls is None:
        spec = batch_spec(source.element_spec, size, drop)
        return dataset("BatchDatasetV2", source, size, drop, parallel_copy=False, spec=spec, name=name)
    calls = tensor(num_parallel_calls, "num_parallel_calls")
    return dataset(
        "ParallelBatchDataset",
        source,
        size,
        calls,
        drop,
        deterministic=determined(deterministic),
        spec=batch_spec(source.element_spec, size, drop),
        name=name,
    )


def map_and_batched(
    source: Any, map_func: Callable[..., Any], batch_size: Any, num_parallel_calls: Any, drop_remainder: Any
) -> Dataset:
    """`tf.data.experimental.map_and_batch`."""
    function = ElementFunction(map_func, "tf.data.experimental.map_and_batch()", source.element_spec)
    size = tensor(batch_size, "batch_size")
    calls = tensor(num_parallel_calls, "num_parallel_calls")
    drop = tensor(drop_remainder, "drop_remainder", dtypes.bool_)
    return dataset(
        "MapAndBatchDataset",
        source,
        function.captured,
        size,
        calls,
        drop,
        f=function.ref,
        preserve_cardinality=True,
        spec=batch_spec(function.spec, size, drop),
    )


def _fits(padded: TensorShape, shape: TensorShape) -> bool:
    if padded.sizes is None or shape.sizes is None:
        return True
    pairs = zip(padded.sizes, shape.sizes, strict=False)
    return padded.rank == shape.rank and all(a is None or b is None or a >= b for a, b in pairs)


def _padded_shape(shape: Any, of: TensorShape) -> Tensor:
    """The int64 vector of a padded shape, -1 for what the batch decides."""
    b = _context.builder()
    if isinstance(shape, Tensor) or (isinstance(shape, list) and any(isinstance(n, Tensor) for n in shape)):
        result = b.convert(shape, preferred=dtypes.int64)
        if result.shape.rank is not None and result.shape.rank != 1:
            raise ValueError(
                f"Padded shape {shape} must be a `tf.int64` vector tensor, but its shape was {result.shape}."
            )
        if result.dtype is not dtypes.int64:
            raise TypeError(
                f"Padded shape {shape} must be a `tf.int64` vector tensor, but its element type was "
                f"{result.dtype.name}."
            )
        stated = TensorShape.of(constant_sizes(result))
    else:
        stated = _stated(shape)
        result = b.convert([-1 if size is None else size for size in stated.as_list()], dtypes.int64)
    if not _fits(stated, of):
        raise ValueError(
            f"The padded shape {stated} is not compatible with the shape {of} of the corresponding input component."
        )
    return result


def _stated(shape: Any) -> TensorShape:
    if isinstance(shape, TensorShape):
        return shape
    sizes = shape.tolist() if isinstance(shape, np.ndarray) else list(shape)
    return TensorShape([None if size == -1 else size for size in sizes])


def _padding(value: Any, spec: TensorSpec) -> Any:
    if value is not None:
        return value
    if spec.dtype is dtypes.string:
        return ""
    if spec.dtype is dtypes.variant:
        raise TypeError("Unable to create default padding value for a component of type 'variant'.")
    return np.zeros((), spec.dtype.numpy)


def _padding_tensor(value: Any, spec: TensorSpec) -> Tensor:
    result = _context.builder().convert(value, name="padding_value")
    if not result.shape.is_compatible_with(TensorShape([])):
        raise ValueError(
            f"Invalid `padding_values`. `padding_values` values should be scalars, but got {result.shape}."
        )
    if result.dtype.base is not spec.dtype:
        raise TypeError(
            f"Invalid `padding_values`. `padding_values` values type {result.dtype!r} does not match type "
            f"{spec.dtype!r} of the corresponding input component."
        )
    return result


def padded_batched(
    source: Any,
    batch_size: Any,
    padded_shapes: Any = None,
    padding_values: Any = None,
    drop_remainder: Any = False,
    name: str | None = None,
) -> Dataset:
    """`Dataset.padded_batch`."""
    structure = source.element_spec
    specs = _nest.flatten(structure)
    for spec in specs:
        if isinstance(spec, DatasetSpec):
            raise TypeError("`padded_batch` is not supported for datasets of datasets")
        if type(spec) is not TensorSpec:
            raise TypeError(f"`padded_batch` is only supported for datasets that produce tensor elements, not {spec}.")
    if padded_shapes is None:
        padded_shapes = _structure.shapes_of(structure)
        for i, spec in enumerate(specs):
            if spec.shape.rank is None:
                raise ValueError(f"You must provide `padded_shapes` argument because component {i} has unknown rank.")
    size = tensor(batch_size, "batch_size")
    if padding_values is None or _nest.is_nested(padding_values):
        whole = padding_values is None
        given = [None] * len(specs) if whole else _nest.flatten_up_to(structure, padding_values)
    else:
        given = [padding_values] * len(specs)
    wanted = _nest.flatten_up_to(structure, padded_shapes)
    values = [_padding(value, spec) for value, spec in zip(given, specs, strict=True)]
    shapes = [_padded_shape(shape, spec.shape) for shape, spec in zip(wanted, specs, strict=True)]
    paddings = [_padding_tensor(value, spec) for value, spec in zip(values, specs, strict=True)]
    drop = tensor(drop_remainder, "drop_remainder", dtypes.bool_)
    count = literal_value(size) if literal_value(drop) else None
    first = TensorShape([None if count is None else int(count)])
    batched_specs = [
        TensorSpec(first.concatenate(TensorShape.of(constant_sizes(shape))), spec.dtype)
        for shape, spec in zip(shapes, specs, strict=True)
    ]
    return dataset(
        "PaddedBatchDatasetV2",
        source,
        size,
        shapes,
        paddings,
        drop,
        spec=_nest.pack(structure, batched_specs),
        structure="shapes",
        name=name,
    )


def windowed(
    source: Any, size: Any, shift: Any = None, stride: Any = 1, drop_remainder: Any = False, name: str | None = None
) -> Dataset:
    """`Dataset.window`."""
    count = tensor(size, "size")
    step = tensor(size if shift is None else shift, "shift")
    gap = tensor(stride, "stride")
    drop = tensor(drop_remainder, "drop_remainder", dtypes.bool_)
    spec = _nest.map_structure(DatasetSpec, source.element_spec)
    return dataset("WindowDataset", source, count, step, gap, drop, spec=spec, name=name)


def unbatched(source: Any, name: str | None = None) -> Dataset:
    """`Dataset.unbatch`."""
    shapes = _structure.flat_shapes(source.element_spec)
    if any(shape.rank == 0 for shape in shapes):
        raise ValueError("Cannot unbatch an input with scalar components.")
    first = TensorShape([None])
    for shape in shapes:
        if shape.rank is not None:
            try:
                first = first.merge_with(shape[:1])
            except ValueError as e:
                raise ValueError(
                    "`unbatch()` is only supported for datasets of elements whose components have a matching leading "
                    f"dimension. Encountered both {first[0]} and {shape[0]}."
                ) from e
    structure = source.element_spec

    def normalize(*args: Any) -> Any:
        element = args if type(structure) is tuple else args[0]
        pairs = zip(_nest.flatten(structure), _nest.flatten(element), strict=True)
        return [spec.pack_batch(value) for spec, value in pairs]

    rows = source.map(normalize)
    spec = _nest.map_structure(lambda s: s.unbatch(), structure)
    return dataset("UnbatchDataset", rows, spec=spec, name=name)


def sparse_batched(source: Any, batch_size: Any, row_shape: Any, name: str | None = None) -> Dataset:
    """`tf.data.experimental.dense_to_sparse_batch`."""
    if _nest.is_nested(source.element_spec):
        raise TypeError("`dense_to_sparse_batch` requires an input dataset whose elements have a single component.")
    sizes = row_shape if isinstance(row_shape, TensorShape) else TensorShape(row_shape)
    spec = _structure.SparseTensorSpec(TensorShape([None]).concatenate(sizes), source.element_spec.dtype)
    b = _context.builder()
    shape = b.convert([-1 if n is None else n for n in sizes.as_list()], dtypes.int64)
    return dataset("DenseToSparseBatchDataset", source, batch_size, shape, spec=spec, name=name)


def bucketed(
    source: Any,
    element_length_func: Callable[..., Any],
    bucket_boundaries: Sequence[int],
    bucket_batch_sizes: Sequence[int],
    padded_shapes: Any = None,
    padding_values: Any = None,
    pad_to_bucket_boundary: bool = False,
    no_padding: bool = False,
    drop_remainder: bool = False,
    name: str | None = None,
) -> Dataset:
    """`Dataset.bucket_by_sequence_length`."""
    if len(bucket_batch_sizes) != len(bucket_boundaries) + 1:
        raise ValueError(
            "`len(bucket_batch_sizes)` must equal `len(bucket_boundaries) + 1` but "
            f"`len(bucket_batch_sizes)={len(bucket_batch_sizes)}` and "
            f"`len(bucket_boundaries)={len(bucket_boundaries)}`."
        )
    sizes: Any = _context.builder().constant(list(bucket_batch_sizes), dtypes.int64)
    bounds, limits = list(bucket_boundaries), np.iinfo(np.int32)

    def element_to_bucket_id(*args: Any) -> Any:
        length = element_length_func(*args)
        b = _context.builder()
        above = b.LessEqual([int(limits.min), *bounds], length)
        below = b.Less(length, [*bounds, int(limits.max)])
        return reduce_min(b.Where(b.LogicalAnd(above, below), name="Where"))

    def window_size_fn(bucket_id: Any) -> Any:
        return sizes[bucket_id]

    def batching_fn(bucket_id: Any, grouped: Any) -> Any:
        size = window_size_fn(bucket_id)
        if no_padding:
            return grouped.batch(size, drop_remainder=drop_remainder, name=name)
        filler: Any = None
        if pad_to_bucket_boundary:
            b = _context.builder()
            check = assert_less(
                bucket_id,
                b.constant(len(bucket_batch_sizes) - 1, dtypes.int64),
                message="When pad_to_bucket_boundary=True, elements must have length < max(bucket_boundaries).",
            )
            with b.graph.control_dependencies([check]):
                boundaries: Any = b.constant(bounds, dtypes.int64)
                filler = boundaries[bucket_id] - 1
        given = _structure.shapes_of(grouped.element_spec) if padded_shapes is None else padded_shapes
        shapes = [
            [filler if n is None else n for n in TensorShape(shape).as_list()]
            for shape in _nest.flatten_up_to(grouped.element_spec, given)
        ]
        packed = _nest.pack(grouped.element_spec, shapes)
        return grouped.padded_batch(size, packed, padding_values, drop_remainder=drop_remainder, name=name)

    return grouped_by_window(source, element_to_bucket_id, batching_fn, window_size_func=window_size_fn, name=name)
