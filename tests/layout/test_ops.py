"""Every registered op agrees with its OpDef, and every kernel has a row in a table of cases."""

import inspect

import regraft.ops  # noqa: F401  importing it registers every op
from regraft.ir import op_def
from regraft.opkit import registry
from regraft.opkit.py_functions import PY_FUNC_OPS
from tests.ops import tables

SPECS = registry.all_specs()
KERNELS = {name: spec.kernel for name, spec in SPECS.items() if spec.kernel is not None}


def definition(name: str) -> op_def.OpDef:
    return op_def.lookup(name) or op_def.OpDef(name)


def test_kernels_are_registered() -> None:
    assert "MatMul" in KERNELS


def test_every_op_is_one_of_tensorflow() -> None:
    assert [name for name in SPECS if op_def.lookup(name) is None] == []


def test_kernels_take_the_inputs_of_their_op() -> None:
    """A parameter an input; `*inputs` stands for any number of them."""
    differ = {}
    for name, kernel in KERNELS.items():
        takes, inputs = SPECS[name].input_names, [arg.name for arg in definition(name).inputs]
        any_number = any(p.kind is p.VAR_POSITIONAL for p in inspect.signature(kernel).parameters.values())
        if not (len(takes) <= len(inputs) if any_number else len(takes) == len(inputs)):
            differ[name] = (takes, inputs)
    assert differ == {}


def test_kernels_name_attrs_of_their_op() -> None:
    unknown = {name: set(SPECS[name].attr_names) - set(definition(name).attrs) for name in KERNELS}
    assert {name: attrs for name, attrs in unknown.items() if attrs} == {}


def test_inputs_named_on_the_decorator_are_inputs_of_the_op() -> None:
    unknown = {
        name: {*spec.static, *spec.metadata, *spec.reads, *spec.writes, *spec.blind}
        - {arg.name for arg in definition(name).inputs}
        for name, spec in SPECS.items()
    }
    assert {name: inputs for name, inputs in unknown.items() if inputs} == {}


def test_only_written_variables_are_written_blindly() -> None:
    assert [name for name, spec in SPECS.items() if not set(spec.blind) <= set(spec.writes)] == []


def test_every_kernel_has_a_row() -> None:
    """Ops on handles mean nothing alone: tests/runtime runs them together. Abort would end TensorFlow.

    A PyFunc needs a function: tests/v1/test_py_func.py.
    """
    together = {name for name in KERNELS if SPECS[name].objects} | {"Abort", *PY_FUNC_OPS}
    assert sorted(KERNELS.keys() - {case.op for _, case in tables.rows()} - together) == []
