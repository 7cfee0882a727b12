"""`import_graph_def`: the nodes of a GraphDef into a graph, under a prefix, with some inputs replaced."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from regraft import proto
from regraft.base import devices, names
from regraft.ir.graph import Graph
from regraft.ir.node import Operation, Tensor
from regraft.ir.scopes import Scopes
from regraft.metagraph.recorded_shapes import check_recorded_shapes
from regraft.opkit.builder import Builder
from regraft.serde.attr import attr_from_proto
from regraft.serde.file_nodes import FileNodes
from regraft.serde.graph import add_functions, merge_versions, read_nodes
from regraft.serde.node_table import MessageTable, NodeTable
from regraft.serde.nodes import Naming

Elements = list[Tensor | Operation]

_FEW = 16


@dataclass(frozen=True)
class Imported:
    """What an import added.

    elements  those that were asked for
    naming    the names they got
    """

    elements: Elements | None
    naming: Naming


def import_graph_def(
    graph: Graph,
    graph_def: Any,
    input_map: Mapping[Any, Any] | None = None,
    return_elements: Sequence[Any] | None = None,
    name: str | None = None,
    producer_op_list: Any = None,
    *,
    clear_devices: bool = False,
    owned: bool = False,
) -> Elements | None:
    """Add the nodes of `graph_def` to the graph, in its current scopes; all of them, or none when an error is raised.

    graph_def         a GraphDef, ours or TensorFlow's
    input_map         what to take in place of a node's output (`a`, `a:1`) or control input (`^a`)
    return_elements   names in `graph_def` of the operations and tensors to return; mapped ones return what they map to
    name              put before the names, made unique; None is "import", "" the root, and a name that ends with a
                      slash that scope as it is
    producer_op_list  OpList of the program that wrote the nodes: attributes that we do not know are dropped where they
                      have the default that it gives them, and ops that we do not know get their signature from it
    clear_devices     take no device from the nodes
    owned             nobody will change `graph_def` any more, so that it need not be copied
    returns           the elements asked for, or None if none were

    raises  TypeError and ValueError, with TensorFlow's key words, where the arguments do not fit or the nodes
            contradict each other; UnimplementedError for an op that the version of the nodes must not use
    differs  an op that nobody knows is imported all the same: it fails when it is run
    """
    return import_nodes(
        graph, graph_def, input_map, return_elements, name, producer_op_list, clear_devices=clear_devices, owned=owned
    ).elements


def import_nodes(
    graph: Graph,
    graph_def: Any,
    input_map: Mapping[Any, Any] | None = None,
    return_elements: Sequence[Any] | None = None,
    name: str | None = None,
    producer_op_list: Any = None,
    *,
    clear_devices: bool = False,
    owned: bool = False,
    table: NodeTable | None = None,
) -> Imported:
    """`import_graph_def`, with everything that it learnt.

    table  the nodes to take in place of those in `graph_def`
    """
    graph.check_not_finalized()
    message = _as_graph_def(graph_def, owned)
    input_map = _check_input_map(input_map)
    if return_elements is not None:
        return_elements = _texts(return_elements)
    if name == "" and not all(isinstance(v, (Tensor, Operation)) for v in input_map.values()):
        raise ValueError(
            "tf.import_graph_def() requires a non-empty `name` if `input_map` contains non-Tensor values. Try calling "
            "tf.convert_to_tensor() on `input_map` values before calling tf.import_graph_def()."
        )
    default = "import" if name is None else name
    with graph.name_scope(default) as scope:
        mapping = _mapping(graph, input_map, scope)
        merge_versions(graph, message.versions)
        add_functions(graph, message.library)
        op_list = () if producer_op_list is None else proto.as_ours(producer_op_list, proto.OpList).op
        if table is None:
            table = MessageTable(message.node)
        fresh = bool(scope) and not default.endswith("/")
        naming = Naming(scope, {} if fresh else _renames(graph, table, scope))
        nodes, reader = read_nodes(
            graph, table, op_list=op_list, naming=naming, mapping=mapping, strip=_strip_defaults(op_list)
        )
        if clear_devices:
            nodes.devices = {}
        _check_all_used(mapping, reader.used, nodes)
        if not (graph.scopes.devices or graph.scopes.colocation):
            _colocate(graph, nodes, naming)
        check_recorded_shapes(nodes.of_row(row) for row in reader.recorded)
        elements = None if return_elements is None else _elements(return_elements, mapping, nodes)
        graph.adopt(nodes)
    _enter_scopes(graph, nodes)
    return Imported(elements, naming)


def _as_graph_def(message: Any, owned: bool) -> proto.GraphDef:
    try:
        ours = proto.as_ours(message, proto.GraphDef)
    except TypeError as e:
        raise TypeError(f"graph_def must be a GraphDef proto; {e}.") from e
    if ours is message and not owned:
        copy = proto.GraphDef()
        copy.CopyFrom(ours)
        return copy
    return ours


def _check_input_map(input_map: Any) -> dict[str, Any]:
    if input_map is None:
        return {}
    if not isinstance(input_map, Mapping) or not all(isinstance(k, (str, bytes)) for k in input_map):
        raise TypeError(
            "Argument `input_map` must be a dictionary mapping strings to Tensor objects. "
            f"input_map must be a dictionary mapping strings to Tensor objects, got {input_map!r}"
        )
    return {k.decode() if isinstance(k, bytes) else k: v for k, v in input_map.items()}


def _texts(return_elements: Any) -> list[str]:
    items = tuple(return_elements)
    if not all(isinstance(x, (str, bytes)) for x in items):
        raise TypeError(f"return_elements must be a list of strings, got {return_elements!r}.")
    return [x.decode() if isinstance(x, bytes) else x for x in items]


def _mapping(graph: Graph, input_map: Mapping[str, Any], scope: str) -> dict[tuple[str, int], Any]:
    """`input_map` by (node, output), with everything made tensors; control inputs by (node, -1), made operations."""
    mapping: dict[tuple[str, int], Any] = {}
    if not input_map:
        return mapping
    builder = Builder(graph)
    for key, value in input_map.items():
        if key.startswith("^"):
            element = graph.as_graph_element(value)
            mapping[key[1:], -1] = element.op if isinstance(element, Tensor) else element
            continue
        if not isinstance(value, Tensor):
            with graph.name_scope(f"{scope}_inputs/"):
                value = builder.convert(value)
        elif value.graph is not graph:
            raise ValueError(f"input_map maps {key!r} to {value.name!r}, which is not an element of this graph.")
        mapping[names.parse_tensor_name(key)] = value
    return mapping


def _renames(graph: Graph, table: NodeTable, prefix: str) -> dict[str, str]:
    """New names for nodes whose name, with the prefix, an operation or scope of the graph has already."""
    if not len(graph):
        return {}
    taken = set()
    for name in graph.names:
        while name not in taken:
            taken.add(name)
            name, slash, _ = name.rpartition("/")
            if not slash:
                break
    full_names = [prefix + table.name(row) for row in range(len(table))]
    wanted = set(full_names)
    renames: dict[str, str] = {}
    for name in full_names:
        if name in taken and name not in renames:
            count = 1
            while f"{name}_{count}" in taken or f"{name}_{count}" in wanted:
                count += 1
            renames[name] = f"{name}_{count}"
            taken.add(renames[name])
    return renames


def _strip_defaults(op_list: Iterable[Any]) -> Callable[[Any, str], bool]:
    """Says of an attribute whether it has the default that its program's op gives it: nothing is lost with it then."""
    by_name = {op.name: {a.name: a for a in op.attr} for op in op_list}

    def strip(node: Any, name: str) -> bool:
        definition = by_name.get(node.op, {}).get(name)
        if definition is None or not definition.HasField("default_value"):
            return False
        return _same(node.attr[name], definition.default_value)

    return strip


def _same(one: Any, other: Any) -> bool:
    if one == other:
        return True
    a, b = attr_from_proto(one), attr_from_proto(other)
    return type(a) is type(b) and not hasattr(a, "array") and bool(a == b)


def _check_all_used(
    mapping: Mapping[tuple[str, int], Any], used: AbstractSet[tuple[str, int]], nodes: FileNodes
) -> None:
    lost = []
    for name, index in mapping:
        if (name, index) in used:
            continue
        row = nodes.table.row(name)
        if row is None or index >= len(nodes.outputs_of(row)):
            lost.append(f"^{name}" if index < 0 else f"{name}:{index}")
    if lost:
        raise ValueError(f"Attempted to map inputs that were not found in graph_def: [{', '.join(lost)}]")


def _elements(wanted: Sequence[str], mapping: Mapping[tuple[str, int], Any], nodes: FileNodes) -> Elements:
    elements: Elements = []
    row_of = nodes.table.row
    for text in wanted:
        if ":" not in text:
            row = row_of(text)
            if row is None:
                raise ValueError(f"Requested return node {text!r} not found in graph def")
            elements.append(nodes.of_row(row))
            continue
        name, index = names.parse_tensor_name(text)
        if (name, index) in mapping:
            elements.append(mapping[name, index])
            continue
        row = row_of(name)
        if row is None:
            raise ValueError(f"Requested return tensor {text!r} not found in graph def")
        count = len(nodes.outputs_of(row))
        if index >= count:
            raise ValueError(f"Invalid return output {index} of node {name!r}, which has {count} output(s)")
        elements.append(nodes.of_row(row).outputs[index])
    return elements


def _colocate(graph: Graph, nodes: FileNodes, naming: Naming) -> None:
    """Put each node of a group where the first of the group is that has a device."""
    placed = nodes.devices
    if not placed:
        return
    row_of = nodes.table.row
    values = nodes.table.values("_class")
    near = values.rows
    if len(placed) <= _FEW:  # the usual file places a few nodes of its Saver, and groups thousands of others
        holding = values.holding([names.COLOCATION_PREFIX + nodes.table.encoded[row] for row in placed])
        near = [*holding.union(placed.keys() & set(values.rows))]
    if not near:
        return
    encoded = dict(zip(values.rows, values.encoded, strict=True))
    colocated: list[tuple[int, list[str]]] = []
    for row in sorted(near, key=nodes.number_of):
        groups = proto.AttrValue.FromString(encoded[row]).list.s
        others = [name for name in _nodes_in(groups) if name != nodes.table.name(row)]
        if others and (row in placed or any(row_of(name) in placed for name in others)):
            colocated.append((row, others))
    for row, _ in colocated:
        placed.pop(row, None)
    for row, others in colocated:
        for name in others:
            other = row_of(name)
            if other is not None:
                device = placed.get(other, "")
            else:
                outside = graph.find(naming.of(name))
                device = "" if outside is None else outside.device
            if device:
                placed[row] = device
                break


def _enter_scopes(graph: Graph, nodes: FileNodes) -> None:
    """Apply the device, control and control flow scopes in which the import stands, as to any new operation."""
    scopes = graph.scopes
    context = scopes.control_flow_context
    # Every imported node waits for them, even for what it takes as a data input: so it is in TensorFlow.
    taken = scopes.control_inputs_for(())
    attributes = scopes.colocation or scopes.container or scopes.attrs or scopes.gradient_overrides
    if not (attributes or scopes.devices or taken or context is not None):
        return
    operations = nodes.operations()
    if attributes:
        for op in operations:
            graph.enter_attr_scopes(op)
    if scopes.devices or scopes.colocation:
        _place(graph, operations, scopes)
    if context is not None:
        # Inputs that are imported too are inside, wherever they stand in the order.
        for op in operations:
            op.control_flow_context = context
    if taken or context is not None:
        for op in operations:
            if taken:
                op._controls = tuple(dict.fromkeys((*op._controls, *taken)))
            if context is not None:
                context.AddOp(op)


def _place(graph: Graph, operations: Sequence[Operation], scopes: Scopes) -> None:
    """A node's own device, filled up from the device scopes; a colocated node is where the first of its group is."""
    placed = {op.name for op in operations if op.device}
    colocated: list[tuple[Operation, list[str]]] = []
    for op in operations:
        others = [name for name in _nodes_in(_groups(op.attrs)) if name != op.name]
        if others:
            if scopes.devices or op.device or not placed.isdisjoint(others):
                colocated.append((op, others))
            continue
        for scope in reversed(scopes.devices):
            if scope.device is None:
                break
            op.device = devices.merge(scope.of(op), op.device)
    for op, _ in colocated:
        op.device = ""
    for op, others in colocated:
        found = (graph.find(name) for name in others)
        op.device = next((other.device for other in found if other is not None and other.device), "")


def _groups(attrs: Any) -> Iterable[bytes]:
    """What `_class` says; attributes just read (LazyAttrs) are not decoded."""
    if getattr(attrs, "given", attrs) is not None:
        groups: Iterable[bytes] = attrs.get("_class", ())
        return groups
    own = attrs.node.attr
    return own["_class"].list.s if "_class" in own else ()


def _nodes_in(groups: Iterable[bytes]) -> list[str]:
    """The names of the nodes with which one of these groups is colocated."""
    return [g[len(names.COLOCATION_PREFIX) :].decode() for g in groups if g.startswith(names.COLOCATION_PREFIX)]
