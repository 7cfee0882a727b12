"""Nodes that are in a graph before they are Operations.

A file of ten thousand nodes is opened to run a few hundred of them. So what reads a file checks its nodes as columns,
and the graph takes them in as they are: an Operation is made when somebody asks for it, by its name or as the input of
another, and its inputs are looked up when somebody asks for those. All of them are made when a program goes through
the graph. What a program sees is the same: a node has one Operation, whoever asks first, from whatever thread.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING

from regraft.base.collector import no_collection
from regraft.ir import stacks

if TYPE_CHECKING:
    import threading

    from regraft.ir.graph import Graph
    from regraft.ir.node import Operation, Tensor

Links = tuple[tuple["Tensor", ...], tuple["Operation", ...]]


class LatentNodes(ABC):
    """Nodes that entered a graph together, numbered in the order of their creation.

    names  of all of them, in order
    first  `_id` of the first Operation; those of the others count up from there
    """

    def __init__(self, graph: Graph, count: int) -> None:
        """To be taken in by `graph` before it changes again."""
        self.graph = graph
        self.first = graph.next_id
        self._made: list[Operation | None] = [None] * count
        self._stack = stacks.current()
        self._version = graph.version + 1

    def __len__(self) -> int:
        return len(self._made)

    @property
    @abstractmethod
    def names(self) -> Sequence[str]: ...

    @abstractmethod
    def number(self, name: str) -> int | None:
        """The number of the node of this name, or None."""

    @abstractmethod
    def count_outputs(self, name: str) -> int | None:
        """How many outputs the node of this name has, or None where there is none."""

    @abstractmethod
    def make(self, number: int) -> Operation:
        """A new Operation for the node, latent in its inputs. Called once for each, by `operation`."""

    @abstractmethod
    def links(self, number: int) -> Links:
        """The inputs and the control inputs of the node."""

    def find(self, name: str) -> Operation | None:
        """The operation of this name, or None."""
        number = self.number(name)
        return None if number is None else self.operation(number)

    def operation(self, number: int) -> Operation:
        """The operation of a node."""
        found = self._made[number]
        if found is None:
            with self.graph.lock:
                found = self._made[number]
                if found is None:
                    found = self._made[number] = self._finished(number)
        return found

    def operations(self) -> Sequence[Operation]:
        """The operations of all nodes, in order."""
        with self.graph.lock, no_collection():
            made = self._made
            for number, found in enumerate(made):
                if found is None:
                    made[number] = self._finished(number)
        return made  # type: ignore[return-value]  # none is None any more

    def _finished(self, number: int) -> Operation:
        op = self.make(number)
        op._stack, op._version = self._stack, self._version
        return op


class Members:
    """The operations of a graph by name, in order of creation, the latent ones among them.

    lock  the graph's; `find` and `in` go without it
    """

    def __init__(self, lock: threading.RLock) -> None:
        self._lock = lock
        self._ops: dict[str, Operation] = {}  # in order, all that are not among the latent ones
        self._latent: tuple[LatentNodes, ...] = ()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __contains__(self, name: str) -> bool:
        latent = self._latent
        return name in self._ops or any(nodes.number(name) is not None for nodes in latent)

    def find(self, name: str) -> Operation | None:
        """The operation of this name, or None."""
        latent = self._latent  # before `_ops`: another thread may be moving operations over, and ends with this
        found = self._ops.get(name)
        for nodes in latent:
            if found is not None:
                break
            found = nodes.find(name)
        return found

    def count_outputs(self, name: str) -> int | None:
        """How many outputs the operation of this name has, or None where there is none."""
        latent = self._latent  # before `_ops`, as in `find`
        found = self._ops.get(name)
        count = None if found is None else len(found.output_types)
        for nodes in latent:
            if count is not None:
                break
            count = nodes.count_outputs(name)
        return count

    def names(self) -> Iterator[str]:
        """The names of all, in no order."""
        with self._lock:
            return chain(tuple(self._ops), *(nodes.names for nodes in self._latent))

    def operations(self) -> list[Operation]:
        """All of them, none latent any more."""
        if self._latent:
            with self._lock:
                ops = [*self._ops.values(), *chain.from_iterable(nodes.operations() for nodes in self._latent)]
                ops.sort(key=attrgetter("_id"))
                self._ops = {op.name: op for op in ops}
                self._latent = ()
        return list(self._ops.values())

    def append(self, op: Operation) -> None:
        """Take in the operation whose `_id` is the next."""
        self._ops[op.name] = op
        self._count += 1

    def adopt(self, nodes: LatentNodes) -> None:
        """Take in nodes that are numbered from the next `_id` on."""
        assert nodes.first == self._count, "the graph has changed since these nodes were numbered"
        self._latent += (nodes,)
        self._count += len(nodes)

    def discard(self, op: Operation) -> None:
        """Take back the newest operation."""
        assert op._id == self._count - 1, "only the newest operation can be taken back"
        del self._ops[op.name]
        self._count -= 1
