"""From fetches and feeds to a plan: prune, order, and hand over to the planner that the operations need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from regraft.base.errors import UnimplementedError
from regraft.ir.graph import Graph
from regraft.ir.node import Operation, Tensor
from regraft.opkit import registry
from regraft.runtime import calls, prune
from regraft.runtime.dataflow import DataflowPlanner
from regraft.runtime.plan import Plan
from regraft.runtime.planner import Planner
from regraft.runtime.structure import Unstructured

_NONE: Mapping[Tensor, str] = MappingProxyType({})


def build_plan(
    graph: Graph,
    fetches: Sequence[Tensor | Operation],
    feeds: Sequence[Tensor],
    structured: bool = True,
    variables: Mapping[Tensor, str] = _NONE,
) -> Plan:
    """The plan for one combination of fetches and feeds.

    variables   tensors that are fed with variables: which ones
    structured  False leaves control flow to the dataflow interpreter, which is slow but assumes nothing

    raises  UnimplementedError naming every op behind the fetches that has no kernel
            InvalidArgumentError for a placeholder that nothing feeds
    """
    ops = prune.needed(fetches, [*feeds, *variables])
    check_known(ops)
    order = prune.ordered(ops)
    if calls.needed(order):
        reason = "asked for"
        if structured:
            try:
                return calls.CallPlanner(order, list(feeds), variables).plan(fetches)
            except Unstructured as e:
                reason = str(e)
        try:
            return DataflowPlanner(order, list(feeds), reason, variables).plan(fetches)
        except Unstructured as e:
            raise UnimplementedError(f"control flow inside a function does not fit together: {e}") from e
    return Planner(order, list(feeds), variables).plan(fetches)


def check_known(ops: set[Operation]) -> None:
    """UnimplementedError that names every op among these without a kernel."""
    unknown = [op for op in ops if registry.lookup(op.type) is None and op.graph.function(op.type) is None]
    if not unknown:
        return
    unknown.sort(key=lambda op: op._id)
    first = unknown[0]
    kinds = sorted({op.type for op in unknown})
    raise UnimplementedError(
        f"op {first.type!r} has no kernel in Regraft, and the fetches need it",
        where=tuple(f"node {op.name!r} (op {op.type!r})" for op in unknown[:5]),
        hint=(
            (f"without a kernel: {', '.join(kinds)}; " if len(kinds) > 1 else "")
            + f"fetch something that does not need it, feed {first.name + ':0'!r}, or add a kernel with "
            f'@regraft.register_op("{first.type}")'
        ),
        op=first,
    )
