"""The nodes of a GraphDef as columns: all names, all op types, all inputs.

A message object for each node of a large file takes longer to make, and more memory, than everything else in opening
it. So a file's nodes are kept as the bytes they are; a node becomes a NodeDef when somebody asks for its attributes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain, pairwise
from sys import intern
from typing import Any

import numpy as np

from regraft import proto
from regraft.ir.node import Operation, Tensor
from regraft.serde.signature import InputsAndOutputs, Signature
from regraft.wire import columns
from regraft.wire.columns import Column, Fields, Octets

# Tags: number << 3 | 2, as all these fields are BYTES.
_NODE = 0x0A  # of a GraphDef
_NAME, _OP, _INPUT, _DEVICE, _ATTR = 0x0A, 0x12, 0x1A, 0x22, 0x2A  # of a NodeDef
_KEY, _VALUE = 0x0A, 0x12  # of an entry in a map

_AT_ONCE = 512
"""NodeDefs that are parsed together to see that they are whole: few enough to use the same memory again and again."""

_NOTHING: InputsAndOutputs = ((), ())


class NodeTable:
    """The nodes of a GraphDef, in its order; a row is a node's place in it.

    names, types, devices  a text for each node
    inputs   the texts of all inputs, one node's behind another's; empty once the nodes are connected
    bounds   those of row i are inputs[bounds[i] : bounds[i + 1]]
    links    by row, the inputs and the controls of the operations; None until they are connected, and where they are
             not what the NodeDefs say, as names changed on the way in
    """

    names: list[str]
    types: list[str]
    devices: list[str]
    inputs: list[str]
    bounds: list[int]
    links: tuple[list[tuple[Tensor, ...]], list[tuple[Operation, ...]]] | None = None

    def __len__(self) -> int:
        return len(self.names)

    def node(self, row: int) -> Any:
        """The NodeDef of a row. Changes to it are lost unless it is given back to `replace`."""
        raise NotImplementedError

    def replace(self, row: int, node: Any) -> None:
        """Let this NodeDef, of the same name, op and inputs, stand in the row."""
        raise NotImplementedError

    def having(self, attr: str) -> list[int]:
        """The rows whose nodes have an attribute of this name."""
        raise NotImplementedError

    def signature_types(self, signatures: Mapping[str, Signature | None]) -> list[InputsAndOutputs]:
        """For each row what `Signature.types` says of it; no types where its op has no signature.

        raises  ValueError naming the node where an attribute is of no use
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
        self.names = [node.name for node in self._nodes]
        self.types = [node.op for node in self._nodes]
        self.devices = [node.device for node in self._nodes]
        inputs = [node.input[:] for node in self._nodes]
        self.inputs = list(chain.from_iterable(inputs))
        self.bounds = [0, *np.cumsum([len(texts) for texts in inputs], dtype=np.int64).tolist()]

    def node(self, row: int) -> Any:
        return self._nodes[row]

    def replace(self, row: int, node: Any) -> None:
        self._nodes[row] = node

    def having(self, attr: str) -> list[int]:
        return [row for row, node in enumerate(self._nodes) if attr in node.attr]

    def signature_types(self, signatures: Mapping[str, Signature | None]) -> list[InputsAndOutputs]:
        found: list[InputsAndOutputs] = []
        for row, op_type in enumerate(self.types):
            signature = signatures[op_type]
            found.append(_NOTHING if signature is None else self._types_of(signature, row))
        return found


class BytesTable(NodeTable):
    """The table of NodeDefs that lie one behind another in a file's bytes; see `read_table`."""

    def __init__(self, data: bytes, octets: Octets, starts: list[int], ends: list[int], fields: Fields) -> None:
        self._data, self._octets, self._starts, self._ends = data, octets, starts, ends
        self._attrs = fields.of(_ATTR)
        self._heads = columns.heads(octets, self._attrs)
        self._replaced: dict[int, Any] = {}
        self.names = _one_each(data, fields.of(_NAME), len(starts))
        self.types = [intern(op_type) for op_type in _one_each(data, fields.of(_OP), len(starts))]
        self.devices = _one_each(data, fields.of(_DEVICE), len(starts))
        inputs = fields.of(_INPUT).in_order()
        self.inputs = _texts(data, inputs)
        self.bounds = [0, *np.cumsum(np.bincount(inputs.message, minlength=len(starts))).tolist()]

    def node(self, row: int) -> Any:
        replaced = self._replaced.get(row)
        if replaced is not None:
            return replaced
        return proto.NodeDef.FromString(self._data[self._starts[row] : self._ends[row]])

    def replace(self, row: int, node: Any) -> None:
        self._replaced[row] = node

    def having(self, attr: str) -> list[int]:
        rows: list[int] = np.unique(self._attrs.message[self._entries(attr)]).tolist()
        return rows

    def signature_types(self, signatures: Mapping[str, Signature | None]) -> list[InputsAndOutputs]:
        numbers = {op_type: i for i, op_type in enumerate(signatures)}
        op = np.fromiter(map(numbers.__getitem__, self.types), np.int64, len(self))
        by_op = np.argsort(op, kind="stable")
        bounds = np.searchsorted(op[by_op], np.arange(len(numbers) + 1)).tolist()
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
        return [found[kind] for kind in kinds.tolist()]

    def _entries(self, attr: str) -> Column:
        """The attributes of this name, as rows of `_attrs`."""
        name = attr.encode()
        prefix = bytes([_KEY, len(name)]) + name + bytes([_VALUE])
        return columns.begins_with(self._octets, self._attrs, self._heads, prefix)

    def _codes(self, attr: str) -> Column:
        """For each row a number that stands for the value of this attribute, 0 where the node has none."""
        entries = self._entries(attr)
        start, end = self._attrs.start[entries], self._attrs.end[entries]
        # The usual value is a tag and a number of one byte, behind its length: two bytes tell it from all others.
        last = self._octets[end - 1].astype(np.int64)
        code = (self._octets[end - 2].astype(np.int64) << 8) + last + 1
        long = np.flatnonzero((end - start != len(attr.encode()) + 6) | (last > 127))
        known: dict[bytes, int] = {}
        places = zip(start[long].tolist(), end[long].tolist(), strict=True)
        code[long] = [known.setdefault(self._data[a:b], len(known) + (1 << 16) + 1) for a, b in places]
        codes = np.zeros(len(self), np.int64)
        codes[self._attrs.message[entries]] = code
        return codes


def _one_each(data: bytes, fields: Fields, count: int) -> list[str]:
    """A field's text for each message; the last one, as protobuf has it, and "" where there is none."""
    rows = fields.message
    if len(rows) == count and (rows[1:] > rows[:-1]).all():
        return _texts(data, fields)
    texts = [""] * count
    for row, text in zip(rows.tolist(), _texts(data, fields), strict=True):
        texts[row] = text
    return texts


def _texts(data: bytes, fields: Fields) -> list[str]:
    parts = [data[start:end] for start, end in zip(fields.start.tolist(), fields.end.tolist(), strict=True)]
    texts = b"\n".join(parts).decode().split("\n")  # one call for all of them, but for names that no node may have
    return texts if len(texts) == len(parts) else [part.decode() for part in parts]


def read_table(data: bytes, start: int, end: int) -> tuple[NodeTable, int]:
    """The table of the nodes with which a GraphDef in data[start:end] begins, and where they end.

    raises  DecodeError naming the first node that is not whole
    """
    starts, ends = columns.leading(data, start, end, _NODE)
    _check_whole(data, start, starts, ends)
    octets = np.frombuffer(data, np.uint8)
    fields = columns.fields_of(octets, np.array(starts, np.int64), np.array(ends, np.int64))
    if fields is None or not _usual(octets, fields.of(_ATTR)):
        return MessageTable([proto.NodeDef.FromString(data[a:b]) for a, b in zip(starts, ends, strict=True)]), ends[-1]
    return BytesTable(data, octets, starts, ends, fields), ends[-1] if ends else start


def _check_whole(data: bytes, start: int, starts: list[int], ends: list[int]) -> None:
    """Parse all nodes once, for what is wrong with them."""
    for first in range(0, len(starts), _AT_ONCE):
        at, last = ends[first - 1] if first else start, min(first + _AT_ONCE, len(starts))
        try:
            proto.GraphDef.FromString(data[at : ends[last - 1]])
        except proto.DecodeError:
            for row in range(first, last):
                try:
                    proto.NodeDef.FromString(data[starts[row] : ends[row]])
                except proto.DecodeError as e:
                    raise proto.DecodeError(f"node {row}, at byte {starts[row]:,}: {e}") from None
            raise


def _usual(octets: Octets, attrs: Fields) -> bool:
    """Whether each attribute is a short key and then a value, as every known program writes the entries of a map."""
    key = octets[attrs.start] == _KEY
    length = octets[attrs.start + 1].astype(np.int64)
    value = attrs.start + 2 + length
    fits = (length < 128) & (value < attrs.end)
    return bool((key & fits).all() and (octets[value] == _VALUE).all())


__all__ = ["BytesTable", "MessageTable", "NodeTable", "read_table"]
