"""One pipeline in both libraries: its elements, and its graph with the functions that it needs."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np

import regraft.v1 as rg
from regraft.v1.data import _nest
from tests.oracle import tensorflow

# Elements that are asked for in a run, and errors after which it is given up.
MOST, ERRORS = 90, 3


def described(message: Any) -> tuple[Any, Any]:
    """A GraphDef as plain values: its nodes, and its functions by name, without the numbers that end these names."""
    functions: dict[str, list[Any]] = {}
    for function in message.library.function:
        signature = type(function.signature)()
        signature.CopyFrom(function.signature)
        name = signature.name
        signature.ClearField("name")
        signature.ClearField("description")
        functions.setdefault(_unnumbered(name), []).append(
            (
                str(signature),
                _nodes(function.node_def),
                dict(sorted(function.ret.items())),
                dict(sorted(function.control_ret.items())),
                _attrs(function.attr),
                {i: _attrs(attrs.attr) for i, attrs in sorted(function.arg_attr.items())},
            )
        )
    return _nodes(message.node), {name: sorted(same, key=str) for name, same in functions.items()}


def _unnumbered(name: str) -> str:
    return re.sub(r"_[A-Za-z0-9]{11}$|_\d+$", "", name)


def _nodes(nodes: Any) -> list[Any]:
    return [(n.name, n.op, list(n.input), _attrs(n.attr)) for n in nodes]


def _attrs(attrs: Any) -> dict[str, Any]:
    """Attributes by name, in the order of the names: a map of a message has an order of its own each time."""
    return {name: _attr(value) for name, value in sorted(attrs.items())}


def _attr(value: Any) -> Any:
    if value.HasField("func"):
        return _unnumbered(value.func.name), sorted(value.func.attr)
    return str(value)


def in_tensorflow(graph: rg.Graph) -> Any:
    """A graph of ours in TensorFlow."""
    tf = tensorflow()
    theirs = tf.Graph()
    with theirs.as_default():
        tf.import_graph_def(tf.GraphDef.FromString(graph.as_graph_def().SerializeToString()), name="")
    return theirs


def in_regraft(graph: Any) -> rg.Graph:
    """A graph of TensorFlow in ours."""
    ours = rg.Graph()
    with ours.as_default():
        rg.import_graph_def(graph.as_graph_def(), name="")
    return ours


def built(tf: Any, pipeline: Callable[[Any], Any]) -> tuple[Any, str, list[str]]:
    """A graph with an iterator over the pipeline, the name of its initializer, and those of an element's tensors."""
    with tf.Graph().as_default() as graph:
        iterator = tf.data.make_initializable_iterator(pipeline(tf))
        names = []
        for part in _nest.flatten(iterator.get_next()):
            sparse = hasattr(part, "dense_shape")
            names += [t.name for t in ((part.indices, part.values, part.dense_shape) if sparse else (part,))]
        return graph, iterator.initializer.name, names


def elements(tf: Any, graph: Any, initializer: str, names: list[str], runs: int = 2) -> list[Any]:
    """What the iterator gives: elements, names of errors, and the end, for each time that it is initialized."""
    found: list[Any] = []
    with tf.Session(graph=graph) as session:
        for _ in range(runs):
            session.run(initializer)
            failed = 0
            while failed < ERRORS and len(found) < MOST:
                try:
                    found.append([np.asarray(v) for v in session.run(names)])
                except tf.errors.OutOfRangeError:
                    found.append("the end")
                    break
                except tf.errors.OpError as e:
                    found.append(type(e).__name__)
                    failed += 1
    return found


def check_same(found: list[Any], wanted: list[Any]) -> None:
    """AssertionError where elements differ; numbers may by the rounding of their dtype."""
    assert len(found) == len(wanted)
    for one, reference in zip(found, wanted, strict=True):
        if isinstance(one, str) or isinstance(reference, str):
            assert one == reference
            continue
        for value, expected in zip(one, reference, strict=True):
            if expected.dtype.kind in "OSU":
                assert value.tolist() == expected.tolist()
            else:
                assert (value.dtype, value.shape) == (expected.dtype, expected.shape)
                np.testing.assert_allclose(value, expected, rtol=1e-6)
