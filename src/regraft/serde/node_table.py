"""The nodes of a GraphDef as columns: all names, all op types, all inputs.

A message object for each node of a large file takes longer to make, and more memory, than everything else in opening
it. So a file's nodes are kept as the bytes they are; a node becomes a NodeDef when somebody asks for its attributes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain, count, pairwise
from sys import intern
from typing import Any

import numpy as np

from regraft import proto
from regraft.serde.signature import InputsAndOutputs, Signature
from regraft.wire import columns
from regraft.wire.columns import Column, Fields, Octets

# Tags: number << 3 | 2, as all these fields are BYTES.
_NODE = 0x0A  # of a GraphDef
_NAME, _OP, _INPUT, _DEVICE, _ATTR = 0x0A, 0x12, 0x1A, 0x22, 0x2A  # of a NodeDef
_KEY, _VALUE = 0x0A, 0x12  # of an entry in a map

_AT_ONCE = 256
"""NodeDefs that are parsed, and contents that are cut out, together: few enough to use the same memory again."""

_NOTHING: InputsAndOutputs = ((), ())


class Values:
    """What nodes say with one attribute.

    rows     those of the nodes that have it
    encoded  for each of them the bytes of its value, an AttrValue
    """

    def __init__(self, rows: list[int], encoded: Iterable[bytes]) -> None:
        self.rows = rows
        self.encoded = list(encoded)

    def holding(self, texts: Iterable[bytes]) -> set[int]:
        """The rows in whose value one of these texts is found."""
        together = b"\n".join(self.encoded)
        sought = [text for text in texts if text in together]
        if not sought:
            return set()
        return {
            row for row, value in zip(self.rows, self.encoded, strict=True) if any(text in value for text in sought)
        }


class NodeTable:
    """The nodes of a GraphDef, in its order; a row is a node's place in it.

    encoded   the name of each node, in UTF-8: few of them are asked for as texts
    op_types  the texts of all op types, each once
    op_of     for each row, which of them is the node's
    devices   texts by row, of those nodes that have one
    bounds    the inputs of all nodes stand one behind another; those of row i are at bounds[i] : bounds[i + 1]
    """

    encoded: list[bytes]
    op_types: list[str]
    op_of: Column
    devices: dict[int, str]
    bounds: Column

    def __len__(self) -> int:
        return len(self.encoded)

    @cached_property
    def rows(self) -> dict[bytes, int]:
        """By its encoded name, the row of each node; of the last one where there are several."""
        return dict(zip(self.encoded, range(len(self)), strict=True))

    def name(self, row: int) -> str:
        """The name of a node."""
        return self.encoded[row].decode()

    def row(self, name: str) -> int | None:
        """The row of the node of this name, or None."""
        return self.rows.get(name.encode())

    def inputs(self) -> Iterator[bytes]:
        """The texts of all inputs, encoded."""
        raise NotImplementedError

    def inputs_at(self, places: Column) -> list[bytes]:
        """The texts of the inputs at these places, encoded."""
        raise NotImplementedError

    def node(self, row: int) -> Any:
        """The NodeDef of a row. Changes to it are lost unless it is given back to `replace`."""
        raise NotImplementedError

    def replace(self, row: int, node: Any) -> None:
        """Let this NodeDef, of the same name, op and inputs, stand in the row."""
        raise NotImplementedError

    def values(self, attr: str) -> Values:
        """What the nodes say that have this attribute."""
        raise NotImplementedError

    def signature_types(self, signatures: Mapping[str, Signature | None]) -> tuple[Column, list[InputsAndOutputs]]:
        """For each row the number of what `Signature.types` says of it, and all that it says of any.

        An op without a signature has no types.

        signatures  by op type, in the order of `op_types`
        raises      ValueError naming the node where an attribute is of no use
        """
        raise NotImplementedError

    def _types_of(self, signature: Signature, row: int) -> InputsAndOutputs:
        node = self.node(row)
        try:
            return signature.types(node.attr)
        except (TypeError, KeyError) as e:
            raise ValueError(f"Node {node.name!r} (op: {node.op!r}) has an unusable type attribute: {e}") from e


class MessageTable(NodeTable):
    """The table of NodeDef messages that nobody changes afterwards."""

    def __init__(self, nodes: Sequence[Any]) -> None:
        self._nodes = list(nodes)
        self.encoded = [node.name.encode() for node in self._nodes]
        self.op_types, self.op_of = _numbered(node.op.encode() for node in self._nodes)
        self.devices = {row: device for row, node in enumerate(self._nodes) if (device := node.device)}
        self.bounds = _bounds(np.array([len(node.input) for node in self._nodes], np.int64))

    def inputs(self) -> Iterator[bytes]:
        return (text.encode() for node in self._nodes for text in node.input)

    def inputs_at(self, places: Column) -> list[bytes]:
        texts = list(self.inputs()) if len(places) else []
        return [texts[place] for place in places.tolist()]

    def node(self, row: int) -> Any:
        return self._nodes[row]

    def replace(self, row: int, node: Any) -> None:
        self._nodes[row] = node

    def values(self, attr: str) -> Values:
        rows = [row for row, node in enumerate(self._nodes) if attr in node.attr]
        return Values(rows, (self._nodes[row].attr[attr].SerializeToString(deterministic=True) for row in rows))

    def signature_types(self, signatures: Mapping[str, Signature | None]) -> tuple[Column, list[InputsAndOutputs]]:
        by_op = list(signatures.values())
        found: list[InputsAndOutputs] = []
        for row, op in enumerate(self.op_of.tolist()):
            signature = by_op[op]
            found.append(_NOTHING if signature is None else self._types_of(signature, row))
        kinds = {id(types): types for types in found}  # a signature gives equal nodes the same object
        numbers = dict(zip(kinds, count(), strict=False))
        return np.fromiter((numbers[id(types)] for types in found), np.int64, len(found)), list(kinds.values())


class BytesTable(NodeTable):
    """The table of NodeDefs that lie one behind another in a file's bytes; see `read_table`."""

    def __init__(
        self, data: bytes, octets: Octets, starts: Column, ends: Column, fields: Fields, values: Column
    ) -> None:
        self._data, self._octets, self._starts, self._ends = data, octets, starts, ends
        self._attrs = fields.of(_ATTR)
        self._values = values
        self._heads = columns.heads(octets, self._attrs)
        self._replaced: dict[int, Any] = {}
        self.encoded = list(_one_each(data, fields.of(_NAME), len(starts)))
        self.op_types, self.op_of = _numbered(_one_each(data, fields.of(_OP), len(starts)))
        found = fields.of(_DEVICE)
        devices = zip(found.message.tolist(), _contents(data, found.start, found.end), strict=True)
        self.devices = {row: device.decode() for row, device in devices if device}
        self._inputs = fields.of(_INPUT).in_order()
        self.bounds = _bounds(np.bincount(self._inputs.message, minlength=len(starts)))

    def inputs(self) -> Iterator[bytes]:
        return _contents(self._data, self._inputs.start, self._inputs.end)

    def inputs_at(self, places: Column) -> list[bytes]:
        return list(_contents(self._data, self._inputs.start[places], self._inputs.end[places]))

    def node(self, row: int) -> Any:
        replaced = self._replaced.get(row)
        if replaced is not None:
            return replaced
        return proto.NodeDef.FromString(self._data[self._starts[row] : self._ends[row]])

    def replace(self, row: int, node: Any) -> None:
        self._replaced[row] = node

    def values(self, attr: str) -> Values:
        entries = self._entries(attr)
        encoded = _contents(self._data, self._values[entries], self._attrs.end[entries])
        return Values(self._attrs.message[entries].tolist(), encoded)

    def signature_types(self, signatures: Mapping[str, Signature | None]) -> tuple[Column, list[InputsAndOutputs]]:
        by_op = np.argsort(self.op_of, kind="stable")
        bounds = np.searchsorted(self.op_of[by_op], np.arange(len(signatures) + 1)).tolist()
        codes = {attr: self._codes(attr) for attr in {a for s in signatures.values() if s for a in s.deciding}}
        found: list[InputsAndOutputs] = []
        kinds = np.empty(len(self), np.int64)
        for signature, (first, last) in zip(signatures.values(), pairwise(bounds), strict=True):
            rows = by_op[first:last]
            if signature is None:
                kinds[rows] = len(found)
                found.append(_NOTHING)
                continue
            # Nodes of one op whose deciding attributes are the same bytes have the same types: one of them is asked.
            kind, one = np.zeros(len(rows), np.int64), rows[:1]
            for attr in signature.deciding:
                code = codes[attr][rows]
                if (code == code[0]).all():
                    continue
                _, places, kind = np.unique(kind * (code.max() + 1) + code, return_index=True, return_inverse=True)
                one = rows[places]
            kinds[rows] = kind + len(found)
            found.extend([self._types_of(signature, row) for row in one.tolist()])
        return kinds, found

    def _entries(self, attr: str) -> Column:
        """The attributes of this name, as rows of `_attrs`."""
        name = attr.encode()
        prefix = bytes([_KEY, len(name)]) + name + bytes([_VALUE])
        return columns.begins_with(self._octets, self._attrs, self._heads, prefix)

    def _codes(self, attr: str) -> Column:
        """For each row a number that stands for the value of this attribute, 0 where the node has none."""
        entries = self._entries(attr)
        start, end = self._values[entries], self._attrs.end[entries]
        # The usual value is a tag and a number of one byte, which tell it from all others.
        usual = end - start == 2
        last = self._octets[end - 1].astype(np.int64)
        code = (self._octets[end - 2].astype(np.int64) << 8) + last + 1
        long = np.flatnonzero(~usual | (last > 127))
        known: dict[bytes, int] = {}
        contents = _contents(self._data, start[long], end[long])
        code[long] = [known.setdefault(content, len(known) + (1 << 16) + 1) for content in contents]
        codes = np.zeros(len(self), np.int32)
        codes[self._attrs.message[entries]] = code
        return codes


def _numbered(texts: Iterable[bytes]) -> tuple[list[str], Column]:
    """The different ones among the encoded texts, decoded, and for each text which of them it is."""
    known: defaultdict[bytes, int] = defaultdict(count().__next__)
    numbers = np.array(list(map(known.__getitem__, texts)), np.int64)
    return [intern(text.decode()) for text in known], numbers


def _bounds(counts: Column) -> Column:
    bounds = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=bounds[1:])
    return bounds


def _contents(data: bytes, start: Column, end: Column) -> Iterator[bytes]:
    """The bytes data[start[i] : end[i]], one by one."""
    return chain.from_iterable(_content_lists(data, start, end))


def _content_lists(data: bytes, start: Column, end: Column) -> Iterator[list[bytes]]:
    for first in range(0, len(start), _AT_ONCE):
        some = slice(first, first + _AT_ONCE)
        yield [data[a:b] for a, b in zip(start[some].tolist(), end[some].tolist(), strict=True)]


def _one_each(data: bytes, fields: Fields, count: int) -> Iterable[bytes]:
    """A field's content for each message; the last one, as protobuf has it, and nothing where there is none."""
    rows, contents = fields.message, _contents(data, fields.start, fields.end)
    if len(rows) == count and (rows[1:] > rows[:-1]).all():
        return contents
    last = [b""] * count
    for row, content in zip(rows.tolist(), contents, strict=True):
        last[row] = content
    return last


def read_table(data: bytes, start: int, end: int) -> tuple[NodeTable, int]:
    """The table of the nodes with which a GraphDef in data[start:end] begins, and where they end.

    raises  DecodeError naming the first node that is not whole
    """
    octets = np.frombuffer(data, np.uint8)
    starts, ends = columns.leading(data, octets, start, end, _NODE)
    _check_whole(data, start, starts, ends)
    behind = int(ends[-1]) if len(ends) else start
    fields = columns.fields_of(octets, starts, ends)
    values = None if fields is None else _values_in(octets, fields.of(_ATTR))
    if fields is None or values is None:
        return MessageTable([proto.NodeDef.FromString(node) for node in _contents(data, starts, ends)]), behind
    return BytesTable(data, octets, starts, ends, fields, values), behind


def _check_whole(data: bytes, start: int, starts: Column, ends: Column) -> None:
    """Parse all nodes once, for what is wrong with them."""
    for first in range(0, len(starts), _AT_ONCE):
        last = min(first + _AT_ONCE, len(starts))
        at = ends[first - 1] if first else start
        try:
            proto.GraphDef.FromString(data[at : ends[last - 1]])
        except proto.DecodeError:
            for row in range(first, last):
                try:
                    proto.NodeDef.FromString(data[starts[row] : ends[row]])
                except proto.DecodeError as e:
                    raise proto.DecodeError(f"node {row}, at byte {starts[row]:,}: {e}") from None
            raise


def _values_in(octets: Octets, attrs: Fields) -> Column | None:
    """Where the value of each attribute starts, which ends with it; None where some are no short key and then a value.

    Every known program writes the entries of a map so.
    """
    key = octets[attrs.start] == _KEY
    length = octets[attrs.start + 1].astype(np.int64)
    at = attrs.start + 2 + length
    if not (key & (length < 128) & (at < attrs.end)).all() or (octets[at] != _VALUE).any():
        return None
    at += 1
    ends = columns.lengths(octets, at)
    ends += at
    return at if (ends == attrs.end).all() else None


__all__ = ["BytesTable", "MessageTable", "NodeTable", "read_table"]
