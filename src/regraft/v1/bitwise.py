"""tf.bitwise: integers as bits; one op each."""

from __future__ import annotations

from regraft.v1 import _plain

__getattr__ = _plain.attribute_of("bitwise")
