"""tf.contrib.lookup: tables from keys to values, under the names that TensorFlow 1 gave them."""

from __future__ import annotations

from typing import Any

from regraft.base import dtypes
from regraft.v1._lookup_initializers import KeyValueTensorInitializer as KeyValueTensorInitializer
from regraft.v1._lookup_initializers import TableInitializer as TableInitializerBase
from regraft.v1._lookup_initializers import TextFileIdTableInitializer as TextFileIdTableInitializer
from regraft.v1._lookup_initializers import TextFileIndex as TextFileIndex
from regraft.v1._lookup_initializers import TextFileInitializer as TextFileInitializer
from regraft.v1._lookup_initializers import TextFileStringTableInitializer as TextFileStringTableInitializer
from regraft.v1._lookup_mutable import DenseHashTable, MutableHashTable
from regraft.v1._lookup_tables import FastHashSpec as FastHashSpec
from regraft.v1._lookup_tables import HasherSpec as HasherSpec
from regraft.v1._lookup_tables import IdTableWithHashBuckets as IdTableWithHashBuckets
from regraft.v1._lookup_tables import LegacyHashSpec as LegacyHashSpec
from regraft.v1._lookup_tables import LookupInterface as LookupInterface
from regraft.v1._lookup_tables import StaticHashTable, index_table_from_file, index_table_from_tensor
from regraft.v1._lookup_tables import StrongHashSpec as StrongHashSpec
from regraft.v1._lookup_tables import index_to_string_table_from_file as index_to_string_table_from_file
from regraft.v1._lookup_tables import index_to_string_table_from_tensor as index_to_string_table_from_tensor

__all__ = [
    "FastHashSpec",
    "HashTable",
    "HasherSpec",
    "IdTableWithHashBuckets",
    "KeyValueTensorInitializer",
    "LegacyHashSpec",
    "LookupInterface",
    "MutableDenseHashTable",
    "MutableHashTable",
    "StrongHashSpec",
    "TableInitializerBase",
    "TextFileIdTableInitializer",
    "TextFileIndex",
    "TextFileInitializer",
    "TextFileStringTableInitializer",
    "index_table_from_file",
    "index_table_from_tensor",
    "index_to_string",
    "index_to_string_table_from_file",
    "index_to_string_table_from_tensor",
    "string_to_index",
    "string_to_index_table_from_file",
    "string_to_index_table_from_tensor",
]

MutableDenseHashTable = DenseHashTable


class HashTable(StaticHashTable):
    """A table that `initializer` fills once. Tables of one `shared_name` are one."""

    def __init__(
        self, initializer: Any, default_value: Any, shared_name: str | None = None, name: str | None = None
    ) -> None:
        super().__init__(initializer, default_value, name=name, shared_name=shared_name)


def string_to_index_table_from_file(
    vocabulary_file: Any = None,
    num_oov_buckets: int = 0,
    vocab_size: int | None = None,
    default_value: int = -1,
    hasher_spec: HasherSpec = FastHashSpec,
    name: str | None = None,
) -> Any:
    """`index_table_from_file` by its older name."""
    return index_table_from_file(
        vocabulary_file, num_oov_buckets, vocab_size, default_value, hasher_spec, dtypes.string, name
    )


def string_to_index_table_from_tensor(
    mapping: Any,
    num_oov_buckets: int = 0,
    default_value: int = -1,
    hasher_spec: HasherSpec = FastHashSpec,
    name: str | None = None,
) -> Any:
    """`index_table_from_tensor` by its older name."""
    return index_table_from_tensor(mapping, num_oov_buckets, default_value, hasher_spec, dtypes.string, name)


def string_to_index(tensor: Any, mapping: Any, default_value: int = -1, name: str | None = None) -> Any:
    """The position of each string in the list `mapping`."""
    return index_table_from_tensor(mapping, default_value=default_value).lookup(tensor, name)


def index_to_string(tensor: Any, mapping: Any, default_value: Any = "UNK", name: str | None = None) -> Any:
    """The string at each position of the list `mapping`."""
    return index_to_string_table_from_tensor(mapping, default_value).lookup(tensor, name)
