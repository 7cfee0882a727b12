"""Python functions in graphs: what they get and may return is TensorFlow's; in files they wait to be bound."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pytest

import regraft
import regraft.v1
from regraft.base import errors
from tests.oracle import available, tensorflow

needs_tensorflow = pytest.mark.skipif(not available(), reason="TensorFlow is not installed")


def raises(error: type[BaseException]) -> Any:
    def function() -> Any:
        raise error("boom")

    return function


# Functions without arguments, and the dtypes that are asked for.
RESULTS: dict[str, tuple[Any, Any]] = {
    "float_is_float64": (lambda: 1.5, "float64"),
    "float_for_float32": (lambda: 1.5, "float32"),
    "int_is_int64": (lambda: 1, "int64"),
    "int_for_int32": (lambda: 1, "int32"),
    "float32_for_float64": (lambda: np.float32(2), "float64"),
    "list_is_several": (lambda: [1, 2], "int64"),
    "list_for_several": (lambda: [1.0, True], ["float64", "bool"]),
    "tuple_of_one": (lambda: (1.0,), ["float64"]),
    "too_many": (lambda: (1.0, 2.0), ["float64"]),
    "nothing_for_one": (lambda: None, "float32"),
    "one_for_nothing": (lambda: 5, []),
    "text": (lambda: "hé", "string"),
    "texts": (lambda: np.array(["a", "bc"]), "string"),
    "zeros_at_the_end": (lambda: np.array([b"a\x00", b""], object), "string"),
    "list_of_texts_in_a_tuple": (lambda: (["a", "b"],), ["string"]),
    "empty": (lambda: np.zeros((0, 2), np.float32), "float32"),
    "columns_first": (lambda: np.asfortranarray(np.arange(6).reshape(2, 3)), "int64"),
    "object": (object, "float64"),
    "value_error": (raises(ValueError), "float32"),
    "type_error": (raises(TypeError), "float32"),
    "stop_iteration": (raises(StopIteration), "float32"),
    "memory_error": (raises(MemoryError), "float32"),
    "not_implemented": (raises(NotImplementedError), "float32"),
    "key_error": (raises(KeyError), "float32"),
}


def outcomes(tf: Any) -> dict[str, Any]:
    """The value of each, as lists, or the class of its error."""
    found: dict[str, Any] = {}
    with tf.Graph().as_default(), tf.Session() as sess:
        tensors = {
            name: tf.py_func(
                function, [], [*map(tf.as_dtype, types)] if isinstance(types, list) else tf.as_dtype(types)
            )
            for name, (function, types) in RESULTS.items()
        }
        for name, tensor in tensors.items():
            try:
                value = sess.run(tensor)
            except tf.errors.OpError as e:
                found[name] = type(e).__name__
            else:
                found[name] = [np.asarray(v).tolist() for v in value] if isinstance(value, list) else value
                if isinstance(value, np.ndarray):
                    found[name] = value.shape, value.dtype, value.tolist()
    return found


@needs_tensorflow
@pytest.mark.filterwarnings("ignore")  # TensorFlow's
def test_results_and_errors_are_tensorflows():
    assert outcomes(regraft.v1) == outcomes(tensorflow())


def arguments(tf: Any) -> list[tuple[Any, ...]]:
    seen = []

    def look(*values: Any) -> Any:
        seen.extend((type(v).__name__, getattr(v, "dtype", None), np.shape(v), np.asarray(v).tolist()) for v in values)
        return np.float32(0)

    with tf.Graph().as_default(), tf.Session() as sess:
        sess.run(tf.py_func(look, [1, 2.0, "s", ["a", "b"], [[1, 2]], True], tf.float32))
    return seen


@needs_tensorflow
@pytest.mark.filterwarnings("ignore")  # TensorFlow's
def test_arguments_are_tensorflows():
    assert arguments(regraft.v1) == arguments(tensorflow())


def test_variables_go_through_a_function_and_back():
    tf = regraft.v1
    with tf.Graph().as_default(), tf.Session() as sess:
        v = tf.get_variable("v", initializer=1.0)
        doubled = tf.py_func(lambda a: a * np.float32(2), [v], tf.float32)
        doubled.set_shape([])
        step = tf.assign(v, doubled)
        sess.run(tf.global_variables_initializer())
        for _ in range(3):
            sess.run(step)
        assert sess.run(v) == 8.0


def test_py_function_gets_numpy_and_results_are_cast():
    tf = regraft.v1
    with tf.Graph().as_default(), tf.Session() as sess:
        y = tf.py_function(lambda a: a.numpy().tolist()[1], [tf.constant([1, 7])], tf.float32)
        value = sess.run(y)
    assert value == 7.0 and value.dtype == np.float32


def test_numpy_function_decorates():
    tf = regraft.v1

    @tf.numpy_function(Tout=tf.int32)
    def twice(a: Any) -> Any:
        return a * np.int32(2)

    with tf.Graph().as_default(), tf.Session() as sess:
        assert sess.run(twice(tf.constant(4))) == 8


def from_a_file(tf: Any) -> Any:
    """A graph whose PyFunc node came out of a file of another process."""
    graph_def = tf.GraphDef()
    node = graph_def.node.add(name="p", op="PyFunc")
    node.attr["token"].s = b"pyfunc_0"
    node.attr["Tin"].list.SetInParent()
    node.attr["Tout"].list.type.append(1)
    tf.import_graph_def(graph_def, name="")
    return tf.get_default_graph().get_operation_by_name("p")


def test_a_node_without_a_function_says_how_to_bind_one():
    tf = regraft.v1
    with tf.Graph().as_default(), tf.Session() as sess:
        tf.py_func(lambda: np.float32(1), [], tf.float32)  # its token is no other process's
        node = from_a_file(tf)
        with pytest.raises(errors.InvalidArgumentError, match="callback pyfunc_0 is not found") as e:
            sess.run(node.outputs[0])
    assert "regraft.bind_py_func('pyfunc_0', function)" in str(e.value)
    assert "node 'p'" in str(e.value)


def test_a_function_is_bound_to_a_node():
    tf = regraft.v1
    with tf.Graph().as_default(), tf.Session() as sess:
        node = from_a_file(tf)
        regraft.bind_py_func(node, lambda: np.float32(3))
        assert sess.run(node.outputs[0]) == 3.0
        regraft.bind_py_func(node, lambda: np.float32(4))
        assert sess.run(node.outputs[0]) == 4.0


def test_a_function_is_bound_to_a_token(monkeypatch):
    from regraft.opkit import py_functions

    monkeypatch.setattr(py_functions, "_BOUND", {})
    tf = regraft.v1
    regraft.bind_py_func("pyfunc_0", lambda: np.float32(5))
    with tf.Graph().as_default(), tf.Session() as sess:
        assert sess.run(from_a_file(tf).outputs[0]) == 5.0


def test_binding_refuses_what_cannot_be_bound():
    tf = regraft.v1
    with tf.Graph().as_default():
        with pytest.raises(TypeError, match="needs a function"):
            regraft.bind_py_func("pyfunc_0", 3)
        with pytest.raises(ValueError, match="'Const' is a Const"):
            regraft.bind_py_func(tf.constant(1).op, print)


def test_a_function_goes_with_its_graph():
    from regraft.opkit import py_functions

    tf = regraft.v1
    with tf.Graph().as_default():
        token = tf.py_func(lambda: 1, [], tf.int64).op.get_attr("token")
        assert py_functions.function_of(token)() == 1
    gc.collect()
    with pytest.raises(errors.InvalidArgumentError):
        py_functions.function_of(token)


def nodes(tf: Any) -> None:
    x = tf.placeholder(tf.float32, [2], name="x")
    tf.py_func(lambda a, b: a, [x, 3], tf.float32)
    tf.py_func(lambda a: (a, a), [x], [tf.float32, tf.int64], stateful=False, name="z")
    tf.numpy_function(lambda a: a, [x], [tf.float32])
    tf.py_function(lambda a: a, [x], tf.float32)
    tf.Print(x, [x, x], "msg", summarize=3, first_n=2)
    tf.print("a", x, {"k": x, "j": [1, "u"]}, 5, sep="|")
    tf.print("{}", x, (x, tf.constant("s")), end=";\n", name="named")
    tf.print(tf.constant("s"), output_stream=tf.logging.info)


@needs_tensorflow
@pytest.mark.filterwarnings("ignore")  # TensorFlow's
def test_nodes_are_tensorflows():
    def described(tf: Any) -> list[tuple[Any, ...]]:
        with tf.Graph().as_default() as graph:
            nodes(tf)
        out = []
        for node in graph.as_graph_def().node:
            attrs = {k: v.SerializeToString() for k, v in node.attr.items() if k not in ("token", "value")}
            out.append((node.name, node.op, list(node.input), attrs))
        return out

    assert described(regraft.v1) == described(tensorflow())
