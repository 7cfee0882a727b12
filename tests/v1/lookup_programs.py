"""Programs of lookup tables, a row each: `PROGRAMS[name](tf)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest import mock

PROGRAMS: dict[str, Callable[[Any], Any]] = {}


def program(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def same_name(tf: Any) -> None:
        # Tables that nobody named are called after a random number.
        with mock.patch("uuid.uuid4", return_value="0"):
            function(tf)

    PROGRAMS[function.__name__] = same_name
    return function


@program
def fixed_tables(tf: Any) -> None:
    keys = tf.placeholder(tf.string, [None], name="keys")
    fill = tf.lookup.KeyValueTensorInitializer(["a", "b"], [1, 2], tf.string, tf.int64)
    table = tf.lookup.StaticHashTable(fill, -1)
    table.lookup(keys)
    table.lookup(tf.sparse_placeholder(tf.string, [2, 3]), name="mine")
    table.size()
    table.export()
    other = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer([1, 2], [0.5, 1.5]), 0.0, name="other")
    other.lookup(tf.constant([2, 3]))
    tf.tables_initializer()


@program
def tables_of_files(tf: Any) -> None:
    index = tf.lookup.TextFileIndex
    fill = tf.lookup.TextFileInitializer(
        "/words.txt", tf.string, index.WHOLE_LINE, tf.int64, index.LINE_NUMBER, vocab_size=10
    )
    tf.lookup.StaticHashTable(fill, -1, name="words")
    columns = tf.lookup.TextFileInitializer("/c.tsv", tf.int64, 0, tf.float32, 1, delimiter=",", name="columns")
    tf.lookup.StaticHashTable(columns, 0.0)
    tf.tables_initializer("fill_all")


@program
def vocabularies(tf: Any) -> None:
    keys = tf.placeholder(tf.string, [None], name="keys")
    words = tf.lookup.StaticVocabularyTable(tf.lookup.KeyValueTensorInitializer(["a"], tf.constant([0], tf.int64)), 3)
    words.lookup(keys)
    words.size()
    numbers = tf.lookup.KeyValueTensorInitializer(tf.constant([5], tf.int64), tf.constant([0], tf.int64))
    table = tf.lookup.StaticVocabularyTable(numbers, 2, lookup_key_dtype=tf.int32)
    table.lookup(tf.constant([1, 2]), name="mine")
    tf.lookup.StaticVocabularyTable(None, 7).lookup(keys)


@program
def mutable_tables(tf: Any) -> None:
    table = tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, -1)
    table.lookup(tf.constant(["a"]))
    table.insert(["a"], [1])
    table.remove(tf.constant(["a"]), name="away")
    table.size()
    rows = tf.lookup.experimental.MutableHashTable(tf.int64, tf.float32, [0.0, 0.0], name="rows", checkpoint=False)
    rows.export()
    dense = tf.lookup.experimental.DenseHashTable(
        tf.int64, tf.float32, 0.0, empty_key=-1, deleted_key=-2, name="dense", checkpoint=True
    )
    dense.insert([1], [2.0])
    dense.lookup([3])
    tf.train.Saver()


@program
def index_tables(tf: Any) -> None:
    if tf.__name__.startswith("regraft"):
        lookup: Any = tf.contrib.lookup
    else:
        from tensorflow.python.ops import lookup_ops as lookup

    words = tf.placeholder(tf.string, [None], name="words")
    ids = tf.placeholder(tf.int64, [None], name="ids")
    lookup.index_table_from_tensor(["a", "b"]).lookup(words)
    strong = lookup.StrongHashSpec([3, 4])
    lookup.index_table_from_tensor(tf.constant(["a", "b"]), 2, hasher_spec=strong, name="mine").lookup(words)
    lookup.index_table_from_tensor([7, 8], num_oov_buckets=1, dtype=tf.int32).lookup(tf.cast(ids, tf.int32))
    lookup.index_table_from_file("/words.txt", num_oov_buckets=3, vocab_size=10).lookup(words)
    lookup.index_table_from_file("/words.txt", default_value=0, name="file").lookup(words)
    lookup.index_to_string_table_from_tensor(["a", "b"], default_value="?").lookup(ids)
    lookup.index_to_string_table_from_file("/words.txt", vocab_size=10).lookup(ids, name="text")
    lookup.IdTableWithHashBuckets(None, 5).lookup(words)
    tf.tables_initializer()
