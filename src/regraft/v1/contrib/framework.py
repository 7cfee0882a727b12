"""tf.contrib.framework: arg_scope, variables of models, checkpoints."""

# ruff: noqa: F403  each module names in __all__ what belongs here
from __future__ import annotations

from typing import Any

from regraft.v1 import nest as nest
from regraft.v1._broadcast_weights import remove_squeezable_dimensions as remove_squeezable_dimensions
from regraft.v1._checks import assert_same_float_dtype as assert_same_float_dtype
from regraft.v1._checks import assert_scalar as assert_scalar
from regraft.v1._checks import is_numeric_tensor as is_numeric_tensor
from regraft.v1._graph import is_tensor as is_tensor
from regraft.v1._reduction import argsort as argsort
from regraft.v1._reduction import sort as sort
from regraft.v1._sparse_tensor import convert_to_tensor_or_sparse_tensor as convert_to_tensor_or_sparse_tensor
from regraft.v1.contrib._arg_scope import *
from regraft.v1.contrib._assign_from import *
from regraft.v1.contrib._missing import missing_from
from regraft.v1.contrib._shapes import *
from regraft.v1.contrib._variables import *
from regraft.v1.train import assert_global_step as assert_global_step
from regraft.v1.train import create_global_step as create_global_step
from regraft.v1.train import get_global_step as get_global_step
from regraft.v1.train import get_or_create_global_step as get_or_create_global_step
from regraft.v1.train import init_from_checkpoint as init_from_checkpoint
from regraft.v1.train import list_variables as list_variables
from regraft.v1.train import load_checkpoint as load_checkpoint
from regraft.v1.train import load_variable as load_variable

_missing = missing_from("framework")


def __getattr__(name: str) -> Any:
    if name == "TensorSpec":
        import regraft.v1

        return regraft.v1.TensorSpec
    return _missing(name)
