"""Distinct values in programs: padded where nobody sees it, exact where somebody does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests import oracle
from tests.runtime.test_control_flow import steps_of

pytestmark = pytest.mark.skipif(not oracle.available(), reason="TensorFlow is not installed")

IDS = [{"ids:0": np.int32(ids)} for ids in ([3, 1, 3, 0, 3], [5, 5, 5, 5, 5], [0, 1, 2, 3, 4], [4], [])]


def _trained(make: Callable[[Any], Any], use_resource: bool) -> Callable[[Any], Any]:
    def build(tf: Any) -> Any:
        ids = tf.placeholder(tf.int32, [None], name="ids")
        start = tf.constant_initializer(np.arange(12.0).reshape(6, 2) / 10)
        table = tf.get_variable("table", [6, 2], initializer=start, use_resource=use_resource)
        rows = tf.nn.embedding_lookup(table, ids)
        loss = tf.reduce_sum(tf.square(rows) * tf.constant([1.0, 3.0]))
        train = make(tf).minimize(loss)
        with tf.control_dependencies([train]):
            return [tf.identity(loss), table.read_value()], IDS

    return build


OPTIMIZERS = {
    "adam": lambda tf: tf.train.AdamOptimizer(0.1),
    "adagrad": lambda tf: tf.train.AdagradOptimizer(0.1),
    "momentum": lambda tf: tf.train.MomentumOptimizer(0.1, 0.9),
    "rmsprop": lambda tf: tf.train.RMSPropOptimizer(0.1, momentum=0.5),
    "ftrl": lambda tf: tf.train.FtrlOptimizer(0.1),
}


def _seen(tf: Any) -> Any:
    """The rows, how many there are, or something made of them leaves: `wanted` decides which."""
    ids = tf.placeholder(tf.int32, [None], name="ids")
    y, which = tf.unique(ids)
    sums = tf.unsorted_segment_sum(tf.cast(ids, tf.float32), which, tf.shape(y)[0])
    return {"rows": y, "count": tf.shape(y)[0], "sums": sums, "kept": -sums * 2.0, "largest": tf.reduce_max(y + 1)}


def _check(name: str, build: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Run it as TensorFlow does, interpreted and compiled; which steps were programs."""
    return [step.compiled for step in steps_of(name, build, monkeypatch)]


@pytest.mark.parametrize("use_resource", [False, True], ids=["ref", "resource"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_step_that_trains_embeddings_is_one_program(
    optimizer: str, use_resource: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _check(optimizer, _trained(OPTIMIZERS[optimizer], use_resource), monkeypatch) == [True]


@pytest.mark.parametrize("what", ["rows", "count", "sums", "kept", "largest"])
def test_what_leaves_is_not_padded(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = _check(what, lambda tf: ([_seen(tf)[what]], [feed for feed in IDS if len(feed["ids:0"])]), monkeypatch)
    assert False in steps


def test_rows_of_another_unique_are_not_taken_for_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def build(tf: Any) -> Any:
        ids = tf.placeholder(tf.int32, [None], name="ids")
        v = tf.get_variable("v", [6], initializer=tf.zeros_initializer(), use_resource=False)
        y, which = tf.unique(ids)
        sums = tf.unsorted_segment_sum(tf.cast(ids, tf.float32), which, tf.shape(y)[0])
        with tf.control_dependencies([tf.scatter_add(v, tf.range(tf.shape(y)[0]), sums)]):
            return [tf.identity(v)], [feed for feed in IDS if len(feed["ids:0"])]

    assert False in _check("range", build, monkeypatch)
