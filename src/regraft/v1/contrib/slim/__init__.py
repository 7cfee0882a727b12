"""tf.contrib.slim: layers, variables and argument scopes in one place, and loops for training.

`slim.learning`, `slim.losses` and `slim.metrics` are modules of their own.
"""

# ruff: noqa: F403  each module names in __all__ what belongs here
from __future__ import annotations

from regraft.v1.contrib import layers as layers
from regraft.v1.contrib import losses as losses
from regraft.v1.contrib import metrics as metrics
from regraft.v1.contrib._arg_scope import *
from regraft.v1.contrib._assign_from import *
from regraft.v1.contrib._embedding import *
from regraft.v1.contrib._initializers import *
from regraft.v1.contrib._layers_conv import *
from regraft.v1.contrib._layers_dense import *
from regraft.v1.contrib._layers_norm import *
from regraft.v1.contrib._layers_shape import *
from regraft.v1.contrib._missing import missing_from
from regraft.v1.contrib._optimizers import *
from regraft.v1.contrib._regularizers import *
from regraft.v1.contrib._summaries import *
from regraft.v1.contrib._variables import *
from regraft.v1.contrib.slim import evaluation as evaluation
from regraft.v1.contrib.slim import learning as learning
from regraft.v1.contrib.slim import model_analyzer as model_analyzer
from regraft.v1.contrib.slim import queues as queues
from regraft.v1.contrib.slim import summaries as summaries
from regraft.v1.train import assert_global_step as assert_global_step
from regraft.v1.train import create_global_step as create_global_step
from regraft.v1.train import get_global_step as get_global_step
from regraft.v1.train import get_or_create_global_step as get_or_create_global_step

utils = layers.utils
initializers = layers
regularizers = layers

__getattr__ = missing_from("slim")
