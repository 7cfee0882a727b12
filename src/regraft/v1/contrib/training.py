"""tf.contrib.training: train operations, gradients, hyperparameters."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from regraft.ir.graph_keys import GraphKeys
from regraft.train.optimizer import Optimizer
from regraft.v1 import _context
from regraft.v1 import train as tf_train
from regraft.v1._graph import name_scope
from regraft.v1._graph_control import with_dependencies
from regraft.v1.contrib import _gradients
from regraft.v1.contrib._evaluation import (
    StopAfterNEvalsHook,
    SummaryAtEndHook,
    checkpoints_iterator,
    evaluate_once,
    evaluate_repeatedly,
    get_or_create_eval_step,
    wait_for_new_checkpoint,
)
from regraft.v1.contrib._gradients import clip_gradient_norms, multiply_gradients
from regraft.v1.contrib._hparams import HParams, parse_values
from regraft.v1.contrib._missing import missing_from
from regraft.v1.train import get_or_create_global_step

__all__ = [
    "HParams",
    "StopAfterNEvalsHook",
    "SummaryAtEndHook",
    "add_gradients_summaries",
    "checkpoints_iterator",
    "clip_gradient_norms",
    "clip_gradient_norms_fn",
    "create_train_op",
    "evaluate_once",
    "evaluate_repeatedly",
    "get_or_create_eval_step",
    "multiply_gradients",
    "parse_values",
    "train",
    "wait_for_new_checkpoint",
]

_log = logging.getLogger("regraft")

_USE_GLOBAL_STEP = 0


def add_gradients_summaries(grads_and_vars: Any) -> list[Any]:
    """A histogram of each gradient, and its norm."""
    return _gradients.add_gradients_summaries(grads_and_vars, "_")


def clip_gradient_norms_fn(max_norm: Any) -> Callable[[Any], list[Any]]:
    """A function that applies `clip_gradient_norms`."""
    return lambda gradients_to_variables: clip_gradient_norms(gradients_to_variables, max_norm)


def create_train_op(
    total_loss: Any,
    optimizer: Any,
    global_step: Any = _USE_GLOBAL_STEP,
    update_ops: Any = None,
    variables_to_train: Any = None,
    transform_grads_fn: Any = None,
    summarize_gradients: bool = False,
    gate_gradients: int = Optimizer.GATE_OP,
    aggregation_method: Any = None,
    colocate_gradients_with_ops: bool = False,
    check_numerics: bool = True,
) -> Any:
    """A tensor of the loss, whose evaluation is a step of training; it goes into the collection TRAIN_OP.

    global_step         a variable to count the steps in; None for none, left out for the graph's own
    update_ops          operations to run before the loss is computed; None for the collection UPDATE_OPS
    transform_grads_fn  from and to a list of (gradient, variable)
    raises              AssertionError where there is nothing to train
    """
    graph = _context.get_default_graph()
    if isinstance(global_step, int) and global_step == _USE_GLOBAL_STEP:
        global_step = get_or_create_global_step()
    of_graph = graph.get_collection(GraphKeys.UPDATE_OPS)
    updates = list(dict.fromkeys(of_graph if update_ops is None else update_ops))
    if not set(of_graph) <= set(updates):
        _log.warning("update_ops in create_train_op does not contain all the update_ops in GraphKeys.UPDATE_OPS")
    if updates:
        with graph.control_dependencies(updates):
            barrier = _context.builder().no_op(name="update_barrier")
        total_loss = with_dependencies([barrier], total_loss)
    variables = graph.get_collection(GraphKeys.TRAINABLE_VARIABLES)
    if variables_to_train is not None:
        for v in variables_to_train:
            if not v.trainable and not any(v is other for other in variables):
                raise AssertionError(f"{v.name} is not trainable")
        variables = variables_to_train
    if not variables:
        raise AssertionError("There are no variables to train")
    gradients = optimizer.compute_gradients(
        total_loss,
        variables,
        gate_gradients=gate_gradients,
        aggregation_method=aggregation_method,
        colocate_gradients_with_ops=colocate_gradients_with_ops,
    )
    if transform_grads_fn:
        gradients = transform_grads_fn(gradients)
    if summarize_gradients:
        with name_scope("summarize_grads"):
            add_gradients_summaries(gradients)
    applied = optimizer.apply_gradients(gradients, global_step=global_step)
    with name_scope("train_op"):
        if check_numerics:
            total_loss = _context.builder().CheckNumerics(total_loss, message="LossTensor is inf or nan")
        train_op = with_dependencies([applied], total_loss)
    train_ops = graph.get_collection_ref(GraphKeys.TRAIN_OP)
    if not any(train_op is other for other in train_ops):
        train_ops.append(train_op)
    return train_op


def train(
    train_op: Any,
    logdir: str | None,
    master: str = "",
    is_chief: bool = True,
    scaffold: Any = None,
    hooks: Any = None,
    chief_only_hooks: Any = None,
    save_checkpoint_secs: Any = 600,
    save_summaries_steps: Any = 100,
    config: Any = None,
    max_wait_secs: Any = 7200,
    run_metadata: Any = None,
) -> Any:
    """Run `train_op` in a MonitoredTrainingSession until a hook stops it; returns the last loss, or None.

    raises  ValueError for what needs `logdir` where that is None
    """
    if logdir is None and is_chief:
        if save_summaries_steps:
            raise ValueError("logdir cannot be None when save_summaries_steps is not None")
        if save_checkpoint_secs:
            raise ValueError("logdir cannot be None when save_checkpoint_secs is not None")
    loss = None
    with tf_train.MonitoredTrainingSession(
        master=master,
        is_chief=is_chief,
        checkpoint_dir=logdir,
        scaffold=scaffold,
        hooks=hooks,
        chief_only_hooks=chief_only_hooks,
        save_checkpoint_secs=save_checkpoint_secs,
        save_summaries_steps=save_summaries_steps,
        config=config,
        max_wait_secs=max_wait_secs,
    ) as session:
        while not session.should_stop():
            loss = session.run(train_op, run_metadata=run_metadata)
    return loss


__getattr__ = missing_from("training")
