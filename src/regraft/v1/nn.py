"""tf.nn: building blocks of neural networks. Those that are one op come from the table."""

from __future__ import annotations

from typing import Any

from regraft.v1 import _plain
from regraft.v1._math import log_sigmoid as log_sigmoid
from regraft.v1._math import sigmoid as sigmoid
from regraft.v1._nn_basic import *  # noqa: F403  its __all__ is this module's
from regraft.v1._nn_conv import *  # noqa: F403
from regraft.v1._nn_embedding import *  # noqa: F403
from regraft.v1._nn_loss import *  # noqa: F403
from regraft.v1._nn_norm import *  # noqa: F403
from regraft.v1._nn_pool import *  # noqa: F403
from regraft.v1._nn_sampling import *  # noqa: F403


def __getattr__(name: str) -> Any:
    if name in ("depth_to_space", "space_to_depth", "space_to_batch"):
        from regraft.v1 import _array

        return getattr(_array, name)
    return _plain.function(f"nn.{name}")
