"""The module `tensorflow` and all below it, as scripts import them: each is `regraft.v1`, a module of it, or made up.

TensorFlow's public modules (`tensorflow`, `tensorflow.compat.v1`, `tensorflow.nn`, ...) are the modules of `regraft.v1`
themselves. Its inner ones (`tensorflow.python.ops.array_ops`) are made up when they are imported: `module_paths.txt`
says where their names are. The messages of `tensorflow.core.*_pb2` are those of `regraft.proto`.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import re
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

_API = "regraft.v1"
_ROOTS = ("tensorflow.compat.v1", "tensorflow")


class _Line(NamedTuple):
    """What the table says of a path: modules to look in, and the (module, name) of names that differ."""

    modules: tuple[str, ...]
    renamed: dict[str, tuple[str, str]]


def _module_name(place: str) -> str:
    if place.startswith("/"):
        return f"regraft.{place[1:]}"
    return _API if place == "." else f"{_API}.{place}"


@cache
def _table() -> dict[str, _Line]:
    lines = {}
    for text in Path(__file__).with_name("module_paths.txt").read_text("utf-8").splitlines():
        if text and not text.startswith("#"):
            path, *places = text.split()
            renamed = {}
            for place in places:
                theirs, equals, ours = place.partition("=")
                if equals:
                    module, _, name = ours.rpartition(":")
                    renamed[theirs] = (_module_name(module), name)
            lines[path] = _Line(tuple(_module_name(p) for p in places if "=" not in p), renamed)
    return lines


def _line(path: str) -> _Line | None:
    """What the table says of a path below `tensorflow`, or the rules for generated modules."""
    table = _table()
    if path in table:
        return table[path]
    parts = path.split(".")
    for length in range(len(parts), 0, -1):
        found = table.get(".".join([*parts[:length], "**"]))
        if found is not None:
            return found
    if re.fullmatch(r"core(\.\w+)*_pb2", path):
        return _Line(("regraft.proto", "regraft.cli.their_enums"), {})
    inner = re.fullmatch(r"contrib\.(\w+)\.python(\..*)?", path)
    if inner is not None and _public(f"contrib.{inner[1]}") is not None:
        return _Line((f"{_API}.contrib.{inner[1]}", _API), {})
    if re.fullmatch(r"python\.ops\.gen_\w+_ops", path):
        return _Line(("regraft.cli.their_ops",), {})
    return None


def _above(path: str) -> _Line | None:
    """A line of nothing for a path that only lies above others."""
    messages = re.fullmatch(r"core(\.\w+)*", path) is not None and "_pb2" not in path
    if messages or any(known.startswith(f"{path}.") for known in _table()):
        return _Line((), {})
    return None


def _public(path: str) -> ModuleType | None:
    """The module of `regraft.v1` that the attributes of this path lead to, or None."""
    module = importlib.import_module(_API)
    for name in filter(None, path.split(".")):
        below = getattr(module, name, None)
        if not isinstance(below, ModuleType) or isinstance(below, Inner):
            return None
        module = below
    return module


class Inner(ModuleType):
    """A module of TensorFlow's that Regraft has no file for: its names are looked up where the table says."""

    def __init__(self, name: str, line: _Line) -> None:
        super().__init__(name, f"Stands for {name}; see regraft.cli.stand_in.")
        self._line = line

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        modules, renamed = self.__dict__["_line"]
        plain = name.removesuffix("_v1").removesuffix("V1")
        places = [renamed[name]] if name in renamed else [(module, n) for n in (name, plain) for module in modules]
        for module, ours in places:
            found = getattr(_module(module), ours, _NOTHING)
            if found is not _NOTHING:
                return found
        below = f"{self.__name__.removeprefix('tensorflow.')}.{name}"
        if below in _table() or _above(below) is not None:
            return importlib.import_module(f"{self.__name__}.{name}")
        raise AttributeError(f"Regraft does not have {self.__name__}.{name}")


_NOTHING = object()


def _module(name: str) -> Any:
    """A module, or what attributes lead to: the table names places that are not files as well."""
    if name.startswith(f"{_API}."):
        found: Any = importlib.import_module(_API)
        for part in name[len(_API) + 1 :].split("."):
            below = getattr(found, part, None)
            found = importlib.import_module(f"{found.__name__}.{part}") if below is None else below
        return found
    return importlib.import_module(name)


class StandIn(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds `tensorflow` and everything below it."""

    def __init__(self) -> None:
        self._specs: dict[str, Any] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """A spec for each module that Regraft stands in for.

        raises  ModuleNotFoundError for the others, real TensorFlow's being no answer
        """
        above, _, name = fullname.rpartition(".")
        if above == _API:  # `from tensorflow import name`, which is no attribute
            if importlib.machinery.PathFinder.find_spec(fullname, path) is None:
                raise ModuleNotFoundError(f"Regraft has no tf.{name}: {_why_not(name)}")
            return None
        if fullname != "tensorflow" and not fullname.startswith("tensorflow."):
            return None
        if self._found(fullname) is None:
            raise ModuleNotFoundError(f"Regraft has no {name!r} in {above!r}: {_why_not(fullname)}")
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def _found(self, fullname: str) -> ModuleType | _Line | None:
        for root in _ROOTS:
            if fullname == root or fullname.startswith(f"{root}."):
                path = fullname[len(root) + 1 :]
                return _line(path) or _public(path) or _above(path)
        return None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        found = self._found(spec.name)
        if isinstance(found, ModuleType):
            self._specs[spec.name] = found.__spec__
            return found
        assert found is not None
        return Inner(spec.name, found)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing is executed. A module of ours keeps the spec that it was imported by."""
        spec = module.__spec__
        assert spec is not None
        if spec.name in self._specs:
            module.__spec__ = self._specs.pop(spec.name)
        if spec.name == "tensorflow":
            importlib.import_module("tensorflow.python")  # for `tf.python.framework.ops`, imported by nobody


def _why_not(fullname: str) -> str:
    from regraft.v1._absent import reason

    path = fullname.removeprefix("tensorflow.").removeprefix("compat.v1.")
    return reason(path) or "docs/api-status.md lists what it has"


def install() -> None:
    """Let `import tensorflow`, from here on, be Regraft in this process."""
    for name in [m for m in sys.modules if m == "tensorflow" or m.startswith("tensorflow.")]:
        del sys.modules[name]
    if not any(isinstance(finder, StandIn) for finder in sys.meta_path):
        sys.meta_path.insert(0, StandIn())
