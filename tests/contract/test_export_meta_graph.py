"""Contract, sections 5 and 6: export_meta_graph and the functions behind it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import oracle
from tests.contract.models import copy, linear


@pytest.fixture
def scoped(tf: Any) -> Any:
    """The functions of framework.meta_graph."""
    if tf.__name__ == "regraft.v1":
        from regraft.v1 import _meta_graph

        return _meta_graph
    from tensorflow.python.framework import meta_graph

    return meta_graph


def inputs(message: Any) -> dict[str, list[str]]:
    return {node.name: list(node.input) for node in message.graph_def.node}


def kinds(message: Any) -> dict[str, str]:
    return {key: c.WhichOneof("kind") for key, c in message.collection_def.items()}


# The message


def test_whole_graph_with_shapes(tf: Any) -> None:
    linear(tf)
    message = tf.train.export_meta_graph()
    assert list(inputs(message)) == [op.name for op in tf.get_default_graph().get_operations()]
    assert all("_output_shapes" in node.attr for node in message.graph_def.node if node.op != "NoOp")
    assert not message.HasField("saver_def")  # only Saver.export_meta_graph puts it in


def test_graph_def_is_taken_as_it_is(tf: Any) -> None:
    linear(tf)
    nodes = tf.get_default_graph().as_graph_def()
    message = tf.train.export_meta_graph(graph_def=nodes)
    assert message.graph_def == nodes
    assert not any("_output_shapes" in node.attr for node in message.graph_def.node)


def test_versions_and_tags(tf: Any) -> None:
    linear(tf)
    info = tf.MetaGraphDef.MetaInfoDef(meta_graph_version="mine", tags=["t"], tensorflow_version="0.1")
    message = tf.train.export_meta_graph(meta_info_def=info)
    assert (message.meta_info_def.meta_graph_version, list(message.meta_info_def.tags)) == ("mine", ["t"])
    assert message.meta_info_def.tensorflow_version == info.tensorflow_version != "0.1"  # in the caller's too
    assert message.meta_info_def.tensorflow_git_version


def test_op_list_is_sorted_and_without_docs(tf: Any) -> None:
    linear(tf)
    ops = tf.train.export_meta_graph().meta_info_def.stripped_op_list.op
    assert [op.name for op in ops] == [
        "AddV2", "Assign", "Const", "Identity", "MatMul", "Placeholder", "VariableV2",
    ]  # fmt: skip
    assert not any(op.summary or op.description or any(a.description for a in op.attr) for op in ops)


def test_op_list_follows_called_functions(tf: Any, scoped: Any) -> None:
    message = tf.GraphDef()
    inner = message.library.function.add()
    inner.signature.name = "inner"
    inner.node_def.add(name="s", op="Square")
    inner.node_def.add(name="again", op="outer")
    outer = message.library.function.add()
    outer.signature.name = "outer"
    outer.node_def.add(name="call", op="inner")
    assert [op.name for op in scoped.stripped_op_list_for_graph(message).op] == []
    message.node.add(name="call", op="outer")
    message.node.add(name="c", op="Const")
    assert [op.name for op in scoped.stripped_op_list_for_graph(message).op] == ["Const", "Square"]


def test_op_list_refuses_what_nobody_knows() -> None:
    """As TensorFlow 1.15 does; what is exported from a graph may hold unknown ops all the same."""
    import regraft.v1 as tf
    from regraft.v1 import _meta_graph

    message = tf.GraphDef()
    message.node.add(name="x", op="NoSuchOp")
    with pytest.raises(ValueError, match="Op NoSuchOp is used by the graph, but is not registered"):
        _meta_graph.stripped_op_list_for_graph(message)
    assert list(inputs(_meta_graph.create_meta_graph_def(graph_def=message))) == ["x"]


WRONG: dict[str, str] = {
    "meta_info_def": "meta_info_def must be of type MetaInfoDef",
    "graph_def": "graph_def must be of type GraphDef",
    "saver_def": "saver_def must be of type SaverDef",
}


@pytest.mark.parametrize("argument", WRONG)
def test_message_of_another_type_is_a_type_error(tf: Any, argument: str) -> None:
    for value in (5, tf.MetaGraphDef()):
        with pytest.raises(TypeError, match=WRONG[argument]):
            tf.train.export_meta_graph(**{argument: value})


def test_what_is_no_graph_is_a_type_error(tf: Any, scoped: Any) -> None:
    with pytest.raises(TypeError, match="graph must be of type Graph"):
        scoped.create_meta_graph_def(graph=5)
    with pytest.raises(TypeError, match="graph must be of type Graph"):
        scoped.add_collection_def(tf.MetaGraphDef(), "k", graph=5)


def test_strip_default_attrs(tf: Any) -> None:
    for dtype in (tf.float32, tf.float64):
        tf.complex(tf.constant(1.0, dtype), tf.constant(2.0, dtype), name=f"c{dtype.name}")
    message = tf.train.export_meta_graph(strip_default_attrs=True)
    left = {n.name: sorted(a for a in n.attr if a != "_output_shapes") for n in message.graph_def.node}
    assert (left["cfloat32"], left["cfloat64"]) == ([], ["T", "Tout"])
    assert message.meta_info_def.stripped_default_attrs
    assert not tf.train.export_meta_graph().meta_info_def.stripped_default_attrs


def test_strip_default_attrs_leaves_unregistered_ops_alone(tf: Any, scoped: Any) -> None:
    message = tf.MetaGraphDef()
    node = message.graph_def.node.add(name="x", op="NoSuchOp")
    node.attr["T"].i = 3
    scoped.strip_graph_default_valued_attrs(message)
    assert message.graph_def.node[0].attr["T"].i == 3
    assert message.meta_info_def.stripped_default_attrs


# Scopes


def nested(tf: Any) -> None:
    with tf.name_scope("h1"):
        a = tf.constant(1.0, name="a")
        with tf.name_scope("h2"):
            b = tf.add(a, 1.0, name="b")
    with tf.name_scope("h3"):
        c = tf.add(b, a, name="c")
    with tf.control_dependencies([c]), tf.colocate_with(a), tf.name_scope("h1/"):
        tf.add(a, a, name="d")
    with tf.colocate_with(c), tf.name_scope("h1/"):
        tf.add(c, c, name="e")


def test_scope_is_stripped_and_outside_inputs_are_renamed(tf: Any) -> None:
    nested(tf)
    message = tf.train.export_meta_graph(export_scope="h1")
    found = inputs(message)
    assert found["d"] == ["a", "a", "^$unbound_inputs_h3/c"]
    assert found["e"] == ["$unbound_inputs_h3/c", "$unbound_inputs_h3/c"]
    assert found["h2/b"] == ["a", "h2/b/y"]
    assert b"$unbound_inputs_h3/c" in message.collection_def["unbound_inputs"].bytes_list.value
    assert set(tf.get_collection("unbound_inputs")) == {"$unbound_inputs_h3/c", "^$unbound_inputs_h3/c"}


def test_groups_outside_the_scope_are_dropped(tf: Any) -> None:
    nested(tf)
    nodes = tf.train.export_meta_graph(export_scope="h1").graph_def.node
    groups = {n.name: list(n.attr["_class"].list.s) for n in nodes if "_class" in n.attr}
    assert groups == {"d": [b"loc:@a"], "e": []}


def test_scope_is_a_plain_prefix(tf: Any) -> None:
    for scope in ("h1", "h10", "x"):
        with tf.name_scope(scope):
            tf.constant(1.0, name="a")
    assert list(inputs(tf.train.export_meta_graph(export_scope="h1"))) == ["a", "h10/a"]


def test_name_of_the_collection_of_unbound_inputs(tf: Any) -> None:
    nested(tf)
    message = tf.train.export_meta_graph(export_scope="h3", unbound_inputs_col_name="mine")
    assert list(message.collection_def) == ["mine"]
    tf.get_default_graph().clear_collection("mine")
    assert not tf.train.export_meta_graph(export_scope="h3", unbound_inputs_col_name=None).collection_def


def test_items_outside_the_scope_are_left_out(tf: Any, scoped: Any) -> None:
    z = linear(tf)
    tf.add_to_collection("nodes", z)
    tf.add_to_collection("nodes", tf.get_default_graph().get_tensor_by_name("s/y:0"))
    tf.add_to_collection("numbers", 7)
    message, variables = scoped.export_scoped_meta_graph(export_scope="s")
    assert list(message.collection_def["nodes"].node_list.value) == ["y:0"]
    assert list(message.collection_def["numbers"].int64_list.value) == [7]  # what has no name stays
    assert list(variables) == ["w:0"]
    assert list(scoped.export_scoped_meta_graph(export_scope="h")[0].collection_def) == ["numbers"]


def test_frame_names_are_stripped(tf: Any) -> None:
    with tf.name_scope("s"):
        tf.while_loop(lambda i: i < 3, lambda i: i + 1, [0], name="loop")
    nodes = tf.train.export_meta_graph(export_scope="s").graph_def.node
    assert {n.attr["frame_name"].s for n in nodes if n.op == "Enter"} == {b"loop/while_context"}


def test_scope_of_a_graph_def(tf: Any) -> None:
    linear(tf)
    nodes = tf.get_default_graph().as_graph_def()
    message = tf.train.export_meta_graph(graph_def=nodes, export_scope="s")
    assert list(inputs(message)) == ["x", "w/initial_value", "w", "w/Assign", "w/read", "y"]
    assert message.graph_def.versions == nodes.versions
    assert not any("_output_shapes" in n.attr for n in message.graph_def.node)


def test_clear_devices(tf: Any) -> None:
    linear(tf)
    for options in ({}, {"graph_def": tf.get_default_graph().as_graph_def()}):
        message = tf.train.export_meta_graph(clear_devices=True, **options)
        assert {n.device for n in message.graph_def.node} == {""}
    assert tf.get_default_graph().get_operation_by_name("s/y").device == "/device:CPU:0"


def test_clear_extraneous_savers(tf: Any) -> None:
    linear(tf)
    first, second = tf.train.Saver(), tf.train.Saver()
    for saver in (first, second):
        tf.add_to_collection(tf.GraphKeys.SAVERS, saver)
    every = tf.train.export_meta_graph()
    assert len(every.collection_def["savers"].bytes_list.value) == 2
    message = tf.train.export_meta_graph(clear_extraneous_savers=True, saver_def=first.as_saver_def())
    assert len(message.collection_def["savers"].bytes_list.value) == 1
    assert len(every.graph_def.node) - len(message.graph_def.node) == 12  # a Saver of one variable
    assert not any(name.startswith("save_1/") for name in inputs(message))
    assert "save/restore_all" in inputs(message)


def test_saver_export(tf: Any) -> None:
    linear(tf)
    message = tf.train.Saver().export_meta_graph()
    assert message.saver_def.restore_op_name == "save/restore_all"
    assert "_output_shapes" in message.graph_def.node[0].attr


def test_unknown_keyword_is_a_type_error(tf: Any) -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'nonsense'"):
        tf.train.export_meta_graph(nonsense=1)


# Collections


def test_kinds_of_collections(tf: Any) -> None:
    z = linear(tf)
    values = {"ints": 3, "floats": 2.5, "texts": "a", "raw": b"\xff\x00", "tensors": z, "ops": z.op}
    for key, value in values.items():
        tf.add_to_collection(key, value)
    message = tf.train.export_meta_graph()
    wanted = ["int64_list", "float_list", "bytes_list", "bytes_list", "node_list", "node_list"]
    assert [kinds(message)[key] for key in values] == wanted
    assert kinds(message)["variables"] == "bytes_list"
    assert list(message.collection_def["tensors"].node_list.value) == ["z:0"]
    assert list(message.collection_def["raw"].bytes_list.value) == [b"\xff\x00"]


UNWRITABLE: dict[str, list[Any]] = {
    "ints and floats": [1, 2.5],
    "text and ints": ["a", 1],
    "None": [None],
    "any object": [object()],
}


@pytest.mark.parametrize("items", UNWRITABLE.values(), ids=UNWRITABLE.keys())
@pytest.mark.filterwarnings("ignore")
def test_collection_that_cannot_be_written_is_left_out(tf: Any, items: list[Any]) -> None:
    for item in items:
        tf.add_to_collection("odd", item)
    tf.add_to_collection("fine", 1)
    assert list(tf.train.export_meta_graph().collection_def) == ["fine"]


def test_key_that_is_no_string_is_left_out(tf: Any) -> None:
    for key in (("a", "tuple"), 7):
        tf.add_to_collection(key, 1)
    assert not tf.train.export_meta_graph().collection_def
    assert not tf.train.export_meta_graph(collection_list=[7]).collection_def


def test_empty_collection_is_not_written(tf: Any) -> None:
    tf.get_collection_ref("empty")
    assert not tf.train.export_meta_graph().collection_def


def test_only_the_listed_collections(tf: Any) -> None:
    linear(tf)
    tf.add_to_collection("k", 1)
    assert list(tf.train.export_meta_graph(collection_list=["k", "none"]).collection_def) == ["k"]
    assert not tf.train.export_meta_graph(collection_list=[]).collection_def


def test_items_for_a_collection_in_place_of_the_graphs(tf: Any, scoped: Any) -> None:
    message = tf.MetaGraphDef()
    scoped.add_collection_def(message, "k", override_contents=["a"])
    assert list(message.collection_def["k"].bytes_list.value) == [b"a"]


# Files


def test_file_is_written_and_its_folder_made(tf: Any, tmp_path: Path) -> None:
    linear(tf)
    message = tf.train.export_meta_graph(str(tmp_path / "new" / "m.meta"))
    assert type(message).FromString((tmp_path / "new" / "m.meta").read_bytes()) == message
    assert os.listdir(tmp_path / "new") == ["m.meta"]


def test_write_graph_returns_its_path(tf: Any, tmp_path: Path) -> None:
    linear(tf)
    graph = tf.get_default_graph()
    for index, what in enumerate((graph.as_graph_def(), graph)):
        path = tf.train.write_graph(what, str(tmp_path / "a" / "b"), f"{index}.pbtxt")
        assert path == str(tmp_path / "a" / "b" / f"{index}.pbtxt")
        assert (tmp_path / "a" / "b" / f"{index}.pbtxt").read_text().startswith("node {")
    tf.train.write_graph(graph.as_graph_def(), str(tmp_path), "g.pb", as_text=False)
    assert tf.GraphDef.FromString((tmp_path / "g.pb").read_bytes()) == graph.as_graph_def()


@pytest.mark.skipif(not oracle.available(), reason="TensorFlow is not installed")
@pytest.mark.filterwarnings("ignore")
def test_debug_info(tf: Any, tmp_path: Path) -> None:
    from tensorflow.core.framework.graph_debug_info_pb2 import GraphDebugInfo

    linear(tf)
    tf.train.export_meta_graph(str(tmp_path / "m.meta"), save_debug_info=True)
    assert sorted(os.listdir(tmp_path)) == ["m.debug", "m.meta"]
    info = GraphDebugInfo.FromString((tmp_path / "m.debug").read_bytes())
    assert {f"{op.name}@" for op in tf.get_default_graph().get_operations()} <= set(info.name_to_trace_id)
    trace = info.traces_by_id[info.name_to_trace_id["s/y@"]]
    frames = [info.frames_by_id[number] for number in trace.frame_id]
    assert ("linear", "models.py") in {(f.func, os.path.basename(info.files[f.file_index])) for f in frames}


def test_debug_info_beside_a_checkpoint(tf: Any, tmp_path: Path) -> None:
    tf.Variable(1.0, name="v")
    with tf.Session() as sess:
        sess.run("v/Assign")
        tf.train.Saver().save(sess, str(tmp_path / "m"), save_debug_info=True)
    assert "m.debug" in os.listdir(tmp_path)


# Round trips


ROUND_TRIPS: dict[str, Callable[[Any], Any]] = {
    "reference variables": lambda tf: linear(tf),
    "resource variables": lambda tf: linear(tf, resource=True),
    "a loop": lambda tf: tf.while_loop(lambda i: i < 3, lambda i: i + 1, [0]),
    "a conditional": lambda tf: tf.cond(tf.placeholder(tf.bool, []), lambda: 1.0, lambda: 2.0),
    "parts of a variable": lambda tf: tf.get_variable("w", [4, 2], partitioner=tf.fixed_size_partitioner(2)),
}


@pytest.mark.parametrize("program", ROUND_TRIPS.values(), ids=ROUND_TRIPS.keys())
def test_export_import_export_is_the_same(tf: Any, program: Callable[[Any], Any]) -> None:
    """Attributes are told apart by their text, so that the order of map entries does not count."""
    program(tf)
    first = tf.train.export_meta_graph()
    with tf.Graph().as_default():
        tf.train.import_meta_graph(copy(first))
        if not first.collection_def["variables"].bytes_list.value:
            first.collection_def.pop("variables")
        saver_free = [n for n in tf.train.export_meta_graph().graph_def.node if not n.name.startswith("save/")]
    plain = tf.GraphDef(node=saver_free)
    assert [n.name for n in plain.node] == [n.name for n in first.graph_def.node]
    for ours, theirs in zip(plain.node, first.graph_def.node, strict=True):
        assert [i.removesuffix(":0") for i in ours.input] == [i.removesuffix(":0") for i in theirs.input]
        assert {k: str(v) for k, v in ours.attr.items() if k != "_has_manual_control_dependencies"} == {
            k: str(v) for k, v in theirs.attr.items() if k != "_has_manual_control_dependencies"
        }
