"""OpDefs between the graph's form, our messages and TensorFlow's."""

from functools import cache
from typing import Any

from regraft import proto
from regraft.ir.attr import FunctionRef
from regraft.ir.op_def import lookup
from regraft.serde.op_def import op_def_from_proto, op_def_to_proto


@cache
def tensorflow_ops() -> dict[str, Any]:
    """Every OpDef in the registry of the installed TensorFlow, without its prose."""
    from tensorflow.core.framework import op_def_pb2
    from tensorflow.python.client import pywrap_tf_session

    ops = op_def_pb2.OpList()
    ops.ParseFromString(pywrap_tf_session.TF_GetBuffer(pywrap_tf_session.TF_GetAllOpList()))
    for op in ops.op:
        for prose in (op, *op.input_arg, *op.output_arg, *op.attr):
            prose.ClearField("description")
        op.ClearField("summary")
        op.deprecation.ClearField("explanation")
        if not op.deprecation.version:
            op.ClearField("deprecation")
    return {op.name: op for op in ops.op}


def as_tensorflow(message: proto.OpDef) -> Any:
    from tensorflow.core.framework import op_def_pb2

    return op_def_pb2.OpDef.FromString(message.SerializeToString())


def in_one_form(op: Any) -> Any:
    """Write tensor defaults anew: TensorProto has several forms for the same elements."""
    import tensorflow as tf

    for attr in op.attr:
        default = attr.default_value
        for tensor in [*default.list.tensor, *([default.tensor] if default.HasField("tensor") else [])]:
            tensor.CopyFrom(tf.make_tensor_proto(tf.make_ndarray(tensor)))
    return op


def test_every_op_of_tensorflow_is_built_in_as_tensorflow_has_it() -> None:
    differ = []
    for name, theirs in tensorflow_ops().items():
        ours = lookup(name)
        if ours is None or in_one_form(as_tensorflow(op_def_to_proto(ours))) != in_one_form(theirs):
            differ.append(name)
    assert len(tensorflow_ops()) > 1500
    assert differ == []


def test_every_op_of_tensorflow_reads_from_its_message_as_what_is_built_in() -> None:
    differ = [name for name, theirs in tensorflow_ops().items() if op_def_from_proto(theirs) != lookup(name)]
    assert differ == []


def test_prose_is_dropped_and_the_reason_of_a_deprecation_stays() -> None:
    message = proto.OpDef(name="Mine", summary="s", description="d")
    message.deprecation.version = 7
    message.deprecation.explanation = "use Yours"
    written = op_def_to_proto(op_def_from_proto(message))
    assert (written.summary, written.description) == ("", "")
    assert (written.deprecation.version, written.deprecation.explanation) == (7, "use Yours")


def test_empty_lists_of_defaults_and_of_allowed_values_stay_present() -> None:
    message = proto.OpDef(name="Mine", attr=[proto.OpDef.AttrDef(name="a", type="list(int)")])
    message.attr[0].default_value.list.SetInParent()
    op = op_def_from_proto(message)
    assert (op.attrs["a"].default, op.attrs["a"].has_default) == ((), True)
    assert op_def_to_proto(op) == message


def test_a_function_as_default_names_the_function() -> None:
    message = proto.OpDef(name="Mine", attr=[proto.OpDef.AttrDef(name="f", type="func")])
    message.attr[0].default_value.func.name = "g"
    op = op_def_from_proto(message)
    assert op.attrs["f"].default == FunctionRef("g")
    assert op_def_to_proto(op) == message
