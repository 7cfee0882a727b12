"""A plan: what one `Session.run` does, as data. `planner` makes plans, the session keeps them, `explain` prints them.

Values have numbers. A step reads the numbers it takes and writes those it gives; feeds have theirs from the start.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from regraft.ir.node import Operation, Tensor
from regraft.opkit.registry import OpSpec


@dataclass(frozen=True, slots=True)
class Access:
    """An input that names a variable.

    position  the flat input
    name      the variable
    before    the reader has no path from a write of this run: it sees the value from before the run
    """

    position: int
    name: str
    before: bool


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One operation in a step.

    inputs   numbers of the flat inputs
    outputs  numbers of the outputs
    run      the kernel with its attributes bound; None where the executor itself gives the meaning
    reads    inputs that arrive as a variable's value
    writes   inputs that name variables to be written, in the kernel's order of results
    aliases  for each output the variable that it names, or None
    static   flat inputs that must be known when traced
    after    operations that must have run, by control inputs: its own, and those of constants and names that it takes
    """

    op: Operation
    spec: OpSpec
    run: Callable[..., tuple[Any, ...]] | None
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    reads: tuple[Access, ...] = ()
    writes: tuple[Access, ...] = ()
    aliases: tuple[str | None, ...] = ()
    static: tuple[int, ...] = ()
    after: tuple[Operation, ...] = ()

    def __str__(self) -> str:
        return f"{self.op.name} = {self.op.type}({', '.join(t.name for t in self.op.inputs)})"


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """Nodes that run together.

    compiled  the nodes may become one compiled program; else the interpreter calls them one by one
    inputs    values that come from feeds or earlier steps
    outputs   values that later steps or the fetches use
    reads     variables whose value from before this step is used
    writes    variables that get a new value
    static    inputs whose value must be known when the step is traced
    constants values of large constants, handed in as arguments so that programs stay small
    folded    nodes that only serve static inputs: evaluated when the step is traced
    blocking  a node may wait for another thread
    """

    nodes: tuple[Node, ...]
    compiled: bool
    inputs: tuple[int, ...] = ()
    outputs: tuple[int, ...] = ()
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    static: frozenset[int] = frozenset()
    constants: tuple[int, ...] = ()
    folded: frozenset[Node] = frozenset()
    blocking: bool = False

    def __str__(self) -> str:
        kind = "program" if self.compiled else "host"
        return f"{kind}: {len(self.nodes)} ops, {len(self.reads)} variables read, {len(self.writes)} written"


@dataclass(frozen=True, slots=True, eq=False)
class Fetch:
    """Where a fetched value is: in a number, or in a variable (`before` the run or after). An operation has neither."""

    number: int | None = None
    variable: str | None = None
    before: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """All steps of a run.

    feeds    the number of each fed tensor
    fetches  where each fetched value is found
    size     how many numbers there are
    known    values that follow from the graph: (number, array or VariableName)
    kept     variables written here whose value from before the run is wanted after that
    touches  whether anything reads or writes a variable
    """

    steps: tuple[Step, ...]
    feeds: dict[Tensor, int]
    fetches: tuple[Fetch, ...]
    size: int
    known: tuple[tuple[int, Any], ...]
    kept: frozenset[str]
    touches: bool

    def __str__(self) -> str:
        lines = [f"{len(self.steps)} steps, {sum(len(s.nodes) for s in self.steps)} ops"]
        lines += [f"  {i}. {step}" for i, step in enumerate(self.steps, 1)]
        return "\n".join(lines)
