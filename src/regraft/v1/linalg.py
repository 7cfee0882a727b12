"""tf.linalg: functions of matrices. Those that are one op come from the table."""

from __future__ import annotations

from regraft.v1 import _plain
from regraft.v1._array import diag_part as tensor_diag_part
from regraft.v1._array import matrix_diag as diag
from regraft.v1._array import matrix_diag_part as diag_part
from regraft.v1._array import matrix_set_diag as set_diag
from regraft.v1._array import matrix_transpose as matrix_transpose
from regraft.v1._array import matrix_transpose as transpose
from regraft.v1._clip import global_norm as global_norm
from regraft.v1._einsum import einsum as einsum
from regraft.v1._linalg import adjoint as adjoint
from regraft.v1._linalg import cholesky_solve as cholesky_solve
from regraft.v1._linalg import eye as eye
from regraft.v1._linalg import matmul as matmul
from regraft.v1._linalg import matrix_triangular_solve as triangular_solve
from regraft.v1._linalg import matvec as matvec
from regraft.v1._linalg import norm as norm
from regraft.v1._linalg import self_adjoint_eig as eigh
from regraft.v1._linalg import self_adjoint_eigvals as eigvalsh
from regraft.v1._linalg import svd as svd
from regraft.v1._linalg import tensordot as tensordot
from regraft.v1._nn_basic import l2_normalize as l2_normalize
from regraft.v1._reduction import trace as trace

__all__ = [
    "adjoint",
    "cholesky_solve",
    "diag",
    "diag_part",
    "eigh",
    "eigvalsh",
    "einsum",
    "eye",
    "global_norm",
    "l2_normalize",
    "matmul",
    "matrix_transpose",
    "matvec",
    "norm",
    "set_diag",
    "svd",
    "tensor_diag_part",
    "tensordot",
    "trace",
    "transpose",
    "triangular_solve",
]

__getattr__ = _plain.attribute_of("linalg")
