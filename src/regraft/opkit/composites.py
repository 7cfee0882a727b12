"""TensorFlow's Python functions that add more than one node, or none: the lower-case half of the Builder.

Each adds the nodes that TensorFlow's function of that name adds, under the same names, so that graphs built here and
there are equal. `regraft.v1` and the gradient rules share them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from regraft.base import dtypes
from regraft.base.dtypes import DType, as_dtype
from regraft.base.shapes import TensorShape
from regraft.ir.attr import TensorValue
from regraft.ir.node import Operation, Tensor
from regraft.opkit.conversion import to_array

if TYPE_CHECKING:
    from regraft.ir.graph import Graph

# Constants with more elements than this are written as Fill, so that GraphDefs stay small.
_SMALL = 1000


class Composites:
    """Mixed into `Builder`."""

    __slots__ = ()

    if TYPE_CHECKING:
        graph: Graph
        op: Callable[..., Any]
        operation: Callable[..., Operation]
        convert: Callable[..., Tensor]
        const: Callable[..., Tensor]

    @contextlib.contextmanager
    def scope(self, name: str | None, default: str) -> Any:
        """The name scope of a function: `name` or its default."""
        with self.graph.name_scope(name or default) as scope:
            yield scope

    # Constants

    def constant(
        self, value: Any, dtype: Any = None, shape: Any = None, name: str = "Const", verify_shape: bool = False
    ) -> Tensor:
        """A Const. With `shape`, a short list is filled up with its last value, as TensorFlow 1 does."""
        array, found = to_array(value, None if dtype is None else as_dtype(dtype))
        if shape is not None:
            sizes = tuple(TensorShape(shape).as_list())
            if verify_shape and array.shape != sizes:
                raise TypeError(f"Expected Tensor's shape: {sizes}, got {array.shape}.")
            if 0 in sizes:
                # TensorFlow forgets the value, and its type, where there is no room for it.
                found = dtypes.float32 if dtype is None else found
                array = np.empty(sizes, found.numpy)
            else:
                array = _filled(array, sizes)
        return self.const(TensorValue(found, array), name=name)

    def zeros(self, shape: Any, dtype: Any = dtypes.float32, name: str | None = None) -> Tensor:
        dtype = as_dtype(dtype).base
        zero = b"" if dtype is dtypes.string else False if dtype is dtypes.bool_ else 0
        return self._full(shape, dtype, zero, name, "zeros")

    def ones(self, shape: Any, dtype: Any = dtypes.float32, name: str | None = None) -> Tensor:
        dtype = as_dtype(dtype).base
        return self._full(shape, dtype, dtype is dtypes.bool_ or 1, name, "ones")

    def _full(self, shape: Any, dtype: DType, value: Any, name: str | None, default: str) -> Tensor:
        with self.scope(name, default) as scope:
            if not isinstance(shape, Tensor):
                known = self._static_sizes(shape)
                if known is not None:
                    listed = isinstance(shape, (list, tuple, TensorShape, np.ndarray))
                    if listed and int(np.prod(known)) < _SMALL:
                        return self.constant(value, dtype, shape=known, name=scope)
                    shape = self.constant(known, dtypes.int32, name="shape_as_tensor")
                else:
                    shape = self.convert(shape, dtypes.int32)
            if not shape.shape.rank:
                shape = self.reshape(shape, [-1])
            filled: Tensor = self.op("Fill", shape, self.constant(value, dtype), name=scope)
            return filled

    def _static_sizes(self, shape: Any) -> list[int] | None:
        if isinstance(shape, (list, tuple)) and any(isinstance(d, Tensor) for d in shape):
            return None
        sizes = (
            TensorShape(shape).as_list() if not isinstance(shape, np.ndarray) else [int(d) for d in shape.reshape(-1)]
        )
        known = [d for d in sizes if d is not None]
        if len(known) != len(sizes):
            raise ValueError(f"Cannot convert a partially known TensorShape {TensorShape(shape)} to a Tensor.")
        return known

    def fill(self, dims: Any, value: Any, name: str | None = None) -> Tensor:
        filled: Tensor = self.op("Fill", dims, value, name=name)
        return filled

    def zeros_like(self, tensor: Any, dtype: Any = None, name: str | None = None, optimize: bool = True) -> Tensor:
        with self.scope(name, "zeros_like") as scope:
            tensor = self.convert(tensor, name="tensor")
            wanted = tensor.dtype.base if dtype is None else as_dtype(dtype).base
            if optimize and tensor.shape.known and tensor.dtype.base not in (dtypes.variant, dtypes.resource):
                return self.zeros(tensor.shape, wanted, name=scope)
            if wanted is not tensor.dtype.base:
                return self.zeros(self.shape(tensor, out_type=None, optimize=optimize), wanted, name=scope)
            zeros: Tensor = self.op("ZerosLike", tensor, name=scope)
            return zeros

    def ones_like(self, tensor: Any, dtype: Any = None, name: str | None = None, optimize: bool = True) -> Tensor:
        with self.scope(name, "ones_like") as scope:
            tensor = self.convert(tensor, name="tensor")
            wanted = tensor.dtype.base if dtype is None else as_dtype(dtype).base
            if optimize and tensor.shape.known:
                with self.scope(None, "Shape"):
                    shape = self.convert(tensor.shape, name="shape_as_tensor")
            else:
                shape = self.shape(tensor, optimize=False)
            ones = self.ones(shape, wanted, name=scope)
            ones.set_shape(tensor.shape)
            return ones

    # Shapes

    def shape(
        self, tensor: Any, name: str | None = None, out_type: Any = dtypes.int32, optimize: bool = True
    ) -> Tensor:
        """The shape as a tensor: a constant where it is known; `out_type` None is TensorFlow's other way to ask."""
        with self.scope(name, "Shape") as scope:
            tensor = self.convert(tensor, name="input")
            if out_type is None:
                if optimize and tensor.shape.known:
                    return self.convert(tensor.shape, name="shape_as_tensor")
                out_type = dtypes.int32
            if optimize and tensor.shape.known:
                return self.constant(np.array(tensor.shape.sizes, as_dtype(out_type).numpy), out_type, name=scope)
            shape: Tensor = self.op("Shape", tensor, out_type=out_type, name=scope)
            return shape

    def size(self, tensor: Any, name: str | None = None, out_type: Any = dtypes.int32, optimize: bool = True) -> Tensor:
        with self.scope(name, "Size") as scope:
            tensor = self.convert(tensor, name="input")
            if optimize and tensor.shape.known:
                return self.constant(tensor.shape.num_elements(), out_type, name=scope)
            size: Tensor = self.op("Size", tensor, out_type=out_type, name=scope)
            return size

    def rank(self, tensor: Any, name: str | None = None, optimize: bool = True) -> Tensor:
        with self.scope(name, "Rank") as scope:
            tensor = self.convert(tensor, name="input")
            if optimize and tensor.shape.rank is not None:
                return self.constant(tensor.shape.rank, dtypes.int32, name=scope)
            rank: Tensor = self.op("Rank", tensor, name=scope)
            return rank

    def reshape(self, tensor: Any, shape: Any, name: str | None = None) -> Tensor:
        reshaped: Tensor = self.op("Reshape", tensor, shape, name=name)
        return reshaped

    def expand_dims(self, tensor: Any, axis: Any, name: str | None = None) -> Tensor:
        expanded: Tensor = self.op("ExpandDims", tensor, axis, name=name)
        return expanded

    def squeeze(self, tensor: Any, axis: Any = None, name: str | None = None) -> Tensor:
        dims = [] if axis is None else [axis] if np.isscalar(axis) else list(axis)
        squeezed: Tensor = self.op("Squeeze", tensor, squeeze_dims=dims, name=name)
        return squeezed

    def transpose(self, a: Any, perm: Any = None, name: str | None = None, conjugate: bool = False) -> Tensor:
        with self.scope(name, "transpose") as scope:
            a = self.convert(a, name="a") if not isinstance(a, Tensor) else a
            op_type = "ConjugateTranspose" if conjugate and a.dtype.is_complex else "Transpose"
            if perm is None:
                if a.shape.rank is not None:
                    perm = np.arange(a.shape.rank - 1, -1, -1, dtype=np.int32)
                else:
                    perm = self.op("Range", self.op("Sub", self.rank(a), 1, name="sub"), -1, -1)
            out: Tensor = self.op(op_type, a, perm, name=scope)
            return out

    def concat(self, values: Any, axis: Any, name: str | None = None) -> Tensor:
        name = name or "concat"
        values = list(values) if isinstance(values, (list, tuple)) else [values]
        if len(values) == 1:
            with self.graph.name_scope(name):
                self.convert(axis, dtypes.int32, name="concat_dim")
                return self.identity(values[0], name=name)
        joined: Tensor = self.op("ConcatV2", values, axis, name=name)
        return joined

    def stack(self, values: Any, axis: int = 0, name: str = "stack") -> Tensor:
        """Join tensors along a new axis; a constant where all values are."""
        if axis == 0:
            return self.convert(list(values), name=name)
        packed: Tensor = self.op("Pack", list(values), axis=axis, name=name)
        return packed

    def range(self, start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None, name: str = "range") -> Tensor:
        if limit is None:
            start, limit = 0, start
        with self.scope(name, "Range") as scope:
            ends = [
                v if isinstance(v, Tensor) else self.convert(v, dtype, name=n)
                for v, n in ((start, "start"), (limit, "limit"), (delta, "delta"))
            ]
            order = [dtypes.int32, dtypes.int64, dtypes.float32, dtypes.float64]
            if dtype is None:
                dtype = max((t.dtype.base for t in ends), key=lambda t: order.index(t) if t in order else 0)
            ends = [self.cast(t, dtype) for t in ends]
            out: Tensor = self.op("Range", *ends, name=scope)
            return out

    def gather(self, params: Any, indices: Any, axis: Any = 0, name: str | None = None) -> Tensor:
        picked: Tensor = self.op("GatherV2", params, indices, axis, name=name)
        return picked

    # Arithmetic

    def identity(self, tensor: Any, name: str | None = None) -> Tensor:
        same: Tensor = self.op("Identity", tensor, name=name)
        return same

    def stop_gradient(self, tensor: Any, name: str | None = None) -> Tensor:
        same: Tensor = self.op("StopGradient", tensor, name=name)
        return same

    def cast(self, x: Any, dtype: Any, name: str | None = None) -> Tensor:
        """`x` as `dtype`; `x` itself, without a node, when it is that already."""
        wanted = as_dtype(dtype).base
        if (isinstance(x, Tensor) or hasattr(x, "handle")) and as_dtype(x.dtype).base is wanted:
            return x  # type: ignore[no-any-return]  # a resource variable stays one: it is read where it is used
        with self.scope(name, "Cast") as scope:
            x = self.convert(x, name="x")
            if x.dtype.base is wanted:
                found: Tensor = x
                return found
            cast: Tensor = self.op("Cast", x, DstT=wanted, name=scope)
            return cast

    def reduction_axes(self, x: Tensor, axis: Any) -> Any:
        """What a reduction over `axis` takes as its axes; for None all, as a constant where the rank is known."""
        if axis is not None:
            return axis
        if x.shape.rank:  # TensorFlow lets a scalar go the long way
            return self.constant(np.arange(x.shape.rank, dtype=np.int32), dtypes.int32)
        return self.range(0, self.rank(x))

    def _reduce(self, op_type: str, x: Any, axis: Any, keepdims: bool, name: str | None) -> Tensor:
        x = self.convert(x, name="input_tensor")
        out: Tensor = self.op(op_type, x, self.reduction_axes(x, axis), keep_dims=keepdims, name=name)
        return out

    def reduce_sum(self, x: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Tensor:
        return self._reduce("Sum", x, axis, keepdims, name)

    def reduce_mean(self, x: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Tensor:
        return self._reduce("Mean", x, axis, keepdims, name)

    def reduce_prod(self, x: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Tensor:
        return self._reduce("Prod", x, axis, keepdims, name)

    def reduce_max(self, x: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Tensor:
        return self._reduce("Max", x, axis, keepdims, name)

    def reduce_min(self, x: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Tensor:
        return self._reduce("Min", x, axis, keepdims, name)

    def reduce_any(self, x: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Tensor:
        return self._reduce("Any", x, axis, keepdims, name)

    def reduce_all(self, x: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Tensor:
        return self._reduce("All", x, axis, keepdims, name)

    def conj(self, x: Tensor) -> Tensor:
        """The complex conjugate; `x` itself, without a node, when it is real."""
        if not x.dtype.is_complex and x.dtype.base is not dtypes.variant:
            return x
        conj: Tensor = self.op("Conj", x)
        return conj

    def matmul(
        self,
        a: Any,
        b: Any,
        transpose_a: bool = False,
        transpose_b: bool = False,
        adjoint_a: bool = False,
        adjoint_b: bool = False,
        name: str | None = None,
        grad_a: bool = False,
        grad_b: bool = False,
    ) -> Tensor:
        """The matrix product: MatMul for matrices, BatchMatMulV2 where either may have a rank above 2.

        grad_a, grad_b  recorded on the node: it is the gradient of a product by its first or second factor
        """
        with self.scope(name, "MatMul") as scope:
            if transpose_a and adjoint_a:
                raise ValueError("Only one of `transpose_a` and `adjoint_a` can be True.")
            if transpose_b and adjoint_b:
                raise ValueError("Only one of `transpose_b` and `adjoint_b` can be True.")
            a = self.convert(a, name="a")
            b = self.convert(b, a.dtype.base, name="b")
            if any(r is None or r > 2 for r in (a.shape.rank, b.shape.rank)):
                if transpose_a:
                    a, adjoint_a = self.conj(a), True
                if transpose_b:
                    b, adjoint_b = self.conj(b), True
                kinds = {"adj_x": adjoint_a, "adj_y": adjoint_b, "grad_x": grad_a, "grad_y": grad_b}
                out: Tensor = self.op("BatchMatMulV2", a, b, name=scope, **kinds)
                return out
            if adjoint_a:
                a, transpose_a = self.conj(a), True
            if adjoint_b:
                b, transpose_b = self.conj(b), True
            kinds = {"transpose_a": transpose_a, "transpose_b": transpose_b, "grad_a": grad_a, "grad_b": grad_b}
            out = self.op("MatMul", a, b, name=scope, **kinds)
            return out

    def add_n(self, inputs: Sequence[Any], name: str | None = None) -> Tensor:
        """The sum of tensors; the tensor itself when there is one and no name for it."""
        if len(inputs) == 1:
            return self.identity(inputs[0], name=name) if name else self.convert(inputs[0])
        total: Tensor = self.op("AddN", list(inputs), name=name)
        return total

    # Control

    def no_op(self, name: str | None = None) -> Operation:
        return self.operation("NoOp", name=name)

    def group(self, *inputs: Any, name: str | None = None) -> Operation:
        """An operation that runs after all `inputs`: one NoOp, or where they have several devices a NoOp for each."""
        ops = [self._as_op(i) for i in _flatten(inputs)]
        if not ops:
            return self.no_op(name=name or "group_deps")
        with self.graph.name_scope(name or "group_deps") as scope:
            by_device: dict[str, list[Operation]] = {}
            for op in ops:
                by_device.setdefault(op.device, []).append(op)
            if len(by_device) == 1:
                (device,) = by_device
                return self._group_device(device, by_device[device], scope)
            grouped = [self._group_device(d, by_device[d], None) for d in sorted(by_device)]
            with self.graph.control_dependencies(grouped):
                return self.no_op(name=scope)

    def _group_device(self, device: str, ops: list[Operation], name: str | None) -> Operation:
        place = self.graph.device(device) if device else contextlib.nullcontext()
        with self.graph.control_dependencies(ops), place:
            return self.no_op(name=name)

    def _as_op(self, item: Any) -> Operation:
        if hasattr(item, "handle") and hasattr(item, "op"):
            item = item.op  # a resource variable: nothing is read for it
        element = self.graph.as_graph_element(getattr(item, "_indexed_slices_op", item))
        return element.op if isinstance(element, Tensor) else element

    def with_dependencies(self, dependencies: Sequence[Any], tensor: Tensor, name: str | None = None) -> Tensor:
        """`tensor`, computed after `dependencies`."""
        with (
            self.graph.name_scope(name or "control_dependency") as scope,
            self.graph.colocate_with(tensor),
            self.graph.control_dependencies(dependencies),
        ):
            return self.identity(tensor, name=scope)


def _filled(array: np.ndarray[Any, Any], sizes: tuple[Any, ...]) -> np.ndarray[Any, Any]:
    count = int(np.prod(sizes))
    if array.size == count:
        return array.reshape(sizes)
    if array.size > count or array.size == 0:
        raise ValueError(f"Too many elements provided. Needed at most {count}, but received {array.size}")
    if array.size == 1:
        return np.broadcast_to(array.reshape(()), sizes)  # one value for all is written as one value
    flat = array.reshape(-1)
    return np.concatenate([flat, np.full(count - flat.size, flat[-1], flat.dtype)]).reshape(sizes)


def _flatten(items: Any) -> list[Any]:
    out: list[Any] = []
    for item in items:
        if isinstance(item, (list, tuple)):
            out.extend(_flatten(item))
        elif isinstance(item, dict):
            out.extend(_flatten([item[k] for k in sorted(item)]))
        else:
            out.append(item)
    return out
