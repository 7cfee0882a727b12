"""What a saved graph holds, without running any of it: inputs, outputs, variables, train ops, and what cannot run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from regraft import proto
from regraft.ir.attr import FunctionRef
from regraft.ir.graph import Graph
from regraft.ir.node import Operation, Tensor
from regraft.opkit import registry
from regraft.opkit.py_functions import PY_FUNC_OPS
from regraft.opkit.registry import Control


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """A tensor by name, dtype and static shape."""

    name: str
    dtype: str
    shape: str

    @staticmethod
    def of(tensor: Tensor) -> TensorInfo:
        return TensorInfo(tensor.name, tensor.dtype.base.name, str(tensor.shape))


@dataclass(frozen=True, slots=True)
class MissingOp:
    """An op that stands in the way: its nodes, and which of the summary's outputs and train ops need them.

    nodes   nodes of that op, and nodes that call a function with one in its body
    blocks  names of outputs ("logits:0") and train ops
    python  whether it is there, and needs a Python function that the file does not hold
    """

    op: str
    nodes: tuple[str, ...]
    blocks: tuple[str, ...]
    python: bool = False


@dataclass(frozen=True, slots=True)
class Summary:
    """A graph at a glance. Sizes are in elements and bytes."""

    tensorflow_version: str
    producer: int
    nodes: int
    op_counts: tuple[tuple[str, int], ...]
    functions: int
    inputs: tuple[TensorInfo, ...]
    outputs: tuple[TensorInfo, ...]
    variables: tuple[TensorInfo, ...]
    trainable: int
    elements: int
    bytes: int
    train_ops: tuple[str, ...]
    collections: tuple[tuple[str, str, int], ...]
    has_saver: bool
    devices: tuple[str, ...]
    missing: tuple[MissingOp, ...] = field(default=())

    @property
    def blocked(self) -> frozenset[str]:
        """The outputs and train ops that can't run as the file stands."""
        return frozenset(name for missing in self.missing for name in missing.blocks)


def summarize(meta_graph: Any, graph: Graph) -> Summary:
    """Summarize a MetaGraphDef and the graph made from it."""
    ops = graph.get_operations()
    saver = set(_behind(graph, _saver_nodes(meta_graph)))
    consumed = {t for op in ops for t in op.inputs}
    train_ops = _train_ops(meta_graph, graph, ops, {c for op in ops for c in op.control_inputs})
    inputs = tuple(
        TensorInfo.of(op.outputs[0]) for op in ops if _control(op) is Control.PLACEHOLDER and op.outputs[0] in consumed
    )
    outputs = tuple(TensorInfo.of(t) for t in _outputs(ops, train_ops, saver))
    variables, trainable = _variables(meta_graph, graph, ops)
    sizes = [(t.shape.num_elements() or 0, t.dtype.base.size) for t in variables]
    info = meta_graph.meta_info_def
    return Summary(
        info.tensorflow_version,
        meta_graph.graph_def.versions.producer,
        len(ops),
        tuple(Counter(op.type for op in ops).most_common()),
        len(graph.functions),
        inputs,
        outputs,
        tuple(TensorInfo(t.op.name, t.dtype.base.name, str(t.shape)) for t in variables),
        trainable,
        sum(n for n, _ in sizes),
        sum(n * size for n, size in sizes),
        tuple(op.name for op in train_ops),
        tuple(_collection(k, v) for k, v in sorted(meta_graph.collection_def.items())),
        meta_graph.HasField("saver_def"),
        tuple(sorted({op.device for op in ops if op.device})),
        _missing(
            graph,
            ops,
            {
                **{t.name: graph.get_operation_by_name(t.name.rpartition(":")[0]) for t in outputs},
                **{op.name: op for op in train_ops},
            },
        ),
    )


def _control(op: Operation) -> Control | None:
    spec = registry.lookup(op.type)
    return None if spec is None else spec.control


def _writes_variables(op: Operation) -> bool:
    spec = registry.lookup(op.type)
    return spec is not None and bool(spec.writes)


def _saver_nodes(meta_graph: Any) -> list[str]:
    saver = meta_graph.saver_def
    return [
        n.partition(":")[0] for n in (saver.save_tensor_name, saver.restore_op_name, saver.filename_tensor_name) if n
    ]


def _behind(graph: Graph, names: Iterable[str], filled: bool = False) -> list[Operation]:
    """The named operations and all that they depend on; if `filled`, what fills the queues, tables, ... as well."""
    stack = [op for op in (graph.find(n) for n in names) if op is not None]
    found: dict[Operation, None] = {}
    while stack:
        op = stack.pop()
        if op not in found:
            found[op] = None
            stack.extend([t.op for t in op.inputs])
            stack.extend(op.control_inputs)
            if filled and _is_resource(op):
                stack.extend(c for t in op.outputs for c in t.consumers() if not c.outputs)
    return list(found)


def _is_resource(op: Operation) -> bool:
    spec = registry.lookup(op.type)
    return spec is not None and spec.session


def _train_ops(meta_graph: Any, graph: Graph, ops: list[Operation], targets: set[Operation]) -> list[Operation]:
    """The collection's train ops; without one, operations that nothing waits for and that apply gradients."""
    key = "train_op"
    if key in meta_graph.collection_def:
        named = [graph.find(n.partition(":")[0]) for n in meta_graph.collection_def[key].node_list.value]
        listed = list(dict.fromkeys(op for op in named if op is not None))
        if listed:
            return listed
    found = []
    for op in ops:
        if op in targets or any(t.consumers() for t in op.outputs):
            continue
        if any(_applies_gradients(b) for b in _updates(op)):
            found.append(op)
    return found


def _applies_gradients(op: Operation) -> bool:
    return _writes_variables(op) and "Apply" in op.type


def _updates(op: Operation) -> set[Operation]:
    """The operation and those that it only waits for: through control inputs and references, not through values."""
    seen: set[Operation] = set()
    stack = [op]
    while stack:
        at = stack.pop()
        if at not in seen:
            seen.add(at)
            stack.extend(at.control_inputs)
            stack.extend(t.op for t in at.inputs if t.dtype.is_ref)
    return seen


def _outputs(ops: list[Operation], train_ops: list[Operation], saver: set[Operation]) -> list[Tensor]:
    """What is computed from the inputs and goes no further, but for gradients."""
    for sources in _sources(ops):
        forward = _forward_ops(sources, train_ops, saver)
        found = [t for op in ops if op in forward and _ends(op, forward) for t in op.outputs if _is_result(t)]
        if found:
            return found
    return []


def _ends(op: Operation, forward: set[Operation]) -> bool:
    if not op.inputs or _control(op) is not None or op.inputs[0].op.type in ("Switch", "RefSwitch"):
        return False
    return not any(c in forward or _writes_variables(c) for t in op.outputs for c in t.consumers())


def _is_result(tensor: Tensor) -> bool:
    """Whether somebody may want it: what only gradients take is one if it is a number, not a size or a position."""
    return not tensor.dtype.is_ref and (not tensor.consumers() or tensor.dtype.is_floating)


def _sources(ops: list[Operation]) -> Iterator[list[Operation]]:
    """Where data may come into the graph, best guess first: placeholders; pipelines and random ops; all that begins."""
    fed = [op for op in ops if _control(op) is Control.PLACEHOLDER and any(t.consumers() for t in op.outputs)]
    if fed:
        yield fed
    specs = {op: registry.lookup(op.type) for op in ops}
    yield [op for op, spec in specs.items() if spec is not None and (spec.session or spec.random)]
    yield [op for op in ops if not op.inputs]


def _forward_ops(sources: list[Operation], train_ops: list[Operation], saver: set[Operation]) -> set[Operation]:
    """The operations that compute something from the sources, and are not there for saving or for gradients."""
    ahead: set[Operation] = set()
    stack = list(sources)
    while stack:
        op = stack.pop()
        if op not in ahead:
            ahead.add(op)
            stack.extend(c for t in op.outputs for c in t.consumers() if not _reads_shapes(c))
    updates = {o for op in train_ops for o in _updates(op)}

    return {
        op
        for op in ahead
        if op not in saver and op not in updates and not _in_gradients(op) and not _writes_variables(op)
    }


def _reads_shapes(op: Operation) -> bool:
    """Whether no value of its inputs matters, but their shapes and types alone."""
    spec = registry.lookup(op.type)
    return spec is not None and bool(spec.metadata) and spec.metadata == spec.input_names


def _in_gradients(op: Operation) -> bool:
    return any(part == "gradients" or part.startswith("gradients_") for part in op.name.split("/"))


def _variables(meta_graph: Any, graph: Graph, ops: list[Operation]) -> tuple[list[Tensor], int]:
    named: list[str] = []
    trainable: set[str] = set()
    for key in ("variables", "trainable_variables", "local_variables"):
        for data in meta_graph.collection_def[key].bytes_list.value if key in meta_graph.collection_def else ():
            name = proto.VariableDef.FromString(data).variable_name.partition(":")[0]
            if key == "trainable_variables":
                trainable.add(name)
            named.append(name)
    if not named:
        named = [op.name for op in ops if _control(op) is Control.VARIABLE]
    found = [graph.find(n) for n in dict.fromkeys(named)]
    tensors = [_value_of(op) for op in found if op is not None]
    return [t for t in tensors if t is not None], len(trainable)


def _value_of(op: Operation) -> Tensor | None:
    """A tensor with the variable's dtype and shape: the reference, or a read of the handle."""
    tensor = op.outputs[0]
    if tensor.dtype.numpy.kind != "O":
        return tensor
    for reader in tensor.consumers():
        spec = registry.lookup(reader.type)
        if spec is not None and spec.reads == ("resource",) and len(reader.inputs) == 1 and reader.outputs:
            return reader.outputs[0]
    return None


def _collection(key: str, value: Any) -> tuple[str, str, int]:
    kind = value.WhichOneof("kind") or "empty"
    return key, kind.removesuffix("_list"), len(getattr(value, kind).value) if kind != "empty" else 0


def _missing(graph: Graph, ops: list[Operation], ends: dict[str, Operation]) -> tuple[MissingOp, ...]:
    inside = _FunctionBodies(graph)
    by_type: dict[str, list[Operation]] = {}
    for op in ops:
        for kind in inside.missing_in(op):
            by_type.setdefault(kind, []).append(op)
    if not by_type:
        return ()
    needs = {name: set(_behind(graph, [end.name], filled=True)) for name, end in ends.items()}
    return tuple(
        MissingOp(
            kind,
            tuple(op.name for op in found),
            tuple(name for name, behind in needs.items() if not behind.isdisjoint(found)),
            kind in PY_FUNC_OPS,
        )
        for kind, found in sorted(by_type.items())
    )


class _FunctionBodies:
    """Which ops stand in the way of an operation: its own, and those in the functions that it calls."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._of_function: dict[str, frozenset[str]] = {}

    def missing_in(self, op: Operation) -> set[str]:
        out = self._of_type(op.type)
        for name in _functions_of(op) if self._graph.functions else ():
            out |= self._missing_in_function(name)
        return out

    def _of_type(self, kind: str) -> set[str]:
        if kind in PY_FUNC_OPS:
            return {kind}
        if registry.lookup(kind) is not None:
            return set()
        return set(self._missing_in_function(kind)) if self._graph.function(kind) is not None else {kind}

    def _missing_in_function(self, name: str) -> frozenset[str]:
        if name not in self._of_function:
            self._of_function[name] = frozenset()  # for functions that call themselves
            function = self._graph.function(name)
            found: set[str] = set()
            for node in () if function is None else function.proto.node_def:
                found |= self._of_type(node.op)
                for value in node.attr.values():
                    for called in (value.func, *value.list.func):
                        found |= self._missing_in_function(called.name) if called.name else set()
            self._of_function[name] = frozenset(found)
        return self._of_function[name]


def _functions_of(op: Operation) -> list[str]:
    """The names of the functions that an operation's attributes name."""
    found = []
    for value in op.attrs.values():
        for item in value if isinstance(value, tuple) else (value,):
            if isinstance(item, FunctionRef):
                found.append(item.name)
    return found
