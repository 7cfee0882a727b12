"""HParams: hyperparameters by name, each of a type that stays, read from strings, dicts and JSON."""

from __future__ import annotations

import json
import numbers
import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

__all__ = ["HParams", "parse_values"]

# One assignment of "name=value", "name=[v, ...]" or "name[index]=value", with the comma behind it.
_ASSIGNMENT = re.compile(
    r"(?P<name>[a-zA-Z][\w.]*)(\[\s*(?P<index>\d+)\s*\])?\s*=\s*((?P<value>[^,\[]*)|\[(?P<values>[^\]]*)\])($|,\s*)"
)


def _unparsed(name: str, kind: Any, value: str, values: str) -> NoReturn:
    raise ValueError(f"Could not parse hparam '{name}' of type '{kind.__name__}' with value '{value}' in {values}")


def _reader(name: str, kind: Any, values: str) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        try:
            if kind is bool:
                return text in ("true", "True") or (text not in ("false", "False") and bool(int(text)))
            return kind(text)
        except ValueError:
            _unparsed(name, kind, text, values)

    return read


def parse_values(values: str, type_map: Mapping[str, Any], ignore_unknown: bool = False) -> dict[str, Any]:
    """The values in a string like "lr=0.1,sizes=[3,4],names[1]=b", each of the type that `type_map` has for its name.

    returns  name -> value, or list of values, or {index: value}
    raises   ValueError for names that are not known (unless told to ignore them), assigned twice, or hold no such value
    """
    found: dict[str, Any] = {}
    at = 0
    while at < len(values):
        match = _ASSIGNMENT.match(values, at)
        if match is None:
            raise ValueError(f"Malformed hyperparameter value: {values[at:]}")
        at = match.end()
        name, index = match["name"], match["index"]
        if name not in type_map:
            if ignore_unknown:
                continue
            raise ValueError(f"Unknown hyperparameter type for {name}")
        read = _reader(name, type_map[name], values)
        if match["value"] is not None and index is not None:
            items = found.setdefault(name, {})
            if not isinstance(items, dict) or int(index) in items:
                raise ValueError(f"Multiple assignments to variable '{name}' in {values}")
            items[int(index)] = read(match["value"])
            continue
        if index is not None:
            raise ValueError(f"Assignment of a list to a list index in {values}: {name}[{index}]")
        if name in found:
            raise ValueError(f"Multiple assignments to variable '{name}' in {values}")
        if match["values"] is not None:
            found[name] = [read(item) for item in filter(None, re.split(r"[ ,]", match["values"]))]
        else:
            found[name] = read(match["value"])
    return found


def _as_type(name: str, kind: Any, value: Any) -> Any:
    """`value` as the type that the hyperparameter has. ValueError where that would change what it says."""
    if issubclass(kind, type(None)):
        return value
    if (
        (issubclass(kind, (str, bytes)) and not isinstance(value, (str, bytes)))
        or issubclass(kind, bool) != isinstance(value, bool)
        or (issubclass(kind, numbers.Integral) and not isinstance(value, numbers.Integral))
        or (issubclass(kind, numbers.Number) and not isinstance(value, numbers.Number))
    ):
        raise ValueError(f"Could not cast hparam '{name}' of type '{kind}' from value {value!r}")
    return kind(value)


class HParams:
    """Hyperparameters as attributes. Each keeps the type of its first value; a list keeps that of its items.

    raises  ValueError for a name that the class itself uses, and for an empty list
    """

    def __init__(self, hparam_def: Any = None, model_structure: Any = None, **kwargs: Any) -> None:
        if hparam_def is not None:
            raise NotImplementedError("HParams(hparam_def=...) is not supported: give the values as keyword arguments")
        self._hparam_types: dict[str, tuple[Any, bool]] = {}
        self._model_structure = model_structure
        for name, value in kwargs.items():
            self.add_hparam(name, value)

    def add_hparam(self, name: str, value: Any) -> None:
        """Add one more."""
        if getattr(self, name, None) is not None:
            raise ValueError(f"Hyperparameter name is reserved: {name}")
        several = isinstance(value, (list, tuple))
        if several and not value:
            raise ValueError(f"Multi-valued hyperparameters cannot be empty: {name}")
        self._hparam_types[name] = (type(value[0]) if several else type(value), several)
        setattr(self, name, value)

    def set_hparam(self, name: str, value: Any) -> None:
        """Replace a value. ValueError for a list where there is none, and the reverse; KeyError for an unknown name."""
        kind, several = self._hparam_types[name]
        if isinstance(value, list):
            if not several:
                raise ValueError(f"Must not pass a list for single-valued parameter: {name}")
            setattr(self, name, [_as_type(name, kind, v) for v in value])
            return
        if several:
            raise ValueError(f"Must pass a list for multi-valued parameter: {name}.")
        setattr(self, name, _as_type(name, kind, value))

    def del_hparam(self, name: str) -> None:
        """Remove one, if it is there."""
        if hasattr(self, name):
            delattr(self, name)
            del self._hparam_types[name]

    def parse(self, values: str) -> HParams:
        """Replace values by those in a string like "lr=0.1,sizes=[3,4],sizes[1]=5"; see `parse_values`."""
        kinds = {name: kind for name, (kind, _) in self._hparam_types.items()}
        return self.override_from_dict(parse_values(values, kinds))

    def override_from_dict(self, values_dict: Mapping[str, Any]) -> HParams:
        """Replace values; a dict replaces items of a list by index."""
        for name, value in values_dict.items():
            if isinstance(value, dict):
                items = list(getattr(self, name))
                for index, item in value.items():
                    items[index] = item
                value = items
            self.set_hparam(name, value)
        return self

    def set_model_structure(self, model_structure: Any) -> None:
        self._model_structure = model_structure

    def get_model_structure(self) -> Any:
        return self._model_structure

    def to_json(self, indent: Any = None, separators: Any = None, sort_keys: bool = False) -> str:
        """The values as JSON; functions are left out."""
        plain = {name: value for name, value in self.values().items() if not callable(value)}
        return json.dumps(plain, indent=indent, separators=separators, sort_keys=sort_keys)

    def parse_json(self, values_json: str) -> HParams:
        """Replace values by those of a JSON object."""
        return self.override_from_dict(json.loads(values_json))

    def values(self) -> dict[str, Any]:
        """All values by name."""
        return {name: getattr(self, name) for name in self._hparam_types}

    def get(self, key: str, default: Any = None) -> Any:
        """A value, or `default` where there is none. ValueError for a default of another type."""
        if key not in self._hparam_types:
            return default
        if default is not None:
            kind, several = self._hparam_types[key]
            if several != isinstance(default, list):
                raise ValueError(f"Hparam '{key}' of type {kind} {'needs' if several else 'must not have'} a list")
            try:
                for item in default if several else [default]:
                    _as_type(key, kind, item)
            except ValueError as e:
                raise ValueError(f"Hparam '{key}' of type '{kind}' is incompatible with default={default}") from e
        return getattr(self, key)

    def __contains__(self, key: str) -> bool:
        return key in self._hparam_types

    def __str__(self) -> str:
        return str(sorted(self.values().items()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self})"
