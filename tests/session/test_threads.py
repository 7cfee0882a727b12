"""Several threads in one session: each sees what the others wrote, and nobody reads what another's step took away."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

import regraft.ops  # noqa: F401  importing it registers every op
from regraft.ir.graph import Graph
from regraft.opkit.builder import Builder
from regraft.session import Session

THREADS, RUNS = 4, 40


@pytest.mark.parametrize("tier", ["interpret", "compile"])
def test_steps_of_several_threads_all_count(tier: str) -> None:
    """Compiled steps take the buffers of the variables that they replace; a thread may fetch them just then."""
    b = Builder(Graph())
    v = b.VarHandleOp(dtype="float32", shape=[64], shared_name="v")
    initialize = b.operation("AssignVariableOp", v, np.zeros(64, np.float32))
    add = b.operation("AssignAddVariableOp", v, np.ones(64, np.float32))
    with b.graph.control_dependencies([add]):
        after = b.ReadVariableOp(v, dtype="float32")
        # A host op cuts the run in two: the second step reads again what the first has written.
        shown = b.AsString(b.ReadVariableOp(v, dtype="float32"))
    session = Session(b.graph, tier)
    session.run(initialize)
    errors: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(RUNS):
                value, text = session.run([after, shown])
                assert np.all(value == value[0]) and float(text[0]) >= 1
        except BaseException as e:  # noqa: BLE001  the test looks at it
            errors.append(e)

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    assert session.variables.value("v")[0] == THREADS * RUNS


@pytest.mark.parametrize("tier", ["interpret", "compile"])
def test_a_node_draws_no_number_twice(tier: str) -> None:
    b = Builder(Graph())
    drawn = b.RandomUniformInt(np.array([8], np.int32), np.int64(0), np.int64(2**40), seed=3, seed2=4)
    session = Session(b.graph, tier)
    found: list[Any] = []

    def work() -> None:
        found.extend(session.run(drawn)[0] for _ in range(RUNS))

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(set(map(int, found))) == THREADS * RUNS
