"""Rows for `regraft.ops.io`. The files that the rows read are written when this module is imported."""

import atexit
import shutil
import tempfile
from pathlib import Path

import numpy as np

from regraft.checkpoint.bundle_writer import write_checkpoint
from regraft.checkpoint.items import Item
from regraft.checkpoint.slices import ShapeAndSlice
from regraft.checkpoint.v1_writer import write_v1_checkpoint
from tests.ops.case import Case

FOLDER = Path(tempfile.mkdtemp(prefix="regraft-io-"))
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)

A = np.array([[1.5, 2.5], [3.5, 4.5]], np.float32)
B = np.array([b"x", b"", b"long" * 50], object)
WHOLE = np.arange(8, dtype=np.int64).reshape(4, 2)


def text(*items: str) -> np.ndarray:
    return np.array([i.encode() for i in items], object)


def path(name: str) -> np.ndarray:
    return np.array(str(FOLDER / name).encode(), object)


ITEMS = [
    Item("a", A),
    Item("b", B),
    *(Item("w", WHOLE[at : at + 2], part=ShapeAndSlice.parse(f"4 2 {at},2:-")) for at in (0, 2)),
]
write_checkpoint(str(FOLDER / "v2"), ITEMS)
write_v1_checkpoint(str(FOLDER / "v1"), [ITEMS[0], *ITEMS[2:]])
for shard in range(2):
    write_checkpoint(str(FOLDER / f"part{shard}"), [Item(f"s{shard}", A)])

NONE = text("", "")
CASES = [
    Case("ShardedFilename", [path("m"), np.array(3, np.int32), np.array(12, np.int32)]),
    Case("ShardedFilespec", [path("m"), np.array(12, np.int32)]),
    Case("SaveV2", [path("new/m"), text("a", "b"), NONE, [A, B]]),
    Case("SaveV2", [path("parts"), text("w", "w"), text("4 2 0,2:-", "4 2 2,2:-"), [WHOLE[:2], WHOLE[2:]]]),
    Case("Save", [path("old"), text("a", "w"), [A, WHOLE]]),
    Case("SaveSlices", [path("old slices"), text("w", "w"), text("4 2 0,2:-", "4 2 2,2:-"), [WHOLE[:2], WHOLE[2:]]]),
    Case("RestoreV2", [path("v2"), text("b", "a"), NONE], {"dtypes": ["string", "float32"]}),
    Case("RestoreV2", [path("v2"), text("w", "w"), text("", "4 2 1,2:0,1")], {"dtypes": ["int64", "int64"]}),
    Case("RestoreV2", [path("v1"), text("a", "w"), text("", "4 2 1,2:0,1")], {"dtypes": ["float32", "int64"]}),
    Case("RestoreV2", [path("v2"), text("a"), text("")], {"dtypes": ["int32"]}, fails="does not equal original dtype"),
    Case("RestoreV2", [path("v2"), text("w"), text("5 2 0,2:-")], {"dtypes": ["int64"]}, fails="does not match the"),
    Case("Restore", [path("v1"), np.array(b"a", object)], {"dt": "float32"}),
    Case("RestoreSlice", [path("v1"), np.array(b"w", object), np.array(b"4 2 1,2:-", object)], {"dt": "int64"}),
    Case(
        "MergeV2Checkpoints",
        [text(str(FOLDER / "part0"), str(FOLDER / "part1")), path("merged")],
        {"delete_old_dirs": False},
        expected=[],
        why="it moves the files that it is given, so only one of two can run; tests of the Saver compare the rest",
    ),
]
