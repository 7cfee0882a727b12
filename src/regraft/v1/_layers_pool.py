"""Pooling layers."""

from __future__ import annotations

from typing import Any

from regraft.base.shapes import TensorShape
from regraft.v1._array import expand_dims, squeeze, transpose
from regraft.v1._layer import InputSpec, Layer, several
from regraft.v1._layers_conv import checked, op_format, output_length
from regraft.v1._nn_pool import avg_pool, avg_pool3d, max_pool, max_pool3d

__all__ = [
    "AveragePooling1D",
    "AveragePooling2D",
    "AveragePooling3D",
    "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D",
    "average_pooling1d",
    "average_pooling2d",
    "average_pooling3d",
    "max_pooling1d",
    "max_pooling2d",
    "max_pooling3d",
]


class _Pooling(Layer):
    """The largest or the mean value in windows of `pool_size`, one every `strides`."""

    rank = 2
    largest = True

    def __init__(
        self,
        pool_size: Any,
        strides: Any,
        padding: str = "valid",
        data_format: str = "channels_last",
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.pool_size = several(pool_size, self.rank, "pool_size")
        self.strides = several(pool_size if strides is None else strides, self.rank, "strides")
        self.padding = checked(padding, "padding", ("valid", "same"))
        self.data_format = checked(data_format, "data_format", ("channels_first", "channels_last"))
        self.input_spec = InputSpec(ndim=self.rank + 2)

    @property
    def _first(self) -> bool:
        return self.data_format == "channels_first"

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        sizes = TensorShape(input_shape).as_list()
        spatial = sizes[2:] if self._first else sizes[1:-1]
        found = [
            output_length(length, self.pool_size[i], self.padding, self.strides[i]) for i, length in enumerate(spatial)
        ]
        return TensorShape([sizes[0], sizes[1], *found] if self._first else [sizes[0], *found, sizes[-1]])


class _Pooling1D(_Pooling):
    rank = 1

    def call(self, inputs: Any) -> Any:  # type: ignore[override]  # takes nothing else
        at = 3 if self._first else 2
        inputs = expand_dims(inputs, at)
        if self._first:
            # The op knows images with channels last alone where there is no GPU.
            inputs = transpose(inputs, (0, 2, 3, 1))
        function = max_pool if self.largest else avg_pool
        outputs = function(
            inputs, (1, *self.pool_size, 1, 1), (1, *self.strides, 1, 1), self.padding.upper(), data_format="NHWC"
        )
        if self._first:
            outputs = transpose(outputs, (0, 3, 1, 2))
        return squeeze(outputs, at)


class _Pooling2D(_Pooling):
    rank = 2

    def call(self, inputs: Any) -> Any:  # type: ignore[override]  # takes nothing else
        function = max_pool if self.largest else avg_pool
        return function(
            inputs,
            (1, 1, *self.pool_size) if self._first else (1, *self.pool_size, 1),
            (1, 1, *self.strides) if self._first else (1, *self.strides, 1),
            self.padding.upper(),
            data_format=op_format(self.data_format, 4),
        )


class _Pooling3D(_Pooling):
    rank = 3

    def call(self, inputs: Any) -> Any:  # type: ignore[override]  # takes nothing else
        if self._first:
            inputs = transpose(inputs, (0, 2, 3, 4, 1))
        function = max_pool3d if self.largest else avg_pool3d
        outputs = function(inputs, (1, *self.pool_size, 1), (1, *self.strides, 1), self.padding.upper())
        return transpose(outputs, (0, 4, 1, 2, 3)) if self._first else outputs


class MaxPooling1D(_Pooling1D):
    """The largest value in each window of sequences."""


class AveragePooling1D(_Pooling1D):
    """The mean of each window of sequences."""

    largest = False


class MaxPooling2D(_Pooling2D):
    """The largest value in each window of images."""


class AveragePooling2D(_Pooling2D):
    """The mean of each window of images."""

    largest = False


class MaxPooling3D(_Pooling3D):
    """The largest value in each window of volumes."""


class AveragePooling3D(_Pooling3D):
    """The mean of each window of volumes."""

    largest = False


def _function(layer: Any) -> Any:
    def function(
        inputs: Any,
        pool_size: Any,
        strides: Any,
        padding: str = "valid",
        data_format: str = "channels_last",
        name: str | None = None,
    ) -> Any:
        return layer(pool_size, strides, padding, data_format, name)(inputs)

    function.__doc__ = f"Apply a {layer.__name__} layer."
    return function


max_pooling1d = _function(MaxPooling1D)
max_pooling2d = _function(MaxPooling2D)
max_pooling3d = _function(MaxPooling3D)
average_pooling1d = _function(AveragePooling1D)
average_pooling2d = _function(AveragePooling2D)
average_pooling3d = _function(AveragePooling3D)
