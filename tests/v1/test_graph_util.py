"""Parts of graphs and frozen graphs: the GraphDefs are TensorFlow's, for every kind of variable and control flow."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import regraft.v1
from tests.oracle import available, tensorflow

needs_tensorflow = pytest.mark.skipif(not available(), reason="TensorFlow is not installed")


def dense(tf: Any) -> None:
    x = tf.placeholder(tf.float32, [None, 3], name="x")
    w = tf.get_variable("w", [3, 4])
    b = tf.get_variable("b", initializer=np.arange(4, dtype=np.float32))
    y = tf.nn.relu(tf.matmul(x, w) + b, name="y")
    tf.check_numerics(y, "m", name="checked")
    z = tf.identity(tf.stop_gradient(y), name="passed")
    with tf.control_dependencies([z]):
        tf.identity(tf.identity(w), name="out")


def embedding(tf: Any) -> None:
    w = tf.get_variable("w", [5, 4])
    e = tf.nn.embedding_lookup(w, tf.placeholder(tf.int32, [None], name="x"))
    n = tf.get_variable("n", [], dtype=tf.int64, initializer=tf.zeros_initializer())
    tf.identity(e + tf.cast(n, tf.float32) + tf.gather_nd(w, [[0]]), name="out")


def partitioned(tf: Any) -> None:
    w = tf.get_variable("w", [6, 4], partitioner=tf.fixed_size_partitioner(3))
    tf.matmul(tf.placeholder(tf.float32, [None, 6], name="x"), w, name="out")


def loop(tf: Any) -> None:
    w = tf.get_variable("w", [], initializer=tf.ones_initializer())
    r = tf.get_variable("r", [2])
    found = tf.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, a * w + r), [0, r + 1.0])
    tf.identity(found[1], name="out")


def branches(tf: Any) -> None:
    p = tf.placeholder(tf.bool, [], name="p")
    w, r = tf.get_variable("w", [2]), tf.get_variable("r", [2])
    tf.identity(tf.cond(p, lambda: w + 1.0, lambda: r * 2.0), name="out")


PROGRAMS = [dense, embedding, partitioned, loop, branches]


@needs_tensorflow
@pytest.mark.filterwarnings("ignore")  # TensorFlow's
@pytest.mark.parametrize("resource", [False, True])
@pytest.mark.parametrize("program", PROGRAMS)
def test_graph_defs_are_tensorflows(program, resource):
    theirs, ours = tensorflow(), regraft.v1
    theirs.disable_control_flow_v2()
    with theirs.Graph().as_default() as graph, theirs.Session() as sess:
        with theirs.variable_scope("", use_resource=resource):
            program(theirs)
        sess.run(theirs.global_variables_initializer())
        graph_def = graph.as_graph_def(add_shapes=True)
        values = {v.op.name: sess.run(v) for v in theirs.global_variables()}
        wanted = [
            theirs.graph_util.convert_variables_to_constants(sess, graph_def, ["out"]),
            theirs.graph_util.convert_variables_to_constants(sess, graph_def, ["out"], variable_names_blacklist=["w"]),
            theirs.graph_util.remove_training_nodes(graph_def),
            theirs.graph_util.remove_training_nodes(graph_def, ["passed", "checked"]),
            theirs.graph_util.extract_sub_graph(graph_def, ["out"]),
        ]
    with ours.Graph().as_default(), ours.Session() as sess:
        ours.import_graph_def(graph_def, name="")
        for name, value in values.items():
            sess.variables.assign(name, value)
        found = [
            ours.graph_util.convert_variables_to_constants(sess, graph_def, ["out"]),
            ours.graph_util.convert_variables_to_constants(sess, graph_def, ["out"], variable_names_blacklist=["w"]),
            ours.graph_util.remove_training_nodes(graph_def),
            ours.graph_util.remove_training_nodes(graph_def, ["passed", "checked"]),
            ours.graph_util.extract_sub_graph(graph_def, ["out"]),
        ]
    for mine, other in zip(found, wanted, strict=True):
        assert mine == ours.GraphDef.FromString(other.SerializeToString())


def test_a_frozen_graph_goes_through_a_file(tmp_path):
    tf = regraft.v1
    with tf.Graph().as_default() as graph, tf.Session() as sess:
        dense(tf)
        sess.run(tf.global_variables_initializer())
        x = np.ones((2, 3), np.float32)
        wanted = sess.run("y:0", {"x:0": x})
        frozen = tf.graph_util.convert_variables_to_constants(sess, graph.as_graph_def(), ["y"])
    path = tf.train.write_graph(frozen, str(tmp_path), "frozen.pb", as_text=False)
    with tf.gfile.GFile(path, "rb") as f:
        read = tf.GraphDef.FromString(f.read())
    with tf.Graph().as_default(), tf.Session() as sess:
        x_in, y = tf.import_graph_def(read, return_elements=["x:0", "y:0"], name="")
        np.testing.assert_array_equal(sess.run(y, {x_in: x}), wanted)


def test_references_through_control_flow_become_values():
    """TensorFlow leaves RefSwitch and its kin in the graph, which no constant can feed."""
    tf = regraft.v1
    with tf.Graph().as_default() as graph, tf.Session() as sess:
        v = tf.get_variable("v", initializer=3.0, use_resource=False)
        p = tf.placeholder(tf.bool, [], name="p")
        off, on = tf.raw_ops.RefSwitch(data=v._ref(), pred=p)
        tf.raw_ops.Merge(inputs=[off + 1.0, on * 2.0], name="out")
        sess.run(tf.global_variables_initializer())
        frozen = tf.graph_util.convert_variables_to_constants(sess, graph.as_graph_def(), ["out"])
    with tf.Graph().as_default(), tf.Session() as sess:
        tf.import_graph_def(frozen, name="")
        assert [sess.run("out:0", {"p:0": p}) for p in (False, True)] == [4.0, 6.0]


def test_variables_without_values_are_named():
    tf = regraft.v1
    with tf.Graph().as_default() as graph, tf.Session() as sess:
        dense(tf)
        with pytest.raises(tf.errors.FailedPreconditionError, match="uninitialized value w, b"):
            tf.graph_util.convert_variables_to_constants(sess, graph.as_graph_def(), ["y"])


def test_wrong_arguments():
    tf = regraft.v1
    with tf.Graph().as_default() as graph:
        dense(tf)
    graph_def = graph.as_graph_def()
    with pytest.raises(TypeError, match="must be a graph_pb2.GraphDef"):
        tf.graph_util.extract_sub_graph("graph", ["out"])
    with pytest.raises(TypeError, match="must be an iterable of strings"):
        tf.graph_util.extract_sub_graph(graph_def, "out")
    with pytest.raises(AssertionError, match="none is not in graph"):
        tf.graph_util.extract_sub_graph(graph_def, ["none"])


def test_freeze_graph_from_files(tmp_path):
    from regraft.v1._freeze_graph import freeze_graph

    tf = regraft.v1
    with tf.Graph().as_default() as graph, tf.Session() as sess:
        embedding(tf)
        sess.run(tf.global_variables_initializer())
        wanted = sess.run("out:0", {"x:0": [1]})
        prefix = tf.train.Saver().save(sess, str(tmp_path / "model"))
        tf.train.write_graph(graph.as_graph_def(), str(tmp_path), "graph.pbtxt")
    inputs: list[dict[str, Any]] = [
        {"input_graph": str(tmp_path / "graph.pbtxt")},
        {"input_graph": None, "input_meta_graph": f"{prefix}.meta"},
    ]
    for given in inputs:
        out = tmp_path / "frozen.pb"
        freeze_graph(
            input_saver="",
            input_binary=False,
            input_checkpoint=prefix,
            output_node_names="out",
            restore_op_name="save/restore_all",
            filename_tensor_name="save/Const:0",
            output_graph=str(out),
            clear_devices=True,
            initializer_nodes="",
            **given,
        )
        frozen = tf.GraphDef.FromString(out.read_bytes())
        assert not {n.op for n in frozen.node} & {"VariableV2", "VarHandleOp"}
        with tf.Graph().as_default(), tf.Session() as sess:
            tf.import_graph_def(frozen, name="")
            np.testing.assert_array_equal(sess.run("out:0", {"x:0": [1]}), wanted)
    with pytest.raises(ValueError, match="doesn't exist"):
        freeze_graph(None, "", False, str(tmp_path / "no"), "out", "", "", "", True, "")


def test_inspect_checkpoint_prints_values(tmp_path, capsys):
    from regraft.v1._inspect_checkpoint import print_tensors_in_checkpoint_file

    tf = regraft.v1
    with tf.Graph().as_default(), tf.Session() as sess:
        tf.get_variable("v", initializer=[1.0, 2.0])
        sess.run(tf.global_variables_initializer())
        prefix = tf.train.Saver().save(sess, str(tmp_path / "model"))
    print_tensors_in_checkpoint_file(prefix, tensor_name="", all_tensors=True)
    assert capsys.readouterr().out == "tensor: v (float32) [2]\n[1. 2.]\n"
    print_tensors_in_checkpoint_file(prefix, all_tensors=False)
    assert capsys.readouterr().out == "v (float32) [2]\n"


@needs_tensorflow
@pytest.mark.filterwarnings("ignore")  # TensorFlow's
def test_tensor_protos_are_tensorflows():
    def protos(tf: Any) -> list[bytes]:
        values: list[tuple[Any, ...]] = [
            (1.5,),
            ([1, 2],),
            ([[True], [False]],),
            (["a", b"b"],),
            (3, tf.int64),
            (2.0, tf.float16, [2, 2]),
            (np.zeros((0, 3), np.float32),),
            (1j,),
        ]
        return [tf.make_tensor_proto(*v).SerializeToString() for v in values]

    assert protos(regraft.v1) == protos(tensorflow())


def test_arrays_come_back_from_tensor_protos():
    tf = regraft.v1
    for array in (np.arange(6, dtype=np.int16).reshape(2, 3), np.array([b"a", b"bc"], object), np.float64(2)):
        found = tf.make_ndarray(tf.make_tensor_proto(array))
        np.testing.assert_array_equal(found, array)
        assert found.dtype == array.dtype
        found[...] = found  # a copy that may be written


@needs_tensorflow
@pytest.mark.filterwarnings("ignore")  # TensorFlow's
def test_static_values_are_tensorflows():
    def values(tf: Any) -> list[Any]:
        with tf.Graph().as_default():
            x = tf.placeholder(tf.float32, [2, None])
            tensors = [
                tf.constant([1, 2]),
                tf.constant(3),
                tf.shape(x),
                tf.shape(tf.zeros([2, 3])),
                tf.rank(x),
                tf.fill([2], 7),
                tf.range(3),
                tf.cast(tf.constant([1.7]), tf.int32),
                tf.concat([[1], [2]], 0),
                tf.stack([tf.constant(1), tf.constant(2)]),
                tf.constant(1) + 1,
                x,
            ]
            found = [tf.get_static_value(t) for t in tensors]
        return [None if v is None else (np.asarray(v).tolist(), np.asarray(v).dtype) for v in found]

    assert values(regraft.v1) == values(tensorflow())


def test_parts_of_a_static_value():
    tf = regraft.v1
    with tf.Graph().as_default():
        x = tf.placeholder(tf.int32, [])
        assert tf.get_static_value(tf.stack([x, 2]), partial=True).tolist() == [None, 2]


@needs_tensorflow
@pytest.mark.filterwarnings("ignore")  # TensorFlow's
def test_must_run_on_cpu_and_shapes():
    def answers(tf: Any) -> list[Any]:
        with tf.Graph().as_default() as graph:
            x = tf.constant([1], name="i")
            ops = [x.op, tf.constant(1.0).op, tf.constant("s").op, tf.cast(x, tf.float32).op]
            ops.append(tf.get_variable("v", [2], use_resource=False).op)
            shape = tf.graph_util.tensor_shape_from_node_def_name(graph, "i")
            return [tf.graph_util.must_run_on_cpu(op, pin) for op in ops for pin in (False, True)] + [shape.as_list()]

    assert answers(regraft.v1) == answers(tensorflow())


def test_variables_that_functions_take_are_refused():
    tf = regraft.v1
    graph_def = tf.GraphDef()
    handle = graph_def.node.add(name="v", op="VarHandleOp")
    handle.attr["dtype"].type = 1
    graph_def.node.add(name="call", op="StatefulPartitionedCall", input=["v"])
    with tf.Graph().as_default(), tf.Session() as sess:
        sess.variables.assign("v", np.float32(1))
        with pytest.raises(tf.errors.UnimplementedError, match="'call'.*hands a variable to a function"):
            tf.graph_util.convert_variables_to_constants(sess, graph_def, ["call"])
