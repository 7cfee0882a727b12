"""tf.nn.rnn_cell: recurrent cells."""

# ruff: noqa: F403  each module names in __all__ what belongs here
from __future__ import annotations

from typing import Any

from regraft.v1._rnn_cells import *
from regraft.v1._rnn_wrappers import *

# What was here before TensorFlow 1.0.
_MOVED = ("EmbeddingWrapper", "InputProjectionWrapper", "OutputProjectionWrapper")


def __getattr__(name: str) -> Any:
    if name in _MOVED:
        from regraft.v1.contrib import _rnn_wrappers

        return getattr(_rnn_wrappers, name)
    if name == "_linear":
        from regraft.v1.contrib._rnn_linear import linear

        return linear
    raise AttributeError(f"module 'tf.nn.rnn_cell' has no attribute {name!r}")
