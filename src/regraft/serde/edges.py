"""What the inputs of a file's nodes are: found and checked as columns of numbers, one by one where they are odd."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, compress, repeat
from typing import Any

import numpy as np

from regraft.base import dtypes
from regraft.base.dtypes import DType
from regraft.serde.node_table import NodeTable
from regraft.serde.signature import InputsAndOutputs, Types
from regraft.wire.columns import Column

CONTROL = -1
"""In place of an output: the input is a control input."""

_MERGES = frozenset({"Merge", "RefMerge"})
_NEXT_ITERATIONS = frozenset({"NextIteration", "RefNextIteration"})
_FEW = 64  # nodes whose inputs are asked for

_REF = dtypes.float32.ref.enum - dtypes.float32.enum


@dataclass
class Edges:
    """The inputs of all nodes, one node's behind another's.

    bounds    those of row i are at bounds[i] : bounds[i + 1]
    consumer  the row whose input it is
    source    the row that it comes from; from the number of rows on, a place in `mapped`
    output    which output of that; CONTROL for a control input
    mapped    tensors and operations of the graph that stand in place of nodes
    """

    bounds: Column
    consumer: Column
    source: Column
    output: Column
    mapped: list[Any]
    # Lists, from which an element costs least, once they are worth making.
    _lists: tuple[list[int], list[int], list[int]] | None = None
    _asked: int = 0

    def into(self, row: int) -> Iterable[tuple[int, int]]:
        """Source and output of each input of a node."""
        if self._lists is None:
            self._asked += 1
            if self._asked <= _FEW:
                at = slice(self.bounds[row], self.bounds[row + 1])
                return zip(self.source[at].tolist(), self.output[at].tolist(), strict=True)
            self._lists = (self.bounds.tolist(), self.source.tolist(), self.output.tolist())
        bounds, source, output = self._lists
        first, last = bounds[row], bounds[row + 1]
        return zip(source[first:last], output[first:last], strict=True)

    def with_controls(self, least: int) -> set[int]:
        """The rows that have so many control inputs, or more."""
        counts = np.bincount(self.consumer[self.output == CONTROL])
        rows: list[int] = np.flatnonzero(counts >= least).tolist()
        return set(rows)


class EdgeReader:
    """Reads the inputs of one table.

    name_of  the name that a row's node has in the graph, for errors
    kinds    for each row, which of the `types` its node takes and gives
    unknown  the rows of nodes whose op nobody knows
    mapping  (node, output) to a tensor of the graph that is to be taken instead; (node, CONTROL) to an operation
    used     keys of `mapping` that some node asked for
    outputs  by row, of the nodes in `unknown`, the types of the outputs that others ask for
    padded   whether an input is written as `node:0`, which TensorFlow writes as `node`
    """

    def __init__(
        self,
        table: NodeTable,
        name_of: Callable[[int], str],
        kinds: Column,
        types: Sequence[InputsAndOutputs],
        unknown: set[int],
        mapping: Mapping[tuple[str, int], Any],
    ) -> None:
        self.used: set[tuple[str, int]] = set()
        self.outputs: dict[int, Types] = {}
        self.padded = False
        self._table = table
        self._name_of = name_of
        self._kinds = kinds
        self._types = types
        self._unknown = unknown
        self._mapping = {(name.encode(), output): element for (name, output), element in mapping.items()}
        self._mapped: list[Any] = []
        self._takes = _TypeLists([takes for takes, _ in types])
        self._gives = _TypeLists([gives for _, gives in types])

    def read(self) -> Edges:
        """What the inputs are. ValueError, with TensorFlow's words, where one is missing or of the wrong type."""
        edges = self._find()
        for row in self._odd(edges):
            self._check(edges, row)
        return edges

    # What the texts say

    def _find(self) -> Edges:
        table = self._table
        row_of = table.rows.get
        consumer = np.repeat(np.arange(len(table)), np.diff(table.bounds))
        source = np.array(list(map(row_of, table.inputs(), repeat(-1))), np.int64)
        output = np.zeros(len(source), np.int64)
        plain = source >= 0
        plain[plain] = self._gives.counts[self._kinds[source[plain]]] > 0
        if self._mapping:
            mapped = {name for name, _ in self._mapping}
            plain &= [text not in mapped for text in table.inputs()]
        odd = np.flatnonzero(~plain)
        texts = table.inputs_at(odd)
        if not self._mapping:  # most of them are control inputs
            found = np.array([row_of(text[1:], -1) if text.startswith(b"^") else -1 for text in texts], np.int64)
            simple = found >= 0
            source[odd[simple]], output[odd[simple]] = found[simple], CONTROL
            odd, texts = odd[~simple], list(compress(texts, ~simple))
        known: dict[bytes, tuple[int, int]] = {}
        for at, row, text in zip(odd.tolist(), consumer[odd].tolist(), texts, strict=True):
            if text not in known:
                known[text] = self._resolve(row, text)
            source[at], output[at] = known[text]
        return Edges(table.bounds, consumer, source, output, self._mapped)

    def _resolve(self, row: int, text: bytes) -> tuple[int, int]:
        """What an input's text names, where it is not simply a node. The row is the first that says it."""
        name, output = text, 0
        if text.startswith(b"^"):
            name, output = text[1:], CONTROL
        else:
            before, colon, digits = text.rpartition(b":")
            if colon and digits.isdigit():
                name, output = before, int(digits)
                self.padded |= digits.startswith(b"0")
        element = self._mapping.get((name, output))
        if element is not None:
            self.used.add((name.decode(), output))
            self._mapped.append(element)
            return len(self._table) + len(self._mapped) - 1, output
        source = self._table.rows.get(name)
        if source is None:
            raise ValueError(f"Node {self._table.name(row)!r}: Unknown input node {text.decode()!r}")
        if output != CONTROL:
            self._check_output(row, source, output)
        return source, output

    def _check_output(self, row: int, source: int, output: int) -> None:
        types = self._outputs_of(source)
        if output < len(types):
            return
        if source not in self._unknown:
            raise ValueError(
                f"Node {self._table.name(row)!r}: Connecting to invalid output {output} of source node "
                f"{self._name_of(source)} which has {len(types)} outputs."
            )
        self.outputs[source] = types + (dtypes.unknown,) * (output + 1 - len(types))

    def _outputs_of(self, row: int) -> Types:
        return self.outputs.get(row) or self._types[self._kinds[row]][1]

    # Whether they are what the nodes want

    def _odd(self, edges: Edges) -> list[int]:
        """The rows whose inputs are not the wanted ones, one for one: references to be followed, and all mistakes."""
        kinds, consumer, count = self._kinds, edges.consumer, len(self._table)
        data = edges.output != CONTROL
        counts = np.bincount(consumer[data], minlength=count)
        place = np.arange(len(consumer)) - edges.bounds[consumer]
        wanted = self._takes.at(kinds[consumer], place)
        inside = edges.source < count
        given = self._gives.at(kinds[np.where(inside, edges.source, 0)], edges.output)
        for at in np.flatnonzero(~inside & data).tolist():
            given[at] = self._mapped[edges.source[at] - count].dtype.enum
        fits = (given != 0) & (wanted != 0) & ((given == wanted) | (given - _REF == wanted))
        fits = np.where(data, fits, place >= counts[consumer])
        odd = self._takes.counts[kinds] != counts
        odd[consumer[~fits]] = True
        rows: list[int] = np.flatnonzero(odd).tolist()
        return rows

    def _check(self, edges: Edges, row: int) -> None:
        wanted = self._types[self._kinds[row]][0]
        count, behind = 0, False
        for source, output in edges.into(row):
            if output == CONTROL:
                behind = True
                continue
            if behind:
                raise ValueError(
                    f"Node {self._name_of(row)!r}: Control dependencies must come after regular dependencies"
                )
            if count < len(wanted):
                self._check_type(row, count, source, output)
            count += 1
        if count != len(wanted) and row not in self._unknown:
            types = ", ".join(t.status_name for t in wanted)
            op_type = self._table.op_types[self._table.op_of[row]]
            raise ValueError(
                f"NodeDef expected inputs {types!r} do not match {count} inputs specified; "
                f"node {self._name_of(row)!r} (op: {op_type!r})"
            )

    def _check_type(self, row: int, index: int, source: int, output: int) -> None:
        wanted = self._types[self._kinds[row]][0][index]
        tensor = self._mapped[source - len(self._table)] if source >= len(self._table) else None
        if tensor is not None:
            given, name = tensor.dtype, tensor.name
        else:
            given = dtypes.unknown if source in self._unknown else self._outputs_of(source)[output]
            name = f"{self._name_of(source)}:{output}"
        if wanted is dtypes.unknown or given is wanted or given.base is wanted:
            return
        if given is not dtypes.unknown:
            raise ValueError(
                f"Input {index} of node {self._name_of(row)} was passed {given.status_name} from {name} incompatible "
                f"with expected {wanted.status_name}."
            )
        # The first that wants to know of an op that nobody knows says what it gives.
        if tensor is not None:
            tensor.op.output_types = _with(tensor.op.output_types, tensor.value_index, wanted)
        else:
            self.outputs[source] = _with(self.outputs[source], output, wanted)

    # In which order they can be made

    def order(self, edges: Edges) -> list[int] | None:
        """The rows in the order of TensorFlow, which always takes the first that is ready; None for all in turn.

        raises  ValueError where nodes wait for each other, but for the loops that begin at a Merge
        """
        count, op_of = len(self._table), self._table.op_of
        merges = np.array([op in _MERGES for op in self._table.op_types], bool)
        iterations = np.array([op in _NEXT_ITERATIONS for op in self._table.op_types], bool)
        ahead = np.flatnonzero((edges.source >= edges.consumer) & (edges.source < count))
        back = merges[op_of[edges.consumer[ahead]]] & iterations[op_of[edges.source[ahead]]]
        if back.all():
            return None
        waits = [0] * count
        feeds: list[list[int]] = [[] for _ in range(count)]
        is_merge, is_iteration = merges[op_of].tolist(), iterations[op_of].tolist()
        for row in range(count):
            into = [(source, output) for source, output in edges.into(row) if source < count]
            data = [source for source, output in into if output != CONTROL]
            looped = is_merge[row] and any(is_iteration[source] for source in data)
            waits[row] = len(into) - len(data) + (min(1, len(data)) if looped else len(data))
            for source, _ in into:
                feeds[source].append(row)
        return self._sorted(waits, feeds)

    def _sorted(self, waits: list[int], feeds: list[list[int]]) -> list[int]:
        ready = [row for row, left in enumerate(waits) if left == 0]
        order: list[int] = []
        while ready:
            row = heapq.heappop(ready)
            order.append(row)
            for consumer in feeds[row]:
                waits[consumer] -= 1
                if waits[consumer] == 0:
                    heapq.heappush(ready, consumer)
        if len(order) != len(waits):
            left = [self._name_of(row) for row, missing in enumerate(waits) if missing > 0]
            raise ValueError(f"{len(left)} nodes in a cycle, {left[0]!r} among them: {', '.join(left[:8])}")
        return order


class _TypeLists:
    """Lists of types as one column of their numbers; 0 is for a type that nobody knows, and for none."""

    def __init__(self, lists: Sequence[Types]) -> None:
        self.counts = np.array([len(types) for types in lists], np.int64)
        self._starts = np.cumsum(self.counts) - self.counts
        self._numbers = np.array([*(t.enum for t in chain.from_iterable(lists)), 0], np.int64)

    def at(self, which: Column, place: Column) -> Column:
        """The number of the type at this place of each of these lists."""
        inside = (place >= 0) & (place < self.counts[which])
        found: Column = self._numbers[np.where(inside, self._starts[which] + place, -1)]
        return found


def _with(types: Types, index: int, value: DType) -> Types:
    return (*types[:index], value, *types[index + 1 :])
