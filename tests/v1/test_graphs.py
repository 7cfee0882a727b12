"""Each program of the tables makes one graph in Regraft and in TensorFlow: names, ops, inputs, attributes, shapes."""

from __future__ import annotations

import importlib
import importlib.util
import os

import pytest

import regraft.ops  # importing it registers every op
import regraft.v1
from regraft.opkit import registry
from tests.oracle import available
from tests.v1.both import build_ours, build_tensorflow, differences

# Read when TensorFlow first loads Keras, which alone has tf.layers today.
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

TABLES = (
    "array",
    "control",
    "decay",
    "distribution",
    "feature",
    "graph",
    "image",
    "layer",
    "lookup",
    "loss",
    "math",
    "metric",
    "nn",
    "parsing",
    "pipeline",
    "rnn",
    "script",
    "session",
    "signal",
    "sparse",
    "summary",
    "tensor_array",
    "variable",
)

NEEDS_KERAS = pytest.mark.skipif(
    not importlib.util.find_spec("tf_keras"), reason="TensorFlow has tf.layers with tf-keras alone"
)

# What a row leans on and Regraft does not have yet: static shapes follow from shape rules, which ops bring along.
NEEDS_SPARSE = pytest.mark.skipif(
    registry.lookup("SparseToDense") is None, reason="SparseToDense has no shape rule yet"
)
NEEDS_CODECS = pytest.mark.skipif(registry.lookup("DecodeJpeg") is None, reason="DecodeJpeg has no shape rule yet")
MARKS = {
    "image-coded": [NEEDS_CODECS],
    "nn-sampled_losses": [NEEDS_SPARSE],
}

ROWS = [
    pytest.param(
        row,
        id=f"{table}-{name}",
        marks=[*MARKS.get(f"{table}-{name}", ()), *([NEEDS_KERAS] if table in ("layer", "rnn") else ())],
    )
    for table in TABLES
    for name, row in importlib.import_module(f"tests.v1.{table}_programs").PROGRAMS.items()
]


@pytest.mark.skipif(not available(), reason="TensorFlow is not installed")
@pytest.mark.filterwarnings("ignore")  # TensorFlow's
@pytest.mark.parametrize("row", ROWS)
def test_same_graph(row):
    assert not differences(build_ours(regraft.v1, row), build_tensorflow(row))
