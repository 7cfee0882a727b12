"""tf.contrib.data: what became tf.data, under its names of TensorFlow 1."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from regraft.v1.data import Dataset as Dataset
from regraft.v1.data import FixedLengthRecordDataset as FixedLengthRecordDataset
from regraft.v1.data import Iterator as Iterator
from regraft.v1.data import TextLineDataset as TextLineDataset
from regraft.v1.data import TFRecordDataset as TFRecordDataset
from regraft.v1.data import experimental
from regraft.v1.data.experimental import AUTOTUNE as AUTOTUNE
from regraft.v1.data.experimental import Counter as Counter
from regraft.v1.data.experimental import CsvDataset as CsvDataset
from regraft.v1.data.experimental import Optional as Optional
from regraft.v1.data.experimental import RandomDataset as RandomDataset
from regraft.v1.data.experimental import Reducer as Reducer
from regraft.v1.data.experimental import bucket_by_sequence_length as bucket_by_sequence_length
from regraft.v1.data.experimental import choose_from_datasets as choose_from_datasets
from regraft.v1.data.experimental import copy_to_device as copy_to_device
from regraft.v1.data.experimental import dense_to_sparse_batch as dense_to_sparse_batch
from regraft.v1.data.experimental import enumerate_dataset as enumerate_dataset
from regraft.v1.data.experimental import get_next_as_optional as get_next_as_optional
from regraft.v1.data.experimental import get_single_element as get_single_element
from regraft.v1.data.experimental import group_by_reducer as group_by_reducer
from regraft.v1.data.experimental import group_by_window as group_by_window
from regraft.v1.data.experimental import ignore_errors as ignore_errors
from regraft.v1.data.experimental import make_batched_features_dataset as make_batched_features_dataset
from regraft.v1.data.experimental import map_and_batch as map_and_batch
from regraft.v1.data.experimental import parallel_interleave as parallel_interleave
from regraft.v1.data.experimental import parse_example_dataset as parse_example_dataset
from regraft.v1.data.experimental import prefetch_to_device as prefetch_to_device
from regraft.v1.data.experimental import sample_from_datasets as sample_from_datasets
from regraft.v1.data.experimental import scan as scan
from regraft.v1.data.experimental import shuffle_and_repeat as shuffle_and_repeat
from regraft.v1.data.experimental import unbatch as unbatch
from regraft.v1.data.experimental import unique as unique

Transformation = Callable[[Dataset], Any]


def batch_and_drop_remainder(batch_size: Any) -> Transformation:
    """`batch` without a last batch of fewer elements."""
    return lambda source: source.batch(batch_size, drop_remainder=True)


def padded_batch_and_drop_remainder(batch_size: Any, padded_shapes: Any, padding_values: Any = None) -> Transformation:
    """`padded_batch` without a last batch of fewer elements."""
    return lambda source: source.padded_batch(batch_size, padded_shapes, padding_values, drop_remainder=True)


def sloppy_interleave(map_func: Callable[..., Any], cycle_length: Any, block_length: Any = 1) -> Transformation:
    """`parallel_interleave` in any order."""
    return experimental.parallel_interleave(map_func, cycle_length, block_length, sloppy=True)


def sliding_window_batch(
    window_size: Any, stride: Any = None, window_shift: Any = None, window_stride: Any = 1
) -> Transformation:
    """Full batches of `window_size` elements, `window_stride` apart, each beginning `window_shift` behind the last.

    stride  the older name of `window_shift`
    raises  ValueError where both are given
    """
    if stride is not None and window_shift is not None:
        raise ValueError("Cannot specify both `stride` and `window_shift`")
    shift = (1 if stride is None else stride) if window_shift is None else window_shift

    def apply(source: Dataset) -> Dataset:
        windows = source.window(window_size, shift, window_stride, drop_remainder=True)
        return windows.flat_map(lambda *parts: _zipped(source.element_spec, parts, window_size))

    return apply


def _zipped(spec: Any, parts: Any, size: Any) -> Dataset:
    """One batch of what a window holds, in the structure of its elements."""
    from regraft.v1.data import _nest

    if not _nest.is_nested(spec):
        only: Dataset = parts[0].batch(size)
        return only
    given = parts if type(spec) is tuple else parts[0]
    batches = [window.batch(size) for window in _nest.flatten(given)]
    return Dataset.zip(_nest.pack(spec, batches))


def assert_element_shape(expected_shapes: Any) -> Transformation:
    """The same elements, whose static shapes are merged with `expected_shapes`."""
    from regraft.v1.data import _nest

    def apply(source: Dataset) -> Dataset:
        def merged(*parts: Any) -> Any:
            element = parts if type(source.element_spec) is tuple else parts[0]
            shapes = _nest.flatten_up_to(source.element_spec, expected_shapes)
            for component, shape in zip(_nest.flatten(element), shapes, strict=True):
                component.set_shape(shape)
            return element

        return source.map(merged)

    return apply


def read_batch_features(
    file_pattern: Any,
    batch_size: int,
    features: Any,
    reader: Any = TFRecordDataset,
    reader_args: Any = None,
    randomize_input: bool = True,
    num_epochs: Any = None,
    capacity: int = 10000,
) -> Any:
    """The next batch of parsed features of the Examples in files: a mapping of tensors.

    randomize_input  read the files in random order, and shuffle the records in a buffer of `capacity`
    """
    batches = experimental.make_batched_features_dataset(
        file_pattern,
        batch_size,
        features,
        reader,
        reader_args=reader_args,
        num_epochs=num_epochs,
        shuffle=randomize_input,
        shuffle_buffer_size=capacity,
        prefetch_buffer_size=1,
    )
    return batches.make_one_shot_iterator().get_next()
