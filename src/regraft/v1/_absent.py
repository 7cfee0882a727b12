"""Names of TensorFlow's API that Regraft leaves out on purpose, and why: for errors, and for the page of the API."""

from __future__ import annotations

_COLUMNS = "columns of the first kind are not part of Regraft: tf.feature_column has the later ones"
_RECORDS = "read records with tf.data or with the queues of tf.train"
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
_SPECS = "it describes types to TensorFlow's own functions"
_HOLDERS = "values that stay in the session between runs are variables here"
_OPERATORS = "linear operators are not part of Regraft yet: multiply by the matrix"
_OBJECTS = "object-based checkpoints are read by name (Saver.restore); tf.train.Saver writes the others"
_GENERATORS = "it belongs to TensorFlow 2: seeded ops and stateless_* draw the numbers"
_QUANTIZE = "it rewrites models, which tf.graph_util does not"
_NEWER = "it came to TensorFlow 2 long after 1.15"
_UNICODE = "its result is a ragged tensor, which is not part of Regraft yet"
_DEVICES = "JAX decides which devices there are"
_PROFILER = "tf.profiler counts parameters; jax.profiler measures time and memory"
_SDCA = "it is a part of tf.estimator"
_QUANTIZED = "kernels for quantized types are not part of Regraft yet; fake_quant_* are"
_LEAST_SQUARES = "least squares are not part of Regraft yet: tf.matrix_solve solves square systems"
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
    "CriticalSection": _TF2,
    "IndexedSlicesSpec": _SPECS,
    "NoneTensorSpec": _SPECS,
    "OptionalSpec": _SPECS,
    "SparseTensorSpec": _SPECS,
    "TensorArraySpec": _SPECS,
    "TypeSpec": _SPECS,
    "type_spec_from_value": _SPECS,
    "delete_session_tensor": _HOLDERS,
    "get_session_handle": _HOLDERS,
    "get_session_tensor": _HOLDERS,
    "nondifferentiable_batch_function": _CLUSTER,
    "is_symbolic_tensor": _EAGER,
    "vectorized_map": _TF2,
    "contrib.linalg": _OPERATORS,
    "linalg.experimental": _OPERATORS,
    "train.Checkpoint": _OBJECTS,
    "train.CheckpointManager": _OBJECTS,
    "train.CheckpointOptions": _OBJECTS,
    "saved_model.save": _OBJECTS,
    "saved_model.load_v2": _OBJECTS,
    "saved_model.SaveOptions": _OBJECTS,
    "saved_model.Asset": _OBJECTS,
    "saved_model.experimental": _OBJECTS,
    "random.Algorithm": _GENERATORS,
    "random.Generator": _GENERATORS,
    "random.create_rng_state": _GENERATORS,
    "random.get_global_generator": _GENERATORS,
    "random.set_global_generator": _GENERATORS,
    "random.experimental": _GENERATORS,
    "random.fold_in": _GENERATORS,
    "random.split": _GENERATORS,
    "quantization.experimental": _QUANTIZE,
    "train.do_quantize_training_on_graphdef": _QUANTIZE,
    "dtypes.experimental": _NEWER,
    "math.approx_max_k": _NEWER,
    "math.approx_min_k": _NEWER,
    "nn.approx_max_k": _NEWER,
    "nn.approx_min_k": _NEWER,
    "math.sobol_sample": _NEWER,
    "signal.fftnd": _NEWER,
    "signal.ifftnd": _NEWER,
    "signal.rfftnd": _NEWER,
    "signal.irfftnd": _NEWER,
    "nn.experimental": _NEWER,
    "math.special": _NEWER,
    "image.generate_bounding_box_proposals": _NEWER,
    "nn.compute_average_loss": _DISTRIBUTE,
    "nn.scale_regularization_loss": _DISTRIBUTE,
    "strings.bytes_split": _UNICODE,
    "strings.ngrams": _UNICODE,
    "strings.unicode_decode": _UNICODE,
    "strings.unicode_decode_with_offsets": _UNICODE,
    "strings.unicode_encode": _UNICODE,
    "strings.unicode_split": _UNICODE,
    "strings.unicode_split_with_offsets": _UNICODE,
    "nn.ctc_unique_labels": _NEWER,
    "config.functions_run_eagerly": _EAGER,
    "config.run_functions_eagerly": _EAGER,
    "config.experimental_run_functions_eagerly": _EAGER,
    "config.experimental_functions_run_eagerly": _EAGER,
    "config.set_visible_devices": _DEVICES,
    "config.set_logical_device_configuration": _DEVICES,
    "config.get_logical_device_configuration": _DEVICES,
    "config.LogicalDeviceConfiguration": _DEVICES,
    "debugging.disable_traceback_filtering": _TF2,
    "debugging.enable_traceback_filtering": _TF2,
    "debugging.is_traceback_filtering_enabled": _TF2,
    "debugging.enable_check_numerics": _TF2,
    "debugging.disable_check_numerics": _TF2,
    "errors.raise_exception_on_not_ok_status": _CPP,
    "data.experimental.dense_to_ragged_batch": _RAGGED,
    "data.experimental.RaggedTensorStructure": _RAGGED,
    "saved_model.signature_def_utils.MethodNameUpdater": _OBJECTS,
    "train.sdca_fprint": _SDCA,
    "train.sdca_optimizer": _SDCA,
    "train.sdca_shrink_l1": _SDCA,
    "config.experimental": _DEVICES,
    "profiler": _PROFILER,
    "quantize": _QUANTIZED,
    "quantize_v2": _QUANTIZED,
    "dequantize": _QUANTIZED,
    "quantization.quantize": _QUANTIZED,
    "quantization.dequantize": _QUANTIZED,
    "quantization.quantize_and_dequantize": _QUANTIZED,
    "quantization.quantize_and_dequantize_v2": _QUANTIZED,
    "variable_creator_scope": "variables are made by get_variable and tf.Variable: a custom_getter changes the former",
    "recompute_grad": "it trades memory for time on an accelerator; XLA rematerializes by itself",
    "switch_case": "it is built of a functional Case op; tf.case is built of conditionals",
    "matrix_solve_ls": _LEAST_SQUARES,
    "linalg.lstsq": _LEAST_SQUARES,
    "linalg.pinv": _LEAST_SQUARES,
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
    "contrib.keras": _KERAS,
    "contrib.layers.real_valued_column": _COLUMNS,
    "contrib.layers.sparse_column_with_hash_bucket": _COLUMNS,
    "contrib.layers.sparse_column_with_integerized_feature": _COLUMNS,
    "contrib.layers.sparse_column_with_keys": _COLUMNS,
    "contrib.layers.bucketized_column": _COLUMNS,
    "contrib.layers.crossed_column": _COLUMNS,
    "contrib.layers.embedding_column": _COLUMNS,
    "contrib.layers.one_hot_column": _COLUMNS,
    "contrib.slim.data": _RECORDS,
    "contrib.slim.data_decoder": _RECORDS,
    "contrib.slim.data_provider": _RECORDS,
    "contrib.slim.dataset": _RECORDS,
    "contrib.slim.dataset_data_provider": _RECORDS,
    "contrib.slim.parallel_reader": _RECORDS,
    "contrib.slim.prefetch_queue": _RECORDS,
    "contrib.slim.tfexample_decoder": "use tf.parse_single_example and tf.image",
    "contrib.slim.nets": "the networks are not part of Regraft; their code runs as it is with tf.contrib.slim",
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
    name = name.removeprefix("compat.v1.")
    if name.startswith("linalg.LinearOperator"):
        return _OPERATORS
    while name:
        if name in _REASONS:
            return _REASONS[name]
        name = name.rpartition(".")[0]
    return ""


def missing(name: str) -> AttributeError:
    """The error for a name that `tf` does not have, with the reason where one is known."""
    why = reason(name)
    return AttributeError(f"tf.{name} is missing in Regraft{': ' + why if why else ''}")
