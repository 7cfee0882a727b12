"""The attributes of a node that was read from a file: decoded one by one, when somebody asks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from regraft.base.errors import OpError
from regraft.serde.attr import attr_from_proto
from regraft.serde.node_table import NodeTable

_MISSING: Any = object()


class LazyAttrs(Mapping[str, Any]):
    """A read-only mapping over the `attr` map of a NodeDef, and over the OpDef's defaults for what the node leaves out.

    defaults  by name, the OpDef's default values
    given     values that hold instead of those in the message (a colocation group under a new name)
    """

    __slots__ = ("_decoded", "_node", "_row", "_table", "defaults", "given")

    given: dict[str, Any] | None
    _decoded: dict[str, Any] | None
    _node: Any

    def __init__(self, table: NodeTable, row: int, defaults: Mapping[str, Any]) -> None:
        self._table = table
        self._row = row
        self.defaults = defaults

    def __getattr__(self, name: str) -> Any:
        # Most nodes never need these three: they are None until they are set.
        if name in ("given", "_decoded", "_node"):
            return None
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @property
    def node(self) -> Any:
        """The NodeDef, which nobody changes; the source of a faithful copy (see `serde.node`)."""
        if self._node is None:
            self._node = self._table.node(self._row)
        return self._node

    def __getitem__(self, name: str) -> Any:
        decoded = self._decoded
        if decoded is None:
            decoded = self._decoded = {}
        else:
            value = decoded.get(name, _MISSING)
            if value is not _MISSING:
                return value
        value = self._decode(name)
        decoded[name] = value
        return value

    def _decode(self, name: str) -> Any:
        if self.given is not None and name in self.given:
            return self.given[name]
        message = self.node.attr.get(name)
        if message is None:
            return self.defaults[name]
        try:
            return attr_from_proto(message)
        except OpError as e:
            raise type(e)(e.message, where=(f"attr {name!r} of node {self.node.name!r}",)) from e
        except TypeError as e:
            raise ValueError(f"attr {name!r} of node {self.node.name!r}: {e}") from e

    def give(self, name: str, value: Any) -> None:
        """Let `value` hold in place of what the message says. For whoever reads the node in, before others see it."""
        if self.given is None:
            self.given = {}
        self.given[name] = value
        if self._decoded is not None:
            self._decoded.pop(name, None)

    def __contains__(self, name: object) -> bool:
        if self.given is not None and name in self.given:
            return True
        return name in self.node.attr or name in self.defaults

    def __iter__(self) -> Iterator[str]:
        own = self.node.attr
        yield from own
        if self.given is not None:
            yield from (name for name in self.given if name not in own)
        yield from (name for name in self.defaults if name not in own and not (self.given and name in self.given))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return f"LazyAttrs({dict(self)!r})"
