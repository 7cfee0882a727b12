"""tf.contrib.learn: the names of modes, which models use without its estimators."""

from __future__ import annotations

from regraft.v1.contrib._missing import missing_from

__all__ = ["ModeKeys"]


class ModeKeys:
    """What a model is built for."""

    TRAIN = "train"
    EVAL = "eval"
    INFER = "infer"


__getattr__ = missing_from("learn")
