"""tf.contrib.seq2seq: decoders, attention, beam search."""

# ruff: noqa: F403  each module names in __all__ what belongs here
from __future__ import annotations

from regraft.v1.contrib._attention import *
from regraft.v1.contrib._attention_wrapper import *
from regraft.v1.contrib._beam_search import *
from regraft.v1.contrib._beam_step import *
from regraft.v1.contrib._decoder import *
from regraft.v1.contrib._decoder_fns import *
from regraft.v1.contrib._decoder_inputs import *
from regraft.v1.contrib._decoder_scheduled import *
from regraft.v1.contrib._missing import missing_from
from regraft.v1.contrib._sampling import *
from regraft.v1.contrib._sequence_loss import *

__getattr__ = missing_from("seq2seq")
