"""Tables from keys to values, as the ops of `ops/lookup.py` keep them in a session.

Keys are ints, strings (bytes) or tuples of them; values are NumPy arrays of one dtype and shape.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from regraft.base.dtypes import DType
from regraft.base.errors import FailedPreconditionError, InvalidArgumentError, UnimplementedError

KIND = "lookup table"


class Table:
    """A table that lives in a session.

    fixed        it is initialized once and never changes
    value_shape  the shape of each value
    key_shape    the shape of each key
    reserved     keys that stand for no entry
    """

    def __init__(
        self,
        name: str,
        key_dtype: DType,
        value_dtype: DType,
        *,
        fixed: bool = False,
        value_shape: tuple[int, ...] = (),
        key_shape: tuple[int, ...] = (),
        reserved: tuple[tuple[str, Any], ...] = (),
    ) -> None:
        self.name = name
        self.key_dtype = key_dtype.base
        self.value_dtype = value_dtype.base
        self.fixed = fixed
        self.value_shape = value_shape
        self.key_shape = key_shape
        self._reserved = {key_of(value): what for what, value in reserved}
        self._entries: dict[Any, Any] = {}
        self._ready = not fixed
        self._lock = threading.Lock()

    def check_types(self, key: DType, value: DType) -> None:
        """InvalidArgumentError unless the table has these dtypes."""
        if (self.key_dtype, self.value_dtype) != (key.base, value.base):
            raise InvalidArgumentError(
                f"Conflicting key/value dtypes {key.name}->{value.name} with {self.key_dtype.name}-"
                f"{self.value_dtype.name} for table {self.name}"
            )

    def initialize(self, keys: Any, values: Any) -> None:
        """Fill a fixed table. Nothing happens if it was filled before, as in TensorFlow."""
        if not self.fixed:
            raise InvalidArgumentError(f"Table {self.name} is not initializable")
        self._check(keys, values)
        with self._lock:
            if self._ready:
                return
            entries: dict[Any, Any] = {}
            for key, value in self._pairs(keys, values):
                before = entries.setdefault(key, value)
                if not np.array_equal(before, value):
                    raise FailedPreconditionError(
                        f"HashTable has different value for same key. Key {_shown(key)} has {_shown(before)} and "
                        f"trying to add value {_shown(value)}"
                    )
            self._entries, self._ready = entries, True

    def insert(self, keys: Any, values: Any) -> None:
        """Set entries; the last one of a key counts."""
        self._change("Insert")
        self._check(keys, values)
        with self._lock:
            self._entries.update(self._pairs(keys, values))

    def restore(self, keys: Any, values: Any) -> None:
        """Set all entries: others go. A fixed table is initialized by it."""
        if self.fixed:
            self.initialize(keys, values)
            return
        self._check(keys, values)
        with self._lock:
            self._entries = dict(self._pairs(keys, values))

    def remove(self, keys: Any) -> None:
        """Take entries away; keys without one are passed over."""
        self._change("Remove")
        with self._lock:
            for key in self._keys(keys):
                self._entries.pop(key, None)

    def find(self, keys: Any, default: Any) -> Any:
        """The values of the keys, [*keys, *value_shape]; the default (one, or one for each) where there is none."""
        entries = self._known()
        outer = keys.shape[: keys.ndim - len(self.key_shape)]
        shape = outer + self.value_shape
        if default.shape not in (self.value_shape, shape) or (self.fixed and default.size != 1):
            raise InvalidArgumentError(
                f"Expected shape {list(self.value_shape)} or {list(shape)} for default value, got {list(default.shape)}"
            )
        out = np.empty(shape, self.value_dtype.numpy)
        out[...] = default
        flat = out.reshape(-1, *self.value_shape)
        with self._lock:
            for i, key in enumerate(self._keys(keys)):
                value = entries.get(key)
                if value is not None:
                    flat[i] = value
        return flat.reshape(shape)

    def export(self) -> tuple[Any, Any]:
        """All keys and values, in the order in which they were first set."""
        entries = self._known()
        with self._lock:
            keys = np.empty((len(entries), *self.key_shape), self.key_dtype.numpy)
            values = np.empty((len(entries), *self.value_shape), self.value_dtype.numpy)
            for i, (key, value) in enumerate(entries.items()):
                keys[i], values[i] = key, value
        return keys, values

    def __len__(self) -> int:
        return len(self._known())

    def _known(self) -> dict[Any, Any]:
        if not self._ready:
            raise FailedPreconditionError(
                "Table not initialized.", where=(f"table {self.name!r}",), hint="run tf.tables_initializer() first"
            )
        return self._entries

    def _change(self, what: str) -> None:
        if self.fixed:
            raise UnimplementedError(
                f"{what} not supported by InitializableLookupTable implementations", where=(f"table {self.name!r}",)
            )

    def _check(self, keys: Any, values: Any) -> None:
        outer = keys.shape[: keys.ndim - len(self.key_shape)]
        wanted = outer + self.value_shape
        if values.shape != wanted:
            raise InvalidArgumentError(f"Expected shape {list(wanted)} for value, got {list(values.shape)}")

    def _keys(self, keys: Any) -> list[Any]:
        if keys.shape[keys.ndim - len(self.key_shape) :] != self.key_shape:
            raise InvalidArgumentError(f"Expected key shape {list(self.key_shape)} got {list(keys.shape)}")
        if not self.key_shape:
            found: list[Any] = keys.reshape(-1).tolist()
        else:
            found = [key_of(k) for k in keys.reshape(-1, *self.key_shape)]
        if self._reserved:
            for key in found:
                if key in self._reserved:
                    raise InvalidArgumentError(f"Using the {self._reserved[key]} as a table key is not allowed")
        return found

    def _pairs(self, keys: Any, values: Any) -> list[tuple[Any, Any]]:
        return list(zip(self._keys(keys), values.reshape(-1, *self.value_shape), strict=True))


def key_of(value: Any) -> Any:
    """A key in the form in which a table holds it."""
    return tuple(value.tolist()) if np.ndim(value) else value[()]


def _shown(value: Any) -> str:
    item = value.tolist() if isinstance(value, np.ndarray) else value
    return item.decode(errors="replace") if isinstance(item, bytes) else str(item)
