"""Programs of the Graph API, of MetaGraphs and of what variables can do, a row each: `PROGRAMS[name](tf)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

PROGRAMS: dict[str, Callable[[Any], Any]] = {}


def program(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    PROGRAMS[function.__name__] = function
    return function


@program
def control_dependencies(tf: Any) -> None:
    a, b, c = (tf.constant(1.0, name=name) for name in "abc")
    with tf.control_dependencies([a]):
        d = tf.constant(1.0, name="d")
        tf.add(d, b)
        with tf.control_dependencies([b, c, a]):
            tf.constant(1.0)
            tf.add(d, b)
            with tf.control_dependencies(None):
                tf.constant(1.0)
                with tf.control_dependencies([c.op, c]):
                    tf.no_op()
            with tf.control_dependencies([]):
                tf.constant(2.0)
    tf.group(a, b, tf.no_op(), name="together")
    tf.group([a, [b]])
    tf.group()
    tf.tuple([a, b], control_inputs=[c])
    with tf.control_dependencies([tf.IndexedSlices(a, b)]):
        tf.no_op()


@program
def control_dependencies_on_variables(tf: Any) -> None:
    v = tf.Variable(1.0, name="v")
    r = tf.Variable(1.0, name="r", use_resource=True)
    with tf.control_dependencies([v, r, v.initializer]):
        tf.no_op()
        tf.Variable(2.0, name="inside")
        r + v
    with tf.control_dependencies([v.assign(3.0), r.assign_add(1.0)]):
        tf.identity(v)
        tf.identity(r)
        r.read_value()


@program
def groups_devices_and_overrides(tf: Any) -> None:
    graph = tf.get_default_graph()
    a = tf.constant(1.0, name="a")
    v = tf.Variable(1.0, name="v")
    with tf.colocate_with(a):
        b = tf.constant(1.0, name="b")
        with tf.colocate_with(v):
            tf.constant(1.0)
        with tf.colocate_with(v, ignore_existing=True):
            tf.constant(1.0)
        with tf.colocate_with(None, ignore_existing=True):
            tf.constant(1.0)
    with tf.colocate_with(b), tf.device("/gpu:0"):
        tf.negative(a)
    with graph.gradient_override_map({"Neg": "Mine", "Relu": "Other"}):
        tf.nn.relu(tf.negative(a))
    with graph.container("box"):
        tf.Variable(1.0)
        tf.Variable(1.0, use_resource=True)
        tf.constant(1.0)
    with graph._attr_scope({"_mine": tf.AttrValue(i=5), "_more": tf.AttrValue(b=True)}):
        tf.constant(1.0)
        with graph._attr_scope({"_mine": None}):
            tf.constant(1.0)


@program
def name_scopes(tf: Any) -> None:
    with tf.name_scope("s") as scope:
        tf.constant(1, name="c")
        with tf.name_scope("t", "unused", [1]):
            tf.constant(1)
    with tf.name_scope(scope), tf.name_scope(None, "default"):
        tf.constant(1)
    with tf.name_scope("s"), tf.name_scope(None):
        tf.constant(1, name="c")
    with tf.name_scope("Case"):
        tf.constant(1, name="x")
    with tf.name_scope("case"):
        tf.constant(1, name="X")
        tf.constant(1, name="x")
    tf.constant(1, name="s/c")
    tf.constant(1, name="free/")


@program
def imported_into_every_scope(tf: Any) -> None:
    with tf.Graph().as_default() as other:
        x = tf.placeholder(tf.float32, [2], name="x")
        with tf.device("/cpu:0"):
            y = tf.negative(x, name="y")
        with tf.colocate_with(y):
            tf.nn.relu(y, name="z")
    nodes = other.as_graph_def()
    graph = tf.get_default_graph()
    tf.import_graph_def(nodes)
    tf.import_graph_def(nodes, name="")
    c = tf.constant([1.0, 2.0])
    with tf.name_scope("outer"), tf.device("/job:w"), tf.control_dependencies([c]):
        tf.import_graph_def(nodes, {"x": c}, name="in")
    with tf.colocate_with(c), graph.gradient_override_map({"Neg": "Mine"}):
        tf.import_graph_def(nodes, {"x": [3.0, 4.0]}, name="values")


@program
def imported_into_control_flow(tf: Any) -> None:
    with tf.Graph().as_default() as other:
        x = tf.placeholder(tf.float32, [], name="x")
        tf.multiply(x, tf.constant(2.0), name="y")
    nodes = other.as_graph_def()

    def twice(value: Any) -> Any:
        return tf.import_graph_def(nodes, {"x": value}, ["y:0"])[0]

    outside = tf.constant(3.0)
    last = tf.while_loop(lambda i: i < 100.0, lambda i: twice(i) + twice(outside), [1.0])
    tf.cond(last > 5.0, lambda: twice(last), lambda: twice(outside))


@program
def meta_graph_imported_twice_below_scopes(tf: Any) -> None:
    with tf.Graph().as_default():
        w = tf.get_variable("w", [2], initializer=tf.zeros_initializer())
        tf.while_loop(lambda i: i < 3, lambda i: i + 1, [0], name="loop")
        tf.train.GradientDescentOptimizer(0.1).minimize(tf.reduce_sum(w * w))
        message = tf.train.export_meta_graph(saver_def=tf.train.Saver().as_saver_def())
    for scope in ("a", "b", "a"):
        given = tf.MetaGraphDef()
        given.CopyFrom(message)
        tf.train.import_meta_graph(given, clear_devices=True, import_scope=scope)


@program
def training_goes_on_after_an_import(tf: Any) -> None:
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [None, 3], name="x")
        w = tf.get_variable("w", [3, 1], initializer=tf.ones_initializer())
        b = tf.get_variable("b", [1], initializer=tf.zeros_initializer(), use_resource=True)
        tf.matmul(x, w) + b
        message = tf.train.export_meta_graph()
    tf.train.import_meta_graph(message)
    graph = tf.get_default_graph()
    y = graph.get_tensor_by_name("add:0")
    loss = tf.reduce_mean(tf.square(y - 1.0))
    tf.train.MomentumOptimizer(0.1, 0.9).minimize(loss, var_list=tf.trainable_variables())


@program
def gradients_of_imported_control_flow(tf: Any) -> None:
    with tf.Graph().as_default():
        x = tf.constant(2.0, name="x")
        last = tf.while_loop(lambda i, v: i < 3, lambda i, v: (i + 1, v * x), [0, 1.0], name="loop")[1]
        tf.cond(last > 1.0, lambda: last * 2.0, lambda: last * x, name="choice")
        message = tf.train.export_meta_graph()
    tf.train.import_meta_graph(message)
    graph = tf.get_default_graph()
    tf.gradients(graph.get_tensor_by_name("choice/Merge:0"), graph.get_tensor_by_name("x:0"))


@program
def reference_variable_methods(tf: Any) -> None:
    _methods(tf, tf.Variable([1.0, 2.0, 3.0], name="v"))


@program
def resource_variable_methods(tf: Any) -> None:
    v = tf.Variable([1.0, 2.0, 3.0], name="v", use_resource=True)
    _methods(tf, v)
    v.sparse_read([0])
    v.gather_nd([[0]])
    v.is_initialized()
    with tf.control_dependencies([v.assign_add([1.0, 1.0, 1.0], read_value=False)]):
        v.read_value()


def _methods(tf: Any, v: Any) -> None:
    v.assign([4.0, 5.0, 6.0])
    v.assign(tf.zeros([3]), name="named")
    v.assign_add([1.0, 1.0, 1.0])
    v.assign_sub([1.0, 1.0, 1.0], read_value=False)
    v.value()
    v.read_value()
    slices = tf.IndexedSlices(tf.constant([2.0]), tf.constant([1]), tf.constant([3]))
    for name in ("add", "sub", "mul", "div", "min", "max", "update"):
        getattr(v, f"scatter_{name}")(slices)
    for name in ("add", "sub", "update"):
        getattr(v, f"scatter_nd_{name}")([[0]], [3.0])
    v[0:2].assign([7.0, 8.0])
    v[tf.constant([True, False, True])]
    v[1], v[..., tf.newaxis], v[::2]
    tf.is_variable_initialized(v)


@program
def operators_of_variables(tf: Any) -> None:
    for resource in (False, True):
        v = tf.Variable([[1.0, 2.0], [3.0, 4.0]], name="v", use_resource=resource)
        i = tf.Variable([1, 2], name="i", use_resource=resource)
        for result in (v + 1.0, 1.0 + v, v - v, 2.0 * v, v / 2.0, 3.0 / v, v // 2.0, v % 2.0, v**2.0, 2.0**v, -v):
            abs(result)
        v @ v, v < 2.0, v <= 2.0, v > 2.0, v >= 2.0, i & 1, i | 1, i ^ 1, ~i
        tf.add_n([v, v])
        tf.concat([v, v], 0)
        tf.stack([v, 1.0 - v])


@program
def variables_from_variables(tf: Any) -> None:
    v = tf.Variable(tf.random_uniform([2], seed=1), name="v")
    tf.Variable(v.initialized_value() * 2.0, name="w")
    tf.Variable(v * 2.0, name="x")
    tf.Variable(lambda: tf.ones([2]), name="y", dtype=tf.float32)
    tf.Variable(v.initialized_value(), name="z", trainable=False)
    tf.report_uninitialized_variables([v])
    tf.global_variables_initializer()
    tf.local_variables_initializer()
    tf.variables_initializer([v], name="only")


@program
def custom_getters_and_regularizers(tf: Any) -> None:
    def doubled(getter: Any, name: str, *args: Any, **kwargs: Any) -> Any:
        return getter(name, *args, **kwargs) * 2.0

    def renamed(getter: Any, name: str, *args: Any, **kwargs: Any) -> Any:
        return getter(name + "_renamed", *args, **kwargs)

    with tf.variable_scope("a", custom_getter=doubled, regularizer=lambda w: tf.reduce_sum(tf.abs(w))):
        tf.get_variable("w", [2])
        with tf.variable_scope("b", custom_getter=renamed):
            tf.get_variable("w", [2])
        tf.get_variable("own", [2], custom_getter=renamed, regularizer=lambda w: None)
    with tf.variable_scope("a", reuse=tf.AUTO_REUSE, custom_getter=doubled):
        tf.get_variable("w", [2])
        tf.get_variable("new", [2], caching_device="/cpu:0", constraint=tf.abs)
    tf.losses.get_regularization_loss()


@program
def partitioned_variables_in_use(tf: Any) -> None:
    with tf.variable_scope("p", partitioner=tf.fixed_size_partitioner(2)):
        w = tf.get_variable("w", [5, 2], initializer=tf.random_uniform_initializer(seed=3))
        scalar = tf.get_variable("s", [])
    tf.matmul(tf.ones([1, 5]), w) + scalar
    tf.nn.embedding_lookup(w, [0, 4])
    with tf.variable_scope("p", reuse=True):
        tf.get_variable("w", [5, 2])
    tf.train.Saver()


@program
def savers_of_every_kind(tf: Any) -> None:
    with tf.device("/cpu:0"):
        v = tf.Variable([1.0], name="v")
    with tf.device("/cpu:1"):
        r = tf.Variable([[1.0, 2.0]], name="r", use_resource=True)
    tf.train.Saver()
    tf.train.Saver({"other": v, "more/names": r}, name="named")
    tf.train.Saver([r], reshape=True, restore_sequentially=True)
    tf.train.Saver(sharded=True)
    tf.train.Saver(sharded=True, write_version=tf.train.SaverDef.V1)
    tf.train.Saver(write_version=tf.train.SaverDef.V1, filename="here")
