"""How many threads a process uses: the first who says so decides."""

from __future__ import annotations

import logging

import pytest

from regraft.base.errors import InvalidArgumentError
from regraft.opkit import threads


@pytest.fixture(autouse=True)
def unsettled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_asked", None)
    monkeypatch.setattr(threads, "_settled", threads.Threads(0, 0))
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "PJRT_NPROC", "NPROC"):
        monkeypatch.delenv(name, raising=False)


def test_nothing_said_means_all_cores() -> None:
    threads.settle(0, 0)
    assert threads.at_a_time() == threads.of_programs() == threads.cores()


@pytest.mark.parametrize(("inter", "calls"), [(1, 1), (7, 7), (-1, 1)])
def test_operations_at_a_time(inter: int, calls: int) -> None:
    threads.settle(0, inter)
    assert threads.at_a_time() == calls


def test_the_first_decides(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "regraft")
    threads.settle(0, 3)
    threads.settle(0, 3)
    assert not caplog.records
    threads.settle(5, 4)
    assert (threads.at_a_time(), threads.of_programs()) == (3, threads.cores())
    assert len(caplog.records) == 1


def test_what_is_not_said_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_NUM_INTEROP_THREADS", "6")
    threads.settle(0, 0)
    assert threads.at_a_time() == 6


def test_what_is_said_comes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_NUM_INTEROP_THREADS", "6")
    threads.settle(0, 2)
    assert threads.at_a_time() == 2


def test_programs_have_the_threads_that_the_environment_gives_xla(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NPROC", "5")
    assert threads.of_programs() == 5


def test_less_than_no_thread_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="intra_op_parallelism_threads must not be negative, got -1"):
        threads.settle(-1, 0)
