"""Datasets of files: lines, records, rows of CSV, names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import Any

import numpy as np

from regraft.base import dtypes
from regraft.base.dtypes import DType
from regraft.base.errors import InvalidArgumentError, NotFoundError
from regraft.base.shapes import TensorShape
from regraft.checkpoint import files
from regraft.checkpoint.chunks import blocks, check_compression, chunks, lines
from regraft.checkpoint.records import RecordWriter, read_records
from regraft.opkit.csv_fields import csv_fields, csv_value
from regraft.opkit.datasets import Dataset, Element, Run, dataset_op, integer, string, text, texts
from regraft.opkit.input_files import located, missing
from regraft.opkit.registry import Runs, op
from regraft.opkit.shapes import no_outputs

Types = tuple[DType, ...]
Shapes = tuple[TensorShape, ...]


_FEED = (
    "feed the tensor that holds the names when the iterator is initialized, or the outputs of its IteratorGetNext node"
)


class _Files(Iterator[Element]):
    """What `read` gives of each file, one file behind the other.

    A file that can't be opened is tried again with each element, one that ends with an error is passed over then.
    """

    def __init__(self, names: list[str], read: Callable[[str], Iterator[Element]], run: Run) -> None:
        self._names = (located(run.session, name) for name in names)
        self._read = read
        self._name: str | None = None
        self._input: Iterator[Element] | None = None

    def __next__(self) -> Element:
        while True:
            if self._name is None:
                self._name = next(self._names)
            if self._input is None:
                try:
                    self._input = self._read(self._name)
                except NotFoundError as e:
                    raise missing(self._name, _FEED) from e
            element = next(self._input, None)
            if element is not None:
                return element
            self._name = self._input = None


def _strings(filenames: Any, read: Callable[[str], Iterator[bytes]]) -> Dataset:
    """A dataset of scalar strings."""
    names = texts(filenames)

    def elements(name: str) -> Iterator[Element]:
        found = read(name)
        return ((string(value),) for value in found)

    return Dataset(lambda run: _Files(names, elements, run), (dtypes.string,), (TensorShape([]),))


@dataset_op("TextLineDataset")
def text_line_dataset(filenames: Any, compression_type: Any, buffer_size: Any, *, functions: Any) -> Any:
    """The lines of text files, without their ends. NotFoundError for a file that is not there."""
    compression = text(compression_type)
    check_compression(compression)
    return _strings(filenames, lambda name: (line.replace(b"\r", b"") for line in lines(chunks(name, compression))))


@dataset_op("TFRecordDataset")
def tf_record_dataset(filenames: Any, compression_type: Any, buffer_size: Any, *, functions: Any) -> Any:
    """The records of TFRecord files.

    raises  NotFoundError for a file that is not there, DataLossError for a record that is damaged or cut short
    """
    compression = text(compression_type)
    check_compression(compression)
    return _strings(filenames, lambda name: read_records(name, compression))


@dataset_op("TFRecordDatasetV2")
def tf_record_dataset_v2(
    filenames: Any, compression_type: Any, buffer_size: Any, byte_offsets: Any, *, functions: Any
) -> Any:
    """As TFRecordDataset. InvalidArgumentError for offsets other than 0."""
    if np.any(byte_offsets):
        raise InvalidArgumentError("records can only be read from the start of a file: byte_offsets must be 0")
    return tf_record_dataset(filenames, compression_type, buffer_size, functions=functions)


def _fixed_length(filenames: Any, header_bytes: Any, record_bytes: Any, footer_bytes: Any, compression: str) -> Dataset:
    size = integer(record_bytes, "record_bytes", 1)
    header = integer(header_bytes, "header_bytes", 0)
    footer = integer(footer_bytes, "footer_bytes", 0)
    check_compression(compression)

    def whole(name: str, length: int) -> int:
        """How many records a content of this many bytes has."""
        body = length - header - footer
        if body < 0 or body % size:
            raise InvalidArgumentError(
                f"Excluding the header ({header} bytes) and footer ({footer} bytes), input file {name!r} has body "
                f"length {body} bytes, which is not an exact multiple of the record length ({size} bytes)."
            )
        return body // size

    def read(name: str) -> Iterator[bytes]:
        if compression:
            content = b"".join(chunks(name, compression))
            return islice(blocks(_behind(iter((content,)), header), size), whole(name, len(content)))
        source = files.open_source(name)
        source.close()
        return islice(blocks(_behind(chunks(name), header), size), whole(name, source.size))

    return _strings(filenames, read)


def _behind(parts: Iterator[bytes], skipped: int) -> Iterator[bytes]:
    """A stream without its first bytes."""
    for part in parts:
        if skipped >= len(part):
            skipped -= len(part)
            continue
        return chain((part[skipped:],), parts)
    return iter(())


@dataset_op("FixedLengthRecordDataset")
def fixed_length_record_dataset(
    filenames: Any, header_bytes: Any, record_bytes: Any, footer_bytes: Any, buffer_size: Any, *, functions: Any
) -> Any:
    """The records of files in which each has as many bytes. InvalidArgumentError where a part of one is left over."""
    return _fixed_length(filenames, header_bytes, record_bytes, footer_bytes, "")


@dataset_op("FixedLengthRecordDatasetV2")
def fixed_length_record_dataset_v2(
    filenames: Any,
    header_bytes: Any,
    record_bytes: Any,
    footer_bytes: Any,
    buffer_size: Any,
    compression_type: Any,
    *,
    functions: Any,
) -> Any:
    """As FixedLengthRecordDataset, of compressed files too."""
    return _fixed_length(filenames, header_bytes, record_bytes, footer_bytes, text(compression_type))


@dataset_op("MatchingFilesDataset", "ExperimentalMatchingFilesDataset")
def matching_files_dataset(patterns: Any, *, functions: Any) -> Any:
    """The names of the files that match any of the patterns, each pattern's in order."""
    asked = texts(patterns)

    def elements(run: Run) -> Iterator[Element]:
        found = sorted({name for pattern in asked for name in files.matching(pattern)})
        return ((string(name.encode()),) for name in found)

    return Dataset(elements, (dtypes.string,), (TensorShape([]),))


@op("DatasetToTFRecord", "ExperimentalDatasetToTFRecord", shape=no_outputs, runs=Runs.HOST, session=True, blocking=True)
def dataset_to_tf_record(input_dataset: Any, filename: Any, compression_type: Any, *, functions: Any) -> None:
    """Write the elements of a dataset, scalar strings, as records of a file."""
    run = Run(functions)
    try:
        with RecordWriter(text(filename), text(compression_type)) as writer:
            for (record,) in input_dataset.start(run):
                writer.write(record[()])
    finally:
        run.close()


class _CsvRows(Iterator[Element]):
    """The rows of one file. A row that is wrong is passed over when its error was raised."""

    def __init__(self, name: str, options: dict[str, Any]) -> None:
        self._lines = lines(chunks(name, options["compression"]))
        self._options = options
        if options["header"]:
            self._record()

    def _record(self) -> bytes | None:
        """The next line, with those that its quotes enclose."""
        record = next(self._lines, None)
        if record is None or not self._options["quotes"]:
            return None if record is None else record.removesuffix(b"\r")
        while record.count(b'"') % 2:
            following = next(self._lines, None)
            if following is None:
                raise InvalidArgumentError("Reached end of file without closing quoted field in record")
            record += b"\n" + following
        return record.removesuffix(b"\r")

    def __next__(self) -> Element:
        record = self._record()
        if record is None:
            raise StopIteration
        options = self._options
        types, defaults, columns = options["types"], options["defaults"], options["columns"]
        fields = csv_fields(record, options["delimiter"], options["quotes"]) or [b""]
        if columns:
            fields = [fields[i] for i in columns if i < len(fields)]
        elif options["excluded"]:
            fields = [field for i, field in enumerate(fields) if i not in options["excluded"]]
        if len(fields) > len(types):
            raise InvalidArgumentError(f"Expect {len(types)} fields but have more in record")
        out = []
        for i, (field, dtype, default) in enumerate(zip(fields, types, defaults, strict=False)):
            value = csv_value(field, dtype, default, options["na_value"], f"Field {i}", "record")
            out.append(string(value) if dtype.numpy.kind == "O" else np.array(value, dtype.numpy))
        if len(out) < len(types):
            raise InvalidArgumentError(f"Expect {len(types)} fields but have {len(out)} in record")
        return tuple(out)


def _csv(names: list[str], types: Types, shapes: Shapes, columns: list[int], **inputs: Any) -> Dataset:
    options = {
        "compression": text(inputs["compression_type"]),
        "header": bool(inputs["header"]),
        "delimiter": text(inputs["field_delim"]).encode(),
        "quotes": bool(inputs["use_quote_delim"]),
        "na_value": text(inputs["na_value"]).encode(errors="surrogateescape"),
        "defaults": inputs["record_defaults"],
        "excluded": frozenset(inputs.get("exclude_cols", ())),
        "columns": columns,
        "types": types,
    }
    check_compression(options["compression"])
    return Dataset(lambda run: _Files(names, lambda name: _CsvRows(name, options), run), types, shapes)


@dataset_op("CSVDataset", "ExperimentalCSVDataset")
def csv_dataset(
    filenames: Any,
    compression_type: Any,
    buffer_size: Any,
    header: Any,
    field_delim: Any,
    use_quote_delim: Any,
    na_value: Any,
    select_cols: Any,
    record_defaults: tuple[Any, ...],
    *,
    output_types: Types,
    output_shapes: Shapes,
    functions: Any,
) -> Any:
    """The rows of CSV files, a component a column; a field without content is its column's default.

    raises  InvalidArgumentError for a row of another length, a field that is no number, and one without content where
            the default is empty; the row behind it comes next
    """
    return _csv(
        texts(filenames),
        output_types,
        output_shapes,
        np.asarray(select_cols).tolist(),
        compression_type=compression_type,
        header=header,
        field_delim=field_delim,
        use_quote_delim=use_quote_delim,
        na_value=na_value,
        record_defaults=record_defaults,
    )


@dataset_op("CSVDatasetV2")
def csv_dataset_v2(
    filenames: Any,
    compression_type: Any,
    buffer_size: Any,
    header: Any,
    field_delim: Any,
    use_quote_delim: Any,
    na_value: Any,
    select_cols: Any,
    record_defaults: tuple[Any, ...],
    exclude_cols: Any,
    *,
    output_types: Types,
    output_shapes: Shapes,
    functions: Any,
) -> Any:
    """As CSVDataset, without the columns `exclude_cols`."""
    return _csv(
        texts(filenames),
        output_types,
        output_shapes,
        np.asarray(select_cols).tolist(),
        compression_type=compression_type,
        header=header,
        field_delim=field_delim,
        use_quote_delim=use_quote_delim,
        na_value=na_value,
        record_defaults=record_defaults,
        exclude_cols=np.asarray(exclude_cols).tolist(),
    )
