"""Input pipelines, a row each: `PIPELINES[name](tf)` is a dataset. `write` makes the files that they read."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from regraft import proto
from regraft.wire.tfrecord import frame

PIPELINES: dict[str, Callable[[Any], Any]] = {}


def pipeline(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    PIPELINES[function.__name__] = function
    return function


def write(folder: Path) -> None:
    """The files that the pipelines read."""
    for name, content in {
        "lines.txt": b"a\rb\r\nc\n\nd\r",
        "more.txt": b"x\ny\n",
        "lines.gz": gzip.compress(b"x\ny\n"),
        "lines.zlib": zlib.compress(b"x\ny\n"),
        "fixed.bin": b"HHaabbccF",
        "uneven.bin": b"HHaabbcF",
        "rows.csv": b'h1,h2,h3\n1,2.5,"a,""b\nc"\n,,x\n3,z,\n4,5,6,7\n5,6,"q\n',
        "table.csv": b"x,id,y,name\n1,1,0.5,a\n2,2,1,b\n,3,2.25,c\n",
        "gaps.csv": b"1,2\r\n\r\n\n3,4",
    }.items():
        (folder / name).write_bytes(content)
    for name, numbers in (("a.records", range(3)), ("b.records", range(3, 7))):
        (folder / name).write_bytes(b"".join(frame(_example(i)) for i in numbers))


def _example(number: int) -> bytes:
    """An Example with a name, some integers, and two numbers if there is an odd one."""
    example = proto.Example()
    feature = example.features.feature
    feature["name"].bytes_list.value.append(b"n%d" % number)
    feature["some"].int64_list.value.extend(range(number))
    feature["more"].int64_list.value.extend(range(number % 3))
    if number % 2:
        feature["pair"].float_list.value.extend([number, -number])
    return example.SerializeToString()


def _numbers(tf: Any, count: int = 10) -> Any:
    return tf.data.Dataset.range(count)


@pipeline
def map_with_captured_constant(tf: Any) -> Any:
    factor = tf.constant(3.0, tf.float64, name="outside/factor")
    source = tf.data.Dataset.from_tensor_slices({"a": np.arange(6.0), "b": [b"x", b"y", b"z"] * 2})
    return source.map(lambda e: (e["a"] * factor + factor, e["b"]))


@pipeline
def map_in_parallel(tf: Any) -> Any:
    return _numbers(tf).map(lambda x: {"twice": x * 2, "text": tf.as_string(x)}, num_parallel_calls=4)


@pipeline
def map_of_a_dataset_of_pairs(tf: Any) -> Any:
    pairs = tf.data.Dataset.zip((_numbers(tf, 3), tf.data.Dataset.from_tensors([1.0, 2.0]).repeat()))
    return pairs.map(lambda i, v: (v * tf.cast(i, tf.float32), [i, i + 1]))


@pipeline
def seeded_random_in_map(tf: Any) -> Any:
    return _numbers(tf, 3).map(lambda x: tf.random_uniform([2], seed=3)).repeat(2)


@pipeline
def graph_seed(tf: Any) -> Any:
    tf.set_random_seed(7)
    return _numbers(tf, 5).map(lambda x: tf.random_uniform([2])).shuffle(3).repeat(2)


@pipeline
def dropout_and_flip(tf: Any) -> Any:
    def augmented(x: Any) -> Any:
        image = tf.image.random_flip_left_right(tf.reshape(tf.range(6.0), [2, 3, 1]), seed=4)
        return tf.nn.dropout(image, keep_prob=0.5, seed=5) + tf.cast(x, tf.float32)

    return _numbers(tf, 5).map(augmented)


@pipeline
def shuffle_and_repeat_behind(tf: Any) -> Any:
    return _numbers(tf, 8).shuffle(4, seed=7).repeat(2)


@pipeline
def shuffle_the_same_way_each_time(tf: Any) -> Any:
    return _numbers(tf, 8).shuffle(4, seed=7, reshuffle_each_iteration=False).repeat(2)


@pipeline
def shuffle_over_epochs(tf: Any) -> Any:
    return _numbers(tf, 30).shuffle(7, seed=11).repeat(2).shuffle(5, seed=2).batch(4)


@pipeline
def shuffle_and_repeat_in_one(tf: Any) -> Any:
    return _numbers(tf, 5).apply(tf.data.experimental.shuffle_and_repeat(3, 4, seed=7))


@pipeline
def shuffle_and_repeat_in_a_wide_buffer(tf: Any) -> Any:
    return _numbers(tf, 2).apply(tf.data.experimental.shuffle_and_repeat(9, 7, seed=7))


@pipeline
def interleave(tf: Any) -> Any:
    return _numbers(tf, 6).interleave(
        lambda x: tf.data.Dataset.from_tensors(x).repeat(x + 1), cycle_length=3, block_length=2
    )


@pipeline
def interleave_by_default(tf: Any) -> Any:
    return _numbers(tf, 6).interleave(lambda x: tf.data.Dataset.from_tensors(x).repeat(x + 1))


@pipeline
def interleave_in_parallel(tf: Any) -> Any:
    return _numbers(tf, 6).interleave(
        lambda x: tf.data.Dataset.from_tensors(x).repeat(x + 1), 3, 2, num_parallel_calls=2
    )


@pipeline
def parallel_interleave(tf: Any) -> Any:
    return _numbers(tf, 6).apply(
        tf.data.experimental.parallel_interleave(lambda x: tf.data.Dataset.from_tensors(x).repeat(x + 1), 3, 2)
    )


@pipeline
def flat_map_of_a_map(tf: Any) -> Any:
    return _numbers(tf, 4).flat_map(lambda x: tf.data.Dataset.range(x).map(lambda y: x * 10 + y))


@pipeline
def filter_take_skip_shard(tf: Any) -> Any:
    source = _numbers(tf, 60).filter(lambda x: tf.not_equal(x % 3, 1))
    return source.take(30).skip(2).shard(3, 1)


@pipeline
def concatenate_and_cache(tf: Any) -> Any:
    random = _numbers(tf, 3).map(lambda x: tf.random_uniform([], seed=3)).cache().repeat(3)
    return random.concatenate(tf.data.Dataset.from_tensors(0.5))


@pipeline
def enumerate_and_unique(tf: Any) -> Any:
    return tf.data.Dataset.from_tensor_slices([1, 2, 1, 3, 2]).apply(tf.data.experimental.unique()).enumerate(5)


@pipeline
def batch(tf: Any) -> Any:
    return _numbers(tf, 7).map(lambda x: (x, tf.as_string(x))).batch(3)


@pipeline
def batch_without_remainder(tf: Any) -> Any:
    return _numbers(tf, 7).batch(3, drop_remainder=True).prefetch(2)


@pipeline
def batch_of_different_shapes(tf: Any) -> Any:
    return _numbers(tf, 4).map(lambda x: tf.zeros([x])).batch(3)


@pipeline
def map_and_batch(tf: Any) -> Any:
    return _numbers(tf, 7).apply(tf.data.experimental.map_and_batch(lambda x: x * 2, 3, num_parallel_batches=2))


@pipeline
def padded_batch(tf: Any) -> Any:
    return _numbers(tf, 5).map(lambda x: (tf.fill([x], x), tf.as_string(x))).padded_batch(2, ([None], []))


@pipeline
def padded_batch_with_values(tf: Any) -> Any:
    source = _numbers(tf, 5).map(lambda x: (tf.fill([x], x), tf.fill([x], "a")))
    return source.padded_batch(2, ([6], [-1]), (np.int64(-1), "p"), drop_remainder=True)


@pipeline
def padded_batch_too_short(tf: Any) -> Any:
    return _numbers(tf, 4).map(lambda x: tf.zeros([x])).padded_batch(3, [1])


@pipeline
def bucket_by_sequence_length(tf: Any) -> Any:
    return (
        _numbers(tf, 9)
        .map(lambda x: tf.fill([x % 5 + 1], x))
        .apply(tf.data.experimental.bucket_by_sequence_length(lambda t: tf.shape(t)[0], [2, 4], [2, 3, 2]))
    )


@pipeline
def group_by_window(tf: Any) -> Any:
    return _numbers(tf, 10).apply(
        tf.data.experimental.group_by_window(lambda x: (9 - x) % 3, lambda key, window: window.batch(4), 2)
    )


@pipeline
def group_by_window_of_changing_size(tf: Any) -> Any:
    return _numbers(tf, 9).apply(
        tf.data.experimental.group_by_window(
            lambda x: x % 3,
            lambda key, window: window.batch(4).map(lambda v: (key, v)),
            window_size_func=lambda key: key + 1,
        )
    )


@pipeline
def group_by_reducer(tf: Any) -> Any:
    reducer = tf.data.experimental.Reducer(lambda key: key * 100, lambda state, x: state + x, lambda state: state)
    return _numbers(tf, 8).apply(tf.data.experimental.group_by_reducer(lambda x: x % 3, reducer))


@pipeline
def window_with_gaps(tf: Any) -> Any:
    return _numbers(tf, 7).window(3, 5, 2).flat_map(lambda w: w.batch(3))


@pipeline
def window_of_pairs(tf: Any) -> Any:
    pairs = tf.data.Dataset.zip((_numbers(tf, 7), _numbers(tf, 7)))
    return pairs.window(3, 1, 2, True).flat_map(lambda a, b: tf.data.Dataset.zip((a.batch(3), b.batch(3))))


@pipeline
def unbatch(tf: Any) -> Any:
    return _numbers(tf, 7).batch(3).apply(tf.data.experimental.unbatch())


@pipeline
def scan_and_take_while(tf: Any) -> Any:
    summed = _numbers(tf, 9).apply(tf.data.experimental.scan(np.int64(1), lambda s, x: (s + x, s * x)))
    return summed.apply(tf.data.experimental.take_while(lambda x: x < 40))


@pipeline
def reduce(tf: Any) -> Any:
    return tf.data.Dataset.from_tensors(_numbers(tf, 6).reduce(np.int64(0), lambda state, x: state + x))


@pipeline
def sparse_slices(tf: Any) -> Any:
    sparse = tf.SparseTensor([[0, 1], [2, 0]], [5.0, 6.0], [4, 3])
    return tf.data.Dataset.from_tensor_slices(sparse).batch(3)


@pipeline
def sparse_map(tf: Any) -> Any:
    source = tf.data.Dataset.from_tensors(tf.SparseTensor([[0, 1], [2, 0]], [5.0, 6.0], [4, 3]))
    return source.map(lambda s: tf.SparseTensor(s.indices, s.values * 2.0, s.dense_shape))


@pipeline
def sparse_tensor_slices(tf: Any) -> Any:
    return tf.data.Dataset.from_sparse_tensor_slices(tf.SparseTensor([[0, 1], [2, 0]], [5, 6], [4, 3]))


@pipeline
def dense_to_sparse_batch(tf: Any) -> Any:
    return _numbers(tf, 5).map(lambda x: tf.fill([x], x)).apply(tf.data.experimental.dense_to_sparse_batch(2, [6]))


@pipeline
def sample_from_datasets(tf: Any) -> Any:
    return tf.data.experimental.sample_from_datasets([_numbers(tf, 5), _numbers(tf, 6)], weights=[0.3, 0.7], seed=3)


@pipeline
def choose_from_datasets(tf: Any) -> Any:
    choices = tf.data.Dataset.from_tensor_slices(np.array([0, 1, 1, 0, 0, 0, 0, 0, 1], np.int64))
    return tf.data.experimental.choose_from_datasets([_numbers(tf, 3), _numbers(tf, 9)], choices)


@pipeline
def random_dataset(tf: Any) -> Any:
    return tf.data.experimental.RandomDataset(seed=5).take(70)


@pipeline
def counter(tf: Any) -> Any:
    return tf.data.experimental.Counter(3, 2).take(3)


@pipeline
def errors_in_map(tf: Any) -> Any:
    return _numbers(tf, 6).map(lambda x: tf.check_numerics(1.0 / tf.cast(x - 1, tf.float32), "bad")).batch(2)


@pipeline
def errors_through_prefetch(tf: Any) -> Any:
    return _numbers(tf, 4).map(lambda x: tf.check_numerics(1.0 / tf.cast(x - 1, tf.float32), "bad")).prefetch(2)


@pipeline
def errors_ignored(tf: Any) -> Any:
    risky = _numbers(tf, 4).map(lambda x: tf.check_numerics(1.0 / tf.cast(x - 1, tf.float32), "bad"))
    return risky.apply(tf.data.experimental.ignore_errors())


@pipeline
def nothing_repeated_for_ever(tf: Any) -> Any:
    return _numbers(tf, 0).repeat()


@pipeline
def lines(tf: Any) -> Any:
    source = tf.data.TextLineDataset(["lines.txt", "more.txt"])
    return source.map(lambda line: tf.string_split([line], delimiter="").values)


@pipeline
def lines_compressed(tf: Any) -> Any:
    zipped = tf.data.TextLineDataset("lines.gz", compression_type="GZIP")
    return zipped.concatenate(tf.data.TextLineDataset("lines.zlib", compression_type="ZLIB"))


@pipeline
def lines_of_no_file(tf: Any) -> Any:
    return tf.data.TextLineDataset(["nowhere.txt", "more.txt"])


@pipeline
def fixed_length_records(tf: Any) -> Any:
    return tf.data.FixedLengthRecordDataset(["fixed.bin"], 2, 2, 1)


@pipeline
def fixed_length_records_left_over(tf: Any) -> Any:
    return tf.data.FixedLengthRecordDataset(["uneven.bin"], 2, 2, 1)


@pipeline
def csv(tf: Any) -> Any:
    return tf.data.experimental.CsvDataset("rows.csv", [tf.int32, [0.5], [""]], header=True)


@pipeline
def csv_columns(tf: Any) -> Any:
    return tf.data.experimental.CsvDataset("rows.csv", [[0.5]], header=True, select_cols=[1])


@pipeline
def csv_gaps(tf: Any) -> Any:
    return tf.data.experimental.CsvDataset("gaps.csv", [tf.int32, tf.int32])


@pipeline
def csv_batches(tf: Any) -> Any:
    return tf.data.experimental.make_csv_dataset(
        "table.csv", 2, label_name="y", select_columns=["x", "y", "name"], num_epochs=2, shuffle_seed=3
    )


@pipeline
def list_files(tf: Any) -> Any:
    return tf.data.Dataset.list_files("*.csv", shuffle=False).concatenate(tf.data.Dataset.list_files("*.*", seed=3))


@pipeline
def examples(tf: Any) -> Any:
    features = {
        "name": tf.FixedLenFeature([], tf.string, default_value="nobody"),
        "pair": tf.FixedLenFeature([2], tf.float32, default_value=[0.5, 1.5]),
        "some": tf.VarLenFeature(tf.int64),
        "more": tf.FixedLenSequenceFeature([], tf.int64, allow_missing=True),
    }
    return tf.data.experimental.make_batched_features_dataset(
        "*.records", 2, features, label_key="name", num_epochs=2, shuffle_seed=3, shuffle_buffer_size=4
    )
