"""What scripts use around their graphs: logging, flags, versions, devices, templates, functions, refusals."""

# ruff: noqa: PT027  tf.test.TestCase is unittest's, and so are its assertions

from __future__ import annotations

import logging
import sys
import unittest
from operator import attrgetter
from typing import Any

import numpy as np
import pytest

import regraft.v1 as tf
from regraft.base import errors
from tests.oracle import available, tensorflow

needs_tensorflow = pytest.mark.skipif(not available(), reason="TensorFlow is not installed")


# Logging


@pytest.fixture
def log(caplog):
    before = tf.logging.get_verbosity()
    tf.logging.set_verbosity(tf.logging.INFO)
    yield caplog
    tf.logging.set_verbosity(before)


def test_messages_of_a_level_are_shown(log):
    tf.logging.debug("no")
    tf.logging.info("step %d", 3)
    tf.logging.warn("careful")
    tf.logging.log(tf.logging.ERROR, "bad")
    assert [(r.name, r.levelname, r.getMessage()) for r in log.records] == [
        ("tensorflow", "INFO", "step 3"),
        ("tensorflow", "WARNING", "careful"),
        ("tensorflow", "ERROR", "bad"),
    ]
    assert {r.filename for r in log.records} == {"test_script_api.py"}
    assert tf.get_logger() is logging.getLogger("tensorflow")


def test_messages_of_regraft_follow_the_verbosity(log, tmp_path):
    with tf.Graph().as_default(), tf.Session() as sess:
        tf.get_variable("v", initializer=1.0)
        sess.run(tf.global_variables_initializer())
        path = tf.train.Saver().save(sess, str(tmp_path / "model"))
        tf.logging.set_verbosity(tf.logging.ERROR)
        tf.train.Saver().restore(sess, path)
        tf.logging.set_verbosity(tf.logging.INFO)
        tf.train.Saver().restore(sess, path)
    assert [r.getMessage() for r in log.records] == [f"Restoring parameters from {path}"]


def test_a_line_counts_its_calls(log):
    for i in range(5):
        tf.logging.log_every_n(tf.logging.INFO, "every %d", 2, i)
        tf.logging.log_first_n(tf.logging.INFO, "first %d", 2, i)
        tf.logging.log_if(tf.logging.INFO, "if %d", i == 4, i)
    assert [r.getMessage() for r in log.records] == ["every 0", "first 0", "first 1", "every 2", "every 4", "if 4"]


# Flags


def test_flags_are_parsed_when_the_first_is_read(monkeypatch):
    from absl import flags as absl_flags

    monkeypatch.setattr(absl_flags, "FLAGS", absl_flags.FlagValues())
    flags = tf.app.flags
    values = absl_flags.FLAGS
    flags.DEFINE_integer("size", 3, "how large", flag_values=values)
    flags.DEFINE_string(flag_name="label", default_value="a", docstring="its name", flag_values=values)
    flags.DEFINE_boolean("fast", True, "whether", flag_values=values)
    monkeypatch.setattr(sys, "argv", ["program", "--size=5", "--nofast", "rest"])
    assert not values.is_parsed()
    assert (flags.FLAGS.size, flags.FLAGS.label, flags.FLAGS.fast) == (5, "a", False)
    assert sorted(flags.FLAGS.__flags) == ["fast", "label", "size"]
    flags.FLAGS.size = 7
    assert values["size"].value == 7 and "size" in flags.FLAGS
    with pytest.raises(AttributeError):
        flags.FLAGS.weight  # noqa: B018


# Versions, text, devices


def test_programs_that_compare_versions_find_the_last_release_of_the_1x_line():
    assert tf.__version__ == tf.VERSION == tf.version.VERSION == "1.15.5"
    assert [int(part) for part in tf.VERSION.split(".")] >= [1, 0]
    with tf.Graph().as_default() as graph:
        tf.no_op()
        assert graph.as_graph_def().versions.producer == tf.GRAPH_DEF_VERSION


@needs_tensorflow
@pytest.mark.filterwarnings("ignore")  # TensorFlow's
def test_compat_is_tensorflows():
    def answers(tf: Any) -> list[Any]:
        found = []
        for name in ("as_bytes", "as_text", "as_str", "as_str_any", "path_to_str"):
            for value in ("é", b"x", bytearray(b"y"), 3):
                try:
                    found.append(getattr(tf.compat, name)(value))
                except TypeError as e:
                    found.append(str(e))
        found += [tf.compat.integral_types, tf.compat.real_types, tf.compat.complex_types]
        shapes = tf.TensorShape([1, None]), tf.TensorShape(None)
        found += [tf.dimension_at_index(shape, 1).value for shape in shapes]
        found += [tf.dimension_value(tf.Dimension(2)), tf.dimension_value(3)]
        found += [tf.compat.forward_compatible(*day) for day in ((2019, 1, 1), (2040, 1, 1))]
        return found

    assert answers(tf) == answers(tensorflow())


def test_devices_are_listed():
    from regraft.v1 import _devices

    first, *_ = _devices.list_local_devices()
    assert (first.name, first.device_type) == ("/device:CPU:0", "CPU")
    assert tf.config.list_physical_devices("CPU") == [("/physical_device:CPU:0", "CPU")]
    assert tf.config.experimental.list_logical_devices("CPU")[0].name == "/device:CPU:0"
    assert tf.test.is_gpu_available() == bool(tf.test.gpu_device_name()) == bool(tf.config.list_physical_devices("GPU"))


def test_files_beside_the_program_are_found():
    assert tf.resource_loader.get_path_to_datafile("x") == __file__.replace("test_script_api.py", "x")
    assert tf.resource_loader.load_resource("test_script_api.py").startswith(b'"""What scripts use')
    with pytest.raises(errors.NotFoundError):
        tf.resource_loader.load_resource("none")


# Templates and functions


def test_a_template_makes_its_variables_once():
    with tf.Graph().as_default():
        layer = tf.make_template("layer", lambda x: x * tf.get_variable("w", initializer=2.0))
        assert layer.variables == [] and layer.variable_scope is None
        layer(tf.constant(1.0))
        layer(tf.constant(1.0))
        assert [v.name for v in tf.global_variables()] == ["layer/w:0"]
        assert layer.trainable_variables == layer.weights == tf.global_variables()
        assert (layer.variable_scope_name, layer.name) == ("layer/", "layer")
        other = tf.make_template("layer", lambda x: x * tf.Variable(2.0))
        other(tf.constant(1.0))
        with pytest.raises(ValueError, match="Trainable variable created when calling a template after the first"):
            other(tf.constant(1.0))
        with pytest.raises(ValueError, match="name cannot be None"):
            tf.make_template(None, len)


def test_a_function_stands_in_the_graph_that_calls_it():
    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)])
    def squared(x: Any) -> Any:
        return x * x

    with tf.Graph().as_default(), tf.Session() as sess:
        x = tf.constant([3.0])
        assert sess.run(tf.gradients(squared(x), x)[0]).tolist() == [6.0]
        assert sess.run(squared([1.0, 2.0])).tolist() == [1.0, 4.0]
        with pytest.raises(ValueError, match="does not fit TensorSpec"):
            squared([[1.0]])
        with pytest.raises(TypeError, match="takes 1 tensors"):
            squared(x, x)


def test_defun_converts_its_arguments():
    from regraft.v1._function import Defun

    @Defun(tf.float32, tf.float32)
    def added(x: Any, y: Any) -> Any:
        return x + y

    with tf.Graph().as_default(), tf.Session() as sess:
        assert sess.run(added(1, 2)) == 3.0
        with pytest.raises(TypeError, match="takes 2 tensors"):
            added(1)


# What is counted, and what is refused


def test_the_profiler_counts_parameters_by_scope(capsys):
    with tf.Graph().as_default() as graph:
        with tf.variable_scope("layer"):
            tf.get_variable("w", [3, 4])
            tf.get_variable("b", [4], trainable=False)
        options = tf.profiler.ProfileOptionBuilder.trainable_variables_parameter()
        assert tf.profiler.profile(graph, options=options).total_parameters == 12
        assert "layer/w (12/12 params)" in capsys.readouterr().out
        every = tf.profiler.ProfileOptionBuilder().with_empty_output().build()
        assert tf.profiler.profile(graph, options=every).total_parameters == 16
        assert capsys.readouterr().out == ""
        with pytest.raises(errors.UnimplementedError, match="float_ops"):
            tf.profiler.profile(graph, options=tf.profiler.ProfileOptionBuilder.float_operation())


def test_libraries_of_kernels_are_refused(tmp_path):
    path = tmp_path / "icp.so"
    with pytest.raises(errors.NotFoundError, match="icp.so"):
        tf.load_op_library(str(path))
    path.write_bytes(b"")
    with pytest.raises(errors.UnimplementedError, match="@regraft.register_op"):
        tf.load_op_library(str(path))
    with pytest.raises(errors.UnimplementedError, match="@regraft.register_op"):
        tf.sysconfig.get_include()


def test_switches_to_tensorflow_2_are_refused():
    tf.disable_v2_tensorshape()
    tf.disable_control_flow_v2()
    tf.disable_tensor_equality()
    assert tf.control_flow_v2_enabled() is False
    for name in ("enable_v2_behavior", "enable_control_flow_v2", "enable_v2_tensorshape", "enable_tensor_equality"):
        with pytest.raises(errors.UnimplementedError):
            getattr(tf, name)()


@pytest.mark.parametrize("name", ["keras", "estimator", "tpu", "GradientTape", "ragged", "compat.v2"])
def test_what_is_left_out_says_why(name):
    with pytest.raises(AttributeError, match=rf"tf\.{name} is missing in Regraft: "):
        attrgetter(name)(tf)


def test_init_scope_leaves_conditionals_and_dependencies():
    with tf.Graph().as_default(), tf.name_scope("outer"), tf.control_dependencies([tf.no_op()]):
        with tf.init_scope():
            inside = tf.constant(1)
        assert inside.op.name == "outer/Const"
        assert inside.op.control_inputs == []
        assert len(tf.constant(2).op.control_inputs) == 1


# tf.test


class Case(tf.test.TestCase):
    """Run by the test below, not by pytest."""

    __test__ = False

    def test_graph_and_seeds(self) -> None:
        assert len(tf.get_default_graph()) == 0
        assert tf.get_default_graph().seed == 87654321
        with self.test_session() as sess:
            assert sess is tf.get_default_session()
            with self.cached_session() as again:
                assert again is sess
            self.assertAllClose(tf.constant([1.0, 2.0]), [1.0, 2.0 + 1e-7])
        self.assertAllEqual(self.evaluate(tf.constant([[1]])), [[1]])
        with self.session(graph=tf.Graph()) as other:
            assert other is not sess

    def test_arrays(self) -> None:
        self.assertAllClose({"a": [1.0, (2.0, 3.0)]}, {"a": [1.0, (2.0, 3.0)]})
        self.assertAllClose([np.zeros(2), np.zeros(3)], [np.zeros(2), np.zeros(3)])
        self.assertAllCloseAccordingToType(np.float16([1]), np.float16([1.0009]))
        self.assertNotAllEqual([1], [2])
        self.assertNotAllClose([1.0], [1.1])
        self.assertAllInRange([1, 2], 1, 2)
        self.assertAllInSet([1, 2, 1], {1, 2})
        self.assertNDArrayNear(np.ones(2), np.ones(2), 1e-6)
        self.assertArrayNear([1.0], [1.05], 0.1)
        self.assertShapeEqual(np.zeros((2, 3)), tf.zeros([2, 3]))
        self.assertDTypeEqual(tf.zeros([1]), np.float32)
        for wrong in (
            lambda: self.assertAllClose([1.0], [1.1]),
            lambda: self.assertAllClose({"a": [1.0]}, {"a": [1.1]}),
            lambda: self.assertAllClose({"a": 1.0}, {"b": 1.0}),
            lambda: self.assertAllEqual([1], [1, 1]),
            lambda: self.assertAllInRange([1, 3], 1, 2),
            lambda: self.assertAllInRange([1, 2], 1, 2, open_upper_bound=True),
            lambda: self.assertAllGreater([1, 2], 1),
            lambda: self.assertNear(1.0, 2.0, 0.5),
        ):
            with self.assertRaises(AssertionError):
                wrong()

    def test_errors_and_messages(self) -> None:
        with self.assertRaisesOpError("must feed"), self.session() as sess:
            sess.run(tf.placeholder(tf.float32, name="x"))
        with self.assertRaisesWithPredicateMatch(ValueError, lambda e: "b" in str(e)):
            raise ValueError("abc")
        with self.assertRaises(AssertionError), self.assertRaisesOpError("other"):
            raise tf.errors.NotFoundError(None, None, "this")
        self.assertProtoEquals("name: 'a' op: 'NoOp'", tf.NodeDef(name="a", op="NoOp"))
        self.assertDeviceEqual("/cpu:0", "/device:CPU:0")
        self.assertStartsWith("abc", "ab")
        thread = self.checkedThread(lambda: 1 / 0)
        thread.start()
        with self.assertRaises(ZeroDivisionError):
            thread.join()
        assert self.get_temp_dir() == self.get_temp_dir()


def test_a_test_case_passes():
    names = [name for name in dir(Case) if name.startswith("test_")]
    result = unittest.TestResult()
    for name in names:
        Case(name).run(result)
    assert [trace for _, trace in result.errors + result.failures] == []
    assert (result.testsRun, len(result.skipped)) == (4, 1)  # test_session is a session, though it has a test's name


@needs_tensorflow
@pytest.mark.filterwarnings("ignore")  # TensorFlow's
def test_jacobians_are_tensorflows():
    def jacobians(tf: Any) -> list[Any]:
        with tf.Graph().as_default(), tf.Session():
            x = tf.placeholder(tf.float32, [2, 2], name="x")
            z = tf.placeholder(tf.complex64, [2], name="z")
            return [
                *tf.test.compute_gradient(x, [2, 2], tf.matmul(x, x), [2, 2], np.float32([[1, 2], [3, 4]])),
                *tf.test.compute_gradient(z, [2], z * z, [2], np.complex64([1 + 2j, 3])),
                tf.test.compute_gradient_error(x, [2, 2], tf.exp(x), [2, 2], np.zeros((2, 2), np.float32)) < 1e-3,
            ]

    for mine, wanted in zip(jacobians(tf), jacobians(tensorflow()), strict=True):
        np.testing.assert_allclose(mine, wanted, rtol=2e-3)  # finite differences in float32


def test_equal_graph_defs():
    def graph_def(value: float) -> Any:
        with tf.Graph().as_default() as graph:
            tf.constant(value)
        return graph.as_graph_def()

    tf.test.assert_equal_graph_def(graph_def(1.0), graph_def(1.0))
    with pytest.raises(AssertionError, match="Const"):
        tf.test.assert_equal_graph_def(graph_def(1.0), graph_def(2.0))


def test_a_benchmark_reports_times(capsys):
    with tf.Graph().as_default(), tf.Session() as sess:
        report = tf.test.Benchmark().run_op_benchmark(sess, tf.constant(1.0), min_iters=3, name="constant")
    assert report["iters"] == 3 and report["wall_time"] > 0
    assert capsys.readouterr().out.startswith("constant: iters: 3, wall_time: ")


def test_stubs_are_taken_away_again():
    with tf.test.StubOutForTesting() as stubs:
        stubs.Set(sys, "byteorder", "middle")
        assert sys.byteorder == "middle"
    assert sys.byteorder in ("little", "big")


def test_a_name_of_before_0_7_leads_to_todays():
    assert tf.nn.deconv2d is tf.nn.conv2d_transpose
