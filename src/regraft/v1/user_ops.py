"""tf.user_ops: the example op that TensorFlow has there."""

from __future__ import annotations

from typing import Any


def my_fact() -> Any:
    """Add a 'Fact' op, whose value is a sentence."""
    from regraft.v1.raw_ops import add_op

    return add_op("Fact", {})
