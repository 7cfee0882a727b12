"""warm_start: the same restore ops as TensorFlow's, and the same refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import regraft.v1
from regraft.base.errors import UnimplementedError
from regraft.checkpoint.bundle_writer import write_checkpoint
from tests.oracle import available
from tests.v1.both import build_ours, build_tensorflow, differences

NEEDS_TENSORFLOW = pytest.mark.skipif(not available(), reason="TensorFlow is not installed")
VALUES = {
    "net/a": np.arange(2, dtype=np.float32),
    "net/parts": np.arange(6, dtype=np.float32).reshape(3, 2),
    "old": np.array([7.0, 8.0], np.float32),
    "still": np.array(5.0, np.float32),
}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    prefix = str(tmp_path_factory.mktemp("warm") / "m")
    write_checkpoint(prefix, VALUES)
    return prefix


def _variables(tf: Any) -> list[Any]:
    with tf.variable_scope("net"):
        a = tf.get_variable("a", [2])
        tf.get_variable("parts", [3, 2], partitioner=tf.fixed_size_partitioner(2))
        renamed = tf.get_variable("renamed", [2], use_resource=True)
        twice = tf.get_variable("twice", [2])
    still = tf.get_variable("still", [], trainable=False)
    return [a, renamed, twice, still]


PROGRAMS: dict[str, Any] = {
    "all trainable": lambda tf, path: tf.train.warm_start(
        path, var_name_to_prev_var_name={"net/renamed": "old", "net/twice": "old"}
    ),
    "a pattern": lambda tf, path: tf.train.warm_start(path, "net/(a|parts)"),
    "patterns": lambda tf, path: tf.train.warm_start(path, ["still", "net/a"]),
    "none": lambda tf, path: tf.train.warm_start(path, "nothing"),
    "missing": lambda tf, path: tf.train.warm_start(path),
    "misspelled": lambda tf, path: tf.train.warm_start(path, "nothing", None, {"net/b": "old"}),
    "of two kinds": lambda tf, path: tf.train.warm_start(path, ["net/a", 3]),
    "of another kind": lambda tf, path: tf.train.warm_start(path, 3),
}


@NEEDS_TENSORFLOW
@pytest.mark.filterwarnings("ignore")  # TensorFlow's
@pytest.mark.parametrize("name", PROGRAMS)
def test_same_as_tensorflow(path, name):
    def program(tf: Any) -> None:
        _variables(tf)
        try:
            PROGRAMS[name](tf, path)
        except ValueError as e:
            tf.constant(str(e)[:30], name="error")

    assert not differences(build_ours(regraft.v1, program), build_tensorflow(program))


def test_values(path):
    tf = regraft.v1
    with tf.Graph().as_default(), tf.Session() as session:
        variables = _variables(tf)
        names = {"net/renamed": "old", "net/twice": "old"}
        tf.train.warm_start(path, var_name_to_prev_var_name=names)
        tf.train.warm_start(path, [variables[-1]])
        session.run(tf.global_variables_initializer())
        found = session.run([*variables, "net/parts/part_0:0", "net/parts/part_1:0"])
    a, renamed, twice, still, *parts = found
    np.testing.assert_array_equal(a, VALUES["net/a"])
    np.testing.assert_array_equal([renamed, twice], [VALUES["old"]] * 2)
    np.testing.assert_array_equal(np.concatenate(parts), VALUES["net/parts"])
    assert still == 5.0


def test_vocabularies_are_refused(path):
    tf = regraft.v1
    info = tf.train.VocabInfo("new.txt", 3, 0, "old.txt")
    with tf.Graph().as_default(), pytest.raises(UnimplementedError, match="VocabInfo"):
        tf.train.warm_start(path, var_name_to_vocab_info={"net/a": info})
