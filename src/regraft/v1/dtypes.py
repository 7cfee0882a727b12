"""tf.dtypes: element types, and what converts between them."""

from __future__ import annotations

from regraft.base.dtypes import DType as DType
from regraft.base.dtypes import as_dtype as as_dtype
from regraft.base.dtypes import qint8, qint16, qint32, quint8, quint16
from regraft.v1 import _plain
from regraft.v1._dtypes import *  # noqa: F403  the types themselves
from regraft.v1._math import cast as cast
from regraft.v1._math import complex as complex
from regraft.v1._math import saturate_cast as saturate_cast

QUANTIZED_DTYPES = frozenset({qint8, quint8, qint32, qint16, quint16})

__getattr__ = _plain.attribute_of("dtypes")
