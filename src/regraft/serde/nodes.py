"""From a table of nodes to the operations of a graph: names, inputs, types. The rest of a node is decoded later.

This is the inner loop of opening a file; a node costs a few microseconds here. Three passes, all linear:

1. an Operation for each node, with the types of its outputs, which its attributes alone determine;
2. the inputs of each, and whether their types are the expected ones;
3. only where a node stands before one of its inputs: sorting. The order is TensorFlow's, which always takes the first
   node of the file that is ready.

Nothing enters the graph before all passes are through: an import that fails leaves the graph as it was.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count, pairwise
from typing import Any

import numpy as np

from regraft.base import devices, dtypes
from regraft.base.collector import no_collection
from regraft.base.dtypes import DType
from regraft.base.errors import UnimplementedError
from regraft.base.names import COLOCATION_PREFIX
from regraft.ir.graph import Graph
from regraft.ir.node import Operation, Tensor
from regraft.ir.op_def import OpDef
from regraft.serde.lazy_attrs import LazyAttrs
from regraft.serde.node_table import NodeTable
from regraft.serde.signature import InputsAndOutputs, Signature, signature_of

_FIRST_IN_NAMES = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.")
_IN_NAMES = "".join(_FIRST_IN_NAMES).encode() + b"_\\/>-"
_VALID_NAME = re.compile(r"[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*")
_MERGES = frozenset({"Merge", "RefMerge"})
_NEXT_ITERATIONS = frozenset({"NextIteration", "RefNextIteration"})

# What an input's text stands for: a tensor and its type, or (for a control input) an operation and None.
Source = tuple[Any, DType | None]
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
    by_name    the operations read, by their name in the file
    recorded   the operations, of ops that are not trusted, whose shapes the file records
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
        self.by_name: dict[str, Operation] = {}
        self.used: set[tuple[str, int]] = set()
        self.recorded: list[Operation] = []
        self._define = define
        self._naming = naming
        self._mapping = mapping
        self._strip = strip
        self._trusts = trusts
        self._producer = producer
        self._internal = internal
        # By the text of an input, see `Source`.
        self._targets: dict[str, Any] = {}
        self._dtypes: dict[str, DType | None] = {}
        self._signatures: dict[str, Signature | None] = {}
        self._unknown: list[Operation] = []
        self._as_written = not naming.changes and not mapping
        self._in_order = True

    def read(self, table: NodeTable) -> list[Operation]:
        """The operations of the nodes, in the order in which they enter the graph; they are not in it yet.

        raises  ValueError where the nodes contradict each other or their ops, as TensorFlow does
        """
        with no_collection():
            doubtful = self._find_signatures(table)
            if doubtful:
                self._fit_attributes(table, doubtful)
            types = table.signature_types(self._signatures)
            ops = self._make(table, types)
            self._check_names(table)
            if doubtful or self._naming.changes:
                self._colocate(table, ops, doubtful)
            if doubtful:
                self._check_recorded(table, ops, doubtful)
            self._connect(table, ops, types)
            for op in self._unknown:
                self._settle(op)
            if not self._in_order:
                ops = self._sorted(ops)
            self._targets, self._dtypes = {}, {}
        return ops

    # First pass

    def _find_signatures(self, table: NodeTable) -> set[str]:
        """Find the signature of each op; of which ops the nodes' attributes have to be looked at is the answer."""
        doubtful = set()
        for op_type in dict.fromkeys(table.types):
            definition = self._define(op_type) if op_type else None
            self._signatures[op_type] = None if definition is None else signature_of(definition)
            if definition is not None and not self._trusts(definition):
                doubtful.add(op_type)
            if not op_type:
                raise ValueError(f"Node {_first(table, op_type)!r} does not specify an operation")
            if definition is not None and 0 < definition.deprecation <= self._producer:
                raise UnimplementedError(
                    f"Op {op_type} is not available in GraphDef version {self._producer}. "
                    f"It has been removed in version {definition.deprecation}. {definition.deprecation_explanation}",
                    where=(f"node {_first(table, op_type)!r}",),
                )
        return doubtful

    def _fit_attributes(self, table: NodeTable, doubtful: set[str]) -> None:
        """Check the attributes of these ops' nodes; drop those that the file's program has and we do not."""
        for row, op_type in enumerate(table.types):
            signature = self._signatures[op_type]
            if op_type not in doubtful or signature is None:
                continue
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

    def _make(self, table: NodeTable, types: list[InputsAndOutputs]) -> list[Operation]:
        graph, naming = self.graph, self._naming
        names = [naming.of(name) for name in table.names] if naming.changes else table.names
        devices = {text: _canonical(text) for text in dict.fromkeys(table.devices)}
        defaults = {op_type: s.defaults if s else {} for op_type, s in self._signatures.items()}
        ids = count(graph.next_id)
        columns = zip(count(), names, table.types, types, table.devices, ids)
        ops = [
            Operation(graph, name, op, (), (), LazyAttrs(table, row, defaults[op]), gives, devices[device], id)
            for row, name, op, (_, gives), device, id in columns
        ]
        self.by_name = dict(zip(table.names, ops, strict=True))
        if len(self.by_name) != len(ops):
            seen: set[str] = set()
            for name in table.names:
                if name in seen:
                    raise ValueError(f"Node {name!r} is not unique")
                seen.add(name)
        if None in self._signatures.values():
            self._unknown = [op for op in ops if self._signatures[op.type] is None]
        return ops

    def _check_names(self, table: NodeTable) -> None:
        if self._internal:
            return
        # One look at all names together; only where there is a bad one, it is looked for in earnest.
        odd = "".join(table.names).encode().translate(None, _IN_NAMES)
        if odd or not _FIRST_IN_NAMES.issuperset({name[:1] for name in table.names}):
            for name in table.names:
                if not _VALID_NAME.fullmatch(name):
                    raise ValueError(f"Node {name!r}: Node name contains invalid characters")

    def _colocate(self, table: NodeTable, ops: list[Operation], doubtful: set[str]) -> None:
        """Check that groups name nodes which are there, and give groups their new names."""
        changes = self._naming.changes
        for row in table.having("_class"):
            op = ops[row]
            if not changes and op.type not in doubtful:
                continue
            groups = op.attrs["_class"]
            for group in groups:
                if group.startswith(COLOCATION_PREFIX) and group[len(COLOCATION_PREFIX) :].decode() not in self.by_name:
                    raise ValueError(
                        f"Node {table.names[row]!r} expects to be colocated with unknown node "
                        f"{group[len(COLOCATION_PREFIX) :].decode()!r}"
                    )
            if changes:
                assert isinstance(op.attrs, LazyAttrs)
                op.attrs.give("_class", tuple(self._group(group) for group in groups))

    def _group(self, group: bytes) -> bytes:
        known = group.startswith(COLOCATION_PREFIX)
        return (
            COLOCATION_PREFIX + self._naming.of(group[len(COLOCATION_PREFIX) :].decode()).encode() if known else group
        )

    def _check_recorded(self, table: NodeTable, ops: list[Operation], doubtful: set[str]) -> None:
        for row in table.having("_output_shapes"):
            op = ops[row]
            if op.type not in doubtful:
                continue
            shapes = len(table.node(row).attr["_output_shapes"].list.shape)
            if shapes < len(op.output_types):
                raise ValueError(
                    f"Node {table.names[row]!r} has {len(op.output_types)} outputs but the _output_shapes attribute "
                    f"specifies shapes for {shapes} outputs"
                )
            self.recorded.append(op)

    # Second pass

    def _connect(self, table: NodeTable, ops: list[Operation], types: list[InputsAndOutputs]) -> None:
        if table.inputs:
            self._find_sources(table, ops)
        targets = [self._targets[text] for text in table.inputs]
        dtypes = [self._dtypes[text] for text in table.inputs]
        for op, (wanted, _), (first, last) in zip(ops, types, pairwise(table.bounds), strict=True):
            if first == last and not wanted:
                continue
            if tuple(dtypes[first:last]) == wanted:
                op._inputs = tuple(targets[first:last])
            else:
                self._connect_with_care(op, list(zip(targets[first:last], dtypes[first:last], strict=True)), wanted)
        table.inputs, table.bounds = [], []
        if self._as_written:
            table.links = ([op._inputs for op in ops], [op._controls for op in ops])

    def _find_sources(self, table: NodeTable, ops: list[Operation]) -> None:
        """What each text among the inputs stands for, and whether a source comes only after its consumer."""
        targets, dtypes, by_name, first = self._targets, self._dtypes, self.by_name, self.graph.next_id
        mapped = {name for name, _ in self._mapping}
        consumers = np.repeat(np.arange(len(ops)), np.diff(table.bounds)).tolist()
        for text, row in zip(table.inputs, consumers, strict=True):
            if text in targets:
                continue
            source = by_name.get(text)
            if source is None or not source.output_types or text in mapped:
                targets[text], dtypes[text] = self._resolve(ops[row], table.names[row], text)
                continue
            if source._id >= first + row:
                self._look_ahead(ops[row], source)
            outputs, types = source._outputs, source.output_types
            if outputs is None:
                outputs = source._outputs = [Tensor(source, 0)] if len(types) == 1 else source.outputs
            targets[text], dtypes[text] = outputs[0], types[0]

    def _connect_with_care(self, op: Operation, found: list[Source], wanted: tuple[DType, ...]) -> None:
        """Take inputs that are not one for one of the types that the op wants: controls, references, mistakes."""
        inputs: list[Tensor] = []
        controls: list[Operation] = []
        for target, dtype in found:
            if dtype is None:
                controls.append(target)
                continue
            if controls:
                raise ValueError(f"Node {op.name!r}: Control dependencies must come after regular dependencies")
            at = len(inputs)
            if at < len(wanted) and dtype is not wanted[at]:
                self._check_type(op, at, target, dtype, wanted[at])
            inputs.append(target)
        if len(inputs) != len(wanted) and self._signatures[op.type] is not None:
            self._wrong_count(op, wanted, len(inputs))
        op._inputs = tuple(inputs)
        if controls:
            op._controls = tuple(controls) if len(controls) == 1 else tuple(dict.fromkeys(controls))

    def _resolve(self, op: Operation, consumer: str, text: str) -> Source:
        """What an input's text names, where it is not simply a node. `op`, `consumer` in the file, says it first."""
        if text.startswith("^"):
            name, index = text[1:], -1
        else:
            name, colon, digits = text.rpartition(":")
            if colon and digits.isdecimal():
                index = int(digits)
                if digits[0] == "0":
                    self._as_written = False  # TensorFlow writes `node:0` as `node`
            else:
                name, index = text, 0
        source = self._mapped(name, index)
        if source is None:
            target = self.by_name.get(name)
            if target is None:
                raise ValueError(f"Node {consumer!r}: Unknown input node {text!r}")
            if target._id >= op._id:
                self._look_ahead(op, target)
            source = (target, None) if index < 0 else self._output(consumer, target, index)
        return source

    def _mapped(self, name: str, index: int) -> Source | None:
        target = self._mapping.get((name, index))
        if target is None:
            return None
        self.used.add((name, index))
        return target, (None if index < 0 else target.dtype)

    def _output(self, consumer: str, target: Operation, index: int) -> Source:
        if index >= len(target.output_types):
            if self._signatures[target.type] is not None:
                raise ValueError(
                    f"Node {consumer!r}: Connecting to invalid output {index} of source node {target.name} "
                    f"which has {len(target.output_types)} outputs."
                )
            self._grow(target, index + 1)
        return target.outputs[index], target.output_types[index]

    def _look_ahead(self, op: Operation, source: Operation) -> None:
        if not (op.type in _MERGES and source.type in _NEXT_ITERATIONS):
            self._in_order = False

    def _check_type(self, op: Operation, index: int, tensor: Tensor, given: DType, wanted: DType) -> None:
        if wanted is dtypes.unknown:
            return
        if given is dtypes.unknown:
            source = tensor.op
            types = list(source.output_types)
            types[tensor.value_index] = wanted
            source.output_types = tuple(types)
        elif given is not wanted and given.base is not wanted:
            raise ValueError(
                f"Input {index} of node {op.name} was passed {given.status_name} from {tensor.name} incompatible with "
                f"expected {wanted.status_name}."
            )

    def _wrong_count(self, op: Operation, wanted: tuple[DType, ...], count: int) -> None:
        types = ", ".join(t.status_name for t in wanted)
        raise ValueError(
            f"NodeDef expected inputs {types!r} do not match {count} inputs specified; "
            f"node {op.name!r} (op: {op.type!r})"
        )

    # Ops that nobody knows

    def _grow(self, op: Operation, count: int) -> None:
        outputs = op.outputs
        op.output_types += (dtypes.unknown,) * (count - len(op.output_types))
        outputs.extend(Tensor(op, i) for i in range(len(outputs), count))

    def _settle(self, op: Operation) -> None:
        """Give an op without a signature as many outputs as its recorded shapes say, if nobody asked for more."""
        recorded = op.attrs.get("_output_shapes") or ()
        if len(recorded) > len(op.output_types):
            self._grow(op, len(recorded))

    # Third pass

    def _sorted(self, ops: list[Operation]) -> list[Operation]:
        first = ops[0]._id
        waits = [0] * len(ops)
        feeds: list[list[int]] = [[] for _ in ops]
        for at, op in enumerate(ops):
            data = [t.op._id - first for t in op._inputs if t.op._id >= first]
            controls = [c._id - first for c in op._controls if c._id >= first]
            looped = op.type in _MERGES and any(ops[s].type in _NEXT_ITERATIONS for s in data)
            waits[at] = len(controls) + (min(1, len(data)) if looped else len(data))
            for source in (*data, *controls):
                feeds[source].append(at)
        ready = [at for at, count in enumerate(waits) if count == 0]
        order: list[int] = []
        while ready:
            at = heapq.heappop(ready)
            order.append(at)
            for consumer in feeds[at]:
                waits[consumer] -= 1
                if waits[consumer] == 0:
                    heapq.heappush(ready, consumer)
        if len(order) != len(ops):
            left = [ops[at].name for at, count in enumerate(waits) if count > 0]
            raise ValueError(f"{len(left)} nodes in a cycle, {left[0]!r} among them: {', '.join(left[:8])}")
        ops = [ops[at] for at in order]
        for i, op in enumerate(ops):
            op._id = first + i
        return ops


def _first(table: NodeTable, op_type: str) -> str:
    return table.names[table.types.index(op_type)]


def _canonical(text: str) -> str:
    try:
        return devices.canonical(text)
    except ValueError:
        return text  # kept for whoever can read it; placement is not up to the file
