"""What is left of tf.contrib: TensorFlow with the package tf-slim in its old place."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import types
import warnings
from functools import cache
from typing import Any

from tests.oracle.inside import tensorflow


def slim_available() -> bool:
    """Whether TensorFlow, tf-slim and the layers that it needs are installed."""
    return all(importlib.util.find_spec(name) for name in ("tensorflow", "tf_slim", "tf_keras"))


def _complete(tf: Any) -> None:
    """Names that tf-slim takes from modules of TensorFlow that no longer have them."""
    for module, names in {
        "framework.ops": {"Tensor": tf.Tensor, "IndexedSlices": tf.IndexedSlices},
        "ops.array_ops": {"stack": tf.stack, "unstack": tf.unstack},
        "ops.control_flow_ops": {"cond": tf.cond},
        "ops.variable_scope": {"variable": tf.Variable},
    }.items():
        found = importlib.import_module(f"tensorflow.python.{module}")
        for name, value in names.items():
            if not hasattr(found, name):
                setattr(found, name, value)


@cache
def tensorflow_with_contrib() -> Any:
    """`tensorflow.compat.v1` with `tf.contrib.layers`, `framework`, `slim`, `training`, `metrics` and `losses`."""
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    tf = tensorflow()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # TensorFlow looks for them where tf-keras had them once.
        layers = importlib.import_module("tf_keras.src.legacy_tf_layers")
        sys.modules.setdefault("tf_keras.legacy_tf_layers", layers)
        normalization = importlib.import_module("tf_keras.src.legacy_tf_layers.normalization")
        sys.modules.setdefault("tf_keras.legacy_tf_layers.normalization", normalization)
        slim = importlib.import_module("tf_slim")
        _complete(tf)
    framework = types.SimpleNamespace(**{name: getattr(slim, name) for name in dir(slim)})
    for name in ("init_from_checkpoint", "list_variables", "load_variable"):
        setattr(framework, name, getattr(tf.train, name))
    whole = types.ModuleType("tensorflow_with_contrib")
    whole.__dict__.update({name: getattr(tf, name) for name in dir(tf) if not name.startswith("__")})
    setattr(
        whole,
        "contrib",
        types.SimpleNamespace(
            framework=framework,
            layers=importlib.import_module("tf_slim.layers"),
            losses=importlib.import_module("tf_slim.losses"),
            metrics=importlib.import_module("tf_slim.metrics"),
            slim=slim,
            training=importlib.import_module("tf_slim.training.training"),
        ),
    )
    return whole
