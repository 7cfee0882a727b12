"""tf.sparse: sparse tensors."""

from __future__ import annotations

from regraft.v1._reduction import sparse_segment_mean as segment_mean
from regraft.v1._reduction import sparse_segment_sqrt_n as segment_sqrt_n
from regraft.v1._reduction import sparse_segment_sum as segment_sum
from regraft.v1._sparse import add as add
from regraft.v1._sparse import concat as concat
from regraft.v1._sparse import cross as cross
from regraft.v1._sparse import cross_hashed as cross_hashed
from regraft.v1._sparse import expand_dims_ as expand_dims
from regraft.v1._sparse import eye as eye
from regraft.v1._sparse import fill_empty_rows as fill_empty_rows
from regraft.v1._sparse import from_dense as from_dense
from regraft.v1._sparse import mask as mask
from regraft.v1._sparse import merge as merge
from regraft.v1._sparse import placeholder as placeholder
from regraft.v1._sparse import reorder as reorder
from regraft.v1._sparse import reset_shape as reset_shape
from regraft.v1._sparse import reshape_ as reshape
from regraft.v1._sparse import retain as retain
from regraft.v1._sparse import slice as slice
from regraft.v1._sparse import split as split
from regraft.v1._sparse import to_dense as to_dense
from regraft.v1._sparse import to_indicator as to_indicator
from regraft.v1._sparse import transpose_ as transpose
from regraft.v1._sparse_math import matmul as matmul
from regraft.v1._sparse_math import matmul as sparse_dense_matmul
from regraft.v1._sparse_math import maximum as maximum
from regraft.v1._sparse_math import minimum as minimum
from regraft.v1._sparse_math import reduce_max as reduce_max
from regraft.v1._sparse_math import reduce_max_sparse as reduce_max_sparse
from regraft.v1._sparse_math import reduce_sum as reduce_sum
from regraft.v1._sparse_math import reduce_sum_sparse as reduce_sum_sparse
from regraft.v1._sparse_math import softmax as softmax
from regraft.v1._sparse_tensor import SparseTensor as SparseTensor

__all__ = [
    "SparseTensor",
    "add",
    "concat",
    "cross",
    "cross_hashed",
    "expand_dims",
    "eye",
    "fill_empty_rows",
    "from_dense",
    "mask",
    "matmul",
    "maximum",
    "merge",
    "minimum",
    "placeholder",
    "reduce_max",
    "reduce_max_sparse",
    "reduce_sum",
    "reduce_sum_sparse",
    "reorder",
    "reset_shape",
    "reshape",
    "retain",
    "segment_mean",
    "segment_sqrt_n",
    "segment_sum",
    "slice",
    "softmax",
    "sparse_dense_matmul",
    "split",
    "to_dense",
    "to_indicator",
    "transpose",
]
