"""Each program makes one graph with Regraft's tf.contrib and with tf-slim: names, ops, inputs, attributes, shapes."""

from __future__ import annotations

import importlib

import pytest

import regraft.ops
import regraft.v1
from tests.oracle.slim import slim_available, tensorflow_with_contrib
from tests.v1.both import build_ours, build_tensorflow, differences

TABLES = ("contrib",)

ROWS = [
    pytest.param(row, id=f"{table}-{name}")
    for table in TABLES
    for name, row in importlib.import_module(f"tests.v1.{table}_programs").PROGRAMS.items()
]


@pytest.mark.skipif(not slim_available(), reason="needs TensorFlow, tf-keras and tf-slim")
@pytest.mark.filterwarnings("ignore")  # TensorFlow's
@pytest.mark.parametrize("row", ROWS)
def test_same_graph(row):
    theirs = build_tensorflow(lambda _: row(tensorflow_with_contrib()))
    assert not differences(build_ours(regraft.v1, row), theirs)
