"""Recurrent networks, TensorArrays and structures: values, and what is refused."""

from __future__ import annotations

import collections
import copy
import itertools

import numpy as np
import pytest

import regraft.v1 as tf
from regraft.ir.graph import Graph
from regraft.opkit.builder import Builder
from regraft.v1 import _context

Point = collections.namedtuple("Point", "x y")


@pytest.fixture(autouse=True)
def _graph():
    with _context.graph_as_default(Graph()):
        yield


def _run(fetches, feeds=None):
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        return session.run(fetches, feeds)


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


# Networks


def test_decoder_of_1_0_goes_along_the_inputs():
    random = np.random.RandomState(0)
    x = random.randn(2, 4, 3).astype(np.float32)
    first = random.randn(2, 5).astype(np.float32)
    s = tf.contrib.seq2seq
    cell = tf.nn.rnn_cell.BasicRNNCell(5)
    outputs, state, _ = s.dynamic_rnn_decoder(cell, s.simple_decoder_fn_train(tf.constant(first)), x, [4, 2])
    found, last, kernel = _run([outputs, state, cell.variables[0]])
    wanted = np.zeros((2, 4, 5))
    for i, length in enumerate((4, 2)):
        h = first[i]
        for t in range(length):
            h = wanted[i, t] = np.tanh(np.concatenate([x[i, t], h]) @ kernel)
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(last, [wanted[0, 3], wanted[1, 1]], rtol=1e-5, atol=1e-6)


def test_bidirectional_lstm_follows_its_equations():
    random = np.random.RandomState(1)
    x = random.randn(2, 3, 2).astype(np.float32)
    lengths = np.array([3, 2])
    cells = [tf.nn.rnn_cell.LSTMCell(2, use_peepholes=True) for _ in range(2)]
    outputs, _ = tf.nn.bidirectional_dynamic_rnn(*cells, x, lengths, dtype=tf.float32)
    found = _run([*outputs, [cell.variables for cell in cells]])
    for output, (kernel, bias, w_f, w_i, w_o), back in zip(found[:2], found[2], (False, True), strict=True):
        wanted = np.zeros((2, 3, 2))
        for i, length in enumerate(lengths):
            c, h = np.zeros(2), np.zeros(2)
            for t in reversed(range(length)) if back else range(length):
                in_, new, forget, out = np.split(np.concatenate([x[i, t], h]) @ kernel + bias, 4)
                c = _sigmoid(forget + 1 + w_f * c) * c + _sigmoid(in_ + w_i * c) * np.tanh(new)
                h = wanted[i, t] = _sigmoid(out + w_o * c) * np.tanh(c)
        np.testing.assert_allclose(output, wanted, rtol=1e-5, atol=1e-6)


def test_random_field_counts_every_sequence_of_tags():
    random = np.random.RandomState(2)
    scores, moves = random.randn(2, 3, 4).astype(np.float32), random.randn(4, 4).astype(np.float32)
    lengths, tags = np.array([3, 2], np.int32), np.array([[0, 3, 1], [2, 2, 0]], np.int32)
    likelihood, _ = tf.contrib.crf.crf_log_likelihood(
        tf.constant(scores), tags, tf.constant(lengths), tf.constant(moves)
    )
    decoded, best = tf.contrib.crf.crf_decode(tf.constant(scores), tf.constant(moves), tf.constant(lengths))
    found, path, score = _run([likelihood, decoded, best])
    for i, length in enumerate(lengths):
        value = {
            way: sum(scores[i, t, tag] for t, tag in enumerate(way))
            + sum(moves[a, b] for a, b in itertools.pairwise(way))
            for way in itertools.product(range(4), repeat=int(length))
        }
        total = np.log(np.sum(np.exp(list(value.values()))))
        np.testing.assert_allclose(found[i], value[tuple(tags[i, :length])] - total, rtol=1e-4)
        winner = max(value, key=value.__getitem__)
        assert tuple(path[i, :length]) == winner
        np.testing.assert_allclose(score[i], value[winner], rtol=1e-5)
        way, total = tf.contrib.crf.viterbi_decode(scores[i, :length], moves)
        assert (tuple(way), pytest.approx(total)) == (winner, value[winner])


def test_copy_of_a_cell_has_variables_of_its_own():
    cells = tf.nn.rnn_cell.MultiRNNCell([tf.nn.rnn_cell.GRUCell(2), tf.nn.rnn_cell.GRUCell(2)])
    twin = copy.deepcopy(cells)
    x = tf.ones([1, 2])
    for name, cell in (("a", cells), ("b", twin)):
        with tf.variable_scope(name):
            cell(x, cell.zero_state(1, tf.float32))
    assert [v.name[0] for v in cells.variables] == ["a"] * 8
    assert [v.name[0] for v in twin.variables] == ["b"] * 8


def test_loss_function_of_before_1_0_takes_inputs_first():
    taken = []

    def old(inputs, labels):
        taken.append((inputs.name, labels.name))
        return inputs[:, 0]

    logits, labels = tf.zeros([2, 3], name="logits"), tf.zeros([2], tf.int32, name="labels")
    tf.nn.seq2seq.sequence_loss_by_example([logits], [labels], [tf.ones([2])], softmax_loss_function=old)
    assert taken == [("logits:0", "labels:0")]


@pytest.mark.parametrize(
    ("error", "said", "make"),
    [
        (TypeError, "is not an RNNCell", lambda: tf.nn.dynamic_rnn(object(), tf.ones([1, 2, 3]), dtype=tf.float32)),
        (ValueError, "`dtype` must be specified", lambda: tf.nn.dynamic_rnn(_gru(), tf.ones([1, 2, 3]))),
        (ValueError, "rank >= 2", lambda: tf.nn.dynamic_rnn(_gru(), tf.ones([3]), dtype=tf.float32)),
        (
            ValueError,
            "must be a vector",
            lambda: tf.nn.dynamic_rnn(_gru(), tf.ones([1, 2, 3]), [[1]], dtype=tf.float32),
        ),
        (ValueError, "must not be empty", lambda: tf.nn.static_rnn(_gru(), [], dtype=tf.float32)),
        (TypeError, "must be a sequence", lambda: tf.nn.static_rnn(_gru(), tf.ones([1, 3]), dtype=tf.float32)),
        (ValueError, "at least one cell", lambda: tf.nn.rnn_cell.MultiRNNCell([])),
        (ValueError, "state_is_tuple", lambda: tf.nn.rnn_cell.MultiRNNCell([tf.nn.rnn_cell.LSTMCell(2)], False)),
        (ValueError, "between 0 and 1", lambda: tf.nn.rnn_cell.DropoutWrapper(_gru(), input_keep_prob=1.5)),
        (ValueError, "floating point", lambda: tf.nn.rnn_cell.GRUCell(2)(tf.ones([1, 2], tf.int32), tf.ones([1, 2]))),
        (ValueError, "`size` must be provided", lambda: tf.TensorArray(tf.float32)),
        (ValueError, "Inconsistent shapes", lambda: tf.TensorArray(tf.float32, 2).write(0, 1.0).write(1, [1.0])),
        (TypeError, "not callable", lambda: tf.scan(None, tf.ones([2]))),
        (ValueError, "not scalars", lambda: tf.map_fn(lambda v: v, tf.constant(1.0))),
        (TypeError, "to be type Decoder", lambda: tf.contrib.seq2seq.dynamic_decode(object())),
        (TypeError, "AttentionMechanism", lambda: tf.contrib.seq2seq.AttentionWrapper(_gru(), object())),
    ],
)
def test_refused(error, said, make):
    with pytest.raises(error, match=said):
        make()


def _gru():
    return tf.nn.rnn_cell.GRUCell(2)


# TensorArrays


def test_gradients_go_through_tensor_arrays_of_old_files():
    b = Builder(_context.get_default_graph())
    x = tf.constant([1.0, 2.0, 3.0])
    handle = b.TensorArrayV2(3, dtype=tf.float32)
    flow = b.TensorArrayScatterV2(handle, [0, 1, 2], x, b.constant(0.0))
    read = b.TensorArrayReadV2(handle, 1, flow, dtype=tf.float32)
    (grad,) = tf.gradients(read * read, x)
    assert [op.type for op in _context.get_default_graph().get_operations() if "ArrayGrad" in op.type] == [
        "TensorArrayGradV2",
        "TensorArrayGradV2",
    ]
    np.testing.assert_array_equal(_run(grad), [0.0, 4.0, 0.0])


def test_gradients_of_tensor_arrays_want_their_scope_named_so():
    array = tf.TensorArray(tf.float32, 1).write(0, tf.constant(1.0))
    with pytest.raises(ValueError, match="must start with 'gradients'"):
        tf.gradients(array.read(0), array.flow.op.inputs[2], name="mine")


# Structures


def test_structures_are_walked_by_sorted_keys():
    assert tf.nest.flatten({"b": [1, (2,)], "a": Point(3, {"z": 4})}) == [3, 4, 1, 2]
    assert tf.nest.pack_sequence_as({"b": 0, "a": Point(0, [0])}, [1, 2, 3]) == {"b": 3, "a": Point(1, [2])}
    assert tf.nest.map_structure(lambda a, b: a + b, Point(1, [2]), Point(3, [4])) == Point(4, [6])
    assert tf.nest.flatten(5) == [5] and tf.nest.pack_sequence_as(5, [6]) == 6


def test_structures_up_to_a_shallow_one():
    nest = tf.contrib.framework.nest
    assert nest.flatten_up_to([0, 0], [[1, 2], (3,)]) == [[1, 2], (3,)]
    assert nest.map_structure_up_to([0, 0], len, [[1, 2], (3,)]) == [2, 1]
    assert nest.get_traverse_shallow_structure(lambda s: not isinstance(s, tuple), [1, (2, 3)]) == [True, False]
    assert nest.flatten_dict_items({(1, 2): ("a", "b"), 3: "c"}) == {1: "a", 2: "b", 3: "c"}


@pytest.mark.parametrize(
    ("error", "make"),
    [
        (ValueError, lambda: tf.nest.assert_same_structure([1], [1, 2])),
        (TypeError, lambda: tf.nest.assert_same_structure([1], (1,))),
        (ValueError, lambda: tf.nest.assert_same_structure([1], 1)),
        (ValueError, lambda: tf.nest.pack_sequence_as([0, 0], [1])),
        (TypeError, lambda: tf.nest.pack_sequence_as([0], 1)),
        (TypeError, lambda: tf.nest.map_structure(None, [1])),
        (ValueError, lambda: tf.nest.map_structure(abs)),
    ],
)
def test_structures_that_differ_are_refused(error, make):
    with pytest.raises(error):
        make()


def test_types_of_structures_may_be_left_out():
    tf.nest.assert_same_structure([1, {"a": 2}], (1, {"a": 2}), check_types=False)
