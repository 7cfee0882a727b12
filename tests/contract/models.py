"""Small graphs that the tests of the contract save, export and import."""

from __future__ import annotations

from typing import Any

from regraft import proto


def linear(tf: Any, resource: bool = False) -> Any:
    """`s/x`, `s/w`, `s/y` on a device of its own, and `z` outside; returns z."""
    with tf.name_scope("s"):
        x = tf.placeholder(tf.float32, [None, 2], name="x")
        w = tf.Variable([[1.0], [2.0]], name="w", use_resource=resource)
        with tf.device("/cpu:0"):
            y = tf.matmul(x, w, name="y")
    return tf.add(y, 1.0, name="z")


def exported(tf: Any, **options: Any) -> Any:
    """The MetaGraphDef of `linear`, with a Saver, made in a graph of its own."""
    with tf.Graph().as_default():
        linear(tf)
        saver = tf.train.Saver()
        return tf.train.export_meta_graph(saver_def=saver.as_saver_def(), **options)


def copy(message: Any) -> Any:
    other = type(message)()
    other.CopyFrom(message)
    return other


def graph_def(tf: Any, text: str, producer: int = 1000, **versions: Any) -> Any:
    """A GraphDef of the library `tf` from its text form."""
    message = tf.GraphDef.FromString(proto.parse_text(text, proto.GraphDef).SerializeToString())
    message.versions.producer = producer
    for field, value in versions.items():
        setattr(message.versions, field, value)
    return message


FLOAT = 'attr { key: "T" value { type: DT_FLOAT } }'


def node(name: str, op: str, *inputs: str, attrs: str = FLOAT, device: str = "") -> str:
    parts = [f'name: "{name}" op: "{op}" device: "{device}"', *(f'input: "{i}"' for i in inputs), attrs]
    return f"node {{ {' '.join(parts)} }}\n"


def const(name: str, dtype: str = "DT_FLOAT") -> str:
    """A scalar 1."""
    value = "float_val: 1" if dtype == "DT_FLOAT" else "int_val: 1"
    return node(
        name,
        "Const",
        attrs=f'attr {{ key: "dtype" value {{ type: {dtype} }} }} '
        f'attr {{ key: "value" value {{ tensor {{ dtype: {dtype} tensor_shape {{}} {value} }} }} }}',
    )


def names(tf: Any) -> list[str]:
    return [op.name for op in tf.get_default_graph().get_operations()]
