"""Static shapes of the ops that change variables, which are refs or resource handles.

Ops on refs have the variable as their output; ops on resources have none, and the rules only check.
"""

from __future__ import annotations

from regraft.base import dtypes
from regraft.opkit.shapes import Rule, ShapeContext, Sizes, at_least_rank, merge, merge_dim, with_rank


def variable(c: ShapeContext, index: int) -> Sizes:
    """The shape of the variable that input `index` is, or is the handle of."""
    return c.handle_shape(index) if c.tensor(index).dtype.base is dtypes.resource else c.input(index)


def _variables(c: ShapeContext, count: int) -> Sizes:
    out = variable(c, 0)
    for i in range(1, count):
        out = merge(c, out, variable(c, i))
    return out


def _scalars(c: ShapeContext, *but: int) -> None:
    for i in range(len(c)):
        if i not in but:
            with_rank(c, c.input(i), 0)


def assigned(c: ShapeContext) -> list[Sizes]:
    """Input 1 has the variable's shape."""
    return [merge(c, variable(c, 0), c.input(1))] * c.output_count


def counter(c: ShapeContext) -> list[Sizes]:
    """The variable is a scalar, and so is the output."""
    with_rank(c, variable(c, 0), 0)
    return [()]


def dense(variables: int, grad: int) -> Rule:
    """The first `variables` inputs and input `grad` share one shape, that of the outputs."""

    def rule(c: ShapeContext) -> list[Sizes]:
        out = merge(c, _variables(c, variables), c.input(grad))
        _scalars(c, *range(variables), grad)
        return [out] * c.output_count

    return rule


def sparse(variables: int, grad: int) -> Rule:
    """Input `grad` holds rows of the variables, and the input behind it says which."""

    def rule(c: ShapeContext) -> list[Sizes]:
        out = _variables(c, variables)
        rows = c.input(grad)
        (count,) = with_rank(c, c.input(grad + 1), 1)
        if rows is not None:
            if not rows:
                raise c.fail("Shape must be at least rank 1 but is rank 0")
            merge_dim(c, count, rows[0])
            out = merge(c, out, (None, *rows[1:]))
        _scalars(c, *range(variables), grad, grad + 1)
        return [out] * c.output_count

    return rule


def scattered(c: ShapeContext) -> list[Sizes]:
    """Input 2 is a scalar, or has a row of the variable for each of the indices of input 1."""
    out, indices, updates = variable(c, 0), c.input(1), c.input(2)
    if updates and out is not None and indices is not None:
        merge(c, updates, (*indices, *out[1:]))
    return [out] * c.output_count


def scattered_nd(c: ShapeContext) -> list[Sizes]:
    """Input 2 has a slice of the variable for each index vector of input 1."""
    out, indices, updates = variable(c, 0), c.input(1), c.input(2)
    for sizes in (out, indices, updates):
        at_least_rank(c, sizes, 1)
    if out is None or indices is None or updates is None:
        return [out] * c.output_count
    batch, depth = len(indices) - 1, indices[-1]
    merge(c, indices[:-1], updates[:batch])
    if depth is not None:
        merge(c, out[depth:], updates[batch:])
    return [out] * c.output_count


def unchanged(c: ShapeContext) -> list[Sizes]:
    """The output is the variable, whatever the other inputs are."""
    return [variable(c, 0)] * c.output_count
