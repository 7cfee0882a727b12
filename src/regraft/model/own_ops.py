"""Signatures and kernels that a program adds for ops that Regraft does not have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from regraft import proto
from regraft.ir import op_def as op_defs
from regraft.opkit import registry
from regraft.opkit.registry import Kernel, OpSpec, Runs
from regraft.opkit.shapes import unknown
from regraft.serde.op_def import op_def_from_proto


def register_op_def(definition: Any) -> None:
    """Make the signature of an op known: what it takes and gives, its attributes and their defaults.

        regraft.register_op_def('''
            name: "Icp"
            input_arg { name: "source" type: DT_FLOAT }
            output_arg { name: "moved" type: DT_FLOAT }
            attr { name: "iterations" type: "int" default_value { i: 10 } }
        ''')

    Nodes of the op are then checked when they are imported, and get the defaults of attributes that they leave out.
    For a kernel, see `register_op`.

    definition  an OpDef or OpList, ours or TensorFlow's, or an OpDef as text
    raises      ValueError for text that is no OpDef; AlreadyExistsError where the op has another signature already
    """
    if isinstance(definition, str):
        try:
            definition = proto.parse_text(definition, proto.OpDef)
        except proto.ParseError as e:
            raise ValueError(f"the text is no OpDef: {e}") from e
    every = [definition] if hasattr(definition, "input_arg") else proto.as_ours(definition, proto.OpList).op
    for one in every:
        op_defs.register(op_def_from_proto(proto.as_ours(one, proto.OpDef)))


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
