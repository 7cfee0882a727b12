"""Readers in sessions: records, keys and counts as TensorFlow 2.21 gives them for the same files."""

from __future__ import annotations

import gzip
import os
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import regraft.ops  # noqa: F401  importing it registers every op
from regraft.base import errors
from regraft.checkpoint.records import RecordWriter
from regraft.ir.graph import Graph
from regraft.opkit.builder import Builder
from regraft.session import Session

FILES = {
    "a.txt": b"h1\nh2\r\nl1\r\n\nl2",
    "e.txt": b"",
    "b.txt": b"x1\nx2\n",
    "f.bin": b"HHabcdefghFF",
    "g.bin": b"HHabcdeFF",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Program:
    """A graph with a reader and a queue of names of files, which is closed when they are in it."""

    def __init__(self, op: str, *names: str, **attrs: Any) -> None:
        self.b = Builder(Graph())
        self.version = "V2" if op.endswith("V2") else ""
        self.queue = self.b.op(
            f"FIFOQueue{self.version}", component_types=["string"], shapes=[[]], capacity=9, name="names"
        )
        self.reader = self.b.op(op, **attrs)
        self.session = Session(self.b.graph)
        if names:
            rows = np.array([name.encode() for name in names], object)
            self.session.run(self.b.operation(f"QueueEnqueueMany{self.version}", self.queue, [rows]))
        self.session.run(self.b.operation(f"QueueClose{self.version}", self.queue))

    def run(self, op: str, *inputs: Any) -> Any:
        node = self.b.operation(f"{op}{self.version}", self.reader, *inputs)
        return self.session.run(list(node.outputs) or node)

    def read(self) -> tuple[bytes, bytes]:
        key, value = self.run("ReaderRead", self.queue)
        return key, value

    def read_up_to(self, count: int) -> list[tuple[bytes, bytes]]:
        keys, values = self.run("ReaderReadUpTo", self.queue, np.int64(count))
        return list(zip(keys.tolist(), values.tolist(), strict=True))

    def all(self) -> list[tuple[bytes, bytes]]:
        found: list[tuple[bytes, bytes]] = []
        with pytest.raises(errors.OutOfRangeError, match="'names' is closed and has insufficient elements"):
            found.extend(iter(self.read, None))
        return found

    def counts(self) -> list[int]:
        return [int(self.run(op)[0]) for op in ("ReaderNumRecordsProduced", "ReaderNumWorkUnitsCompleted")]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("op", ["TextLineReader", "TextLineReaderV2"])
def test_lines(op: str) -> None:
    p = Program(op, "a.txt", "e.txt", "b.txt")
    assert p.all() == [
        (b"a.txt:1", b"h1"),
        (b"a.txt:2", b"h2"),
        (b"a.txt:3", b"l1"),
        (b"a.txt:4", b""),
        (b"a.txt:5", b"l2"),
        (b"b.txt:1", b"x1"),
        (b"b.txt:2", b"x2"),
    ]
    assert p.counts() == [7, 3]
    p.run("ReaderReset")
    assert p.counts() == [0, 0]


@pytest.mark.usefixtures("folder")
def test_lines_behind_a_header() -> None:
    p = Program("TextLineReaderV2", "a.txt", "e.txt", "b.txt", skip_header_lines=2)
    assert p.all() == [(b"a.txt:3", b"l1"), (b"a.txt:4", b""), (b"a.txt:5", b"l2")]


@pytest.mark.usefixtures("folder")
def test_several_at_once_come_from_one_file() -> None:
    p = Program("TextLineReaderV2", "a.txt", "e.txt", "b.txt")
    assert [len(p.read_up_to(3)) for _ in range(3)] == [3, 2, 2]
    with pytest.raises(errors.OutOfRangeError, match="insufficient elements"):
        p.read_up_to(3)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("op", ["FixedLengthRecordReader", "FixedLengthRecordReaderV2"])
@pytest.mark.parametrize(
    ("hop", "wanted"),
    [
        (0, [(b"f.bin:0", b"abc"), (b"f.bin:1", b"def"), (b"g.bin:0", b"abc")]),
        (
            2,
            [
                (b"f.bin:0", b"abc"),
                (b"f.bin:1", b"cde"),
                (b"f.bin:2", b"efg"),
                (b"g.bin:0", b"abc"),
                (b"g.bin:1", b"cde"),
            ],
        ),
    ],
)
def test_records_of_one_length(op: str, hop: int, wanted: list[tuple[bytes, bytes]]) -> None:
    p = Program(op, "f.bin", "g.bin", record_bytes=3, header_bytes=2, footer_bytes=2, hop_bytes=hop)
    assert p.all() == wanted


@pytest.mark.parametrize(
    ("size", "hop"), [(1729, 0), (1729, 1000), (1000, 1 << 17), (3 << 18, 0), (3 << 18, 1 << 18), (70, 5 << 18)]
)
def test_records_of_a_long_file(folder: Path, size: int, hop: int) -> None:
    content = np.random.default_rng(size).bytes((5 << 20) + 77)
    (folder / "long").write_bytes(content)
    p = Program("FixedLengthRecordReaderV2", "long", record_bytes=size, header_bytes=13, footer_bytes=5, hop_bytes=hop)
    starts = range(13, len(content) - 5 - size + 1, hop or size)
    assert p.all() == [(b"long:%d" % i, content[at : at + size]) for i, at in enumerate(starts)]


def test_records_of_one_length_compressed(folder: Path) -> None:
    (folder / "z").write_bytes(zlib.compress(FILES["f.bin"]))
    sizes = {"record_bytes": 3, "header_bytes": 2, "footer_bytes": 2}
    assert Program("FixedLengthRecordReaderV2", "z", encoding="ZLIB", **sizes).all() == [
        (b"z:0", b"abc"),
        (b"z:1", b"def"),
    ]


@pytest.mark.parametrize("compression", ["", "GZIP", "ZLIB"])
def test_records(folder: Path, compression: str) -> None:
    with RecordWriter(folder / "r", compression) as writer:
        for record in (b"one", b"", b"three"):
            writer.write(record)
    p = Program("TFRecordReaderV2", "r", compression_type=compression)
    assert p.all() == [(b"r:0", b"one"), (b"r:19", b""), (b"r:35", b"three")]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("op", ["WholeFileReader", "WholeFileReaderV2"])
def test_whole_files(op: str) -> None:
    p = Program(op, "a.txt", "e.txt")
    assert p.all() == [(b"a.txt", FILES["a.txt"]), (b"e.txt", b"")]
    assert p.counts() == [2, 2]


@pytest.mark.parametrize("op", ["IdentityReader", "IdentityReaderV2"])
def test_the_state_of_a_reader(op: str) -> None:
    """The bytes are those of TensorFlow's message."""
    p = Program(op, "a", "b", "c")
    assert p.read() == (b"a", b"a")
    (state,) = p.run("ReaderSerializeState")
    assert state == b'\x08\x01\x10\x01\x18\x01"\x01a'
    assert p.read() == (b"b", b"b")
    p.run("ReaderRestoreState", np.array(state, object))
    assert p.counts() == [1, 1]
    p.run("ReaderRestoreState", np.array(b'\x08\x02\x10\x01\x18\x01"\x01z', object))
    assert p.read() == (b"z", b"z")
    with pytest.raises(errors.InvalidArgumentError, match=r"Could not parse state for IdentityReader 'Identity.*': zz"):
        p.run("ReaderRestoreState", np.array(b"zz", object))
    with pytest.raises(errors.UnimplementedError, match="Reader SerializeState"):
        Program("TextLineReaderV2").run("ReaderSerializeState")


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("op", "attrs"), [("TextLine", {}), ("TFRecord", {}), ("FixedLengthRecord", {"record_bytes": 1})]
)
def test_a_file_that_is_not_there_is_passed_over(op: str, attrs: dict[str, int]) -> None:
    p = Program(f"{op}ReaderV2", "nowhere", **attrs)
    with pytest.raises(errors.NotFoundError, match="(?s)nowhere; No such file or directory.*assets_dir=.*feed"):
        p.read()
    assert p.all() == []


def test_a_whole_file_that_is_not_there_is_tried_again(folder: Path) -> None:
    p = Program("WholeFileReaderV2", "later")
    with pytest.raises(errors.NotFoundError, match="(?s)later; No such file or directory.*assets_dir=.*feed"):
        p.read()
    (folder / "later").write_bytes(b"now")
    assert p.read() == (b"later", b"now")


def test_files_may_be_in_a_folder_of_assets(folder: Path) -> None:
    """The graph names them as on another machine; keys are what it names."""
    (folder / "b.txt").rename(folder / "moved")
    p = Program("TextLineReaderV2")
    p.session = Session(p.b.graph, assets_dir=str(folder))
    p.session.run(p.b.operation("QueueEnqueueV2", p.queue, [np.array(b"/far/away/moved", object)]))
    assert p.read() == (b"/far/away/moved:1", b"x1")
    assert p.session.run(p.b.ReadFile(np.array(b"C:\\there\\f.bin", object))) == FILES["f.bin"]


def test_two_reads_in_one_run_take_turns() -> None:
    p = Program("IdentityReaderV2", "a", "b")
    first, second = (p.b.operation("ReaderReadV2", p.reader, p.queue).outputs[1] for _ in range(2))
    assert sorted(p.session.run([first, second])) == [b"a", b"b"]


def test_files_are_read_written_and_found(folder: Path) -> None:
    b = Builder(Graph())
    session = Session(b.graph)
    session.run(b.operation("WriteFile", np.array(b"new/folder/x.gz", object), np.array(gzip.compress(b"x"), object)))
    assert gzip.decompress((folder / "new/folder/x.gz").read_bytes()) == b"x"
    assert session.run(b.ReadFile(np.array(b"b.txt", object))) == FILES["b.txt"]
    assert session.run(b.MatchingFiles(np.array(b"*.txt", object))).tolist() == [b"./a.txt", b"./b.txt", b"./e.txt"]
    some = [os.fsencode(folder / "b*"), b"e*", b"zz*"]
    wanted = sorted([b"./e.txt", os.fsencode(folder / "b.txt")])
    assert session.run(b.MatchingFiles(np.array(some, object))).tolist() == wanted
    with pytest.raises(errors.NotFoundError, match="(?s)nowhere; No such file.*assets_dir=.*feed"):
        session.run(b.ReadFile(np.array(b"nowhere", object)))
