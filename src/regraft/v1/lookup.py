"""tf.lookup: tables from keys to values."""

from __future__ import annotations

from types import SimpleNamespace

from regraft.v1._lookup_initializers import KeyValueTensorInitializer as KeyValueTensorInitializer
from regraft.v1._lookup_initializers import TextFileIndex as TextFileIndex
from regraft.v1._lookup_initializers import TextFileInitializer as TextFileInitializer
from regraft.v1._lookup_mutable import DenseHashTable, MutableHashTable
from regraft.v1._lookup_tables import StaticHashTable as StaticHashTable
from regraft.v1._lookup_tables import StaticVocabularyTable as StaticVocabularyTable

experimental = SimpleNamespace(MutableHashTable=MutableHashTable, DenseHashTable=DenseHashTable)

__all__ = [
    "KeyValueTensorInitializer",
    "StaticHashTable",
    "StaticVocabularyTable",
    "TextFileIndex",
    "TextFileInitializer",
    "experimental",
]
