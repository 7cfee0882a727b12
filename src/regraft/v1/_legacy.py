"""Names that TensorFlow 0.x and 1.x had and later releases renamed or dropped, with the behaviour that they had."""

from __future__ import annotations

from typing import Any

from regraft.ir.graph_keys import GraphKeys
from regraft.v1 import _plain
from regraft.v1._array import stack, unstack
from regraft.v1._context import get_default_graph
from regraft.v1._indexing import listdiff, where
from regraft.v1._linalg import self_adjoint_eig, svd
from regraft.v1._math import abs as complex_abs
from regraft.v1._math import multiply, subtract
from regraft.v1._opening import on

__all__ = [
    "assert_variables_initialized",
    "batch_cholesky",
    "batch_matmul",
    "batch_matrix_determinant",
    "batch_matrix_diag",
    "batch_matrix_inverse",
    "batch_self_adjoint_eig",
    "batch_svd",
    "complex_abs",
    "concat_v2",
    "fingerprint",
    "inv",
    "listdiff",
    "mul",
    "neg",
    "pack",
    "reverse_v2",
    "select",
    "sub",
    "unpack",
]


def assert_variables_initialized(var_list: Any = None) -> Any:
    """A tensor whose computation fails with FailedPreconditionError while a variable has no value.

    None where there are no variables; all global and local ones without `var_list`.
    """
    graph = get_default_graph()
    if var_list is None:
        var_list = graph.get_collection(GraphKeys.GLOBAL_VARIABLES) + graph.get_collection(GraphKeys.LOCAL_VARIABLES)
    ranks = []
    for variable in var_list:
        with graph.colocate_with(variable.op):
            ranks.append(on(variable).Rank(variable))
    return (ranks[0] if len(ranks) == 1 else stack(ranks)) if ranks else None


def fingerprint(data: Any, method: str = "farmhash64", name: str | None = None) -> Any:
    """A hash of each row: uint8 [rows, 8]."""
    return on(data).Fingerprint(data, method, name=name)


def pack(values: Any, axis: int = 0, name: str = "pack") -> Any:
    """`tf.stack`."""
    return stack(values, axis, name)


def unpack(value: Any, num: int | None = None, axis: int = 0, name: str = "unpack") -> Any:
    """`tf.unstack`."""
    return unstack(value, num, axis, name)


def concat_v2(values: Any, axis: Any, name: str = "concat_v2") -> Any:
    """`tf.concat`."""
    from regraft.v1._array import concat

    return concat(values, axis, name)


def mul(x: Any, y: Any, name: str | None = None) -> Any:
    """`tf.multiply`."""
    return multiply(x, y, name)


def sub(x: Any, y: Any, name: str | None = None) -> Any:
    """`tf.subtract`."""
    return subtract(x, y, name)


def neg(x: Any, name: str | None = None) -> Any:
    """`tf.negative`."""
    return on(x).Neg(x, name=name)


def inv(x: Any, name: str | None = None) -> Any:
    """`tf.reciprocal`."""
    return on(x).Reciprocal(x, name=name)


def select(condition: Any, t: Any, e: Any, name: str | None = None) -> Any:
    """`tf.where` with three arguments."""
    return where(condition, t, e, name)


def reverse_v2(tensor: Any, axis: Any, name: str | None = None) -> Any:
    """`tf.reverse`."""
    return on(tensor).ReverseV2(tensor, axis, name=name)


def batch_matmul(x: Any, y: Any, adj_x: bool = False, adj_y: bool = False, name: str | None = None) -> Any:
    """`tf.matmul` of stacks of matrices."""
    return on(x, y).BatchMatMul(x, y, adj_x=adj_x, adj_y=adj_y, name=name)


batch_self_adjoint_eig = self_adjoint_eig
batch_svd = svd
batch_cholesky = _plain.plain("Cholesky", "input", "batch_cholesky")
batch_matrix_inverse = _plain.plain("MatrixInverse", "input; adjoint=False", "batch_matrix_inverse")
batch_matrix_determinant = _plain.plain("MatrixDeterminant", "input", "batch_matrix_determinant")
batch_matrix_diag = _plain.plain("MatrixDiag", "diagonal", "batch_matrix_diag")
