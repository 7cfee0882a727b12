"""tf.TensorArray: lists of tensors that a graph writes and reads by index."""

from __future__ import annotations

from typing import Any

from regraft.opkit import tensor_array_nodes
from regraft.v1._opening import on

__all__ = ["TensorArray"]


class TensorArray(tensor_array_nodes.TensorArray):
    """A list of tensors of one dtype; see `regraft.opkit.tensor_array_nodes`."""

    def __init__(
        self,
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
    ) -> None:
        super().__init__(
            on(handle, size, flow),
            dtype,
            size,
            dynamic_size,
            clear_after_read,
            tensor_array_name,
            handle,
            flow,
            infer_shape,
            element_shape,
            colocate_with_first_write_call,
            name,
        )

    # Before TensorFlow 1.0

    def pack(self, name: str | None = None) -> Any:
        """`stack`."""
        return self.stack(name)

    def unpack(self, value: Any, name: str | None = None) -> Any:
        """`unstack`."""
        return self.unstack(value, name)
