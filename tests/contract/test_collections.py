"""Contract, section 10: collections, and the functions that turn their items into protos."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.models import copy, linear


@pytest.fixture
def registered(tf: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`register_proto_function`, whose registrations are gone after the test."""
    if tf.__name__ == "regraft.v1":
        from regraft.metagraph import collections

        monkeypatch.setattr(collections, "_registry", dict(collections._registry))
        return collections.register_proto_function
    from tensorflow.python.framework import ops

    monkeypatch.setattr(ops._proto_function_registry, "_registry", dict(ops._proto_function_registry._registry))
    return ops.register_proto_function


def test_functions_that_are_none_are_type_errors(registered: Any) -> None:
    with pytest.raises(TypeError, match="to_proto must be callable"):
        registered("contract", to_proto=5)
    with pytest.raises(TypeError, match="from_proto must be callable"):
        registered("contract", from_proto=5)


def test_second_registration_is_a_key_error(registered: Any) -> None:
    registered("contract", to_proto=str)
    with pytest.raises(KeyError, match="Registering two proto functions with name 'contract'! .Previous registration"):
        registered("contract", to_proto=str)


def test_registered_functions_write_and_read(tf: Any, registered: Any) -> None:
    class Item:
        def __init__(self, text: str) -> None:
            self.text = text

    def to_proto(item: Item, export_scope: str | None = None) -> Any:
        return None if item.text == "hidden" else tf.AttrValue(s=item.text.encode())

    def from_proto(message: Any, import_scope: str | None = None) -> Item:
        return Item(f"{import_scope}:{message.s.decode()}")

    registered("contract", proto_type=tf.AttrValue, to_proto=to_proto, from_proto=from_proto)
    with tf.Graph().as_default():
        tf.constant(1.0, name="c")
        for text in ("one", "hidden", "two"):
            tf.add_to_collection("contract", Item(text))
        message = tf.train.export_meta_graph()
    assert message.collection_def["contract"].WhichOneof("kind") == "bytes_list"
    tf.train.import_meta_graph(message, import_scope="q")
    assert [item.text for item in tf.get_collection("contract")] == ["q:one", "q:two"]


def test_variable_def_has_every_field(tf: Any) -> None:
    for resource in (False, True):
        with tf.Graph().as_default():
            v = tf.Variable([1.0], name="v", use_resource=resource, trainable=False)
            d = v.to_proto()
            assert (d.variable_name, d.is_resource, d.trainable) == ("v:0", resource, False)
            assert d.initializer_name == "v/Assign"
            assert d.snapshot_name == ("v/Read/ReadVariableOp:0" if resource else "v/read:0")
            assert d.initial_value_name == ("v/Initializer/initial_value:0" if resource else "v/initial_value:0")
            assert v.to_proto(export_scope="elsewhere") is None
            again = tf.Variable.from_proto(d) if not resource else type(v).from_proto(d)
            assert again.to_proto() == d
            assert again.initializer is v.initializer


def test_variable_def_of_a_reference_is_no_resource_variable(tf: Any) -> None:
    d = tf.Variable([1.0], name="v").to_proto()
    assert not d.is_resource
    with tf.Graph().as_default(), pytest.raises(KeyError, match="refers to a Tensor which does not exist"):
        tf.Variable.from_proto(d)


def test_cached_resource_variable_comes_back_through_its_snapshot(tf: Any) -> None:
    with tf.Graph().as_default():
        tf.Variable([1.0], name="v", use_resource=True, caching_device="/cpu:0")
        message = tf.train.export_meta_graph()
    tf.train.import_meta_graph(message)
    (v,) = tf.global_variables()
    assert v.value().op.type == "Identity"
    assert v.to_proto().snapshot_name == "v/Read/Identity:0"


def test_slices_come_back(tf: Any) -> None:
    with tf.Graph().as_default():
        tf.get_variable("w", [4, 2], partitioner=tf.fixed_size_partitioner(2))
        message = tf.train.export_meta_graph()
    tf.train.import_meta_graph(copy(message), import_scope="q")
    infos = [v._get_save_slice_info() for v in tf.global_variables()]
    assert [(i.full_name, i.full_shape, i.var_offset, i.var_shape) for i in infos] == [
        ("q/w", [4, 2], [0, 0], [2, 2]),
        ("q/w", [4, 2], [2, 0], [2, 2]),
    ]
    assert [i.spec for i in infos] == ["4 2 0,2:0,2", "4 2 2,2:0,2"]


def test_savers_come_back(tf: Any) -> None:
    with tf.Graph().as_default():
        linear(tf)
        tf.add_to_collection(tf.GraphKeys.SAVERS, tf.train.Saver(max_to_keep=3))
        message = tf.train.export_meta_graph()
    tf.train.import_meta_graph(message, import_scope="q")
    (saver,) = tf.get_collection(tf.GraphKeys.SAVERS)
    assert isinstance(saver, tf.train.Saver)
    assert saver.as_saver_def().restore_op_name == "q/save/restore_all"
    assert saver.as_saver_def().max_to_keep == 3


def test_queue_runners_come_back(tf: Any) -> None:
    with tf.Graph().as_default():
        queue = tf.FIFOQueue(3, tf.float32, name="q")
        enqueue = queue.enqueue(1.0, name="put")
        tf.train.add_queue_runner(tf.train.QueueRunner(queue, [enqueue, enqueue]))
        message = tf.train.export_meta_graph()
    tf.train.import_meta_graph(message, import_scope="s")
    (runner,) = tf.get_collection(tf.GraphKeys.QUEUE_RUNNERS)
    assert runner.queue.name == "s/q"
    assert [op.name for op in runner.enqueue_ops] == ["s/put", "s/put"]


def test_a_conditional_has_two_contexts_and_a_nested_one_is_kept_inside(tf: Any) -> None:
    p = tf.placeholder(tf.bool, [])
    tf.cond(p, lambda: tf.cond(p, lambda: 1.0, lambda: 2.0), lambda: 3.0)
    tf.while_loop(lambda i: i < 3, lambda i: tf.while_loop(lambda j: j < 2, lambda j: j + 1, [i]) + 1, [0])
    assert len(tf.get_collection(tf.GraphKeys.COND_CONTEXT)) == 2
    (loop,) = tf.get_collection(tf.GraphKeys.WHILE_CONTEXT)
    assert len(loop.to_proto().nested_contexts) == 1


# The names of TensorFlow's collections.
KEYS = {
    "GLOBAL_VARIABLES": "variables", "LOCAL_VARIABLES": "local_variables", "METRIC_VARIABLES": "metric_variables",
    "MODEL_VARIABLES": "model_variables", "TRAINABLE_VARIABLES": "trainable_variables", "SUMMARIES": "summaries",
    "QUEUE_RUNNERS": "queue_runners", "TABLE_INITIALIZERS": "table_initializer", "ASSET_FILEPATHS": "asset_filepaths",
    "MOVING_AVERAGE_VARIABLES": "moving_average_variables", "REGULARIZATION_LOSSES": "regularization_losses",
    "CONCATENATED_VARIABLES": "concatenated_variables", "SAVERS": "savers", "WEIGHTS": "weights", "BIASES": "biases",
    "ACTIVATIONS": "activations", "UPDATE_OPS": "update_ops", "LOSSES": "losses", "RESOURCES": "resources",
    "SAVEABLE_OBJECTS": "saveable_objects", "LOCAL_RESOURCES": "local_resources", "INIT_OP": "init_op",
    "TRAINABLE_RESOURCE_VARIABLES": "trainable_resource_variables", "LOCAL_INIT_OP": "local_init_op",
    "READY_OP": "ready_op", "READY_FOR_LOCAL_INIT_OP": "ready_for_local_init_op", "SUMMARY_OP": "summary_op",
    "GLOBAL_STEP": "global_step", "EVAL_STEP": "eval_step", "TRAIN_OP": "train_op", "COND_CONTEXT": "cond_context",
    "WHILE_CONTEXT": "while_context",
}  # fmt: skip


def test_graph_keys(tf: Any) -> None:
    assert {name: getattr(tf.GraphKeys, name) for name in KEYS} == KEYS


# Collections of a graph


def test_collections_keep_order_and_duplicates(tf: Any) -> None:
    graph = tf.get_default_graph()
    for value in (1, 2, 1):
        graph.add_to_collection("k", value)
    assert graph.get_collection("k") == [1, 2, 1]
    assert graph.get_collection("k") is not graph.get_collection("k")
    assert graph.get_collection_ref("k") is graph.get_collection_ref("k")
    graph.add_to_collections(["a", "b", "a"], 3)
    assert (graph.get_collection("a"), graph.get_collection("b")) == ([3], [3])
    graph.add_to_collections("text", 4)
    assert graph.get_collection("text") == [4]
    graph.clear_collection("k")
    assert graph.get_collection("k") == []
    assert sorted(graph.get_all_collection_keys()) == ["a", "b", "text"]


def test_scope_of_a_collection_is_a_pattern(tf: Any) -> None:
    a, b = tf.constant(1, name="one/a"), tf.constant(2, name="two/b")
    for item in (a, b, 7):
        tf.add_to_collection("k", item)
    assert tf.get_collection("k", "one") == [a]
    assert tf.get_collection("k", ".*/b") == [b]
    assert tf.get_collection("k", "") == [a, b]  # what has no name never matches
