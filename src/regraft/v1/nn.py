"""tf.nn: building blocks of neural networks. Those that are one op come from the table."""

# ruff: noqa: F403  each module names in __all__ what it gives
from __future__ import annotations

import importlib
from typing import Any

from regraft.v1 import _plain
from regraft.v1._math import log_sigmoid as log_sigmoid
from regraft.v1._math import sigmoid as sigmoid
from regraft.v1._nn_basic import *
from regraft.v1._nn_conv import *
from regraft.v1._nn_conv import conv2d_transpose as conv2d_transpose
from regraft.v1._nn_embedding import *
from regraft.v1._nn_loss import *
from regraft.v1._nn_norm import *
from regraft.v1._nn_pool import *
from regraft.v1._nn_sampling import *

# Names that not every program needs, and the modules where they live; rnn_cell is one itself.
_NAMES = {
    **dict.fromkeys(("bidirectional_dynamic_rnn", "dynamic_rnn", "raw_rnn"), "_rnn"),
    **dict.fromkeys(("bidirectional_rnn", "rnn", "state_saving_rnn"), "_rnn_static"),
    **dict.fromkeys(("static_bidirectional_rnn", "static_rnn", "static_state_saving_rnn"), "_rnn_static"),
    **dict.fromkeys(("ctc_beam_search_decoder", "ctc_beam_search_decoder_v2", "ctc_greedy_decoder"), "_ctc"),
    **dict.fromkeys(("collapse_repeated", "ctc_loss", "ctc_loss_v2"), "_ctc"),
    **dict.fromkeys(("silu", "swish"), "_nn_swish"),
    **dict.fromkeys(("embedding_lookup_sparse", "safe_embedding_lookup_sparse"), "_nn_embedding_sparse"),
}


def __getattr__(name: str) -> Any:
    if name == "rnn_cell":
        return importlib.import_module("regraft.v1.rnn_cell")
    if name == "seq2seq":  # where it was before TensorFlow 1.0
        return importlib.import_module("regraft.v1.contrib.legacy_seq2seq")
    if name == "deconv2d":  # its name before TensorFlow 0.7
        return conv2d_transpose
    if name in _NAMES:
        return getattr(importlib.import_module(f"regraft.v1.{_NAMES[name]}"), name)
    if name in ("depth_to_space", "space_to_depth", "space_to_batch"):
        from regraft.v1 import _array

        return getattr(_array, name)
    return _plain.function(f"nn.{name}")
