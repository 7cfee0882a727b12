"""Programs of tf.feature_column, a row each: `PROGRAMS[name](tf)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest import mock

PROGRAMS: dict[str, Callable[[Any], Any]] = {}


def program(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def built(tf: Any) -> None:
        with mock.patch("uuid.uuid4", return_value="0"):  # tables take names of their own from it
            function(tf)

    PROGRAMS[function.__name__] = built
    return function


def _features(tf: Any) -> dict[str, Any]:
    return {
        "age": tf.placeholder(tf.float32, [None, 1], name="age"),
        "size": tf.placeholder(tf.int32, [None, 2], name="size"),
        "job": tf.placeholder(tf.string, [None], name="job"),
        "tags": tf.sparse_placeholder(tf.string, [None, None], name="tags"),
        "counts": tf.sparse_placeholder(tf.float32, [None, None], name="counts"),
        "id": tf.placeholder(tf.int64, [None, 1], name="id"),
        "code": tf.placeholder(tf.int32, [None, 1], name="code"),
    }


@program
def numbers(tf: Any) -> None:
    fc = tf.feature_column
    age, size = fc.numeric_column("age"), fc.numeric_column("size", shape=[2], dtype=tf.int32)
    log_age = fc.numeric_column("age", normalizer_fn=lambda x: tf.log(x + 1.0))
    buckets = fc.bucketized_column(age, [10, 20, 30.5])
    features = _features(tf)
    fc.input_layer(features, [size, buckets, age])
    fc.input_layer(features, log_age)
    fc.linear_model(features, [age, fc.bucketized_column(size, [1, 2])])
    features["age"] = tf.placeholder(tf.float32, name="any")
    fc.input_layer(features, [age])


@program
def categories(tf: Any) -> None:
    fc = tf.feature_column
    features = _features(tf)
    job = fc.categorical_column_with_vocabulary_list("job", ["cook", "smith"], default_value=0)
    tags = fc.categorical_column_with_hash_bucket("tags", 100)
    columns = [
        fc.indicator_column(job),
        fc.embedding_column(tags, 8),
        fc.embedding_column(fc.categorical_column_with_identity("id", 5, default_value=1), 3, combiner="sum"),
        fc.embedding_column(fc.categorical_column_with_hash_bucket("code", 7, tf.int32), 2, max_norm=1.0),
    ]
    made: dict[Any, Any] = {}
    fc.input_layer(features, columns, cols_to_vars=made)
    assert sorted(v.op.name for vs in made.values() for v in vs) == [
        "input_layer/code_embedding/embedding_weights",
        "input_layer/id_embedding/embedding_weights",
        "input_layer/tags_embedding/embedding_weights",
    ]
    with tf.variable_scope("deep"):
        fc.input_layer(features, [fc.indicator_column(fc.weighted_categorical_column(tags, "counts"))], trainable=False)


@program
def weighted_and_shared(tf: Any) -> None:
    fc = tf.feature_column
    features = _features(tf)
    tags = fc.categorical_column_with_hash_bucket("tags", 100)
    weighted = fc.weighted_categorical_column(tags, "counts")
    fc.input_layer(features, [fc.embedding_column(weighted, 4, initializer=tf.zeros_initializer())])
    left = fc.categorical_column_with_identity("id", 6)
    right = fc.categorical_column_with_identity("code", 6)
    fc.input_layer(features, fc.shared_embedding_columns([left, right], 3))


@program
def crossed(tf: Any) -> None:
    fc = tf.feature_column
    features = _features(tf)
    buckets = fc.bucketized_column(fc.numeric_column("age"), [10, 20])
    cross = fc.crossed_column(["job", buckets], 50)
    fc.input_layer(features, [fc.indicator_column(cross)])
    fc.linear_model(features, [cross, fc.crossed_column(["job", "tags"], 20, hash_key=7)])


@program
def linear(tf: Any) -> None:
    fc = tf.feature_column
    features = _features(tf)
    age = fc.numeric_column("age")
    job = fc.categorical_column_with_vocabulary_list("job", ["cook", "smith"], num_oov_buckets=3)
    tags = fc.weighted_categorical_column(fc.categorical_column_with_hash_bucket("tags", 100), "counts")
    made: dict[Any, Any] = {}
    fc.linear_model(features, [age, job, tags], units=2, cols_to_vars=made)
    assert [v.op.name for v in made["bias"]] == ["linear_model/bias_weights"]
    assert [v.op.name for v in made[job]] == ["linear_model/job/weights"]
    with tf.variable_scope("wide"):
        fc.linear_model(features, [age], sparse_combiner="mean", trainable=False)
    fc.linear_model(features, [age, fc.bucketized_column(age, [1.0])])
    assert len(tf.get_collection(tf.GraphKeys.MODEL_VARIABLES)) == 9


@program
def parsed(tf: Any) -> None:
    fc = tf.feature_column
    age = fc.numeric_column("age", default_value=3.0)
    job = fc.categorical_column_with_vocabulary_list("job", ["cook", "smith"])
    spec = fc.make_parse_example_spec([age, fc.indicator_column(job), fc.crossed_column(["job", "tags"], 20)])
    features = tf.parse_example(tf.placeholder(tf.string, [None], name="serialized"), spec)
    fc.input_layer(features, [age, fc.indicator_column(job)])
