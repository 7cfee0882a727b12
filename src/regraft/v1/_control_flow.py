"""Conditionals: tf.cond, tf.case."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from regraft.base import dtypes
from regraft.ir.node import Tensor
from regraft.opkit.conditional import build_cond
from regraft.v1 import _context
from regraft.v1._assertion import Assert
from regraft.v1._opening import opened
from regraft.v1._reduction import reduce_sum

__all__ = ["case", "cond"]


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
    return function  # type: ignore[no-any-return]


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
