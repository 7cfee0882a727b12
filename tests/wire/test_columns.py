"""Where fields lie in bytes, found for thousands of them together."""

from __future__ import annotations

import random

import numpy as np
import pytest

from regraft.wire import columns, varint

TAG = 0x0A


def _fields(contents: list[bytes]) -> tuple[bytes, list[int], list[int]]:
    data, starts, ends = b"", [], []
    for content in contents:
        data += bytes([TAG]) + varint.encode(len(content))
        starts.append(len(data))
        data += content
        ends.append(len(data))
    return data, starts, ends


def _look_alike(depth: int) -> bytes:
    """A field within a field, with the tag of those that are sought, each the first of the one around it."""
    content = b"name"
    for _ in range(depth):
        content = bytes([TAG]) + varint.encode(len(content)) + content
    return content


@pytest.mark.parametrize(
    "contents",
    [
        [],
        [b""],
        [b"", b"", b"x"],
        [_look_alike(1)] * 50,
        [_look_alike(4)] * 50,
        [_look_alike(2) + b"\x12\x03\x0a\x0a\x0a", b"", _look_alike(3) * 60, _look_alike(1)] * 20,
        [_look_alike(1) + bytes(20_000), _look_alike(1), bytes([TAG]) * 3_000_000, _look_alike(2)],
        [b"no first field"] * 10,
    ],
    ids=["none", "empty", "short", "usual", "alike", "all kinds", "long", "other"],
)
def test_leading_fields(contents: list[bytes]) -> None:
    data, starts, ends = _fields(contents)
    behind = b"\x10\x01" + _fields([_look_alike(1)])[0]
    whole = b"\x0a\x01" + data + behind
    found = columns.leading(whole, np.frombuffer(whole, np.uint8), 2, len(whole), TAG)
    assert found[0].tolist() == [start + 2 for start in starts]
    assert found[1].tolist() == [end + 2 for end in ends]


def test_leading_fields_of_random_bytes() -> None:
    draw = random.Random(7)
    for _ in range(50):
        contents = [
            bytes(draw.choice((TAG, 1, 2, 3, 0x80, 0xFF)) for _ in range(draw.randrange(300))) for _ in range(60)
        ]
        data, starts, ends = _fields(contents)
        found = columns.leading(data, np.frombuffer(data, np.uint8), 0, len(data), TAG)
        assert (found[0].tolist(), found[1].tolist()) == (starts, ends)
