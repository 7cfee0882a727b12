"""What XLA is told when it compiles, and what an XLA does not know."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from regraft.runtime import compiler

if jax.default_backend() != "cpu":
    pytest.skip("the options are for CPUs", allow_module_level=True)


def test_options_that_this_xla_has_not_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    known = dict(compiler._CPU)
    asked = {"xla_cpu_no_such_option": True, **known, "xla_cpu_nor_this_one": 3}
    monkeypatch.setattr(compiler, "_CPU", asked)
    lowered = jax.jit(lambda x: x + 1).lower(np.float32(2))
    assert compiler.compile_program(lowered)(np.float32(2)) == 3
    assert set(asked) > set(known)  # what is asked of the next program is as it was


def test_other_failures_to_compile_are_told() -> None:
    class Failing:
        def compile(self, compiler_options: dict[str, object]) -> str:
            raise jax.errors.JaxRuntimeError("INTERNAL: out of registers")

    with pytest.raises(jax.errors.JaxRuntimeError, match="out of registers"):
        compiler.compile_program(Failing())


def test_a_variable_is_not_copied_for_those_who_read_it() -> None:
    """The gradient towards the input reads a weight whose new value is there first, or may be."""

    def step(weight: jax.Array, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        y = jnp.tanh(x @ weight)
        back = y @ weight.T
        return weight - 0.1 * (x.T @ y), back

    weight, x = np.zeros((64, 48), np.float32), np.zeros((32, 64), np.float32)
    text = compiler.compile_program(jax.jit(step, donate_argnums=0).lower(weight, x)).as_text()
    assert "input_output_alias={ {0}" in text
    assert " copy(" not in text
