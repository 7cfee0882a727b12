"""The nodes of a file in a graph: checked columns, of which Operations are made when somebody asks (`ir.latent`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from regraft.ir.graph import Graph
from regraft.ir.latent import LatentNodes, Links
from regraft.ir.node import Operation, Tensor
from regraft.serde.edges import CONTROL, Edges
from regraft.serde.lazy_attrs import LazyAttrs
from regraft.serde.node_table import NodeTable
from regraft.serde.signature import InputsAndOutputs, Types


class FileNodes(LatentNodes):
    """The nodes of a table.

    Rows are those of the table; numbers count the nodes in the order in which they enter the graph.

    table     where the attributes are
    kinds     for each row its place in `types`
    types     of inputs and of outputs
    edges     what the inputs are
    outputs   by row, the types of the outputs of nodes whose op nobody knows
    order     the rows in order of creation; None where that is the order of the table
    devices   by row, where nodes are, of those that say it; may be changed until the first operation is made
    groups    by row, the `_class` of nodes for which it is not what the table says
    faithful  whether names and inputs are written as TensorFlow would write those of the operations
    """

    def __init__(
        self,
        graph: Graph,
        table: NodeTable,
        names: list[str] | None,
        defaults: Sequence[Mapping[str, Any]],
        kinds: list[int],
        types: Sequence[InputsAndOutputs],
    ) -> None:
        """Names are None where they are those of the table; defaults, of attributes, are given for each op type."""
        super().__init__(graph, len(table))
        self.table = table
        self.kinds = kinds
        self.types = types
        self.edges: Edges
        self.outputs: dict[int, Types] = {}
        self.order: list[int] | None = None
        self.devices: dict[int, str] = {}
        self.groups: dict[int, tuple[bytes, ...]] = {}
        self.faithful = False
        self._names = names
        self._defaults = defaults
        self._ops = table.op_of.tolist()

    @property
    def names(self) -> Sequence[str]:
        return [self.name_of(self._row(number)) for number in range(len(self))]

    def name_of(self, row: int) -> str:
        """The name of a row's node in the graph."""
        return self.table.name(row) if self._names is None else self._names[row]

    def row(self, name: str) -> int | None:
        """The row of the node that has this name in the graph, or None."""
        return self.table.row(name) if self._names is None else self._rows.get(name)

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {} if self._names is None else dict(zip(self._names, range(len(self)), strict=True))

    @cached_property
    def _numbers(self) -> list[int]:
        assert self.order is not None
        numbers: list[int] = np.argsort(self.order).tolist()
        return numbers

    def number(self, name: str) -> int | None:
        row = self.row(name)
        return None if row is None else self.number_of(row)

    def _row(self, number: int) -> int:
        return number if self.order is None else self.order[number]

    def number_of(self, row: int) -> int:
        """The number of a row's node."""
        return row if self.order is None else self._numbers[row]

    def of_row(self, row: int) -> Operation:
        """The operation of a row."""
        return self.operation(self.number_of(row))

    def outputs_of(self, row: int) -> Types:
        """The types of a node's outputs."""
        return self.outputs.get(row) or self.types[self.kinds[row]][1]

    def count_outputs(self, name: str) -> int | None:
        row = self.row(name)
        return None if row is None else len(self.outputs_of(row))

    def make(self, number: int) -> Operation:
        row = self._row(number)
        op = self._ops[row]
        attrs = LazyAttrs(self.table, row, self._defaults[op])
        if row in self.groups:
            attrs.give("_class", self.groups[row])
        device = self.devices.get(row, "")
        name, op_type = self.name_of(row), self.table.op_types[op]
        return Operation(self.graph, name, op_type, self, attrs, self.outputs_of(row), device, self.first + number)

    def links(self, number: int) -> Links:
        inputs: list[Tensor] = []
        controls: list[Operation] = []
        made, numbers = self._made, None if self.order is None else self._numbers
        for source, output in self.edges.into(self._row(number)):
            if source >= len(made):
                element = self.edges.mapped[source - len(made)]
                (controls if output == CONTROL else inputs).append(element)
                continue
            at = source if numbers is None else numbers[source]
            op = made[at] or self.operation(at)
            if output == CONTROL:
                controls.append(op)
            else:
                inputs.append((op._outputs or op.outputs)[output])
        return tuple(inputs), tuple(dict.fromkeys(controls)) if len(controls) > 1 else tuple(controls)

    @cached_property
    def _with_controls(self) -> set[int]:
        return self.edges.with_controls(2)

    def as_written(self, op: Operation) -> bool:
        """Whether name, inputs and controls of an operation, which nobody changed, stand so in its NodeDef.

        Control inputs are written in alphabetical order, so that where there are several nothing is promised.
        """
        return self.faithful and self._row(op._id - self.first) not in self._with_controls
