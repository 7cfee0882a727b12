"""A row of the op tables: one op, concrete inputs and attributes. `test_rows.py` says what is checked of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Case:
    """One application of an op.

    op        TensorFlow's name of the op
    inputs    one NumPy array for each input of the OpDef, a list of arrays where the input is one. For inputs that are
              variables (`reads`, `writes`): their value before, or None for an uninitialized one
    attrs     attributes; type attributes that follow from the inputs may be left out
    grad      compare the gradient graph for all outputs with the one TensorFlow builds (names, ops, inputs, attributes)
    grad_wrt  flat input positions to differentiate by; all floating inputs when empty
    compiled  run it under jax.jit too (leave on unless the op runs on the HOST)
    shapes    "equal": the static shapes are those TensorFlow infers, for known and for unknown input shapes;
              "looser": ours know less (say why beside the row)
    modes     what is known of the inputs where static shapes and gradient graphs are compared ("known", "constants",
              "partial", "unknown rank"); all of it when empty. `why` says what TensorFlow does wrong in the others
    rtol      relative to the largest magnitude of the output; None is the dtype's default. A wider one says why
    fails     the row is refused: both raise InvalidArgumentError when it runs, ours with a message that this regular
              expression finds (and TensorFlow's too); None where it runs
    expected  the outputs, for an op that TensorFlow has no more; `why` names their source, and nothing else is compared
    runs      how often the op is run in one session (random ops, counters)
    outputs   the outputs whose values are compared; all when empty (TensorFlow leaves some uninitialized)
    why       the reason for anything unusual above
    """

    op: str
    inputs: list[Any] = field(default_factory=list)
    attrs: dict[str, Any] = field(default_factory=dict)
    grad: bool = False
    grad_wrt: tuple[int, ...] = ()
    compiled: bool = True
    shapes: str = "equal"
    modes: tuple[str, ...] = ()
    rtol: float | None = None
    fails: str | None = None
    expected: list[Any] | None = None
    runs: int = 1
    outputs: tuple[int, ...] = ()
    why: str = ""

    @property
    def label(self) -> str:
        def dims(x: Any) -> str:
            if isinstance(x, (list, tuple)):
                return "[" + ",".join(dims(i) for i in x) + "]"
            return "none" if x is None else f"{x.dtype}{'x'.join(map(str, x.shape)) or '()'}"

        attrs = ",".join(f"{k}={v}" for k, v in self.attrs.items())
        return f"{self.op}({';'.join(dims(x) for x in self.inputs)}{';' if attrs else ''}{attrs})"
