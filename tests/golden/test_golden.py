"""The golden files against TensorFlow itself: it reads them, and finds what `expected.npz` says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests import oracle
from tests.golden.read import GOLDEN, expected

pytestmark = pytest.mark.skipif(not oracle.available(), reason="TensorFlow is not installed")


@pytest.fixture
def tf() -> Iterator[Any]:
    module = oracle.tensorflow()
    with module.Graph().as_default():
        yield module


def as_plain(array: Any) -> np.ndarray:
    """NaN equal to NaN and -0 unlike 0, for any dtype."""
    array = np.asarray(array)
    if array.dtype.kind in "OS":
        return array.astype(object)
    return np.frombuffer(array.tobytes(), np.uint8)


@pytest.mark.parametrize("case", ["partitioned", "partitioned_v1", "dtypes", "dtype_variables", "v1"])
def test_checkpoint_values(tf: Any, case: str) -> None:
    prefix = str(GOLDEN / case / ("model-1" if case == "v1" else "model"))
    reader = tf.train.NewCheckpointReader(prefix)
    wanted = expected(case)["value"]
    dtypes = reader.get_variable_to_dtype_map()
    assert set(reader.get_variable_to_shape_map()) == set(wanted)
    with tf.Session() as sess:
        for name, value in wanted.items():
            (tensor,) = tf.raw_ops.RestoreV2(
                prefix=prefix, tensor_names=[name], shape_and_slices=[""], dtypes=[dtypes[name]]
            )
            if tensor.dtype.is_quantized:
                tensor = tf.bitcast(tensor, value.dtype)
            np.testing.assert_array_equal(as_plain(sess.run(tensor)), as_plain(value), err_msg=name)


@pytest.mark.parametrize("case", ["sharded", "sharded_v1"])
def test_sharded_values(tf: Any, case: str) -> None:
    prefix = GOLDEN / case / ("model-7" if case == "sharded" else "model-7-?????-of-00002")
    reader = tf.train.NewCheckpointReader(str(prefix))
    for name, value in expected(case)["value"].items():
        np.testing.assert_array_equal(reader.get_tensor(name), value)


@pytest.mark.parametrize("case", ["text_meta", "foreign_devices"])
def test_linear_trainer(tf: Any, case: str) -> None:
    wanted = expected(case)
    saver = tf.train.import_meta_graph(str(GOLDEN / case / "model.meta"), clear_devices=True)
    with tf.Session() as sess:
        saver.restore(sess, str(GOLDEN / case / "model"))
        np.testing.assert_allclose(sess.run("y:0", wanted["feed"]), wanted["out"]["y:0"], rtol=1e-6)
        for loss in wanted["train"]["loss:0"]:
            np.testing.assert_allclose(sess.run("loss:0", wanted["feed"]), loss, rtol=1e-6)
            sess.run(tf.get_collection("train_op")[0], wanted["feed"])


def test_unknown_op_is_refused(tf: Any) -> None:
    with pytest.raises(tf.errors.NotFoundError, match="TotallyUnknownOp"):
        tf.train.import_meta_graph(str(GOLDEN / "unknown_op" / "model.meta"))


@pytest.mark.parametrize("case", ["control_flow", "control_flow_v2"])
def test_control_flow(tf: Any, case: str) -> None:
    wanted = expected(case)
    saver = tf.train.import_meta_graph(str(GOLDEN / case / "model.meta"))
    with tf.Session() as sess:
        saver.restore(sess, str(GOLDEN / case / "model"))
        for tag in ("positive", "negative", "none"):
            for name, value in wanted[f"{tag}-out"].items():
                np.testing.assert_allclose(sess.run(name, wanted[f"{tag}-feed"]), value, rtol=1e-6, err_msg=name)
        sess.run("train_op", wanted["positive-feed"])
        np.testing.assert_allclose(sess.run(tf.global_variables()[0]), wanted["after"]["w"], rtol=1e-6)


def test_unbound_inputs(tf: Any) -> None:
    wanted = expected("unbound_inputs")
    images = tf.placeholder(tf.float32, [None, 3], name="images")
    path = str(GOLDEN / "unbound_inputs" / "model.meta")
    tf.train.import_meta_graph(path, import_scope="new", input_map={"$unbound_inputs_images": images})
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        result = sess.run("new/activation:0", wanted["feed"])
    np.testing.assert_array_equal(result, wanted["out"]["activation:0"])
