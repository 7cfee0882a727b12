"""import_meta_graph: files, scopes, collections and what they name."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from regraft import proto
from regraft.ir.graph import Graph
from regraft.ir.node import Operation, Tensor
from regraft.metagraph import import_meta_graph, read_meta_graph_file, register_proto_function, write_graph
from regraft.metagraph.collections import get_collection_proto_type, get_from_proto_function
from regraft.opkit.builder import Builder
from regraft.variables import RefVariable, ResourceVariable
from tests import oracle
from tests.metagraph.messages import relu, x


@pytest.fixture(scope="module")
def theirs() -> proto.MetaGraphDef:
    """A MetaGraph that TensorFlow wrote: two kinds of variables, a loop, a conditional, collections of each kind."""
    tf = oracle.tensorflow()
    with tf.Graph().as_default():
        a = tf.placeholder(tf.float32, [], name="a")
        w = tf.Variable(2.0, name="w", use_resource=False)
        r = tf.Variable(3.0, name="r", use_resource=True, trainable=False)
        loop = tf.while_loop(lambda i: i < 3.0, lambda i: i + w, [tf.constant(0.0)])
        chosen = tf.cond(a > 0.0, lambda: a + 1.0, lambda: r + 0.0)
        tf.add_to_collection("tensors", loop)
        tf.add_to_collection("tensors", chosen)
        tf.add_to_collection("ops", w.initializer)
        tf.add_to_collection("ints", 7)
        tf.add_to_collection("floats", 0.5)
        tf.add_to_collection("texts", "hello")
        tf.add_to_collection("model_variables", w)
        message = tf.train.Saver().export_meta_graph()
    return proto.MetaGraphDef.FromString(message.SerializeToString())


def test_collections(theirs: proto.MetaGraphDef) -> None:
    graph = Graph()
    imported = import_meta_graph(graph, theirs)
    w, r = graph.get_collection("variables")
    assert isinstance(w, RefVariable)
    assert isinstance(r, ResourceVariable)
    assert imported.variables == {"w:0": w, "r:0": r}
    assert graph.get_collection("trainable_variables") == [w]
    assert graph.get_collection("model_variables") == [w]
    assert graph.get_collection("model_variables")[0] is w
    assert [type(t) for t in graph.get_collection("tensors")] == [Tensor, Tensor]
    assert isinstance(graph.get_collection("ops")[0], Operation)
    assert graph.get_collection("ops")[0] is w.initializer
    assert graph.get_collection("ints") == [7]
    assert graph.get_collection("floats") == [0.5]
    assert graph.get_collection("texts") == [b"hello"]
    assert (w.trainable, r.trainable) == (True, False)
    assert w.value().name == "w/read:0"
    assert r._as_graph_element().name == "r/Read/ReadVariableOp:0"
    assert str(w.initial_value.name) == "w/initial_value:0"
    assert {c.name for c in graph.get_collection("cond_context")} == {"cond/cond_text", "cond/cond_text_1"}


def test_scope(theirs: proto.MetaGraphDef) -> None:
    graph = Graph()
    first = import_meta_graph(graph, theirs, import_scope="s")
    second = import_meta_graph(graph, theirs, import_scope="s")
    assert (first.scope, second.scope) == ("s", "s_1")
    assert sorted(first.variables) == sorted(second.variables) == ["r:0", "w:0"]
    assert second.variables["w:0"].name == "s_1/w:0"
    assert second.variables["w:0"].value().name == "s_1/w/read:0"
    assert graph.get_collection("texts") == ["s/hello", "s_1/hello"]
    assert second.new_name("save/Const:0") == "s_1/save/Const:0"
    frames = {op.attrs["frame_name"] for op in graph.get_operations() if op.type == "Enter"}
    assert frames == {b"s/while/while_context", b"s_1/while/while_context"}
    assert [c.name for c in graph.get_collection("while_context")] == [
        "s/while/while_context",
        "s_1/while/while_context",
    ]


def test_inside_a_name_scope(theirs: proto.MetaGraphDef) -> None:
    graph = Graph()
    with graph.name_scope("outer"):
        assert import_meta_graph(graph, theirs).variables["w:0"].name == "outer/w:0"
        assert import_meta_graph(graph, theirs, import_scope="in").variables["w:0"].name == "outer/in/w:0"


def test_a_second_import_at_the_root_has_variables_of_its_own(theirs: proto.MetaGraphDef) -> None:
    graph = Graph()
    import_meta_graph(graph, theirs)
    second = import_meta_graph(graph, theirs)
    assert [v.name for v in graph.get_collection("variables")] == ["w:0", "r:0", "w_1:0", "r_1:0"]
    assert second.new_name("save/restore_all") == "save/restore_all_1"
    assert graph.get_collection("variables")[2].initializer.inputs[0].name == "w_1:0"


def test_the_message_may_be_tensorflows(theirs: proto.MetaGraphDef) -> None:
    tf = oracle.tensorflow()
    graph = Graph()
    import_meta_graph(graph, tf.MetaGraphDef.FromString(theirs.SerializeToString()))
    assert "w" in graph


def test_only_some_collections(theirs: proto.MetaGraphDef) -> None:
    graph = Graph()
    import_meta_graph(graph, theirs, restore_collections_predicate=lambda key: key == "ints")
    assert graph.get_all_collection_keys() == ["ints"]


def test_elements_and_devices(theirs: proto.MetaGraphDef) -> None:
    graph = Graph()
    found = import_meta_graph(graph, theirs, clear_devices=True, return_elements=["w:0"])
    assert found.elements == [graph.get_tensor_by_name("w:0")]
    assert {op.device for op in graph.get_operations()} == {""}
    placed = Graph()
    import_meta_graph(placed, theirs)
    assert placed.get_operation_by_name("save/RestoreV2").device == "/device:CPU:0"


def meta(text: str, *nodes: str) -> proto.MetaGraphDef:
    body = "".join(f"node {{ {n} }}" for n in nodes)
    return proto.parse_text(f"graph_def {{ {body} versions {{ producer: 27 }} }} {text}", proto.MetaGraphDef)


def collection(key: str, kind: str) -> str:
    return f'collection_def {{ key: "{key}" value {{ {kind} }} }} '


def test_names_of_nodes_that_are_not_there_are_left_out(caplog: pytest.LogCaptureFixture) -> None:
    message = meta(collection("c", 'node_list { value: "a" value: "gone" value: "b:0" value: "a:3" }'), x("a"), x("b"))
    graph = Graph()
    with caplog.at_level(logging.WARNING, "regraft"):
        import_meta_graph(graph, message)
    assert [item.name for item in graph.get_collection("c")] == ["a", "b:0"]
    assert "Collection c: The name 'gone' refers to an Operation not in the graph." in caplog.text
    assert "a:3" in caplog.text


def test_variables_whose_nodes_are_not_there_are_left_out(caplog: pytest.LogCaptureFixture) -> None:
    lost = proto.VariableDef(variable_name="v:0", initializer_name="v/Assign", snapshot_name="v/read:0")
    message = meta("", x("a"))
    message.collection_def["variables"].bytes_list.value.extend([lost.SerializeToString(), b"\xff\xff"])
    graph = Graph()
    import_meta_graph(graph, message)
    assert graph.get_collection("variables") == []
    assert "v:0" in caplog.text
    assert "no VariableDef" in caplog.text


@pytest.mark.parametrize(
    ("version", "trainable"), [("1.8.0", True), ("0.12.head", True), ("1.15.0", False), ("", False), ("odd", False)]
)
def test_older_files_do_not_say_what_is_trainable(version: str, trainable: bool) -> None:
    text = collection("variables", "bytes_list { }") + f'meta_info_def {{ tensorflow_version: "{version}" }}'
    message = meta(text, x("v"), relu("v/read", "v"), x("v/Assign"))
    data = proto.VariableDef(variable_name="v:0", initializer_name="v/Assign", snapshot_name="v/read:0")
    for key in ("variables", "trainable_variables"):
        message.collection_def[key].bytes_list.value.append(data.SerializeToString())
    graph = Graph()
    import_meta_graph(graph, message)
    assert graph.get_collection("trainable_variables")[0].trainable is trainable
    assert graph.get_collection("variables")[0] is graph.get_collection("trainable_variables")[0]


def test_strings_that_are_no_text_keep_their_bytes_under_a_scope() -> None:
    message = meta(collection("c", r'bytes_list { value: "\377" value: "t" }'), x("a"))
    graph = Graph()
    import_meta_graph(graph, message, import_scope="s")
    assert graph.get_collection("c") == [b"\xff", "s/t"]


def test_odd_collections(caplog: pytest.LogCaptureFixture) -> None:
    text = collection("nothing", "") + collection("local_variables", 'node_list { value: "a:0" }')
    text += collection("any", 'any_list { value { type_url: "nobody/knows" value: "x" } }')
    graph = Graph()
    import_meta_graph(graph, meta(text, x("a")), import_scope="s")
    assert graph.get_collection("local_variables") == [graph.get_tensor_by_name("s/a:0")]
    assert graph.get_collection("any")[0].type_url == "nobody/knows"
    assert "Cannot identify data type for collection nothing. Skipping." in caplog.text
    assert "'local_variables' collection should be of type 'byte_list'" in caplog.text


UNBOUND = collection("unbound_inputs", 'bytes_list { value: "$u_a" value: "$u_a" value: "$u_b" }')


def test_unbound_inputs() -> None:
    message = meta(UNBOUND, relu("r", "$u_a"), relu("s", "$u_b"))
    for given in ({}, {"$u_a": 1.0}, {"$u_a:0": 1.0, "$u_b": 1.0}):
        with pytest.raises(ValueError, match=r"Graph contains unbound inputs: \$u_.*Must provide these inputs through"):
            import_meta_graph(Graph(), message, import_scope="s", input_map=given)
    graph = Graph()
    one = Builder(graph).constant(1.0)
    import_meta_graph(graph, message, input_map={"$u_a": one, "$u_b": one})
    assert graph.get_operation_by_name("r").inputs[0] is one
    assert graph.get_collection("unbound_inputs") == []
    with pytest.raises(ValueError, match="Unknown input node"):
        import_meta_graph(Graph(), message, unbound_inputs_col_name=None)


def test_files(theirs: proto.MetaGraphDef, tmp_path: Path) -> None:
    binary = write_graph(theirs, tmp_path / "new" / "folder", "m.meta", as_text=False)
    text = write_graph(theirs, str(tmp_path), "m.txt")
    for path in (binary, text, Path(text), f"file://{binary}"):
        assert read_meta_graph_file(path) == theirs
    graph = Graph()
    assert "w:0" in import_meta_graph(graph, text).variables


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"a": 1}', "Cannot parse file .*JSON"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "Cannot parse file .*Git LFS"),
        (b"\xff\xfe\xfd", "Cannot parse file"),
        (b"graph_def { nope: 1 }", "Cannot parse file"),
    ],
)
def test_files_that_are_none(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "bad.meta"
    path.write_bytes(content)
    with pytest.raises(OSError, match=words):
        read_meta_graph_file(path)


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="does not exist"):
        read_meta_graph_file(tmp_path / "none.meta")
    with pytest.raises(OSError, match="Cannot parse file"):
        read_meta_graph_file(tmp_path)


def test_registered_protos() -> None:
    def from_proto(message: Any, import_scope: str | None = None) -> Any:
        return (message.name, import_scope)

    register_proto_function("tests/nodes", proto.NodeDef, None, from_proto, registered="here")
    assert get_collection_proto_type("tests/nodes") is proto.NodeDef
    assert get_from_proto_function("tests/nodes") is from_proto
    assert get_from_proto_function("tests/other") is None
    with pytest.raises(KeyError, match="Registering two proto functions with name 'tests/nodes'!.*here"):
        register_proto_function("tests/nodes", proto.NodeDef)
    with pytest.raises(TypeError, match="to_proto must be callable"):
        register_proto_function("tests/third", to_proto=3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="from_proto must be callable"):
        register_proto_function("tests/third", from_proto=3)  # type: ignore[arg-type]
    message = meta("", x("a"))
    message.collection_def["tests/nodes"].bytes_list.value.append(proto.NodeDef(name="n").SerializeToString())
    graph = Graph()
    import_meta_graph(graph, message, import_scope="s")
    assert graph.get_collection("tests/nodes") == [("n", "s")]
