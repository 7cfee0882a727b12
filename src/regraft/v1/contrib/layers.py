"""tf.contrib.layers: layers as functions, with variables "weights" and "biases" in their own scopes."""

# ruff: noqa: F403  each module names in __all__ what belongs here
from __future__ import annotations

from regraft.v1._nn_embedding_sparse import safe_embedding_lookup_sparse as safe_embedding_lookup_sparse
from regraft.v1.contrib import _layer_parts
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

utils = _layer_parts

__getattr__ = missing_from("layers")
