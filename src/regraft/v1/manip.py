"""tf.manip: moving elements about. Those that are one op come from the table."""

from __future__ import annotations

from regraft.v1 import _plain
from regraft.v1._array import reshape as reshape
from regraft.v1._array import roll as roll
from regraft.v1._indexing import gather_nd as gather_nd

__all__ = [
    "gather_nd",
    "reshape",
    "roll",
]

__getattr__ = _plain.attribute_of("manip")
