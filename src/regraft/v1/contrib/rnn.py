"""tf.contrib.rnn: recurrent cells and networks."""

# ruff: noqa: F403  each module names in __all__ what belongs here
from __future__ import annotations

from regraft.v1._rnn import best_effort_input_batch_size as best_effort_input_batch_size
from regraft.v1._rnn import transpose_batch_time as transpose_batch_time
from regraft.v1._rnn_static import static_bidirectional_rnn as static_bidirectional_rnn
from regraft.v1._rnn_static import static_rnn as static_rnn
from regraft.v1._rnn_static import static_state_saving_rnn as static_state_saving_rnn
from regraft.v1.contrib._missing import missing_from
from regraft.v1.contrib._rnn_blocks import *
from regraft.v1.contrib._rnn_cells import *
from regraft.v1.contrib._rnn_linear import Linear as _Linear  # noqa: F401  programs import it from inside
from regraft.v1.contrib._rnn_linear import linear as _linear  # noqa: F401  # programs take it from here
from regraft.v1.contrib._rnn_rare_cells import *
from regraft.v1.contrib._rnn_stack import *
from regraft.v1.contrib._rnn_wrappers import *
from regraft.v1.rnn_cell import *

__getattr__ = missing_from("rnn")
