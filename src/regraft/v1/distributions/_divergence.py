"""The Kullback-Leibler divergence of pairs of distributions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from regraft.v1._array import identity
from regraft.v1._assertion import Assert
from regraft.v1._graph import name_scope
from regraft.v1._opening import on
from regraft.v1._reduction import reduce_any


class RegisterKL:
    """A decorator that makes a function `f(a, b, name=None)` the divergence of two classes of distributions."""

    def __init__(self, dist_cls_a: Any, dist_cls_b: Any) -> None:
        self._first, self._second = dist_cls_a, dist_cls_b

    def __call__(self, kl_fn: Callable[..., Any]) -> Callable[..., Any]:
        """TypeError for what is no function; ValueError where there is one for these classes."""
        if not callable(kl_fn):
            raise TypeError(f"kl_fn must be callable, received: {kl_fn}")
        known = self._first.__dict__.get("_divergences")
        if known is None:
            known = self._first._divergences = {}
        if self._second in known:
            raise ValueError(
                f"KL({self._first.__name__} || {self._second.__name__}) has already been registered to: "
                f"{known[self._second]}"
            )
        known[self._second] = kl_fn
        return kl_fn


def _registered(first: type, second: type) -> Callable[..., Any] | None:
    """The function for the nearest pair of base classes."""
    found: list[tuple[int, Any]] = []
    for i, a in enumerate(first.__mro__):
        for j, b in enumerate(second.__mro__):
            function = a.__dict__.get("_divergences", {}).get(b)
            if function is not None:
                found.append((i + j, function))
    return min(found, key=lambda pair: pair[0])[1] if found else None


def kl_divergence(
    distribution_a: Any, distribution_b: Any, allow_nan_stats: bool = True, name: str | None = None
) -> Any:
    """KL(a || b), for each item of the batch.

    allow_nan_stats  False to fail where the divergence is not a number
    raises           NotImplementedError for a pair that no function is registered for
    """
    function = _registered(type(distribution_a), type(distribution_b))
    if function is None:
        raise NotImplementedError(
            "No KL(distribution_a || distribution_b) registered for distribution_a type "
            f"{type(distribution_a).__name__} and distribution_b type {type(distribution_b).__name__}"
        )
    with name_scope("KullbackLeibler"):
        value = function(distribution_a, distribution_b, name=name)
        if allow_nan_stats:
            return value
        value = identity(value, name="kl")
        b = on(value)
        message = (
            f"KL calculation between {distribution_a.name} and {distribution_b.name} returned NaN values "
            "(and was called with allow_nan_stats=False). Values:"
        )
        check = Assert(b.LogicalNot(reduce_any(b.IsNan(value))), [message, value])
        with b.graph.control_dependencies([check]):
            return identity(value, name="checked_kl")


def cross_entropy(ref: Any, other: Any, allow_nan_stats: bool = True, name: str | None = None) -> Any:
    """The entropy of `ref` and its divergence from `other`."""
    with name_scope(name, "cross_entropy"):
        return ref.entropy() + kl_divergence(ref, other, allow_nan_stats=allow_nan_stats)
