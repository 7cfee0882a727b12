"""Conditionals and loops: tf.cond, tf.case, tf.while_loop."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from regraft.base import dtypes
from regraft.base.shapes import TensorShape
from regraft.ir.graph_keys import GraphKeys
from regraft.ir.node import Tensor
from regraft.opkit import nest
from regraft.opkit.conditional import build_cond, is_variable
from regraft.opkit.control_context import WhileContext
from regraft.opkit.loop import build_loop
from regraft.v1 import _context
from regraft.v1._assertion import Assert
from regraft.v1._opening import opened
from regraft.v1._reduction import reduce_sum

__all__ = ["case", "cond", "while_loop"]


def cond(
    pred: Any,
    true_fn: Callable[[], Any] | None = None,
    false_fn: Callable[[], Any] | None = None,
    strict: bool = False,
    name: str | None = None,
    fn1: Callable[[], Any] | None = None,
    fn2: Callable[[], Any] | None = None,
) -> Any:
    """What `true_fn()` returns where the scalar bool `pred` is true, else what `false_fn()` returns.

    Both functions are called here, once. Only operations made inside them depend on the condition. They return tensors,
    or lists, tuples and mappings of tensors, in the same structure and of the same types.

    strict    give a list of one result as a list; else it is given as the result itself
    fn1, fn2  older names of the functions
    raises    TypeError for what is no function, ValueError or TypeError where the results do not fit each other
    """
    true_fn = _function("true_fn", true_fn, "fn1", fn1)
    false_fn = _function("false_fn", false_fn, "fn2", fn2)
    with opened(name, "cond", pred) as (b, _):
        if isinstance(pred, bool):
            raise TypeError("'pred' must not be a Python bool.")
        return build_cond(b, pred, true_fn, false_fn, strict)


def _function(name: str, given: Any, older_name: str, older: Any) -> Callable[[], Any]:
    if given is not None and older is not None:
        raise TypeError(f"cond(): {name!r} and {older_name!r} may not be set simultaneously.")
    function: Any = older if given is None else given
    if function is None:
        raise TypeError(f"cond(): {name!r} argument required")
    if not callable(function):
        raise TypeError(f"{name!r} must be callable.")
    found: Callable[[], Any] = function
    return found


def case(
    pred_fn_pairs: Any,
    default: Callable[[], Any] | None = None,
    exclusive: bool = False,
    strict: bool = False,
    name: str = "case",
) -> Any:
    """What the function of the first true condition returns, or `default()` where none is true.

    pred_fn_pairs  [(scalar bool tensor, function)], or a mapping of these
    default        None for an error in the run where no condition is true
    exclusive      stop the run where more than one condition is true
    raises         TypeError for pairs that are none
    """
    pairs = _pairs(pred_fn_pairs)
    predicates, functions = [p for p, _ in pairs], [f for _, f in pairs]
    with opened(name, "case", predicates) as (b, _):
        if default is None:
            default = functools.partial(_last, predicates, functions[-1])
            predicates, functions = predicates[:-1], functions[:-1]
        chosen = default
        for predicate, function in reversed(list(zip(predicates, functions, strict=True))):
            chosen = functools.partial(cond, predicate, function, chosen, strict)
        if not exclusive:
            return chosen()
        with b.graph.control_dependencies([_at_most(predicates, 1, "Input error: exclusive=True")]):
            return chosen()


def _pairs(given: Any) -> list[tuple[Tensor, Callable[[], Any]]]:
    if not isinstance(given, (list, tuple, Mapping)):
        raise TypeError(f"'pred_fn_pairs' must be a list, tuple, or dict. Received: {type(given)}")
    if isinstance(given, Mapping):
        ordered = hasattr(given, "move_to_end")  # OrderedDict
        given = list(given.items()) if ordered else sorted(given.items(), key=lambda item: str(item[0].name))
    for pair in given:
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise TypeError(f"Each entry in 'pred_fn_pairs' must be a 2-tuple. Received {pair}.")
        predicate, function = pair
        if not isinstance(predicate, Tensor):
            raise TypeError(f"pred must be a Tensor, got: {predicate}")
        if predicate.dtype.base is not dtypes.bool_:
            raise TypeError(f"pred must be Tensor of type bool: {predicate.name}")
        if not callable(function):
            raise TypeError(f"fn for pred {predicate.name} must be callable.")
    if not given:
        raise ValueError("'pred_fn_pairs' holds no pair")
    return list(given)


def _last(predicates: list[Tensor], function: Callable[[], Any]) -> Any:
    """The last pair's function, which is taken where no other condition is true, and then its own must be."""
    count = len(predicates) - 1
    b = _context.builder()
    said = f"Implementation error: selected default action #{count} was called, but some of other predicates are True: "
    message = ("Input error: None of conditions evaluated as True:", b.stack(predicates, name="preds_c"))
    checks = [_at_most(predicates[:-1], 0, said), Assert(predicates[-1], data=message)]
    with b.graph.control_dependencies(checks):
        return function()


def _at_most(predicates: list[Tensor], most: int, said: str) -> Any:
    """An operation that fails where more than `most` of the conditions are true."""
    b = _context.builder()
    stacked = b.stack(predicates, name="preds_c")
    count = reduce_sum(b.cast(stacked, dtypes.int32), name="num_true_conds")
    holds = b.LessEqual(count, b.constant(most, name="n_true_conds"))
    names = ", ".join(p.name for p in predicates)
    data = [f"{said}: more than {most} conditions ({names}) evaluated as True:", stacked]
    return Assert(holds, data=data, summarize=len(predicates))


def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    shape_invariants: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    name: str | None = None,
    maximum_iterations: Any = None,
    return_same_structure: bool = False,
) -> Any:
    """The loop variables after `body` was repeated as long as `cond` holds.

    cond, body             functions of the loop variables: a scalar bool, and the variables of the next iteration
    loop_vars              a list or tuple of structures of tensors
    shape_invariants       shapes in that structure, for variables whose shape changes; else each keeps its own
    maximum_iterations     a scalar integer, or None
    return_same_structure  give a list of one variable as a list; else it is given as the variable itself
    raises                 TypeError for what is no function, ValueError where `body` changes what it must keep

    `parallel_iterations` and `swap_memory` are recorded in the graph.
    """
    if not callable(cond):
        raise TypeError("'cond' must be callable.")
    if not callable(body):
        raise TypeError("'body' must be callable.")
    if parallel_iterations < 1:
        raise TypeError("'parallel_iterations' must be a positive integer.")
    loop_vars = nest.map_structure(lambda v: _context.builder().convert(v) if is_variable(v) else v, loop_vars)
    with opened(name, "while", loop_vars) as (b, _):
        if not loop_vars:
            raise ValueError("'loop_vars' must be provided.")
        limit = None
        if maximum_iterations is not None:
            limit = b.convert(maximum_iterations, name="maximum_iterations")
            if limit.shape.rank != 0:
                raise ValueError(f"'maximum_iterations' must be a scalar. Received shape: {limit.shape}")
            single = len(loop_vars) == 1 and not return_same_structure
            cond, body = _counted(cond, body, limit, single)
            counter = b.constant(0, limit.dtype, name="iteration_counter")
            loop_vars = (counter, loop_vars[0] if single else loop_vars)
            if shape_invariants is not None:
                shape_invariants = (TensorShape([]), shape_invariants)
        context = WhileContext(
            b.graph,
            maximum_iterations=limit,
            parallel_iterations=parallel_iterations,
            back_prop=back_prop,
            swap_memory=swap_memory,
        )
        if context.outer_context is None:  # those inside others are kept by the outermost
            b.graph.add_to_collection(GraphKeys.WHILE_CONTEXT, context)
        result, count = build_loop(b, context, cond, body, loop_vars, shape_invariants)
        if limit is not None:
            return result[1]
        return result[0] if count == 1 and not return_same_structure else result


def _counted(
    cond: Callable[..., Any], body: Callable[..., Any], limit: Tensor, single: bool
) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The functions of a loop that counts its iterations beside the variables, up to the limit."""

    def counted_cond(i: Any, variables: Any) -> Any:
        below = i < limit
        return _context.builder().LogicalAnd(below, cond(variables) if single else cond(*variables))

    def counted_body(i: Any, variables: Any) -> Any:
        return i + 1, body(variables) if single else body(*variables)

    return counted_cond, counted_body
