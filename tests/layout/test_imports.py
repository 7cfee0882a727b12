"""What importing Regraft loads, each case in a fresh interpreter."""

import subprocess
import sys

IMPORT_ALL = """
import importlib, pkgutil, sys
import regraft
for module in pkgutil.walk_packages(regraft.__path__, "regraft."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
print(*sys.modules)
"""


def modules_after(code: str) -> set[str]:
    """Return the names of modules that `code` prints."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], check=False, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_importing_every_module_loads_neither_jax_nor_tensorflow() -> None:
    loaded = modules_after(IMPORT_ALL)
    assert "regraft" in loaded
    assert loaded & {"jax", "jaxlib", "tensorflow"} == set()


def test_importing_regraft_loads_no_protobuf() -> None:
    loaded = modules_after("import sys, regraft; print(*sys.modules)")
    assert "regraft" in loaded
    assert "google.protobuf" not in loaded
