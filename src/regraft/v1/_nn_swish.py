"""tf.nn.swish, which computes its sigmoid again for the gradient."""

from __future__ import annotations

from typing import Any

from regraft.ir.node import Tensor
from regraft.v1._custom_gradient import custom_gradient
from regraft.v1._opening import on

__all__ = ["silu", "swish"]


def swish(features: Any, beta: Any = 1.0) -> Tensor:
    """`features * sigmoid(beta * features)`."""
    import regraft.v1 as tf

    b = on(features)
    features = b.convert(features, name="features")
    beta = tf.cast(b.convert(beta, name="beta"), features.dtype)

    @custom_gradient
    def activated(features: Any, beta: Any) -> Any:
        def gradient(dy: Any) -> Any:
            with tf.control_dependencies([dy]):
                again = tf.sigmoid(beta * features)
            slope = again * (1.0 + (beta * features) * (1.0 - again))
            of_beta = tf.reduce_sum(dy * tf.square(features) * again * (1.0 - again))
            return dy * slope, of_beta

        return features * tf.sigmoid(beta * features), gradient

    result: Tensor = activated(features, beta)
    return result


silu = swish
