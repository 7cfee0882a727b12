"""Lookup tables in sessions: filled from files, saved and restored, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import regraft.v1 as tf


@pytest.fixture
def session():
    with tf.Graph().as_default(), tf.Session() as s:
        yield s


def test_words_of_a_file_and_buckets_for_others(session, tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("the\nof\nand\n")
    table = tf.contrib.lookup.index_table_from_file(str(path), num_oov_buckets=2)
    back = tf.contrib.lookup.index_to_string_table_from_file(str(path))
    words = tf.placeholder(tf.string, [None])
    ids = table.lookup(words)
    session.run(tf.tables_initializer())
    found = session.run(ids, {words: ["and", "the", "xyz"]})
    assert found[:2].tolist() == [2, 0]
    assert found[2] in (3, 4)
    assert session.run(back.lookup(tf.constant([1, 9], tf.int64))).tolist() == [b"of", b"UNK"]
    assert session.run(table.size()) == 5
    assert [t.op.type for t in tf.get_collection(tf.GraphKeys.ASSET_FILEPATHS)] == ["Const", "Const"]


def test_sparse_keys(session):
    table = tf.contrib.lookup.HashTable(tf.contrib.lookup.KeyValueTensorInitializer(["a"], [5]), -1)
    keys = tf.SparseTensor([[0, 1], [1, 0]], ["a", "b"], [2, 2])
    table.init.run(session=session)
    value = session.run(table.lookup(keys))
    assert value.values.tolist() == [5, -1]
    assert value.indices.tolist() == [[0, 1], [1, 0]]


def test_a_mutable_table_is_saved_with_the_variables(session, tmp_path):
    table = tf.contrib.lookup.MutableHashTable(tf.string, tf.int64, -1, name="t")
    saver = tf.train.Saver()
    session.run(table.insert(tf.constant(["a", "b"]), tf.constant([3, 4], tf.int64)))
    path = saver.save(session, str(tmp_path / "model"))
    reader = tf.train.NewCheckpointReader(path)
    stored = dict(zip(reader.get_tensor("t-keys").tolist(), reader.get_tensor("t-values").tolist(), strict=True))
    assert stored == {b"a": 3, b"b": 4}
    session.run(table.insert(tf.constant(["a", "c"]), tf.constant([7, 8], tf.int64)))
    saver.restore(session, path)
    found = session.run(table.lookup(tf.constant(["a", "b", "c"])))
    np.testing.assert_array_equal(found, [3, 4, -1])


def test_refused(session):
    fill = tf.lookup.KeyValueTensorInitializer(["a"], [5])
    table = tf.lookup.StaticHashTable(fill, -1)
    with pytest.raises(TypeError, match="Dtype of argument `keys` must be"):
        table.lookup(tf.constant([1]))
    with pytest.raises(ValueError, match="`key_dtype` must be int64"):
        tf.lookup.TextFileInitializer("f", tf.string, tf.lookup.TextFileIndex.LINE_NUMBER, tf.int64, 0)
    with pytest.raises(ValueError, match="`num_oov_buckets` must be > 0"):
        tf.lookup.StaticVocabularyTable(fill, 0)
    with pytest.raises(ValueError, match="`filename` argument required"):
        tf.lookup.TextFileInitializer("", tf.string, 0, tf.int64, 1)
    with pytest.raises(NotImplementedError, match="tables without a name"):
        tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, -1, experimental_is_anonymous=True)
