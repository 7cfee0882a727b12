"""Functions of elements: from Python to the graph's library."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

from regraft.opkit.conversion import conversion_for
from regraft.v1 import _context
from regraft.v1._sparse_tensor import is_sparse
from regraft.v1._tracing import Argument, trace
from regraft.v1.data import _nest, _structure

_ATTRS = {"_tf_data_function": True}


class ElementFunction:
    """A Python function of elements of a structure, traced.

    ref       what an op's attribute takes
    captured  what the op takes beside the elements
    spec      the structure of what the function returns
    """

    def __init__(self, function: Callable[..., Any], of: str, spec: Any) -> None:
        """Trace a function of elements of the structure `spec`.

        of      the transformation that the function is for, as in "Dataset.map()"
        raises  TypeError for a result that is no element
        """
        found: list[Any] = []

        def flat(*tensors: Any) -> list[Any]:
            element = _structure.from_tensors(spec, tensors)
            result = function(*element) if type(element) is tuple else function(element)
            result = _nest.map_structure(_as_tensor, tuple(result) if isinstance(result, list) else result)
            try:
                found.append(_structure.spec_of_element(result))
            except (TypeError, ValueError) as e:
                raise TypeError(f"Unsupported return value from function passed to {of}: {result}.") from e
            return [_context.builder().convert(t) for t in _structure.to_tensors(found[0], result)]

        arguments = [Argument(s.flat[0], s.flat[1], f"args_{i}") for i, s in enumerate(_nest.flatten(spec))]
        traced = trace(flat, arguments, f"{of.replace('.', '_')[:-2]}_{_name(function)}", _ATTRS)
        self.ref, self.captured = traced.ref, traced.captured
        self.spec = found[0]


def _as_tensor(value: Any) -> Any:
    """Variables and the like as tensors; everything else as it is."""
    if hasattr(value, "_variant_tensor") or is_sparse(value) or conversion_for(value) is None:
        return value
    return _context.builder().convert(value)


def _name(function: Any) -> str:
    """The name of a function, without what node names cannot have."""
    while isinstance(function, functools.partial):
        function = function.func
    name = getattr(function, "__name__", None) or type(function).__name__
    return re.sub(r"[<>\\' ]", "", name)
