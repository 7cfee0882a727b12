"""Examples: made, written and read by one library, and by the other."""

from __future__ import annotations

from typing import Any

import pytest

import regraft.v1
from tests.oracle import available, tensorflow

pytestmark = [
    pytest.mark.skipif(not available(), reason="TensorFlow is not installed"),
    pytest.mark.filterwarnings("ignore"),  # TensorFlow's
]


def _example(tf: Any, number: int) -> Any:
    train = tf.train
    return train.Example(
        features=train.Features(
            feature={
                "id": train.Feature(int64_list=train.Int64List(value=[number])),
                "values": train.Feature(float_list=train.FloatList(value=[0.5, number])),
                "name": train.Feature(bytes_list=train.BytesList(value=[b"n%d" % number])),
            }
        )
    )


def _sequence(tf: Any) -> Any:
    train = tf.train
    steps = [train.Feature(int64_list=train.Int64List(value=[i, i])) for i in range(3)]
    return train.SequenceExample(
        context=train.Features(feature={"length": train.Feature(int64_list=train.Int64List(value=[3]))}),
        feature_lists=train.FeatureLists(feature_list={"tokens": train.FeatureList(feature=steps)}),
    )


@pytest.mark.parametrize("make", [lambda tf: _example(tf, 7), _sequence], ids=["example", "sequence"])
def test_messages_go_both_ways(make):
    ours, theirs = make(regraft.v1), make(tensorflow())
    assert type(theirs).FromString(ours.SerializeToString()) == theirs
    assert type(ours).FromString(theirs.SerializeToString()) == ours


@pytest.mark.parametrize("writer", ["regraft", "tensorflow"])
def test_written_by_one_and_parsed_by_the_graph_of_the_other(tmp_path, writer):
    libraries = [regraft.v1, tensorflow()]
    writing, reading = libraries if writer == "regraft" else libraries[::-1]
    path = str(tmp_path / "examples")
    with writing.python_io.TFRecordWriter(path) as file:
        for number in (1, 2):
            file.write(_example(writing, number).SerializeToString())
    records = list(reading.python_io.tf_record_iterator(path))
    with reading.Graph().as_default(), reading.Session() as session:
        parsed = reading.parse_example(
            records,
            {
                "id": reading.FixedLenFeature([], reading.int64),
                "values": reading.FixedLenFeature([2], reading.float32),
                "name": reading.FixedLenFeature([], reading.string),
            },
        )
        found = session.run(parsed)
    assert found["id"].tolist() == [1, 2]
    assert found["values"].tolist() == [[0.5, 1.0], [0.5, 2.0]]
    assert found["name"].tolist() == [b"n1", b"n2"]
