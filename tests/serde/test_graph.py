"""GraphDef to Graph and back: what is read at once, what later, and what is refused."""

from __future__ import annotations

import time
from typing import Any

import pytest

import regraft.ops
from regraft import proto
from regraft.base import dtypes
from regraft.base.errors import UnimplementedError
from regraft.ir.attr import Placeholder
from regraft.ir.graph import Graph
from regraft.serde.graph import graph_from_proto, graph_to_proto, node_to_proto
from regraft.serde.lazy_attrs import LazyAttrs
from tests import oracle

assert regraft.ops  # shapes are inferred by the registered ops


def graph_def(*nodes: str, producer: int = 1000) -> proto.GraphDef:
    text = "".join(f"node {{ {node} }}\n" for node in nodes)
    return proto.parse_text(f"{text} versions {{ producer: {producer} }}", proto.GraphDef)


def node(name: str, op: str, *inputs: str, **types: str) -> str:
    attrs = "".join(f' attr {{ key: "{k}" value {{ {v} }} }}' for k, v in types.items())
    return f'name: "{name}" op: "{op}" ' + "".join(f'input: "{i}" ' for i in inputs) + attrs


FLOAT = "type: DT_FLOAT"


def x(name: str = "x", dtype: str = FLOAT) -> str:
    return node(name, "Placeholder", dtype=dtype, shape="shape { unknown_rank: true }")


def relu(name: str, *inputs: str) -> str:
    return node(name, "Relu", *inputs, T=FLOAT)


def program(tf: Any) -> None:
    a = tf.placeholder(tf.float32, [None, 3], name="a")
    w = tf.Variable(tf.ones([3, 2]), name="w", use_resource=False)
    r = tf.Variable([1.0, 2.0], name="r", use_resource=True)
    y = tf.nn.relu(tf.matmul(a, w) + r, name="y")
    parts = tf.split(y, 2, axis=1)
    tf.while_loop(lambda i: i < 10, lambda i: i + 1, [tf.constant(0)])
    with tf.control_dependencies([w.initializer, r.initializer]), tf.device("/gpu:1"):
        tf.identity_n(parts, name="both")


def test_reads_and_writes_as_tensorflow_does() -> None:
    theirs = oracle.graph_def(program)
    graph = graph_from_proto(theirs)
    back = graph_to_proto(graph)
    assert [n.name for n in back.node] == [n.name for n in theirs.node]
    for ours, want in zip(back.node, theirs.node, strict=True):
        want.ClearField("experimental_type")
        assert ours.SerializeToString(deterministic=True) == want.SerializeToString(deterministic=True), want.name
    assert back.versions == proto.as_ours(theirs, proto.GraphDef).versions


def test_with_shapes_as_tensorflow_writes_them() -> None:
    tf = oracle.tensorflow()
    with tf.Graph().as_default() as their_graph:
        program(tf)
        shaped = their_graph.as_graph_def(add_shapes=True)
    ours = graph_to_proto(graph_from_proto(shaped), add_shapes=True)
    for mine, want in zip(ours.node, shaped.node, strict=True):
        theirs = proto.as_ours(want, proto.NodeDef)
        assert mine.attr["_output_shapes"] == theirs.attr["_output_shapes"], want.name


def test_shapes_are_inferred_where_the_file_has_none() -> None:
    tf = oracle.tensorflow()
    with tf.Graph().as_default() as their_graph:
        a = tf.placeholder(tf.float32, [None, 3], name="a")
        tf.nn.relu(tf.matmul(a, tf.ones([3, 2])), name="y")
        plain, shaped = their_graph.as_graph_def(), their_graph.as_graph_def(add_shapes=True)
    ours = graph_to_proto(graph_from_proto(plain), add_shapes=True)
    for mine, want in zip(ours.node, shaped.node, strict=True):
        theirs = proto.as_ours(want, proto.NodeDef)
        assert mine.attr["_output_shapes"] == theirs.attr["_output_shapes"], want.name


def test_attributes_are_decoded_when_asked_for() -> None:
    graph = graph_from_proto(graph_def(x(), relu("y", "x")))
    attrs = graph.get_operation_by_name("y").attrs
    assert isinstance(attrs, LazyAttrs)
    assert attrs._decoded is None
    assert attrs["T"] is dtypes.float32
    assert dict(attrs) == {"T": dtypes.float32}


def test_defaults_come_from_the_op() -> None:
    graph = graph_from_proto(graph_def(x(), node("s", "Shape", "x", T=FLOAT)))
    shape = graph.get_operation_by_name("s")
    assert shape.outputs[0].dtype is dtypes.int32
    assert node_to_proto(shape).attr["out_type"].type == 3


def test_changed_nodes_are_written_as_they_are() -> None:
    graph = graph_from_proto(graph_def(x("a"), x("b"), relu("y", "a"), node("n", "NoOp", "^a", "^b")))
    y, b = graph.get_operation_by_name("y"), graph.get_tensor_by_name("b:0")
    graph.update_input(y, 0, b)
    graph.set_attr(y, "_mark", b"m")
    graph.set_device(y, "/gpu:0")
    written = node_to_proto(y)
    assert list(written.input) == ["b"]
    assert written.attr["_mark"].s == b"m"
    assert written.device == "/device:GPU:0"
    graph.remove_all_control_inputs(graph.get_operation_by_name("n"))
    assert list(node_to_proto(graph.get_operation_by_name("n")).input) == []


def test_any_order_of_nodes_becomes_tensorflows_order() -> None:
    message = graph_def(relu("y", "x"), node("n", "NoOp", "^z"), relu("z", "y"), x(), relu("w", "x"))
    graph = graph_from_proto(message)
    tf = oracle.tensorflow()
    with tf.Graph().as_default() as theirs:
        tf.import_graph_def(tf.GraphDef.FromString(message.SerializeToString()), name="")
    assert [op.name for op in graph.get_operations()] == [op.name for op in theirs.get_operations()]
    assert [op._id for op in graph.get_operations()] == list(range(5))


def test_outputs_by_number() -> None:
    graph = graph_from_proto(
        graph_def(
            x(), node("d", "Unpack", "x", num="i: 3", T=FLOAT), relu("y", "d:2"), relu("z", "d:0"), relu("w", "d")
        )
    )
    inputs = {op.name: op.inputs[0].name for op in graph.get_operations() if op.type == "Relu"}
    assert inputs == {"y": "d:2", "z": "d:0", "w": "d:0"}
    assert list(node_to_proto(graph.get_operation_by_name("z")).input) == ["d"]


REFUSED = {
    "Unknown input node 'a:0'": [relu("B", "a:0")],
    "Unknown input node": [relu("B", "^a")],
    "Connecting to invalid output 1 of source node A which has 1 outputs": [x("A"), relu("B", "A:1")],
    "Node 'A' is not unique": [x("A"), x("A")],
    "Node name contains invalid characters": [x("b d")],
    "does not specify an operation": ['name: "A"'],
    "Control dependencies must come after regular dependencies": [x("A"), relu("B", "^A", "A")],
    "expects to be colocated with unknown node 'A'": [
        node("B", "Placeholder", dtype=FLOAT, shape="shape { }", _class='list { s: "loc:@A" }')
    ],
    "Input 0 of node B was passed int32 from A:0 incompatible with expected float": [
        x("A", "type: DT_INT32"),
        relu("B", "A"),
    ],
    "NodeDef expected inputs 'float' do not match 0 inputs specified": [relu("B")],
    "NodeDef expected inputs 'float' do not match 2 inputs specified": [x("A"), relu("B", "A", "A")],
    "NodeDef mentions attr 'nope' not in Op": [node("A", "NoOp", nope="i: 1")],
    "NodeDef missing attr 'dtype' from Op": [node("A", "Placeholder")],
    "2 nodes in a cycle": [relu("A", "B"), relu("B", "A")],
    "has 1 outputs but the _output_shapes attribute specifies shapes for 0 outputs": [
        node("A", "Placeholder", dtype=FLOAT, _output_shapes="list { }")
    ],
    "unusable type attribute": [node("A", "Placeholder", dtype="type: 77")],
    "asks for": [x(), node("A", "Unpack", "x", T=FLOAT, num="i: 99999999999")],
}


@pytest.mark.parametrize("words", REFUSED)
def test_refused(words: str) -> None:
    with pytest.raises(ValueError, match=words.replace(".", r"\.")):
        graph_from_proto(graph_def(*REFUSED[words]))


def test_versions() -> None:
    assert graph_from_proto(graph_def(x(), producer=21)).producer == 21
    with pytest.raises(ValueError, match="GraphDef producer version -1 below min producer 0 supported"):
        graph_from_proto(graph_def(x(), producer=-1))
    future = graph_def(x())
    future.versions.min_consumer = 10**6
    with pytest.raises(ValueError, match="GraphDef min consumer version 1000000 above current version"):
        graph_from_proto(future)
    old = graph_def(
        x("t"),
        *(x(f"p{i}") for i in range(4)),
        node(
            "n",
            "BatchNormWithGlobalNormalization",
            *("t", "p0", "p1", "p2", "p3"),
            T=FLOAT,
            variance_epsilon="f: 0.1",
            scale_after_normalization="b: true",
        ),
    )
    with pytest.raises(UnimplementedError, match="is not available in GraphDef version 1000. It has been removed in"):
        graph_from_proto(old)


def test_loops_may_go_round() -> None:
    theirs = oracle.graph_def(program)
    graph = graph_from_proto(theirs)
    merge = next(op for op in graph.get_operations() if op.type == "Merge")
    assert merge.inputs[1].op.type == "NextIteration"
    assert merge.inputs[1].op._id > merge._id


def test_an_op_that_nobody_knows_has_the_outputs_that_are_used() -> None:
    graph = graph_from_proto(
        graph_def(x(), node("m", "Mystery", "x", "^x"), relu("y", "m:2"), node("n", "Mystery2", "m:1"))
    )
    mystery = graph.get_operation_by_name("m")
    assert [t.name for t in mystery.outputs] == ["m:0", "m:1", "m:2"]
    assert [t.name for t in mystery.output_types] == ["unknown", "unknown", "float32"]
    assert [t.name for t in mystery.inputs] == ["x:0"]
    assert mystery.outputs[2].shape.rank is None


def test_the_files_own_list_gives_an_unknown_op_its_signature() -> None:
    op = proto.parse_text(
        'name: "Mystery" input_arg { name: "a" type_attr: "T" } output_arg { name: "b" type: DT_INT64 } '
        'output_arg { name: "c" type_attr: "T" } attr { name: "T" type: "type" }',
        proto.OpDef,
    )
    graph = graph_from_proto(graph_def(x(), node("m", "Mystery", "x", T=FLOAT)), [op])
    assert [t.name for t in graph.get_operation_by_name("m").output_types] == ["int64", "float32"]
    assert "Mystery" in graph.local_op_defs


def test_functions_and_their_calls() -> None:
    def program(tf: Any) -> None:
        from tensorflow.python.framework import function

        @function.Defun(tf.float32, tf.float32)
        def twice(a: Any, b: Any) -> Any:
            return a + b, a * b

        twice(1.0, 2.0)

    theirs = oracle.graph_def(program)
    graph = graph_from_proto(theirs)
    name = theirs.library.function[0].signature.name
    call = next(op for op in graph.get_operations() if op.type == name)
    assert [t.name for t in call.output_types] == ["float32", "float32"]
    assert graph_to_proto(graph).library == proto.as_ours(theirs, proto.GraphDef).library


def test_a_placeholder_of_a_function_body_is_kept() -> None:
    graph = graph_from_proto(graph_def(node("a", "NoOp", _x='placeholder: "T"')))
    assert graph.get_operation_by_name("a").attrs["_x"] == Placeholder("T")


def test_time_grows_with_the_number_of_nodes_and_no_faster() -> None:
    def seconds(count: int) -> float:
        nodes = [x("n0"), *(relu(f"n{i}", f"n{i - 1}") for i in range(1, count))]
        message = graph_def(*nodes)
        best = 1e9
        for _ in range(3):
            start = time.process_time()
            graph = graph_from_proto(message)
            best = min(best, time.process_time() - start)
        assert len(graph) == count
        return best

    small, large = seconds(2_000), seconds(20_000)
    assert large < 40 * small


def test_shapes_that_the_file_records_are_used() -> None:
    graph = graph_from_proto(
        graph_def(node("m", "Mystery", _output_shapes="list { shape { dim { size: 3 } } shape { } }"))
    )
    assert [str(t.shape) for t in graph.get_operation_by_name("m").outputs] == ["(3,)", "()"]
    assert "_output_shapes" not in node_to_proto(graph.get_operation_by_name("m")).attr


def test_empty() -> None:
    graph = graph_from_proto(proto.GraphDef())
    assert isinstance(graph, Graph)
    assert len(graph) == 0
