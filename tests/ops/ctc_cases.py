"""Rows of the CTC loss and its decoders."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.ops.case import Case

_RNG = np.random.default_rng(17)


def normal(*shape: int, dtype: Any = np.float32) -> Any:
    return _RNG.standard_normal(shape).astype(dtype)


def _loss(
    labels: list[list[int]],
    lengths: list[int],
    grad: bool = False,
    dtype: Any = np.float32,
    rtol: float | None = None,
    why: str = "",
    **attrs: Any,
) -> Case:
    indices = np.int64([(i, j) for i, row in enumerate(labels) for j in range(len(row))])
    values = np.int32([k for row in labels for k in row])
    inputs = [normal(max(lengths), len(labels), 4, dtype=dtype), indices, values, np.int32(lengths)]
    return Case("CTCLoss", inputs, attrs, grad=grad, grad_wrt=(0,) if grad else (), rtol=rtol, why=why)


_LOGITS = 2 * normal(8, 3, 5)
_LENGTHS = np.int32([8, 5, 0])

CASES = [
    _loss([[0, 1], [2]], [4, 3], grad=True),
    _loss([[0, 0, 1], [2, 2, 2]], [6, 9]),
    _loss([[0, 0, 1, 1], [2]], [4, 3]),
    _loss([[0, 0, 1, 1], [2]], [4, 3], preprocess_collapse_repeated=True),
    _loss([[0, 0, 1, 1], [2, 1]], [6, 3], ctc_merge_repeated=False),
    _loss([[0, 0, 1, 1, 1], [2]], [4, 3], ignore_longer_outputs_than_inputs=True),
    _loss([[0, 3, 5], [2, 4]], [4, 3]),
    _loss([[0, 1], [2]], [4, 3], dtype=np.float64, rtol=1e-6, why="TensorFlow works in float32 within"),
    *(
        Case("CTCGreedyDecoder", [_LOGITS, _LENGTHS], attrs)
        for attrs in ({}, {"merge_repeated": True}, {"merge_repeated": True, "blank_index": 0}, {"blank_index": -2})
    ),
    *(
        Case(
            "CTCBeamSearchDecoder",
            [_LOGITS[:, :2], _LENGTHS[:2]],
            {"beam_width": width, "top_paths": paths, "merge_repeated": merge},
        )
        for width, paths in ((1, 1), (3, 2), (100, 4))
        for merge in (False, True)
    ),
    Case(
        "CTCBeamSearchDecoder",
        [normal(30, 2, 10), np.int32([30, 25])],
        {"beam_width": 10, "top_paths": 3, "merge_repeated": False},
    ),
]
