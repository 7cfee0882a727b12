"""Nodes as columns: what the bytes of a GraphDef give is what its messages give."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from regraft import proto
from regraft.ir.op_def import lookup
from regraft.serde.node_table import BytesTable, MessageTable, NodeTable, read_table
from regraft.serde.signature import Signature, signature_of
from tests.oracle import tensorflow


def _written() -> bytes:
    """A graph of a few hundred nodes: with no inputs and with 200, with lists of types, long attributes, devices."""
    tf = tensorflow()
    with tf.Graph().as_default() as graph:
        x = tf.placeholder(tf.float32, [None, 3], name="x")
        parts = []
        for i in range(200):
            with tf.device(f"/job:ps/task:{i % 3}" if i % 2 else None):
                parts.append(tf.cast(tf.reduce_sum(x * float(i), axis=i % 2), tf.float64))
        with tf.control_dependencies(parts):
            total = tf.add_n([tf.reduce_sum(p) for p in parts], name="total")
        tf.py_func(lambda *values: values[0], [total, x, parts[0]], [tf.float64], name="py")
        tf.constant(list(range(100)), tf.int64, name="long")
        tf.constant([b"a", b"\xff\n\x00"], name="text")
        with graph.colocate_with(total.op):
            tf.no_op(name="beside")
        data: bytes = graph.as_graph_def(add_shapes=True).SerializeToString()
    return data


def _both(data: bytes) -> tuple[NodeTable, MessageTable]:
    message = proto.GraphDef.FromString(data)
    return read_table(data, 0, len(data))[0], MessageTable(message.node)


def _signatures(table: NodeTable) -> dict[str, Signature | None]:
    found = {op_type: lookup(op_type) for op_type in table.op_types}
    return {op_type: None if d is None else signature_of(d) for op_type, d in found.items()}


def _assert_same(table: NodeTable, reference: MessageTable) -> None:
    assert table.encoded == reference.encoded
    assert table.op_types == reference.op_types
    assert table.op_of.tolist() == reference.op_of.tolist()
    assert table.devices == reference.devices
    assert list(table.inputs()) == list(reference.inputs())
    places = np.arange(0, table.bounds[-1], 3)
    assert table.inputs_at(places) == reference.inputs_at(places)
    assert table.bounds.tolist() == reference.bounds.tolist()
    assert [table.node(row) for row in range(len(table))] == [reference.node(row) for row in range(len(table))]
    for attr in ("T", "_class", "_output_shapes", "dtype", "no such attribute"):
        assert _values(table, attr) == _values(reference, attr), attr
    assert _types(table) == _types(reference)


def _values(table: NodeTable, attr: str) -> dict[int, Any]:
    values = table.values(attr)
    return {row: proto.AttrValue.FromString(value) for row, value in zip(values.rows, values.encoded, strict=True)}


def _types(table: NodeTable) -> list[Any]:
    kinds, types = table.signature_types(_signatures(table))
    return [types[kind] for kind in kinds.tolist()]


def test_bytes_and_messages_give_the_same_columns() -> None:
    table, reference = _both(_written())
    assert isinstance(table, BytesTable)
    assert len(table) > 600
    _assert_same(table, reference)


def _node(**fields: str) -> bytes:
    node = proto.NodeDef(**fields)
    node.attr["T"].type = 1
    data: bytes = node.SerializeToString(deterministic=True)
    return data


def _field(tag: int, content: bytes) -> bytes:
    return bytes([tag, len(content)]) + content


@pytest.mark.parametrize(
    "unusual",
    [
        lambda: (
            _field(0x2A, _field(0x12, b"\x30\x03") + _field(0x0A, b"T")) + _field(0x12, b"Relu") + _field(0x0A, b"n")
        ),
        lambda: (
            _node(name="first", op="Relu")
            + _field(0x0A, b"last")
            + _field(0x2A, _field(0x0A, b"T") + b"\x12\x02\x30\x03")
        ),
        lambda: _node(name="n", op="Relu") + b"\xf8\x07\x05",
        lambda: _node(name="n\nm", op="Relu", device="Ger\u00e4t"),
        lambda: b"",
    ],
    ids=["value before key", "fields twice", "unknown number", "line end and umlaut", "nothing"],
)
def test_what_no_program_writes_is_read_as_protobuf_has_it(unusual: Callable[[], bytes]) -> None:
    known = b"".join(_field(0x0A, _node(name=f"n{i}", op="Relu")) for i in range(100))
    _assert_same(*_both(known + _field(0x0A, unusual()) + known))


def test_a_short_graph_ends_with_an_attribute() -> None:
    _assert_same(*_both(_field(0x0A, _node(name="a", op="Abs"))))
    _assert_same(*_both(b""))


def test_a_damaged_node_is_named() -> None:
    data = bytearray(b"".join(_field(0x0A, _node(name=f"n{i:03}", op="Relu")) for i in range(600)))
    at = data.index(b"n555") + 4
    data[at] = 0x17  # the tag of `op` becomes one that does not exist
    with pytest.raises(proto.DecodeError, match="node 555, at byte"):
        read_table(bytes(data), 0, len(data))


def test_what_follows_the_nodes_is_left() -> None:
    message = proto.GraphDef()
    message.node.add(name="a", op="NoOp")
    message.versions.producer = 22
    data = message.SerializeToString(deterministic=True)
    table, behind = read_table(data, 0, len(data))
    assert table.encoded == [b"a"]
    assert proto.GraphDef.FromString(data[behind:]).versions.producer == 22
