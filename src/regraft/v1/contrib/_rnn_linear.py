"""Matrix products of recurrent cells, with variables "kernel" and "bias" of the scope around."""

from __future__ import annotations

from typing import Any

from regraft.base import dtypes
from regraft.v1 import _context
from regraft.v1._array import concat
from regraft.v1._linalg import matmul
from regraft.v1._nn_basic import bias_add
from regraft.v1._variable_scope import get_variable, get_variable_scope, variable_scope
from regraft.variables import initializers


def _width(args: list[Any]) -> int:
    """The sum of the depths. ValueError where one is no matrix, or not known."""
    total = 0
    for shape in [arg.shape for arg in args]:
        if shape.rank != 2:
            raise ValueError(f"linear is expecting 2D arguments: {[arg.shape for arg in args]}")
        depth = shape.as_list()[1]
        if depth is None:
            raise ValueError(f"linear expects shape[1] to be provided for shape {shape}")
        total += depth
    return total


def _listed(args: Any) -> list[Any]:
    if args is None or (isinstance(args, (list, tuple)) and not args):
        raise ValueError("`args` must be specified")
    return list(args) if isinstance(args, (list, tuple)) else [args]


def _bias(scope: Any, size: int, dtype: Any, initializer: Any) -> Any:
    with variable_scope(scope) as inner:
        inner.set_partitioner(None)
        if initializer is None:
            initializer = initializers.Constant(0.0, dtype=dtype)
        return get_variable("bias", [size], dtype=dtype, initializer=initializer)


class Linear:
    """W [args] + b, with its variables made at once for arguments of these sizes."""

    def __init__(
        self,
        args: Any,
        output_size: int,
        build_bias: bool,
        bias_initializer: Any = None,
        kernel_initializer: Any = None,
    ) -> None:
        args = _listed(args)
        dtype = args[0].dtype.base
        with variable_scope(get_variable_scope()) as outer:
            shape = [_width(args), output_size]
            self._kernel = get_variable("kernel", shape, dtype=dtype, initializer=kernel_initializer)
            self._bias = _bias(outer, output_size, dtype, bias_initializer) if build_bias else None

    def __call__(self, args: Any) -> Any:
        args = _listed(args)
        if len(args) > 1:
            args = [concat(args, _context.builder().constant(1, dtypes.int32))]
        result = matmul(args[0], self._kernel)
        return result if self._bias is None else bias_add(result, self._bias)


def linear(
    args: Any, output_size: int, bias: bool, bias_initializer: Any = None, kernel_initializer: Any = None
) -> Any:
    """W [args] + b; the variables are those of the scope around, made or found."""
    args = _listed(args)
    dtype = args[0].dtype.base
    with variable_scope(get_variable_scope()) as outer:
        shape = [_width(args), output_size]
        kernel = get_variable("kernel", shape, dtype=dtype, initializer=kernel_initializer)
        result = matmul(args[0] if len(args) == 1 else concat(args, 1), kernel)
        return bias_add(result, _bias(outer, output_size, dtype, bias_initializer)) if bias else result
