"""tf.layers: layers with variables, as objects and as functions."""

# ruff: noqa: F403  each module names in __all__ what it gives
from __future__ import annotations

from regraft.v1._layer import InputSpec as InputSpec
from regraft.v1._layer import Layer as Layer
from regraft.v1._layers_conv import *
from regraft.v1._layers_core import *
from regraft.v1._layers_norm import *
from regraft.v1._layers_pool import *
