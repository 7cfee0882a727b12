"""Which operations a run needs: everything behind the fetches, cut at the feeds."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable

from regraft.base.errors import InternalError
from regraft.ir.node import Operation, Tensor
from regraft.opkit import registry
from regraft.opkit.registry import Control


def needed(fetches: Iterable[Tensor | Operation], feeds: Collection[Tensor]) -> set[Operation]:
    """The operations that must run. Nothing else of the graph is looked at."""
    fed = set(feeds)
    found: set[Operation] = set()
    stack: list[Operation] = []
    for fetch in fetches:
        if isinstance(fetch, Tensor):
            if fetch not in fed:
                stack.append(fetch.op)
        else:
            stack.append(fetch)
    fed_ops = {t.op for t in fed}
    while stack:
        op = stack.pop()
        if op in found:
            continue
        found.add(op)
        for t in op._inputs:
            if t.op not in found and t not in fed:
                stack.append(t.op)
        for c in op._controls:
            if c not in found and not (c in fed_ops and _is_placeholder(c)):
                stack.append(c)
    return found


def _is_placeholder(op: Operation) -> bool:
    spec = registry.lookup(op.type)
    return spec is not None and spec.control is Control.PLACEHOLDER


def is_back_edge(op: Operation, tensor: Tensor) -> bool:
    """Whether `op` takes `tensor` from the next iteration of a loop."""
    spec = registry.lookup(tensor.op.type)
    if spec is None or spec.control is not Control.NEXT_ITERATION:
        return False
    own = registry.lookup(op.type)
    return own is not None and own.control is Control.MERGE


def ordered(ops: set[Operation]) -> list[Operation]:
    """The operations with every one behind those it depends on; ties go by order of creation.

    Edges from NextIteration to Merge close loops and are left out.
    """
    waits: dict[Operation, int] = {}
    after: dict[Operation, list[Operation]] = {}
    for op in ops:
        count = 0
        for t in op._inputs:
            if t.op in ops and not is_back_edge(op, t):
                count += 1
                after.setdefault(t.op, []).append(op)
        for c in op._controls:
            if c in ops:
                count += 1
                after.setdefault(c, []).append(op)
        waits[op] = count
    ready = [(op._id, op) for op, count in waits.items() if count == 0]
    heapq.heapify(ready)
    out: list[Operation] = []
    while ready:
        _, op = heapq.heappop(ready)
        out.append(op)
        for other in after.get(op, ()):
            waits[other] -= 1
            if waits[other] == 0:
                heapq.heappush(ready, (other._id, other))
    if len(out) != len(ops):
        stuck = sorted((op for op in ops if waits[op] > 0), key=lambda op: op._id)
        raise InternalError(f"{len(stuck)} operations wait for each other, {stuck[0].name!r} among them")
    return out
