"""What TensorFlow wrote: the same inference, and the same losses when training goes on."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.models.fixtures import WrittenModel

SMALL = ("mlp", "cnn", "transformer")
KINDS = [(variables, optimizer) for variables in ("ref", "resource") for optimizer in ("momentum", "adam")]


@pytest.fixture
def tf() -> Any:
    """The module under test."""
    return importlib.import_module("regraft.v1")


def relative(got: Any, wanted: np.ndarray) -> float:
    """The largest difference, relative to the largest magnitude wanted."""
    assert np.shape(got) == wanted.shape
    return float(np.abs(np.asarray(got, np.float64) - wanted).max() / (np.abs(wanted).max() + 1e-12))


def resume(tf: Any, model: WrittenModel, variables_too: bool = True) -> None:
    with tf.Graph().as_default():
        saver = tf.train.import_meta_graph(model.meta)
        with tf.Session() as sess:
            saver.restore(sess, model.prefix)
            for name, value in model.outputs.items():
                assert relative(sess.run(name, model.feeds), value) < 1e-4, name
            losses = []
            for feeds in model.training_feeds:
                losses.append(sess.run(model.loss, feeds))
                sess.run(model.train_op, feeds)
            losses.append(sess.run(model.loss, model.training_feeds[-1]))
            np.testing.assert_allclose(losses, model.losses, rtol=1e-3)
            variables = {v.name: v for v in tf.global_variables()}
            for name, value in model.variables_after.items() if variables_too else ():
                assert relative(sess.run(variables[name]), value) < 1e-2, name


@pytest.mark.parametrize(("variables", "optimizer"), KINDS)
@pytest.mark.parametrize("name", SMALL)
def test_small(tf: Any, written_model: Callable[..., WrittenModel], name: str, variables: str, optimizer: str) -> None:
    resume(tf, written_model(name, variables, optimizer))


@pytest.mark.slow
@pytest.mark.parametrize(("variables", "optimizer"), KINDS)
def test_resnet50(tf: Any, written_model: Callable[..., WrittenModel], variables: str, optimizer: str) -> None:
    # Some of the thousands of channels have gradients of rounding noise, whose sign alone makes Adam's first steps;
    # the losses tell whether the network trains as TensorFlow's does.
    resume(tf, written_model("resnet50", variables, optimizer), variables_too=False)


@pytest.mark.parametrize(("variables", "optimizer"), KINDS)
def test_resnet50_slim(tf: Any, written_model: Callable[..., WrittenModel], variables: str, optimizer: str) -> None:
    resume(tf, written_model("resnet50_slim", variables, optimizer))


def test_bert_optimizer(tf: Any, written_model: Callable[..., WrittenModel]) -> None:
    resume(tf, written_model("transformer", "ref", "adamw"))
