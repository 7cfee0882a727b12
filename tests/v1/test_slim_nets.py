"""The networks that come with tf-slim make one graph with its own layers and with ours: their code, untouched."""

from __future__ import annotations

import builtins
import functools
import importlib
import importlib.util
import types
from pathlib import Path
from typing import Any

import pytest

import regraft.v1 as ours
from tests.oracle.slim import slim_available, tensorflow_with_contrib
from tests.v1.both import build_ours, build_tensorflow, differences

pytestmark = [
    pytest.mark.skipif(not slim_available(), reason="needs TensorFlow, tf-keras and tf-slim"),
    pytest.mark.filterwarnings("ignore"),  # TensorFlow's
]


def _stand_in(name: str) -> Any:
    """What a network gets of ours for a module that it imports; None for other modules."""
    layers, framework = ours.contrib.layers, ours.contrib.framework
    if name == "tensorflow.compat.v1":
        return ours
    if name in ("tensorflow.python.ops", "tensorflow.python.framework"):
        return types.SimpleNamespace(
            array_ops=ours, init_ops=ours, math_ops=ours, nn_ops=ours.nn, ops=ours, variable_scope=ours
        )
    if name == "tf_slim":
        return types.SimpleNamespace(layers=layers)
    if name == "tf_slim.layers":
        parts = {"layers": layers, "regularizers": layers, "initializers": layers}
        return types.SimpleNamespace(**{**vars(layers), **parts})
    if name.startswith("tf_slim.ops"):
        return types.SimpleNamespace(**{**vars(framework), "variables": framework})
    if name == "tf_slim.nets":
        return types.SimpleNamespace(resnet_utils=_network("resnet_utils"))
    return None


def _import(name: str, *args: Any) -> Any:
    found = _stand_in(name)
    if found is None:
        return builtins.__import__(name, *args)
    return types.SimpleNamespace(compat=types.SimpleNamespace(v1=found)) if not args[2] else found


@functools.cache
def _network(name: str) -> Any:
    """A module of tf-slim's networks that imports our modules instead of its own."""
    spec = importlib.util.find_spec("tf_slim")
    path = Path(spec.submodule_search_locations[0], "nets", f"{name}.py")
    module = types.ModuleType(name)
    module.__dict__["__builtins__"] = {**vars(builtins), "__import__": _import}
    exec(compile(path.read_text("utf-8"), str(path), "exec"), module.__dict__)
    return module


def _alexnet(tf: Any, nets: Any) -> None:
    net = nets("alexnet")
    with tf.contrib.slim.arg_scope(net.alexnet_v2_arg_scope()):
        net.alexnet_v2(tf.placeholder(tf.float32, [2, 224, 224, 3]), num_classes=10)


def _vgg(tf: Any, nets: Any) -> None:
    net = nets("vgg")
    with tf.contrib.slim.arg_scope(net.vgg_arg_scope()):
        _, ends = net.vgg_a(tf.placeholder(tf.float32, [2, 224, 224, 3]), num_classes=10, is_training=False)
    assert "vgg_a/conv1/conv1_1" in ends


def _resnet(tf: Any, nets: Any, version: int) -> None:
    net, utils = nets(f"resnet_v{version}"), nets("resnet_utils")
    block = getattr(net, f"resnet_v{version}_block")
    blocks = [block("block1", base_depth=4, num_units=2, stride=2), block("block2", 8, num_units=2, stride=1)]
    with tf.contrib.slim.arg_scope(utils.resnet_arg_scope()):
        build = getattr(net, f"resnet_v{version}")
        build(tf.placeholder(tf.float32, [2, 65, 65, 3]), blocks, num_classes=10, output_stride=8, scope="small")


def _inception(tf: Any, nets: Any) -> None:
    net = nets("inception_v1")
    with tf.contrib.slim.arg_scope(net.inception_v1_arg_scope()):
        net.inception_v1_base(tf.placeholder(tf.float32, [2, 224, 224, 3]), final_endpoint="Mixed_4b")


NETWORKS = {
    "alexnet_v2": _alexnet,
    "vgg_a": _vgg,
    "resnet_v1": functools.partial(_resnet, version=1),
    "resnet_v2": functools.partial(_resnet, version=2),
    "inception_v1": _inception,
}


@pytest.mark.parametrize("name", NETWORKS)
def test_same_graph(name):
    network = NETWORKS[name]

    def theirs(_: Any) -> None:
        network(tensorflow_with_contrib(), lambda module: importlib.import_module(f"tf_slim.nets.{module}"))

    made = build_ours(ours, lambda tf: network(tf, _network))
    assert not differences(made, build_tensorflow(theirs))
