"""Shapes, and tensors of another shape or order: reshape, stack, concat, pad, transpose, zeros, ones, ..."""

from __future__ import annotations

import builtins
import numbers
from typing import Any

import numpy as np

from regraft.base import dtypes
from regraft.base.dtypes import as_dtype
from regraft.base.shapes import Dimension, TensorShape, as_shape
from regraft.ir.node import Tensor
from regraft.opkit.constant import constant_sizes, constant_value
from regraft.v1._graph import name_scope
from regraft.v1._math import cast, is_tensor_like
from regraft.v1._opening import on, opened, renamed
from regraft.v1._sparse_tensor import is_sparse

__all__ = [
    "batch_to_space",
    "broadcast_dynamic_shape",
    "broadcast_static_shape",
    "concat",
    "depth_to_space",
    "expand_dims",
    "fill",
    "identity",
    "matrix_diag",
    "matrix_diag_part",
    "matrix_set_diag",
    "matrix_transpose",
    "meshgrid",
    "newaxis",
    "ones",
    "ones_like",
    "pad",
    "parallel_stack",
    "rank",
    "repeat",
    "required_space_to_batch_paddings",
    "reshape",
    "reverse_sequence",
    "roll",
    "sequence_mask",
    "shape",
    "shape_n",
    "size",
    "space_to_batch",
    "space_to_depth",
    "split",
    "squeeze",
    "stack",
    "stop_gradient",
    "transpose",
    "unstack",
    "zeros",
    "zeros_like",
    "guarantee_const",
    "diag_part",
]


newaxis = None
"""In an index: a new dimension of size 1."""


# Shapes


def shape(input: Any, name: str | None = None, out_type: Any = dtypes.int32) -> Any:
    """The shape as a tensor: a constant where it is known before anything runs."""
    with opened(name, "Shape", input) as (b, scope):
        if is_sparse(input):
            return cast(input.dense_shape, out_type or dtypes.int32)
        return b.shape(b.convert(input), name=scope, out_type=out_type or dtypes.int32)


def shape_n(input: Any, out_type: Any = dtypes.int32, name: str | None = None) -> Any:
    """The shapes of several tensors."""
    return on(input).ShapeN(input, out_type=out_type, name=name)


def size(input: Any, name: str | None = None, out_type: Any = dtypes.int32) -> Any:
    """The number of elements: a constant where it is known."""
    with opened(name, "Size", input) as (b, scope):
        if is_sparse(input):
            sizes = cast(input.dense_shape, out_type or dtypes.int32)
            return b.Prod(sizes, b.constant(0, name="reduction_indices"), name=scope)
        input = b.convert(input)
        if input.shape.sizes is not None and 0 in input.shape.sizes:
            return b.constant(0, out_type or dtypes.int32, name=scope)
        return b.size(input, name=scope, out_type=out_type or dtypes.int32)


def rank(input: Any, name: str | None = None) -> Any:
    """The number of dimensions: a constant where it is known."""
    with opened(name, "Rank", input) as (b, scope):
        if is_sparse(input):
            return b.Size(input.dense_shape, out_type=dtypes.int32, name=scope)
        return b.rank(b.convert(input), name=scope)


def broadcast_dynamic_shape(shape_x: Any, shape_y: Any) -> Any:
    """The shape, as a tensor, of the result of an operation on tensors of these two shapes."""
    return on(shape_x, shape_y).BroadcastArgs(shape_x, shape_y)


def broadcast_static_shape(shape_x: Any, shape_y: Any) -> TensorShape:
    """The TensorShape of the result of an operation on tensors of these two shapes. ValueError when they do not fit."""
    first, second = as_shape(shape_x).sizes, as_shape(shape_y).sizes
    if first is None or second is None:
        return TensorShape(None)
    width = max(len(first), len(second))
    sizes: list[int | None] = []
    for one, other in zip((1,) * (width - len(first)) + first, (1,) * (width - len(second)) + second, strict=True):
        if one == 1 or other == 1:
            sizes.append(other if one == 1 else one)
        elif one is None or other is None:
            known = one or other
            sizes.append(known if known is not None and known > 1 else None)
        elif one == other:
            sizes.append(one)
        else:
            raise ValueError(f"Incompatible shapes for broadcasting. Shapes: {shape_x} and {shape_y}.")
    return TensorShape(sizes)


def set_static(tensor: Tensor, sizes: Any) -> None:
    """Add to the static shape of `tensor` what its shape argument says before anything runs."""
    if isinstance(sizes, Tensor):
        known = constant_sizes(sizes)
        tensor.set_shape(TensorShape(known))


def reshape(tensor: Any, shape: Any, name: str | None = None) -> Any:
    """The same elements in another shape; one dimension may be -1."""
    return on(tensor, shape).Reshape(tensor, shape, name=name)


def expand_dims(input: Any, axis: Any = None, name: str | None = None, dim: Any = None) -> Any:
    """A dimension of size 1 more, at `axis`."""
    axis = renamed("axis", axis, "dim", dim)
    if axis is None:
        raise ValueError("Must specify an axis argument to tf.expand_dims()")
    return on(input).ExpandDims(input, axis, name=name)


def squeeze(input: Any, axis: Any = None, name: str | None = None, squeeze_dims: Any = None) -> Any:
    """Without the dimensions of size 1, or without those in `axis`."""
    axis = renamed("axis", axis, "squeeze_dims", squeeze_dims)
    if axis is None:
        axis = []
    elif np.isscalar(axis):
        axis = [axis]
    return on(input).Squeeze(input, squeeze_dims=[int(a) for a in axis], name=name)


def identity(input: Any, name: str | None = None) -> Any:
    """The same value under another name."""
    return on(input).Identity(input, name=name)


def stop_gradient(input: Any, name: str | None = None) -> Any:
    """The same value, as a constant to `tf.gradients`."""
    return on(input).StopGradient(input, name=name)


def guarantee_const(input: Any, name: str | None = None) -> Any:
    """The same value, promised not to change."""
    return on(input).GuaranteeConst(input, name=name)


# Joining and cutting


def concat(values: Any, axis: Any, name: str = "concat") -> Any:
    """The tensors one after the other along `axis`."""
    values = list(values) if isinstance(values, (list, tuple)) else [values]
    if len(values) > 1:
        return on(values).ConcatV2(values, axis, name=name)
    with name_scope(name):
        b = on(values)
        if b.convert(axis, dtypes.int32, name="concat_dim").shape.rank != 0:
            raise ValueError(f"concat along axis {axis!r}: the axis must be a scalar")
        return identity(values[0], name)


def stack(values: Any, axis: int = 0, name: str | None = "stack") -> Any:
    """The tensors, all of one shape, along a new dimension at `axis`."""
    b = on(values)
    if axis == 0:
        try:
            return b.convert(values, name=name)
        except (TypeError, ValueError):
            pass
    first = b.convert(values[0], name=name)
    if first.shape.rank is not None and not -first.shape.rank - 1 <= axis <= first.shape.rank:
        raise ValueError(f"Argument `axis` = {axis} not in range [{-first.shape.rank - 1}, {first.shape.rank + 1})")
    return b.Pack(list(values), axis=axis, name=name)


def parallel_stack(values: Any, name: str = "parallel_stack") -> Any:
    """The tensors along a new first dimension, as they come."""
    with name_scope(name):
        b = on(values)
        first = b.convert(values[0])
        whole = as_shape([len(values)]).concatenate(first.shape)
        return b.ParallelConcat([expand_dims(v, 0) for v in values], shape=whole)


def unstack(value: Any, num: int | None = None, axis: int = 0, name: str = "unstack") -> Any:
    """A list of the slices of `value` along `axis`; `num` of them where the size is not known."""
    b = on(value)
    if num is None:
        value = b.convert(value)
        sizes = value.shape.sizes
        if sizes is not None:
            if not -len(sizes) <= axis < len(sizes):
                raise ValueError(f"Argument `axis` = {axis} not in range [{-len(sizes)}, {len(sizes)})")
            num = sizes[axis]
        if num is None:
            raise ValueError(f"Cannot infer argument `num` from shape {value.shape}")
    return b.Unpack(value, num=num, axis=axis, name=name)


def split(value: Any, num_or_size_splits: Any, axis: Any = 0, num: int | None = None, name: str = "split") -> Any:
    """`value` cut along `axis` into equal parts, by their number, or into parts of given sizes."""
    b = on(value)
    if isinstance(num_or_size_splits, (numbers.Integral, Dimension)):
        count = num_or_size_splits.value if isinstance(num_or_size_splits, Dimension) else num_or_size_splits
        return b.Split(axis, value, num_split=count, name=name)
    sizes = b.convert(num_or_size_splits)
    if sizes.shape.rank == 0:
        raise ValueError(
            "Rank-0 tensors are not supported as the num_or_size_splits argument to split. "
            f"Argument provided: {num_or_size_splits}"
        )
    if num is None:
        num = sizes.shape.sizes[0] if sizes.shape.sizes else None
        if num is None:
            raise ValueError(f"Cannot infer argument `num` from shape {num_or_size_splits}")
    return b.SplitV(value, sizes, axis, num_split=num, name=name)


def pad(tensor: Any, paddings: Any, mode: str = "CONSTANT", name: str | None = None, constant_values: Any = 0) -> Any:
    """`tensor` with [before, after] elements more in each dimension: a constant, or the tensor's own mirrored."""
    b = on(tensor, paddings)
    mode = mode.upper()
    if mode == "CONSTANT":
        zero = not is_tensor_like(constant_values) and np.ndim(constant_values) == 0
        if zero and constant_values == np.zeros_like(constant_values):
            padded = b.Pad(tensor, paddings, name=name)
        else:
            padded = b.PadV2(tensor, paddings, constant_values, name=name)
    elif mode in ("REFLECT", "SYMMETRIC"):
        padded = b.MirrorPad(tensor, paddings, mode=mode, name=name)
    else:
        raise ValueError(
            'Value of argument `mode` expected to be one of "CONSTANT", "REFLECT", or "SYMMETRIC". '
            f"Received `mode` = {mode}"
        )
    sizes = padded.op.inputs[0].shape.sizes
    added = _constant_paddings(paddings)
    if sizes is not None and added is not None and not padded.shape.known:
        padded.set_shape(
            [
                None if d is None or None in pair else d + sum(p or 0 for p in pair)
                for pair, d in zip(added, sizes, strict=False)
            ]
        )
    return padded


def _constant_paddings(paddings: Any) -> list[tuple[int | None, ...]] | None:
    """[before, after] of each dimension, None where that is not known."""
    if isinstance(paddings, Tensor):
        value = constant_value(paddings)
        return None if value is None else [tuple(int(v) for v in row) for row in value]

    def known(v: Any) -> int | None:
        if isinstance(v, Tensor):
            v = constant_value(v)
        return None if v is None else int(v)

    rows = paddings.tolist() if isinstance(paddings, np.ndarray) else paddings
    if any(isinstance(row, Tensor) for row in rows):
        return None
    return [tuple(known(v) for v in row) for row in rows]


def roll(input: Any, shift: Any, axis: Any, name: str | None = None) -> Any:
    """The elements moved along axes by `shift`; what falls off one end comes in at the other."""
    return on(input).Roll(input, shift, axis, name=name)


def repeat(input: Any, repeats: Any, axis: int | None = None, name: str | None = None) -> Any:
    """Each element (or slice along `axis`) as many times in a row as `repeats` says."""
    from regraft.v1._repeat import repeat_with_axis

    if axis is None:
        input, axis = reshape(input, [-1]), 0
    return repeat_with_axis(input, repeats, axis, name)


# Order


def transpose(a: Any, perm: Any = None, name: str | None = "transpose", conjugate: bool = False) -> Any:
    """The dimensions in the order `perm`, or reversed; with `conjugate` complex elements are conjugated as well."""
    with opened(name, "transpose", a) as (b, scope):
        if not is_tensor_like(a):
            a = b.convert(a, name="a")
        op_type = "ConjugateTranspose" if conjugate and as_dtype(a.dtype).is_complex else "Transpose"
        if perm is None:
            if a.shape.rank is None:
                perm = b.Range(b.Rank(a) - 1, -1, -1)
            else:
                perm = np.arange(a.shape.rank - 1, -1, -1, dtype=np.int32)
        return b.op(op_type, a, perm, name=scope)


def matrix_transpose(a: Any, name: str = "matrix_transpose", conjugate: bool = False) -> Any:
    """The last two dimensions exchanged."""
    with opened(name, name, a) as (b, _):
        a = b.convert(a, name="a")
        ndims = a.shape.rank
        if ndims is None:
            count = rank(a)
            perm = concat((b.Range(0, count - 2, 1), [count - 1, count - 2]), 0)
        elif ndims < 2:
            raise ValueError(
                f"Argument `a` should be a (batch) matrix with rank >= 2.  Received `a` = {a} with shape: {a.shape}"
            )
        else:
            perm = [*range(ndims - 2), ndims - 1, ndims - 2]
        return transpose(a, perm, conjugate=conjugate)


def reverse_sequence(
    input: Any,
    seq_lengths: Any,
    seq_axis: int | None = None,
    batch_axis: int | None = None,
    name: str | None = None,
    seq_dim: int | None = None,
    batch_dim: int | None = None,
) -> Any:
    """Each item of the batch with its first `seq_lengths[i]` elements along `seq_axis` reversed."""
    seq_axis = renamed("seq_axis", seq_axis, "seq_dim", seq_dim)
    batch_axis = renamed("batch_axis", batch_axis, "batch_dim", batch_dim)
    return on(input).ReverseSequence(input, seq_lengths, seq_dim=seq_axis, batch_dim=batch_axis or 0, name=name)


# Values


def zeros(shape: Any, dtype: Any = dtypes.float32, name: str | None = None) -> Any:
    """A tensor of zeros (False, "")."""
    return on(shape).zeros(shape, dtype, name)


def ones(shape: Any, dtype: Any = dtypes.float32, name: str | None = None) -> Any:
    """A tensor of ones (True)."""
    return on(shape).ones(shape, dtype, name)


def zeros_like(tensor: Any, dtype: Any = None, name: str | None = None, optimize: bool = True) -> Any:
    """Zeros in the shape of `tensor`, of its type or `dtype`."""
    return on(tensor).zeros_like(tensor, dtype, name, optimize)


def ones_like(tensor: Any, dtype: Any = None, name: str | None = None, optimize: bool = True) -> Any:
    """Ones in the shape of `tensor`, of its type or `dtype`."""
    return on(tensor).ones_like(tensor, dtype, name, optimize)


def fill(dims: Any, value: Any, name: str | None = None) -> Any:
    """A tensor of shape `dims` with `value` everywhere."""
    return on(dims, value).Fill(dims, value, name=name)


def meshgrid(*args: Any, indexing: str = "xy", name: str = "meshgrid") -> Any:
    """The coordinates of a grid: for each vector its values, spread over the grid's shape."""
    if indexing not in ("xy", "ij"):
        raise ValueError(f"Argument `indexing` parameter must be either 'xy' or 'ij', got '{indexing}'")
    with opened(name, "meshgrid", args) as (b, _):
        count = len(args)
        if not count:
            return []
        rows = [reshape(stack(x), (1,) * i + (-1,) + (1,) * (count - i - 1)) for i, x in enumerate(args)]
        sizes = [size(x) for x in args]
        kind = b.convert(args[0]).dtype.base
        if indexing == "xy" and count > 1:
            rows[0] = reshape(rows[0], (1, -1) + (1,) * (count - 2))
            rows[1] = reshape(rows[1], (-1, 1) + (1,) * (count - 2))
            sizes[0], sizes[1] = sizes[1], sizes[0]
        whole = ones(sizes, kind)
        return [row * whole for row in rows]


def sequence_mask(lengths: Any, maxlen: Any = None, dtype: Any = dtypes.bool_, name: str | None = None) -> Any:
    """[..., maxlen]: whether the position is below the length; as `dtype`."""
    with opened(name, "SequenceMask", lengths, maxlen) as (b, _):
        lengths = b.convert(lengths)
        if maxlen is None:
            longest = b.Max(lengths, all_axes(lengths))
            maxlen = b.Maximum(b.constant(0, longest.dtype), longest)
        else:
            maxlen = b.convert(maxlen)
        if maxlen.shape.rank not in (None, 0):
            raise ValueError(
                f"Argument `maxlen` must be scalar for sequence_mask, received `maxlen` = {maxlen} "
                f"with shape '{maxlen.shape}' instead"
            )
        kind = maxlen.dtype.base
        row = b.Range(b.constant(0, kind), maxlen, b.constant(1, kind))
        column = b.Cast(expand_dims(lengths, -1), DstT=kind)
        mask: Any = row < column
        return mask if dtype is None or as_dtype(dtype) is dtypes.bool_ else b.Cast(mask, DstT=as_dtype(dtype))


def all_axes(x: Tensor) -> Any:
    """All axes of `x`, as a constant where their number is known."""
    b = on(x)
    if x.shape.rank is not None:
        return b.constant(np.arange(x.shape.rank), dtypes.int32)
    return b.Range(0, rank(x), 1)


# Diagonals


def _padding_value(tensor: Any, value: Any) -> Any:
    return bool(value) if getattr(tensor, "dtype", None) == dtypes.bool_ else value


def matrix_diag(
    diagonal: Any,
    name: str = "diag",
    k: Any = 0,
    num_rows: Any = -1,
    num_cols: Any = -1,
    padding_value: Any = 0,
    align: str = "RIGHT_LEFT",
) -> Any:
    """Matrices with the given diagonals (`k` says which) and `padding_value` elsewhere."""
    return on(diagonal).MatrixDiagV3(
        diagonal, k, num_rows, num_cols, _padding_value(diagonal, padding_value), align=align, name=name
    )


def matrix_diag_part(
    input: Any, name: str = "diag_part", k: Any = 0, padding_value: Any = 0, align: str = "RIGHT_LEFT"
) -> Any:
    """The diagonals `k` of matrices; shorter ones are filled up."""
    return on(input).MatrixDiagPartV3(input, k, _padding_value(input, padding_value), align=align, name=name)


def matrix_set_diag(input: Any, diagonal: Any, name: str = "set_diag", k: Any = 0, align: str = "RIGHT_LEFT") -> Any:
    """Matrices with the diagonals `k` replaced."""
    return on(input, diagonal).MatrixSetDiagV3(input, diagonal, k, align=align, name=name)


def diag_part(input: Any, name: str | None = None) -> Any:
    """The diagonal of a tensor whose shape is some shape twice."""
    return on(input).DiagPart(input, name=name)


# Space


def space_to_depth(input: Any, block_size: int, name: str | None = None, data_format: str = "NHWC") -> Any:
    """Blocks of pixels moved into channels."""
    return on(input).SpaceToDepth(input, block_size=block_size, data_format=data_format, name=name)


def depth_to_space(input: Any, block_size: int, name: str | None = None, data_format: str = "NHWC") -> Any:
    """Channels moved into blocks of pixels."""
    return on(input).DepthToSpace(input, block_size=block_size, data_format=data_format, name=name)


def space_to_batch(
    input: Any, paddings: Any, block_size: Any = None, name: str | None = None, block_shape: Any = None
) -> Any:
    """Blocks of pixels of padded images moved into the batch."""
    block = renamed("block_shape", block_shape, "block_size", block_size)
    out = on(input).SpaceToBatchND(input, np.array([block, block], np.int64), paddings, name=name)
    out.set_shape(out.shape.with_rank(4))
    return out


def batch_to_space(input: Any, crops: Any, block_size: Any, name: str | None = None, block_shape: Any = None) -> Any:
    """Items of the batch moved back into blocks of pixels, which are then cropped."""
    block = renamed("block_shape", block_shape, "block_size", block_size)
    out = on(input).BatchToSpaceND(input, np.array([block, block], np.int64), crops, name=name)
    out.set_shape(out.shape.with_rank(4))
    return out


def required_space_to_batch_paddings(
    input_shape: Any, block_shape: Any, base_paddings: Any = None, name: str | None = None
) -> Any:
    """(paddings, crops) that make a shape divisible by `block_shape`."""
    with opened(name, "required_space_to_batch_paddings", input_shape, block_shape) as (b, _):
        sizes: Any = b.convert(input_shape, dtypes.int32, name="input_shape")
        block: Any = b.convert(block_shape, dtypes.int32, name="block_shape")
        if block.shape.rank != 1 or not block.shape.known:
            raise ValueError(f"block_shape must be a vector of known length, got shape {block.shape}")
        count = block.shape.num_elements() or 0
        if count == 0:
            return zeros([0, 2], dtypes.int32), zeros([0, 2], dtypes.int32)
        sizes.shape.assert_is_compatible_with([count])
        if base_paddings is None:
            base: Any = zeros([count, 2], dtypes.int32)
        else:
            base = b.convert(base_paddings, dtypes.int32, name="base_paddings")
            base.shape.assert_is_compatible_with([count, 2])
        known = [constant_value(t) for t in (block, sizes, base)]
        if builtins.all(v is not None for v in known):
            block, sizes, base = known
        start, end = base[:, 0], base[:, 1]
        whole = sizes + start + end
        extra = (block - whole % block) % block
        last = end + extra
        paddings = stack([[start[i], last[i]] for i in builtins.range(count)], name="paddings")
        crops = stack([[0, extra[i]] for i in builtins.range(count)], name="crops")
        return paddings, crops
