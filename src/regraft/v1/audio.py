"""tf.audio: sound files."""

from __future__ import annotations

from regraft.v1 import _plain

__getattr__ = _plain.attribute_of("audio")
