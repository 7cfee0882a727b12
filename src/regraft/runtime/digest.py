"""A digest of a step: equal digests are equal programs, in this process or another.

It covers the ops, their attributes, how they are wired, small constants, shapes and static values; names of nodes and
variables are left out where they only name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from regraft.base.dtypes import DType
from regraft.ir.attr import FunctionRef, TensorValue
from regraft.opkit.call import attr_values, definition_of
from regraft.runtime.plan import Access, Conditional, Loop, Node, Step, parts, walk
from regraft.runtime.values import VariableName


def step_digest(
    step: Step,
    known: Sequence[tuple[int, Any]],
    arguments: Any,
    static: dict[int, Any],
    sizes: Mapping[str, int],
) -> bytes:
    """The digest of a step for these arguments (arrays or shapes), static values and sizes of what grows."""
    digest = hashlib.sha256()
    add = digest.update
    numbers: dict[int, int] = {}
    variables: dict[str, int] = {}

    def number(n: int) -> int:
        return numbers.setdefault(n, len(numbers))

    def variable(name: str) -> int:
        return variables.setdefault(name, len(variables))

    used = {n for node in walk(step.nodes) for n in node.inputs}
    for name in (*step.reads, *step.writes):
        variable(name)
    for n in step.inputs:
        number(n)
    for n, value in known:
        if n not in used:
            continue
        if isinstance(value, VariableName):
            add(f"v{number(n)}={variable(value.name)};".encode())
        elif n not in step.constants:
            add(f"c{number(n)}={value.dtype}{value.shape}".encode())
            add(value.tobytes() if value.dtype.kind != "O" else repr(value.tolist()).encode())

    def add_nodes(nodes: Sequence[Node]) -> None:
        for node in nodes:
            add_node(node)

    def add_node(node: Node) -> None:
        if isinstance(node, Conditional):
            sides = [[side if side is None else place(side) for side in found] for _, found in node.results]
            add(f"?{number(node.selector)}{node.indexed}{[number(n) for n, _ in node.results]}{sides}".encode())
        elif isinstance(node, Loop):
            carried = [[number(n) for n in found] for found in node.carried]
            add(f"*{number(node.condition)}{carried}".encode())
        for part in parts(node):
            add(b"{")
            add_nodes(part)
            add(b"}")
        if parts(node):
            return
        attrs = attr_values(node.spec, node.op, definition_of(node.op)) if node.spec.kernel is not None else {}
        text = [
            node.op.type,
            ",".join(str(number(n)) for n in node.inputs),
            ",".join(str(number(n)) for n in node.outputs),
            ",".join(f"{a.position}:{variable(a.name)}:{a.before}" for a in (*node.reads, *node.writes)),
            ";".join(f"{k}={plain(v)}" for k, v in attrs.items()),
            "f" if node in step.folded else "",
            node.key if node.spec.makes_objects else "",
        ]
        add("|".join(text).encode())
        add(b"\n")

    def place(side: int | Access) -> str:
        return f"{variable(side.name)}:{side.before}" if isinstance(side, Access) else str(number(side))

    add_nodes(step.nodes)
    add(f"{[number(n) for n in step.outputs]} {[number(n) for n in step.constants]}".encode())
    add(f"{[variable(n) for n in step.reads]} {[variable(n) for n in step.writes]}".encode())
    for group in arguments:
        for a in group if isinstance(group, (list, tuple)) else [group]:
            add(f"{a.dtype}{tuple(a.shape)},".encode())
        add(b"/")
    for n, value in sorted(static.items()):
        array = np.asarray(value)
        add(f"s{number(n)}={array.dtype}{array.shape}".encode())
        if array.size and array.ndim and not any(array.strides):
            array = array[(0,) * array.ndim]  # one number over and over
        add(array.tobytes() if array.dtype.kind != "O" else repr(array.tolist()).encode())
    made = sorted(n.key for n in walk(step.nodes) if n.spec.makes_objects)
    add(str([(name, sizes[name]) for name in made if name in sizes]).encode())
    return digest.digest()


def plain(value: Any) -> str:
    """An attribute value as text; equal text is an equal value."""
    if isinstance(value, TensorValue):
        array = value.array
        data = array.tobytes() if array.dtype.kind != "O" else repr(array.tolist()).encode()
        return f"{value.dtype.name}{array.shape}{hashlib.sha256(data).hexdigest()}"
    if isinstance(value, DType):
        return value.name
    if isinstance(value, FunctionRef):
        return f"{value.name}{sorted((k, plain(v)) for k, v in value.attrs.items())}"
    if isinstance(value, tuple):
        return f"[{','.join(plain(v) for v in value)}]"
    return repr(value)
