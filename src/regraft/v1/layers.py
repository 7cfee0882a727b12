"""tf.layers: layers with variables, as objects and as functions."""

from __future__ import annotations

from regraft.v1._layer import InputSpec as InputSpec
from regraft.v1._layer import Layer as Layer
from regraft.v1._layers_conv import *  # noqa: F403  its __all__ is this module's
from regraft.v1._layers_core import *  # noqa: F403
from regraft.v1._layers_norm import *  # noqa: F403
from regraft.v1._layers_pool import *  # noqa: F403
