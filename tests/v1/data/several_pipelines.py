"""Pipelines whose functions run on several elements at once, which nothing may show. See `pipelines`."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.v1.data.pipelines import pipeline


def _numbers(tf: Any, count: int = 23) -> Any:
    return tf.data.Dataset.range(count)


@pipeline
def batches_of_other_shapes(tf: Any) -> Any:
    def shapes(i: Any) -> Any:
        x = tf.reshape(tf.range(24) + tf.cast(i, tf.int32), [2, 3, 4])
        column = tf.expand_dims(x[:, 0], 1)
        return (
            tf.reshape(x, [-1, 2]),
            tf.expand_dims(x, -1),
            tf.expand_dims(x, 2),
            tf.squeeze(column),
            tf.squeeze(column, [-2]),
            tf.squeeze(tf.reshape(x[0, 0, 0], [1, 1])),
            tf.transpose(x, [2, 0, 1]),
            x[1, ..., tf.newaxis, ::-2],
            x[-1:, 1],
            x[..., 2],
            tf.slice(x, [0, 1, 0], [-1, 2, 3]),
            x[0, 0, 3],
        )

    return _numbers(tf).map(shapes).batch(5)


@pipeline
def batches_of_parts_put_together(tf: Any) -> Any:
    def together(i: Any) -> Any:
        x = tf.stack([i, i * 2])
        return (
            tf.stack([x, x + 1, tf.constant([7, 8], tf.int64)], 1),
            tf.stack([x, -x], -2),
            tf.one_hot(i % 5, 4),
            tf.one_hot(x, 30, 1, -1, axis=0),
            tf.where_v2(x > 9, x, tf.constant(0, tf.int64)),
        )

    return _numbers(tf).map(together).batch(6)


@pipeline
def batches_of_results_that_broadcast(tf: Any) -> Any:
    grid = tf.constant(np.arange(6.0).reshape(2, 3))

    def results(i: Any) -> Any:
        x = tf.cast(i, tf.float64)
        pair = tf.stack([x, -x])
        return x + grid, grid - tf.expand_dims(pair, 1), pair[0] * pair, tf.maximum(pair, 2.0), grid * grid, x > 3.0

    return _numbers(tf).map(results).batch(4, drop_remainder=True)


@pipeline
def batches_of_shapes_that_differ(tf: Any) -> Any:
    def shapes(i: Any) -> Any:
        x = tf.range(i % 4)
        return x * x, tf.reshape(x, [1, -1]) + i, tf.reduce_sum(x)

    return _numbers(tf).map(shapes).padded_batch(4, ([None], [None, None], []))


@pipeline
def batches_of_decoded_strings(tf: Any) -> Any:
    words = [b"abcd", b"efgh", b"ijkl", b"mn", b"op", b"", b"qrst", b"uvwx"]

    def decoded(word: Any) -> Any:
        numbers = tf.decode_raw(word, tf.uint8)
        return numbers, tf.cast(tf.decode_raw(tf.stack([word, word]), tf.int16), tf.float32) / 2.0

    return tf.data.Dataset.from_tensor_slices(words).map(decoded).padded_batch(3, ([None], [2, None]))


@pipeline
def batches_of_examples(tf: Any) -> Any:
    wanted = {
        "name": tf.FixedLenFeature([], tf.string),
        "pair": tf.FixedLenFeature([2], tf.float32, [0.5, 1.5]),
        "odd": tf.FixedLenFeature([1], tf.int64, [7]),
    }
    records = tf.data.TFRecordDataset(["a.records", "b.records"])
    return records.map(lambda record: tf.parse_single_example(record, wanted)).batch(3)


@pipeline
def batches_of_examples_of_any_length(tf: Any) -> Any:
    wanted = {"some": tf.FixedLenSequenceFeature([], tf.int64, allow_missing=True), "more": tf.VarLenFeature(tf.int64)}

    def parsed(record: Any) -> Any:
        features = tf.parse_single_example(record, wanted)
        return features["some"], tf.sparse_tensor_to_dense(features["more"])

    records = tf.data.TFRecordDataset(["a.records", "b.records"])
    return records.map(parsed).padded_batch(3, ([None], [None]))


@pipeline
def batches_with_elements_that_fail(tf: Any) -> Any:
    words = [b"ab", b"cd", b"e", b"fg", b"hi", b"jk", b"l", b"mn", b"op", b"qr", b"st"]

    numbered = tf.data.Dataset.from_tensor_slices(words).map(lambda word: (word, tf.random_uniform([2], seed=3)))
    # TensorFlow makes one dataset of map and batch where they follow each other, which gives up whole batches.
    return numbered.map(lambda word, x: (tf.decode_raw(word, tf.int16), x)).repeat(2).batch(2)


@pipeline
def shuffled_with_elements_that_fail(tf: Any) -> Any:
    words = [b"ab", b"cd", b"ef", b"fg", b"h", b"jk", b"ll", b"mn", b"op", b"qr", b"st"]
    decoded = tf.data.Dataset.from_tensor_slices(words).map(lambda word: tf.decode_raw(word, tf.int16))
    return decoded.shuffle(3, seed=5).batch(2)


@pipeline
def batches_without_elements_that_fail(tf: Any) -> Any:
    words = tf.data.Dataset.from_tensor_slices([b"ab", b"c", b"de", b"fg", b"h", b"ij"])
    return words.map(lambda word: tf.decode_raw(word, tf.int16)).apply(tf.data.experimental.ignore_errors()).batch(2)


@pipeline
def shuffled_batches_of_random_numbers(tf: Any) -> Any:
    def noisy(i: Any) -> Any:
        return (
            i,
            tf.random_uniform([2], seed=7) + tf.cast(i, tf.float32),
            tf.random_uniform([], maxval=100, seed=8, dtype=tf.int32),
        )

    return _numbers(tf).map(noisy).shuffle(6, seed=9).repeat(2).batch(7)


@pipeline
def batches_across_functions(tf: Any) -> Any:
    source = _numbers(tf).map(lambda i: i * 2).map(lambda i: (i, tf.cast(i, tf.float32) / 4.0), num_parallel_calls=2)
    return source.filter(lambda i, x: i % 3 > 0).map(lambda i, x: x + tf.cast(i, tf.float32)).take(9).repeat(2).batch(4)
