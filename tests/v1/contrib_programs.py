"""Programs of tf.contrib.framework and tf.contrib.layers, a row each: `PROGRAMS[name](tf)`. The oracle is tf-slim."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

PROGRAMS: dict[str, Callable[[Any], Any]] = {}


def program(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    PROGRAMS[function.__name__] = function
    return function


def _images(tf: Any) -> Any:
    return tf.placeholder(tf.float32, [None, 8, 8, 4], name="images")


@program
def model_variables(tf: Any) -> None:
    framework = tf.contrib.framework
    with tf.variable_scope("net"):
        framework.model_variable("w", [2, 3], initializer=tf.ones_initializer())
        framework.variable("v", [2], regularizer=tf.contrib.layers.l2_regularizer(0.1), trainable=False)
    framework.local_variable(0.0, name="counter")
    framework.global_variable([1, 2], name="pair")
    with framework.arg_scope([framework.variable, framework.model_variable], initializer=tf.zeros_initializer()):
        framework.model_variable("z", [4], collections=["mine"])
    framework.get_or_create_global_step()
    names = [v.op.name for v in framework.get_variables()]
    assert names == ["net/w", "net/v", "pair", "z", "global_step"]
    assert [v.op.name for v in framework.get_model_variables()] == ["net/w", "z"]
    assert [v.op.name for v in framework.get_variables_by_suffix("w")] == ["net/w"]
    assert [v.op.name for v in framework.get_variables_by_name("v")] == ["net/v"]
    assert [v.op.name for v in framework.get_variables_to_restore(exclude=["net"])] == ["pair", "z", "global_step"]
    assert framework.get_unique_variable("net/w").op.name == "net/w"
    assert [v.op.name for v in framework.filter_variables(framework.get_variables(), ["net"], ["v$", "v:"])] == [
        "net/w"
    ]
    assert [v.op.name for v in tf.get_collection("mine")] == ["z"]


@program
def assigned_values(tf: Any) -> None:
    import numpy as np

    tf.contrib.framework.model_variable("a/w", [2, 3])
    tf.contrib.framework.model_variable("a/b", [3])
    _, feeds = tf.contrib.framework.assign_from_values({"a/w": np.ones([6], "f"), "a/b": np.zeros([3], "f")})
    assert sorted(v.shape for v in feeds.values()) == [(2, 3), (3,)]


@program
def convolutions(tf: Any) -> None:
    layers, images = tf.contrib.layers, _images(tf)
    layers.conv2d(images, 6, 3)
    layers.conv2d(images, 6, [3, 3], stride=2, padding="VALID", activation_fn=None, scope="conv1")
    layers.convolution2d(images, 6, 3, rate=2, biases_initializer=None)
    layers.conv2d(images, 6, 3, normalizer_fn=layers.batch_norm, normalizer_params={"is_training": True}, scope="bn")
    layers.conv2d(images, 6, 3, weights_regularizer=layers.l2_regularizer(0.01), biases_regularizer=None)
    layers.conv2d(images, 6, 3, scope="shared", variables_collections=["mine"], outputs_collections="outs")
    layers.conv2d(images, 6, 3, scope="shared", reuse=True)
    layers.conv2d_transpose(images, 5, 3, stride=2)
    layers.convolution2d_transpose(images, 5, [4, 4], 2, padding="VALID", scope="up", normalizer_fn=layers.batch_norm)
    layers.separable_conv2d(images, 5, 3, 1)
    layers.separable_conv2d(images, None, [3, 3], depth_multiplier=2, scope="depthwise")
    layers.separable_convolution2d(images, None, 3, 1, normalizer_fn=layers.batch_norm, activation_fn=tf.nn.relu6)
    layers.conv2d_in_plane(images, 3)
    layers.convolution(tf.placeholder(tf.float32, [None, 9, 4]), 3, 2)
    layers.conv3d(tf.placeholder(tf.float32, [None, 4, 4, 4, 3]), 3, 2)
    layers.convolution1d(tf.placeholder(tf.float32, [None, 9, 4]), 3, 2, data_format="NWC")
    assert [v.op.name for v in tf.get_collection("mine")] == ["shared/weights", "shared/biases"]
    assert len(tf.get_collection("outs")) == 1
    tf.add_n(tf.losses.get_regularization_losses())


@program
def dense_layers(tf: Any) -> None:
    layers = tf.contrib.layers
    x = tf.placeholder(tf.float32, [None, 4], name="x")
    layers.fully_connected(x, 3)
    layers.fully_connected(x, 3, activation_fn=None, scope="fc1", weights_initializer=tf.truncated_normal_initializer())
    layers.fully_connected(x, 3, tf.nn.tanh, normalizer_fn=layers.batch_norm)
    layers.fully_connected(tf.placeholder(tf.float32, [None, 5, 4]), 3, biases_initializer=None)
    layers.linear(x, 2)
    layers.relu(x, 2)
    layers.relu6(x, 2)
    layers.elu(x, 2)
    layers.bias_add(x)
    layers.bias_add(_images(tf), activation_fn=tf.nn.relu, scope="biased")
    layers.legacy_fully_connected(x, 3)
    layers.legacy_relu(tf.placeholder(tf.float32, [None, 5, 4]), 3, name="old")
    layers.dropout(x)
    layers.dropout(x, 0.9, is_training=False)
    layers.dropout(x, keep_prob=0.8, seed=3, scope="drop")
    layers.dropout(x, is_training=tf.placeholder(tf.bool, [], name="training"))


@program
def batch_norms(tf: Any) -> None:
    layers, images = tf.contrib.layers, _images(tf)
    x = tf.placeholder(tf.float32, [None, 4], name="x")
    layers.batch_norm(images)
    layers.batch_norm(images, decay=0.9, scale=True, is_training=False, scope="bn")
    layers.batch_norm(images, updates_collections=None)
    layers.batch_norm(images, updates_collections=None, fused=False, scale=True, activation_fn=tf.nn.relu)
    layers.batch_norm(images, updates_collections="mine", center=False)
    layers.batch_norm(images, fused=False, updates_collections="mine")
    layers.batch_norm(x)
    layers.batch_norm(x, scale=True, updates_collections=None, scope="flat")
    layers.batch_norm(x, is_training=False, fused=False)
    layers.batch_norm(images, param_initializers={"gamma": tf.constant_initializer(2.0)}, scale=True)
    layers.batch_norm(tf.transpose(images, [0, 3, 1, 2]), data_format="NCHW", fused=False, updates_collections=None)
    layers.batch_norm(x, batch_weights=tf.ones([7]), scope="weighted")
    layers.batch_norm(tf.placeholder(tf.float32, [7, 4]), zero_debias_moving_mean=True)
    tf.group(*tf.get_collection(tf.GraphKeys.UPDATE_OPS))


@program
def batch_norms_with_flags_that_are_fed(tf: Any) -> None:
    layers, images = tf.contrib.layers, _images(tf)
    training = tf.placeholder(tf.bool, [], name="training")
    layers.batch_norm(images, is_training=training)
    layers.batch_norm(images, is_training=training, updates_collections=None)
    layers.batch_norm(images, is_training=training, updates_collections="mine", fused=False)
    layers.batch_norm(tf.placeholder(tf.float32, [None, 4]), is_training=training)


@program
def other_norms(tf: Any) -> None:
    layers, images = tf.contrib.layers, _images(tf)
    layers.layer_norm(images)
    layers.layer_norm(tf.placeholder(tf.float32, [None, 4]), center=False, activation_fn=tf.nn.relu, scope="ln")
    layers.layer_norm(images, begin_norm_axis=-1, begin_params_axis=2, scale=False)
    layers.instance_norm(images)
    layers.instance_norm(tf.transpose(images, [0, 3, 1, 2]), data_format="NCHW", scope="instance")
    layers.group_norm(images, groups=2)
    layers.group_norm(images, 4, scale=False, mean_close_to_zero=True)
    layers.group_norm(images, 2, channels_axis=-1, reduction_axes=[-3, -2], center=False, activation_fn=tf.nn.relu)
    layers.unit_norm(tf.placeholder(tf.float32, [None, 4, 5]), 1)


@program
def shapes(tf: Any) -> None:
    layers, images = tf.contrib.layers, _images(tf)
    layers.max_pool2d(images, 2)
    layers.max_pool2d(images, [2, 2], stride=1, padding="SAME", scope="pool1")
    layers.avg_pool2d(images, 3, outputs_collections="outs")
    layers.max_pool3d(tf.placeholder(tf.float32, [None, 4, 4, 4, 3]), 2)
    layers.pool(images, 2, "MAX")
    layers.pool(images, [2, 2], "AVG", stride=2, scope="pooled")
    layers.flatten(images)
    layers.flatten(tf.placeholder(tf.float32, [None, None, 3]), scope="flat")
    layers.one_hot_encoding(tf.placeholder(tf.int32, [None]), 5)
    layers.one_hot_encoding(tf.placeholder(tf.int64, [None]), 5, scope="hot")
    layers.softmax(tf.placeholder(tf.float32, [None, 3, 4]))
    layers.spatial_softmax(images)
    layers.spatial_softmax(tf.transpose(images, [0, 3, 1, 2]), 2.0, data_format="NCHW", trainable=False)
    layers.maxout(tf.placeholder(tf.float32, [None, 6]), 3)
    layers.dense_to_sparse(tf.placeholder(tf.int32, [None, 3]), eos_token=1)
    layers.bucketize(images, [0.0, 1.0])
    sequence = layers.images_to_sequence(images)
    layers.sequence_to_images(sequence, 8)
    layers.sequence_to_images(tf.ones([8, 16, 4]), 8, "channels_first", scope="back")
    assert [t.aliases for t in tf.get_collection("outs")] == [["AvgPool2D"]]
    assert list(layers.utils.convert_collection_to_dict("outs")) == ["AvgPool2D"]


@program
def layers_in_a_row(tf: Any) -> None:
    layers, images = tf.contrib.layers, _images(tf)
    layers.repeat(images, 2, layers.conv2d, 4, [3, 3], scope="conv1")
    layers.repeat(images, 2, layers.conv2d, 4, 3)
    x = tf.placeholder(tf.float32, [None, 4], name="x")
    layers.stack(x, layers.fully_connected, [3, 5], scope="fc")
    layers.stack(images, layers.conv2d, [(4, 3), (5, [1, 1])])
    layers.stack(x, layers.linear, [3])


@program
def regularizers(tf: Any) -> None:
    layers = tf.contrib.layers
    w = tf.get_variable("w", [2, 3], regularizer=layers.l1_regularizer(0.1))
    tf.get_variable("v", [2, 3], regularizer=layers.l1_l2_regularizer(0.1, 0.2))
    tf.get_variable("u", [2, 3], regularizer=layers.l1_l2_regularizer(0.0, 0.2, scope="weighted"))
    assert layers.l2_regularizer(0.0)(w) is None
    layers.sum_regularizer([layers.l2_regularizer(0.5), None], scope="sum")(w)
    layers.apply_regularization(layers.l2_regularizer(0.1), [w])
    tf.losses.get_regularization_loss()


@program
def initializers(tf: Any) -> None:
    layers = tf.contrib.layers
    tf.get_variable("a", [3, 4], initializer=layers.xavier_initializer())
    tf.get_variable("b", [3, 3, 4, 5], initializer=layers.xavier_initializer_conv2d(uniform=False, seed=1))
    tf.get_variable("c", [5], initializer=layers.variance_scaling_initializer())
    tf.get_variable("d", [3, 4], initializer=layers.variance_scaling_initializer(1.0, "FAN_OUT", True, 4))


@program
def scopes_of_arguments(tf: Any) -> None:
    layers, framework = tf.contrib.layers, tf.contrib.framework
    images = _images(tf)
    with framework.arg_scope(
        [layers.conv2d, layers.fully_connected],
        activation_fn=tf.nn.elu,
        weights_regularizer=layers.l2_regularizer(0.0005),
        weights_initializer=tf.truncated_normal_initializer(0.0, 0.01),
    ):
        layers.fully_connected(layers.flatten(images), 3)
        with framework.arg_scope([layers.conv2d], stride=1, padding="SAME") as scope:
            layers.conv2d(images, 3, 3)
            layers.conv2d(images, 3, 3, padding="VALID", scope="valid")
    with framework.arg_scope(scope):
        layers.conv2d(images, 2, 3, scope="again")
    layers.conv2d(images, 2, 3, scope="outside")
    assert framework.has_arg_scope(layers.conv2d)
    assert not framework.has_arg_scope(tf.nn.conv2d)
    assert "stride" in framework.arg_scoped_arguments(layers.conv2d)


def _loss(tf: Any) -> Any:
    x = tf.placeholder(tf.float32, [None, 4], name="x")
    h = tf.contrib.layers.fully_connected(x, 3, normalizer_fn=tf.contrib.layers.batch_norm)
    return tf.reduce_mean(tf.contrib.layers.linear(h, 1))


@program
def optimized_losses(tf: Any) -> None:
    layers = tf.contrib.layers
    loss = _loss(tf)
    step = tf.train.get_or_create_global_step()
    layers.optimize_loss(loss, step, 0.1, "SGD")
    layers.optimize_loss(
        loss,
        step,
        0.1,
        "Momentum",
        clip_gradients=5.0,
        gradient_multipliers={"fully_connected/weights:0": 0.5},
        summaries=["learning_rate", "loss", "gradients", "gradient_norm", "global_gradient_norm"],
        update_ops=[],
    )
    layers.optimize_loss(loss, None, tf.constant(0.2), tf.train.AdamOptimizer, gradient_noise_scale=0.1, update_ops=[])
    layers.optimize_loss(
        loss,
        step,
        None,
        lambda: tf.train.AdagradOptimizer(0.1),
        clip_gradients=layers.adaptive_clipping_fn(global_step=step, static_max_norm=3.0),
        name="last",
        increment_global_step=False,
        update_ops=[],
    )


@program
def summaries(tf: Any) -> None:
    layers = tf.contrib.layers
    x = tf.placeholder(tf.float32, [None, 4], name="x")
    layers.summarize_tensor(tf.reduce_mean(x))
    layers.summarize_tensor(x, "tag")
    assert layers.summarize_tensor(tf.placeholder(tf.string)) is None
    layers.summarize_activation(tf.nn.relu6(x))
    layers.summarize_activation(tf.nn.tanh(x))
    layers.legacy_relu(x, 2)
    layers.summarize_activations()
    layers.summarize_weights()
    layers.summarize_variables("fully")


@program
def train_ops(tf: Any) -> None:
    training = tf.contrib.training
    loss = _loss(tf)
    training.create_train_op(loss, tf.train.GradientDescentOptimizer(0.1), summarize_gradients=True)
    training.create_train_op(
        loss,
        tf.train.MomentumOptimizer(0.1, 0.9),
        global_step=None,
        update_ops=[],
        variables_to_train=tf.trainable_variables()[:1],
        transform_grads_fn=training.clip_gradient_norms_fn(3.0),
        check_numerics=False,
    )
    assert len(tf.get_collection(tf.GraphKeys.TRAIN_OP)) == 4  # the optimizers' own beside these


@program
def old_losses(tf: Any) -> None:
    losses = tf.contrib.losses
    x = tf.placeholder(tf.float32, [5, 3], name="x")
    y = tf.placeholder(tf.float32, [5, 3], name="y")
    weights = tf.placeholder(tf.float32, [5], name="weights")
    losses.mean_squared_error(x, y)
    losses.mean_squared_error(x, y, weights, scope="mse")
    losses.absolute_difference(x, y, tf.expand_dims(weights, 1))
    losses.log_loss(x, y)
    losses.hinge_loss(x, y)
    losses.cosine_distance(x, y, 1)
    losses.sigmoid_cross_entropy(x, y, label_smoothing=0.1)
    losses.softmax_cross_entropy(x, y, weights=2.0)
    losses.softmax_cross_entropy(x, y, label_smoothing=0.1)
    losses.sparse_softmax_cross_entropy(x, tf.placeholder(tf.int64, [5, 1]))
    losses.mean_pairwise_squared_error(x, y)
    losses.add_loss(tf.reduce_sum(x))
    losses.get_total_loss()


@program
def metrics(tf: Any) -> None:
    metrics = tf.contrib.metrics
    x = tf.placeholder(tf.float32, [5], name="x")
    y = tf.placeholder(tf.float32, [5], name="y")
    classes = tf.placeholder(tf.int64, [5], name="classes")
    metrics.streaming_accuracy(classes, classes, name="accuracy_of_classes")
    metrics.streaming_mean(x)
    metrics.streaming_auc(x, classes)
    metrics.streaming_mean_squared_error(x, y, tf.ones([5]))
    metrics.streaming_mean_iou(classes, classes, 3)
    metrics.streaming_precision(classes, classes)
    metrics.streaming_recall(predictions=classes, labels=classes)
    metrics.streaming_true_positives(classes, classes)
    metrics.streaming_percentage_less(x, 0.5)
    metrics.streaming_mean_cosine_distance(tf.reshape(x, [1, 5]), tf.reshape(y, [1, 5]), 1)
    metrics.streaming_recall_at_k(tf.placeholder(tf.float32, [5, 9]), classes, 3)
    metrics.streaming_false_positive_rate(classes, classes)
    metrics.streaming_false_negative_rate(classes, classes)
    metrics.streaming_covariance(x, y)
    metrics.streaming_pearson_correlation(x, y, tf.ones([5]))
    metrics.streaming_sensitivity_at_specificity(x, classes, 0.7)
    best = tf.placeholder(tf.int64, [5, 3])
    several = tf.placeholder(tf.int64, [5, 2])
    metrics.streaming_sparse_recall_at_k(tf.placeholder(tf.float32, [5, 9]), several, 3, class_id=2)
    metrics.streaming_sparse_precision_at_k(tf.placeholder(tf.float32, [5, 9]), several, 3)
    metrics.streaming_sparse_average_precision_at_k(tf.placeholder(tf.float32, [5, 9]), several, 2)
    metrics.streaming_sparse_precision_at_top_k(best, several)
    metrics.sparse_recall_at_top_k(several, best, class_id=1)
    metrics.streaming_sparse_average_precision_at_top_k(best, several)
    metrics.count(x)
    metrics.count(x, tf.ones([5]), name="weighted")
    metrics.accuracy(classes, classes)
    metrics.accuracy(classes, classes, tf.ones([5]))
    metrics.f1_score(classes, x)
    values, updates = metrics.aggregate_metric_map({"a": metrics.streaming_mean(x), "b": metrics.streaming_mean(y)})
    assert sorted(values) == sorted(updates) == ["a", "b"]
    values, updates = metrics.aggregate_metrics(metrics.streaming_mean(x), metrics.streaming_mean(y))
    assert len(values) == len(updates) == 2


@program
def slim_training(tf: Any) -> None:
    slim = tf.contrib.slim
    images = tf.placeholder(tf.float32, [None, 8, 8, 1], name="images")
    labels = tf.placeholder(tf.float32, [None, 4], name="labels")
    with slim.arg_scope(
        [slim.conv2d, slim.fully_connected],
        weights_regularizer=slim.l2_regularizer(0.0005),
        normalizer_fn=slim.batch_norm,
        normalizer_params={"is_training": True, "decay": 0.9, "updates_collections": None},
    ):
        net = slim.repeat(images, 2, slim.conv2d, 4, [3, 3], scope="conv1")
        net = slim.max_pool2d(net, [2, 2], scope="pool1")
        net = slim.flatten(net, scope="flat")
        net = slim.dropout(slim.fully_connected(net, 8, scope="fc1"), 0.5, is_training=True)
        logits = slim.fully_connected(net, 4, activation_fn=None, normalizer_fn=None, scope="logits")
    slim.losses.softmax_cross_entropy(logits, labels)
    loss = slim.losses.get_total_loss()
    slim.summaries.add_histogram_summaries(slim.get_model_variables(), "vars")
    slim.summaries.add_scalar_summary(loss, "total")
    slim.summaries.add_zero_fraction_summary(net)
    slim.learning.create_train_op(
        loss,
        tf.train.RMSPropOptimizer(0.001),
        clip_gradient_norm=4,
        summarize_gradients=True,
        gradient_multipliers={"logits/weights": 10.0},
    )
    assert slim.model_analyzer.analyze_vars(slim.get_model_variables()) == (776, 3104)
