"""Tables in sessions: what programs do with them, against TensorFlow, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import regraft.ops  # noqa: F401  importing it registers every op
from regraft.base import errors
from regraft.ir.graph import Graph
from regraft.opkit.builder import Builder
from regraft.session import Session

WORDS = np.array([b"a", b"b"], object)
NUMBERS = np.array([1, 2], np.int64)


class Program:
    """A graph with one table of strings to int64."""

    def __init__(self, op: str = "HashTableV2", **attrs: Any) -> None:
        self.b = Builder(Graph())
        self.table = self.b.op(op, **{"key_dtype": "string", "value_dtype": "int64", **attrs})
        self.version = "V2" if op.endswith("V2") else ""
        self.session = Session(self.b.graph)

    def run(self, op: str, *inputs: Any, **attrs: Any) -> Any:
        node = self.b.operation(f"{op}{self.version}", self.table, *inputs, **attrs)
        return self.session.run(list(node.outputs) or node)

    def find(self, *keys: bytes) -> list[int]:
        return self.run("LookupTableFind", np.array(keys, object), np.int64(-1))[0].tolist()

    def entries(self, value: str = "int64") -> dict[Any, Any]:
        keys, values = self.run("LookupTableExport", Tkeys="string", Tvalues=value)
        return dict(zip(keys.tolist(), values.tolist(), strict=True))


@pytest.mark.parametrize("op", ["HashTable", "HashTableV2"])
def test_fixed_table(op: str) -> None:
    p = Program(op)
    with pytest.raises(errors.FailedPreconditionError, match="Table not initialized"):
        p.find(b"a")
    p.run("InitializeTable", WORDS, NUMBERS)
    p.run("InitializeTable", WORDS, NUMBERS + 5)  # TensorFlow passes over a second initialization
    assert p.find(b"b", b"z", b"a") == [2, -1, 1]
    assert p.run("LookupTableSize")[0] == 2
    assert p.entries() == {b"a": 1, b"b": 2}
    with pytest.raises(errors.UnimplementedError, match="Insert not supported"):
        p.run("LookupTableInsert", WORDS, NUMBERS)


def test_import_initializes_a_fixed_table() -> None:
    p = Program()
    p.run("LookupTableImport", WORDS, NUMBERS)
    assert p.find(b"b") == [2]


def test_two_values_for_a_key() -> None:
    p = Program()
    with pytest.raises(errors.FailedPreconditionError, match="Key a has 1 and trying to add value 3"):
        p.run("InitializeTable", np.array([b"a", b"b", b"a"], object), np.array([1, 2, 3]))
    p.run("InitializeTable", np.array([b"a", b"b", b"a"], object), np.array([1, 2, 1]))
    assert p.entries() == {b"a": 1, b"b": 2}


@pytest.mark.parametrize("op", ["MutableHashTable", "MutableHashTableV2"])
def test_table_that_changes(op: str) -> None:
    p = Program(op)
    assert p.find(b"a") == [-1]
    p.run("LookupTableInsert", WORDS, NUMBERS)
    p.run("LookupTableInsert", np.array([b"q", b"b"], object), np.array([5, 7]))
    assert p.entries() == {b"a": 1, b"b": 7, b"q": 5}
    each = p.run("LookupTableFind", np.array([b"q", b"y"], object), np.array([8, 9]))[0]
    assert each.tolist() == [5, 9]
    p.run("LookupTableImport", WORDS[:1], NUMBERS[:1])
    assert p.entries() == {b"a": 1}
    with pytest.raises(errors.InvalidArgumentError, match="not initializable"):
        p.run("InitializeTable", WORDS, NUMBERS)
    with pytest.raises(errors.InvalidArgumentError, match=r"Expected shape \[2\] for value, got \[3\]"):
        p.run("LookupTableInsert", WORDS, np.arange(3))


def test_removing() -> None:
    p = Program("MutableHashTableV2")
    p.run("LookupTableInsert", WORDS, NUMBERS)
    p.run("LookupTableRemove", np.array([b"q", b"b"], object))
    assert p.entries() == {b"a": 1}


@pytest.mark.parametrize("op", ["MutableHashTableOfTensors", "MutableHashTableOfTensorsV2"])
def test_vectors(op: str) -> None:
    p = Program(op, value_dtype="float32", value_shape=[2])
    p.run("LookupTableInsert", WORDS, np.array([[1, 2], [3, 4]], np.float32))
    found = p.run("LookupTableFind", np.array([b"q", b"b"], object), np.array([8, 9], np.float32))[0]
    assert found.tolist() == [[8, 9], [3, 4]]


def test_table_with_reserved_keys() -> None:
    b = Builder(Graph())
    table = b.MutableDenseHashTableV2(np.int64(0), np.int64(-1), value_dtype="float32", value_shape=[2])
    session = Session(b.graph)
    session.run(b.operation("LookupTableInsertV2", table, NUMBERS, np.array([[1, 2], [3, 4]], np.float32)))
    found = session.run(b.LookupTableFindV2(table, np.array([[2, 5]]), np.array([8, 9], np.float32)))
    assert found.tolist() == [[[3, 4], [8, 9]]]
    with pytest.raises(errors.InvalidArgumentError, match="empty_key as a table key is not allowed"):
        session.run(b.LookupTableFindV2(table, np.array([0]), np.array([8, 9], np.float32)))


def test_tables_are_shared_by_name_and_kept_between_runs() -> None:
    p = Program("MutableHashTableV2", shared_name="words")
    p.run("LookupTableInsert", WORDS, NUMBERS)
    p.table = p.b.MutableHashTableV2(key_dtype="string", value_dtype="int64", shared_name="words")
    assert p.find(b"b") == [2]
    p.table = p.b.MutableHashTableV2(key_dtype="string", value_dtype="float32", shared_name="words")
    with pytest.raises(errors.InvalidArgumentError, match="string->float32 with string-int64 for table words"):
        p.run("LookupTableSize")


@pytest.mark.parametrize(
    ("columns", "size", "types", "wanted"),
    [
        ((-2, -1), -1, ("string", "int64"), {b"a\tx\t3": 0, b"b\ty\t4": 1, b"c\tz\t5": 2}),
        ((0, 1), 2, ("string", "string"), {b"a": b"x", b"b": b"y"}),
        ((1, 2), -1, ("string", "int64"), {b"x": 3, b"y": 4, b"z": 5}),
        ((0, 2), -1, ("string", "float32"), {b"a": 3.0, b"b": 4.0, b"c": 5.0}),
        ((-1, 0), -1, ("int64", "string"), {0: b"a", 1: b"b", 2: b"c"}),
    ],
)
def test_vocabulary_file(
    tmp_path: Path, columns: tuple[int, int], size: int, types: tuple[str, str], wanted: dict[Any, Any]
) -> None:
    """The entries that TensorFlow 2.21 makes of the same file."""
    (tmp_path / "words").write_bytes(b"a\tx\t3\nb\ty\t4\nc\tz\t5\n")
    p = Program(key_dtype=types[0], value_dtype=types[1])
    attrs = {"key_index": columns[0], "value_index": columns[1], "vocab_size": size}
    p.run("InitializeTableFromTextFile", np.array(str(tmp_path / "words").encode(), object), **attrs)
    keys, values = p.run("LookupTableExport", Tkeys=types[0], Tvalues=types[1])
    assert dict(zip(keys.tolist(), values.tolist(), strict=True)) == wanted


@pytest.mark.parametrize(
    ("attrs", "message"),
    [
        ({"key_index": -2, "value_index": -1, "vocab_size": 7}, "Invalid vocab_size in .*: expected 7 but got 3"),
        ({"key_index": 5, "value_index": -1}, "Invalid number of columns in .* line 0 .*expected at least 6 got 3"),
        ({"key_index": 0, "value_index": 1}, "Field x in line 0 is not a valid int64"),
    ],
)
def test_vocabulary_file_that_does_not_fit(tmp_path: Path, attrs: dict[str, int], message: str) -> None:
    (tmp_path / "words").write_bytes(b"a\tx\t3\nb\ty\t4\nc\tz\t5\n")
    with pytest.raises(errors.InvalidArgumentError, match=message):
        Program().run("InitializeTableFromTextFile", np.array(str(tmp_path / "words").encode(), object), **attrs)


def test_missing_vocabulary_file() -> None:
    with pytest.raises(errors.NotFoundError, match="(?s)nowhere.txt; No such file.*feed another"):
        Program().run("InitializeTableFromTextFile", np.array(b"nowhere.txt", object), key_index=-2, value_index=-1)
