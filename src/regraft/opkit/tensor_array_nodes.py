"""TensorArrays as a graph sees them: a handle, and a flow that orders what is done to it."""

from __future__ import annotations

import contextlib
import copy
from typing import Any

from regraft.base import dtypes
from regraft.base.dtypes import as_dtype
from regraft.base.shapes import TensorShape, as_shape
from regraft.ir.node import Tensor
from regraft.opkit.builder import Builder
from regraft.opkit.constant import literal_value
from regraft.opkit.getitem import getitem


class TensorArray:
    """A list of tensors of one dtype, written and read by index while a graph runs.

    A write returns the TensorArray behind it, which is the one to go on with: operations are ordered by their `flow`
    alone.
    """

    def __init__(
        self,
        b: Builder,
        dtype: Any,
        size: Any = None,
        dynamic_size: bool | None = None,
        clear_after_read: bool | None = None,
        tensor_array_name: str | None = None,
        handle: Any = None,
        flow: Any = None,
        infer_shape: bool = True,
        element_shape: Any = None,
        colocate_with_first_write_call: bool = True,
        name: str | None = None,
        version: str = "V3",
    ) -> None:
        """A new TensorArray of `size` elements, or the one of `handle` and `flow`.

        dynamic_size      it grows when an index beyond its end is written
        clear_after_read  an element may be read once; True where it is None
        infer_shape       all elements have one shape
        element_shape     what is known of it
        version           of the ops: "V3", "V2", or "" for the first
        raises            ValueError for arguments that do not go together, TypeError for a handle that is no tensor
        """
        if handle is None:
            if size is None:
                raise ValueError("Argument `size` must be provided if handle is not provided.")
        else:
            if not isinstance(handle, Tensor):
                raise TypeError(f"Expected `handle` to be a Tensor, but got `{handle}` of type `{type(handle)}`.")
            others = {
                "size": size,
                "element_shape": element_shape,
                "dynamic_size": dynamic_size,
                "clear_after_read": clear_after_read,
                "tensor_array_name": tensor_array_name or None,
            }
            for key, value in others.items():
                if value is not None:
                    raise ValueError(f"Cannot provide both `handle` and `{key}` arguments at the same time.")
            if flow is None:
                raise ValueError("flow must not be None if handle is not None.")
        self._b = b
        self._version = version
        self._dtype = as_dtype(dtype).base
        self._dynamic_size = dynamic_size or False
        self._size = size
        self._infer_shape = infer_shape
        # Shared by all that share the handle: what one write teaches, a later read knows.
        self._element_shape = [as_shape(element_shape)]
        self._colocate_with: list[Any] | None = [] if colocate_with_first_write_call else None
        with b.graph.name_scope(name or "TensorArray") as scope:
            if handle is not None:
                self._handle, self._flow = handle, flow
                return
            with contextlib.ExitStack() as free:
                if colocate_with_first_write_call:
                    free.enter_context(b.graph.device(None))
                    free.enter_context(b.graph.colocate_with(None, ignore_existing=True))
                self._handle, self._flow = b.TensorArrayV3(
                    size,
                    dtype=self._dtype,
                    element_shape=as_shape(element_shape),
                    identical_element_shapes=infer_shape,
                    dynamic_size=self._dynamic_size,
                    clear_after_read=clear_after_read is None or clear_after_read,
                    tensor_array_name=tensor_array_name or "",
                    name=scope,
                )

    @property
    def flow(self) -> Any:
        """The float32 scalar that all that was done so far leads to."""
        return self._flow

    @property
    def dtype(self) -> Any:
        return self._dtype

    @property
    def handle(self) -> Any:
        return self._handle

    @property
    def element_shape(self) -> TensorShape:
        """What is known of the elements' shape."""
        return self._element_shape[0]

    @property
    def dynamic_size(self) -> bool:
        """Whether it grows."""
        return self._dynamic_size

    def _with_flow(self, flow: Any) -> Any:
        """The same TensorArray behind another flow."""
        self._b.graph.unique_name("TensorArray")  # TensorFlow opens a scope for each object
        made = copy.copy(self)
        made._flow = flow
        return made

    def _learn_shape(self, shape: TensorShape) -> None:
        if not shape.is_compatible_with(self.element_shape):
            raise ValueError(f"Inconsistent shapes: saw {shape} but expected {self.element_shape}")
        if self._infer_shape:
            self._element_shape[0] = self.element_shape.merge_with(shape)

    def _near_first(self, value: Tensor) -> contextlib.AbstractContextManager[Any]:
        """In the colocation group of what was written first."""
        if self._colocate_with is None:
            return contextlib.nullcontext()
        if not self._colocate_with:
            self._colocate_with.append(value)
        return self._b.graph.colocate_with(self._colocate_with[0])

    def _op(self, kind: str, *inputs: Any, **attrs: Any) -> Any:
        return self._b.op(f"TensorArray{kind}{self._version}", self._handle, *inputs, **attrs)

    def identity(self) -> Any:
        """The same TensorArray behind an Identity of its flow."""
        return self._with_flow(self._b.identity(self._flow))

    def grad(self, source: str, flow: Any = None, name: str | None = None) -> Any:
        """The TensorArray that gathers the gradients of this one for the computation `source`."""
        flow = self._flow if flow is None else flow
        graph = self._b.graph
        with graph.name_scope(name or "TensorArrayGrad"), graph.colocate_with(self._handle):
            made = self._op("Grad", flow, source=source, name=name)
            handle = made[0] if self._version == "V3" else made
            with graph.control_dependencies([handle]):
                flow = self._b.identity(flow, name="gradient_flow")
            gradient = TensorArray(
                self._b,
                self._dtype,
                handle=handle,
                flow=flow,
                infer_shape=self._infer_shape,
                colocate_with_first_write_call=False,
                version=self._version,
            )
            gradient._element_shape = self._element_shape
            return gradient

    def read(self, index: Any, name: str | None = None) -> Any:
        """Element `index`."""
        value = self._op("Read", index, self._flow, dtype=self._dtype, name=name)
        value.set_shape(self.element_shape)
        return value

    def _written(self, name: str | None, kind: str, index: Any, value: Any, skip: int) -> Any:
        with self._b.graph.name_scope(name or f"TensorArray{kind}"):
            value = self._b.convert(value, preferred=self._dtype, name="value")
            self._learn_shape(value.shape[skip:] if skip else value.shape)
            with self._near_first(value):
                flow = self._op(kind, index, value, self._flow, name=name)
            return self._with_flow(flow)

    def write(self, index: Any, value: Any, name: str | None = None) -> Any:
        """Set element `index`. ValueError for a value of another shape than the elements have."""
        return self._written(name, "Write", index, value, 0)

    def stack(self, name: str | None = None) -> Any:
        """All elements as one tensor: [size, ...element]."""
        graph = self._b.graph
        with graph.colocate_with(self._handle), graph.name_scope(name or "TensorArrayStack"):
            value = self.gather(self._b.range(0, self.size()), name=name)
            if self.element_shape.rank is not None and not self._dynamic_size and self._size is not None:
                size = literal_value(self._size) if isinstance(self._size, Tensor) else self._size
                value.set_shape([None if size is None else int(size), *self.element_shape.as_list()])
            return value

    def gather(self, indices: Any, name: str | None = None) -> Any:
        """The elements of these indices as one tensor: [len(indices), ...element]."""
        shape = self.element_shape
        value = self._op("Gather", indices, self._flow, dtype=self._dtype, element_shape=shape, name=name)
        if shape.rank is not None:
            value.set_shape([None, *shape.as_list()])
        return value

    def concat(self, name: str | None = None) -> Any:
        """All elements joined along their first dimension."""
        shape = self.element_shape
        rest = TensorShape(None) if shape.rank is None else TensorShape(shape.as_list()[1:])
        value, _ = self._op("Concat", self._flow, dtype=self._dtype, element_shape_except0=rest, name=name)
        if shape.rank is not None:
            length = None
            if self._infer_shape:
                size = literal_value(self.size())
                first = shape.as_list()[0]
                if size is not None and first is not None:
                    length = int(size) * first
            value.set_shape([length, *shape.as_list()[1:]])
        return value

    def unstack(self, value: Any, name: str | None = None) -> Any:
        """Set each element to its row of `value`."""
        with self._b.graph.name_scope(name or "TensorArrayUnstack"):
            with self._b.graph.name_scope("Shape") as scope:
                sizes = self._b.shape(self._b.convert(value), name=scope)
            count = getitem(self._b, sizes, 0)
            return self.scatter(self._b.range(0, count), value, name=name)

    def scatter(self, indices: Any, value: Any, name: str | None = None) -> Any:
        """Set element `indices[i]` to row i of `value`."""
        return self._written(name, "Scatter", indices, value, 1)

    def split(self, value: Any, lengths: Any, name: str | None = None) -> Any:
        """Set element i to the next `lengths[i]` rows of `value`."""
        with self._b.graph.name_scope(name or "TensorArraySplit"):
            value = self._b.convert(value, self._dtype, name="value")
            with self._near_first(value):
                lengths = self._b.cast(lengths, dtypes.int64)
                known = literal_value(lengths)
                if value.shape.rank is not None and known is not None and known.shape and known.max() == known.min():
                    self._learn_shape(TensorShape([int(known[0]), *value.shape.as_list()[1:]]))
                flow = self._op("Split", value, lengths, self._flow, name=name)
            return self._with_flow(flow)

    def size(self, name: str | None = None) -> Any:
        """The number of elements, an int32 scalar."""
        if not self._dynamic_size and self._size is not None:
            return self._b.convert(self._size, dtypes.int32)
        return self._op("Size", self._flow, name=name)

    def close(self, name: str | None = None) -> Any:
        """The operation that gives the memory back before the run ends."""
        return self._op("Close", name=name)


def gradient_source(name: str) -> str:
    """The call of `gradients` that a node of this name belongs to. ValueError where its scope is named otherwise.

    Each call has TensorArrays of its own to add up gradients in, which go by this name.
    """
    parts = name.split("/")
    at = [i for i, part in enumerate(parts) if part.startswith("gradients")]
    if not at:
        raise ValueError(
            f"Expected op/tensor name to start with gradients (excluding scope), got: {name}. The gradients of a "
            "TensorArray are told apart by the scope of the tf.gradients call, whose `name` must start with "
            "'gradients'."
        )
    return "/".join(parts[: at[-1] + 1])
