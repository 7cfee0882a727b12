"""`tf`: what TensorFlow does as well runs twice, so that TensorFlow itself says that the expectations are right."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests import oracle


@pytest.fixture(
    params=[
        "regraft",
        pytest.param(
            "tensorflow",
            marks=[
                pytest.mark.skipif(not oracle.available(), reason="TensorFlow is not installed"),
                pytest.mark.filterwarnings("ignore"),  # TensorFlow's
            ],
        ),
    ]
)
def tf(request: pytest.FixtureRequest) -> Iterator[Any]:
    """`regraft.v1`, then `tensorflow.compat.v1`, with a fresh default graph."""
    module = importlib.import_module("regraft.v1") if request.param == "regraft" else oracle.tensorflow()
    with module.Graph().as_default():
        yield module


@pytest.fixture
def rg() -> Iterator[Any]:
    """`regraft.v1` with a fresh default graph, for what is better here than in TensorFlow."""
    module = importlib.import_module("regraft.v1")
    with module.Graph().as_default():
        yield module


@pytest.fixture
def variables() -> Callable[..., Any]:
    """`variables(tf, a=[1.0], b=2)` makes variables of these names; `resource=True` for resource variables."""

    def make(tf: Any, resource: bool = False, **values: Any) -> list[Any]:
        return [tf.Variable(value, name=name, use_resource=resource) for name, value in values.items()]

    return make


@pytest.fixture
def session() -> Callable[[Any], Any]:
    """`session(tf)` opens a session on the default graph, its variables initialized."""

    def start(tf: Any) -> Any:
        sess = tf.Session(config=tf.ConfigProto(device_count={"CPU": 2}))
        sess.run(tf.global_variables_initializer())
        return sess

    return start
