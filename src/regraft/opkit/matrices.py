"""Batches of matrices: static shapes, transposes, and products in the nodes of gradient rules."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base.errors import InvalidArgumentError
from regraft.opkit.arrays import namespace, static_shape
from regraft.opkit.shapes import Dim, ShapeContext, Sizes, at_least_rank, merge_dim


def square(c: ShapeContext, index: int) -> tuple[Sizes, Dim]:
    """The batch shape of input `index`, a batch of square matrices (None where its rank is unknown), and their size."""
    sizes = at_least_rank(c, c.input(index), 2)
    if sizes is None:
        return None, None
    return sizes[:-2], merge_dim(c, sizes[-2], sizes[-1])


def square_shape(c: ShapeContext) -> list[Sizes]:
    """Every output has the shape of input 0, a batch of square matrices."""
    batch, n = square(c, 0)
    return [None if batch is None else (*batch, n, n)] * c.output_count


def batch_shape(c: ShapeContext) -> list[Sizes]:
    """Every output has the batch shape of input 0, a batch of square matrices."""
    return [square(c, 0)[0]] * c.output_count


def check_square(matrix: Any) -> None:
    """InvalidArgumentError unless the value is a batch of square matrices."""
    shape = static_shape(matrix)
    if len(shape) < 2 or shape[-1] != shape[-2]:
        raise InvalidArgumentError(f"Input matrix must be square, got shape {list(shape)}")


def adjoint_of(matrix: Any) -> Any:
    """The conjugate transpose of each matrix."""
    turned = namespace(matrix).swapaxes(matrix, -1, -2)
    return namespace(matrix).conj(turned) if matrix.dtype.kind == "c" else turned


# Nodes


def node_transpose(b: Any, a: Any, conjugate: bool = False, name: str = "matrix_transpose") -> Any:
    """TensorFlow's matrix_transpose: the last two axes of a tensor exchanged."""
    with b.graph.name_scope(name):
        rank = a.shape.rank
        if rank is not None:
            perm: Any = np.array([*range(rank - 2), rank - 1, rank - 2], np.int32)
        else:
            r = b.rank(a)
            perm = b.concat([b.Range(0, r - 2, 1), [r - 1, r - 2]], 0)
        return b.transpose(a, perm, conjugate=conjugate)


def node_adjoint(b: Any, a: Any) -> Any:
    """TensorFlow's linalg.adjoint."""
    with b.graph.name_scope("adjoint"):
        return node_transpose(b, a, conjugate=True)


def node_diag(b: Any, diagonal: Any) -> Any:
    return b.MatrixDiagV3(diagonal, 0, -1, -1, 0, align="RIGHT_LEFT", name="diag")


def node_diag_part(b: Any, matrix: Any) -> Any:
    return b.MatrixDiagPartV3(matrix, 0, 0, align="RIGHT_LEFT", name="diag_part")


def node_set_diag(b: Any, matrix: Any, diagonal: Any) -> Any:
    return b.MatrixSetDiagV3(matrix, diagonal, 0, align="RIGHT_LEFT", name="set_diag")


def node_triangular_solve(b: Any, matrix: Any, rhs: Any, lower: bool = True, adjoint: bool = False) -> Any:
    """TensorFlow's linalg.triangular_solve."""
    with b.graph.name_scope("triangular_solve"):
        return b.MatrixTriangularSolve(matrix, rhs, lower=lower, adjoint=adjoint)


def node_eye(b: Any, size: Any, batch: Any, dtype: Any) -> Any:
    """TensorFlow's linalg.eye of a size and batch shape that are tensors."""
    with b.graph.name_scope("eye"):
        diagonal = b.concat([batch, [b.Minimum(size, size)]], 0)
        return node_diag(b, b.ones(diagonal, dtype))
