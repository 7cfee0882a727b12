"""tf.contrib.legacy_seq2seq, which was tf.nn.seq2seq before TensorFlow 1.0: models over lists of tensors."""

# ruff: noqa: F403  each module names in __all__ what belongs here
from __future__ import annotations

from regraft.v1.contrib._legacy_decoders import *
from regraft.v1.contrib._legacy_loss import *
from regraft.v1.contrib._legacy_models import *
from regraft.v1.contrib._missing import missing_from

__getattr__ = missing_from("legacy_seq2seq")
