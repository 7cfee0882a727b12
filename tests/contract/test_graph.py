"""Contract, section 11 and the Graph API around it: names, scopes, devices, and the texts of errors."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest


def _of_another_graph(tf: Any) -> Any:
    with tf.Graph().as_default():
        return tf.constant(1.0)


def _finalized(tf: Any, change: Callable[[Any], Any]) -> Any:
    a = tf.constant(1.0, name="a")
    tf.get_default_graph().finalize()
    return change(a)


def _scope(tf: Any, name: Any) -> None:
    with tf.name_scope(name):
        tf.constant(1.0)


def _named(tf: Any) -> Any:
    tf.constant(1.0, name="a")
    return tf.get_default_graph()


REFUSED: dict[str, tuple[Callable[[Any], Any], type[Exception], str]] = {
    "tensor of no operation": (
        lambda tf: _named(tf).get_tensor_by_name("z:0"),
        KeyError,
        "The name 'z:0' refers to a Tensor which does not exist. The operation, 'z', does not exist in the graph.",
    ),
    "output that there is not": (
        lambda tf: _named(tf).get_tensor_by_name("a:1"),
        KeyError,
        "The name 'a:1' refers to a Tensor which does not exist. The operation, 'a', exists but only has 1 outputs.",
    ),
    "operation that there is not": (
        lambda tf: _named(tf).get_operation_by_name("z"),
        KeyError,
        "The name 'z' refers to an Operation not in the graph.",
    ),
    "operation where a tensor is wanted": (
        lambda tf: _named(tf).get_tensor_by_name("a"),
        ValueError,
        "The name 'a' refers to an Operation, not a Tensor. Tensor names must be of the form",
    ),
    "tensor where an operation is wanted": (
        lambda tf: _named(tf).get_operation_by_name("a:0"),
        ValueError,
        "Name 'a:0' appears to refer to a Tensor, not a Operation.",
    ),
    "name of no form": (
        lambda tf: _named(tf).get_tensor_by_name("a:b"),
        ValueError,
        "The name 'a:b' looks a like a Tensor name, but is not a valid one",
    ),
    "name that is no string": (lambda tf: _named(tf).get_tensor_by_name(3), TypeError, "Tensor names are strings"),
    "element of another graph": (
        lambda tf: _named(tf).as_graph_element(_of_another_graph(tf)),
        ValueError,
        r'Tensor Tensor\("Const:0", shape=\(\), dtype=float32\) is not an element of this graph',
    ),
    "element that is none": (
        lambda tf: _named(tf).as_graph_element(3),
        TypeError,
        "Can not convert a int into a Tensor or Operation",
    ),
    "neither tensor nor operation": (
        lambda tf: _named(tf).as_graph_element("a", allow_tensor=False, allow_operation=False),
        ValueError,
        "allow_tensor and allow_operation can't both be False",
    ),
    "operation in a finalized graph": (
        lambda tf: _finalized(tf, lambda a: a + 1.0),
        RuntimeError,
        "Graph is finalized and cannot be modified",
    ),
    "collection of a finalized graph": (
        lambda tf: _finalized(tf, lambda a: a.graph.add_to_collection("k", 1)),
        RuntimeError,
        "Graph is finalized and cannot be modified",
    ),
    "import into a finalized graph": (
        lambda tf: _finalized(tf, lambda a: tf.import_graph_def(a.graph.as_graph_def())),
        RuntimeError,
        "Graph is finalized and cannot be modified",
    ),
    "root scope with a blank": (lambda tf: _scope(tf, "a b"), ValueError, "'a b' is not a valid root scope name"),
    "root scope with an underscore": (lambda tf: _scope(tf, "_a"), ValueError, "'_a' is not a valid root scope name"),
    "node name with a blank": (lambda tf: tf.constant(1, name="a b"), ValueError, "a b.* is not a valid node name"),
    "name in use, as it is": (
        lambda tf: [tf.constant(1.0, name="a/") for _ in range(2)],
        ValueError,
        "Duplicate node name in graph: 'a'",
    ),
    "inputs of two graphs": (
        lambda tf: tf.add(_of_another_graph(tf), _of_another_graph(tf)),
        ValueError,
        "must be from the same graph",
    ),
    "control input that is none": (
        lambda tf: tf.control_dependencies([1]).__enter__(),
        TypeError,
        "Can not convert a int into a Tensor or Operation",
    ),
    "no colocation, and none ignored": (
        lambda tf: tf.colocate_with(None).__enter__(),
        ValueError,
        "Trying to reset colocation .op is None. but ignore_existing is not True",
    ),
    "gradient overrides that are no dictionary": (
        lambda tf: tf.get_default_graph().gradient_override_map([1]).__enter__(),
        TypeError,
        "op_type_map must be a dictionary mapping strings to strings",
    ),
    "shape that contradicts": (
        lambda tf: tf.placeholder(tf.float32, [2, 3]).set_shape([3, 3]),
        ValueError,
        "Dimension 0 in both shapes must be equal, but are 2 and 3",
    ),
    "attribute that there is not": (
        lambda tf: tf.constant(1.0, name="a").op.get_attr("nope"),
        ValueError,
        "Operation 'a' has no attr named 'nope'",
    ),
    "None as a tensor": (lambda tf: tf.convert_to_tensor(None), ValueError, "None values not supported"),
    "iterating over a tensor": (lambda tf: list(tf.ones([2, 2])), TypeError, "terating|not iterable"),
    "truth of a tensor": (lambda tf: bool(tf.constant(True)), TypeError, "as a Python `bool` is not allowed"),
    "length of a tensor": (lambda tf: len(tf.ones([2])), TypeError, "len is not well defined"),
    "evaluation without a session": (
        lambda tf: tf.constant(1.0).eval(),
        ValueError,
        r"Cannot evaluate tensor using `eval\(\)`: No default session is registered",
    ),
    "run without a session": (
        lambda tf: tf.no_op().run(),
        ValueError,
        r"Cannot execute operation using `run\(\)`: No default session is registered",
    ),
    "reset inside a graph": (
        lambda tf: tf.reset_default_graph(),
        AssertionError,
        r"Do not use tf.reset_default_graph\(\) to clear nested graphs",
    ),
    "conversion that is no function": (
        lambda tf: tf.register_tensor_conversion_function(dict, 5),
        TypeError,
        "`conversion_func` must be callable",
    ),
}


@pytest.mark.parametrize("row", REFUSED.values(), ids=REFUSED.keys())
def test_refused(tf: Any, row: Any) -> None:
    call, error, words = row
    with pytest.raises(error, match=words):
        call(tf)


def test_elements_by_name_bytes_and_object(tf: Any) -> None:
    graph = _named(tf)
    a = graph.get_tensor_by_name("a:0")
    assert [graph.as_graph_element(x) for x in ("a:0", b"a:0", a)] == [a, a, a]
    assert graph.as_graph_element("a") is a.op
    v = tf.Variable(1.0, name="v")
    assert graph.as_graph_element(v).name == "v:0"


def test_unique_names(tf: Any) -> None:
    graph = tf.get_default_graph()
    assert graph.unique_name("q", mark_as_used=False) == "q"
    assert [graph.unique_name(name) for name in ("q", "q", "Q", "q_1", "q")] == ["q", "q_1", "Q_2", "q_1_1", "q_3"]
    with tf.name_scope("s"):
        assert graph.unique_name("q") == "s/q"


def test_name_scopes(tf: Any) -> None:
    with tf.name_scope("s") as first:
        tf.constant(1, name="c")
    with tf.name_scope(first):
        again = tf.constant(1, name="c").name
    with tf.name_scope("s"):
        other = tf.constant(1, name="c").name
    with tf.name_scope("outer"), tf.name_scope(None) as root:
        free = tf.constant(1, name="c").name
    assert (first, again, other, root, free) == ("s/", "s/c_1:0", "s_1/c:0", "", "c:0")
    assert tf.get_default_graph().get_name_scope() == ""


def test_control_dependencies(tf: Any) -> None:
    a, b, c = (tf.constant(1.0, name=name) for name in "abc")
    with tf.control_dependencies([a]):
        d = tf.constant(1.0, name="d")
        e = tf.add(d, b, name="e")  # behind d already
        with tf.control_dependencies([b, c, a]):
            f = tf.constant(1.0, name="f")
            g = tf.add(d, b, name="g")
            with tf.control_dependencies(None):
                h = tf.constant(1.0, name="h")
    found = {t.op.name: [op.name for op in t.op.control_inputs] for t in (d, e, f, g, h)}
    assert found == {"d": ["a"], "e": [], "f": ["a", "b", "c"], "g": ["c"], "h": []}


def test_devices(tf: Any) -> None:
    with tf.device("/job:a"):
        x = [tf.constant(1)]
        with tf.device("/gpu:2"):
            x.append(tf.constant(1))
        with tf.device("/job:b/task:1"):
            x.append(tf.constant(1))
        with tf.device(None):
            x.append(tf.constant(1))
        with tf.device(lambda op: "/device:CPU:3"):
            x.append(tf.constant(1))
        with tf.colocate_with(x[2]):
            x.append(tf.constant(1))
    assert [t.device for t in x] == [
        "/job:a", "/job:a/device:GPU:2", "/job:b/task:1", "", "/job:a/device:CPU:3", "/job:b/task:1",
    ]  # fmt: skip
    assert x[5].op.colocation_groups() == [b"loc:@Const_2"]


def test_device_specs(tf: Any) -> None:
    spec = tf.DeviceSpec.from_string("/job:a/replica:1/task:2/gpu:3")
    assert (spec.job, spec.replica, spec.task, spec.device_type, spec.device_index) == ("a", 1, 2, "GPU", 3)
    assert spec.to_string() == "/job:a/replica:1/task:2/device:GPU:3"
    assert tf.DeviceSpec(job="x") == tf.DeviceSpec(job="x")
    with pytest.raises(ValueError, match="Unknown attribute"):
        tf.DeviceSpec.from_string("/nonsense:0")
    with tf.device(tf.DeviceSpec(device_type="CPU", device_index=1)):
        assert tf.constant(1).device == "/device:CPU:1"


def test_gradient_override_map(tf: Any) -> None:
    with tf.get_default_graph().gradient_override_map({"Neg": "Mine"}):
        inside = tf.negative(1.0)
    assert inside.op.get_attr("_gradient_op_type") == b"Mine"
    with pytest.raises(ValueError, match="no attr"):
        tf.negative(1.0).op.get_attr("_gradient_op_type")
    with pytest.raises(LookupError):
        tf.gradients(inside, inside.op.inputs[0])


def test_containers(tf: Any) -> None:
    graph = tf.get_default_graph()
    with graph.container("outer"):
        tf.Variable(1.0, name="a")
        with graph.container("inner"):
            tf.Variable(1.0, name="b", use_resource=True)
    tf.Variable(1.0, name="c")
    found = {n.name: n.attr["container"].s for n in graph.as_graph_def().node if n.op in ("VariableV2", "VarHandleOp")}
    assert found == {"a": b"outer", "b": b"inner", "c": b""}


def test_feeding_and_fetching_can_be_prevented(tf: Any) -> None:
    graph, a = tf.get_default_graph(), tf.constant(1.0)
    b = tf.identity(a)
    assert graph.is_feedable(a)
    assert graph.is_fetchable(b)
    graph.prevent_feeding(a)
    graph.prevent_fetching(b.op)
    with tf.Session() as sess:
        with pytest.raises(ValueError, match="may not be fed"):
            sess.run(b, {a: 2.0})
        for fetch in (b, b.op):
            with pytest.raises(ValueError, match="has been marked as not fetchable"):
                sess.run(fetch)


def test_what_a_graph_says_of_itself(tf: Any) -> None:
    graph = tf.get_default_graph()
    before = graph.version
    tf.constant(1.0)
    assert graph.version > before
    assert (graph.finalized, graph.building_function, graph.seed) == (False, False, None)
    tf.set_random_seed(7)
    assert graph.seed == 7
    assert graph.graph_def_versions.producer > 1000
    graph.finalize()
    assert graph.finalized


def test_what_operations_and_tensors_say_of_themselves(tf: Any) -> None:
    a = tf.constant(1.0, name="a")
    b = tf.add(a, 1.0, name="b")
    assert (b.op.type, b.op.name, b.value_index, b.op.op_def.name) == ("AddV2", "b", 0, "AddV2")
    assert b.op.inputs[0] is a
    assert a.consumers() == [b.op]
    assert (str(a), repr(a)) == ('Tensor("a:0", shape=(), dtype=float32)', "<tf.Tensor 'a:0' shape=() dtype=float32>")
    assert repr(a.op) == "<tf.Operation 'a' type=Const>"
    assert str(b.op).startswith('name: "b"\nop: "AddV2"\ninput: "a"\n')
    assert b.op.node_def.op == "AddV2"
    assert a.ref() == a.ref() != b.ref()
    assert a.ref().deref() is a
    assert any("test_graph.py" in str(frame) for frame in a.op.traceback)


def test_default_graphs_nest(tf: Any) -> None:
    outer, inner = tf.Graph(), tf.Graph()
    with outer.as_default() as found:
        assert found is outer is tf.get_default_graph()
        with inner.as_default():
            assert tf.get_default_graph() is inner
        assert tf.get_default_graph() is outer


def test_default_graphs_that_do_not_nest(tf: Any) -> None:
    def cross() -> None:
        one, two = tf.Graph().as_default(), tf.Graph().as_default()
        one.__enter__()
        two.__enter__()
        try:
            one.__exit__(None, None, None)
        finally:
            two.__exit__(None, None, None)

    with ThreadPoolExecutor(1) as thread:  # each thread has a stack of its own
        error = thread.submit(cross).exception()
    assert isinstance(error, AssertionError)
    assert "Nesting violated for default stack" in str(error)


def test_indexing_with_a_mask(tf: Any) -> None:
    x = tf.constant([1, 2, 3])
    with tf.Session() as sess:
        assert sess.run(x[tf.constant([True, False, True])]).tolist() == [1, 3]
