"""tf.profiler: how many parameters a graph has, by name scope."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from regraft.base.errors import UnimplementedError
from regraft.ir.graph import Graph
from regraft.ir.graph_keys import GraphKeys
from regraft.v1 import _context

__all__ = ["GraphNode", "ProfileOptionBuilder", "profile"]

_TRAINABLE = "_trainable_variables"


@dataclass
class GraphNode:
    """A name scope or a variable.

    name              its full name, "_TFProfRoot" at the top
    parameters        elements of the variable itself
    total_parameters  with those of all below it
    children          by size, largest first
    """

    name: str
    parameters: int = 0
    children: list[GraphNode] = field(default_factory=list)

    @property
    def total_parameters(self) -> int:
        return self.parameters + sum(child.total_parameters for child in self.children)

    def lines(self, depth: int = 0) -> Iterator[str]:
        """A line a node, with what is below it further to the right."""
        yield f"{'  ' * depth}{self.name} ({self.parameters:,}/{self.total_parameters:,} params)"
        for child in sorted(self.children, key=lambda child: -child.total_parameters):
            yield from child.lines(depth + 1)


class ProfileOptionBuilder:
    """Options of `profile`, put together step by step; `build` gives the dictionary."""

    def __init__(self, options: dict[str, Any] | None = None) -> None:
        self._options: dict[str, Any] = dict(options or {"account_type_regexes": [".*"], "select": ["params"]})
        self._options.setdefault("output", "stdout")

    @staticmethod
    def trainable_variables_parameter() -> dict[str, Any]:
        """Count the elements of trainable variables, and print them by scope."""
        return {"account_type_regexes": [_TRAINABLE], "select": ["params"], "output": "stdout"}

    @staticmethod
    def float_operation() -> dict[str, Any]:
        """Count floating point operations, which `profile` refuses."""
        return {"account_type_regexes": [".*"], "select": ["float_ops"], "output": "stdout"}

    @staticmethod
    def time_and_memory(*args: Any, **kwargs: Any) -> dict[str, Any]:
        """Measure time and memory, which `profile` refuses."""
        return {"account_type_regexes": [".*"], "select": ["micros", "bytes"], "output": "stdout"}

    def with_stdout_output(self) -> ProfileOptionBuilder:
        self._options["output"] = "stdout"
        return self

    def with_empty_output(self) -> ProfileOptionBuilder:
        """Print nothing."""
        self._options["output"] = "none"
        return self

    def with_file_output(self, outfile: Any) -> ProfileOptionBuilder:
        """Write to a file what would be printed."""
        self._options["output"] = f"file:outfile={outfile}"
        return self

    def select(self, attributes: list[str]) -> ProfileOptionBuilder:
        """What to count: "params"."""
        self._options["select"] = list(attributes)
        return self

    def account_type_regexes(self, regexes: list[str]) -> ProfileOptionBuilder:
        self._options["account_type_regexes"] = list(regexes)
        return self

    with_accounted_types = account_type_regexes

    def build(self) -> dict[str, Any]:
        return dict(self._options)


def profile(
    graph: Graph | None = None, run_meta: Any = None, op_log: Any = None, cmd: str = "scope", options: Any = None
) -> GraphNode:
    """Count the parameters of the graph's variables by name scope, and print them.

    graph    the default graph without it
    options  of `ProfileOptionBuilder`; trainable variables alone count where they say so

    raises   UnimplementedError for other commands than "scope", and for counts of operations, time and memory
    """
    options = options or ProfileOptionBuilder.trainable_variables_parameter()
    refused = sorted(set(options.get("select", ())) - {"params"})
    if cmd != "scope" or refused or run_meta is not None:
        raise UnimplementedError(
            f"profile(cmd={cmd!r}, select={options.get('select')}) is not supported: parameters are counted, by scope",
            hint="`jax.profiler` measures time and memory; ProfileOptionBuilder.trainable_variables_parameter() counts",
        )
    trainable = _TRAINABLE in options.get("account_type_regexes", ())
    key = GraphKeys.TRAINABLE_VARIABLES if trainable else GraphKeys.GLOBAL_VARIABLES
    root = GraphNode("_TFProfRoot")
    for variable in dict.fromkeys((graph or _context.get_default_graph()).get_collection(key)):
        _place(root, variable.op.name, variable.get_shape().num_elements() or 0)
    _show("\n".join(root.lines()), options.get("output", "stdout"))
    return root


def _place(root: GraphNode, name: str, count: int) -> None:
    node, parts = root, name.split("/")
    for i in range(len(parts)):
        path = "/".join(parts[: i + 1])
        below = next((child for child in node.children if child.name == path), None)
        if below is None:
            below = GraphNode(path)
            node.children.append(below)
        node = below
    node.parameters = count


def _show(text: str, output: str) -> None:
    if output == "stdout":
        print(text)
    elif output.startswith("file:outfile="):
        from regraft.checkpoint import files

        files.write_bytes(output.removeprefix("file:outfile="), f"{text}\n".encode())
