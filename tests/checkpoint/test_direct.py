"""Files that are larger than the buffers they are written with."""

import errno
import fcntl
import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from regraft.base.errors import ResourceExhaustedError
from regraft.checkpoint import direct, files

BUFFER = 4 << 20


def content(size: int) -> bytes:
    return np.random.default_rng(size).bytes(size)


def write(path: Path, data: bytes, piece: int) -> None:
    with files.Publication(path) as file:
        for start in range(0, len(data), piece):
            file.write(memoryview(data)[start : start + piece])


@pytest.mark.parametrize(
    ("size", "piece"),
    [
        (0, 1),
        (1, 1),
        (BUFFER - 1, 1_000_003),
        (BUFFER, BUFFER),
        (BUFFER + 1, BUFFER + 1),
        (2 * BUFFER + 4096, 1 << 20),
        (3 * BUFFER + 4097, 1_000_003),
    ],
)
def test_what_is_written_is_there(tmp_path: Path, size: int, piece: int) -> None:
    data = content(size)
    write(tmp_path / "f", data, piece)
    assert (tmp_path / "f").read_bytes() == data
    assert os.listdir(tmp_path) == ["f"]


@pytest.mark.skipif(not hasattr(os, "O_DIRECT"), reason="the system has no direct writes")
@pytest.mark.parametrize("at_once", [True, False])
def test_a_filesystem_without_direct_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: bool) -> None:
    """Some refuse the flag, some the write."""
    real_write, real_fcntl = os.write, fcntl.fcntl
    refused = 0

    def refusing_write(fd: int, data: Any) -> int:
        nonlocal refused
        if real_fcntl(fd, fcntl.F_GETFL) & os.O_DIRECT:
            refused += 1
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        return real_write(fd, data)

    def refusing_fcntl(fd: int, command: int, argument: int = 0) -> Any:
        nonlocal refused
        if command == fcntl.F_SETFL and argument & os.O_DIRECT:
            refused += 1
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        return real_fcntl(fd, command, argument)

    monkeypatch.setattr(fcntl, "fcntl", refusing_fcntl if at_once else real_fcntl)
    monkeypatch.setattr(direct.os, "write", refusing_write)
    data = content(2 * BUFFER + 5)
    write(tmp_path / "f", data, 1 << 20)
    assert (tmp_path / "f").read_bytes() == data
    assert refused == 1


def test_writes_that_stop_short_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real_write = os.write
    monkeypatch.setattr(direct.os, "write", lambda fd, data: real_write(fd, data[: 3 << 19]))
    data = content(2 * BUFFER + 5)
    write(tmp_path / "f", data, 1 << 20)
    assert (tmp_path / "f").read_bytes() == data


@pytest.mark.parametrize("room", range(4))
def test_a_disk_that_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    """There is room for some of the buffers, and for the rest behind the last one or not."""
    real_write = os.write
    left = room

    def write_until_full(fd: int, data: Any) -> int:
        nonlocal left
        if not left:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        left -= 1
        return real_write(fd, data)

    (tmp_path / "f").write_bytes(b"earlier")
    monkeypatch.setattr(direct.os, "write", write_until_full)
    with pytest.raises(ResourceExhaustedError, match=f"{tmp_path}/f; No space left on device"):
        write(tmp_path / "f", content(3 * BUFFER + 5), 1 << 20)
    assert os.listdir(tmp_path) == ["f"]
    assert (tmp_path / "f").read_bytes() == b"earlier"
    assert not [thread for thread in threading.enumerate() if thread.name == "regraft-writer"]


def test_giving_up_leaves_nothing(tmp_path: Path) -> None:
    file = files.Publication(tmp_path / "f")
    file.write(content(2 * BUFFER + 5))
    file.abort()
    assert os.listdir(tmp_path) == []
    assert not [thread for thread in threading.enumerate() if thread.name == "regraft-writer"]
