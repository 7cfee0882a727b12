"""tf.contrib: what TensorFlow 1 kept beside its core, and 2.x dropped. Each module loads with its first use."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

# What TensorFlow 1 had here and Regraft leaves out, with what to do instead.
_LEFT_OUT = {
    "estimator": "Regraft has no tf.estimator: call its model_fn, and run its train_op in a session",
    "learn": "Regraft has no tf.contrib.learn: call its model_fn, and run its train_op in a session",
    "quantize": "rewriting a graph for quantized training is not supported; graphs rewritten already load and run",
    "tpu": "JAX places a graph on a TPU as it stands: build the model without tf.contrib.tpu",
    "cluster_resolver": "Regraft runs in one process: leave the cluster out",
    "distribute": "Regraft runs in one process: build the model without a distribution strategy",
    "eager": "Regraft builds graphs: use sessions",
    "keras": "Regraft has no tf.keras: use tf.layers",
    "tensorrt": "Regraft compiles graphs with XLA: run the graph as it was before the conversion",
}

_ELSEWHERE = {"util": "regraft.v1._tensor_values"}
"""Modules that live outside this package."""


def __getattr__(name: str) -> Any:
    if name in _ELSEWHERE:
        return importlib.import_module(_ELSEWHERE[name])
    if not name.startswith("_") and importlib.util.find_spec(f"{__name__}.{name}") is not None:
        return importlib.import_module(f"{__name__}.{name}")
    reason = _LEFT_OUT.get(name)
    raise AttributeError(f"tf.contrib.{name} is missing in Regraft{': ' + reason if reason else ''}")
