"""Lookup tables that are filled once: from keys to values, and from words to ids with room for words not known."""

from __future__ import annotations

import uuid
from typing import Any, NamedTuple

from regraft.base import dtypes
from regraft.base.dtypes import DType, as_dtype
from regraft.ir.node import Operation, Tensor
from regraft.opkit.constant import constant_value
from regraft.v1 import _plain
from regraft.v1._array import size as size_
from regraft.v1._indexing import where_v2
from regraft.v1._lookup_initializers import (
    KeyValueTensorInitializer,
    TableInitializer,
    TextFileIdTableInitializer,
    TextFileIndex,
    TextFileStringTableInitializer,
)
from regraft.v1._math import add, cast, not_equal
from regraft.v1._opening import on, opened
from regraft.v1._reduction import range as range_
from regraft.v1._sparse_tensor import SparseTensor


class LookupInterface:
    """Base of all tables.

    key_dtype, value_dtype  their types
    name                    the last part of the name of the table's node
    """

    def __init__(self, key_dtype: Any, value_dtype: Any) -> None:
        self._key_dtype = as_dtype(key_dtype)
        self._value_dtype = as_dtype(value_dtype)
        self._name: str | None = None

    @property
    def key_dtype(self) -> DType:
        return self._key_dtype

    @property
    def value_dtype(self) -> DType:
        return self._value_dtype

    @property
    def name(self) -> str | None:
        return self._name

    @property
    def resource_handle(self) -> Any:
        """The tensor that stands for the table."""
        raise NotImplementedError(f"{type(self).__name__}.resource_handle")

    def size(self, name: str | None = None) -> Any:
        """The number of entries, int64."""
        raise NotImplementedError(f"{type(self).__name__}.size")

    def lookup(self, keys: Any, name: str | None = None) -> Any:
        """The value of each key, of a tensor or a sparse one. TypeError for keys of another type."""
        raise NotImplementedError(f"{type(self).__name__}.lookup")

    def __getitem__(self, keys: Any) -> Any:
        return self.lookup(keys)

    def _check_keys(self, keys: Any) -> None:
        if keys.dtype.base is not self._key_dtype:
            raise TypeError(f"Dtype of argument `keys` must be {self._key_dtype}, received: {keys.dtype}")


def named_only(experimental_is_anonymous: bool) -> None:
    """NotImplementedError for a table without a name."""
    if experimental_is_anonymous:
        raise NotImplementedError("tables without a name are not supported: leave experimental_is_anonymous out")


class StaticHashTable(LookupInterface):
    """A table that `initializer` fills once; `tables_initializer` runs it."""

    def __init__(
        self,
        initializer: TableInitializer,
        default_value: Any,
        name: str | None = None,
        experimental_is_anonymous: bool = False,
        shared_name: str | None = None,
    ) -> None:
        named_only(experimental_is_anonymous)
        super().__init__(initializer.key_dtype, initializer.value_dtype)
        b = on()
        self._default = b.convert(default_value, self._value_dtype)
        self._default.shape.merge_with([])
        if shared_name is None:
            shared_name = initializer.shared_name or f"hash_table_{uuid.uuid4()}"
        self._handle: Tensor = b.HashTableV2(
            shared_name=shared_name,
            key_dtype=self._key_dtype,
            value_dtype=self._value_dtype,
            name=name or "hash_table",
        )
        self._name = self._handle.op.name.split("/")[-1]
        self._init = initializer.initialize(self)

    @property
    def resource_handle(self) -> Tensor:
        return self._handle

    @property
    def default_value(self) -> Tensor:
        return self._default

    @property
    def initializer(self) -> Operation:
        return self._init

    @property
    def init(self) -> Operation:
        return self._init

    @property
    def table_ref(self) -> Tensor:
        return self._handle

    def size(self, name: str | None = None) -> Any:
        with opened(name, f"{self.name}_Size", self._handle) as (b, _):
            return b.LookupTableSizeV2(self._handle)

    def lookup(self, keys: Any, name: str | None = None) -> Any:
        self._check_keys(keys)
        flat = keys.values if isinstance(keys, SparseTensor) else keys
        with opened(name, f"{self.name}_Lookup", self._handle, flat, self._default) as (b, _):
            values = b.LookupTableFindV2(self._handle, flat, self._default)
        values.set_shape(flat.shape)
        return keys.with_values(values) if isinstance(keys, SparseTensor) else values

    def export(self, name: str | None = None) -> tuple[Any, Any]:
        """(keys, values) of all entries."""
        with opened(name, f"{self.name}_Export", self._handle) as (b, _):
            keys, values = b.LookupTableExportV2(self._handle, Tkeys=self._key_dtype, Tvalues=self._value_dtype)
        values.set_shape(keys.shape.concatenate(self._default.shape))
        return keys, values


class HasherSpec(NamedTuple):
    """How unknown words are spread over buckets: "fasthash", "legacy", or "stronghash" with a key of two numbers."""

    hasher: str
    key: Any


FastHashSpec = HasherSpec("fasthash", None)
LegacyHashSpec = HasherSpec("legacy", None)


def StrongHashSpec(key: Any) -> HasherSpec:
    """A hash that needs its key, two unsigned numbers, to be foreseen. ValueError, TypeError for another key."""
    if len(key) != 2:
        raise ValueError(f"`key` must have size 2, received {len(key)}")
    if not all(isinstance(k, int) for k in key):
        raise TypeError(f"Invalid key {key}. Must be unsigned integer values.")
    return HasherSpec("stronghash", key)


class IdTableWithHashBuckets(LookupInterface):
    """Ids of a table, and behind them `num_oov_buckets` ids for the hashes of keys that it does not have.

    table  a table of int64 values with the default of unknown keys, or None: all ids are hashes
    """

    def __init__(
        self,
        table: Any,
        num_oov_buckets: int,
        hasher_spec: HasherSpec = FastHashSpec,
        name: str | None = None,
        key_dtype: Any = None,
    ) -> None:
        if table is not None:
            kind = table.key_dtype if key_dtype is None else as_dtype(key_dtype)
            if table.key_dtype not in (dtypes.int64, dtypes.string):
                raise TypeError(f"Invalid `key_dtype`, expected int64 or string, received {kind}.")
            if table.key_dtype.is_integer != kind.is_integer:
                wanted = "integer" if kind.is_integer else "non-integer"
                raise TypeError(f"Invalid `key dtype`, expected {wanted} but got {table.key_dtype}.")
            if table.value_dtype is not dtypes.int64:
                raise TypeError(f"Invalid `value_dtype`: expected int64 but got {table.value_dtype}.")
        else:
            if num_oov_buckets <= 0:
                raise ValueError("`oov_buckets` must be > 0 if no `table` is supplied.")
            kind = dtypes.string if key_dtype is None else as_dtype(key_dtype)
        if not kind.is_integer and kind is not dtypes.string:
            raise TypeError(f"Invalid `key_dtype`, expected integer or string, got {kind}.")
        if not isinstance(hasher_spec, HasherSpec):
            raise TypeError(f"`hasher_spec` must be of type HasherSpec, got {type(hasher_spec)}.")
        super().__init__(kind, dtypes.int64)
        self._table = table
        self._buckets = num_oov_buckets
        self._hasher = hasher_spec
        chosen = (name or "").rstrip("/") or (table.name if table is not None else "hash_bucket")
        self._name = chosen.split("/")[-1]

    @property
    def resource_handle(self) -> Any:
        return None if self._table is None else self._table.resource_handle

    @property
    def initializer(self) -> Operation:
        if self._table is not None:
            done: Operation = self._table.initializer
            return done
        with opened(None, "init") as (b, _):
            return b.no_op()

    @property
    def init(self) -> Operation:
        return self.initializer

    def size(self, name: str | None = None) -> Any:
        with opened(name, f"{self.name}_Size") as (b, _):
            known: Any = b.convert(0, dtypes.int64) if self._table is None else self._table.size()
            return known + self._buckets

    def lookup(self, keys: Any, name: str | None = None) -> Any:
        self._check_keys(keys)
        flat = keys.values if isinstance(keys, SparseTensor) else keys
        if self._table is not None and self._table.key_dtype is dtypes.int64:
            flat = cast(flat, dtypes.int64)
        if self._buckets == 0:
            ids = self._table.lookup(flat, name=name)
        else:
            with opened(name, f"{self.name}_Lookup"):
                ids = self._with_buckets(flat)
        return keys.with_values(ids) if isinstance(keys, SparseTensor) else ids

    def _with_buckets(self, flat: Any) -> Any:
        text = flat if flat.dtype.base is dtypes.string else _plain.function("as_string")(flat)
        b = on(text)
        if self._hasher.hasher == "stronghash":
            key = self._hasher.key
            bucket = b.StringToHashBucketStrong(text, num_buckets=self._buckets, key=key, name="hash_bucket")
        elif self._hasher.hasher == "legacy":
            bucket = b.StringToHashBucket(text, num_buckets=self._buckets, name="hash_bucket")
        elif self._hasher.hasher == "fasthash":
            bucket = b.StringToHashBucketFast(text, num_buckets=self._buckets, name="hash_bucket")
        else:
            raise ValueError(f"Found unknown hasher {self._hasher.hasher} in `hasher_spec`")
        if self._table is None:
            return bucket
        ids = self._table.lookup(flat)
        bucket = add(bucket, self._table.size())
        return where_v2(not_equal(ids, self._table.default_value), ids, bucket)


class StaticVocabularyTable(IdTableWithHashBuckets):
    """`IdTableWithHashBuckets` of a table that `initializer` fills."""

    def __init__(
        self,
        initializer: TableInitializer | None,
        num_oov_buckets: int,
        lookup_key_dtype: Any = None,
        name: str | None = None,
        experimental_is_anonymous: bool = False,
    ) -> None:
        named_only(experimental_is_anonymous)
        if num_oov_buckets <= 0:
            raise ValueError("`num_oov_buckets` must be > 0; use StaticHashTable.")
        table = None if initializer is None else StaticHashTable(initializer, -1)
        kind = None if initializer is None else lookup_key_dtype
        super().__init__(table, num_oov_buckets, name=name, key_dtype=kind)


def _check_file(vocabulary_file: Any, vocab_size: int | None) -> None:
    if vocabulary_file is None or (isinstance(vocabulary_file, str) and not vocabulary_file):
        raise ValueError("`vocabulary_file` must be specified and must not be empty.")
    if vocab_size is not None and vocab_size < 1:
        shown = vocabulary_file
        if isinstance(vocabulary_file, Tensor):
            known = constant_value(vocabulary_file)
            shown = "?" if known is None else known
        raise ValueError(f"`vocab_size` must be greater than 0, got {vocab_size} for vocabulary_file: {shown}.")


def _check_buckets(count: int) -> None:
    if count < 0:
        raise ValueError(f"num_oov_buckets must be greater or equal than 0, got {count}.")


def index_table_from_file(
    vocabulary_file: Any = None,
    num_oov_buckets: int = 0,
    vocab_size: int | None = None,
    default_value: int = -1,
    hasher_spec: HasherSpec = FastHashSpec,
    key_dtype: Any = dtypes.string,
    name: str | None = None,
    key_column_index: int = TextFileIndex.WHOLE_LINE,
    value_column_index: int = TextFileIndex.LINE_NUMBER,
    delimiter: str = "\t",
) -> Any:
    """A table from the words of a file to their line numbers; unknown words are `default_value`, or hashed."""
    _check_file(vocabulary_file, vocab_size)
    _check_buckets(num_oov_buckets)
    kind = as_dtype(key_dtype)
    if not kind.is_integer and kind.base is not dtypes.string:
        raise TypeError("Dtype for `keys` should be either integer or string.")
    with opened(name, "string_to_index"):
        with opened(None, "hash_table"):
            fill = TextFileIdTableInitializer(
                vocabulary_file,
                key_column_index,
                value_column_index,
                vocab_size,
                delimiter,
                name="table_init",
                key_dtype=dtypes.int64 if kind.is_integer else kind,
            )
            table: Any = StaticHashTable(fill, default_value)
        if num_oov_buckets:
            table = IdTableWithHashBuckets(table, num_oov_buckets, hasher_spec, key_dtype=kind)
        return table


def index_table_from_tensor(
    vocabulary_list: Any,
    num_oov_buckets: int = 0,
    default_value: int = -1,
    hasher_spec: HasherSpec = FastHashSpec,
    dtype: Any = dtypes.string,
    name: str | None = None,
) -> Any:
    """A table from the words of a list to their positions; unknown words are `default_value`, or hashed."""
    if vocabulary_list is None:
        raise ValueError("`vocabulary_list` must be specified.")
    _check_buckets(num_oov_buckets)
    kind = as_dtype(dtype)
    if not kind.is_integer and kind.base is not dtypes.string:
        raise TypeError("`dtype` must either be integer or string.")
    with opened(name, "string_to_index") as (b, _):
        keys = b.convert(vocabulary_list)
        if keys.dtype.is_integer != kind.is_integer or not (kind.is_integer or keys.dtype.base is kind):
            raise ValueError(f"Invalid `dtype`: Expected {kind}, got {keys.dtype}.")
        ids = cast(range_(size_(keys)), dtypes.int64)
        with opened(None, "hash_table"):
            words = cast(keys, dtypes.int64) if keys.dtype.is_integer else keys
            fill = KeyValueTensorInitializer(words, ids, words.dtype.base, dtypes.int64, name="table_init")
            table: Any = StaticHashTable(fill, default_value)
        if num_oov_buckets:
            table = IdTableWithHashBuckets(table, num_oov_buckets, hasher_spec, key_dtype=kind)
        return table


def index_to_string_table_from_file(
    vocabulary_file: Any,
    vocab_size: int | None = None,
    default_value: Any = "UNK",
    name: str | None = None,
    key_column_index: int = TextFileIndex.LINE_NUMBER,
    value_column_index: int = TextFileIndex.WHOLE_LINE,
    delimiter: str = "\t",
) -> StaticHashTable:
    """A table from line numbers to the words of a file."""
    _check_file(vocabulary_file, vocab_size)
    with opened(name, "index_to_string"):
        fill = TextFileStringTableInitializer(
            vocabulary_file, key_column_index, value_column_index, vocab_size, delimiter, name="table_init"
        )
        return StaticHashTable(fill, default_value)


def index_to_string_table_from_tensor(
    vocabulary_list: Any, default_value: Any = "UNK", name: str | None = None
) -> StaticHashTable:
    """A table from positions to the words of a list."""
    if vocabulary_list is None:
        raise ValueError("`vocabulary_list` argument must be specified.")
    with opened(name, "index_to_string") as (b, _):
        words = b.convert(vocabulary_list, dtypes.string)
        keys = cast(range_(size_(words)), dtypes.int64)
        fill = KeyValueTensorInitializer(keys, words, dtypes.int64, dtypes.string, name="table_init")
        return StaticHashTable(fill, default_value)
