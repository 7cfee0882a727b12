"""Lookup tables: fixed ones, filled once from tensors or from a vocabulary file, and ones that change."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base.dtypes import DType
from regraft.base.errors import NotFoundError
from regraft.base.shapes import TensorShape
from regraft.checkpoint import files
from regraft.opkit.hash_tables import KIND, Table
from regraft.opkit.input_files import located, missing
from regraft.opkit.registry import Runs, op
from regraft.opkit.resources import ResourceHandle, found, made, shared
from regraft.opkit.shapes import ShapeContext, Sizes, no_outputs, scalar, unknown
from regraft.opkit.vocabulary import read_entries


def _pair(c: ShapeContext) -> list[Sizes]:
    return [(2,)]


def _table(session: Any, handle: Any) -> Table:
    return found(session, handle, KIND, Table)


def _made(
    session: Any, node: str, container: bytes, shared_name: bytes, key: DType, value: DType, **options: Any
) -> ResourceHandle:
    name = shared(container, shared_name, node)
    handle = made(session, KIND, name, lambda: Table(name, key, value, **options))
    _table(session, handle).check_types(key, value)
    return handle


def _register(name: str, shape: Any, **fixed: Any) -> None:
    @op(name, shape=shape, runs=Runs.HOST, session=True, no_gradient="a handle")
    def kernel(
        *, container: bytes, shared_name: bytes, key_dtype: DType, value_dtype: DType, session: Any, node: str
    ) -> Any:
        """The handle of a table with scalar keys and values."""
        return _made(session, node, container, shared_name, key_dtype, value_dtype, **fixed)


_register("HashTable", _pair, fixed=True)
_register("HashTableV2", scalar, fixed=True)
_register("MutableHashTable", _pair)
_register("MutableHashTableV2", scalar)


def _register_of_tensors(name: str, shape: Any) -> None:
    @op(name, shape=shape, runs=Runs.HOST, session=True, no_gradient="a handle")
    def kernel(
        *,
        container: bytes,
        shared_name: bytes,
        key_dtype: DType,
        value_dtype: DType,
        value_shape: Any,
        session: Any,
        node: str,
    ) -> Any:
        """The handle of a table whose values are vectors."""
        sizes = tuple(TensorShape(value_shape).as_list())
        return _made(session, node, container, shared_name, key_dtype, value_dtype, value_shape=sizes)


_register_of_tensors("MutableHashTableOfTensors", _pair)
_register_of_tensors("MutableHashTableOfTensorsV2", scalar)


@op("MutableDenseHashTableV2", shape=scalar, runs=Runs.HOST, session=True, no_gradient="a handle")
def mutable_dense_hash_table_v2(
    empty_key: Any,
    deleted_key: Any,
    *,
    container: bytes,
    shared_name: bytes,
    key_dtype: DType,
    value_dtype: DType,
    value_shape: Any,
    session: Any,
    node: str,
) -> Any:
    """The handle of a table that takes any key but two.

    differs  an export has the entries alone, not the empty places between them
    """
    return _made(
        session,
        node,
        container,
        shared_name,
        key_dtype,
        value_dtype,
        value_shape=tuple(TensorShape(value_shape).as_list()),
        key_shape=empty_key.shape,
        reserved=(("empty_key", empty_key), ("deleted_key", deleted_key)),
    )


@op("InitializeTable", "InitializeTableV2", shape=no_outputs, runs=Runs.HOST, session=True)
def initialize_table(table_handle: Any, keys: Any, values: Any, *, session: Any) -> None:
    """Fill a fixed table. FailedPreconditionError for a key with two values."""
    _table(session, table_handle).initialize(keys, values)


@op("InitializeTableFromTextFile", "InitializeTableFromTextFileV2", shape=no_outputs, runs=Runs.HOST, session=True)
def initialize_table_from_text_file(
    table_handle: Any,
    filename: Any,
    *,
    key_index: int,
    value_index: int,
    vocab_size: int,
    delimiter: bytes,
    offset: int,
    session: Any,
) -> None:
    """Fill a fixed table from the lines of a file; see `opkit.vocabulary`. NotFoundError if there is no such file."""
    table = _table(session, table_handle)
    item: Any = np.asarray(filename)[()]
    path = files.as_text(item)
    try:
        content = files.read_bytes(located(session, path))
    except NotFoundError as e:
        raise missing(
            path,
            "feed another to the tensor that holds the filename, for instance "
            "session.run(tf.tables_initializer(), {filename_tensor: path}); those of a file are in the collection "
            "tf.GraphKeys.ASSET_FILEPATHS",
        ) from e
    lines = content.split(b"\n")
    if not lines[-1]:
        lines.pop()
    keys, values = read_entries(
        [line.removesuffix(b"\r") for line in lines],
        path,
        (key_index, table.key_dtype),
        (value_index, table.value_dtype),
        size=vocab_size,
        delimiter=delimiter,
        offset=offset,
    )
    table.initialize(keys, values)


def _value_shape(c: ShapeContext) -> Sizes:
    """The shape of the values of the table that input 0 is the handle of, where TensorFlow knows it."""
    node = c.tensor(0).op
    if node.type == "MutableHashTableV2":
        return ()
    if node.type in ("MutableHashTableOfTensorsV2", "MutableDenseHashTableV2"):
        return TensorShape(node.attrs["value_shape"]).sizes
    return None


def _key_rank(c: ShapeContext) -> int | None:
    node = c.tensor(0).op
    if node.type != "MutableDenseHashTableV2":
        return 0
    return node.inputs[0].shape.rank


def _found_shape(c: ShapeContext) -> list[Sizes]:
    values, keys, rank = _value_shape(c), c.input(1), _key_rank(c)
    if values is None or keys is None or rank is None:
        return [None]
    return [keys[: len(keys) - rank] + values]


@op("LookupTableFind", shape=unknown, runs=Runs.HOST, session=True)
def lookup_table_find(table_handle: Any, keys: Any, default_value: Any, *, session: Any) -> Any:
    """The values of the keys, the default where there is none. FailedPreconditionError for a table not initialized."""
    return _table(session, table_handle).find(keys, default_value)


@op("LookupTableFindV2", shape=_found_shape, runs=Runs.HOST, session=True)
def lookup_table_find_v2(table_handle: Any, keys: Any, default_value: Any, *, session: Any) -> Any:
    """The values of the keys, the default where there is none. FailedPreconditionError for a table not initialized."""
    return _table(session, table_handle).find(keys, default_value)


@op("LookupTableInsert", "LookupTableInsertV2", shape=no_outputs, runs=Runs.HOST, session=True)
def lookup_table_insert(table_handle: Any, keys: Any, values: Any, *, session: Any) -> None:
    """Set entries."""
    _table(session, table_handle).insert(keys, values)


@op("LookupTableImport", "LookupTableImportV2", shape=no_outputs, runs=Runs.HOST, session=True)
def lookup_table_import(table_handle: Any, keys: Any, values: Any, *, session: Any) -> None:
    """Set all entries: those that were there go. A fixed table is initialized by it."""
    _table(session, table_handle).restore(keys, values)


@op("LookupTableRemoveV2", shape=no_outputs, runs=Runs.HOST, session=True)
def lookup_table_remove_v2(table_handle: Any, keys: Any, *, session: Any) -> None:
    """Take entries away."""
    _table(session, table_handle).remove(keys)


@op("LookupTableExport", shape=lambda c: [(None,), None], runs=Runs.HOST, session=True)
def lookup_table_export(table_handle: Any, *, session: Any) -> Any:
    """All keys and values.

    differs  they stand in the order in which they were set; TensorFlow's order has no meaning
    """
    return _table(session, table_handle).export()


@op("LookupTableExportV2", shape=unknown, runs=Runs.HOST, session=True)
def lookup_table_export_v2(table_handle: Any, *, session: Any) -> Any:
    """All keys and values.

    differs  they stand in the order in which they were set; TensorFlow's order has no meaning
    """
    return _table(session, table_handle).export()


@op("LookupTableSize", "LookupTableSizeV2", shape=scalar, runs=Runs.HOST, session=True)
def lookup_table_size(table_handle: Any, *, session: Any) -> Any:
    """The number of entries, int64."""
    return np.array(len(_table(session, table_handle)), np.int64)
