"""slim.learning: train operations from losses, and the loop that runs them."""

from __future__ import annotations

import logging
import sys
import time
from typing import Any

from regraft.base.errors import AbortedError, OutOfRangeError
from regraft.train.optimizer import Optimizer
from regraft.v1 import _context
from regraft.v1._graph import name_scope
from regraft.v1._math import equal
from regraft.v1._opening import on
from regraft.v1._variables import (
    global_variables_initializer,
    local_variables_initializer,
    report_uninitialized_variables,
    tables_initializer,
)
from regraft.v1.contrib import _gradients, training
from regraft.v1.contrib._gradients import clip_gradient_norms as clip_gradient_norms

__all__ = [
    "add_gradients_summaries",
    "clip_gradient_norms",
    "create_train_op",
    "multiply_gradients",
    "train",
    "train_step",
]

_log = logging.getLogger("regraft")

# What tells "left out" from None.
_USE_GLOBAL_STEP = _USE_DEFAULT = 0


def _left_out(value: Any) -> bool:
    return isinstance(value, int) and value == _USE_DEFAULT


def add_gradients_summaries(grads_and_vars: Any) -> list[Any]:
    """A histogram of each gradient, and its norm."""
    return _gradients.add_gradients_summaries(grads_and_vars, "/")


def multiply_gradients(grads_and_vars: Any, gradient_multipliers: Any) -> list[Any]:
    """Gradients times the numbers for their variables, by variable or name. ValueError where there is no gradient."""
    return _gradients.multiply_gradients(grads_and_vars, gradient_multipliers, constants=True)


def create_train_op(
    total_loss: Any,
    optimizer: Any,
    global_step: Any = _USE_GLOBAL_STEP,
    update_ops: Any = None,
    variables_to_train: Any = None,
    clip_gradient_norm: Any = 0,
    summarize_gradients: bool = False,
    gate_gradients: int = Optimizer.GATE_OP,
    aggregation_method: Any = None,
    colocate_gradients_with_ops: bool = False,
    gradient_multipliers: Any = None,
    check_numerics: bool = True,
) -> Any:
    """`tf.contrib.training.create_train_op` with gradients multiplied, and clipped to the norm `clip_gradient_norm`."""

    def transform(gradients: Any) -> Any:
        if gradient_multipliers:
            with name_scope("multiply_grads"):
                gradients = multiply_gradients(gradients, gradient_multipliers)
        if clip_gradient_norm > 0:
            with name_scope("clip_grads"):
                gradients = clip_gradient_norms(gradients, clip_gradient_norm)
        return gradients

    return training.create_train_op(
        total_loss,
        optimizer,
        global_step,
        update_ops,
        variables_to_train,
        transform,
        summarize_gradients,
        gate_gradients,
        aggregation_method,
        colocate_gradients_with_ops,
        check_numerics,
    )


def train_step(sess: Any, train_op: Any, global_step: Any, train_step_kwargs: dict[str, Any]) -> tuple[Any, Any]:
    """One step: (loss, whether to stop). Tensors in the last argument say when: "should_log", "should_stop".

    raises  NotImplementedError for "should_trace": Regraft's timelines are another file format
    """
    start = time.time()
    if "should_trace" in train_step_kwargs:
        raise NotImplementedError("slim.learning: `trace_every_n_steps` is not supported; leave it out")
    loss, step = sess.run([train_op, global_step])
    elapsed = time.time() - start
    if "should_log" in train_step_kwargs and sess.run(train_step_kwargs["should_log"]):
        _log.info("global step %d: loss = %.4f (%.3f sec/step)", step, loss, elapsed)
    stop = sess.run(train_step_kwargs["should_stop"]) if "should_stop" in train_step_kwargs else False
    return loss, stop


def _check(train_op: Any, logdir: Any, summary_op: Any, saver: Any, number_of_steps: Any) -> None:
    if train_op is None:
        raise ValueError("train_op cannot be None.")
    if logdir is None and not _left_out(summary_op):
        raise ValueError("Cannot provide summary_op because logdir=None")
    if logdir is None and saver is not None:
        raise ValueError("Cannot provide saver because logdir=None")
    if number_of_steps is not None and number_of_steps <= 0:
        raise ValueError("`number_of_steps` must be either None or a positive number.")


def train(
    train_op: Any,
    logdir: str | None,
    train_step_fn: Any = train_step,
    train_step_kwargs: Any = _USE_DEFAULT,
    log_every_n_steps: int = 1,
    graph: Any = None,
    master: str = "",
    is_chief: bool = True,
    global_step: Any = None,
    number_of_steps: int | None = None,
    init_op: Any = _USE_DEFAULT,
    init_feed_dict: Any = None,
    local_init_op: Any = _USE_DEFAULT,
    init_fn: Any = None,
    ready_op: Any = _USE_DEFAULT,
    summary_op: Any = _USE_DEFAULT,
    save_summaries_secs: Any = 600,
    summary_writer: Any = _USE_DEFAULT,
    startup_delay_steps: int = 0,
    saver: Any = None,
    save_interval_secs: Any = 600,
    sync_optimizer: Any = None,
    session_config: Any = None,
    session_wrapper: Any = None,
    trace_every_n_steps: int | None = None,
    ignore_live_threads: bool = False,
) -> Any:
    """Run `train_op` until `number_of_steps`, the end of the input, or a request to stop; returns the last loss.

    logdir    where checkpoints and summaries go; None for neither
    init_fn   function of the session, run after `init_op` where there is no checkpoint
    raises    ValueError for arguments that do not go together; NotImplementedError for `sync_optimizer` and
              `trace_every_n_steps`
    """
    from regraft.v1 import summary
    from regraft.v1 import train as tf_train

    _check(train_op, logdir, summary_op, saver, number_of_steps)
    for value, what in ((sync_optimizer, "sync_optimizer"), (trace_every_n_steps, "trace_every_n_steps")):
        if value is not None:
            raise NotImplementedError(f"slim.learning: `{what}` is not supported; leave it out")
    graph = graph or _context.get_default_graph()
    supervisor: Any = tf_train.Supervisor
    with _context.graph_as_default(graph):
        if global_step is None:
            global_step = tf_train.get_or_create_global_step()
        saver = saver or tf_train.Saver()
        with name_scope("init_ops"):
            if _left_out(init_op):
                init_op = global_variables_initializer()
            if _left_out(ready_op):
                ready_op = report_uninitialized_variables()
            if _left_out(local_init_op):
                local_init_op = _context.builder().group(local_variables_initializer(), tables_initializer())
        if _left_out(summary_op):
            summary_op = summary.merge_all()
        if _left_out(summary_writer):
            summary_writer = supervisor.USE_DEFAULT
        if _left_out(train_step_kwargs):
            with name_scope("train_step"):
                train_step_kwargs = _when(global_step, number_of_steps, log_every_n_steps)
    sv = supervisor(
        graph=graph,
        is_chief=is_chief,
        logdir=logdir,
        init_op=init_op,
        init_feed_dict=init_feed_dict,
        local_init_op=local_init_op,
        ready_for_local_init_op=None,
        ready_op=ready_op,
        summary_op=summary_op,
        summary_writer=summary_writer,
        global_step=global_step,
        saver=saver,
        save_summaries_secs=save_summaries_secs,
        save_model_secs=save_interval_secs,
        init_fn=init_fn,
    )
    if summary_writer is not None:
        train_step_kwargs["summary_writer"] = sv.summary_writer
    while True:
        try:
            with sv.managed_session(master, start_standard_services=False, config=session_config) as sess:
                if session_wrapper is not None:
                    sess = session_wrapper(sess)
                if is_chief and logdir:
                    sv.start_standard_services(sess)
                elif startup_delay_steps > 0:
                    last = min(startup_delay_steps, number_of_steps or sys.maxsize)
                    while tf_train.global_step(sess, global_step) < last:
                        time.sleep(1.0)
                return _steps(
                    sv, sess, train_step_fn, train_op, global_step, train_step_kwargs, logdir, ignore_live_threads
                )
        except AbortedError:
            _log.info("Retrying training!")


def _when(global_step: Any, number_of_steps: int | None, log_every_n_steps: int) -> dict[str, Any]:
    """The tensors that tell the default step when to stop and to log."""
    b = on(global_step)
    found = {"should_stop": b.GreaterEqual(global_step, number_of_steps) if number_of_steps else b.constant(False)}
    if log_every_n_steps > 0:
        found["should_log"] = equal(b.FloorMod(global_step, log_every_n_steps), 0)
    return found


def _steps(
    sv: Any,
    sess: Any,
    train_step_fn: Any,
    train_op: Any,
    global_step: Any,
    train_step_kwargs: dict[str, Any],
    logdir: str | None,
    ignore_live_threads: bool,
) -> Any:
    loss = None
    threads = sv.start_queue_runners(sess)
    try:
        while not sv.should_stop():
            loss, stop = train_step_fn(sess, train_op, global_step, train_step_kwargs)
            if stop:
                sv.request_stop()
                break
    except OutOfRangeError as e:
        _log.info("Caught OutOfRangeError. Stopping Training. %s", e)
    if logdir and sv.is_chief:
        sv.saver.save(sess, sv.save_path, global_step=sv.global_step)
        sv.stop(threads, close_summary_writer=True, ignore_live_threads=ignore_live_threads)
    return loss
