"""What the state ops refuse, in TensorFlow's words."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import regraft.ops  # noqa: F401  importing it registers every op
from regraft.base.errors import InvalidArgumentError, OpError, OutOfRangeError
from regraft.opkit import registry


def kernel(name: str) -> Callable[..., Any]:
    spec = registry.lookup(name)
    assert spec is not None and spec.kernel is not None
    return spec.kernel


THREE = np.array([1, 2, 3], np.float32)
TWO = np.array([1, 2], np.float32)
OUT = np.array([0, 5])
STEP = np.array([[0], [5]])

REFUSED: list[tuple[str, list[Any], dict[str, Any], type[OpError], str]] = [
    (
        "Assign",
        [TWO, THREE],
        {"validate_shape": True},
        InvalidArgumentError,
        "Assign requires shapes of both tensors to match. lhs shape= [2] rhs shape= [3]",
    ),
    ("AssignAdd", [TWO, THREE], {}, InvalidArgumentError, "Parameters and update must be the same size"),
    ("AssignSub", [TWO, TWO[0]], {}, InvalidArgumentError, "Parameters and update must be the same size"),
    (
        "AssignVariableOp",
        [TWO, THREE],
        {"validate_shape": True},
        InvalidArgumentError,
        "Trying to assign to variable with tensor with wrong shape. Expected [2] got [3]",
    ),
    (
        "AssignAddVariableOp",
        [TWO, THREE],
        {},
        InvalidArgumentError,
        "Cannot update variable with shape [2] using a Tensor with shape [3], shapes must be equal.",
    ),
    ("CountUpTo", [np.int64(7)], {"limit": 7, "T": None}, OutOfRangeError, "Reached limit of 7"),
    ("ResourceCountUpTo", [np.int64(9)], {"limit": 7, "T": None}, OutOfRangeError, "Reached limit of 7"),
    ("ScatterUpdate", [THREE, OUT, TWO], {}, InvalidArgumentError, "indices[1] = 5 is not in [0, 3)"),
    ("ResourceScatterAdd", [THREE, -OUT, TWO], {}, InvalidArgumentError, "indices[1] = -5 is not in [0, 3)"),
    (
        "ScatterAdd",
        [THREE, OUT, THREE],
        {},
        InvalidArgumentError,
        "Must have updates.shape = indices.shape + params.shape[1:] or updates.shape = [], "
        "got updates.shape [3], indices.shape [2], params.shape [3]",
    ),
    ("ScatterDiv", [OUT, OUT % 2, OUT], {}, InvalidArgumentError, "updates must not contain 0"),
    (
        "ScatterNdUpdate",
        [THREE, STEP, TWO],
        {"bad_indices_policy": b""},
        InvalidArgumentError,
        "indices[1] = [5] does not index into shape [3]",
    ),
    (
        "ResourceScatterNdAdd",
        [THREE, STEP, THREE],
        {"bad_indices_policy": b""},
        InvalidArgumentError,
        "Dimensions [0,1) of indices[shape=[2,1]] must match dimensions [0,1) of updates[shape=[3]]",
    ),
    ("ResourceGather", [THREE, STEP], {"batch_dims": 0}, InvalidArgumentError, "indices[1,0] = 5 is not in [0, 3)"),
    (
        "ResourceGatherNd",
        [THREE, STEP],
        {},
        InvalidArgumentError,
        "indices[1] = [5] does not index into param shape [3]",
    ),
    (
        "SparseApplyAdagrad",
        [THREE, THREE, np.float32(0.1), TWO, OUT],
        {"update_slots": True},
        InvalidArgumentError,
        "Index 5 at offset 1 in indices is out of range",
    ),
    (
        "ApplyGradientDescent",
        [THREE, np.float32(0.1), TWO],
        {},
        InvalidArgumentError,
        "var and delta do not have the same shape [3] [2]",
    ),
]


@pytest.mark.parametrize(("name", "inputs", "attrs", "error", "words"), REFUSED, ids=[row[0] for row in REFUSED])
def test_state_ops_refuse(
    name: str, inputs: list[Any], attrs: dict[str, Any], error: type[OpError], words: str
) -> None:
    with pytest.raises(error) as caught:
        kernel(name)(*inputs, **attrs)
    assert words in str(caught.value)
