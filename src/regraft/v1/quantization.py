"""tf.quantization: values rounded as quantization rounds them. All of it comes from the table."""

from __future__ import annotations

from regraft.v1 import _plain

__getattr__ = _plain.attribute_of("quantization")
