"""Datasets of CSV files."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np

from regraft.base import dtypes
from regraft.base.dtypes import DType
from regraft.checkpoint import files
from regraft.v1 import _context
from regraft.v1.data import _functional, _structure
from regraft.v1.data._base import AUTOTUNE, dataset, optional, tensor
from regraft.v1.data._dataset import Dataset

_CSV_TYPES = (dtypes.float32, dtypes.float64, dtypes.int32, dtypes.int64, dtypes.string)


class CsvDataset(Dataset):
    """The rows of CSV files, a component a column.

    record_defaults  for each column a default in a list, or a dtype for a column that must be there
    header           leave out the first line of each file
    select_cols      the columns that are read, by number; all when None
    """

    def __init__(
        self,
        filenames: Any,
        record_defaults: Sequence[Any],
        compression_type: Any = None,
        buffer_size: Any = None,
        header: Any = False,
        field_delim: Any = ",",
        use_quote_delim: Any = True,
        na_value: Any = "",
        select_cols: Any = None,
        exclude_cols: Any = None,
    ) -> None:
        b = _context.builder()
        names = tensor(filenames, "filenames", dtypes.string)
        kind = optional(compression_type, "compression_type", "", dtypes.string)
        defaults = [
            b.constant([], default) if isinstance(default, DType) and default in _CSV_TYPES else default
            for default in record_defaults
        ]
        tensors = [b.convert(value, name=f"record_defaults_{i}") for i, value in enumerate(defaults)]
        size = optional(buffer_size, "buffer_size", 4 * 1024 * 1024)
        first = tensor(header, "header", dtypes.bool_)
        delimiter = tensor(field_delim, "field_delim", dtypes.string)
        quotes = tensor(use_quote_delim, "use_quote_delim", dtypes.bool_)
        absent = tensor(na_value, "na_value", dtypes.string)
        selected = optional(select_cols, "select_cols", [])
        excluded = optional(exclude_cols, "exclude_cols", [])
        spec = tuple(_structure.TensorSpec([], t.dtype) for t in tensors)
        inputs = (names, kind, size, first, delimiter, quotes, absent, selected, tensors, excluded)
        made = dataset("CSVDatasetV2", *inputs, spec=spec, structure="shapes")
        super().__init__(made._variant_tensor, spec)


def make_csv_dataset(
    file_pattern: Any,
    batch_size: int,
    column_names: Sequence[str] | None = None,
    column_defaults: Sequence[Any] | None = None,
    label_name: str | None = None,
    select_columns: Sequence[Any] | None = None,
    field_delim: str = ",",
    use_quote_delim: bool = True,
    na_value: str = "",
    header: bool = True,
    num_epochs: int | None = None,
    shuffle: bool = True,
    shuffle_buffer_size: int = 10000,
    shuffle_seed: int | None = None,
    prefetch_buffer_size: int | None = None,
    num_parallel_reads: int | None = None,
    sloppy: bool = False,
    num_rows_for_inference: int | None = 100,
    compression_type: str | None = None,
    ignore_errors: bool = False,
) -> Dataset:
    """Batches of the columns of CSV files, as mappings by name, without end where `num_epochs` is None.

    column_names     those of the first file's header when None
    column_defaults  a default in a list, or a dtype for a column that must be there; when None the dtypes that the
                     first `num_rows_for_inference` rows need, with 0 and "" as defaults
    label_name       the column that becomes the second part of each element
    raises           ValueError for names that are missing, come twice, or are not those of the file
    """
    names = sorted({name for one in _texts(file_pattern) for name in files.matching(one)})
    if not names:
        raise ValueError(f"No files match `file_pattern` {file_pattern}.")
    source = Dataset.from_tensor_slices(names)
    if shuffle:
        source = source.shuffle(len(names), shuffle_seed)
    read = _Reading(field_delim, use_quote_delim, header, compression_type or "")
    if column_names is None:
        if not header:
            raise ValueError("Expected `column_names` or `header` arguments. Neither is provided.")
        column_names = read.header(names)
    if len(set(column_names)) != len(column_names):
        twice = sorted({name for name in column_names if list(column_names).count(name) > 1})
        raise ValueError(f"Either `column_names` argument or CSV header row contains duplicate column names: {twice}.")
    selected = None if select_columns is None else _numbers(select_columns, list(column_names))
    if column_defaults is None:
        rows = islice(read.rows(names, len(column_names)), num_rows_for_inference)
        columns = range(len(column_names)) if selected is None else selected
        column_defaults = _defaults(list(rows), columns, na_value)
    defaults = list(column_defaults)
    if selected is not None:
        if len(defaults) != len(selected):
            raise ValueError(
                "If specified, `column_defaults` and `select_columns` must have the same length: `column_defaults` has "
                f"length {len(defaults)}, `select_columns` has length {len(selected)}."
            )
        column_names = [column_names[i] for i in selected]
    keys = list(column_names)
    if label_name is not None and label_name not in keys:
        raise ValueError(f"`label_name` provided must be one of the columns: {keys}. Received: {label_name}.")

    def filename_to_dataset(filename: Any) -> Dataset:
        made: Dataset = CsvDataset(
            filename,
            defaults,
            compression_type,
            header=header,
            field_delim=field_delim,
            use_quote_delim=use_quote_delim,
            na_value=na_value,
            select_cols=selected,
        )
        return made.ignore_errors() if ignore_errors else made

    def map_fn(*columns: Any) -> Any:
        features = dict(zip(keys, columns, strict=True))
        return features if label_name is None else (features, features.pop(label_name))

    at_a_time = 1 if num_parallel_reads is None else num_parallel_reads
    if at_a_time == AUTOTUNE:
        rows_of_all = source.interleave(filename_to_dataset, num_parallel_calls=at_a_time)
    else:
        rows_of_all = _functional.parallel_interleaved(source, filename_to_dataset, at_a_time, sloppy=sloppy)
    if shuffle:
        rows_of_all = rows_of_all.shuffle(shuffle_buffer_size, shuffle_seed)
    if num_epochs != 1:
        rows_of_all = rows_of_all.repeat(num_epochs)
    batches = rows_of_all.batch(batch_size, drop_remainder=num_epochs is None)
    named = _functional.mapped(batches, map_fn, use_inter_op_parallelism=False, preserve_cardinality=True)
    return named.prefetch(AUTOTUNE if prefetch_buffer_size is None else prefetch_buffer_size)


def _texts(patterns: Any) -> list[str]:
    return [patterns] if isinstance(patterns, str) else list(patterns)


def _numbers(columns: Sequence[Any], names: list[str]) -> list[int]:
    """Columns by number, in order. ValueError for one that is not there, or comes twice."""
    found = []
    for column in columns:
        if isinstance(column, int):
            if not 0 <= column < len(names):
                raise ValueError(
                    f"Column index {column} specified in `select_columns` should be >= 0 and < {len(names)}, which is "
                    "the number of columns."
                )
            found.append(column)
        elif column in names:
            found.append(names.index(column))
        else:
            raise ValueError(f"Column {column} specified in `select_columns` must be one of the columns: {names}.")
    if len(set(found)) != len(found):
        raise ValueError(f"The `select_columns` argument contains duplicate columns: {list(columns)}.")
    return sorted(found)


class _Reading:
    """How the files are read to learn of their columns."""

    def __init__(self, delimiter: str, quotes: bool, header: bool, compression: str) -> None:
        if compression not in ("", "GZIP"):
            raise ValueError(f"`compression_type` {compression} is not supported for probing columns.")
        self._options: dict[str, Any] = {
            "delimiter": delimiter,
            "quoting": csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE,
        }
        self._header, self._zipped = header, compression == "GZIP"

    def _lines(self, name: str) -> Iterator[list[str]]:
        content = files.read_bytes(name)
        text = (gzip.decompress(content) if self._zipped else content).decode()
        return csv.reader(io.StringIO(text, newline=""), **self._options)

    def header(self, names: Sequence[str]) -> list[str]:
        """The first line, which must be the same in all files."""
        first: list[str] | None = None
        for name in names:
            line = next(self._lines(name), None)
            if line is None:
                raise ValueError(f"Failed when reading the header line of {name}. Is it an empty file?")
            if first is not None and line != first:
                raise ValueError(
                    "All input CSV files should have the same column names in the header row. File "
                    f"{name} has different column names."
                )
            first = line
        assert first is not None
        return first

    def rows(self, names: Sequence[str], width: int) -> Iterator[list[str]]:
        """The rows of all files. ValueError for one of another width."""
        for name in names:
            for number, row in enumerate(self._lines(name), 1):
                if number == 1 and self._header:
                    continue
                if len(row) != width:
                    raise ValueError(
                        f"Problem inferring types: CSV row {number} has {len(row)} number of fields. Expected: {width}."
                    )
                yield row


def _defaults(rows: list[list[str]], columns: Sequence[int], na_value: str) -> list[Any]:
    """For each column a default of the narrowest dtype that holds all its fields."""
    found = []
    for column in columns:
        fields = [row[column] for row in rows if row[column] not in ("", na_value)]
        least = max((_rank(field) for field in fields), default=len(_RANKS) - 1)
        dtype = _RANKS[least]
        found.append(_context.builder().constant([""] if dtype is dtypes.string else [0], dtype))
    return found


_RANKS = (dtypes.int32, dtypes.int64, dtypes.float32, dtypes.float64, dtypes.string)


def _rank(field: str) -> int:
    """The place in `_RANKS` of the narrowest dtype that holds a field."""
    try:
        number = int(field)
    except ValueError:
        pass
    else:
        if abs(number) < 2**31:
            return 0
        if abs(number) < 2**63:
            return 1
    try:
        value = float(field)
    except ValueError:
        return 4
    with np.errstate(over="ignore"):
        return 2 if np.isfinite(np.float32(value)) else 3 if np.isfinite(value) else 4
