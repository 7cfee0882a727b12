"""Bodies of library functions, as TensorFlow instantiates them."""

from __future__ import annotations

from typing import Any

import pytest

from regraft import proto
from regraft.base import dtypes
from regraft.base.errors import InvalidArgumentError
from regraft.ir.attr import FunctionRef
from regraft.serde.function import function_body
from regraft.serde.graph import graph_from_proto
from tests import oracle


def program(tf: Any) -> None:
    import tensorflow as tf2

    @tf2.function
    def outer(a: Any, n: Any) -> Any:
        def body(i: Any, x: Any) -> Any:
            parts = tf2.split(x, 2)
            top = tf2.math.top_k(parts[1])
            return i + 1, tf2.concat([parts[0] * 2.0, tf2.reshape(top.values, [-1])], 0)

        _, x = tf2.while_loop(
            lambda i, _: i < n, body, [0, a], shape_invariants=[tf2.TensorShape([]), tf2.TensorShape([None])]
        )
        tf2.debugging.assert_greater(n, 0)
        return tf2.cond(n > 3, lambda: x + 1.0, lambda: x - a)

    outer(tf.placeholder(tf.float32, [None]), tf.placeholder(tf.int32, []))


def test_bodies_as_tensorflow_instantiates_them() -> None:
    from tensorflow.python.framework.function_def_to_graph import function_def_to_graph

    tf = oracle.tensorflow()
    tf.enable_control_flow_v2()
    try:
        message = oracle.graph_def(program)
        library = graph_from_proto(message)
        assert len(library.functions) > 3
        for theirs in message.library.function:
            with tf.Graph().as_default():
                tf.import_graph_def(message)
                expected = function_def_to_graph(theirs)
            ours = function_body(library, library.functions[theirs.signature.name], {})
            assert [t.dtype.name for t in ours.inputs] == [t.dtype.name for t in expected.inputs]
            renamed = {t.name: ours.inputs[i].name for i, t in enumerate(expected.inputs)}
            assert [t.name for t in ours.outputs] == [renamed.get(t.name, t.name) for t in expected.outputs]
            assert [c.name for c in ours.controls] == [c.name for c in expected.control_outputs]
            for op in expected.get_operations():
                if op.type == "Placeholder":
                    continue
                mine = ours.graph.get_operation_by_name(op.name)
                assert mine.type == op.type
                assert [t.name for t in mine.inputs] == [renamed.get(t.name, t.name) for t in op.inputs]
                assert {c.name for c in mine.control_inputs} == {
                    renamed.get(c.name + ":0", c.name + ":0")[:-2] for c in op.control_inputs
                }
                assert [t.name for t in mine.output_types] == [t.dtype.name for t in op.outputs]
    finally:
        tf.disable_control_flow_v2()


GENERIC = """
library { function {
    signature {
        name: "f" input_arg { name: "x" type_attr: "T" } input_arg { name: "rest" type_attr: "T" number_attr: "N" }
        output_arg { name: "y" type_attr: "T" } output_arg { name: "all" type_attr: "T" number_attr: "N" }
        attr { name: "T" type: "type" } attr { name: "N" type: "int" }
    }
    node_def {
        name: "total" op: "AddN" input: "rest"
        attr { key: "T" value { placeholder: "T" } } attr { key: "N" value { placeholder: "N" } }
    }
    node_def {
        name: "sum" op: "AddV2" input: "total:sum:0" input: "rest:1" input: "^x"
        attr { key: "T" value { placeholder: "T" } }
    }
    node_def {
        name: "call" op: "PartitionedCall" input: "x" attr { key: "Tin" value { placeholder: "L" } }
        attr { key: "Tout" value { placeholder: "L" } }
        attr { key: "f" value { func { name: "g" attr { key: "T" value { placeholder: "T" } } } } }
    }
    ret { key: "y" value: "sum:z:0" } ret { key: "all" value: "rest" }
} }
"""


def test_attributes_of_the_call() -> None:
    library = graph_from_proto(proto.parse_text(GENERIC, proto.GraphDef))
    body = function_body(library, library.functions["f"], {"T": dtypes.float32, "N": 2, "L": (dtypes.float32,)})
    assert [t.name for t in body.inputs] == ["x:0", "rest_0:0", "rest_1:0"]
    assert [t.name for t in body.outputs] == ["sum:0", "rest_0:0", "rest_1:0"]
    assert {t.dtype for t in (*body.inputs, *body.outputs)} == {dtypes.float32}
    total, plus = body.graph.get_operation_by_name("total"), body.graph.get_operation_by_name("sum")
    assert [t.name for t in total.inputs] == ["rest_0:0", "rest_1:0"]
    assert total.attrs["N"] == 2
    assert [t.name for t in plus.inputs] == ["total:0", "rest_1:0"]
    assert [c.name for c in plus.control_inputs] == ["x"]
    assert body.graph.get_operation_by_name("call").attrs["f"] == FunctionRef("g", {"T": dtypes.float32})
    integers = function_body(
        library, library.functions["f"], {"T": dtypes.int32, "N": 3, "L": (dtypes.int32,), "more": 1}
    )
    assert {t.dtype for t in integers.inputs} == {dtypes.int32}
    assert len(integers.inputs) == 4


def test_what_is_missing() -> None:
    library = graph_from_proto(proto.parse_text(GENERIC, proto.GraphDef))
    with pytest.raises(InvalidArgumentError, match="without its attribute 'N'"):
        function_body(library, library.functions["f"], {"T": dtypes.float32})
    broken = graph_from_proto(proto.parse_text(GENERIC.replace("total:sum:0", "total:nope:0"), proto.GraphDef))
    with pytest.raises(InvalidArgumentError, match="no value 'total:nope:0'"):
        function_body(broken, broken.functions["f"], {"T": dtypes.float32, "N": 2, "L": (dtypes.float32,)})
