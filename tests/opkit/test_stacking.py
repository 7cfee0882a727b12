"""Elements in one array, against NumPy, and the memory they lie in."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from regraft.opkit.stacking import stack

RNG = np.random.default_rng(3)


@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 4), (50, 70, 3)])
@pytest.mark.parametrize("dtype", [np.float32, np.uint8, np.complex128, np.bool_])
def test_as_numpys(shape: tuple[int, ...], dtype: type) -> None:
    parts = [(RNG.standard_normal(shape) * 9).astype(dtype) for _ in range(5)]
    found = stack(parts)
    np.testing.assert_array_equal(found, np.stack(parts), strict=True)
    assert found.flags.c_contiguous
    assert found.flags.writeable


@pytest.mark.parametrize("shape", [(), (2,), (40, 60)])
def test_strings(shape: tuple[int, ...]) -> None:
    parts = [np.full(shape, b"x" * i, object) for i in range(3)]
    np.testing.assert_array_equal(stack(parts), np.stack(parts), strict=True)


def test_shapes_that_differ() -> None:
    with pytest.raises(ValueError, match=r"different shapes: \[\(1,\), \(3,\)\]"):
        stack([np.zeros(3), np.zeros(1)])


@pytest.mark.parametrize("size", [6 << 10, 100_000])
def test_jax_takes_it_as_it_is(size: int) -> None:
    if jax.default_backend() != "cpu":
        pytest.skip("another device has memory of its own")
    for _ in range(8):
        found = stack([np.ones(size, np.float32)] * 3)
        assert jax.device_put(found).unsafe_buffer_pointer() == found.ctypes.data
