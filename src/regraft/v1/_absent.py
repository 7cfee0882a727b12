"""Names of TensorFlow's API that Regraft leaves out on purpose, and why: for errors, and for the page of the API."""

from __future__ import annotations

_KERAS = "Keras is not part of Regraft yet: build the model with tf.layers or tf.nn"
_ESTIMATOR = "tf.estimator is not part of Regraft yet: call the model_fn, and run its train_op in a session"
_TPU = "Regraft runs a graph on a TPU as it stands, through JAX: build the model without tf.tpu"
_DISTRIBUTE = "Regraft runs in one process: build the model without a distribution strategy"
_CLUSTER = "Regraft runs in one process: there is no cluster"
_EAGER = "Regraft builds graphs, as TensorFlow 1 does: there is no eager mode"
_TF2 = "it belongs to TensorFlow 2"
_RAGGED = "ragged tensors came late to TensorFlow 1, and are not part of Regraft yet"
_CPP = "it says how TensorFlow's C++ was built: Regraft has none"
_DEBUGGER = "the debugger of TensorFlow is not part of Regraft"
_DISPATCH = "it changes how TensorFlow's own functions dispatch"
_LITE = "TensorFlow Lite is not part of Regraft"

_REASONS = {
    "keras": _KERAS,
    "layers.experimental": _KERAS,
    "estimator": _ESTIMATOR,
    "contrib.estimator": _ESTIMATOR,
    "contrib.learn": _ESTIMATOR,
    "contrib.tpu": _TPU,
    "tpu": _TPU,
    "distribute": _DISTRIBUTE,
    "contrib.distribute": _DISTRIBUTE,
    "contrib.cluster_resolver": _CLUSTER,
    "train.Server": _CLUSTER,
    "train.experimental": _TF2,
    "train.SyncReplicasOptimizer": _CLUSTER,
    "test.create_local_cluster": _CLUSTER,
    "config.experimental_connect_to_cluster": _CLUSTER,
    "config.experimental_connect_to_host": _CLUSTER,
    "GradientTape": _EAGER,
    "contrib.eager": _EAGER,
    "function": "tf.function belongs to TensorFlow 2: build the graph directly",
    "wrap_function": _TF2,
    "Module": _TF2,
    "autograph": "AutoGraph rewrites Python source for tf.function, which belongs to TensorFlow 2",
    "experimental": _TF2,
    "types": _TF2,
    "compat.v2": "Regraft has the API of TensorFlow 1",
    "RaggedTensor": _RAGGED,
    "RaggedTensorSpec": _RAGGED,
    "ragged": _RAGGED,
    "ragged_fill_empty_rows": _RAGGED,
    "ragged_fill_empty_rows_grad": _RAGGED,
    "io.RaggedFeature": _RAGGED,
    "lite": _LITE,
    "contrib.lite": _LITE,
    "mlir": _TF2,
    "xla": "programs are compiled with XLA as it is",
    "CXX11_ABI_FLAG": _CPP,
    "CXX_VERSION": _CPP,
    "MONOLITHIC_BUILD": _CPP,
    "COMPILER_VERSION": _CPP,
    "sysconfig.CXX11_ABI_FLAG": _CPP,
    "sysconfig.CXX_VERSION": _CPP,
    "sysconfig.MONOLITHIC_BUILD": _CPP,
    "version.COMPILER_VERSION": _CPP,
    "python.debug": _DEBUGGER,
    "debugging.experimental": _DEBUGGER,
    "python.keras": _KERAS,
    "python.estimator": _ESTIMATOR,
    "python.tpu": _TPU,
    "python.distribute": _DISTRIBUTE,
    "mixed_precision": "mixed precision rewrites graphs for NVIDIA's tensor cores; XLA does so itself",
    "data.experimental.service": _CLUSTER,
    "contrib.quantize": "rewriting a graph for quantized training is not supported; graphs rewritten already run",
    "contrib.tensorrt": "graphs are compiled with XLA: run the graph as it was before the conversion",
    "contrib.graph_editor": "graphs are changed by import_graph_def with an input_map",
    "test.disable_with_predicate": _DISPATCH,
    "test.with_eager_op_as_function": _EAGER,
    "test.experimental": _EAGER,
    "test.is_cpu_target_available": _CPP,
    "compat.forward_compatibility_horizon": "it is a switch for tests of TensorFlow itself",
    "io.gfile.get_registered_schemes": "fsspec brings file systems, and does not say which before they are used",
}


def reason(name: str) -> str:
    """Why `name` ("keras.layers.Dense") or a module above it is left out; "" where nothing is known."""
    while name:
        if name in _REASONS:
            return _REASONS[name]
        name = name.rpartition(".")[0]
    return ""


def missing(name: str) -> AttributeError:
    """The error for a name that `tf` does not have, with the reason where one is known."""
    why = reason(name)
    return AttributeError(f"tf.{name} is missing in Regraft{': ' + why if why else ''}")
