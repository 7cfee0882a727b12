"""tf.ConditionalAccumulator, tf.SparseConditionalAccumulator: gradients of workers, averaged when enough came."""

from __future__ import annotations

from typing import Any

from regraft.base import dtypes
from regraft.base.dtypes import as_dtype
from regraft.base.shapes import TensorShape
from regraft.ir.node import Operation, Tensor
from regraft.opkit.builder import Builder
from regraft.opkit.slices import IndexedSlices
from regraft.v1 import _context

__all__ = ["ConditionalAccumulator", "ConditionalAccumulatorBase", "SparseConditionalAccumulator"]


class ConditionalAccumulatorBase:
    """What both kinds do.

    accumulator_ref  the handle
    """

    # Before the names of the ops on the handle.
    _prefix = ""

    def __init__(self, dtype: Any, shape: Any, accumulator_ref: Tensor) -> None:
        self._dtype = as_dtype(dtype)
        self._shape = TensorShape(shape)
        self._accumulator_ref = accumulator_ref
        self._name = accumulator_ref.op.name.rpartition("/")[2]

    @property
    def accumulator_ref(self) -> Tensor:
        return self._accumulator_ref

    @property
    def name(self) -> str:
        return self._name

    @property
    def dtype(self) -> Any:
        return self._dtype

    @property
    def _builder(self) -> Builder:
        return Builder(self._accumulator_ref.graph)

    def num_accumulated(self, name: str | None = None) -> Tensor:
        """How many gradients came since the last average."""
        count: Tensor = self._builder.op(
            f"{self._prefix}AccumulatorNumAccumulated",
            self._accumulator_ref,
            name=name or f"{self._name}_NumAccumulated",
        )
        return count

    def set_global_step(self, new_global_step: Any, name: str | None = None) -> Operation:
        """Make gradients from before this step stale."""
        b = self._builder
        step = b.cast(b.convert(new_global_step), dtypes.int64)
        return b.operation(f"{self._prefix}AccumulatorSetGlobalStep", self._accumulator_ref, step, name=name)


class ConditionalAccumulator(ConditionalAccumulatorBase):
    """Averages dense gradients; those computed before the last average was taken are stale, and dropped.

    shape           of a gradient, as far as it is known
    reduction_type  "MEAN" or "SUM"
    """

    _prefix = "Resource"

    def __init__(
        self,
        dtype: Any,
        shape: Any = None,
        shared_name: str | None = None,
        name: str = "conditional_accumulator",
        reduction_type: str = "MEAN",
    ) -> None:
        handle = _context.builder().op(
            "ResourceConditionalAccumulator",
            dtype=as_dtype(dtype),
            shape=TensorShape(shape),
            shared_name=shared_name,
            name=name,
            reduction_type=reduction_type,
        )
        super().__init__(dtype, shape, handle)

    def apply_grad(self, grad: Any, local_step: Any = 0, name: str | None = None) -> Operation:
        """Add a gradient that was computed at `local_step`. ValueError for one of another shape."""
        b = self._builder
        grad = b.convert(grad, self._dtype)
        grad.get_shape().assert_is_compatible_with(self._shape)
        step = b.cast(b.convert(local_step), dtypes.int64)
        return b.operation("ResourceAccumulatorApplyGradient", self._accumulator_ref, step, grad, name=name)

    def take_grad(self, num_required: Any, name: str | None = None) -> Tensor:
        """The average, as soon as `num_required` gradients came."""
        out: Tensor = self._builder.op(
            "ResourceAccumulatorTakeGradient", self._accumulator_ref, num_required, dtype=self._dtype, name=name
        )
        out.set_shape(self._shape)
        return out


class SparseConditionalAccumulator(ConditionalAccumulatorBase):
    """Averages gradients of rows; the mean of a row is over the gradients that have it. See ConditionalAccumulator."""

    def __init__(
        self,
        dtype: Any,
        shape: Any = None,
        shared_name: str | None = None,
        name: str = "sparse_conditional_accumulator",
        reduction_type: str = "MEAN",
    ) -> None:
        handle = _context.builder().op(
            "SparseConditionalAccumulator",
            dtype=as_dtype(dtype),
            shape=TensorShape(shape),
            shared_name=shared_name,
            name=name,
            reduction_type=reduction_type,
        )
        super().__init__(dtype, shape, handle)

    def apply_indexed_slices_grad(self, grad: Any, local_step: Any = 0, name: str | None = None) -> Operation:
        """Add a gradient that is an IndexedSlices; its indices rise."""
        return self.apply_grad(grad.indices, grad.values, grad.dense_shape, local_step, name)

    def apply_grad(
        self, grad_indices: Any, grad_values: Any, grad_shape: Any = None, local_step: Any = 0, name: str | None = None
    ) -> Operation:
        """Add a gradient: rows `grad_values` at rising `grad_indices`, of a whole of shape `grad_shape`."""
        b = self._builder
        step = b.cast(b.convert(local_step), dtypes.int64)
        indices = b.cast(grad_indices, dtypes.int64)
        shape = b.cast([] if grad_shape is None else grad_shape, dtypes.int64)
        return b.operation(
            "SparseAccumulatorApplyGradient",
            self._accumulator_ref,
            step,
            indices,
            grad_values,
            shape,
            has_known_shape=grad_shape is not None,
            name=name,
        )

    def take_grad(self, num_required: Any, name: str | None = None) -> Any:
        """(indices, values, shape) of the average, as soon as `num_required` gradients came."""
        return self._builder.op(
            "SparseAccumulatorTakeGradient", self._accumulator_ref, num_required, dtype=self._dtype, name=name
        )

    def take_indexed_slices_grad(self, num_required: Any, name: str | None = None) -> IndexedSlices:
        """The average as an IndexedSlices, as soon as `num_required` gradients came."""
        indices, values, shape = self.take_grad(num_required, name)
        return IndexedSlices(values, indices, shape)
