"""The names and the behaviour of `tensorflow.compat.v1` in graph mode: `import regraft.v1 as tf`.

A module of this package holds a subject; this file only gathers them. Names that are one op and nothing else are made
from a table when they are first used.
"""

# ruff: noqa: F403  each module names in __all__ what belongs to the top level
from __future__ import annotations

import importlib
from typing import Any

from regraft.base import errors as errors
from regraft.base.collector import settle
from regraft.base.errors import OpError as OpError
from regraft.proto import AttrValue as AttrValue
from regraft.proto import ConfigProto as ConfigProto
from regraft.proto import GPUOptions as GPUOptions
from regraft.proto import GraphDef as GraphDef
from regraft.proto import GraphOptions as GraphOptions
from regraft.proto import MetaGraphDef as MetaGraphDef
from regraft.proto import NameAttrList as NameAttrList
from regraft.proto import NodeDef as NodeDef
from regraft.proto import OptimizerOptions as OptimizerOptions
from regraft.proto import RunMetadata as RunMetadata
from regraft.proto import RunOptions as RunOptions
from regraft.proto import TensorInfo as TensorInfo
from regraft.v1 import _plain

# What every program uses comes at once, the other modules with their first use.
from regraft.v1 import nn as nn
from regraft.v1 import train as train
from regraft.v1._array import *
from regraft.v1._assertion import *
from regraft.v1._checks import *
from regraft.v1._clip import *
from regraft.v1._confusion import *
from regraft.v1._control_flow import *
from regraft.v1._dtypes import *
from regraft.v1._einsum import *
from regraft.v1._gradients import *
from regraft.v1._graph import *
from regraft.v1._graph_control import *
from regraft.v1._indexing import *
from regraft.v1._legacy import *
from regraft.v1._linalg import *
from regraft.v1._math import *
from regraft.v1._random import *
from regraft.v1._reduction import *
from regraft.v1._scatter import *
from regraft.v1._session import InteractiveSession as InteractiveSession
from regraft.v1._session import Session as Session
from regraft.v1._variable_scope import *
from regraft.v1._variables import *
from regraft.v1.init_ops import *

_MODULES = frozenset(
    {
        "app",
        "audio",
        "bitwise",
        "compat",
        "config",
        "contrib",
        "data",
        "debugging",
        "distributions",
        "dtypes",
        "feature_column",
        "flags",
        "gfile",
        "graph_util",
        "image",
        "initializers",
        "io",
        "layers",
        "linalg",
        "logging",
        "lookup",
        "losses",
        "manip",
        "math",
        "metrics",
        "nest",
        "profiler",
        "python_io",
        "quantization",
        "queue",
        "random",
        "raw_ops",
        "resource_loader",
        "saved_model",
        "sets",
        "signal",
        "sparse",
        "spectral",
        "strings",
        "summary",
        "sysconfig",
        "test",
        "user_ops",
        "version",
    }
)

# Names of the top level that not every program needs, and the modules where they live; under which name, if another.
_NAMES = {
    "ConditionalAccumulator": "_accumulators",
    "ConditionalAccumulatorBase": "_accumulators",
    "DeviceSpec": "_device_spec",
    "Event": "summary",
    "FIFOQueue": "_queues",
    "FixedLenFeature": "_parsing_features",
    "FixedLenSequenceFeature": "_parsing_features",
    "FixedLengthRecordReader": "_readers",
    "GIT_VERSION": "version",
    "GRAPH_DEF_VERSION": "version",
    "GRAPH_DEF_VERSION_MIN_CONSUMER": "version",
    "GRAPH_DEF_VERSION_MIN_PRODUCER": "version",
    "HistogramProto": "summary",
    "IdentityReader": "_readers",
    "LMDBReader": "_readers",
    "LogMessage": "summary",
    "PaddingFIFOQueue": "_queues",
    "Print": "_print",
    "PriorityQueue": "_queues",
    "QUANTIZED_DTYPES": "dtypes",
    "QueueBase": "_queues",
    "RandomShuffleQueue": "_queues",
    "ReaderBase": "_readers",
    "SessionLog": "summary",
    "SparseConditionalAccumulator": "_accumulators",
    "SparseFeature": "_parsing_features",
    "SparseTensor": "_sparse_tensor",
    "SparseTensorValue": "_sparse_tensor",
    "Summary": "summary",
    "SummaryMetadata": "summary",
    "TFRecordReader": "_readers",
    "TensorArray": "_tensor_array",
    "TensorSpec": "_function",
    "TextLineReader": "_readers",
    "VERSION": "version",
    "VarLenFeature": "_parsing_features",
    "WholeFileReader": "_readers",
    "__git_version__": "version",
    "__version__": "version",
    "add_check_numerics_ops": "_numerics",
    "audio_summary": "_legacy_summary",
    "bincount": "_histograms",
    "constant_value": "_tensor_values",
    "control_flow_v2_enabled": "_behavior",
    "convert_to_tensor_or_sparse_tensor": "_sparse_tensor",
    "custom_gradient": "_custom_gradient",
    "decode_csv": "_parsing",
    "decode_json_example": "_parsing",
    "decode_raw": "_parsing",
    "deserialize_many_sparse": "_sparse_math",
    "dimension_at_index": "compat",
    "dimension_value": "compat",
    "disable_control_flow_v2": "_behavior",
    "disable_tensor_equality": "_behavior",
    "disable_v2_tensorshape": "_behavior",
    "edit_distance": "_ctc",
    "enable_control_flow_v2": "_behavior",
    "enable_tensor_equality": "_behavior",
    "enable_v2_behavior": "_behavior",
    "enable_v2_tensorshape": "_behavior",
    "executing_eagerly_outside_functions": "_behavior",
    "foldl": "_functional",
    "foldr": "_functional",
    "function": "_function",
    "get_logger": "logging",
    "get_static_value": "_tensor_values",
    "grad_pass_through": "_custom_gradient",
    "hessians": "_numerics",
    "histogram_fixed_width": "_histograms",
    "histogram_fixed_width_bins": "_histograms",
    "histogram_summary": "_legacy_summary",
    "image_summary": "_legacy_summary",
    "init_scope": "_behavior",
    "is_non_decreasing": "_numerics",
    "is_strictly_increasing": "_numerics",
    "load_file_system_library": "_libraries",
    "load_library": "_libraries",
    "load_op_library": "_libraries",
    "make_ndarray": "_tensor_values",
    "make_template": "_template",
    "make_tensor_proto": "_tensor_values",
    "map_fn": "_functional",
    "merge_all_summaries": "_legacy_summary",
    "merge_summary": "_legacy_summary",
    "no_gradient": "_gradients.NoGradient",
    "numpy_function": "_py_func",
    "parse_example": "_parsing",
    "parse_single_example": "_parsing",
    "parse_single_sequence_example": "_parsing",
    "print": "_print",
    "py_func": "_py_func",
    "py_function": "_py_func",
    "reduce_join": "_strings",
    "regex_replace": "_strings",
    "scalar_summary": "_legacy_summary",
    "scan": "_functional",
    "serialize_many_sparse": "_sparse_math",
    "serialize_sparse": "_sparse_math",
    "serialize_tensor": "_parsing",
    "sparse_add": "sparse.add",
    "sparse_concat": "sparse.concat",
    "sparse_fill_empty_rows": "sparse.fill_empty_rows",
    "sparse_mask": "sparse.mask",
    "sparse_maximum": "sparse.maximum",
    "sparse_merge": "sparse.merge",
    "sparse_minimum": "sparse.minimum",
    "sparse_placeholder": "sparse.placeholder",
    "sparse_reduce_max": "sparse.reduce_max",
    "sparse_reduce_max_sparse": "sparse.reduce_max_sparse",
    "sparse_reduce_sum": "sparse.reduce_sum",
    "sparse_reduce_sum_sparse": "sparse.reduce_sum_sparse",
    "sparse_reorder": "sparse.reorder",
    "sparse_reset_shape": "sparse.reset_shape",
    "sparse_reshape": "sparse.reshape",
    "sparse_retain": "sparse.retain",
    "sparse_slice": "sparse.slice",
    "sparse_softmax": "sparse.softmax",
    "sparse_split": "sparse.split",
    "sparse_tensor_dense_matmul": "sparse.matmul",
    "sparse_tensor_to_dense": "sparse.to_dense",
    "sparse_to_dense": "_sparse",
    "sparse_to_indicator": "sparse.to_indicator",
    "sparse_transpose": "sparse.transpose",
    "string_join": "strings.join",
    "string_split": "_strings",
    "string_to_hash_bucket": "strings.to_hash_bucket",
    "string_to_number": "strings.to_number",
    "substr": "_strings",
    "verify_tensor_all_finite": "_numerics",
}


settle()  # what was imported stays


def disable_v2_behavior() -> None:
    """Nothing: Regraft is TensorFlow 1."""


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name in _NAMES:
        module, _, attribute = _NAMES[name].partition(".")
        return getattr(importlib.import_module(f"{__name__}.{module}"), attribute or name)
    try:
        return _plain.function(name)
    except AttributeError:
        # Not `from regraft.v1 import _absent`, which would ask here for `_absent` first.
        raise importlib.import_module(f"{__name__}._absent").missing(name) from None
