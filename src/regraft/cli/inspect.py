"""`regraft inspect`: tables of what a file holds."""

from __future__ import annotations

import os
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from regraft.base.errors import NotFoundError
from regraft.model.summary import MissingOp, Summary, TensorInfo


def show(path: str, limit: int) -> None:
    """Print what `path` holds: a MetaGraphDef, a checkpoint, or what lies in a folder."""
    console = Console(soft_wrap=True)
    metas, checkpoints = find(path)
    if not metas and not checkpoints:
        raise NotFoundError(
            f"{path!r} is no .meta file, no checkpoint, and no folder with one",
            hint="name a file that ends with .meta, the prefix of a checkpoint (without .index), or their folder",
        )
    for meta in metas:
        show_meta(console, meta, limit)
    for prefix in checkpoints:
        show_checkpoint(console, prefix, limit)


def find(path: str) -> tuple[list[str], list[str]]:
    """The .meta files and checkpoint prefixes that `path` names; of a folder the newest pair."""
    from regraft.checkpoint.management import checkpoint_exists, latest_checkpoint

    if os.path.isdir(path):
        latest = latest_checkpoint(path)
        if latest is not None:
            meta = f"{latest}.meta"
            return ([meta] if os.path.exists(meta) else []), [latest]
        metas = sorted((os.path.join(path, f) for f in os.listdir(path) if f.endswith(".meta")), key=os.path.getmtime)
        return metas[-1:], []
    if path.endswith(".index"):
        path = path.removesuffix(".index")
    if os.path.isfile(path) and not path.endswith(".index"):
        is_checkpoint = not path.endswith((".meta", ".pb", ".pbtxt")) and checkpoint_exists(path)
        return ([], [path]) if is_checkpoint else ([path], [])
    return [], [path] if checkpoint_exists(path) else []


def show_meta(console: Console, path: str, limit: int) -> None:
    import regraft.ops  # noqa: F401  importing it registers every op
    from regraft.metagraph import read_meta_graph_file
    from regraft.model.summary import summarize
    from regraft.serde.graph import graph_from_proto

    meta_graph = read_meta_graph_file(path)
    graph = graph_from_proto(meta_graph.graph_def, meta_graph.meta_info_def.stripped_op_list.op)
    summary = summarize(meta_graph, graph)
    console.print(f"[bold]{path}[/]  {os.path.getsize(path):,} bytes")
    kinds = ", ".join(f"{count:,} {name}" for name, count in summary.op_counts[:6])
    console.print(f"{summary.nodes:,} nodes ({kinds}, ...), {summary.functions} functions")
    version = summary.tensorflow_version or "unknown"
    console.print(f"written by TensorFlow {version} (producer {summary.producer})")
    if summary.devices:
        console.print(f"devices (kept, not obeyed): {', '.join(summary.devices[:limit])}")
    _tensors(console, "inputs", summary.inputs, limit)
    _tensors(console, "outputs", summary.outputs, limit)
    _tensors(console, _variable_title(summary), summary.variables, limit)
    console.print("[bold]train ops[/]: " + (", ".join(summary.train_ops) or "none"))
    if summary.collections:
        table = Table(title="collections", title_justify="left", box=None)
        for column in ("name", "kind", "items"):
            table.add_column(column)
        for name, kind, count in summary.collections:
            table.add_row(name, kind, str(count))
        console.print(table)
    if not summary.has_saver:
        console.print("no saver: the file does not say how to save and restore")
    _verdict(console, summary, limit)


def _variable_title(summary: Summary) -> str:
    return (
        f"variables: {len(summary.variables)} ({summary.trainable} trainable), {summary.elements:,} elements, "
        f"{summary.bytes / 1e6:,.1f} MB"
    )


def _tensors(console: Console, title: str, tensors: Sequence[TensorInfo], limit: int) -> None:
    table = Table(title=title, title_justify="left", box=None, title_style="bold")
    for column in ("name", "dtype", "shape"):
        table.add_column(column, overflow="fold")
    for t in tensors[:limit]:
        table.add_row(t.name, t.dtype, t.shape)
    console.print(table if tensors else f"[bold]{title}[/]: none")
    if len(tensors) > limit:
        console.print(f"  ... and {len(tensors) - limit:,} more")


def _verdict(console: Console, summary: Summary, limit: int) -> None:
    for missing in summary.missing:
        blocked = ", ".join(missing.blocks[:limit]) or "nothing that is listed here"
        more = f" and {len(missing.blocks) - limit:,} more" if len(missing.blocks) > limit else ""
        nodes = f"{len(missing.nodes):,} node{'s' if len(missing.nodes) > 1 else ''} ({', '.join(missing.nodes[:3])})"
        console.print(f"[red]op {missing.op} {_lack(missing)}[/]: {nodes}; it blocks {blocked}{more}")
    outputs = [t.name for t in summary.outputs]
    what = "output" if outputs else "outputs were found; name what you want to fetch"
    console.print(_can_run("inference", outputs, summary, what))
    what = "train op" if summary.train_ops else "train op is in the file; build one on its loss with regraft.v1"
    console.print(_can_run("training", summary.train_ops, summary, what))


def _lack(missing: MissingOp) -> str:
    if missing.python:
        return "needs the Python function that it called (regraft.bind_py_func)"
    return "has no kernel (regraft.register_op adds one)"


def _can_run(what: str, names: Sequence[str], summary: Summary, kind: str) -> str:
    blocked = [name for name in names if name in summary.blocked]
    if not names:
        beyond = "every op has a kernel, but no" if not summary.missing else "no"
        return f"[bold]{what}[/]: {beyond} {kind}"
    if not blocked:
        return f"[green]{what} can run[/]: nothing stands in the way of {_counted(len(names), kind)}"
    if len(blocked) == len(names):
        return f"[red]{what} cannot run as the file stands[/]: {_counted(len(names), kind)} blocked"
    free = len(names) - len(blocked)
    return f"[yellow]{what} can run in part[/]: {free:,} of {_counted(len(names), kind)} free, {len(blocked):,} blocked"


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' if count != 1 else ''}"


def show_checkpoint(console: Console, prefix: str, limit: int) -> None:
    from regraft.checkpoint import open_checkpoint

    reader = open_checkpoint(prefix)
    shapes, dtypes = reader.shapes(), reader.dtypes()
    table = Table(title=f"checkpoint {prefix}: {len(shapes):,} tensors", title_justify="left", box=None)
    for column in ("name", "dtype", "shape"):
        table.add_column(column, overflow="fold")
    for name in sorted(shapes)[:limit]:
        table.add_row(name, dtypes[name].name, str(list(shapes[name])))
    console.print(table)
    if len(shapes) > limit:
        console.print(f"  ... and {len(shapes) - limit:,} more")
