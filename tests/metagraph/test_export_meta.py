"""export_meta_graph: what is written, and that TensorFlow takes it back."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from regraft import proto
from regraft.ir.graph import Graph
from regraft.metagraph import (
    copy_scoped_meta_graph,
    export_meta_graph,
    export_scoped_meta_graph,
    import_meta_graph,
    read_meta_graph_file,
    write_meta_graph,
)
from regraft.opkit.builder import Builder
from regraft.variables import make_variable
from tests import oracle


def their_program(tf: Any) -> None:
    """Two scopes, the second with inputs from the first, a loop, and two Savers."""
    tf.placeholder(tf.float32, [2, 3], name="image")
    with tf.device("/job:ps"), tf.name_scope("one"):
        w = tf.Variable(tf.ones([3, 4]), name="w", use_resource=False)
        h = tf.matmul(tf.get_default_graph().get_tensor_by_name("image:0"), w, name="h")
    with tf.name_scope("two"):
        v = tf.Variable(tf.ones([4]), name="v", use_resource=True)
        y = tf.add(h, v, name="y")
        with tf.control_dependencies([w.initializer]), tf.colocate_with(w):
            tf.identity(h, name="z")
        tf.while_loop(lambda i: i < 3.0, lambda i: i + 1.0, [tf.reduce_sum(y)])
    tf.add_to_collection("outputs", y)
    tf.add_to_collection("inputs", "image:0")
    tf.add_to_collection("sizes", 3)


@pytest.fixture(scope="module")
def whole() -> Any:
    """Their graph with two Savers, kept alive for exports of its own."""
    tf = oracle.tensorflow()
    with tf.Graph().as_default() as graph:
        their_program(tf)
        first, second = tf.train.Saver(), tf.train.Saver({"other": graph.get_collection("variables")[0]})
        tf.add_to_collection("savers", first)
        tf.add_to_collection("savers", second)
        return graph, first, second, tf.train.export_meta_graph()


def ours_of(whole: Any) -> Graph:
    graph = Graph()
    import_meta_graph(graph, whole[3])
    graph.get_collection_ref("inputs")[:] = ["image:0"]  # files do not tell text from bytes
    return graph


def assert_same(ours: proto.MetaGraphDef, theirs: Any) -> None:
    theirs = proto.MetaGraphDef.FromString(theirs.SerializeToString())
    assert [n.name for n in ours.graph_def.node] == [n.name for n in theirs.graph_def.node]
    for mine, want in zip(ours.graph_def.node, theirs.graph_def.node, strict=True):
        want.ClearField("experimental_type")
        want.input[:] = [i.removesuffix(":0") for i in want.input]  # TensorFlow's spelling of back edges
        assert mine == want, want.name
    assert ours.graph_def.versions == theirs.graph_def.versions
    assert ours.meta_info_def.stripped_op_list == theirs.meta_info_def.stripped_op_list
    assert ours.saver_def == theirs.saver_def
    assert set(ours.collection_def) == set(theirs.collection_def)
    for key, collection in theirs.collection_def.items():
        if key == "unbound_inputs":  # we list each once, and control inputs as well
            assert set(ours.collection_def[key].bytes_list.value) >= set(collection.bytes_list.value)
        elif key not in ("while_context", "savers"):  # their maps have no order
            assert ours.collection_def[key] == collection, key


def test_all_of_it(whole: Any) -> None:
    tf = oracle.tensorflow()
    assert_same(
        export_meta_graph(graph=ours_of(whole), saver_def=whole[1].saver_def),
        tf.train.export_meta_graph(graph=whole[0], saver_def=whole[1].saver_def),
    )


@pytest.mark.parametrize(
    "options",
    [
        {"export_scope": "one"},
        {"export_scope": "two"},
        {"export_scope": "two", "clear_devices": True},
        {"clear_devices": True},
        {"collection_list": ["sizes", "none"]},
        {"strip_default_attrs": True},
    ],
    ids=str,
)
def test_options(whole: Any, options: dict[str, Any]) -> None:
    tf = oracle.tensorflow()
    theirs = tf.train.export_meta_graph(graph=whole[0], **options)
    assert_same(export_meta_graph(graph=ours_of(whole), **options), theirs)


def test_unbound_inputs(whole: Any) -> None:
    message, variables = export_scoped_meta_graph(graph=ours_of(whole), export_scope="two")
    assert list(variables) == ["v:0"]
    assert sorted(message.collection_def["unbound_inputs"].bytes_list.value) == [
        b"$unbound_inputs_one/h",
        b"^$unbound_inputs_one/w/Assign",
    ]
    z = next(n for n in message.graph_def.node if n.name == "z")
    assert list(z.input)[-1] == "^$unbound_inputs_one/w/Assign"
    graph = Graph()
    h = Builder(graph).constant([[1.0] * 4] * 2, name="h")
    given = {"$unbound_inputs_one/h": h, "^$unbound_inputs_one/w/Assign": h.op}
    imported = import_meta_graph(graph, message, import_scope="new", input_map=given)
    assert imported.variables["v:0"].name == "new/v:0"
    assert graph.get_operation_by_name("new/y").inputs[0] is h


def test_from_a_graph_def(whole: Any) -> None:
    tf = oracle.tensorflow()
    nodes = whole[0].as_graph_def()
    for options in ({}, {"export_scope": "one"}, {"clear_devices": True}):
        assert_same(
            export_meta_graph(graph=ours_of(whole), graph_def=nodes, **options),
            tf.train.export_meta_graph(graph=whole[0], graph_def=nodes, **options),
        )


@pytest.mark.parametrize("kept", [1, 2])
def test_other_savers_are_left_out(whole: Any, kept: int) -> None:
    tf = oracle.tensorflow()
    options = {"clear_extraneous_savers": True, "saver_def": whole[kept].saver_def}
    theirs = tf.train.export_meta_graph(graph=whole[0], **options)
    ours = export_meta_graph(graph=ours_of(whole), **options)
    assert_same(ours, theirs)
    assert list(ours.collection_def["savers"].bytes_list.value) == list(
        theirs.collection_def["savers"].bytes_list.value
    )


def test_tensorflow_reads_what_we_built() -> None:
    graph = Graph()
    b = Builder(graph)
    a = b.op("Placeholder", dtype="float32", shape=[2], name="a")
    w = make_variable(graph, [1.0, 2.0], name="w")
    r = make_variable(graph, lambda: b.zeros([2]), True, name="r", trainable=False)
    y = b.op("Mul", b.op("AddV2", a, w), r, name="y")
    graph.add_to_collection("out", y)
    graph.add_to_collection("names", "n")
    message = export_meta_graph(graph=graph)
    tf = oracle.tensorflow()
    with tf.Graph().as_default() as theirs:
        tf.train.import_meta_graph(tf.MetaGraphDef.FromString(message.SerializeToString()))
        assert [v.name for v in tf.global_variables()] == ["w:0", "r:0"]
        assert [v.name for v in tf.trainable_variables()] == ["w:0"]
        assert tf.get_collection("out")[0].shape == [2]
        with tf.Session(graph=theirs) as sess:
            sess.run([v.initializer for v in tf.global_variables()])
            sess.run(tf.global_variables()[1].assign([10.0, 100.0]))
            assert sess.run("y:0", {"a:0": [1.0, 1.0]}).tolist() == [20.0, 300.0]


def test_collections_that_cannot_be_written(caplog: pytest.LogCaptureFixture) -> None:
    graph = Graph()
    graph.add_to_collection("mixed", 1)
    graph.add_to_collection("mixed", 0.5)
    graph.add_to_collection("object", object())
    graph.add_to_collection("good", "x")
    graph.add_to_collection("empty", "y")
    graph.get_collection_ref("empty").clear()
    with caplog.at_level(logging.WARNING, "regraft"):
        message = export_meta_graph(graph=graph)
        assert list(message.collection_def) == ["good"]
        assert "Issue encountered when serializing mixed" in caplog.text
        assert "Issue encountered when serializing object" in caplog.text
        export_meta_graph(graph=graph, collection_list=[3])
        assert "Only collections with string type keys will be serialized. This key has <class 'int'>" in caplog.text


def test_a_file_written_twice_and_after_a_change(tmp_path: Path) -> None:
    graph = Graph()
    b = Builder(graph)
    make_variable(graph, [1.0], name="v")
    path = str(tmp_path / "new" / "m.meta")
    for _ in range(2):
        write_meta_graph(path, graph, proto.SaverDef(filename_tensor_name="f"))
        assert read_meta_graph_file(path) == export_meta_graph(
            graph=graph, saver_def=proto.SaverDef(filename_tensor_name="f")
        )
    b.constant(1.0, name="more")
    graph.add_to_collection("more", 1)
    write_meta_graph(path, graph, strip_default_attrs=True)
    assert read_meta_graph_file(path) == export_meta_graph(graph=graph, strip_default_attrs=True)


@pytest.mark.parametrize("as_text", [False, True])
def test_files(tmp_path: Path, as_text: bool) -> None:
    graph = Graph()
    Builder(graph).constant([1.0, 2.0], name="c")
    path = tmp_path / "m.meta"
    message = export_meta_graph(str(path), graph=graph, as_text=as_text)
    assert path.read_bytes().startswith(b"meta_info_def") is as_text
    assert read_meta_graph_file(path) == message


def test_what_is_no_message() -> None:
    graph = Graph()
    for name in ("saver_def", "graph_def", "meta_info_def"):
        with pytest.raises(TypeError, match=f"{name} must be of type"):
            export_meta_graph(graph=graph, **{name: "text"})
    with pytest.raises(TypeError, match="graph must be of type Graph"):
        export_meta_graph(graph="g")


def test_meta_info_is_kept_and_stamped() -> None:
    info = proto.MetaGraphDef.MetaInfoDef(meta_graph_version="mine", tags=["t"])
    message = export_meta_graph(graph=Graph(), meta_info_def=info)
    assert message.meta_info_def.meta_graph_version == "mine"
    assert list(message.meta_info_def.tags) == ["t"]
    assert message.meta_info_def.tensorflow_version == info.tensorflow_version != ""


def test_an_unknown_op_goes_out_as_it_came() -> None:
    text = """
        meta_info_def { stripped_op_list { op { name: "Mystery" output_arg { name: "o" type: DT_FLOAT } } } }
        graph_def { node { name: "m" op: "Mystery" attr { key: "_x" value { i: 3 } } } versions { producer: 27 } }
    """
    graph = Graph()
    source = proto.parse_text(text, proto.MetaGraphDef)
    import_meta_graph(graph, source)
    message = export_meta_graph(graph=graph)
    assert message.meta_info_def.stripped_op_list == source.meta_info_def.stripped_op_list
    assert message.graph_def.node[0].attr["_x"].i == 3


def test_copies_of_a_scope() -> None:
    graph = Graph()
    b = Builder(graph)
    with graph.name_scope("one"):
        w = make_variable(graph, [1.0, 2.0], name="w")
        b.op("Relu", w, name="y")
    other = Graph()
    for target in (graph, other):
        copied = copy_scoped_meta_graph("one", "two", graph, target)
        assert [(k, v.name) for k, v in copied.items()] == [("w:0", "two/w:0")]
        assert target.get_operation_by_name("two/y").inputs[0].name == "two/w/read:0"
    with pytest.raises(ValueError, match="'from_scope' and 'to_scope' need to be different"):
        copy_scoped_meta_graph("one", "one", graph, graph)
