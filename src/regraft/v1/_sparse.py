"""Sparse tensors made, joined, cut, reordered and turned into dense ones."""

from __future__ import annotations

import builtins
import numbers
from typing import Any

import numpy as np

from regraft.base import dtypes
from regraft.base.shapes import UNKNOWN, Dimension, TensorShape
from regraft.ir.node import Tensor
from regraft.opkit.constant import constant_sizes, literal_value
from regraft.opkit.slices import IndexedSlices
from regraft.v1._array import (
    broadcast_static_shape,
    expand_dims,
    fill,
    identity,
    ones,
    ones_like,
    rank,
    reshape,
    stack,
    transpose,
    zeros,
    zeros_like,
)
from regraft.v1._array import concat as concat_
from regraft.v1._array import shape as shape_
from regraft.v1._checks import assert_equal, assert_less_equal
from regraft.v1._graph import placeholder as placeholder_
from regraft.v1._graph import placeholder_with_default
from regraft.v1._graph_control import with_dependencies
from regraft.v1._indexing import gather, gather_nd, where_v2
from regraft.v1._indexing import slice as slice_
from regraft.v1._math import add as add_
from regraft.v1._math import cast, not_equal
from regraft.v1._opening import on, opened, renamed
from regraft.v1._reduction import range as range_
from regraft.v1._reduction import reduce_max
from regraft.v1._sparse_tensor import SparseTensor, as_sparse, is_sparse, parts, static_shape

_HASH_KEY = 0xDECAFCAFFE
"""The key of hashed crosses for which the caller names none."""


def _all_sparse(values: Any) -> list[SparseTensor]:
    if not isinstance(values, (list, builtins.tuple)):
        raise TypeError("Inputs must be a list or tuple.")
    return [as_sparse(v) for v in values]


def placeholder(dtype: Any, shape: Any = None, name: str | None = None) -> SparseTensor:
    """A sparse tensor that must be fed. `shape` may be a tensor, or hold None or -1 for what is unknown."""

    def named(part: str) -> str | None:
        return None if name is None else f"{name}/{part}"

    length: Any
    if shape is None:
        length = None
        dense_shape = placeholder_(dtypes.int64, [None], named("shape"))
        known = static_shape(dense_shape)
    else:
        if isinstance(shape, Tensor):
            length = shape.shape[0]
            known = static_shape(shape)
        else:
            sizes = [d.value if isinstance(d, Dimension) else d for d in shape]
            length = len(sizes)
            known = TensorShape([None if d == -1 else d for d in sizes])
            shape = on().convert([-1 if d is None else d for d in sizes], dtypes.int64, name=named("shape_default"))
        dense_shape = placeholder_with_default(shape, shape.shape, named("shape"))
    values = placeholder_(dtype, [None], named("values"))
    indices = placeholder_(dtypes.int64, [None, length], named("indices"))
    out = SparseTensor(indices, values, dense_shape)
    out.set_shape(known)
    return out


def from_dense(tensor: Any, name: str | None = None) -> SparseTensor:
    """The sparse tensor of what is not zero."""
    with opened(name, "dense_to_sparse") as (b, _):
        tensor = b.convert(tensor)
        indices = where_v2(not_equal(tensor, zeros_like(tensor)))
        values = gather_nd(tensor, indices)
        return SparseTensor(indices, values, shape_(tensor, out_type=dtypes.int64))


def eye(num_rows: Any, num_columns: Any = None, dtype: Any = dtypes.float32, name: str | None = None) -> SparseTensor:
    """A sparse matrix with ones on its diagonal."""
    with opened(name, "eye", num_rows, num_columns):
        rows = _int64(num_rows, "num_rows")
        columns = rows if num_columns is None else _int64(num_columns, "num_columns")
        least = on(rows).Minimum(rows, columns)
        diagonal = range_(least, dtype=dtypes.int64)
        return SparseTensor(stack([diagonal, diagonal], axis=1), ones(least, dtype), [rows, columns])


def _int64(value: Any, name: str) -> Tensor:
    if isinstance(value, numbers.Integral):
        return on().convert(value, dtypes.int64, name=name)
    if not isinstance(value, Tensor):
        raise TypeError(f"{name} must be an integer value")
    out: Tensor = cast(value, dtypes.int64)
    return out


def expand_dims_(sp_input: Any, axis: Any = None, name: str | None = None) -> SparseTensor:
    """A new dimension of size 1 at `axis`, by default at the end."""
    count: Any = sp_input.dense_shape.shape[0].value
    if count is None:
        count = shape_(sp_input.dense_shape)[0]
    axis = -1 if axis is None else axis
    with opened(name, "expand_dims", *parts(sp_input)) as (b, _):
        if isinstance(axis, numbers.Integral):
            axis = b.convert(axis, dtypes.int32, name="axis")
        elif not isinstance(axis, Tensor):
            raise TypeError("axis must be an integer value in range [-rank(sp_input) - 1, rank(sp_input)]")
        axis = where_v2(axis >= 0, axis, axis + count + 1)
        entries = shape_(sp_input.indices)[0]
        new = zeros([entries, 1], dtypes.int64)
        before = slice_(sp_input.indices, [0, 0], [-1, axis])
        after = slice_(sp_input.indices, [0, axis], [-1, -1])
        indices = concat_([before, new, after], axis=1)
        head, tail = slice_(sp_input.dense_shape, [0], [axis]), slice_(sp_input.dense_shape, [axis], [-1])
        one = b.convert([1], dtypes.int64, name="new_shape")
        return SparseTensor(indices, sp_input.values, concat_([head, one, tail], axis=0))


def concat(
    axis: Any = None,
    sp_inputs: Any = None,
    name: str | None = None,
    expand_nonconcat_dim: Any = False,
    concat_dim: Any = None,
    expand_nonconcat_dims: Any = None,
) -> SparseTensor:
    """Sparse tensors joined along `axis`.

    expand_nonconcat_dims  let the other dimensions differ: the result has room for the largest
    """
    expand = expand_nonconcat_dim if expand_nonconcat_dims is None else expand_nonconcat_dims
    axis = renamed("axis", axis, "concat_dim", concat_dim)
    inputs = _all_sparse(sp_inputs)
    if len(inputs) == 1:
        return inputs[0]
    shapes: list[Any] = [s.dense_shape for s in inputs]
    if expand:
        most = reduce_max(concat_([reshape(s, [1, -1]) for s in shapes], 0), 0)
        shapes = [
            concat_(
                [
                    most[:axis],
                    s[-1:] if axis == -1 else s[axis : axis + 1],
                    [] if axis == -1 else most[axis + 1 :],
                ],
                0,
            )
            for s in shapes
        ]
    b = on([s.indices for s in inputs])
    places = [s.indices for s in inputs]
    indices, values, shape = b.SparseConcat(places, [s.values for s in inputs], shapes, concat_dim=axis, name=name)
    known = _concatenated(inputs, axis, bool(expand))
    if all(s.shape.known for s in inputs):
        return SparseTensor(indices, values, b.convert(known.as_list(), dtypes.int64))
    out = SparseTensor(indices, values, shape)
    out.set_shape(known)
    return out


def _concatenated(inputs: list[SparseTensor], axis: int, expand: bool) -> TensorShape:
    known = [s.shape.sizes for s in inputs]
    listed = [s for s in known if s is not None]
    if len(listed) != len(known):
        return UNKNOWN
    sizes: list[Any] = list(listed[0])
    if expand:
        sizes = [None if None in c else max(d for d in c if d is not None) for c in zip(*listed, strict=True)]
    along = [s[axis] for s in listed]
    sizes[axis] = None if None in along else sum(d for d in along if d is not None)
    return TensorShape(sizes)


def add(a: Any, b: Any, threshold: Any = None, thresh: Any = None) -> Any:
    """The sum of two sparse tensors, without what is below `threshold`; a dense one if one of them is dense."""
    threshold = renamed("threshold", threshold, "thresh", thresh)
    threshold = 0 if threshold is None else threshold
    if not is_sparse(a) and not is_sparse(b):
        raise TypeError("At least one input should be SparseTensor; do you mean to use tf.add()?")
    if not is_sparse(a) or not is_sparse(b):
        sparse, dense = (a, b) if is_sparse(a) else (b, a)
        return on(*parts(sparse), dense).SparseTensorDenseAdd(*parts(sparse), dense)
    first, second = as_sparse(a), as_sparse(b)
    build = on(*parts(first), *parts(second))
    kind = first.dtype.base.real_dtype
    limit = build.convert(threshold, kind, name="threshold")
    indices, values, shape = build.SparseAdd(*parts(first), *parts(second), limit)
    first.shape.assert_is_compatible_with(second.shape)
    known = broadcast_static_shape(first.shape, second.shape)
    return SparseTensor(indices, values, known.as_list() if known.known else shape)


def _to_cross(inputs: Any) -> tuple[list[SparseTensor], list[Any], list[Any], bool]:
    if not isinstance(inputs, (list, builtins.tuple)):
        raise TypeError("Inputs must be a list")
    if not all(isinstance(i, (SparseTensor, Tensor)) for i in inputs):
        raise TypeError("All inputs must be Tensor or SparseTensor.")
    sparse = [i for i in inputs if isinstance(i, SparseTensor)]
    dense = [i for i in inputs if not isinstance(i, SparseTensor)]
    numbers_in = any(i.dtype.base is not dtypes.string for i in inputs)

    def as_feature(t: Any) -> Any:
        return t if t.dtype.base is dtypes.string else cast(t, dtypes.int64)

    values = [as_feature(s.values) for s in sparse]
    return sparse, values, [as_feature(d) for d in dense], numbers_in


def cross(inputs: Any, name: str | None = None, separator: Any = None) -> SparseTensor:
    """The crosses of the features of each row, as strings joined by `separator` ("_X_")."""
    joint = on(*(i for i in inputs if isinstance(i, Tensor))).convert(separator or "_X_", dtypes.string)
    sparse, values, dense, _ = _to_cross(inputs)
    out = on(joint).SparseCrossV2(
        [s.indices for s in sparse], values, [s.dense_shape for s in sparse], dense, joint, name=name
    )
    return SparseTensor(*out)


def cross_hashed(
    inputs: Any, num_buckets: int = 0, hash_key: int | None = None, name: str | None = None
) -> SparseTensor:
    """The hashes of the crosses of the features of each row, int64 below `num_buckets` (any number if that is 0)."""
    sparse, values, dense, numbers_in = _to_cross(inputs)
    out = on(values, dense).SparseCross(
        [s.indices for s in sparse],
        values,
        [s.dense_shape for s in sparse],
        dense,
        hashed_output=True,
        num_buckets=num_buckets,
        hash_key=hash_key or _HASH_KEY,
        out_type=dtypes.int64,
        internal_type=dtypes.int64 if numbers_in else dtypes.string,
        name=name,
    )
    return SparseTensor(*out)


def reorder(sp_input: Any, name: str | None = None) -> SparseTensor:
    """The same with its places in row-major order."""
    sparse = as_sparse(sp_input)
    indices, values = on(*parts(sparse)).SparseReorder(*parts(sparse), name=name)
    if sparse.shape.known:
        return SparseTensor(indices, values, sparse.shape.as_list())
    out = SparseTensor(indices, values, identity(sparse.dense_shape))
    out.set_shape(sparse.shape)
    return out


def reshape_(sp_input: Any, shape: Any, name: str | None = None) -> SparseTensor:
    """The same values, in row-major order, in another shape; one dimension may be -1."""
    sparse = as_sparse(sp_input)
    shape = cast(shape, dtypes.int64)
    with opened(name, "SparseReshape", *parts(sparse)) as (b, scope):
        indices, new_shape = b.SparseReshape(sparse.indices, sparse.dense_shape, shape, name=scope)
        sizes = _reshaped(sparse.shape, shape)
        if sizes is not None:
            new_shape = b.constant(sizes, dtypes.int64)
        return SparseTensor(indices, identity(sparse.values), new_shape)


def _reshaped(before: TensorShape, shape: Tensor) -> list[int] | None:
    """The new shape, where it is known. ValueError where it cannot be."""
    sizes = constant_sizes(shape)
    if sizes is None or not before.known:
        return None
    given = literal_value(shape)
    if given is not None and (given == -1).sum() > 1:
        raise ValueError(f"At most one dimension can be inferred (-1). Found: {given}")
    size = int(np.prod(np.array(before.as_list(), np.int64)))
    out: list[Any] = list(sizes)
    if out.count(None) == 1 and 0 not in out:
        at = out.index(None)
        out[at] = int(size // np.prod([d for d in out if d is not None]))
    if None in out:
        return None
    total = int(np.prod(np.array(out, np.int64)))
    if total != size:
        raise ValueError(f"Cannot reshape a tensor with {size} elements to shape {list(sizes)} ({total} elements).")
    return out


class _KeywordRequired:
    def __repr__(self) -> str:
        return "KeywordRequired()"


_KEYWORDS_ONLY = _KeywordRequired()


def split(
    keyword_required: Any = _KEYWORDS_ONLY,
    sp_input: Any = None,
    num_split: int | None = None,
    axis: Any = None,
    name: str | None = None,
    split_dim: Any = None,
) -> list[SparseTensor]:
    """`num_split` parts along `axis`; all arguments are keywords. ValueError for one that is missing."""
    if keyword_required is not _KEYWORDS_ONLY:
        raise ValueError("Keyword arguments are required for this function.")
    axis = renamed("axis", axis, "split_dim", split_dim)
    for key, value in (("sp_input", sp_input), ("num_split", num_split), ("axis", axis)):
        if value is None:
            raise ValueError(f"{key} is required")
    sparse = as_sparse(sp_input)
    pieces = on(*parts(sparse)).SparseSplit(axis, *parts(sparse), num_split=num_split, name=name)
    return [SparseTensor(*piece) for piece in zip(*pieces, strict=True)]


def slice(sp_input: Any, start: Any, size: Any, name: str | None = None) -> SparseTensor:
    """The part of `size` at `start`."""
    sparse = as_sparse(sp_input)
    build = on(*parts(sparse), start, size)
    start, size = build.convert(start, dtypes.int64), build.convert(size, dtypes.int64)
    with opened(name, "SparseSlice", *parts(sparse)) as (b, scope):
        return SparseTensor(*b.SparseSlice(*parts(sparse), start, size, name=scope))


def sparse_to_dense(
    sparse_indices: Any,
    output_shape: Any,
    sparse_values: Any,
    default_value: Any = 0,
    validate_indices: bool = True,
    name: str | None = None,
) -> Any:
    """A tensor of `output_shape` with the values at these places, and elsewhere the default."""
    return on(sparse_indices, output_shape, sparse_values, default_value).SparseToDense(
        sparse_indices, output_shape, sparse_values, default_value, validate_indices=validate_indices, name=name
    )


def to_dense(sp_input: Any, default_value: Any = None, validate_indices: bool = True, name: str | None = None) -> Any:
    """The dense tensor, with the default (zero) where there is no value."""
    sparse = as_sparse(sp_input)
    if default_value is None:
        default_value = zeros([], sparse.dtype)
    return sparse_to_dense(sparse.indices, sparse.dense_shape, sparse.values, default_value, validate_indices, name)


def to_indicator(sp_input: Any, vocab_size: Any, name: str | None = None) -> Any:
    """A bool tensor: the last dimension says which of `vocab_size` ids are there."""
    sparse = as_sparse(sp_input)
    with opened(name, "SparseToIndicator", *parts(sparse)) as (_, scope):
        entries = shape_(sparse.indices)[0]
        flags = sparse.with_values(fill(expand_dims(entries, 0), True))
        merged = merge(sparse, flags, vocab_size, scope)
        return to_dense(merged, False, validate_indices=False, name=scope)


def merge(
    sp_ids: Any, sp_values: Any, vocab_size: Any, name: str | None = None, already_sorted: bool = False
) -> SparseTensor:
    """The values at the places that ids name in a last dimension of `vocab_size` (or several of each)."""
    if is_sparse(sp_ids):
        if not isinstance(vocab_size, (Tensor, numbers.Integral)):
            raise TypeError(f"vocab_size has to be a Tensor or Python int. Found {type(vocab_size)}")
        sp_ids, vocab_size = [sp_ids], [vocab_size]
    elif not isinstance(sp_ids, (list, builtins.tuple)):
        raise TypeError(f"sp_ids has to be a SparseTensor or list thereof. Found {type(sp_ids)}")
    elif not isinstance(vocab_size, (list, builtins.tuple)):
        raise TypeError(f"vocab_size has to be a list of Tensors or Python ints. Found {type(vocab_size)}")
    if len(sp_ids) != len(vocab_size):
        raise ValueError("sp_ids and vocab_size have to have equal lengths.")
    with opened(name, "SparseMerge", *(p for s in (*sp_ids, sp_values) for p in parts(s))):
        ids_of = [as_sparse(s) for s in sp_ids]
        values = as_sparse(sp_values)
        ids = [expand_dims(cast(s.values, dtypes.int64), axis=1) for s in ids_of]
        sizes = [cast(size, dtypes.int64) for size in vocab_size]
        kept = ids_of[0].indices[:, :-1]  # type: ignore[index]  # installed
        indices = concat_([kept, *ids], 1)
        shape = concat_([ids_of[0].dense_shape[:-1], sizes], 0)  # type: ignore[index]  # installed
        out = SparseTensor(indices, values.values, shape)
        if already_sorted:
            return out
        ordered = reorder(out)
        return SparseTensor(ordered.indices, ordered.values, shape)


def retain(sp_input: Any, to_retain: Any) -> SparseTensor:
    """The values for which the bool vector `to_retain` is true."""
    sparse = as_sparse(sp_input)
    to_retain = on(*parts(sparse), to_retain).convert(to_retain)
    to_retain.shape.assert_has_rank(1)
    if sparse.values.shape.rank is not None:
        sparse.values.shape[0].assert_is_compatible_with(to_retain.shape[0])
    kept = reshape(where_v2(to_retain), [-1])
    indices, values = gather(sparse.indices, kept), gather(sparse.values, kept)
    return SparseTensor(indices, values, identity(sparse.dense_shape))


def reset_shape(sp_input: Any, new_shape: Any = None) -> SparseTensor:
    """The same in another shape of that rank, none of it smaller; by default in the smallest that holds its values."""
    sparse = as_sparse(sp_input)
    indices, values, before = identity(sparse.indices), identity(sparse.values), identity(sparse.dense_shape)
    b = on(indices)
    shape: Any
    if new_shape is None:
        least = reduce_max(indices, axis=0)
        shape = b.Maximum(b.constant(0, dtypes.int64), add_(least, ones_like(before)))
        return SparseTensor(indices, values, shape)
    shape = b.convert(new_shape)
    shape.shape.assert_has_rank(1)
    shape = cast(shape, dtypes.int64)
    shape.shape[0].assert_is_compatible_with(before.shape[0])
    known = literal_value(shape)
    if known is not None and sparse.shape.known:
        if not np.all(np.array(sparse.shape.as_list()) <= known):
            raise ValueError(
                "Requested new_shape should have dimension sizes >= sp_input.shape.  Found new_shape "
                f"({known}), sp_input.shape ({sparse.shape})."
            )
        return SparseTensor(indices, values, known)
    shape = with_dependencies([assert_equal(shape_(before), shape_(shape))], shape)
    shape = with_dependencies([assert_less_equal(before, shape)], shape)
    return SparseTensor(indices, values, shape)


def fill_empty_rows(sp_input: Any, default_value: Any, name: str | None = None) -> tuple[SparseTensor, Any]:
    """(the same with the default at the start of each empty row, which rows were empty)."""
    sparse = as_sparse(sp_input)
    with opened(name, "SparseFillEmptyRows", *parts(sparse)) as (b, _):
        default = b.convert(default_value, sparse.dtype.base)
        indices, values, empty, _unused = b.SparseFillEmptyRows(*parts(sparse), default)
        return SparseTensor(indices, values, sparse.dense_shape), empty


def mask(a: IndexedSlices, mask_indices: Any, name: str | None = None) -> IndexedSlices:
    """The slices without those at `mask_indices`."""
    with opened(name, "sparse_mask", a.values, a.indices, mask_indices) as (b, scope):
        indices, kept = b.ListDiff(a.indices, mask_indices)
        return IndexedSlices(gather(a.values, kept, name=scope), indices, a.dense_shape)


def transpose_(sp_input: Any, perm: Any = None, name: str | None = None) -> SparseTensor:
    """The dimensions in the order `perm`, by default backwards."""
    with opened(name, "SparseTranspose", *parts(sp_input)) as (b, _):
        if perm is None:
            known = sp_input.shape.rank
            if known is not None:
                perm = known - 1 - np.arange(0, known, 1)
            else:
                count = rank(sp_input)
                perm = count - 1 - range_(0, count, 1)
        indices = transpose(gather(transpose(sp_input.indices), perm))
        order = literal_value(b.convert(perm))
        shape: Any
        if order is not None and sp_input.shape.known:
            before = sp_input.shape.as_list()
            shape = [before[p] for p in order]
        else:
            shape = gather(sp_input.dense_shape, perm)
        return reorder(SparseTensor(indices, sp_input.values, shape))
