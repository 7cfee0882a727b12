"""What XLA is told when it compiles a program."""

from __future__ import annotations

from typing import Any

from regraft.opkit.arrays import jax
from regraft.opkit.platforms import on_cpu

# XLA's CPU compiler hands products, convolutions and what surrounds them to YNNPACK. For a product alone that is the
# fastest it has; a product that YNNPACK fused with elementwise neighbours took up to four times as long (BERT's
# vocabulary: 91 ms, alone 28), and its convolutions keep one core busy where Eigen's use all of them.
#
# Where a variable is read beside what computes its new value, XLA copies it (all of ResNet-50's filters, once a step),
# unless it may look closer and put one after the other.
_CPU = {
    "xla_cpu_experimental_ynn_fusion_type": "LIBRARY_FUSION_TYPE_INDIVIDUAL_DOT",
    "xla_cpu_copy_insertion_use_region_analysis": True,
}


def compile_program(lowered: Any) -> Any:
    """Compile what was lowered, for the platform it was lowered for; without the options that this XLA has not."""
    options = dict(_CPU) if on_cpu() else {}
    while True:
        try:
            return lowered.compile(compiler_options=options)
        except jax.errors.JaxRuntimeError as e:
            unknown = [name for name in options if name in str(e)]
            if not unknown:
                raise
            for name in unknown:
                del options[name]


def working_memory(program: Any) -> int:
    """The bytes that a compiled program takes for what it computes on the way to its results; 0 if it does not say."""
    found = program.memory_analysis()
    return 0 if found is None else int(found.temp_size_in_bytes)
