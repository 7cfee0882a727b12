"""optimize_loss: a whole training step from a loss, with learning rate, clipping and summaries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from regraft.base import dtypes
from regraft.ir.graph_keys import GraphKeys
from regraft.ir.node import Tensor
from regraft.opkit.slices import IndexedSlices
from regraft.train.averages import assign_moving_average
from regraft.train.optimizer import Optimizer
from regraft.train.optimizers import (
    AdagradOptimizer,
    AdamOptimizer,
    GradientDescentOptimizer,
    MomentumOptimizer,
    RMSPropOptimizer,
)
from regraft.train.regularized import FtrlOptimizer
from regraft.v1 import _context, summary
from regraft.v1._array import ones_like
from regraft.v1._checks import assert_scalar
from regraft.v1._clip import clip_by_global_norm, global_norm
from regraft.v1._graph_control import with_dependencies
from regraft.v1._indexing import where
from regraft.v1._math import cast, exp, sqrt
from regraft.v1._opening import on
from regraft.v1._random import truncated_normal
from regraft.v1._variable_scope import get_variable, variable_scope
from regraft.v1.contrib._gradients import values_of, with_values
from regraft.v1.train import assert_global_step, get_global_step
from regraft.variables.initializers import Constant, Zeros

__all__ = ["OPTIMIZER_CLS_NAMES", "OPTIMIZER_SUMMARIES", "adaptive_clipping_fn", "optimize_loss"]

OPTIMIZER_CLS_NAMES: dict[str, Callable[..., Any]] = {
    "Adagrad": AdagradOptimizer,
    "Adam": AdamOptimizer,
    "Ftrl": FtrlOptimizer,
    "Momentum": lambda learning_rate: MomentumOptimizer(learning_rate, momentum=0.9),
    "RMSProp": RMSPropOptimizer,
    "SGD": GradientDescentOptimizer,
}

OPTIMIZER_SUMMARIES = ["learning_rate", "loss", "gradients", "gradient_norm", "global_gradient_norm"]


def optimize_loss(
    loss: Any,
    global_step: Any,
    learning_rate: Any,
    optimizer: Any,
    gradient_noise_scale: float | None = None,
    gradient_multipliers: Any = None,
    clip_gradients: Any = None,
    learning_rate_decay_fn: Any = None,
    update_ops: Any = None,
    variables: Any = None,
    name: str | None = None,
    summaries: Any = None,
    colocate_gradients_with_ops: bool = False,
    increment_global_step: bool = True,
) -> Any:
    """A tensor of the loss, whose evaluation is a step of training.

    learning_rate           a float (which becomes a variable), a scalar tensor, or None
    optimizer               a name of `OPTIMIZER_CLS_NAMES`, a class, an optimizer, or a function that makes one
    gradient_noise_scale    adds normal noise of this scale to the gradients
    gradient_multipliers    by variable, or by its name
    clip_gradients          the largest global norm, or a function of the list of (gradient, variable)
    learning_rate_decay_fn  function of learning rate and global step
    update_ops              operations to run first; None for the collection UPDATE_OPS
    summaries               some of `OPTIMIZER_SUMMARIES`; None for loss, learning_rate and global_gradient_norm
    raises                  ValueError for arguments that do not go together
    """
    loss = _context.builder().convert(loss)
    assert_scalar(loss)
    if global_step is None:
        global_step = get_global_step()
    else:
        assert_global_step(global_step)
    graph = _context.get_default_graph()
    with variable_scope(name, "OptimizeLoss", [loss, global_step]):
        updates = list(dict.fromkeys(graph.get_collection(GraphKeys.UPDATE_OPS) if update_ops is None else update_ops))
        if updates:
            loss = with_dependencies(updates, loss)
        wanted = _summaries(summaries)
        rate = _learning_rate(learning_rate)
        if learning_rate is not None and learning_rate_decay_fn is not None:
            if global_step is None:
                raise ValueError("global_step is required for learning_rate_decay_fn.")
            rate = learning_rate_decay_fn(rate, global_step)
            if "learning_rate" in wanted:
                summary.scalar("learning_rate", rate)
        opt = _optimizer(optimizer, rate, learning_rate)
        if variables is None:
            variables = graph.get_collection(GraphKeys.TRAINABLE_VARIABLES)
        gradients = opt.compute_gradients(loss, variables, colocate_gradients_with_ops=colocate_gradients_with_ops)
        if gradient_noise_scale is not None:
            gradients = [(_noisy(g, gradient_noise_scale), v) for g, v in gradients]
        if gradient_multipliers is not None:
            gradients = [(_multiplied(g, v, gradient_multipliers), v) for g, v in gradients]
            if not gradients:
                raise ValueError("Empty list of (gradient, var) pairs: is gradient_multipliers right?")
        norms = "global_gradient_norm" in wanted or "gradient_norm" in wanted
        if norms:
            summary.scalar("global_norm/gradient_norm", global_norm([g for g, _ in gradients]))
        if isinstance(clip_gradients, float):
            clipped, _ = clip_by_global_norm([g for g, _ in gradients], clip_gradients)
            gradients = [(g, v) for g, (_, v) in zip(clipped, gradients, strict=True)]
        elif callable(clip_gradients):
            gradients = clip_gradients(gradients)
        elif clip_gradients is not None:
            raise ValueError(f"Unknown type {type(clip_gradients)} for clip_gradients")
        if "loss" in wanted:
            summary.scalar("loss", loss)
        for gradient, variable in gradients:
            if gradient is None:
                continue
            where_to = variable.name.replace(":", "_")
            if "gradients" in wanted:
                summary.histogram(f"gradients/{where_to}", values_of(gradient))
            if "gradient_norm" in wanted:
                summary.scalar(f"gradient_norm/{where_to}", global_norm([values_of(gradient)]))
        if clip_gradients is not None and norms:
            summary.scalar("global_norm/clipped_gradient_norm", global_norm([g for g, _ in gradients]))
        counted = global_step if increment_global_step else None
        applied = opt.apply_gradients(gradients, global_step=counted, name="train")
        return with_dependencies([applied], loss)


def _summaries(summaries: Any) -> Any:
    if summaries is None:
        return ["loss", "learning_rate", "global_gradient_norm"]
    for one in summaries:
        if one not in OPTIMIZER_SUMMARIES:
            raise ValueError(f"Summaries should be one of [{', '.join(OPTIMIZER_SUMMARIES)}], you provided {one}.")
    return summaries


def _learning_rate(given: Any) -> Any:
    if given is None or (isinstance(given, Tensor) and given.shape.rank == 0):
        return given
    if isinstance(given, float):
        if given < 0.0:
            raise ValueError(f"Invalid learning_rate {given}.")
        return get_variable("learning_rate", [], trainable=False, initializer=Constant(given))
    raise ValueError(f"Learning rate should be 0d Tensor or float. Got {given} of type {type(given)}")


def _optimizer(given: Any, rate: Any, learning_rate: Any) -> Any:
    if isinstance(given, Optimizer):
        return given
    if isinstance(given, str):
        if rate is None:
            raise ValueError(f"Learning rate is None, but should be specified if optimizer is string ({given}).")
        if given not in OPTIMIZER_CLS_NAMES:
            raise ValueError(
                f"Optimizer name should be one of [{', '.join(OPTIMIZER_CLS_NAMES)}], you provided {given}."
            )
        return OPTIMIZER_CLS_NAMES[given](learning_rate=rate)
    if isinstance(given, type) and issubclass(given, Optimizer):
        if rate is None:
            raise ValueError(f"Learning rate is None, but should be specified if optimizer is class ({given}).")
        make: Any = given
        return make(learning_rate=rate)
    if callable(given):
        made = given(rate) if learning_rate is not None else given()
        if not isinstance(made, Optimizer):
            raise ValueError(f"Unrecognized optimizer: function should return subclass of Optimizer. Got {made}.")
        return made
    raise ValueError(
        "Unrecognized optimizer: should be string, subclass of Optimizer, instance of subclass of Optimizer or "
        f"function with one argument. Got {given}."
    )


def _noisy(gradient: Any, scale: float) -> Any:
    if gradient is None:
        return None
    shape = gradient.dense_shape if isinstance(gradient, IndexedSlices) else gradient.shape
    return gradient + truncated_normal(shape) * scale


def _multiplied(gradient: Any, variable: Any, multipliers: Any) -> Any:
    key = variable if variable in multipliers else variable.name
    if gradient is None or key not in multipliers:
        return gradient
    if isinstance(gradient, IndexedSlices):
        return with_values(gradient, lambda values: values * multipliers[key])
    return gradient * cast(multipliers[key], gradient.dtype)


def adaptive_clipping_fn(
    std_factor: float = 2.0,
    decay: float = 0.95,
    static_max_norm: float | None = None,
    global_step: Any = None,
    report_summary: bool = False,
    epsilon: float = 1e-8,
    name: str | None = None,
) -> Callable[[Any], list[Any]]:
    """A function that scales gradients down whose global norm is far above its moving average, on a log scale.

    std_factor       how many standard deviations are not far
    static_max_norm  a limit that always holds
    global_step      the moving average is quicker in the first steps
    """

    def average(name: str, value: Any, share: Any) -> Any:
        variable = get_variable(name, shape=value.shape, dtype=value.dtype, initializer=Zeros(), trainable=False)
        return assign_moving_average(variable, value, share, zero_debias=False)

    def limit(norm: Any) -> tuple[Any, Any]:
        with variable_scope(name, "AdaptiveMaxNorm", [norm]):
            b = on(norm)
            logarithm = b.Log(norm + epsilon)
            share: Any = decay
            if global_step is not None:
                n = cast(global_step, dtypes.float32)
                share = b.Minimum(share, n / (n + 1.0))
            mean = average("mean", logarithm, share)
            square = average("sq_mean", b.Square(logarithm), share)
            variance = square - b.Square(mean)
            deviation = sqrt(b.Maximum(epsilon, variance))
            return exp(mean + std_factor * deviation), mean

    def clip(grads_and_vars: Any) -> list[Any]:
        norm = global_norm([g for g, _ in grads_and_vars])
        b = on(norm)
        largest, mean = limit(norm)
        if report_summary:
            summary.scalar("global_norm/adaptive_max_gradient_norm", largest)
        factor = where(norm < largest, ones_like(norm), exp(mean) / norm)
        if static_max_norm is not None:
            factor = b.Minimum(static_max_norm / norm, factor)
        return [(None if g is None else with_values(g, lambda values: values * factor), v) for g, v in grads_and_vars]

    return clip
