"""tf.Print and tf.print: values on the terminal while a graph runs."""

from __future__ import annotations

import logging
import pprint
import random
import sys
from collections import OrderedDict
from typing import Any

from regraft.base import dtypes
from regraft.ir.node import Operation, Tensor
from regraft.opkit import nest
from regraft.v1 import _context
from regraft.v1 import logging as tf_logging
from regraft.v1._graph import is_tensor
from regraft.v1._opening import on

_LEVELS = {"info": "log(info)", "warn": "log(warning)", "warning": "log(warning)", "error": "log(error)"}


def Print(
    input_: Any,
    data: Any,
    message: str | None = None,
    first_n: int | None = None,
    summarize: int | None = None,
    name: str | None = None,
) -> Tensor:
    """`input_`, which prints the tensors of the list `data` to stderr when it is computed.

    message    what to print before them
    first_n    print in the first runs only
    summarize  how many elements of each tensor to print, 3 unless said
    """
    given = {"message": message, "first_n": first_n, "summarize": summarize}
    attrs = {key: value for key, value in given.items() if value is not None}
    tensor: Tensor = on(input_, *data).op("Print", input_, list(data), name=name, **attrs)
    return tensor


def print(*inputs: Any, **kwargs: Any) -> Operation:
    """An operation that prints its arguments: tensors, other objects, and nests of both.

    output_stream  sys.stderr (without it), sys.stdout, a function or level of `tf.logging`, or "file://PATH"
    summarize      how many elements to show at each end of a dimension, 3 unless said; -1 for all
    sep, end       as of Python's print
    name           the name of the operation

    raises         ValueError for arguments that it does not have, and for other streams
    """
    stream = _stream(kwargs.pop("output_stream", sys.stderr))
    name, summarize = kwargs.pop("name", None), kwargs.pop("summarize", 3)
    sep, end = kwargs.pop("sep", " "), kwargs.pop("end", "\n")
    if kwargs:
        raise ValueError(f"Unrecognized keyword arguments for tf.print: {kwargs}")
    b = _context.builder()
    only = inputs[0] if len(inputs) == 1 else None
    if isinstance(only, Tensor) and only.shape.rank == 0 and only.dtype.base is dtypes.string:
        text = only
    else:
        template, placeholder, tensors = _template(inputs, sep)
        text = b.op(
            "StringFormat",
            tensors,
            template=template,
            placeholder=placeholder,
            summarize=3 if summarize is None else summarize,
            name=f"{name}_format" if name else None,
        )
    return b.operation("PrintV2", text, output_stream=stream, end=end, name=name)


def _stream(stream: Any) -> str:
    if isinstance(stream, str) and stream.startswith("file://"):
        return stream
    known: list[tuple[Any, str]] = [(sys.stdout, "stdout"), (sys.stderr, "stderr")]
    for name, text in _LEVELS.items():
        for module in (tf_logging, logging):
            known += [(getattr(module, name, None), text), (getattr(module, name.upper(), None), text)]
    for candidate, text in known:
        if candidate is not None and stream is candidate:
            return text
    raise ValueError(
        f"Unsupported output stream, logging level, or file: {stream}. Supported streams are sys.stdout, sys.stderr, "
        "tf.logging.info, tf.logging.warning, tf.logging.error, and files as 'file://<filepath>'."
    )


def _template(inputs: Any, sep: str) -> tuple[str, str, list[Any]]:
    """What to print with a placeholder for each tensor, the placeholder, and the tensors."""
    inputs = [OrderedDict(sorted(i.items())) if isinstance(i, OrderedDict) else i for i in inputs]
    without = nest.map_structure(lambda x: "" if is_tensor(x) else x, inputs)
    shown = " ".join(pprint.pformat(x) for x in without)
    placeholder, digits = "{}", random.Random(5)  # TensorFlow's seed: the nodes are to be equal
    while placeholder in shown:
        placeholder += str(digits.randint(0, 9))
    tensors: list[Any] = []
    texts = []
    for item in inputs:
        leaves = []
        for leaf in nest.flatten(item):
            parts = [leaf.indices, leaf.values, leaf.dense_shape] if hasattr(leaf, "dense_shape") else [leaf]
            if len(parts) == 3:
                leaves.append(f"SparseTensor(indices={placeholder}, values={placeholder}, shape={placeholder})")
            else:
                leaves.append(placeholder if is_tensor(leaf) else leaf)
            tensors += parts if len(parts) == 3 or is_tensor(leaf) else []
        texts.append(item if isinstance(item, str) else pprint.pformat(nest.pack(item, leaves)))
    template = sep.join(texts).replace(f"'{placeholder}'", placeholder)
    return template, placeholder, tensors
