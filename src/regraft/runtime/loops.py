"""XLA's loop, whose body does not transpose again and again what does not change.

The gradient of a recurrent network's step multiplies by the transposed weights. XLA's CPU compiler has them transposed
in each step, which for small batches takes as long as the product itself: for [20, 800] x [800, 400] 143 microseconds
instead of 82. So large matrices from outside a loop are transposed before it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from regraft.opkit.arrays import jax, lax
from regraft.opkit.platforms import on_cpu

# Elements of a matrix from which on it matters how it lies.
_LARGE = 1 << 14
# The contracted and the batch axes of x @ w.T and of x @ w, as `dot_general` takes them.
_BY_TRANSPOSED = (((1,), (1,)), ((), ()))
_BY_PLAIN = (((1,), (0,)), ((), ()))


def while_loop(condition: Callable[[Any], Any], body: Callable[[Any], Any], initial: Any) -> Any:
    """As `jax.lax.while_loop`; `body` is traced once."""
    if not on_cpu():
        return lax.while_loop(condition, body, initial)
    traced = jax.make_jaxpr(body)(initial)
    jaxpr, consts = traced.jaxpr, list(traced.consts)
    outside = dict(zip(jaxpr.constvars, consts, strict=True))
    turned: dict[Any, Any] = {}
    eqns = []
    for eqn in jaxpr.eqns:
        if _multiplies_by_transposed(eqn) and eqn.invars[1] in outside and eqn.invars[1].aval.size >= _LARGE:
            x, w = eqn.invars
            if w not in turned:
                # Tracing is how a new variable of a jaxpr is had.
                turned[w] = jax.make_jaxpr(_transpose)(outside[w]).jaxpr.outvars[0]
                consts.append(_transpose(outside[w]))
            eqn = eqn.replace(invars=[x, turned[w]], params={**eqn.params, "dimension_numbers": _BY_PLAIN})
        eqns.append(eqn)
    new = jaxpr.replace(constvars=[*jaxpr.constvars, *turned.values()], eqns=eqns)
    tree = jax.tree.structure(initial)

    def run(values: Any) -> Any:
        return jax.tree.unflatten(tree, jax.core.eval_jaxpr(new, consts, *jax.tree.leaves(values)))

    return lax.while_loop(condition, run, initial)


def _transpose(matrix: Any) -> Any:
    return lax.transpose(matrix, (1, 0))


def _multiplies_by_transposed(eqn: Any) -> bool:
    return (
        eqn.primitive.name == "dot_general"
        and all(v.aval.ndim == 2 for v in eqn.invars)
        and tuple(tuple(map(tuple, axes)) for axes in eqn.params["dimension_numbers"]) == _BY_TRANSPOSED
    )
