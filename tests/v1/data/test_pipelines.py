"""Each pipeline of the table makes the graph that TensorFlow makes, and gives the elements that TensorFlow gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import regraft.v1 as rg
from tests.oracle import available, tensorflow
from tests.v1.data import several_pipelines  # noqa: F401  it adds to the table
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


@pytest.mark.parametrize("op", ["ParseExampleDataset", "ParseExampleDatasetV2", "ExperimentalParseExampleDataset"])
def test_datasets_that_parse_examples(op: str) -> None:
    """Files have their nodes; the Python functions of TensorFlow 1 that made them are gone."""
    tf = tensorflow()
    with tf.Graph().as_default() as graph:
        source = tf.data.Dataset.from_tensor_slices([_example(tf, i) for i in range(5)]).batch(2)
        parsed = tf.raw_ops.__dict__[op](
            input_dataset=source._variant_tensor,
            num_parallel_calls=tf.constant(2, tf.int64),
            dense_defaults=[[0.5, 1.5], tf.constant([], tf.string)],
            sparse_keys=["some"],
            dense_keys=["pair", "name"],
            sparse_types=[tf.int64],
            dense_shapes=[[2], []],
            output_types=[tf.string, tf.float32, tf.variant],
            output_shapes=[[None], [None, 2], None],
        )
        kinds = {"output_types": [tf.string, tf.float32, tf.variant], "output_shapes": [[None], [None, 2], None]}
        iterator = tf.raw_ops.IteratorV2(shared_name="", container="", **kinds)
        begin = tf.raw_ops.MakeIterator(dataset=parsed, iterator=iterator)
        name, pair, some = tf.raw_ops.IteratorGetNext(iterator=iterator, **kinds)
        parts = tf.raw_ops.DeserializeSparse(serialized_sparse=some, dtype=tf.int64)
        names = [t.name for t in (name, pair, *parts)]
    check_same(
        elements(rg, in_regraft(graph), begin.name, names),
        elements(tf, graph, begin.name, names),
    )


def _example(tf: Any, number: int) -> bytes:
    features = {"name": tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"n%d" % number]))}
    features["some"] = tf.train.Feature(int64_list=tf.train.Int64List(value=range(number)))
    if number % 2:
        features["pair"] = tf.train.Feature(float_list=tf.train.FloatList(value=[number, -number]))
    serialized: bytes = tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()
    return serialized


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
