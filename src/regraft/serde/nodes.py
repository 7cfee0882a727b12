"""From NodeDefs to the operations of a graph: names, inputs, types. Everything else about a node is decoded later.

This is the inner loop of opening a file; a node costs a few microseconds here. Three passes, all linear:

1. an Operation for each NodeDef, with the types of its outputs, which its attributes alone determine;
2. the inputs of each, and whether their types are the expected ones;
3. only where a node stands before one of its inputs: sorting. The order is TensorFlow's, which always takes the first
   node of the file that is ready.

Nothing enters the graph before all passes are through: an import that fails leaves the graph as it was.
"""

from __future__ import annotations

import gc
import heapq
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from regraft.base import devices, dtypes
from regraft.base.dtypes import DType
from regraft.base.errors import UnimplementedError
from regraft.ir.graph import Graph
from regraft.ir.node import Operation, Tensor
from regraft.ir.op_def import OpDef
from regraft.serde.lazy_attrs import LazyAttrs
from regraft.serde.signature import Signature, signature_of

_IN_NAMES = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.\\/>-\n"
_NOT_FIRST = (b"\n_", b"\n\\", b"\n/", b"\n>", b"\n-", b"\n\n")
_VALID_NAME = re.compile(r"[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*")
_MERGES = frozenset({"Merge", "RefMerge"})
_NEXT_ITERATIONS = frozenset({"NextIteration", "RefNextIteration"})
_NO_TYPES: tuple[DType, ...] = ()

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
        self._sources: dict[str, Source] = {}
        self._signatures: dict[str, tuple[Signature | None, bool]] = {}
        self._devices: dict[str, str] = {"": ""}
        self._unknown: list[Operation] = []
        self._attrs: list[LazyAttrs] = []
        self._as_written = not naming.changes and not mapping
        self._in_order = True

    def read(self, nodes: Sequence[Any]) -> list[Operation]:
        """The operations of the NodeDefs, in the order in which they enter the graph; they are not in it yet.

        raises  ValueError where the nodes contradict each other or their ops, as TensorFlow does
        """
        with no_collection():
            ops, expected = self._make(nodes)
            self._connect(ops, nodes, expected)
            for op in self._unknown:
                self._settle(op)
            if not self._in_order:
                ops = self._sorted(ops)
            self._sources = {}
        return ops

    # First pass

    def _make(self, nodes: Sequence[Any]) -> tuple[list[Operation], list[tuple[DType, ...]]]:
        graph, by_name, signatures, placed = self.graph, self.by_name, self._signatures, self._devices
        prefix, renames, changes = self._naming.prefix, self._naming.renames, self._naming.changes
        first = next_id = graph.next_id
        ops: list[Operation] = []
        all_attrs = self._attrs
        expected: list[tuple[DType, ...]] = []
        colocated: list[LazyAttrs] = []
        for node in nodes:
            name, op_type, attr = node.name, node.op, node.attr
            try:
                signature, trusted = signatures[op_type]
            except KeyError:
                signature, trusted = self._signature(op_type, name)
            if signature is not None:
                if trusted:
                    has_class = changes and "_class" in attr
                else:
                    attr_names = frozenset(attr)
                    has_class = "_class" in attr_names
                    if attr_names not in signature.fitting:
                        self._fit(signature, node, attr_names)
                try:
                    takes, gives = signature.types(attr)
                except (TypeError, KeyError) as e:
                    raise ValueError(f"Node {name!r} (op: {op_type!r}) has an unusable type attribute: {e}") from e
                recorded = not trusted and "_output_shapes" in attr_names
                if recorded:
                    _check_recorded(node, gives)
                attrs = LazyAttrs(node, signature.defaults)
            else:
                takes = gives = _NO_TYPES
                attrs = LazyAttrs(node, {})
                has_class = "_class" in attr
            device = node.device
            full = name
            if changes:
                full = prefix + name
                if renames:
                    full = renames.get(full, full)
            if device:
                known = placed.get(device)
                device = self._device(device) if known is None else known
            op = Operation(graph, full, op_type, (), (), attrs, gives, device, next_id)
            next_id += 1
            if signature is None:
                self._unknown.append(op)
            elif recorded:
                self.recorded.append(op)
            if has_class:
                colocated.append(attrs)
            by_name[name] = op
            ops.append(op)
            all_attrs.append(attrs)
            expected.append(takes)
        if len(by_name) != next_id - first:
            seen: set[str] = set()
            for node in nodes:
                if node.name in seen:
                    raise ValueError(f"Node {node.name!r} is not unique")
                seen.add(node.name)
        self._check_names()
        for attrs in colocated:
            self._colocate(attrs)
        return ops, expected

    def _check_names(self) -> None:
        if self._internal:
            return
        # One look at all names together, without a loop in Python; only a bad one is looked for in earnest.
        lines = "\n".join(["", *self.by_name, ""]).encode()
        odd = lines.translate(None, _IN_NAMES) or any(start in lines for start in _NOT_FIRST)
        if odd or lines.count(b"\n") != len(self.by_name) + 1:
            for name in self.by_name:
                if not _VALID_NAME.fullmatch(name):
                    raise ValueError(f"Node {name!r}: Node name contains invalid characters")

    def _signature(self, op_type: str, name: str) -> tuple[Signature | None, bool]:
        if not op_type:
            raise ValueError(f"Node {name!r} does not specify an operation")
        definition = self._define(op_type)
        if definition is not None and 0 < definition.deprecation <= self._producer:
            raise UnimplementedError(
                f"Op {op_type} is not available in GraphDef version {self._producer}. "
                f"It has been removed in version {definition.deprecation}. {definition.deprecation_explanation}",
                where=(f"node {name!r}",),
            )
        signature = None if definition is None else signature_of(definition)
        found = (signature, definition is not None and self._trusts(definition))
        self._signatures[op_type] = found
        return found

    def _fit(self, signature: Signature, node: Any, names: frozenset[str]) -> None:
        """Check the node's attributes against its op; drop those that its program's op has and ours does not."""
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

    def _device(self, text: str) -> str:
        try:
            canonical = devices.canonical(text)
        except ValueError:
            canonical = text  # kept for whoever can read it; placement is not up to the file
        self._devices[text] = canonical
        return canonical

    def _colocate(self, attrs: LazyAttrs) -> None:
        groups = attrs["_class"]
        for group in groups:
            if group.startswith(b"loc:@") and group[5:].decode() not in self.by_name:
                raise ValueError(
                    f"Node {attrs.node.name!r} expects to be colocated with unknown node {group[5:].decode()!r}"
                )
        if self._naming.changes:
            renamed = tuple(
                b"loc:@" + self._naming.of(g[5:].decode()).encode() if g.startswith(b"loc:@") else g for g in groups
            )
            attrs.give("_class", renamed)

    # Second pass

    def _connect(self, ops: list[Operation], nodes: Sequence[Any], expected: list[tuple[DType, ...]]) -> None:
        # Each node's first output becomes a source when the node is through, so what is found here is in order.
        sources = self._sources
        mapped = {name for name, _ in self._mapping}
        for name, op, node, wanted in zip(self.by_name, ops, nodes, expected, strict=True):
            texts = node.input[:]
            count = len(texts)
            if count == 1 and len(wanted) == 1:
                text = texts[0]
                source = sources.get(text) or self._resolve(op, node, text)
                if source[1] is wanted[0]:
                    op._inputs = (source[0],)
                else:
                    self._connect_with_care(op, [source], wanted)
            elif count:
                found = [sources.get(text) or self._resolve(op, node, text) for text in texts]
                if tuple([dtype for _, dtype in found]) == wanted:
                    op._inputs = tuple([target for target, _ in found])
                else:
                    self._connect_with_care(op, found, wanted)
            elif wanted:
                self._wrong_count(op, wanted, 0)
            types = op.output_types
            if types and name not in mapped:
                outputs = op._outputs
                if outputs is None:
                    outputs = op._outputs = (
                        [Tensor(op, i) for i in range(len(types))] if len(types) > 1 else [Tensor(op, 0)]
                    )
                sources[name] = (outputs[0], types[0])
        if self._as_written:
            for op, attrs in zip(ops, self._attrs, strict=True):
                attrs.inputs, attrs.controls = op._inputs, op._controls

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
        if len(inputs) != len(wanted) and self._signatures[op.type][0] is not None:
            self._wrong_count(op, wanted, len(inputs))
        op._inputs = tuple(inputs)
        if controls:
            op._controls = tuple(controls) if len(controls) == 1 else tuple(dict.fromkeys(controls))

    def _resolve(self, op: Operation, node: Any, text: str) -> Source:
        """What an input's text names, where it is no node that came before; remembered for the next that says the same.

        `op` is the first to say it, so whether the source comes later in the file is settled here, for all of them.
        """
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
                raise ValueError(f"Node {node.name!r}: Unknown input node {text!r}")
            if target._id >= op._id:
                self._look_ahead(op, target)
            source = (target, None) if index < 0 else self._output(node, target, index)
        self._sources[text] = source
        return source

    def _mapped(self, name: str, index: int) -> Source | None:
        target = self._mapping.get((name, index))
        if target is None:
            return None
        self.used.add((name, index))
        return target, (None if index < 0 else target.dtype)

    def _output(self, node: Any, target: Operation, index: int) -> Source:
        if index >= len(target.output_types):
            if self._signatures[target.type][0] is not None:
                raise ValueError(
                    f"Node {node.name!r}: Connecting to invalid output {index} of source node {target.name} "
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


def _check_recorded(node: Any, types: tuple[DType, ...]) -> None:
    count = len(node.attr["_output_shapes"].list.shape)
    if count < len(types):
        raise ValueError(
            f"Node {node.name!r} has {len(types)} outputs but the _output_shapes attribute specifies shapes for "
            f"{count} outputs"
        )


@contextmanager
def no_collection() -> Iterator[None]:
    """Hold back the cycle collector, which would walk all new nodes again and again."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            if not gc.get_freeze_count():
                # What is frozen and thawed is old: the next collections of the young pass it over. It stays
                # collectable. A program that keeps objects frozen itself is left alone.
                gc.freeze()
                gc.unfreeze()
            gc.enable()
