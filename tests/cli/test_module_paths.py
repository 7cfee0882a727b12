"""The table of TensorFlow's inner modules: what a name leads to there, it leads to here."""

from __future__ import annotations

import sys
from types import FunctionType
from typing import Any

import pytest

import regraft.v1
from regraft.cli import stand_in
from tests.oracle import available, tensorflow


def ours(api_name: str) -> Any:
    """What attributes of regraft.v1 lead to, or None."""
    found: Any = regraft.v1
    for part in api_name.split("."):
        found = getattr(found, part, None)
    return found


def inner(path: str) -> Any:
    line = stand_in._line(path)
    return None if line is None else stand_in.Inner(f"tensorflow.{path}", line)


def exported(module: Any) -> dict[str, list[str]]:
    """The names of what the module itself defines and exports, with their names in the API."""
    found = {}
    for name, value in vars(module).items():
        api_names = getattr(value, "_tf_api_names_v1", ()) if isinstance(value, (type, FunctionType)) else ()
        if api_names and getattr(value, "__module__", None) == module.__name__:
            found[name] = list(api_names)
    return found


@pytest.mark.skipif(not available(), reason="TensorFlow is not installed")
@pytest.mark.filterwarnings("ignore")  # TensorFlow's
def test_names_lead_where_they_lead_in_tensorflow():
    tensorflow()
    right, wrong = 0, []
    for path in [name.removeprefix("tensorflow.") for name in sys.modules if name.startswith("tensorflow.python.")]:
        module = inner(path)
        if module is None or ".gen_" in path or path.endswith("summary_ops_v2"):
            continue  # generated functions are made anew, and tf.contrib.summary is no more
        for name, api_names in exported(sys.modules[f"tensorflow.{path}"]).items():
            wanted = [found for found in map(ours, api_names) if found is not None]
            there = getattr(module, name, None)
            if wanted and there is not None:
                right += 1
                wrong += [] if any(there is w or there == w for w in wanted) else [(path, name, api_names)]
    assert wrong == []
    assert right > 450


def test_every_place_of_the_table_is_a_module():
    for path, line in stand_in._table().items():
        for module in (*line.modules, *(module for module, _ in line.renamed.values())):
            assert stand_in._module(module) is not None, path


def test_generated_functions_take_inputs_then_attributes():
    gen = inner("python.ops.gen_math_ops")
    with regraft.v1.Graph().as_default():
        a = regraft.v1.zeros([2, 3])
        assert gen.mat_mul(a, a, True, name="m").op.get_attr("transpose_a") is True
        assert inner("python.ops.gen_nn_ops")._top_kv2(a, 2).indices.dtype is regraft.v1.int32
        with pytest.raises(AttributeError, match=r"tensorflow.python.ops.gen_math_ops.no_such_op"):
            gen.no_such_op  # noqa: B018


def test_values_of_enums_stand_in_their_modules():
    types = inner("core.framework.types_pb2")
    assert (types.DT_FLOAT, types.DT_STRING, types.DataType.Value("DT_INT32")) == (1, 7, 3)
    with pytest.raises(AttributeError, match="DT_NONE"):
        types.DT_NONE  # noqa: B018
