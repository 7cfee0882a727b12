"""The MetaGraphs of strangers, read and written as TensorFlow reads and writes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import regraft.ops  # noqa: F401  shapes are inferred by the registered ops
from regraft import proto
from regraft.ir.graph import Graph
from regraft.metagraph import export_meta_graph, import_meta_graph, read_meta_graph_file
from tests import oracle

WILD = Path(__file__).resolve().parents[3] / "shared" / "wild"
FILES = sorted(WILD.glob("*/*.meta")) if WILD.is_dir() else []
GOOD = [path for path in FILES if path.parent.name != "negatives"]
BAD = [path for path in FILES if path.parent.name == "negatives"]

pytestmark = pytest.mark.skipif(not FILES, reason="the collection of strangers' models is not beside this repository")

# TensorFlow itself refuses these: a version that no parser likes, a collection of nodes that do not exist.
NOT_THEIRS = ("half_plus_two_v1", "half_plus_two_v2", "tflearn")


@pytest.mark.parametrize("path", GOOD, ids=lambda p: p.parent.name)
def test_every_file_opens(path: Path) -> None:
    graph = Graph()
    import_meta_graph(graph, path)
    assert len(graph) == len(read_meta_graph_file(path).graph_def.node)
    for op in graph.get_operations():
        assert isinstance(dict(op.attrs), dict)  # every attribute decodes


@pytest.mark.parametrize(
    "path", [p for p in GOOD if not p.parent.name.endswith(NOT_THEIRS)], ids=lambda p: p.parent.name
)
def test_read_and_written_as_tensorflow_does(path: Path) -> None:
    tf = oracle.tensorflow()
    with tf.Graph().as_default() as their_graph:
        tf.train.import_meta_graph(str(path))
        theirs = proto.MetaGraphDef.FromString(tf.train.export_meta_graph().SerializeToString())
        order = [(op.name, op.device, [t.dtype.name for t in op.outputs]) for op in their_graph.get_operations()]
    graph = Graph()
    import_meta_graph(graph, path)
    assert [(op.name, op.device, [t.name for t in op.output_types]) for op in graph.get_operations()] == order
    ours = export_meta_graph(graph=graph)
    for mine, want in zip(ours.graph_def.node, theirs.graph_def.node, strict=True):
        assert _plain(mine) == _plain(want), want.name
    assert ours.graph_def.versions == theirs.graph_def.versions
    assert ours.graph_def.library == theirs.graph_def.library
    assert ours.meta_info_def.stripped_op_list == theirs.meta_info_def.stripped_op_list
    assert set(ours.collection_def) == set(theirs.collection_def)
    for key, collection in theirs.collection_def.items():
        if not key.endswith("_context"):  # their maps have no order
            assert ours.collection_def[key] == collection, key


def _plain(node: Any) -> Any:
    """Without what is no part of the meaning: the order of control inputs, full types, static shapes."""
    data = [i for i in node.input if not i.startswith("^")]
    controls = sorted(i for i in node.input if i.startswith("^"))
    del node.input[:]
    node.input.extend(data + controls)
    node.ClearField("experimental_type")
    if "_output_shapes" in node.attr:
        del node.attr["_output_shapes"]
    return node


@pytest.mark.parametrize("path", BAD, ids=lambda p: p.name)
def test_what_is_no_meta_graph(path: Path) -> None:
    with pytest.raises(OSError, match="Cannot parse file"):
        read_meta_graph_file(path)
