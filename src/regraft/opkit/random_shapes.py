"""Static shapes of the random ops that take seeds, or keys and counters, among their inputs."""

from __future__ import annotations

from regraft.opkit.shapes import Rule, ShapeContext, Sizes, merge_dim, with_rank


def seeded(c: ShapeContext) -> list[Sizes]:
    """The output has the shape that input 0 gives; input 1 is a seed."""
    (length,) = with_rank(c, c.input(1), 1)
    merge_dim(c, length, 2)
    return [c.sizes(0)]


def keyed(*scalars: int) -> Rule:
    """The output has the shape that input 0 gives; inputs 1 to 3 are key, counter and algorithm."""

    def rule(c: ShapeContext) -> list[Sizes]:
        (length,) = with_rank(c, c.input(1), 1)
        merge_dim(c, length, 1)
        with_rank(c, c.input(2), 1)
        for i in (3, *scalars):
            with_rank(c, c.input(i), 0)
        return [c.sizes(0)]

    return rule
