"""Random numbers that only say what is dropped: not drawn where nothing is, and once where something is.

`tf.nn.dropout` compares uniform numbers with a rate (`u >= rate`), or, in older graphs, adds what it keeps to them and
rounds down (`floor(keep + u)`). Where nothing is dropped, neither depends on the numbers. Where something is, XLA on
CPUs would draw them again for whatever reads the mask, such as the gradient: it fuses the drawing into each reader, but
not out of a conditional.

`OpSpec.mask` says what an op does with the numbers:

draws     output 0 has uniform numbers in [0, 1), in the shape that input 0 says
scales    they are multiplied: by 1, where the range of a `random_uniform` is [0, 1)
adds      something is added to them: 0, or what is kept
compares  a mask: whether input 0 is at least input 1
rounds    a mask: rounded down
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from regraft.opkit.arrays import jnp, lax, on_host, static_shape
from regraft.runtime.plan import Node, parts, used


def undrawn(nodes: Sequence[Node], wanted: Iterable[int]) -> frozenset[Node]:
    """The nodes that draw numbers for a mask and nothing else; those inside loops and conditionals included.

    nodes   in order
    wanted  numbers of values that leave the nodes
    """
    uses: Counter[int] = Counter(wanted)
    for node in nodes:
        uses.update(used(node))
    found: set[Node] = set()
    for part in _lists(nodes):
        readers = {number: node for node in part if not parts(node) for number in node.inputs}
        draws = (node for node in part if node.spec.mask == "draws")
        found.update(node for node in draws if _makes_a_mask(node.outputs[0], readers, uses))
    return frozenset(found)


def _lists(nodes: Sequence[Node]) -> Iterator[Sequence[Node]]:
    yield nodes
    for node in nodes:
        for part in parts(node):
            yield from _lists(part)


def _makes_a_mask(number: int, readers: Mapping[int, Node], uses: Mapping[int, int]) -> bool:
    """Whether the value is used once, for a mask, by a node of its own list."""
    while uses[number] == 1 and number in readers:
        reader = readers[number]
        role = reader.spec.mask
        if role == "rounds" or (role == "compares" and reader.inputs[0] == number):
            return True
        if role not in ("scales", "adds"):
            return False
        number = reader.outputs[0]
    return False


class Undrawn:
    """Uniform numbers that a mask will be made of, with what was added to them.

    draw    makes the numbers; it is called where they are wanted, once
    shape   theirs
    either  a traced condition that says nothing, for XLA to be unsure of
    """

    __slots__ = ("_added", "_draw", "_either", "_shape")

    def __init__(self, draw: Callable[[], Any], shape: tuple[int, ...], either: Any, added: Any = None) -> None:
        self._draw = draw
        self._shape = shape
        self._either = either
        self._added = added

    def into(self, node: Node, args: list[Any]) -> Any:
        """What a reader of the numbers gives: these numbers again, or an array."""
        other = next((a for a in args if a is not self), None)
        role = node.spec.mask
        if role == "rounds" and self._added is not None:
            return self._mask(node, args, self._added == 1)
        if isinstance(other, Undrawn) or other is None or static_shape(other) != () or self._added is not None:
            return self._read(node, args)
        if role == "compares":
            return self._mask(node, args, other <= 0)
        if on_host(other) and other == (1 if role == "scales" else 0):
            return self
        if role == "adds":
            return Undrawn(self._draw, self._shape, self._either, other)
        return self._read(node, args)

    def _mask(self, node: Node, args: list[Any], whole: Any) -> Any:
        """whole: whether nothing is dropped"""

        def everything() -> Any:
            return jnp.ones(self._shape, node.op.output_types[0].numpy)

        def drawn() -> Any:
            return self._read(node, args)

        if not on_host(whole):
            return lax.cond(whole, everything, drawn)
        return everything() if whole else lax.cond(self._either, drawn, drawn)

    @staticmethod
    def _read(node: Node, args: list[Any]) -> Any:
        assert node.run is not None
        (result,) = node.run(*(a._drawn() if isinstance(a, Undrawn) else a for a in args))
        return result

    def _drawn(self) -> Any:
        numbers = self._draw()
        return numbers if self._added is None else numbers + self._added
