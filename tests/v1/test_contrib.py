"""tf.contrib beyond graphs that TensorFlow's packages of today can make."""

from __future__ import annotations

import os

import numpy as np
import pytest

import regraft.v1 as tf

contrib = tf.contrib


@pytest.fixture
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


def test_what_is_missing_says_so():
    with pytest.raises(AttributeError, match="tf.contrib.tpu is missing in Regraft: .*JAX"):
        _ = contrib.tpu
    with pytest.raises(AttributeError, match="tf.contrib.nothing_of_the_kind is missing"):
        _ = contrib.nothing_of_the_kind
    with pytest.raises(
        AttributeError, match="tf.contrib.layers.crossed_column is missing in Regraft: .*tf.feature_column"
    ):
        _ = contrib.layers.crossed_column
    with pytest.raises(AttributeError, match="tf.contrib.learn.Experiment is missing in Regraft: tf.estimator"):
        _ = contrib.learn.Experiment


def test_modes_of_models_have_names():
    modes = contrib.learn.ModeKeys
    assert [modes.TRAIN, modes.EVAL, modes.INFER] == ["train", "eval", "infer"]


def test_embed_sequence_makes_the_nodes_of_tensorflow_1(graph):
    """The names are those of a model of 2018 that a repository on character models keeps."""
    contrib.layers.embed_sequence(tf.placeholder(tf.int32, [None, None], name="ids"), 30, 15)
    made = {op.name: op.type for op in graph.get_operations()}
    assert made["EmbedSequence/embeddings"] == "VariableV2"
    assert made["EmbedSequence/embeddings/Initializer/random_uniform/RandomUniform"] == "RandomUniform"
    assert made["EmbedSequence/embeddings/Assign"] == "Assign"
    assert made["EmbedSequence/embeddings/read"] == "Identity"
    assert made["EmbedSequence/embedding_lookup"] == "GatherV2"  # Gather, then


def test_embedding_lookup_unique_gives_the_rows(graph):
    rows = np.arange(12, dtype=np.float32).reshape(4, 3)
    found = contrib.layers.embedding_lookup_unique(tf.constant(rows), [[3, 1], [1, 1]])
    assert found.shape.as_list() == [2, 2, 3]
    with tf.Session() as sess:
        np.testing.assert_array_equal(sess.run(found), rows[[[3, 1], [1, 1]]])


def test_arg_scope_refuses_functions_that_are_not_decorated():
    with pytest.raises(ValueError, match="add_arg_scope"), contrib.framework.arg_scope([tf.nn.relu], name="x"):
        pass
    with pytest.raises(TypeError, match="list"), contrib.framework.arg_scope(contrib.layers.conv2d):
        pass


def test_arg_scope_serves_functions_of_programs():
    @contrib.framework.add_arg_scope
    def scaled(x, by=1):
        return x * by

    with contrib.framework.arg_scope([scaled], by=3) as scope:
        assert scaled(2) == 6
        assert scaled(2, by=5) == 10
    assert scaled(2) == 2
    with contrib.framework.arg_scope(scope):
        assert scaled(2) == 6
    assert contrib.framework.arg_scoped_arguments(scaled) == ("by",)


def test_values_are_assigned_from_a_checkpoint_by_other_names(graph, tmp_path):
    w = tf.get_variable("w", initializer=np.float32([1, 2]))
    b = tf.get_variable("b", initializer=np.float32(3))
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        prefix = tf.train.Saver({"old/w": w, "old/b": b}).save(sess, str(tmp_path / "model"), write_meta_graph=False)
        sess.run([w.assign([0, 0]), b.assign(0)])
        op, feeds = contrib.framework.assign_from_checkpoint(prefix, {"old/w": w})
        sess.run(op, feeds)
        np.testing.assert_array_equal(sess.run(w), [1, 2])
        assert sess.run(b) == 0
        restore = contrib.framework.assign_from_checkpoint_fn(prefix, {"old/b": b, "new": w}, ignore_missing_vars=True)
        restore(sess)
        assert sess.run(b) == 3
        with pytest.raises(ValueError, match="missing variable"):
            contrib.framework.assign_from_checkpoint(prefix, [w])


def test_hparams_parse_what_they_are_told():
    hparams = contrib.training.HParams(lr=0.1, units=[3, 4], name="a", flag=False)
    hparams.parse("lr=0.5,units[1]=9,name=b c,flag=true")
    assert hparams.values() == {"lr": 0.5, "units": [3, 9], "name": "b c", "flag": True}
    hparams.parse("units=[1,2,3]")
    assert hparams.units == [1, 2, 3]
    hparams.parse_json('{"lr": 1.0}')
    assert hparams.lr == 1.0
    assert "lr" in hparams
    assert hparams.get("other", 5) == 5


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ("rate=1", "Unknown hyperparameter"),
        ("lr=x", "Could not parse"),
        ("lr=1,lr=2", "Multiple assignments"),
        ("lr", "Malformed"),
        ("lr=[1,2]", "Must not pass a list"),
        ("units=1", "Must pass a list"),
    ],
)
def test_hparams_refuse(values, words):
    with pytest.raises(ValueError, match=words):
        contrib.training.HParams(lr=0.1, units=[3, 4]).parse(values)


def test_normal_vectors_of_free_components(graph):
    loc, scale, x = np.float32([[0, 1], [2, 3]]), np.float32([1, 2]), np.float32([[0.5, 2], [1, 1]])
    d = contrib.distributions.MultivariateNormalDiag(loc, scale)
    other = contrib.distributions.MultivariateNormalDiag(scale_diag=scale * 2)
    z = (x - loc) / scale
    expected = (-0.5 * z**2 - 0.5 * np.log(2 * np.pi) - np.log(scale)).sum(-1)
    divergence = 0.5 * ((loc / (2 * scale)) ** 2 + 0.25 - 1 + np.log(4)).sum(-1)
    sample = d.sample(5, seed=1)
    assert sample.shape.as_list() == [5, 2, 2]
    assert (d.batch_shape.as_list(), d.event_shape.as_list()) == ([2], [2])
    with tf.Session() as sess:
        found = sess.run([d.log_prob(x), contrib.distributions.kl_divergence(d, other), d.mean(), d.stddev()])
        drawn = sess.run(d.sample(20000, seed=3))
    np.testing.assert_allclose(found[0], expected, rtol=1e-6)
    np.testing.assert_allclose(found[1], divergence, rtol=1e-6)
    np.testing.assert_array_equal(found[2], loc)
    np.testing.assert_array_equal(found[3], np.broadcast_to(scale, (2, 2)))
    # Four standard errors of the mean, and of the standard deviation.
    assert (abs(drawn.mean(0) - loc) < 4 * scale / np.sqrt(20000)).all()
    assert (abs(drawn.std(0) - scale) < 4 * scale / np.sqrt(40000)).all()


def _slim_loss(steps, logdir):
    """The loss after training up to a number of steps, going on from where the last call stopped."""
    slim = contrib.slim
    with tf.Graph().as_default():
        x = tf.constant(np.linspace(-1, 1, 8, dtype=np.float32)[:, None])
        slim.losses.mean_squared_error(slim.fully_connected(x, 1, activation_fn=None), 3 * x)
        train_op = slim.learning.create_train_op(slim.losses.get_total_loss(), tf.train.GradientDescentOptimizer(0.5))
        return slim.learning.train(train_op, logdir, number_of_steps=steps, save_summaries_secs=0)


# The supervisor stops twice, as TensorFlow's does.
@pytest.mark.filterwarnings("ignore:Attempting to use a closed FileWriter")
def test_slim_trains_and_evaluates(tmp_path):
    slim = contrib.slim
    first, last = _slim_loss(1, str(tmp_path)), _slim_loss(20, str(tmp_path))
    assert last < first / 50
    assert tf.train.latest_checkpoint(str(tmp_path)).endswith("model.ckpt-20")
    with tf.Graph().as_default():
        out = slim.fully_connected(x_of_other := tf.constant([[2.0]]), 1, activation_fn=None)
        mean, update = slim.metrics.streaming_mean(out)
        step = tf.train.get_or_create_global_step()
        tf.summary.scalar("mean", mean)
        found = slim.evaluation.evaluate_once(
            "",
            tf.train.latest_checkpoint(str(tmp_path)),
            str(tmp_path / "eval"),
            num_evals=3,
            eval_op=update,
            final_op=[mean, step, x_of_other],
        )
        again = slim.evaluation.evaluation_loop(
            "",
            str(tmp_path),
            str(tmp_path / "eval"),
            eval_op=update,
            final_op=mean,
            max_number_of_evaluations=1,
            timeout=5,
        )
    assert found[1] == 20
    assert found[0] == pytest.approx(again)
    assert again == pytest.approx(6.0, abs=0.5)
    assert any(name.startswith("events.") for name in os.listdir(tmp_path / "eval"))


def _after_steps(optimizer, start, steps):
    """A table of embeddings after steps in which rows 0 and 2 have the gradient 2 and row 1 has none."""
    w = tf.get_variable("w", initializer=start)
    train_op = optimizer.minimize(tf.reduce_sum(2 * tf.nn.embedding_lookup(w, [0, 2])))
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for _ in range(steps):
            sess.run(train_op)
        return sess.run(w)


def test_lazy_adam_leaves_rows_without_a_gradient_alone(graph):
    start = np.float32([[1, 2], [3, 4], [5, 6]])
    found = _after_steps(contrib.opt.LazyAdamOptimizer(0.1), start, 3)
    expected, m, v = start.astype(np.float64), 0.0, 0.0
    for t in (1, 2, 3):
        m, v = 0.9 * m + 0.1 * 2, 0.999 * v + 0.001 * 4
        expected[[0, 2]] -= 0.1 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / (np.sqrt(v) + 1e-8)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_weights_decay_beside_the_gradient(graph):
    w = tf.get_variable("w", initializer=np.float32([1, 2]))
    b = tf.get_variable("b", initializer=np.float32([4, 8]))
    loss = tf.reduce_sum(3 * w) + tf.reduce_sum(b)
    train_op = contrib.opt.MomentumWOptimizer(0.5, 0.1, 0.0).minimize(loss, decay_var_list=[w])
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        sess.run(train_op)
        np.testing.assert_allclose(sess.run(w), np.float32([0.5, 1]) - 0.3, rtol=1e-6)
        np.testing.assert_allclose(sess.run(b), np.float32([4, 8]) - 0.1, rtol=1e-6)


def test_weights_of_rows_decay_where_they_have_a_gradient(graph):
    start = np.float32([[1, 2], [3, 4], [5, 6]])
    extended = contrib.opt.extend_with_decoupled_weight_decay(tf.train.GradientDescentOptimizer)
    found = _after_steps(extended(0.5, 0.1), start, 1)
    np.testing.assert_allclose(found, [[0.3, 0.8], [3, 4], [2.3, 2.8]], rtol=1e-6)


def test_shapes_are_stated_and_checked(graph):
    framework = contrib.framework
    x = tf.placeholder(tf.float32, [None, 2])
    checked = framework.with_shape([3, 2], x)
    assert checked.shape.as_list() == [3, 2]
    assert framework.with_same_shape(tf.ones([3, 2]), x).shape.as_list() == [3, 2]
    with pytest.raises(ValueError, match="expected"):
        framework.with_shape([3, 4], x)
    with tf.Session() as sess:
        np.testing.assert_array_equal(sess.run(checked, {x: np.ones([3, 2])}), np.ones([3, 2]))
        with pytest.raises(tf.errors.InvalidArgumentError, match="Wrong shape"):
            sess.run(checked, {x: np.ones([4, 2])})
