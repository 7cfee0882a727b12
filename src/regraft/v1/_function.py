"""tf.function and Defun: functions of tensors, whose operations stand in the graph that calls them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from regraft.base.dtypes import DType, as_dtype
from regraft.base.shapes import TensorShape, as_shape
from regraft.v1._graph import convert_to_tensor, name_scope

__all__ = ["Defun", "TensorSpec", "function"]


class TensorSpec:
    """What a tensor must be: a dtype, a shape (None for any), and a name."""

    def __init__(self, shape: Any, dtype: Any = "float32", name: str | None = None) -> None:
        self._shape = as_shape(shape)
        self._dtype = as_dtype(dtype)
        self._name = name

    @staticmethod
    def from_tensor(tensor: Any, name: str | None = None) -> TensorSpec:
        """The spec of a tensor, under its own name or another."""
        return TensorSpec(tensor.get_shape(), tensor.dtype, name or tensor.op.name)

    @property
    def shape(self) -> TensorShape:
        return self._shape

    @property
    def dtype(self) -> DType:
        return self._dtype

    @property
    def name(self) -> str | None:
        return self._name

    def is_compatible_with(self, spec_or_tensor: Any) -> bool:
        """Whether a tensor, or another spec, has this dtype and a shape that fits."""
        other = spec_or_tensor
        return as_dtype(other.dtype).base is self._dtype.base and self._shape.is_compatible_with(other.shape)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TensorSpec):
            return NotImplemented
        return (self._shape.sizes, self._dtype, self._name) == (other._shape.sizes, other._dtype, other._name)

    def __hash__(self) -> int:
        return hash((self._shape.sizes, self._dtype, self._name))

    def __repr__(self) -> str:
        return f"TensorSpec(shape={self._shape}, dtype={self._dtype!r}, name={self._name!r})"


def function(
    func: Callable[..., Any] | None = None,
    input_signature: Sequence[Any] | None = None,
    autograph: bool = True,
    jit_compile: bool | None = None,
    reduce_retracing: bool = False,
    experimental_implements: str | None = None,
    experimental_autograph_options: Any = None,
    experimental_attributes: Any = None,
    experimental_relax_shapes: bool | None = None,
    experimental_compile: bool | None = None,
    experimental_follow_type_hints: bool | None = None,
) -> Any:
    """The function itself, whose arguments become tensors where `input_signature` says so.

    input_signature  a TensorSpec for each argument

    raises   TypeError, ValueError for arguments that do not fit the signature
    differs  each call adds the operations to the graph that it is called in: TensorFlow adds one that calls a function
             of the library. The values are the same. Python's `if` and `while` are not turned into graphs
    """
    if func is None:
        return functools.partial(function, input_signature=input_signature)

    @functools.wraps(func)
    def called(*args: Any, **kwargs: Any) -> Any:
        if input_signature is not None:
            args = _checked(func, args, input_signature)
        return func(*args, **kwargs)

    setattr(called, "python_function", func)
    return called


def _checked(func: Callable[..., Any], args: tuple[Any, ...], signature: Sequence[Any]) -> tuple[Any, ...]:
    name = getattr(func, "__name__", type(func).__name__)
    if len(args) != len(signature):
        raise TypeError(f"{name}() takes {len(signature)} tensors by its input_signature, got {len(args)}")
    tensors = tuple(convert_to_tensor(arg, spec.dtype) for arg, spec in zip(args, signature, strict=True))
    for tensor, spec in zip(tensors, signature, strict=True):
        if not spec.is_compatible_with(tensor):
            raise ValueError(f"{tensor} does not fit {spec!r} of the input_signature of {name}()")
    return tensors


class Defun:
    """Decorator for a function of tensors of these dtypes.

    func_name  the name scope of its operations
    grad_func, python_grad_func, shape_func, noinline  accepted: the operations have gradients and shapes of their own

    raises     TypeError for a call with another number of arguments
    differs    the operations stand in the graph that calls it, as with `function`
    """

    def __init__(self, *input_types: Any, **kwargs: Any) -> None:
        unknown = sorted(
            set(kwargs) - {"func_name", "grad_func", "python_grad_func", "shape_func", "noinline", "out_names"}
        )
        if unknown:
            raise TypeError(f"Defun() got unexpected keyword arguments: {', '.join(unknown)}")
        self._types = tuple(map(as_dtype, input_types))
        self._name = kwargs.get("func_name")

    def __call__(self, func: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(func)
        def called(*args: Any, name: str | None = None) -> Any:
            if self._types and len(args) != len(self._types):
                raise TypeError(f"{func.__name__}() takes {len(self._types)} tensors, got {len(args)}")
            types = self._types or (None,) * len(args)
            with name_scope(name, self._name or func.__name__.strip("_<>") or "function"):
                return func(*(convert_to_tensor(a, t) for a, t in zip(args, types, strict=True)))

        return called
