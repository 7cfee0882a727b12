"""Write the files of `tests/golden` with TensorFlow.

    python -m tools.make_golden [CASE ...]

A case is a function here and a folder there; PROVENANCE.md tells each case's point and how its `expected.npz` is read.
"""

from __future__ import annotations

import argparse
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import numpy as np
import tensorflow as tf2
import tensorflow.compat.v1 as tf

from tests.golden.read import GOLDEN, encode
from tests.models.write import config, write

CASES: dict[str, Callable[[Path], None]] = {}


def case(make: Callable[[Path], None]) -> Callable[[Path], None]:
    """Register a case under its function's name."""
    CASES[make.__name__] = make
    return make


def expect(out: Path, /, **groups: Mapping[str, Any]) -> None:
    """Write `expected.npz`: keys `group:name`."""
    arrays = {}
    for group, values in groups.items():
        for name, value in values.items():
            arrays |= encode(f"{group}:{name}", value)
    np.savez_compressed(out / "expected.npz", **arrays)


def save(saver: Any, sess: Any, out: Path, name: str = "model", **options: Any) -> None:
    """Save with relative paths in the `checkpoint` file."""
    here = Path.cwd()
    os.chdir(out)
    try:
        saver.save(sess, name, **options)
    finally:
        os.chdir(here)


def contents(sess: Any, variables: list[Any]) -> dict[str, Any]:
    """Values by checkpoint key."""
    return {v.op.name: sess.run(v) for v in variables}


@case
def mlp_ref_adam(out: Path) -> None:
    write(tf, "mlp", "ref", "adam", out)


@case
def cnn_resource_momentum(out: Path) -> None:
    tf.enable_resource_variables()
    write(tf, "cnn", "resource", "momentum", out)
    tf.disable_resource_variables()


def _partitioned() -> dict[str, Any]:
    """Variables cut along either axis, with sizes that do not divide, one whole, one of them a slot's parent."""
    rng = np.random.default_rng(3)
    values = {
        "rows": rng.standard_normal((7, 3)).astype(np.float32),
        "columns": rng.standard_normal((2, 8)).astype(np.float32),
        "whole": rng.standard_normal(4).astype(np.float32),
    }
    with tf.variable_scope("", partitioner=tf.fixed_size_partitioner(3, axis=0)):
        tf.get_variable("rows", initializer=tf.constant(values["rows"]))
    with tf.variable_scope("", partitioner=tf.fixed_size_partitioner(2, axis=1)):
        tf.get_variable("columns", initializer=tf.constant(values["columns"]))
    tf.get_variable("whole", initializer=values["whole"])
    return values


@case
def partitioned(out: Path) -> None:
    values = _partitioned()
    with tf.Session(config=config(tf)) as sess:
        sess.run(tf.global_variables_initializer())
        save(tf.train.Saver(), sess, out)
        expect(out, value=values, part={v.name: sess.run(v) for v in tf.global_variables()})


@case
def partitioned_v1(out: Path) -> None:
    values = _partitioned()
    with tf.Session(config=config(tf)) as sess:
        sess.run(tf.global_variables_initializer())
        save(tf.train.Saver(write_version=tf.train.SaverDef.V1), sess, out)
        expect(out, value=values, part={v.name: sess.run(v) for v in tf.global_variables()})


def _all_dtypes() -> dict[str, tuple[Any, np.ndarray]]:
    """A TensorFlow dtype and a small array for every kind of tensor that SaveV2 takes."""
    result: dict[str, tuple[Any, np.ndarray]] = {}
    for name in ("float16", "bfloat16", "float32", "float64", "float8_e5m2", "float8_e4m3fn"):
        dtype = tf.as_dtype(name)
        special = [0.0, -0.0, 1.5, -3.25, 0.01, np.nan] + ([] if "e4m3" in name else [np.inf, -np.inf])
        result[name] = dtype, np.array(special).astype(dtype.as_numpy_dtype)
    for name in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"):
        dtype = tf.as_dtype(name)
        result[name] = dtype, np.array([[dtype.min, 0, 1], [7, 100, dtype.max]], dtype.as_numpy_dtype)
    for name in ("int4", "uint4"):
        dtype = tf.as_dtype(name)
        result[name] = dtype, np.array([0, 1, 7, 5], np.int8).astype(dtype.as_numpy_dtype)
    for name, plain in (("qint8", "int8"), ("quint8", "uint8"), ("qint16", "int16"), ("quint16", "uint16")):
        result[name] = tf.as_dtype(name), np.array([0, 1, 2, 100], plain)
    result["qint32"] = tf.qint32, np.array([-5, 0, 1 << 30], np.int32)
    for name in ("complex64", "complex128"):
        result[name] = tf.as_dtype(name), np.array([1 + 2j, -0.5j, np.inf], name)
    result["bool"] = tf.bool, np.array([True, False, True])
    words = [b"", b"a", b"ends in zero\0", "snow \N{SNOWMAN}".encode(), b"\xff\xfe", b"x" * 300]
    result["string"] = tf.string, np.array(words, object).reshape(2, 3)
    return result


@case
def dtypes(out: Path) -> None:
    """Straight from SaveV2, because not every dtype can be a variable."""
    tensors = {name: (dtype, value) for name, (dtype, value) in _all_dtypes().items()}
    tensors["scalar"] = tf.float32, np.array(2.5, np.float32)
    tensors["empty"] = tf.float32, np.zeros((0, 3), np.float32)
    tensors["empty_string"] = tf.string, np.zeros((0,), object)
    tensors["scalar_string"] = tf.string, np.array(b"alone", object)
    tensors["deep"] = tf.int32, np.arange(24, dtype=np.int32).reshape(1, 2, 1, 3, 4)
    tensors["name/with/slashes and spaces, \N{SNOWMAN}"] = tf.float32, np.ones(1, np.float32)
    feeds, refused, inputs = {}, [], {}
    for name, (dtype, value) in tensors.items():
        if dtype.is_quantized:
            plain = tf.constant(value)
            inputs[name] = tf.bitcast(plain, dtype)
        else:
            inputs[name] = tf.placeholder(dtype, value.shape)
            feeds[inputs[name]] = value
    with tf.Session(config=config(tf)) as sess:
        for name in sorted(inputs):
            try:
                sess.run(
                    tf.raw_ops.SaveV2(
                        prefix=str(out / "try"), tensor_names=["x"], shape_and_slices=[""], tensors=[inputs[name]]
                    ),
                    feeds,
                )
            except (tf.errors.OpError, TypeError, ValueError) as error:
                refused.append((name, str(error)[:80]))
        for path in out.glob("try*"):
            path.unlink()
        print("  refused by SaveV2:", refused)
        names = sorted(set(inputs) - {name for name, _ in refused}, key=str.encode)
        sess.run(
            tf.raw_ops.SaveV2(
                prefix=str(out / "model"),
                tensor_names=names,
                shape_and_slices=[""] * len(names),
                tensors=[inputs[name] for name in names],
            ),
            feeds,
        )
    expect(out, value={name: tensors[name][1] for name in names}, dtype={n: tensors[n][0].name.encode() for n in names})


@case
def dtype_variables(out: Path) -> None:
    """A graph with a variable of each dtype that can be one, reference and resource in turn."""
    kinds = ("float16", "bfloat16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16",
             "uint32", "uint64", "complex64", "complex128", "bool", "string")  # fmt: skip
    table = _all_dtypes()
    for index, name in enumerate(kinds):
        dtype, value = table[name]
        tf.get_variable(name, initializer=tf.constant(value, dtype), use_resource=index % 2 == 1)
    with tf.Session(config=config(tf)) as sess:
        sess.run(tf.global_variables_initializer())
        save(tf.train.Saver(), sess, out)
        expect(out, value=contents(sess, tf.global_variables()))


def _two_devices() -> tuple[dict[str, np.ndarray], Any]:
    values = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.array([9, 8], np.int64)}
    for index, (name, value) in enumerate(values.items()):
        with tf.device(f"/cpu:{index}"):
            tf.get_variable(name, initializer=value)
    proto = config(tf)
    proto.device_count["CPU"] = 2
    return values, proto


@case
def sharded(out: Path) -> None:
    values, proto = _two_devices()
    with tf.Session(config=proto) as sess:
        sess.run(tf.global_variables_initializer())
        save(tf.train.Saver(sharded=True), sess, out, global_step=7)
        expect(out, value=values)


@case
def sharded_v1(out: Path) -> None:
    values, proto = _two_devices()
    with tf.Session(config=proto) as sess:
        sess.run(tf.global_variables_initializer())
        save(tf.train.Saver(sharded=True, write_version=tf.train.SaverDef.V1), sess, out, global_step=7)
        expect(out, value=values)


@case
def v1(out: Path) -> None:
    """A V1 file of the dtypes that the old format has."""
    kinds = ("float16", "bfloat16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16",
             "complex64", "complex128", "bool", "string")  # fmt: skip
    table = _all_dtypes()
    values = {}
    for name in kinds:
        dtype, value = table[name]
        variable = tf.get_variable(name, initializer=tf.constant(value, dtype))
        try:
            with tf.Session() as sess:
                sess.run(variable.initializer)
                tf.train.Saver([variable], write_version=tf.train.SaverDef.V1).save(
                    sess, str(out / "try"), write_meta_graph=False, write_state=False
                )
            values[variable] = value
        except (tf.errors.OpError, TypeError, ValueError) as error:
            print("  refused by V1:", name, str(error)[:80])
    (out / "try").unlink(missing_ok=True)
    with tf.Session(config=config(tf)) as sess:
        sess.run(tf.global_variables_initializer())
        save(tf.train.Saver(list(values), write_version=tf.train.SaverDef.V1), sess, out, global_step=1)
        expect(out, value={v.op.name: value for v, value in values.items()})


def _linear() -> tuple[Any, Any]:
    """The smallest trainer: y = x w + b, squared error, gradient descent."""
    x = tf.placeholder(tf.float32, [None, 3], name="x")
    target = tf.placeholder(tf.float32, [None, 1], name="target")
    w = tf.get_variable("w", initializer=np.array([[0.5], [-1.0], [2.0]], np.float32))
    b = tf.get_variable("b", initializer=np.array([0.25], np.float32))
    y = tf.add(tf.matmul(x, w), b, name="y")
    loss = tf.reduce_mean(tf.square(y - target), name="loss")
    train_op = tf.train.GradientDescentOptimizer(0.1).minimize(loss, name="train_op")
    tf.add_to_collection("train_op", train_op)
    return y, loss


LINEAR_FEEDS = {
    "x:0": np.array([[1, 2, 3], [0, -1, 1]], np.float32),
    "target:0": np.array([[1], [0]], np.float32),
}


def _linear_expected(sess: Any) -> dict[str, dict[str, Any]]:
    losses = []
    y = sess.run("y:0", LINEAR_FEEDS)
    for _ in range(5):
        losses.append(sess.run("loss:0", LINEAR_FEEDS))
        sess.run("train_op", LINEAR_FEEDS)
    return {"feed": LINEAR_FEEDS, "out": {"y:0": y}, "train": {"loss:0": np.array(losses)}}


@case
def text_meta(out: Path) -> None:
    """The `.meta` as text, beside a checkpoint."""
    _linear()
    saver = tf.train.Saver()
    with tf.Session(config=config(tf)) as sess:
        sess.run(tf.global_variables_initializer())
        save(saver, sess, out, write_meta_graph=False)
        tf.add_to_collection("a_string", 'quote " and \\ and \N{SNOWMAN}'.encode())
        tf.add_to_collection("an_int", -3)
        tf.add_to_collection("a_float", 0.1)
        saver.export_meta_graph(str(out / "model.meta"), as_text=True)
        expect(out, **_linear_expected(sess))


@case
def foreign_devices(out: Path) -> None:
    """Every node, the saver's too, was placed on a machine that does not exist here."""
    _linear()
    saver = tf.train.Saver()
    with tf.Session(config=config(tf)) as sess:
        sess.run(tf.global_variables_initializer())
        save(saver, sess, out)
        expect(out, **_linear_expected(sess))
    meta = tf.MetaGraphDef.FromString((out / "model.meta").read_bytes())
    for node in meta.graph_def.node:
        node.device = "/job:ps/task:3/device:GPU:7"
    (out / "model.meta").write_bytes(meta.SerializeToString())


UNKNOWN_OP = """
name: "TotallyUnknownOp"
input_arg { name: "x" type_attr: "T" }
output_arg { name: "y" type_attr: "T" }
output_arg { name: "extra" type: DT_INT64 number_attr: "N" }
attr { name: "T" type: "type" }
attr { name: "N" type: "int" default_value { i: 2 } has_minimum: true minimum: 1 }
attr { name: "flavour" type: "string" default_value { s: "plain" } }
"""


@case
def unknown_op(out: Path) -> None:
    """One branch passes through an op that nobody has, described by the file's own op list; the other is whole."""
    from google.protobuf import text_format

    y, _ = _linear()
    tf.multiply(tf.identity(y, name="seam"), 2.0, name="beyond")
    with tf.Session(config=config(tf)) as sess:
        sess.run(tf.global_variables_initializer())
        save(tf.train.Saver(), sess, out)
        expect(out, **_linear_expected(sess))
    meta = tf.MetaGraphDef.FromString((out / "model.meta").read_bytes())
    text_format.Parse(UNKNOWN_OP, meta.meta_info_def.stripped_op_list.op.add())
    seam = next(node for node in meta.graph_def.node if node.name == "seam")
    seam.op = "TotallyUnknownOp"
    seam.attr["N"].i = 2
    seam.attr["flavour"].s = b"strange"
    del seam.attr["_output_shapes"]
    (out / "model.meta").write_bytes(meta.SerializeToString())
    del meta.meta_info_def.stripped_op_list.op[-1]
    (out / "undescribed.meta").write_bytes(meta.SerializeToString())


def _flow() -> list[Any]:
    """A conditional, a loop, a loop in a loop, a loop with a TensorArray, and gradients through them."""
    x = tf.placeholder(tf.float32, [3], name="x")
    n = tf.placeholder(tf.int32, [], name="n")
    w = tf.get_variable("w", initializer=np.array([0.9, -0.4, 1.1], np.float32))
    chosen = tf.cond(tf.reduce_sum(x) > 0.0, lambda: x * w, lambda: tf.exp(-w))
    chosen = tf.identity(chosen, name="chosen")
    _, power = tf.while_loop(lambda i, _: i < n, lambda i, a: (i + 1, tf.tanh(a * w + x)), [tf.constant(0), x])
    power = tf.identity(power, name="power")

    def row(i: Any, total: Any) -> tuple[Any, Any]:
        _, inner = tf.while_loop(lambda j, _: j < i, lambda j, t: (j + 1, t + w * tf.cast(j, tf.float32)), [0, total])
        return i + 1, inner

    _, nested = tf.while_loop(lambda i, _: i < n, row, [tf.constant(0), x], parallel_iterations=1)
    nested = tf.identity(nested, name="nested")
    array = tf.TensorArray(tf.float32, size=n, element_shape=[3])
    _, array = tf.while_loop(
        lambda i, _: i < n, lambda i, a: (i + 1, a.write(i, x * w * tf.cast(i, tf.float32))), [tf.constant(0), array]
    )
    stacked = tf.identity(array.stack(), name="stacked")
    result = [chosen, power, nested, stacked]
    total = tf.add_n([tf.reduce_sum(v) for v in result], name="total")
    for v in (w, x):
        (gradient,) = tf.gradients(total, v)
        result.append(tf.identity(gradient, name=f"gradient_{v.op.name}"))
    train_op = tf.train.GradientDescentOptimizer(0.01).minimize(total, name="train_op")
    tf.add_to_collection("train_op", train_op)
    return [*result, total]


def _flow_case(out: Path) -> None:
    fetches = [t.name for t in _flow()]
    groups: dict[str, dict[str, Any]] = {}
    with tf.Session(config=config(tf)) as sess:
        sess.run(tf.global_variables_initializer())
        save(tf.train.Saver(), sess, out)
        for tag, x, n in (
            ("positive", [0.5, 1.0, -0.25], 4),
            ("negative", [-0.5, -1.0, 0.25], 3),
            ("none", [1, 1, 1], 0),
        ):
            feeds = {"x:0": np.array(x, np.float32), "n:0": np.int32(n)}
            groups[f"{tag}-feed"] = feeds
            groups[f"{tag}-out"] = dict(zip(fetches, sess.run(fetches, feeds), strict=True))
        sess.run("train_op", groups["positive-feed"])
        groups["after"] = contents(sess, tf.global_variables())
    expect(out, **groups)


@case
def control_flow(out: Path) -> None:
    """Switch, Merge, Enter, Exit, NextIteration, with the context collections."""
    _flow_case(out)


@case
def control_flow_v2(out: Path) -> None:
    """The same program in functions: If, While, TensorLists, a function library."""
    tf.enable_control_flow_v2()
    tf.enable_resource_variables()
    try:
        _flow_case(out)
    finally:
        tf.disable_control_flow_v2()
        tf.disable_resource_variables()


@case
def queue_runners(out: Path) -> None:
    """A queue fed by runners from the collection: two epochs of ten rows, in order, in batches of four."""
    rows = np.arange(20, dtype=np.float32).reshape(10, 2)
    row, label = tf.train.slice_input_producer(
        [tf.constant(rows), tf.constant(np.arange(10))], num_epochs=2, shuffle=False
    )
    batch, labels = tf.train.batch([row, label], batch_size=4, capacity=8, allow_smaller_final_batch=True)
    w = tf.get_variable("w", initializer=np.array([1.0, -1.0], np.float32))
    tf.identity(batch * w, name="batch")
    tf.identity(labels, name="labels")
    batches, taken = [], []
    with tf.Session() as sess:
        sess.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
        save(tf.train.Saver(), sess, out)
        coordinator = tf.train.Coordinator()
        threads = tf.train.start_queue_runners(sess, coordinator)
        try:
            while True:
                a, b = sess.run(["batch:0", "labels:0"])
                batches.append(a)
                taken.append(b)
        except tf.errors.OutOfRangeError:
            coordinator.request_stop()
        coordinator.join(threads)
    expect(out, out={"batch:0": np.concatenate(batches), "labels:0": np.concatenate(taken)})


@case
def unbound_inputs(out: Path) -> None:
    """A name scope exported alone: its inputs from outside are `$unbound_inputs_...`."""
    images = tf.placeholder(tf.float32, [None, 3], name="images")
    with tf.variable_scope("hidden"):
        w = tf.get_variable("w", initializer=np.eye(3, dtype=np.float32) * 2)
        tf.nn.relu(tf.matmul(images, w), name="activation")
    tf.train.export_meta_graph(str(out / "model.meta"), export_scope="hidden")
    feeds = {"images:0": np.array([[1, -2, 3]], np.float32)}
    expect(out, feed=feeds, out={"activation:0": np.array([[2, 0, 6]], np.float32)})


@case
def object_based(out: Path) -> None:
    """A TF2 checkpoint of trackable objects, with the object graph that maps keys to variable names."""
    with tf.Graph().as_default(), tf.Session(config=config(tf)) as sess:
        root = tf2.Module()
        root.w = tf2.Variable(np.arange(4, dtype=np.float32), name="scope/w")
        root.step = tf2.Variable(np.int64(12), name="step")
        sess.run(tf.global_variables_initializer())
        tf2.train.Checkpoint(root=root).write(str(out / "model"), options=None)
    expect(out, value={"scope/w": np.arange(4, dtype=np.float32), "step": np.int64(12)})


def main() -> None:
    """Make all cases, or those named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", metavar="CASE", help=", ".join(CASES))
    tf.disable_v2_behavior()
    for name in parser.parse_args().cases or CASES:
        out = GOLDEN / name
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(parents=True)
        with tf.Graph().as_default():
            tf.set_random_seed(1)
            CASES[name](out)
        size = sum(path.stat().st_size for path in out.iterdir())
        print(f"{name}: {size:,} bytes")


if __name__ == "__main__":
    main()
