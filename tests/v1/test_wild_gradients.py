"""`tf.gradients` through the loops of files that others wrote adds the nodes that TensorFlow adds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import regraft.v1
from regraft.ir.graph import Graph
from regraft.v1 import _context
from tests.ops.both import describe_ours, describe_tensorflow
from tests.oracle import available, tensorflow

WILD = Path(__file__).parents[2].parent / "shared" / "wild"
MODELS = ("anshullahoti__ASR__ctc", "crownpku__Information-Extraction-Chinese__bilstm")


def _differentiate(tf, graph, path, loss):
    tf.train.import_meta_graph(str(path), clear_devices=True)
    tf.gradients(graph.get_tensor_by_name(f"{loss}:0"), tf.trainable_variables(), name="gradients_again")
    return graph


@pytest.mark.skipif(not WILD.is_dir(), reason="the models of strangers are not beside the project")
@pytest.mark.skipif(not available(), reason="TensorFlow is not installed")
@pytest.mark.filterwarnings("ignore")  # TensorFlow's
@pytest.mark.parametrize("model", MODELS)
def test_same_gradients(model):
    entry = next(e for e in json.loads((WILD / "manifest.json").read_text()) if e["id"] == model)
    path = WILD / model / Path(entry["meta"]).name
    ours = Graph()
    with _context.graph_as_default(ours):
        found = describe_ours(_differentiate(regraft.v1, ours, path, entry["loss"]))
    tf = tensorflow()
    with tf.Graph().as_default() as theirs:
        wanted = describe_tensorflow(_differentiate(tf, theirs, path, entry["loss"]))
    added = {name: node for name, node in wanted.items() if name.startswith("gradients_again")}
    assert added
    assert {name: node for name, node in found.items() if name.startswith("gradients_again")} == added
