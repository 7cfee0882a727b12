"""Lookup tables that change while a program runs, and are saved with its variables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from regraft.ir.graph_keys import GraphKeys
from regraft.ir.node import Operation, Tensor
from regraft.saver.saveables import SaveableObject, SaveSpec
from regraft.v1._lookup_tables import LookupInterface, named_only
from regraft.v1._opening import on, opened


class _Saveable(SaveableObject):
    def __init__(self, table: _Mutable, name: str) -> None:
        keys, values = table.export()
        super().__init__(table, [SaveSpec(keys, "", f"{name}-keys"), SaveSpec(values, "", f"{name}-values")], name)

    def restore(self, restored_tensors: Sequence[Tensor], restored_shapes: Sequence[Any] | None) -> Operation:
        handle = self.op.resource_handle
        with opened(f"{self.name}_table_restore", "table_restore") as (b, _), b.graph.colocate_with(handle.op):
            done: Operation = b.LookupTableImportV2(handle, *restored_tensors)
        return done


class _Mutable(LookupInterface):
    """A table from keys to values of one shape.

    default_value  what `lookup` gives for other keys; its shape is that of all values
    checkpoint     whether Savers save it
    """

    def __init__(
        self, key_dtype: Any, value_dtype: Any, default: Tensor, handle: Tensor, name: str, saved: bool
    ) -> None:
        super().__init__(key_dtype, value_dtype)
        self._default = default
        self._handle = handle
        self._name = handle.op.name.split("/")[-1]
        if saved:
            handle.graph.add_to_collection(GraphKeys.SAVEABLE_OBJECTS, _Saveable(self, name))

    @property
    def resource_handle(self) -> Tensor:
        return self._handle

    def size(self, name: str | None = None) -> Any:
        with opened(name, f"{self.name}_Size", self._handle) as (b, _), b.graph.colocate_with(self._handle.op):
            return b.LookupTableSizeV2(self._handle)

    def lookup(  # type: ignore[override]  # as in TensorFlow
        self, keys: Any, dynamic_default_values: Any = None, name: str | None = None
    ) -> Any:
        """The value of each key; that of other keys, if given, stands in `dynamic_default_values`."""
        default = self._default if dynamic_default_values is None else dynamic_default_values
        with opened(name, f"{self.name}_lookup_table_find", self._handle, keys, default) as (b, _):
            keys = b.convert(keys, self._key_dtype, name="keys")
            with b.graph.colocate_with(self._handle.op):
                return b.LookupTableFindV2(self._handle, keys, default)

    def insert(self, keys: Any, values: Any, name: str | None = None) -> Operation:
        """The operation that adds these entries, or changes them."""
        with opened(name, f"{self.name}_lookup_table_insert", self._handle, keys, values) as (b, _):
            keys = b.convert(keys, self._key_dtype, name="keys")
            values = b.convert(values, self._value_dtype, name="values")
            with b.graph.colocate_with(self._handle.op):
                done: Operation = b.LookupTableInsertV2(self._handle, keys, values)
        return done

    def remove(self, keys: Any, name: str | None = None) -> Operation:
        """The operation that takes out these keys. TypeError for keys of another type."""
        if keys.dtype is not self._key_dtype:
            raise TypeError(f"Dtype of argument `keys` must be {self._key_dtype}, received: {keys.dtype}")
        with opened(name, f"{self.name}_lookup_table_remove", self._handle, keys, self._default) as (b, _):
            done: Operation = b.LookupTableRemoveV2(self._handle, keys)
        return done

    def export(self, name: str | None = None) -> tuple[Any, Any]:
        """(keys, values) of all entries."""
        scope = f"{self.name}_lookup_table_export_values"
        with opened(name, scope, self._handle) as (b, _), b.graph.colocate_with(self._handle.op):
            found: tuple[Any, Any] = b.LookupTableExportV2(
                self._handle, Tkeys=self._key_dtype, Tvalues=self._value_dtype
            )
        return found


class MutableHashTable(_Mutable):
    __doc__ = _Mutable.__doc__

    def __init__(
        self,
        key_dtype: Any,
        value_dtype: Any,
        default_value: Any,
        name: str = "MutableHashTable",
        checkpoint: bool = True,
        experimental_is_anonymous: bool = False,
    ) -> None:
        named_only(experimental_is_anonymous)
        b = on(default_value)
        default = b.convert(default_value, value_dtype)
        given = {"use_node_name_sharing": checkpoint, "key_dtype": key_dtype, "value_dtype": value_dtype}
        if default.shape.rank == 0:
            handle = b.MutableHashTableV2(**given, name=name)
        else:
            handle = b.MutableHashTableOfTensorsV2(**given, value_shape=default.shape, name=name)
        super().__init__(key_dtype, value_dtype, default, handle, name, checkpoint)


class DenseHashTable(_Mutable):
    """A table that changes, of any keys but two: `empty_key`, `deleted_key`, which no program uses.

    default_value  what `lookup` gives for other keys; its shape is that of all values
    checkpoint     whether Savers save it
    """

    def __init__(
        self,
        key_dtype: Any,
        value_dtype: Any,
        default_value: Any,
        empty_key: Any,
        deleted_key: Any,
        initial_num_buckets: int | None = None,
        name: str = "MutableDenseHashTable",
        checkpoint: bool = True,
        experimental_is_anonymous: bool = False,
    ) -> None:
        named_only(experimental_is_anonymous)
        b = on(default_value, empty_key, deleted_key)
        default = b.convert(default_value, value_dtype, name="default_value")
        empty = b.convert(empty_key, key_dtype, name="empty_key")
        deleted = b.convert(deleted_key, key_dtype, name="deleted_key")
        handle = b.MutableDenseHashTableV2(
            empty,
            deleted,
            use_node_name_sharing=checkpoint,
            value_dtype=value_dtype,
            value_shape=default.shape,
            initial_num_buckets=initial_num_buckets,
            name=name,
        )
        super().__init__(key_dtype, value_dtype, default, handle, name, checkpoint)

    def erase(self, keys: Any, name: str | None = None) -> Operation:
        """`remove` by its older name."""
        return self.remove(keys, name)
