"""`tensorflow.python.tools.inspect_checkpoint`: what a checkpoint holds, printed."""

from __future__ import annotations

from typing import Any

from regraft.checkpoint import open_checkpoint


def print_tensors_in_checkpoint_file(
    file_name: Any,
    tensor_name: str | None = None,
    all_tensors: bool = True,
    all_tensor_names: bool = False,
    count_exclude_pattern: str = "",
) -> None:
    """Print the names of all tensors, with their values; or the value of one; or names, dtypes and shapes.

    tensor_name       the one to print
    all_tensors       print every value
    all_tensor_names  print every name
    """
    with open_checkpoint(file_name) as reader:
        shapes, dtypes = reader.shapes(), reader.dtypes()
        if all_tensors or all_tensor_names:
            for name in sorted(shapes):
                print(f"tensor: {name} ({dtypes[name].name}) {list(shapes[name])}")
                if all_tensors:
                    print(reader.get_tensor(name))
        elif tensor_name:
            print(f"tensor: {tensor_name} ({dtypes[tensor_name].name}) {list(shapes[tensor_name])}")
            print(reader.get_tensor(tensor_name))
        else:
            for name in sorted(shapes):
                print(f"{name} ({dtypes[name].name}) {list(shapes[name])}")
