"""tf.data: input pipelines."""

from __future__ import annotations

import importlib
from typing import Any

from regraft.v1.data._base import AUTOTUNE as AUTOTUNE
from regraft.v1.data._base import INFINITE_CARDINALITY as INFINITE_CARDINALITY
from regraft.v1.data._base import UNKNOWN_CARDINALITY as UNKNOWN_CARDINALITY
from regraft.v1.data._dataset import Dataset as Dataset
from regraft.v1.data._files import FixedLengthRecordDataset as FixedLengthRecordDataset
from regraft.v1.data._files import TextLineDataset as TextLineDataset
from regraft.v1.data._files import TFRecordDataset as TFRecordDataset
from regraft.v1.data._iterator import Iterator as Iterator
from regraft.v1.data._options import Options as Options
from regraft.v1.data._structure import DatasetSpec as DatasetSpec


def make_initializable_iterator(dataset: Dataset, shared_name: str | None = None) -> Iterator:
    """An iterator over `dataset` that a run of its `initializer` begins."""
    return dataset.make_initializable_iterator(shared_name)


def make_one_shot_iterator(dataset: Dataset) -> Iterator:
    """An iterator that goes through `dataset` once in a session, without an initializer."""
    return dataset.make_one_shot_iterator()


def get_output_types(dataset_or_iterator: Any) -> Any:
    """The dtypes of the elements' components, in their structure."""
    return dataset_or_iterator.output_types


def get_output_shapes(dataset_or_iterator: Any) -> Any:
    """The static shapes of the elements' components, in their structure."""
    return dataset_or_iterator.output_shapes


def get_output_classes(dataset_or_iterator: Any) -> Any:
    """The classes of the elements' components, in their structure."""
    return dataset_or_iterator.output_classes


def __getattr__(name: str) -> Any:
    if name == "experimental":
        return importlib.import_module(f"{__name__}.experimental")
    raise AttributeError(f"module 'regraft.v1.data' has no attribute {name!r}")
