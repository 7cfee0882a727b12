"""`regraft explain`: the plan of a run."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console


def show(path: str, fetches: Sequence[str], feeds: Sequence[str]) -> None:
    """Print the plan for fetching and feeding these tensors of the graph in `path`.

    raises  ValueError for a name that the graph does not have, UnimplementedError for ops without a kernel,
            InvalidArgumentError for placeholders that are not fed
    """
    from regraft.metagraph import read_meta_graph_file
    from regraft.serde.graph import graph_from_proto
    from regraft.session import Session

    meta_graph = read_meta_graph_file(path)
    graph = graph_from_proto(meta_graph.graph_def, meta_graph.meta_info_def.stripped_op_list.op)
    plan = Session(graph).plan(list(fetches), [_tensor(name) for name in feeds])
    Console(highlight=False, soft_wrap=True).print(str(plan), markup=False)


def _tensor(name: str) -> str:
    return name if ":" in name else f"{name}:0"
