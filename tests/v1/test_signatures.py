"""The functions take TensorFlow's arguments, by the same names and in the same order."""

from __future__ import annotations

import inspect
import os
from typing import Any

import pytest

import regraft.v1
from regraft.v1 import _plain
from tests.oracle import available, tensorflow

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

MODULES = (
    "",
    "debugging",
    "distributions",
    "feature_column",
    "image",
    "initializers",
    "linalg",
    "losses",
    "math",
    "metrics",
    "nest",
    "nn",
    "python_io",
    "random",
    "summary",
    "train",
)

# What TensorFlow added for other modes, or what stands in **kwargs here or there.
OTHERS = {"layout", "partial", "bad_indices_policy", "kwargs", "args", "autotune"}
OTHERS |= {"sorted_input", "canonicalized_coordinates", "tile_size", "use_own_namescope_for_non_slot_vars"}

# Made otherwise here, or called by position alone.
APART = {"DType", "as_dtype", "is_variable_initialized"}


def _parameters(function: Any) -> list[str] | None:
    """Names in order; None where they can't be told, as with *args."""
    if inspect.isclass(function):
        function = function.__init__
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters):
        return None
    return [p.name for p in parameters if p.name not in OTHERS and p.name != "self"]


def _pairs(module: str) -> list[tuple[str, Any, Any]]:
    theirs, ours = tensorflow(), regraft.v1
    if module:
        theirs, ours = getattr(theirs, module), getattr(ours, module)
    found = []
    for name in dir(theirs):
        mine = getattr(ours, name, None) if not name.startswith("_") else None
        if callable(mine) and name not in APART:
            found.append((name, mine, getattr(theirs, name)))
    return found


@pytest.mark.skipif(not available(), reason="TensorFlow is not installed")
@pytest.mark.filterwarnings("ignore")  # TensorFlow's
@pytest.mark.parametrize("module", MODULES)
def test_same_parameters(module):
    wrong = {}
    for name, mine, wanted in _pairs(module):
        expected, have = _parameters(wanted), _parameters(mine)
        if expected is None or have is None:
            continue
        if have[: len(expected)] != expected:
            wrong[name] = f"{have} but should be {expected}"
    assert not wrong


def test_the_table_has_a_function_for_every_line():
    for module in ("", "linalg", "nn", "math"):
        for name in _plain.names(module):
            assert callable(_plain.function(f"{module}.{name}" if module else name))
