"""tf.initializers."""

from __future__ import annotations

from regraft.v1._variables import global_variables_initializer as global_variables
from regraft.v1._variables import local_variables_initializer as local_variables
from regraft.v1._variables import tables_initializer
from regraft.v1._variables import variables_initializer as variables
from regraft.variables.initializers import Constant as constant
from regraft.variables.initializers import GlorotNormal as glorot_normal
from regraft.variables.initializers import GlorotUniform as glorot_uniform
from regraft.variables.initializers import Identity as identity
from regraft.variables.initializers import Initializer, he_normal, he_uniform, lecun_normal, lecun_uniform
from regraft.variables.initializers import Ones as ones
from regraft.variables.initializers import Orthogonal as orthogonal
from regraft.variables.initializers import RandomNormal as random_normal
from regraft.variables.initializers import RandomUniform as random_uniform
from regraft.variables.initializers import TruncatedNormal as truncated_normal
from regraft.variables.initializers import UniformUnitScaling as uniform_unit_scaling
from regraft.variables.initializers import VarianceScaling as variance_scaling
from regraft.variables.initializers import Zeros as zeros

__all__ = [
    "Initializer",
    "constant",
    "global_variables",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "lecun_normal",
    "lecun_uniform",
    "local_variables",
    "ones",
    "orthogonal",
    "random_normal",
    "random_uniform",
    "tables_initializer",
    "truncated_normal",
    "uniform_unit_scaling",
    "variables",
    "variance_scaling",
    "zeros",
]
