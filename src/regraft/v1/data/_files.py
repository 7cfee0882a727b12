"""Datasets of files: their names, lines, and records."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from regraft.base import dtypes
from regraft.ir.node import Tensor
from regraft.v1 import _context
from regraft.v1._assertion import Assert
from regraft.v1.data import _functional, _structure
from regraft.v1.data._base import AUTOTUNE, dataset, optional, tensor
from regraft.v1.data._dataset import Dataset, sliced

_BUFFER = 256 * 1024
_STRING = _structure.TensorSpec([], dtypes.string)


def listed(file_pattern: Any, shuffle: bool | None, seed: Any, name: str | None) -> Dataset:
    """`Dataset.list_files`."""
    from regraft.v1._strings import reduce_join

    b = _context.builder()
    with b.graph.name_scope("list_files"):
        patterns = b.convert(file_pattern, dtypes.string, name="file_pattern")
        found = b.MatchingFiles(patterns)
        count: Any = b.shape(found)
        some = b.Greater(count[0], 0, name="match_not_empty")
        text = b.op("Add", "No files matched pattern: ", reduce_join(patterns, separator=", "), name="message")
        check = Assert(some, [text], summarize=1, name="assert_not_empty")
        with b.graph.control_dependencies([check]):
            found = b.identity(found)
        names = sliced(found, name, is_files=True)
        if shuffle is None or shuffle:
            wide: Any = b.shape(found, out_type=dtypes.int64)
            names = names.shuffle(b.Maximum(wide[0], 1), seed=seed, name=name)
        return names


def _names(filenames: Any, name: str | None) -> Any:
    """A dataset of file names."""
    if isinstance(filenames, Dataset):
        if filenames.output_types is not dtypes.string:
            raise TypeError(
                "The `filenames` argument must contain `tf.string` elements. Got a dataset of "
                f"`{filenames.output_types!r}` elements."
            )
        if not filenames.output_shapes.is_compatible_with([]):
            raise TypeError(
                "The `filenames` argument must contain `tf.string` elements of shape [] (i.e. scalars). Got a dataset "
                f"of element shape {filenames.output_shapes!r}."
            )
        return filenames
    if isinstance(filenames, (list, tuple)):
        filenames = [_path(item) for item in filenames]
    b = _context.builder()
    texts = b.convert(_path(filenames), preferred=dtypes.string)
    if texts.dtype.base is not dtypes.string:
        raise TypeError(f"The `filenames` argument must contain `tf.string` elements. Got `{texts.dtype!r}` elements.")
    flat = b.op("Reshape", texts, [-1], name="flat_filenames")
    return sliced(flat, name, is_files=True)


def _path(value: Any) -> Any:
    return os.fspath(value) if isinstance(value, os.PathLike) else value


class _OfFiles(Dataset):
    """The records of files, one file behind the other, or several at a time."""

    def _read(self, filenames: Any, read: Callable[[Tensor], Dataset], at_a_time: Any, name: str | None) -> None:
        names = _names(filenames, name)

        def read_one_file(filename: Any) -> Dataset:
            return read(_context.builder().convert(filename, dtypes.string, name="filename"))

        if at_a_time is None:
            made = names.flat_map(read_one_file, name=name)
        elif at_a_time == AUTOTUNE:
            made = names.interleave(read_one_file, num_parallel_calls=at_a_time, name=name)
        else:
            made = _functional.parallel_interleaved(names, read_one_file, at_a_time, name=name)
        super().__init__(made._variant_tensor, _STRING)


class TextLineDataset(_OfFiles):
    """The lines of text files, without their ends.

    filenames           names, or a dataset of them
    compression_type    "", "ZLIB" or "GZIP"
    num_parallel_reads  how many files are read in turns
    """

    def __init__(
        self,
        filenames: Any,
        compression_type: Any = None,
        buffer_size: Any = None,
        num_parallel_reads: Any = None,
        name: str | None = None,
    ) -> None:
        def read(filename: Tensor) -> Dataset:
            kind = optional(compression_type, "compression_type", "", dtypes.string)
            size = optional(buffer_size, "buffer_size", _BUFFER)
            return dataset("TextLineDataset", filename, kind, size, spec=_STRING, structure="none", name=name)

        self._read(filenames, read, num_parallel_reads, name)


class TFRecordDataset(_OfFiles):
    """The records of TFRecord files; arguments as those of TextLineDataset."""

    def __init__(
        self,
        filenames: Any,
        compression_type: Any = None,
        buffer_size: Any = None,
        num_parallel_reads: Any = None,
        name: str | None = None,
    ) -> None:
        def read(filename: Tensor) -> Dataset:
            kind = optional(compression_type, "compression_type", "", dtypes.string)
            size = optional(buffer_size, "buffer_size", -1)
            return dataset("TFRecordDataset", filename, kind, size, spec=_STRING, structure="none", name=name)

        self._read(filenames, read, num_parallel_reads, name)


class FixedLengthRecordDataset(_OfFiles):
    """The records of files in which each has `record_bytes` bytes, between a header and a footer."""

    def __init__(
        self,
        filenames: Any,
        record_bytes: Any,
        header_bytes: Any = None,
        footer_bytes: Any = None,
        buffer_size: Any = None,
        compression_type: Any = None,
        num_parallel_reads: Any = None,
        name: str | None = None,
    ) -> None:
        def read(filename: Tensor) -> Dataset:
            record = tensor(record_bytes, "record_bytes")
            header = optional(header_bytes, "header_bytes", 0)
            footer = optional(footer_bytes, "footer_bytes", 0)
            size = optional(buffer_size, "buffer_size", _BUFFER)
            kind = optional(compression_type, "compression_type", "", dtypes.string)
            inputs = (filename, header, record, footer, size, kind)
            return dataset("FixedLengthRecordDatasetV2", *inputs, spec=_STRING, structure="none", name=name)

        self._read(filenames, read, num_parallel_reads, name)
