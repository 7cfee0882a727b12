"""Files of records, plain and compressed, against TensorFlow's reader and writer, and damage."""

from __future__ import annotations

import gzip
import zlib

import pytest

import regraft.v1
from regraft.base.errors import DataLossError, FailedPreconditionError, InvalidArgumentError, NotFoundError
from regraft.checkpoint.records import RecordWriter, read_records
from tests.oracle import available, tensorflow

RECORDS = [b"one", b"", b"x" * 300_000, bytes(range(256))]
COMPRESSIONS = ["", "ZLIB", "GZIP"]


def _written(path: str, compression: str) -> bytes:
    with RecordWriter(path, compression) as writer:
        for record in RECORDS:
            writer.write(record)
    with open(path, "rb") as file:
        return file.read()


def test_compression_is_that_of_the_formats_name(tmp_path):
    plain = _written(str(tmp_path / "plain"), "")
    assert zlib.decompress(_written(str(tmp_path / "zlib"), "ZLIB")) == plain
    assert gzip.decompress(_written(str(tmp_path / "gzip"), "GZIP")) == plain


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_cut_off(tmp_path, compression):
    path = str(tmp_path / "file")
    data = _written(path, compression)
    with open(path, "wb") as file:
        file.write(data[:-20])
    found: list[bytes] = []
    with pytest.raises(DataLossError):
        found.extend(read_records(path, compression))
    assert found == RECORDS[: len(found)]


def test_what_is_flushed_can_be_read(tmp_path):
    path = str(tmp_path / "file")
    for compression in COMPRESSIONS:
        writer = RecordWriter(path, compression)
        writer.write(b"first")
        writer.flush()
        assert next(read_records(path, compression)) == b"first"
        writer.close()


def test_not_compressed_as_said(tmp_path):
    path = str(tmp_path / "file")
    _written(path, "")
    with pytest.raises(DataLossError, match="inflate"):
        list(read_records(path, "GZIP"))
    with pytest.raises(InvalidArgumentError, match="LZ4"):
        read_records(path, "LZ4")


def test_no_file(tmp_path):
    with pytest.raises(NotFoundError):
        read_records(str(tmp_path / "missing"))


def test_writer_of_python_io(tmp_path):
    tf = regraft.v1
    writer = tf.python_io.TFRecordWriter(str(tmp_path / "file"))
    with pytest.raises(TypeError, match="bytes"):
        writer.write("text")
    writer.close()
    writer.close()
    with pytest.raises(FailedPreconditionError, match="closed"):
        writer.write(b"late")
    with pytest.raises(ValueError, match="compression_type"):
        tf.python_io.TFRecordOptions("LZ4")


@pytest.mark.skipif(not available(), reason="TensorFlow is not installed")
@pytest.mark.filterwarnings("ignore")  # TensorFlow's
@pytest.mark.parametrize("kind", ["NONE", "ZLIB", "GZIP"])
def test_records_go_both_ways(tmp_path, kind):
    libraries = [regraft.v1, tensorflow()]
    for writing, reading in (libraries, libraries[::-1]):
        path = str(tmp_path / writing.__name__)
        kinds = writing.python_io.TFRecordCompressionType
        with writing.python_io.TFRecordWriter(path, writing.python_io.TFRecordOptions(getattr(kinds, kind))) as writer:
            for record in RECORDS:
                writer.write(record)
        options = reading.python_io.TFRecordOptions(getattr(reading.python_io.TFRecordCompressionType, kind))
        assert list(reading.python_io.tf_record_iterator(path, options)) == RECORDS
