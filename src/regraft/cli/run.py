"""`regraft run`: a script in this process, where the module `tensorflow` is `regraft.v1`."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

_ROOTS = ("tensorflow.compat.v1", "tensorflow.compat.v2", "tensorflow.compat", "tensorflow")


class _Stand(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds `tensorflow` and its submodules: the modules of `regraft.v1` of the same path."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != "tensorflow" and not fullname.startswith("tensorflow."):
            return None
        if self._target(fullname) is None:
            return None
        return importlib.util.spec_from_loader(fullname, self, is_package=True)

    def _target(self, fullname: str) -> str | None:
        for root in _ROOTS:
            if fullname == root:
                return "regraft.v1"
            if fullname.startswith(root + "."):
                name = f"regraft.v1.{fullname[len(root) + 1 :]}"
                try:
                    return name if importlib.util.find_spec(name) is not None else None
                except ModuleNotFoundError:
                    return None
        return None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        target = self._target(spec.name)
        assert target is not None
        module = importlib.import_module(target)
        stand = ModuleType(spec.name, module.__doc__)
        stand.__dict__.update(
            {k: v for k, v in module.__dict__.items() if not k.startswith("__") or k == "__getattr__"}
        )
        return stand

    def exec_module(self, module: ModuleType) -> None:
        """Nothing: `create_module` filled the module."""


def run_script(script: Path, arguments: Sequence[str]) -> None:
    """Run a script as `__main__` with these arguments. Its own errors and exit codes pass through."""
    for name in [m for m in sys.modules if m == "tensorflow" or m.startswith("tensorflow.")]:
        del sys.modules[name]
    sys.meta_path.insert(0, _Stand())
    sys.argv = [str(script), *arguments]
    sys.path.insert(0, str(script.resolve().parent))
    runpy.run_path(str(script), run_name="__main__")
