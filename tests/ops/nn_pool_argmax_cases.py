"""Rows of the maxima with their places. Inputs hold few different values, so that windows have ties."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.ops.case import Case

_RNG = np.random.default_rng(16)


def ties(*shape: int) -> Any:
    return _RNG.integers(-3, 4, shape).astype(np.float32)


def _attrs(k: list[int], s: list[int], padding: str, **more: Any) -> dict[str, Any]:
    return {"ksize": k, "strides": s, "padding": padding, **more}


_X = ties(2, 5, 6, 3)
_NAN = np.float32([[1, 1, np.nan, 2], [1, 1, 5, 5], [0, -1, np.nan, np.nan], [np.nan, 3, np.nan, 1]])
_LOW = np.full((1, 3, 3, 1), -np.inf, np.float32)

CASES = [
    Case("MaxPoolWithArgmax", [_X], _attrs([1, 2, 2, 1], [1, 2, 2, 1], "VALID"), grad=True),
    Case("MaxPoolWithArgmax", [_X], _attrs([1, 3, 3, 1], [1, 2, 2, 1], "SAME"), grad=True),
    Case("MaxPoolWithArgmax", [_X], _attrs([1, 3, 2, 1], [1, 1, 2, 1], "SAME", include_batch_in_index=True), grad=True),
    Case("MaxPoolWithArgmax", [_X], _attrs([1, 3, 3, 1], [1, 2, 2, 1], "SAME", Targmax=np.int32)),
    Case("MaxPoolWithArgmax", [_NAN.reshape(1, 4, 4, 1)], _attrs([1, 2, 2, 1], [1, 2, 2, 1], "SAME")),
    Case("MaxPoolWithArgmax", [_LOW], _attrs([1, 3, 3, 1], [1, 2, 2, 1], "SAME")),
    *(
        Case(
            "MaxPoolGradWithArgmax",
            [ties(2, 4, 4, 2), ties(2, 2, 2, 2), _RNG.integers(0, 32, (2, 2, 2, 2)) + batch],
            _attrs([1, 2, 2, 1], [1, 2, 2, 1], "VALID", include_batch_in_index=include),
        )
        for include, batch in ((False, 0), (True, np.int64([0, 32]).reshape(2, 1, 1, 1)))
    ),
]
