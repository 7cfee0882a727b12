"""Rows of the recurrent cells. The gradient graphs of LSTMBlockCell and GRUBlockCell, which TensorFlow 2 has not,
are checked by value in `test_rnn_block.py`."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.ops.case import Case

_RNG = np.random.default_rng(10)
TIME, BATCH, INPUT, CELL = 4, 2, 3, 5


def normal(*shape: int) -> Any:
    return _RNG.standard_normal(shape).astype(np.float32)


def unit(*shape: int) -> Any:
    return _RNG.random(shape).astype(np.float32)


def _state() -> list[Any]:
    peepholes = [normal(CELL) for _ in range(3)]
    return [normal(BATCH, CELL), normal(BATCH, CELL), normal(INPUT + CELL, 4 * CELL), *peepholes, normal(4 * CELL)]


def _saved(*lead: int) -> list[Any]:
    return [unit(*lead, BATCH, CELL) for _ in range(6)]


def _sequence(name: str, steps: int, attrs: dict[str, Any]) -> Case:
    inputs = [np.int64(steps), normal(TIME, BATCH, INPUT), *_state()]
    # Behind the last step, TensorFlow fills in cs and h alone.
    outputs = () if steps == TIME else (1, 6)
    return Case(name, inputs, attrs, grad=True, grad_wrt=tuple(range(1, 9)), outputs=outputs)


_GATES = [{}, {"use_peephole": True}, {"forget_bias": 0.5, "cell_clip": 0.7}, {"cell_clip": -1.0, "use_peephole": True}]
_WEIGHTS = [normal(INPUT + CELL, 2 * CELL), normal(INPUT + CELL, CELL), normal(2 * CELL), normal(CELL)]

CASES = [
    *(Case("LSTMBlockCell", [normal(BATCH, INPUT), *_state()], attrs) for attrs in _GATES),
    *(
        Case(
            "LSTMBlockCellGrad",
            [normal(BATCH, INPUT), *_state(), *_saved(), normal(BATCH, CELL), normal(BATCH, CELL)],
            {"use_peephole": peephole},
        )
        for peephole in (False, True)
    ),
    *(_sequence("BlockLSTM", steps, attrs) for steps, attrs in zip((TIME, TIME, 2, 0), _GATES, strict=True)),
    *(_sequence("BlockLSTMV2", steps, attrs) for steps, attrs in ((TIME, {}), (3, _GATES[3]))),
    *(
        Case(
            op,
            [
                np.int64(steps),
                normal(TIME, BATCH, INPUT),
                *_state(),
                *_saved(TIME),
                normal(TIME, BATCH, CELL),
                normal(TIME, BATCH, CELL),
                normal(TIME, BATCH, CELL),
            ],
            {"use_peephole": peephole},
        )
        for op in ("BlockLSTMGrad", "BlockLSTMGradV2")
        for steps, peephole in ((TIME, False), (TIME, True), (2, True))
    ),
    Case("GRUBlockCell", [normal(BATCH, INPUT), normal(BATCH, CELL), *_WEIGHTS]),
    Case(
        "GRUBlockCellGrad",
        [
            normal(BATCH, INPUT),
            normal(BATCH, CELL),
            *_WEIGHTS,
            *(unit(BATCH, CELL) for _ in range(3)),
            normal(BATCH, CELL),
        ],
    ),
]
