"""tf.einsum: one Einsum op for two operands, a chain of them in a good order for more."""

from __future__ import annotations

import collections
import re
from typing import Any, NamedTuple

import numpy as np

from regraft.v1._opening import on, opened

__all__ = ["einsum"]

# Stands for "..." while the equation is taken apart.
_REST = "0"


class _Shaped(NamedTuple):
    shape: tuple[int, ...]


def einsum(equation: str, *inputs: Any, name: str | None = None, optimize: Any = "greedy") -> Any:
    """The sum of products that `equation` ("ij,jk->ik") describes.

    optimize  how to look for the order of more than two operands: "greedy", "optimal", "branch-2", "auto", ...
    raises    ValueError for an equation that has not the right form or does not fit the inputs
    """
    with opened(name, "einsum", inputs):
        operands = list(inputs)
        shapes: list[Any] = []
        for operand in operands:
            sizes = getattr(operand.shape, "sizes", operand.shape)
            shapes.append(None if sizes is None else list(sizes))
        whole = _resolved(equation, len(operands))
        b = on(operands)
        if len(operands) <= 2:
            return b.Einsum(operands, equation=whole.replace(_REST, "..."))
        import opt_einsum  # type: ignore[import-untyped]  # JAX depends on it

        _, steps = opt_einsum.contract_path(
            whole, *_shaped(whole, shapes), optimize=optimize, einsum_call=True, use_blas=True
        )
        for step in steps:
            taken = [operands.pop(i) for i in step[0]]
            operands.append(b.Einsum(taken, equation=step[2].replace(_REST, "...")))
        return operands[0]


def _resolved(equation: str, count: int) -> str:
    """The equation without spaces, with its output written out and "..." as one letter."""
    whole = equation.replace(" ", "")
    labels = "a-zA-Z"
    if "..." in whole:
        if _REST in whole:
            raise ValueError(f'Invalid character "{_REST}" in equation: {equation}.')
        whole = whole.replace("...", _REST)
        labels += _REST
    match = re.match(f"^([{labels},]*)(->[{labels}]*)?$", whole)
    if match is None:
        raise ValueError(f"Subscripts have incorrect format: {whole}")
    given = match[1].split(",")
    if len(given) != count:
        raise ValueError(f'Got {count} inputs for equation "{equation}", expecting {len(given)}')
    if match[2] is None:
        counts = collections.Counter(match[1])
        output = "".join(c for c in sorted(counts) if c != "," and counts[c] == 1)
        whole += f"->{output}"
    else:
        output = match[2][2:]
    if len(set(output)) != len(output):
        raise ValueError(f"Output subscripts contain a label appearing more than once: {equation}")
    for label in output:
        if label != _REST and label not in match[1]:
            raise ValueError(f"Output subscripts contain the label {label} not present in the input subscripts.")
    return whole


def _shaped(whole: str, shapes: list[Any]) -> list[_Shaped]:
    """The operands' shapes with one dimension for "..." and 1 where nothing is known, to find an order with."""
    terms = whole.split("->")[0].split(",")
    largest: dict[str, int] = collections.defaultdict(lambda: 1)
    for i, (term, sizes) in enumerate(zip(terms, shapes, strict=True)):
        if sizes is None:
            continue
        start = term.find(_REST)
        if start != -1:
            if start != term.rfind(_REST):
                raise ValueError(f"Too many ellipses in input label {term.replace(_REST, '...')}.")
            if len(term) > len(sizes) + 1:
                raise ValueError(f"Too many named labels in {i}th subscript string of equation {whole}: shape {sizes}")
            end = start + len(sizes) + 1 - len(term)
            sizes = [*sizes[:start], int(np.prod([d for d in sizes[start:end] if d])), *sizes[end:]]
        elif len(term) != len(sizes):
            raise ValueError(
                f"Number of named labels in input #{i} of equation {whole} must be equal to the number of "
                f"dimensions in shape {sizes}"
            )
        for label, size in zip(term, sizes, strict=True):
            if size is not None:
                largest[label] = max(largest[label], size)
    return [_Shaped(tuple(largest[label] for label in term)) for term in terms]
