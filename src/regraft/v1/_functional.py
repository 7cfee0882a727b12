"""Functions over the rows of tensors, as loops: tf.map_fn, tf.foldl, tf.foldr, tf.scan."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from regraft.base.dtypes import as_dtype
from regraft.ir.node import Tensor
from regraft.opkit import nest
from regraft.opkit.builder import Builder
from regraft.v1._array import shape
from regraft.v1._control_flow import while_loop
from regraft.v1._graph import convert_to_tensor
from regraft.v1._opening import opened
from regraft.v1._tensor_array import TensorArray
from regraft.v1._variable_scope import get_variable_scope

__all__ = ["foldl", "foldr", "map_fn", "scan"]


@contextlib.contextmanager
def cached_variables() -> Iterator[None]:
    """Let variables that are made or found inside be read once, beside themselves, and not in each iteration."""
    scope = get_variable_scope()
    if scope.caching_device is not None:
        yield
        return
    scope.set_caching_device(lambda op: op.device)
    try:
        yield
    finally:
        scope.set_caching_device(None)


@contextlib.contextmanager
def _over(function: Any, name: str | None, default: str, elems: Any) -> Iterator[tuple[Builder, list[Tensor]]]:
    """The scope of a function over the rows of `elems`, and their leaves as tensors."""
    if not callable(function):
        raise TypeError(f"{function!r} is not callable. Please provide a callable function.")
    with opened(name, default, nest.flatten(elems)) as (b, _), cached_variables():
        yield b, [convert_to_tensor(elem, name="elem") for elem in nest.flatten(elems)]


def _rows(value: Any, count: Any, element_shape: Any = None) -> Any:
    """A TensorArray of the rows of a tensor."""
    return TensorArray(value.dtype, count, False, infer_shape=True, element_shape=element_shape).unstack(value)


def _static_count(tensors: list[Tensor]) -> int | None:
    """The number of rows that all tensors have, where it is known. ValueError where they differ."""
    found: int | None = None
    for tensor in tensors:
        size = None if tensor.shape.rank is None else tensor.shape.with_rank_at_least(1).as_list()[0]
        if found is not None and size is not None and found != size:
            raise ValueError(f"Dimensions {found} and {size} are not compatible")
        found = size if found is None else found
    return found


def _count(tensor: Tensor) -> Any:
    sizes = tensor.shape.sizes
    return (None if sizes is None else sizes[0]) or shape(tensor)[0]


def _stacked(arrays: Any, tensors: list[Tensor]) -> list[Any]:
    results = [array.stack() for array in arrays]
    count = _static_count(tensors)
    for result in results:
        if result.shape.rank is not None:
            result.set_shape([count, *result.shape.as_list()[1:]])
    return results


def map_fn(
    fn: Callable[[Any], Any],
    elems: Any,
    dtype: Any = None,
    parallel_iterations: int | None = None,
    back_prop: bool = True,
    swap_memory: bool = False,
    infer_shape: bool = True,
    name: str | None = None,
    fn_output_signature: Any = None,
) -> Any:
    """`fn` of each row of `elems`, stacked.

    elems                a tensor, or a structure of tensors of one number of rows: `fn` takes their rows in it
    dtype                dtypes of what `fn` returns, in its structure; as `elems` where it is None
    infer_shape          all results have one shape
    fn_output_signature  newer name of `dtype`
    raises               TypeError for what is no function, ValueError for no tensor, scalars, other structures
    """
    signature = dtype if fn_output_signature is None else fn_output_signature
    if not callable(fn):
        raise TypeError(f"The provided function {fn!r} is not callable. fn must be callable.")
    elems = nest.map_structure(lambda e: convert_to_tensor(e) if hasattr(e, "handle") else e, elems)
    if not nest.flatten(elems):
        raise ValueError(
            "elems must be a Tensor or (possibly nested) sequence of Tensors. "
            f"Got {elems}, which does not contain any Tensors."
        )
    with _over(fn, name, "map", elems) as (b, tensors):
        if tensors[0].shape.rank == 0:
            raise ValueError("Elements in elems must be 1+ dimensional Tensors, not scalars")
        count = _static_count(tensors) or shape(tensors[0])[0]
        arrays = [TensorArray(t.dtype, count, False, infer_shape=True) for t in tensors]
        rows = [array.unstack(t) for array, t in zip(arrays, tensors, strict=True)]
        i = b.constant(0)
        specs = (
            [_spec(s) for s in nest.flatten(signature)] if signature is not None else [(t.dtype, None) for t in tensors]
        )
        results = [
            TensorArray(kind, count, False, infer_shape=infer_shape, element_shape=element) for kind, element in specs
        ]

        def compute(i: Any, arrays: Any) -> Any:
            row = nest.pack(elems, [array.read(i) for array in rows])
            value = fn(row)
            nest.check_same(elems if signature is None else signature, value)
            arrays = [array.write(i, v) for array, v in zip(arrays, nest.flatten(value), strict=True)]
            return i + 1, arrays

        _, results = while_loop(
            lambda i, _: i < count,
            compute,
            (i, results),
            parallel_iterations=parallel_iterations or 10,
            back_prop=back_prop,
            swap_memory=swap_memory,
            maximum_iterations=count,
        )
        return nest.pack(elems if signature is None else signature, _stacked(results, tensors))


def _spec(value: Any) -> tuple[Any, Any]:
    """(dtype, shape) of a dtype or of a tensor's description."""
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        return value.dtype, value.shape
    return as_dtype(value), None


def foldl(
    fn: Callable[[Any, Any], Any],
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    name: str | None = None,
) -> Any:
    """`fn(... fn(fn(initializer, row 0), row 1) ..., last row)`.

    elems        a tensor, or a structure of tensors of one number of rows
    initializer  tensors in the structure that `fn` returns; the first row where it is None
    raises       TypeError for what is no function
    """
    with _over(fn, name, "foldl", elems) as (b, tensors):
        count = _count(tensors[0])
        rows = nest.map_structure(lambda e: _rows(e, count), elems)
        if initializer is None:
            start = nest.map_structure(lambda row: row.read(0), rows)
            i = b.constant(1)
        else:
            start, i = initializer, b.constant(0)

        def compute(i: Any, a: Any) -> Any:
            row = nest.map_structure(lambda row: row.read(i), rows)
            a = fn(a, row)
            return [i + 1, a]

        return while_loop(
            lambda i, a: i < count,
            compute,
            [i, start],
            parallel_iterations=parallel_iterations,
            back_prop=back_prop,
            swap_memory=swap_memory,
            maximum_iterations=count,
        )[1]


def foldr(
    fn: Callable[[Any, Any], Any],
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    name: str | None = None,
) -> Any:
    """`fn(... fn(fn(initializer, last row), last but one) ..., row 0)`; see `foldl`."""
    with _over(fn, name, "foldr", elems) as (_, tensors):
        count = _count(tensors[0])
        rows = nest.map_structure(lambda e: _rows(e, count), elems)
        if initializer is None:
            i = count - 1
            start = nest.map_structure(lambda row: row.read(i), rows)
        else:
            start, i = initializer, count

        def compute(i: Any, a: Any) -> Any:
            i -= 1
            row = nest.map_structure(lambda row: row.read(i), rows)
            return [i, fn(a, row)]

        return while_loop(
            lambda i, a: i > 0,
            compute,
            [i, start],
            parallel_iterations=parallel_iterations,
            back_prop=back_prop,
            swap_memory=swap_memory,
            maximum_iterations=count,
        )[1]


def scan(
    fn: Callable[[Any, Any], Any],
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    infer_shape: bool = True,
    reverse: bool = False,
    name: str | None = None,
) -> Any:
    """All intermediate results of `foldl`, stacked.

    infer_shape  all results have one shape
    reverse      go from the last row to the first; results stay where their rows are
    raises       TypeError for what is no function, ValueError or TypeError where `fn` returns another structure
    """
    form = elems if initializer is None else initializer
    with _over(fn, name, "scan", elems) as (_, tensors):
        sizes = tensors[0].shape.sizes
        count = sizes[0] if sizes is not None and sizes[0] is not None else shape(tensors[0])[0]
        arrays = [TensorArray(t.dtype, count, False, infer_shape=True, element_shape=t.shape[1:]) for t in tensors]
        rows = [array.unstack(t) for array, t in zip(arrays, tensors, strict=True)]
        if initializer is None:
            start = [row.read(count - 1 if reverse else 0) for row in rows]
            i = 1
        else:
            start = [convert_to_tensor(v) for v in nest.flatten(initializer)]
            i = 0
        results = [
            TensorArray(v.dtype, count, False, infer_shape=infer_shape, element_shape=v.shape if infer_shape else None)
            for v in start
        ]
        if initializer is None:
            results = [array.write(count - 1 if reverse else 0, v) for array, v in zip(results, start, strict=True)]

        def compute(i: Any, a: Any, arrays: Any) -> Any:
            row = nest.pack(elems, [array.read(i) for array in rows])
            value = fn(nest.pack(form, a), row)
            nest.check_same(form, value)
            flat = nest.flatten(value)
            arrays = [array.write(i, v) for array, v in zip(arrays, flat, strict=True)]
            return (i - 1 if reverse else i + 1), flat, arrays

        _, _, results = while_loop(
            (lambda i, _, arrays: i >= 0) if reverse else (lambda i, _, arrays: i < count),
            compute,
            (count - 1 - i if reverse else i, start, results),
            parallel_iterations=parallel_iterations,
            back_prop=back_prop,
            swap_memory=swap_memory,
            maximum_iterations=count,
        )
        return nest.pack(form, _stacked(results, tensors))
