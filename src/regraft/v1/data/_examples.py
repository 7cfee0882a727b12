"""Datasets of parsed Examples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from regraft.base import dtypes
from regraft.base.shapes import TensorShape
from regraft.v1._parsing_features import (
    FixedLenFeature,
    FixedLenSequenceFeature,
    SparseFeature,
    VarLenFeature,
    Wanted,
    batched,
)
from regraft.v1._sparse import merge
from regraft.v1.data import _functional, _structure
from regraft.v1.data._base import AUTOTUNE, dataset, determined
from regraft.v1.data._dataset import Dataset
from regraft.v1.data._files import TFRecordDataset


def parse_example_dataset(
    features: Mapping[str, Any], num_parallel_calls: Any = 1, deterministic: bool | None = None
) -> Callable[[Dataset], Dataset]:
    """A mapping of features, as `tf.parse_example` gives them, for each vector of serialized Examples.

    raises  ValueError without features, TypeError for a dataset of anything but vectors of strings
    """
    if features is None:
        raise ValueError("Argument `features` is required, but not specified.")

    def apply(source: Dataset) -> Dataset:
        if not _structure.compatible(source.element_spec, _structure.TensorSpec([None], dtypes.string)):
            raise TypeError(
                f"Input dataset should be a dataset of vectors of strings. Instead it is `{source.element_spec}`."
            )
        parsed = _parsed(source, features, num_parallel_calls, deterministic)
        if any(isinstance(feature, SparseFeature) for feature in features.values()):
            return parsed.map(lambda found: _merged(features, found), num_parallel_calls=num_parallel_calls)
        return parsed

    return apply


def _parsed(source: Dataset, features: Mapping[str, Any], calls: Any, deterministic: bool | None) -> Dataset:
    kinds = (VarLenFeature, SparseFeature, FixedLenFeature, FixedLenSequenceFeature)
    wanted = Wanted.of(batched(features), kinds)
    outer = source.element_spec.shape
    spec: dict[str, Any] = {
        key: _structure.SparseTensorSpec(outer.concatenate(TensorShape([None])), dtype)
        for key, dtype in wanted.sparse.items()
    }
    for key, (shape, dtype) in wanted.dense.items():
        spec[key] = _structure.TensorSpec(outer.concatenate(shape), dtype)
    return dataset(
        "ParseExampleDatasetV2",
        source,
        calls,
        wanted.dense_defaults(),
        sparse_keys=list(wanted.sparse),
        sparse_types=list(wanted.sparse.values()),
        dense_keys=list(wanted.dense),
        dense_shapes=[shape for shape, _ in wanted.dense.values()],
        deterministic=determined(deterministic),
        spec=spec,
    )


def _merged(features: Mapping[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """With the sparse features that several others make together."""
    for key in sorted(features):
        feature = features[key]
        if isinstance(feature, SparseFeature):
            one = isinstance(feature.index_key, str)
            ids = found[feature.index_key] if one else [found[k] for k in feature.index_key]
            found[key] = merge(ids, found[feature.value_key], feature.size, already_sorted=feature.already_sorted)
    return {key: value for key, value in found.items() if key in features}


def make_batched_features_dataset(
    file_pattern: Any,
    batch_size: int,
    features: Mapping[str, Any],
    reader: Any = None,
    label_key: str | None = None,
    reader_args: Any = None,
    num_epochs: int | None = None,
    shuffle: bool = True,
    shuffle_buffer_size: int = 10000,
    shuffle_seed: int | None = None,
    prefetch_buffer_size: int | None = None,
    reader_num_threads: int | None = None,
    parser_num_threads: int | None = None,
    sloppy_ordering: bool = False,
    drop_final_batch: bool = False,
) -> Dataset:
    """Batches of the parsed features of the Examples in files, without end where `num_epochs` is None.

    reader     from a file name to a dataset; TFRecordDataset when None
    label_key  the feature that becomes the second part of each element
    raises     ValueError for a label that is no feature
    """
    read = TFRecordDataset if reader is None else reader
    names = Dataset.list_files(file_pattern, shuffle=shuffle, seed=shuffle_seed)
    at_a_time = 1 if reader_num_threads is None else reader_num_threads

    arguments = reader_args or ()
    if at_a_time == AUTOTUNE:
        records = names.interleave(lambda name: read(name, *arguments), num_parallel_calls=at_a_time)
    else:
        records = _functional.parallel_interleaved(
            names, lambda name: read(name, *arguments), at_a_time, sloppy=sloppy_ordering
        )
    if records.output_types == (dtypes.string, dtypes.string):
        records = _functional.mapped(
            records, lambda key, value: value, use_inter_op_parallelism=False, preserve_cardinality=True
        )
    if shuffle:
        records = records.shuffle(shuffle_buffer_size, shuffle_seed)
    if num_epochs != 1:
        records = records.repeat(num_epochs)
    batches = records.batch(batch_size, drop_remainder=drop_final_batch or num_epochs is None)
    calls = 2 if parser_num_threads is None else parser_num_threads
    parsed = parse_example_dataset(features, calls)(batches)
    if label_key is not None:
        if label_key not in features:
            raise ValueError(
                f"The `label_key` provided ({label_key!r}) must be one of the `features` keys: {sorted(features)}."
            )
        parsed = parsed.map(lambda found: (found, found.pop(label_key)))
    return parsed.prefetch(AUTOTUNE if prefetch_buffer_size is None else prefetch_buffer_size)
