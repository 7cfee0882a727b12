"""What an op's signature says of one node: the types of its inputs and outputs, and whether its attributes fit.

Worked out once an op type, so that a graph of many nodes pays for each type once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from regraft.base.dtypes import DType, as_dtype
from regraft.ir.op_def import ArgDef, OpDef

# A node with more tensors in one list is a damaged or hostile one.
_MOST_TENSORS = 1 << 20

Types = tuple[DType, ...]
InputsAndOutputs = tuple[Types, Types]


class Signature:
    """One OpDef, made ready for reading nodes.

    types     from a NodeDef's attr map to the types of all inputs and all outputs, lists laid out flat
    deciding  names of the attributes that decide them
    defaults  values of the attributes that a node may leave out
    fitting   sets of attribute names that are known to fit this op (see `attributes_fit`)
    """

    __slots__ = ("deciding", "defaults", "definition", "fitting", "required", "types")

    def __init__(self, definition: OpDef) -> None:
        self.definition = definition
        self.defaults: Mapping[str, Any] = {a.name: a.default for a in definition.attrs.values() if a.has_default}
        self.required = frozenset(a.name for a in definition.attrs.values() if not a.has_default)
        self.deciding = _deciding(definition)
        self.types: Callable[[Any], InputsAndOutputs] = _types_of(definition, self.deciding)
        self.fitting: set[frozenset[str]] = set()

    def unknown_attributes(self, names: frozenset[str]) -> list[str]:
        """The attributes that the op does not have; names with a leading underscore belong to nobody and fit."""
        return sorted(n for n in names if n not in self.definition.attrs and not n.startswith("_"))


@cache
def signature_of(definition: OpDef) -> Signature:
    """The Signature of an OpDef."""
    return Signature(definition)


def _deciding(definition: OpDef) -> tuple[str, ...]:
    names: list[str] = []
    for arg in (*definition.inputs, *definition.outputs):
        for name in (arg.number_attr, arg.type_list_attr, "" if arg.type or arg.type_list_attr else arg.type_attr):
            if name and name not in names:
                names.append(name)
    return tuple(names)


def _types_of(definition: OpDef, names: tuple[str, ...]) -> Callable[[Any], InputsAndOutputs]:
    if not names:
        return _fixed(definition)
    if len(names) == 1 and definition.attrs[names[0]].type == "type":
        return _one_type(definition, names[0])
    return _several(definition, names)


def _fixed(definition: OpDef) -> Callable[[Any], InputsAndOutputs]:
    types = (_expand(definition.inputs, {}), _expand(definition.outputs, {}))
    return lambda attr: types


class _ByType(dict[int, InputsAndOutputs]):
    """From the number of a type to the types it leads to, filled as they are met."""

    def __init__(self, definition: OpDef, name: str) -> None:
        self.definition = definition
        self.name = name

    def __missing__(self, enum: int) -> InputsAndOutputs:
        values = {self.name: as_dtype(enum)}
        types = (_expand(self.definition.inputs, values), _expand(self.definition.outputs, values))
        self[enum] = types
        return types


def _one_type(definition: OpDef, name: str) -> Callable[[Any], InputsAndOutputs]:
    known = _ByType(definition, name)
    attr_def = definition.attrs[name]
    default = attr_def.default.enum if attr_def.has_default and attr_def.default is not None else 0

    def types(attr: Any) -> InputsAndOutputs:
        value = attr.get(name)
        return known[default if value is None else value.type]

    return types


def _several(definition: OpDef, names: tuple[str, ...]) -> Callable[[Any], InputsAndOutputs]:
    known: dict[tuple[Any, ...], InputsAndOutputs] = {}
    fields = [(name, definition.attrs[name].type, definition.attrs[name].default) for name in names]

    def types(attr: Any) -> InputsAndOutputs:
        key = []
        for name, kind, default in fields:
            value = attr.get(name)
            if kind == "type":
                key.append(value.type if value is not None else default.enum if default is not None else 0)
            elif kind == "int":
                key.append(value.i if value is not None else default or 0)
            else:
                key.append(tuple(value.list.type) if value is not None else tuple(t.enum for t in default or ()))
        found = known.get(tuple(key))
        if found is None:
            values = {name: _type_or_count(kind, part) for (name, kind, _), part in zip(fields, key, strict=True)}
            found = (_expand(definition.inputs, values), _expand(definition.outputs, values))
            known[tuple(key)] = found
        return found

    return types


def _type_or_count(kind: str, part: Any) -> Any:
    if kind == "int":
        return part
    return as_dtype(part) if kind == "type" else tuple(map(as_dtype, part))


def _expand(args: tuple[ArgDef, ...], values: Mapping[str, Any]) -> Types:
    types: list[DType] = []
    for arg in args:
        if arg.type_list_attr:
            found: Types = values[arg.type_list_attr]
        else:
            one = as_dtype(arg.type) if arg.type else values[arg.type_attr]
            count = values[arg.number_attr] if arg.number_attr else 1
            if count > _MOST_TENSORS:
                raise TypeError(f"{arg.number_attr!r} asks for {count:,} tensors")
            found = (one,) * count
        types.extend(t.ref if arg.is_ref else t for t in found)
    return tuple(types)
