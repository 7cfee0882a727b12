"""tf.feature_column: features as inputs of models."""

# ruff: noqa: F403  each module names in __all__ what belongs here
from __future__ import annotations

from regraft.v1._feature_categorical import *
from regraft.v1._feature_dense import *
from regraft.v1._feature_models import *
