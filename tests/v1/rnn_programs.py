"""Programs of recurrent cells and networks, a row each: `PROGRAMS[name](tf)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

PROGRAMS: dict[str, Callable[[Any], Any]] = {}


def program(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    PROGRAMS[function.__name__] = function
    return function


@program
def cells(tf: Any) -> None:
    cell = tf.nn.rnn_cell
    x = tf.placeholder(tf.float32, [5, 3], name="x")
    y = tf.placeholder(tf.float32, [None, 3], name="y")
    kinds = [
        lambda: cell.BasicRNNCell(4),
        lambda: cell.BasicRNNCell(4, activation="relu", name="named"),
        lambda: cell.GRUCell(4),
        lambda: cell.GRUCell(
            4, tf.nn.relu, kernel_initializer=tf.ones_initializer(), bias_initializer=tf.zeros_initializer()
        ),
        lambda: cell.BasicLSTMCell(4),
        lambda: cell.BasicLSTMCell(4, forget_bias=0.0, state_is_tuple=False, activation=tf.nn.relu),
        lambda: cell.LSTMCell(4),
        lambda: cell.LSTMCell(4, use_peepholes=True, cell_clip=3.0, initializer=tf.random_uniform_initializer(seed=1)),
        lambda: cell.LSTMCell(4, num_proj=2, proj_clip=1.0, num_unit_shards=2, num_proj_shards=2),
        lambda: cell.LSTMCell(4, num_proj=2, use_peepholes=True, state_is_tuple=False),
    ]
    for i, kind in enumerate(kinds):
        with tf.variable_scope(f"scope_{i}"):
            made = kind()
            state = made.zero_state(5, tf.float32)
            out, state = made(x, state)
            made(out[:, :3] if out.shape[1] == 4 else x, state)
    batch = tf.shape(y)[0]
    made = cell.GRUCell(3)
    made(y, made.zero_state(batch, tf.float32), scope="given")
    tf.nn.rnn_cell.BasicLSTMCell(2).get_initial_state(inputs=y)
    with tf.variable_scope("shared"):
        cell.GRUCell(3)(x, tf.zeros([5, 3]))
    with tf.variable_scope("shared", reuse=True):
        cell.GRUCell(3)(x, tf.zeros([5, 3]))
    cell.GRUCell(3, name="twin")(x, tf.zeros([5, 3]))
    cell.GRUCell(3, name="twin", reuse=True)(x, tf.zeros([5, 3]))


@program
def cells_around_cells(tf: Any) -> None:
    cell = tf.nn.rnn_cell
    x = tf.placeholder(tf.float32, [None, 4], name="x")
    keep = tf.placeholder_with_default(0.5, [], name="keep")
    batch = tf.shape(x)[0]

    def run(made: Any) -> None:
        made(x, made.zero_state(batch, tf.float32))

    with tf.variable_scope("a"):
        run(cell.MultiRNNCell([cell.BasicLSTMCell(4), cell.GRUCell(3)]))
    with tf.variable_scope("b"):
        run(cell.MultiRNNCell([cell.BasicRNNCell(4), cell.GRUCell(3)], state_is_tuple=False))
    with tf.variable_scope("c"):
        run(cell.DropoutWrapper(cell.BasicLSTMCell(4), output_keep_prob=keep))
    with tf.variable_scope("d"):
        run(cell.DropoutWrapper(cell.BasicLSTMCell(4), 0.9, 0.8, 0.7, seed=3))
    with tf.variable_scope("e"):
        run(
            cell.DropoutWrapper(
                cell.LSTMCell(4), 0.9, keep, 0.7, variational_recurrent=True, input_size=4, dtype=tf.float32, seed=1
            )
        )
    with tf.variable_scope("f"):
        run(cell.ResidualWrapper(cell.GRUCell(4)))
    with tf.variable_scope("g"):
        run(cell.ResidualWrapper(cell.GRUCell(4), residual_fn=lambda i, o: i * o))
    with tf.variable_scope("h"):
        run(cell.DeviceWrapper(cell.GRUCell(4), "/cpu:0"))
    with tf.variable_scope("i"):
        run(
            cell.MultiRNNCell(
                [cell.DropoutWrapper(cell.ResidualWrapper(cell.GRUCell(4)), state_keep_prob=0.5) for _ in range(2)]
            )
        )


@program
def own_cells(tf: Any) -> None:
    class Adding(tf.nn.rnn_cell.RNNCell):
        state_size = 3
        output_size = 3

        def call(self, inputs: Any, state: Any) -> Any:
            w = tf.get_variable("w", [3, 3])
            out = tf.matmul(inputs, w) + state
            return out, out

    class Old(tf.nn.rnn_cell.RNNCell):
        @property
        def state_size(self) -> Any:
            return 3

        @property
        def output_size(self) -> Any:
            return 3

        def __call__(self, inputs: Any, state: Any, scope: Any = None) -> Any:
            with tf.variable_scope(scope or type(self).__name__):
                out = tf.matmul(inputs, tf.get_variable("w", [3, 3])) + state
            return out, out

    x = tf.placeholder(tf.float32, [2, None, 3], name="x")
    tf.nn.dynamic_rnn(Adding(), x, dtype=tf.float32)
    tf.nn.dynamic_rnn(Old(), x, dtype=tf.float32, scope="old")
    tf.nn.static_rnn(tf.nn.rnn_cell.MultiRNNCell([Adding(), Old()]), [x[:, 0], x[:, 1]], dtype=tf.float32, scope="s")


@program
def dynamic(tf: Any) -> None:
    cell = tf.nn.rnn_cell
    x = tf.placeholder(tf.float32, [None, None, 3], name="x")
    lengths = tf.placeholder(tf.int64, [None], name="lengths")
    tf.nn.dynamic_rnn(cell.BasicLSTMCell(4), x, dtype=tf.float32)
    tf.nn.dynamic_rnn(cell.GRUCell(4), x, lengths, dtype=tf.float32, scope="gru")
    fixed = tf.placeholder(tf.float32, [6, 5, 3], name="fixed")
    made = cell.MultiRNNCell([cell.BasicRNNCell(4), cell.LSTMCell(4, num_proj=2)])
    tf.nn.dynamic_rnn(
        made,
        fixed,
        sequence_length=[1, 2, 3, 4, 5],
        initial_state=made.zero_state(5, tf.float32),
        time_major=True,
        swap_memory=True,
        parallel_iterations=1,
        scope="fixed",
    )
    tf.nn.bidirectional_dynamic_rnn(cell.GRUCell(4), cell.GRUCell(4), x, lengths, dtype=tf.float32)
    tf.nn.bidirectional_dynamic_rnn(
        cell.GRUCell(4), cell.GRUCell(4), fixed, dtype=tf.float32, time_major=True, scope="both"
    )


@program
def gradients_of_dynamic(tf: Any) -> None:
    cell = tf.nn.rnn_cell
    x = tf.placeholder(tf.float32, [None, None, 3], name="x")
    lengths = tf.placeholder(tf.int32, [None], name="lengths")
    made = cell.MultiRNNCell([cell.DropoutWrapper(cell.BasicLSTMCell(4), output_keep_prob=0.5) for _ in range(2)])
    outputs, state = tf.nn.dynamic_rnn(made, x, lengths, dtype=tf.float32, swap_memory=True)
    loss = tf.reduce_mean(tf.square(outputs)) + tf.reduce_sum(state[1].h)
    variables = tf.trainable_variables()
    grads, _ = tf.clip_by_global_norm(tf.gradients(loss, variables), 5.0)
    tf.train.AdamOptimizer().apply_gradients(zip(grads, variables, strict=True))


@program
def gradients_of_bidirectional(tf: Any) -> None:
    cell = tf.nn.rnn_cell
    x = tf.placeholder(tf.float32, [4, None, 3], name="x")
    (fw, bw), _ = tf.nn.bidirectional_dynamic_rnn(cell.GRUCell(4), cell.GRUCell(4), x, dtype=tf.float32)
    loss = tf.reduce_sum(tf.concat([fw, bw], 2))
    tf.train.GradientDescentOptimizer(0.1).minimize(loss)


@program
def static(tf: Any) -> None:
    cell = tf.nn.rnn_cell
    x = tf.placeholder(tf.float32, [None, 3, 2], name="x")
    lengths = tf.placeholder(tf.int32, [None], name="lengths")
    steps = tf.unstack(x, axis=1)
    outputs, _ = tf.nn.static_rnn(cell.BasicLSTMCell(4), steps, dtype=tf.float32)
    tf.gradients(outputs[-1], tf.trainable_variables())
    tf.nn.static_rnn(cell.GRUCell(4), steps, dtype=tf.float32, sequence_length=lengths, scope="lengths")
    tf.nn.static_bidirectional_rnn(cell.GRUCell(4), cell.GRUCell(4), steps, dtype=tf.float32)
    tf.nn.static_bidirectional_rnn(
        cell.BasicRNNCell(4), cell.BasicRNNCell(4), steps, dtype=tf.float32, sequence_length=lengths, scope="both"
    )

    class Saver:
        def state(self, name: str) -> Any:
            return tf.zeros([2, 4], name=name)

        def save_state(self, name: str, value: Any) -> Any:
            return tf.identity(value, name="save_" + name)

    fixed = [tf.ones([2, 3])] * 2
    tf.nn.static_state_saving_rnn(cell.BasicLSTMCell(4), fixed, Saver(), ("c", "h"), scope="saving")
    tf.nn.static_state_saving_rnn(cell.GRUCell(4), fixed, Saver(), "s", scope="saving_one")


@program
def raw(tf: Any) -> None:
    x = tf.placeholder(tf.float32, [None, None, 3], name="x")
    lengths = tf.placeholder(tf.int32, [None], name="lengths")
    cell = tf.nn.rnn_cell.LSTMCell(4)
    rows = tf.TensorArray(tf.float32, tf.shape(x)[0]).unstack(x)
    batch = tf.shape(x)[1]

    def loop(time: Any, output: Any, state: Any, loop_state: Any) -> Any:
        del loop_state
        over = time >= lengths
        new = cell.zero_state(batch, tf.float32) if output is None else state
        following = tf.cond(
            tf.reduce_all(over), lambda: tf.zeros([batch, 3], tf.float32), lambda: rows.read(tf.minimum(time, 9))
        )
        following.set_shape([None, 3])
        return over, following, new, output, None

    arrays, _, _ = tf.nn.raw_rnn(cell, loop)
    tf.gradients(arrays.stack(), tf.trainable_variables())
