"""Kernels that a program adds for ops that Regraft does not have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from regraft.opkit import registry
from regraft.opkit.registry import Kernel, OpSpec, Runs
from regraft.opkit.shapes import unknown


def register_op(
    name: str,
    *,
    engine: Literal["numpy", "jax"] = "numpy",
    shape: Callable[[Any], Any] = unknown,
    gradient: Callable[..., Any] | None = None,
    replace: bool = False,
) -> Callable[[Callable[..., Any]], Kernel]:
    """Register the decorated function as the kernel of the op `name`.

        @regraft.register_op("Icp")
        def icp(source, target, *, iterations):
            return align(source, target, iterations)

    The function takes the op's inputs in order, and by keyword those attributes that it names; it returns an array, or
    a tuple with one for each output. Sessions that planned a run before see it in their next one.

    engine    "numpy": called with NumPy arrays, between compiled programs; "jax": traced into them
    shape     the static shape rule, a function of `opkit.shapes.ShapeContext`; unknown shapes without one
    gradient  (builder, operation, *output gradients) -> input gradients, for `tf.gradients`
    replace   whether a kernel that is there already may be replaced

    raises    AlreadyExistsError when the op has a kernel and `replace` is not set
    """
    import regraft.ops  # noqa: F401  so that "already there" is known

    if engine not in ("numpy", "jax"):
        raise ValueError(f"engine must be 'numpy' or 'jax', got {engine!r}")

    def register(function: Callable[..., Any]) -> Kernel:
        spec = OpSpec(
            name,
            function,
            shape,
            Runs.HOST if engine == "numpy" else Runs.XLA,
            lax=engine == "jax",
            pure=False,
            grad=gradient,
            module=function.__module__,
        )
        registry.add(spec, replace=replace)
        return Kernel((spec,), function)

    return register
