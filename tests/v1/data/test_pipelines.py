"""Each pipeline of the table makes the graph that TensorFlow makes, and gives the elements that TensorFlow gives."""

from __future__ import annotations

from pathlib import Path

import pytest

import regraft.v1 as rg
from tests.oracle import available, tensorflow
from tests.v1.data.both import built, check_same, described, elements, in_regraft, in_tensorflow
from tests.v1.data.pipelines import PIPELINES, write

pytestmark = [
    pytest.mark.skipif(not available(), reason="TensorFlow, the oracle, is not installed"),
    pytest.mark.filterwarnings("ignore"),  # TensorFlow's
]

# TensorFlow builds conditionals in functions as If, which is not TensorFlow 1's way.
OTHER_GRAPH = {"dropout_and_flip"}


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", PIPELINES)
def test_same_graph_and_elements(name: str) -> None:
    tf = tensorflow()
    ours = built(rg, PIPELINES[name])
    theirs = built(tf, PIPELINES[name])
    message = tf.GraphDef.FromString(ours[0].as_graph_def().SerializeToString())
    if name not in OTHER_GRAPH:
        assert described(message) == described(theirs[0].as_graph_def())
    wanted = elements(tf, *theirs)
    check_same(elements(rg, *ours), wanted)
    check_same(elements(rg, in_regraft(theirs[0]), *theirs[1:]), wanted)
    check_same(elements(tf, in_tensorflow(ours[0]), *ours[1:]), wanted)
