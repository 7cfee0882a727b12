"""What fills fixed lookup tables: tensors of keys and values, or the lines of a vocabulary file."""

from __future__ import annotations

from typing import Any

from regraft.base import dtypes
from regraft.base.dtypes import DType, as_dtype
from regraft.ir.graph_keys import GraphKeys
from regraft.ir.node import Operation, Tensor
from regraft.v1._opening import on, opened


class TextFileIndex:
    """Which part of a line is a key or a value, if not the column of that number."""

    WHOLE_LINE = -2
    LINE_NUMBER = -1


class TableInitializer:
    """Base of what fills tables of these types."""

    shared_name = ""

    def __init__(self, key_dtype: Any, value_dtype: Any) -> None:
        self._key_dtype = as_dtype(key_dtype)
        self._value_dtype = as_dtype(value_dtype)

    @property
    def key_dtype(self) -> DType:
        return self._key_dtype

    @property
    def value_dtype(self) -> DType:
        return self._value_dtype

    def initialize(self, table: Any) -> Operation:
        """The operation that fills the table. TypeError if it holds other types."""
        raise NotImplementedError(f"{type(self).__name__}.initialize")

    def _check(self, table: Any) -> None:
        for part, mine, its in (
            ("key", self._key_dtype, table.key_dtype),
            ("value", self._value_dtype, table.value_dtype),
        ):
            if mine.base is not its:
                raise TypeError(f"Invalid {part} dtype for table, expected {its} but got {mine}.")


class KeyValueTensorInitializer(TableInitializer):
    """Fills a table from a tensor of keys and one of values."""

    def __init__(
        self, keys: Any, values: Any, key_dtype: Any = None, value_dtype: Any = None, name: str | None = None
    ) -> None:
        b = on(keys, values)
        self._keys = b.convert(keys, key_dtype, name="keys")
        self._values = b.convert(values, value_dtype, name="values")
        self._name = "key_value_init" if name is None else name
        super().__init__(self._keys.dtype, self._values.dtype)

    def initialize(self, table: Any) -> Operation:
        self._check(table)
        with opened(self._name, "key_value_init", table.resource_handle, self._keys, self._values) as (b, _):
            done: Operation = b.LookupTableImportV2(table.resource_handle, self._keys, self._values)
        done.graph.add_to_collection(GraphKeys.TABLE_INITIALIZERS, done)
        return done


class TextFileInitializer(TableInitializer):
    """Fills a table from the lines of a file.

    key_index, value_index  a column, TextFileIndex.WHOLE_LINE or TextFileIndex.LINE_NUMBER
    vocab_size              how many lines to take; the file must have as many
    value_index_offset      is added to line numbers
    raises                  ValueError for indices and types that do not go together
    """

    def __init__(
        self,
        filename: Any,
        key_dtype: Any,
        key_index: int,
        value_dtype: Any,
        value_index: int,
        vocab_size: int | None = None,
        delimiter: str = "\t",
        name: str | None = None,
        value_index_offset: int = 0,
    ) -> None:
        if not isinstance(filename, Tensor) and not filename:
            raise ValueError("`filename` argument required for tf.lookup.TextFileInitializer")
        super().__init__(key_dtype, value_dtype)
        _check_index("key", key_index, self._key_dtype)
        _check_index("value", value_index, self._value_dtype)
        if vocab_size is not None and vocab_size <= 0:
            raise ValueError(f"`vocab_size` should be > 0, received: {vocab_size}")
        self._file = on(filename).convert(filename, dtypes.string, name="asset_path")
        self._columns = key_index, value_index
        self._size = vocab_size
        self._delimiter = delimiter
        self._name = name
        self._offset = value_index_offset
        counted = [str(vocab_size)] if vocab_size else []
        moved = [str(value_index_offset)] if value_index_offset else []
        named = ["hash_table", str(filename), *counted, str(key_index), str(value_index), *moved]
        self.shared_name = "_".join(named)

    def initialize(self, table: Any) -> Operation:
        self._check(table)
        with opened(self._name, "text_file_init", table.resource_handle) as (b, _):
            key, value = self._columns
            done: Operation = b.InitializeTableFromTextFileV2(
                table.resource_handle,
                self._file,
                key_index=key,
                value_index=value,
                vocab_size=-1 if self._size is None else self._size,
                delimiter=self._delimiter,
                offset=self._offset,
            )
        graph = done.graph
        graph.add_to_collection(GraphKeys.TABLE_INITIALIZERS, done)
        if self._file.op.type == "Const":
            graph.add_to_collection(GraphKeys.ASSET_FILEPATHS, self._file)
        return done


def _check_index(part: str, index: int, dtype: DType) -> None:
    if index < -2:
        raise ValueError(f"`{part}_index` should be >= -2, received: {index}.")
    if index == TextFileIndex.LINE_NUMBER and dtype is not dtypes.int64:
        raise ValueError(f"`{part}_dtype` must be int64 if `{part}_index` is {index}, received: {dtype}")
    if index == TextFileIndex.WHOLE_LINE and not dtype.is_integer and dtype is not dtypes.string:
        raise ValueError(
            f"`{part}_dtype` should be either integer or string for `{part}_index` {index}, received: {dtype}"
        )


class TextFileStringTableInitializer(TextFileInitializer):
    """From line numbers to lines."""

    def __init__(
        self,
        filename: Any,
        key_column_index: int = TextFileIndex.LINE_NUMBER,
        value_column_index: int = TextFileIndex.WHOLE_LINE,
        vocab_size: int | None = None,
        delimiter: str = "\t",
        name: str | None = "text_file_string_table_init",
    ) -> None:
        super().__init__(filename, "int64", key_column_index, "string", value_column_index, vocab_size, delimiter, name)


class TextFileIdTableInitializer(TextFileInitializer):
    """From lines to line numbers."""

    def __init__(
        self,
        filename: Any,
        key_column_index: int = TextFileIndex.WHOLE_LINE,
        value_column_index: int = TextFileIndex.LINE_NUMBER,
        vocab_size: int | None = None,
        delimiter: str = "\t",
        name: str | None = "text_file_id_table_init",
        key_dtype: Any = "string",
    ) -> None:
        super().__init__(
            filename, key_dtype, key_column_index, "int64", value_column_index, vocab_size, delimiter, name
        )
