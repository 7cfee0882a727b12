"""`regraft run`: a script sees Regraft where it imports TensorFlow, and its own errors where it fails."""

from __future__ import annotations

import gzip
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

START = "from regraft.cli import main; main()"


def run(folder: Path, *arguments: str, script: str = "", at: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Write `script` as folder/script.py, and run it with these arguments."""
    path = folder / "script.py"
    path.write_text(script)
    name = os.path.relpath(path, at or folder)
    return subprocess.run(
        [sys.executable, "-c", START, "run", name, *arguments],
        cwd=at or folder,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )


IMPORTS = """\
import os, sys
import tensorflow as tf
import tensorflow.compat.v1 as tf1
import tensorflow.contrib as contrib
import tensorflow.contrib.layers as layers
import tensorflow.nn
from tensorflow.contrib import framework
from tensorflow.core.framework import graph_pb2, summary_pb2, types_pb2
from tensorflow.core.protobuf import config_pb2, saver_pb2
from tensorflow.examples.tutorials.mnist import input_data
from tensorflow.python import pywrap_tensorflow
from tensorflow.python.client import device_lib, session, timeline
from tensorflow.python.framework import dtypes, errors, graph_util, ops, tensor_shape, tensor_util
from tensorflow.python.framework.ops import Tensor
from tensorflow.python.lib.io import file_io
from tensorflow.python.ops import array_ops, control_flow_ops, gen_nn_ops, init_ops, math_ops, nn_ops, rnn_cell
from tensorflow.python.ops import variable_scope as vs
from tensorflow.python.platform import app, flags, gfile, tf_logging
from tensorflow.python.tools import freeze_graph, inspect_checkpoint
from tensorflow.python.training import moving_averages, optimizer, saver
from tensorflow.python.util import nest
from tensorflow.python.util.deprecation import deprecated
import helper

checks = {
    "one module": tf is tf1 and tensorflow.nn is tf.nn and contrib is tf.contrib and layers is contrib.layers,
    "messages": graph_pb2.GraphDef is tf.GraphDef and saver_pb2.SaverDef is tf.train.SaverDef,
    "enums": types_pb2.DT_FLOAT == 1 and types_pb2.DT_STRING == 7,
    "classes": Tensor is ops.Tensor is tf.Tensor and session.Session is tf.Session,
    "functions": array_ops.concat is tf.concat and math_ops.matmul is tf.matmul and vs.get_variable is tf.get_variable,
    "modules": gfile.GFile is tf.gfile.GFile and flags.FLAGS is tf.flags.FLAGS and nn_ops.conv2d is tf.nn.conv2d,
    "renamed": init_ops.Zeros is tf.zeros_initializer and tensor_util.MakeNdarray is tf.make_ndarray,
    "generated": gen_nn_ops.relu(tf.constant([-1.0])).op.type == "Relu",
    "training": saver.Saver is tf.train.Saver and optimizer.Optimizer is tf.train.Optimizer,
    "reader": pywrap_tensorflow.NewCheckpointReader is tf.train.NewCheckpointReader,
    "attributes": tf.python.framework.ops.Operation is tf.Operation,
    "shapes": tensor_shape.unknown_shape(2).as_list() == [None, None],
    "decorators": deprecated("2020-01-01", "no")(len) is len,
    "main": __name__ == "__main__" and sys.modules["__main__"].tf is tf,
    "path": os.path.samefile(sys.path[0], os.path.dirname(__file__)),
    "file": os.path.isabs(__file__) and os.path.basename(__file__) == "script.py",
    "helper": helper.NAME == "helper",
    "no other": not any("-packages/tensorflow" in (getattr(m, "__file__", 0) or "") for m in sys.modules.values()),
}
print([name for name, good in checks.items() if not good], sys.argv)
sys.exit(5)
"""


def test_imports_resolve_to_regraft(tmp_path):
    (tmp_path / "below").mkdir()
    (tmp_path / "helper.py").write_text("NAME = __name__")
    done = run(tmp_path, "a", "--b=3", script=IMPORTS, at=tmp_path / "below")
    assert done.stdout == "[] ['../script.py', 'a', '--b=3']\n", done.stderr
    assert done.returncode == 5


KERAS = "Keras is not part of Regraft yet: build the model with tf.layers or tf.nn"
LISTED = "docs/api-status.md lists what it has"
OWN = """\
def g():
    raise ValueError('mine')
try:
    g()
except ValueError as e:
    raise KeyError('then') from e
"""
INNER = "from tensorflow.python.ops.rnn_cell_impl import _Linear"

# A script, what its traceback says, and how that ends.
FAILURES = {
    "a name that tf does not have": (
        "import tensorflow as tf\ndef f():\n    return tf.no_such_thing(3)\nf()\n",
        ["line 4, in <module>", "line 3, in f\n    return tf.no_such_thing(3)"],
        "AttributeError: tf.no_such_thing is missing in Regraft",
    ),
    "a family that is left out": (
        "import tensorflow as tf\nx = tf.keras.layers\n",
        ["line 2, in <module>\n    x = tf.keras.layers"],
        f"AttributeError: tf.keras is missing in Regraft: {KERAS}",
    ),
    "a family that is imported": (
        "from tensorflow import keras\n",
        ["line 1, in <module>\n    from tensorflow import keras"],
        f"ModuleNotFoundError: Regraft has no tf.keras: {KERAS}",
    ),
    "an inner module": (
        "import sys\nfrom tensorflow.python.ops.foo_ops import bar\n",
        ["line 2, in <module>\n    from tensorflow.python.ops.foo_ops import bar"],
        f"ModuleNotFoundError: Regraft has no 'foo_ops' in 'tensorflow.python.ops': {LISTED}",
    ),
    "a name of an inner module": (
        f"{INNER}\n",
        [f"line 1, in <module>\n    {INNER}"],
        f"ModuleNotFoundError: Regraft has no '_Linear' in 'tensorflow.python.ops.rnn_cell_impl': {LISTED}",
    ),
    "an error of its own": (
        OWN,
        ["line 2, in g\n    raise ValueError('mine')\n", "line 6, in <module>"],
        "KeyError: 'then'",
    ),
    "no file": (
        "open('no')\n",
        ["line 1, in <module>"],
        "FileNotFoundError: [Errno 2] No such file or directory: 'no'",
    ),
    "no input": ("input()\n", ["line 1, in <module>"], "EOFError: EOF when reading a line"),
    "no Python": ("x = (\n", ['script.py", line 1\n    x = (\n'], "SyntaxError: '(' was never closed"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_an_error_ends_in_the_script(tmp_path, name):
    script, places, last = FAILURES[name]
    done = run(tmp_path, script=script)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == last
    for place in places:
        assert place in done.stderr
    assert "regraft/" not in done.stderr and "importlib" not in done.stderr


def test_a_script_that_is_not_there(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", START, "run", "nope.py"], cwd=tmp_path, check=False, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "can't open file" in done.stderr and "nope.py" in done.stderr


def test_the_package_is_the_command(tmp_path):
    (tmp_path / "script.py").write_text("import sys; print(sys.argv)\n")
    command = [sys.executable, "-m", "regraft", "run", "script.py", "-x"]
    done = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("['script.py', '-x']\n", "")


PROGRAM = """\
import tensorflow as tf
flags = tf.app.flags
flags.DEFINE_integer("steps", 3, "how many")
flags.DEFINE_string("out", "", "where")
FLAGS = flags.FLAGS

def main(argv):
    v = tf.Variable(1.0)
    step = v.assign(v * 2.0)
    tf.logging.set_verbosity(tf.logging.INFO)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for _ in range(FLAGS.steps):
            sess.run(step)
        print(sess.run(v), argv[1:])
        path = tf.train.Saver().save(sess, FLAGS.out)
        tf.train.Saver().restore(sess, path)

if __name__ == "__main__":
    tf.app.run()
"""


def test_a_program_with_flags(tmp_path):
    done = run(tmp_path, "--steps=5", "--out=model", "rest", script=PROGRAM)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "32.0 ['rest']\n"
    assert "Restoring parameters from model" in done.stderr
    assert (tmp_path / "model.index").exists()


MNIST = """\
from tensorflow.examples.tutorials.mnist import input_data
mnist = input_data.read_data_sets("data", one_hot=True, validation_size=2, seed=0)
print(mnist.train.num_examples, mnist.validation.num_examples, mnist.test.images.shape, mnist.test.labels.tolist()[0])
print(sorted(float(x[0]) for x in mnist.train.next_batch(4)[0]), mnist.train.next_batch(2)[1].shape)
print(mnist.train.epochs_completed, mnist.train.images.dtype)
input_data.read_data_sets("nowhere")
"""


def test_mnist_is_read_from_files(tmp_path):
    (tmp_path / "data").mkdir()
    for part, count in (("train", 6), ("t10k", 3)):
        images = struct.pack(">4I", 2051, count, 28, 28) + b"".join(bytes([51 * i] * 784) for i in range(count))
        labels = struct.pack(">2I", 2049, count) + bytes(range(count))
        (tmp_path / f"data/{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(images))
        (tmp_path / f"data/{part}-labels-idx1-ubyte").write_bytes(labels)
    done = run(tmp_path, script=MNIST)
    lines = done.stdout.splitlines()
    assert lines[0] == f"4 2 (3, 784) {[1.0] + [0.0] * 9}", done.stderr
    assert lines[1].startswith("[0.4") and lines[1].endswith(", 1.0] (2, 10)")
    assert lines[2] == "1 float32"
    assert "NotFoundError: no MNIST in" in done.stderr and "train-images-idx3-ubyte" in done.stderr
