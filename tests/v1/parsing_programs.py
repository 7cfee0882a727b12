"""Programs that read Examples, CSV and strings, a row each: `PROGRAMS[name](tf)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

PROGRAMS: dict[str, Callable[[Any], Any]] = {}


def program(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    PROGRAMS[function.__name__] = function
    return function


def features(tf: Any) -> dict[str, Any]:
    return {
        "label": tf.FixedLenFeature([], tf.int64),
        "image/raw": tf.FixedLenFeature([2, 3], tf.float32, default_value=[[0.0] * 3, [1.0] * 3]),
        "text": tf.FixedLenFeature([], tf.string, default_value=""),
        "tags": tf.VarLenFeature(tf.string),
        "steps": tf.FixedLenSequenceFeature([4], tf.float32, allow_missing=True),
        "more": tf.FixedLenSequenceFeature([], tf.int64, allow_missing=True, default_value=-1),
    }


@program
def examples(tf: Any) -> None:
    serialized = tf.placeholder(tf.string, [None], name="serialized")
    tf.parse_example(serialized, features(tf))
    tf.io.parse_example(serialized, {"a": tf.io.VarLenFeature(tf.int64)}, name="mine", example_names=["x"])
    sparse = tf.SparseFeature("at", "value", tf.float32, size=10)
    tf.parse_example(serialized, {"s": sparse, "value": tf.VarLenFeature(tf.float32)})
    tf.parse_example(serialized, {"s": tf.SparseFeature(["a", "b"], "c", tf.int64, [3, 4], True)})


@program
def single_examples(tf: Any) -> None:
    tf.parse_single_example(tf.placeholder(tf.string, []), features(tf))
    tf.parse_single_example(tf.placeholder(tf.string), {"a": tf.FixedLenFeature([3], tf.int64)}, name="mine")


@program
def sequence_examples(tf: Any) -> None:
    context = {"length": tf.FixedLenFeature([], tf.int64), "tags": tf.VarLenFeature(tf.string)}
    lists = {
        "tokens": tf.FixedLenSequenceFeature([], tf.int64),
        "vectors": tf.FixedLenSequenceFeature([3], tf.float32, allow_missing=True),
        "words": tf.VarLenFeature(tf.string),
    }
    tf.parse_single_sequence_example(tf.placeholder(tf.string, []), context, lists)
    tf.parse_single_sequence_example(tf.placeholder(tf.string), sequence_features=lists, name="mine")
    tf.io.parse_sequence_example(tf.placeholder(tf.string, [None]), context, lists)


@program
def lines_and_bytes(tf: Any) -> None:
    line = tf.placeholder(tf.string, [None])
    tf.decode_csv(line, [[0], [0.0], [""], tf.constant([], tf.int64)])
    tf.decode_csv(line, [[0], [""]], field_delim=";", na_value="NA", select_cols=[1, 3], name="mine")
    tf.decode_raw(line, tf.uint8)
    tf.io.decode_raw(line, tf.float32, little_endian=False, name="raw")
    tf.decode_base64(line)
    tf.encode_base64(line, pad=True)
    tf.parse_tensor(tf.placeholder(tf.string, []), tf.float32)
    tf.serialize_tensor(tf.ones([2]))
    tf.decode_json_example(line)


@program
def strings(tf: Any) -> None:
    x = tf.placeholder(tf.string, [None], name="x")
    tf.string_split(x)
    tf.string_split(x, ",", skip_empty=False)
    tf.string_split(source=x, delimiter="|", name="mine")
    tf.strings.split(x, ",", 2)
    tf.strings.split("a b")
    tf.string_join([x, "b", x], "-")
    tf.strings.join([x, x], name="joined")
    tf.reduce_join(x)
    tf.reduce_join(tf.placeholder(tf.string, [2, 3]), [0, 1], keep_dims=True, separator=",", name="all")
    tf.reduce_join(tf.placeholder(tf.string))
    tf.regex_replace(x, "a+", "b")
    tf.strings.regex_replace(x, tf.constant("a"), "b", replace_global=False)
    tf.strings.regex_full_match(x, "a.*")
    tf.strings.regex_full_match(x, tf.constant("a.*"), name="whole")
    tf.substr(x, 1, 2)
    tf.strings.substr(x, [0], [3], unit="UTF8_CHAR")
    tf.strings.length(x)
    tf.strings.lower(x)
    tf.strings.upper(x, encoding="utf-8")
    tf.strings.strip(x)
    tf.as_string(tf.constant([1.5]), precision=2)
    tf.string_to_number(x)
    tf.string_to_number(x, tf.int64, name="numbers")
    tf.strings.to_number(input=x)
    tf.string_to_hash_bucket(x, 10)
    tf.string_to_hash_bucket_fast(x, 10)
    tf.string_to_hash_bucket_strong(x, 10, [1, 2])
    tf.strings.to_hash_bucket(x, num_buckets=7)
    tf.strings.to_hash_bucket_fast(x, 7, name="fast")
    tf.strings.format("a {} b {}", (x, tf.constant(1)))


@program
def embeddings(tf: Any) -> None:
    w = tf.get_variable("w", [20, 4])
    r = tf.get_variable("r", [20, 4], use_resource=True)
    two = tf.get_variable("two", [20, 4], partitioner=tf.fixed_size_partitioner(2))
    ids = tf.sparse_placeholder(tf.int64, [None, None], name="ids")
    weights = tf.SparseTensor(ids.indices, tf.placeholder(tf.float32, [None]), ids.dense_shape)
    out = [
        tf.nn.embedding_lookup_sparse(w, ids, None),
        tf.nn.embedding_lookup_sparse(r, ids, None, combiner="sqrtn", name="mine"),
        tf.nn.embedding_lookup_sparse(w, ids, weights, combiner="sum"),
        tf.nn.embedding_lookup_sparse(r, ids, weights),
        tf.nn.embedding_lookup_sparse(w, ids, weights, combiner="sqrtn", max_norm=1.0),
        tf.nn.embedding_lookup_sparse(two, ids, None, partition_strategy="div"),
        tf.nn.embedding_lookup_sparse(w, ids, None, max_norm=1.0),
    ]
    tf.gradients(out, [w, r])


@program
def safe_embeddings(tf: Any) -> None:
    w = tf.get_variable("w", [20, 4])
    two = tf.get_variable("two", [20, 4], partitioner=tf.fixed_size_partitioner(2))
    ids = tf.sparse_placeholder(tf.int64, [None, None], name="ids")
    weights = tf.SparseTensor(ids.indices, tf.placeholder(tf.float32, [None]), ids.dense_shape)
    tf.nn.safe_embedding_lookup_sparse(w, ids)
    tf.nn.safe_embedding_lookup_sparse(two, ids, weights, combiner="sum", default_id=3, name="mine")
    tf.nn.safe_embedding_lookup_sparse([w], tf.sparse_placeholder(tf.int64), combiner="sqrtn")


@program
def ctc(tf: Any) -> None:
    logits = tf.placeholder(tf.float32, [None, 2, 5], name="logits")
    labels = tf.sparse_placeholder(tf.int32, [2, None], name="labels")
    lengths = tf.placeholder(tf.int32, [2], name="lengths")
    loss = tf.nn.ctc_loss(labels, logits, lengths)
    tf.nn.ctc_loss(labels, tf.ones([2, 3, 5]), lengths, time_major=False, ctc_merge_repeated=False)
    tf.nn.ctc_loss_v2(labels, logits, None, lengths, blank_index=0)
    decoded, _ = tf.nn.ctc_greedy_decoder(logits, lengths)
    paths, _ = tf.nn.ctc_beam_search_decoder(logits, lengths, beam_width=10, top_paths=2)
    tf.nn.ctc_beam_search_decoder_v2(logits, lengths)
    truth = tf.cast(labels, tf.int64)
    tf.edit_distance(decoded[0], truth)
    tf.edit_distance(paths[1], truth, normalize=False, name="mine")
    tf.nn.collapse_repeated(tf.placeholder(tf.int32, [None, 6]), lengths)
    tf.gradients(loss, logits)
