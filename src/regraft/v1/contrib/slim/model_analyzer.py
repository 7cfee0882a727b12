"""slim.model_analyzer: the sizes of a graph's tensors and variables."""

from __future__ import annotations

from typing import Any


def tensor_description(var: Any) -> str:
    """ "(float32 3x4)"."""
    return f"({var.dtype.base_dtype.name} {'x'.join(str(d) for d in var.get_shape())})"


def analyze_ops(graph: Any, print_info: bool = False) -> int:
    """The number of elements of all outputs whose shape is known; each operation is printed if wanted."""
    if print_info:
        print("---------\nOperations: name -> (type shapes) [size]\n---------")
    total = 0
    for op in graph.get_operations():
        size = sum(output.get_shape().num_elements() or 0 for output in op.outputs)
        if print_info:
            shapes = [tensor_description(output) for output in op.outputs if output.get_shape().ndims]
            print(op.name, "\t->", ", ".join(shapes), f"[{size}]")
        total += size
    return total


def analyze_vars(variables: Any, print_info: bool = False) -> tuple[int, int]:
    """(elements, bytes) of the variables; each is printed if wanted."""
    if print_info:
        print("---------\nVariables: name (type shape) [size]\n---------")
    elements = size = 0
    for var in variables:
        count = var.get_shape().num_elements() or 0
        elements += count
        size += count * var.dtype.size
        if print_info:
            print(var.name, tensor_description(var), f"[{count}, bytes: {count * var.dtype.size}]")
    if print_info:
        print(f"Total size of variables: {elements}\nTotal bytes of variables: {size}")
    return elements, size
