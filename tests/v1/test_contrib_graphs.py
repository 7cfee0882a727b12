"""Programs of tf.contrib make the graphs that TensorFlow 1.15's tf.contrib makes; see tests/golden/PROVENANCE.md."""

from __future__ import annotations

import importlib

import pytest

import regraft.v1
from tests.ops.both import describe_ours
from tests.v1.both import build_ours
from tests.v1.contrib_lines import golden, line

TABLES = ("contrib_rnn", "contrib_seq2seq", "contrib_sequence")
ROWS = [
    pytest.param(table, name, row, id=f"{table}-{name}")
    for table in TABLES
    for name, row in importlib.import_module(f"tests.v1.{table}_programs").PROGRAMS.items()
]


@pytest.mark.parametrize(("table", "name", "row"), ROWS)
def test_same_graph(table, name, row):
    found = [line(*node) for node in describe_ours(build_ours(regraft.v1, row)).items()]
    assert found == golden(table)[name]
