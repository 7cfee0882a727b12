"""Rows changed by index, one occurrence after another."""

from typing import Any

import numpy as np

from regraft.opkit import rows

INDICES = np.array([2, 0, 2, 2, 1, 0])


def double_and_add(old: list[Any], given: list[Any]) -> list[Any]:
    return [old[0] * 2 + given[0]]


def one_by_one(array: Any, indices: Any, values: Any) -> Any:
    out = array.copy()
    for i, value in zip(indices, values, strict=True):
        if 0 <= i < len(out):
            out[i] = out[i] * 2 + value
    return out


def test_occurrences_are_counted() -> None:
    assert rows.occurrence(INDICES).tolist() == [0, 0, 1, 2, 0, 1]


def test_a_row_that_comes_up_again_sees_its_last_value() -> None:
    array, values = np.array([1.0, 10.0, 100.0, 1000.0]), np.arange(6.0)
    (got,) = rows.update_rows(double_and_add, [array], INDICES, [values])
    assert got.tolist() == one_by_one(array, INDICES, values).tolist()
    assert array.tolist() == [1, 10, 100, 1000]


def test_traced_rows_pass_over_indices_out_of_range() -> None:
    import jax

    array, values, indices = np.array([1.0, 10.0, 100.0]), np.arange(7.0), np.array([2, -1, 2, 3, 0, 99, 2])
    with jax.enable_x64(True):
        (got,) = jax.jit(lambda a, i, v: rows.update_rows(double_and_add, [a], i, [v]))(array, indices, values)
    assert got.tolist() == one_by_one(array, indices, values).tolist()
