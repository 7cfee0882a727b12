"""A plan: what one `Session.run` does, as data. `planner` makes plans, the session keeps them, `explain` prints them.

Values have numbers. A step reads the numbers it takes and writes those it gives; feeds have theirs from the start.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from regraft.ir.node import Operation, Tensor
from regraft.opkit.registry import OpSpec

# So many op types of a host step are named.
_LISTED = 6


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
    label    the key of the node's state, where the op's name is not unique: in functions
    plain    values go in and values come out: no variables, nothing that only the executor can do
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
    label: str = ""
    plain: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        plain = self.spec.control is None and not (self.reads or self.writes or any(self.aliases))
        object.__setattr__(self, "plain", plain)

    @property
    def key(self) -> str:
        """The name by which what the node keeps from run to run is found."""
        return self.label or self.op.name

    def __str__(self) -> str:
        return f"{self.op.name} = {self.op.type}({', '.join(t.name for t in self.op.inputs)})"


@dataclass(frozen=True, slots=True, eq=False)
class Conditional(Node):
    """Branches of which one runs. `op` made the selector, or is the call.

    selector  number of the value that chooses
    indexed   the selector is a branch's index (the last branch takes those out of range); else it is true or false
    branches  the nodes of each branch
    results   (number, for each branch the number or variable that it stands for, or None where it has no value)
    stands    the operations that this stands for
    """

    selector: int = -1
    indexed: bool = False
    branches: tuple[tuple[Node, ...], ...] = ()
    results: tuple[tuple[int, tuple[int | Access | None, ...]], ...] = ()
    stands: tuple[Operation, ...] = ()

    def __str__(self) -> str:
        sizes = " or ".join(str(count(branch)) for branch in self.branches)
        return f"conditional on {self.op.name}: {sizes} ops"


@dataclass(frozen=True, slots=True, eq=False)
class Loop(Node):
    """A while loop. `op` made the condition, or is the call.

    condition  number of the value that says whether to go on, of what `head` computes
    head       nodes that run before each iteration and once more
    body       nodes of an iteration
    carried    (number of the first value, number inside the loop and after it, number of the next value)
    stands     the operations that this stands for
    """

    condition: int = -1
    head: tuple[Node, ...] = ()
    body: tuple[Node, ...] = ()
    carried: tuple[tuple[int, int, int], ...] = ()
    stands: tuple[Operation, ...] = ()

    def __str__(self) -> str:
        return f"loop while {self.op.name}: {count(self.head)} + {count(self.body)} ops, {len(self.carried)} variables"


@dataclass(frozen=True, slots=True, eq=False)
class Dataflow(Node):
    """Operations that `runtime.dataflow` runs token by token, primitives of control flow among them."""

    nodes: tuple[Node, ...] = ()

    def __str__(self) -> str:
        return f"{count(self.nodes)} ops, token by token"


def parts(node: Node) -> tuple[tuple[Node, ...], ...]:
    """The lists of nodes inside a conditional or loop; none for any other node."""
    if isinstance(node, Conditional):
        return node.branches
    if isinstance(node, Loop):
        return (node.head, node.body)
    if isinstance(node, Dataflow):
        return (node.nodes,)
    return ()


def _outline(node: Node, depth: int) -> list[str]:
    """The conditionals and loops in a node, a line each."""
    if not parts(node):
        return []
    return [f"{'   ' * (depth + 1)}{node}"] + [
        line for part in parts(node) for inner in part for line in _outline(inner, depth + 1)
    ]


def walk(nodes: Iterable[Node]) -> Iterator[Node]:
    """The nodes and all those inside them."""
    for node in nodes:
        yield node
        for part in parts(node):
            yield from walk(part)


def used(node: Node) -> Iterator[int]:
    """The numbers of all values that a node uses, those inside it included."""
    for inner in walk([node]):
        yield from inner.inputs
        if isinstance(inner, Conditional):
            yield inner.selector
            for _, sides in inner.results:
                yield from (side for side in sides if isinstance(side, int))
        elif isinstance(inner, Loop):
            yield inner.condition
            for carried in inner.carried:
                yield from carried


def blocks(node: Node) -> bool:
    """Whether a node, or one inside it, may wait for another thread."""
    return any(inner.spec.blocking for inner in walk([node]))


def count(nodes: Iterable[Node]) -> int:
    """How many operations the nodes stand for."""
    return sum(1 for _ in walk(nodes))


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
    blocking  its last node may wait for another thread; what stands before that serves it alone
    size      how many ops there are, those inside loops and conditionals included
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
    size: int = 0

    def __str__(self) -> str:
        kind = "program" if self.compiled else "host"
        text = f"{kind}: {self.size} ops, {len(self.reads)} variables read, {len(self.writes)} written"
        if self.compiled:
            return text
        types = Counter(node.op.type for node in walk(self.nodes) if not parts(node) and node not in self.folded)
        listed = ", ".join(f"{n} {name}" for name, n in types.most_common(_LISTED))
        return f"{text} ({listed}{', ...' if len(types) > _LISTED else ''})"


@dataclass(frozen=True, slots=True, eq=False)
class Fetch:
    """Where a fetched value is: in a number, or in a variable (`before` the run or after). An operation has neither.

    alive  (number of a predicate, branch) for each conditional inside which the value is
    """

    number: int | None = None
    variable: str | None = None
    before: bool = True
    alive: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """All steps of a run.

    feeds    the number of each fed tensor
    fetches  where each fetched value is found
    size     how many numbers there are
    known    values that follow from the graph: (number, array or VariableName)
    kept     variables written here whose value from before the run is wanted after that
    touches  whether anything reads or writes a variable
    notes    what is not compiled though it might be, and why
    order    for each step those that must be done before it; empty where no step is blocking: then each waits for the
             one before it
    """

    steps: tuple[Step, ...]
    feeds: dict[Tensor, int]
    fetches: tuple[Fetch, ...]
    size: int
    known: tuple[tuple[int, Any], ...]
    kept: frozenset[str]
    touches: bool
    notes: tuple[str, ...] = ()
    order: tuple[frozenset[int], ...] = ()

    def __str__(self) -> str:
        lines = [f"{len(self.steps)} steps, {sum(len(s.nodes) for s in self.steps)} ops"]
        for i, step in enumerate(self.steps, 1):
            lines.append(f"  {i}. {step}")
            lines += [line for node in step.nodes for line in _outline(node, 1)]
        lines += [f"  {note}" for note in self.notes]
        return "\n".join(lines)
