"""Results whose size only values tell, made as large as they can become, where that changes nothing.

`Unique` gives as many rows as there are distinct values. A program has no such shapes; but what gradients of embeddings
do with those rows is to sum into them and to scatter them. There rows may be added at the end: sums over nothing,
for an index that no variable has, which scattering passes over. `OpSpec.surplus` says what an op does with such rows:

makes   output 0 gets them
counts  asks how many rows there are: the result is used for nothing but sizes of sums
sums    makes as many rows as input 2 says; those that no row of input 1 names are zeros
keeps   works on each row by itself
drops   passes over rows whose entry of the input `indices` is no index
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from regraft.runtime.plan import Node, parts

_ROW_NAMES, _ROW_COUNT = 1, 2  # inputs of an op that `sums`


def harmless(nodes: Sequence[Node], wanted: Collection[int]) -> set[Node]:
    """The nodes that make surplus rows of which nothing is ever seen.

    nodes   in order
    wanted  numbers of values that leave the nodes
    """
    makers = [node for node in nodes if node.spec.surplus == "makes"]
    if not makers:
        return set()
    uses: dict[int, list[tuple[Node, int]]] = {}
    for node in nodes:
        for position, number in enumerate(node.inputs):
            uses.setdefault(number, []).append((node, position))
    return {maker for maker in makers if _is_harmless(maker, uses, wanted)}


def _is_harmless(maker: Node, uses: dict[int, list[tuple[Node, int]]], wanted: Collection[int]) -> bool:
    if parts(maker):
        return False
    rows, counts = {maker.outputs[0]}, set[int]()
    found = [maker.outputs[0]]
    while found:
        number = found.pop()
        for node, position in uses.get(number, ()):
            role = node.spec.surplus
            after: set[int] | None = None
            if number in counts:
                if role == "counts" and position == 0:
                    after = counts
                elif role == "sums" and position == _ROW_COUNT and node.inputs[_ROW_NAMES] == maker.outputs[1]:
                    after = rows
            elif role == "counts":
                after = counts
            elif role == "keeps":
                after = rows
            if after is not None:
                new = set(node.outputs) - after
                after |= new
                found.extend(new)
    if not (rows | counts).isdisjoint(wanted):
        return False
    fits = all(_count_fits(use, rows) for number in counts for use in uses.get(number, ()))
    return fits and all(_row_fits(use, rows, counts) for number in rows for use in uses.get(number, ()))


def _count_fits(use: tuple[Node, int], rows: set[int]) -> bool:
    node, position = use
    if node.spec.surplus == "counts":
        return position == 0
    return node.spec.surplus == "sums" and position == _ROW_COUNT and node.outputs[0] in rows


def _row_fits(use: tuple[Node, int], rows: set[int], counts: set[int]) -> bool:
    node, position = use
    if node.spec.surplus == "counts":
        return position == 0
    if node.spec.surplus == "keeps":
        return all(n in rows or t.shape.rank == 0 for n, t in zip(node.inputs, node.op.inputs, strict=True))
    return node.spec.surplus == "drops" and node.inputs[node.spec.input_names.index("indices")] in rows


__all__ = ["harmless"]
