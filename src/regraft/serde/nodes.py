"""From a table of nodes to the nodes of a graph: names, attributes, types, inputs. All are checked, none is made.

Nothing enters the graph before all checks are through: an import that fails leaves the graph as it was.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from regraft import proto
from regraft.base import devices, dtypes
from regraft.base.collector import no_collection
from regraft.base.errors import UnimplementedError
from regraft.base.names import COLOCATION_PREFIX
from regraft.ir.graph import Graph
from regraft.ir.op_def import OpDef
from regraft.serde.edges import EdgeReader
from regraft.serde.file_nodes import FileNodes
from regraft.serde.lazy_attrs import LazyAttrs
from regraft.serde.node_table import NodeTable
from regraft.serde.signature import Signature, signature_of

_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789."
_FIRST_IN_NAMES = frozenset(bytes([letter]) for letter in _LETTERS)
_IN_NAMES = _LETTERS + b"_\\/>-"
_VALID_NAME = re.compile(rb"[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*")

_AT_ONCE = 256

SignatureOf = Callable[[str], OpDef | None]


@dataclass
class Naming:
    """The names that nodes get.

    prefix   put before each name, with its slash; "" at the root
    renames  new names of those that could not keep theirs, both with the prefix
    """

    prefix: str = ""
    renames: Mapping[str, str] = field(default_factory=dict)

    def of(self, name: str) -> str:
        full = self.prefix + name
        return self.renames.get(full, full)

    @property
    def changes(self) -> bool:
        return bool(self.prefix or self.renames)


class NodeReader:
    """Reads the nodes of one GraphDef.

    define     the OpDef of an op type, or None where nobody knows the op
    strip      given a NodeDef and an attribute that its op does not have: whether it may be dropped
    trusts     whether nodes of an op need no look at the names of their attributes, nor at their colocation groups
    mapping    (node, output) to a tensor of the graph that is to be taken instead; (node, -1) to an operation
    internal   whether names may begin with an underscore
    producer   GraphDef version of the program that wrote the nodes
    recorded   the rows, of ops that are not trusted, whose shapes the file records
    used       keys of `mapping` that some node asked for
    """

    def __init__(
        self,
        graph: Graph,
        define: SignatureOf,
        naming: Naming,
        mapping: Mapping[tuple[str, int], Any],
        strip: Callable[[Any, str], bool],
        trusts: Callable[[OpDef], bool],
        producer: int,
        internal: bool = False,
    ) -> None:
        self.graph = graph
        self.used: set[tuple[str, int]] = set()
        self.recorded: list[int] = []
        self._define = define
        self._naming = naming
        self._mapping = mapping
        self._strip = strip
        self._trusts = trusts
        self._producer = producer
        self._internal = internal
        self._signatures: dict[str, Signature | None] = {}  # in the order of the table's `op_types`

    def read(self, table: NodeTable) -> FileNodes:
        """The nodes, not in the graph yet.

        raises  ValueError where the nodes contradict each other or their ops, as TensorFlow does
        """
        with no_collection():
            doubtful = self._find_signatures(table)
            if doubtful.any():
                self._fit_attributes(table, doubtful)
            kinds, types = table.signature_types(self._signatures)
            self._check_names(table)
            naming = self._naming
            names = [naming.of(table.name(row)) for row in range(len(table))] if naming.changes else None
            defaults = [{} if s is None else s.defaults for s in self._signatures.values()]
            nodes = FileNodes(self.graph, table, names, defaults, kinds.tolist(), types)
            canonical = {text: _canonical(text) for text in set(table.devices.values())}
            nodes.devices = {row: canonical[text] for row, text in table.devices.items()}
            if doubtful.any() or naming.changes:
                nodes.groups = self._groups(table, doubtful)
            if doubtful.any():
                self._check_recorded(nodes, doubtful)
            by_op = np.array([signature is None for signature in self._signatures.values()], bool)
            unknown = set(np.flatnonzero(by_op[table.op_of]).tolist())
            edges = EdgeReader(table, nodes.name_of, kinds, types, unknown, self._mapping)
            nodes.edges = edges.read()
            nodes.outputs = edges.outputs
            for row in unknown:
                self._settle(nodes, row)
            nodes.order = edges.order(nodes.edges)
            nodes.faithful = not (naming.changes or self._mapping or edges.padded)
            self.used = edges.used
        return nodes

    def _find_signatures(self, table: NodeTable) -> npt.NDArray[np.bool_]:
        """Find the signature of each op; of which rows the attributes have to be looked at is the answer."""
        doubtful = []
        for op_type in table.op_types:
            definition = self._define(op_type) if op_type else None
            self._signatures[op_type] = None if definition is None else signature_of(definition)
            doubtful.append(definition is not None and not self._trusts(definition))
            if not op_type:
                raise ValueError(f"Node {_first(table, op_type)!r} does not specify an operation")
            if definition is not None and 0 < definition.deprecation <= self._producer:
                raise UnimplementedError(
                    f"Op {op_type} is not available in GraphDef version {self._producer}. "
                    f"It has been removed in version {definition.deprecation}. {definition.deprecation_explanation}",
                    where=(f"node {_first(table, op_type)!r}",),
                )
        return np.array(doubtful, bool)[table.op_of]

    def _fit_attributes(self, table: NodeTable, doubtful: npt.NDArray[np.bool_]) -> None:
        """Check the attributes of these rows; drop those that the file's program has and we do not."""
        signatures = list(self._signatures.values())
        for row in np.flatnonzero(doubtful).tolist():
            signature = signatures[table.op_of[row]]
            assert signature is not None
            node = table.node(row)
            names = frozenset(node.attr)
            if names not in signature.fitting and self._fit(signature, node, names):
                table.replace(row, node)

    def _fit(self, signature: Signature, node: Any, names: frozenset[str]) -> bool:
        """Whether something was dropped."""
        op = signature.definition
        extra = signature.unknown_attributes(names)
        for name in extra:
            if not self._strip(node, name):
                raise ValueError(
                    f"NodeDef mentions attr {name!r} not in Op<name={op.name}; attrs={sorted(op.attrs)}>; "
                    f"NodeDef: {node.name!r}. (Check whether your GraphDef-interpreting binary is up to date with your "
                    "GraphDef-generating binary.)."
                )
            del node.attr[name]
        for name in signature.required:
            if name not in names:
                raise ValueError(
                    f"NodeDef missing attr {name!r} from Op<name={op.name}; attrs={sorted(op.attrs)}>; "
                    f"NodeDef: {node.name!r}"
                )
        if not extra:
            signature.fitting.add(names)
        return bool(extra)

    def _check_names(self, table: NodeTable) -> None:
        if len(table.rows) != len(table):
            seen: set[bytes] = set()
            for name in table.encoded:
                if name in seen:
                    raise ValueError(f"Node {name.decode()!r} is not unique")
                seen.add(name)
        if self._internal:
            return
        # A look at many names together; only where there is a bad one, it is looked for in earnest.
        for first in range(0, len(table), _AT_ONCE):
            some = table.encoded[first : first + _AT_ONCE]
            odd = b"".join(some).translate(None, _IN_NAMES)
            if odd or not _FIRST_IN_NAMES.issuperset([name[:1] for name in some]):
                for name in some:
                    if not _VALID_NAME.fullmatch(name):
                        raise ValueError(f"Node {name.decode()!r}: Node name contains invalid characters")

    def _groups(self, table: NodeTable, doubtful: npt.NDArray[np.bool_]) -> dict[int, tuple[bytes, ...]]:
        """Check that groups name nodes which are there; where names change, `_class` by row, with their new names."""
        changes = self._naming.changes
        values = table.values("_class")
        known: dict[bytes, tuple[bytes, ...]] = {}
        for row, value in zip(values.rows, values.encoded, strict=True):
            if value in known or not (changes or doubtful[row]):
                continue
            groups = tuple(proto.AttrValue.FromString(value).list.s)
            for name in _nodes_in(groups):
                if table.row(name) is None:
                    raise ValueError(f"Node {table.name(row)!r} expects to be colocated with unknown node {name!r}")
            known[value] = tuple(self._group(group) for group in groups)
        return dict(zip(values.rows, map(known.__getitem__, values.encoded), strict=True)) if changes else {}

    def _group(self, group: bytes) -> bytes:
        known = group.startswith(COLOCATION_PREFIX)
        return (
            COLOCATION_PREFIX + self._naming.of(group[len(COLOCATION_PREFIX) :].decode()).encode() if known else group
        )

    def _check_recorded(self, nodes: FileNodes, doubtful: npt.NDArray[np.bool_]) -> None:
        values = nodes.table.values("_output_shapes")
        for row, value in zip(values.rows, values.encoded, strict=True):
            if not doubtful[row]:
                continue
            shapes, outputs = len(proto.AttrValue.FromString(value).list.shape), len(nodes.outputs_of(row))
            if shapes < outputs:
                raise ValueError(
                    f"Node {nodes.table.name(row)!r} has {outputs} outputs but the _output_shapes attribute "
                    f"specifies shapes for {shapes} outputs"
                )
            self.recorded.append(row)

    def _settle(self, nodes: FileNodes, row: int) -> None:
        """Give an op without a signature as many outputs as its recorded shapes say, if nobody asked for more."""
        recorded = LazyAttrs(nodes.table, row, {}).get("_output_shapes") or ()
        types = nodes.outputs_of(row)
        if len(recorded) > len(types):
            nodes.outputs[row] = types + (dtypes.unknown,) * (len(recorded) - len(types))


def _first(table: NodeTable, op_type: str) -> str:
    row: int = table.op_of.tolist().index(table.op_types.index(op_type))
    return table.name(row)


def _nodes_in(groups: Iterable[bytes]) -> list[str]:
    """The nodes that a `_class` attribute names."""
    return [group[len(COLOCATION_PREFIX) :].decode() for group in groups if group.startswith(COLOCATION_PREFIX)]


def _canonical(text: str) -> str:
    try:
        return devices.canonical(text)
    except ValueError:
        return text  # kept for whoever can read it; placement is not up to the file
