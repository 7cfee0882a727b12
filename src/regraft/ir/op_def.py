"""Signatures of ops, and the registry that finds one by name.

Every op that TensorFlow knows or once knew is built in (`op_table` holds them as data); `register` adds others at run
time. A graph's own list of ops goes into an `OpRegistry` of its own, above the shared one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np

from regraft.base.errors import AlreadyExistsError
from regraft.ir import op_table
from regraft.ir.attr import TensorValue


@dataclass(frozen=True, slots=True)
class FullType:
    """A node of TensorFlow's "full type" of an output: carried from file to file, never looked into.

    type_id  number of FullTypeId
    attr     str, int or None
    """

    type_id: int
    args: tuple[FullType, ...] = ()
    attr: str | int | None = None


@dataclass(frozen=True, slots=True)
class ArgDef:
    """One formal input or output of an op.

    Its type is `type` (number of a DataType) or, when that is 0, the value of the attr `type_attr`. With
    `number_attr` it is a list of that many tensors; with `type_list_attr` a list of tensors of the types in that attr.
    """

    name: str
    type: int = 0
    type_attr: str = ""
    number_attr: str = ""
    type_list_attr: str = ""
    is_ref: bool = False
    full_type: FullType | None = None

    @property
    def is_list(self) -> bool:
        """Whether the argument stands for a list of tensors, of any length, rather than one."""
        return bool(self.number_attr or self.type_list_attr)


@dataclass(frozen=True, slots=True, eq=False)
class AttrDef:
    """One formal attribute of an op.

    type     "int", "float", "bool", "string", "type", "shape", "tensor", "func" or "list(...)" of one of those
    default  a value as `ir.attr` lists them; None when there is none, and then `has_default` is false
    minimum  least value of an int, or least length of a list; None when unbounded
    allowed  values that a "string" or "type" (or an element of a list of them) may take; None when any will do
    """

    name: str
    type: str
    default: Any = None
    has_default: bool = False
    minimum: int | None = None
    allowed: tuple[Any, ...] | None = None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, AttrDef):
            return NotImplemented
        return (
            (self.name, self.type, self.has_default, self.minimum, self.allowed)
            == (other.name, other.type, other.has_default, other.minimum, other.allowed)
        ) and _same_value(self.default, other.default)

    def __hash__(self) -> int:
        return hash((self.name, self.type, self.has_default, self.minimum))


@dataclass(frozen=True, slots=True)
class OpDef:
    """The signature of an op: what a node of it takes, gives and must say.

    attrs        by name, in the order of the definition
    deprecation  first GraphDef producer version that must not use the op; 0 when it is not deprecated
    """

    name: str
    inputs: tuple[ArgDef, ...] = ()
    outputs: tuple[ArgDef, ...] = ()
    attrs: Mapping[str, AttrDef] = field(default_factory=lambda: MappingProxyType({}))
    is_stateful: bool = False
    is_commutative: bool = False
    is_aggregate: bool = False
    allows_uninitialized_input: bool = False
    is_distributed_communication: bool = False
    control_outputs: tuple[str, ...] = ()
    deprecation: int = 0
    deprecation_explanation: str = ""

    def __hash__(self) -> int:
        return hash(self.name)


class OpRegistry:
    """OpDefs by name: what was registered here, else what the parent knows."""

    __slots__ = ("_defs", "_parent")

    def __init__(self, parent: OpRegistry | None = None) -> None:
        self._defs: dict[str, OpDef] = {}
        self._parent = parent

    def lookup(self, name: str) -> OpDef | None:
        """Return the OpDef of the op `name`, or None when it is unknown here and in the parents."""
        found = self._defs.get(name)
        if found is None and self._parent is not None:
            return self._parent.lookup(name)
        return found

    def register(self, op_def: OpDef) -> None:
        """Add an OpDef. It hides one of the same name in a parent.

        raises AlreadyExistsError if this registry has a different OpDef of that name
        """
        present = self._own(op_def.name)
        if present is not None and present != op_def:
            raise AlreadyExistsError(
                f"op {op_def.name!r} is registered already, with another signature",
                hint="give the new op another name, or register the signature that is there",
            )
        self._defs[op_def.name] = op_def

    def names(self) -> Iterator[str]:
        """Yield the name of each known op once, in no order."""
        yield from self._defs
        if self._parent is not None:
            yield from (name for name in self._parent.names() if name not in self._defs)

    def _own(self, name: str) -> OpDef | None:
        return self._defs.get(name)


class _SharedRegistry(OpRegistry):
    """The registry with the built-in ops, decoded from the table one by one when they are first asked for."""

    __slots__ = ()

    def lookup(self, name: str) -> OpDef | None:
        found = self._defs.get(name)
        if found is None:
            record = op_table.record(name)
            if record is not None:
                found = self._defs[name] = _op_def(name, record)
        return found

    def names(self) -> Iterator[str]:
        builtin = op_table.names()
        yield from builtin
        yield from [name for name in self._defs if name not in builtin]

    _own = lookup


def _same_value(one: Any, other: Any) -> bool:
    if isinstance(one, TensorValue) and isinstance(other, TensorValue):
        return one.dtype is other.dtype and np.array_equal(one.array, other.array)
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(_same_value, one, other))
    return type(one) is type(other) and bool(one == other)


_NO_ARG: list[Any] = ["", 0, "", "", "", 0, None]


def _full_type(record: list[Any]) -> FullType:
    return FullType(record[0], tuple(map(_full_type, record[1])), record[2] if len(record) > 2 else None)


def _arg_def(record: list[Any]) -> ArgDef:
    name, kind, type_attr, number_attr, type_list_attr, is_ref, full_type = record + _NO_ARG[len(record) :]
    return ArgDef(
        name,
        kind,
        type_attr,
        number_attr,
        type_list_attr,
        bool(is_ref),
        _full_type(full_type) if full_type else None,
    )


@cache
def _allowed(kind: str, values: tuple[Any, ...]) -> tuple[Any, ...]:
    found: tuple[Any, ...] = op_table.value(f"list({kind.removeprefix('list(').removesuffix(')')})", values)
    return found


def _attr_def(record: list[Any]) -> AttrDef:
    if len(record) == 2:
        return AttrDef(*record)
    name, kind, more = record
    allowed = _allowed(kind, tuple(more["v"])) if "v" in more else None
    if "d" not in more:
        return AttrDef(name, kind, minimum=more.get("m"), allowed=allowed)
    return AttrDef(name, kind, op_table.value(kind, more["d"]), True, more.get("m"), allowed)


def _op_def(name: str, record: dict[str, Any]) -> OpDef:
    flags = record.get("f", "")
    return OpDef(
        name,
        tuple(map(_arg_def, record.get("i", ()))),
        tuple(map(_arg_def, record.get("o", ()))),
        MappingProxyType({attr[0]: _attr_def(attr) for attr in record.get("a", ())}),
        is_stateful="s" in flags,
        is_commutative="c" in flags,
        is_aggregate="a" in flags,
        allows_uninitialized_input="u" in flags,
        is_distributed_communication="d" in flags,
        control_outputs=tuple(record.get("k", ())),
        deprecation=record.get("x", 0),
    )


REGISTRY: OpRegistry = _SharedRegistry()
"""The ops of the process: the built-in ones and those that the program registered."""

lookup: Callable[[str], OpDef | None] = REGISTRY.lookup
register: Callable[[OpDef], None] = REGISTRY.register
names: Callable[[], Iterator[str]] = REGISTRY.names
