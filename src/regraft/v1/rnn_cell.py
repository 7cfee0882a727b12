"""tf.nn.rnn_cell: recurrent cells."""

# ruff: noqa: F403  each module names in __all__ what belongs here
from __future__ import annotations

from regraft.v1._rnn_cells import *
from regraft.v1._rnn_wrappers import *
