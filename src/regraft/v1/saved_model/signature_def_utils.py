"""tf.saved_model.signature_def_utils: signatures, which name the inputs and outputs of a graph for its callers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from regraft import proto
from regraft.base.dtypes import as_dtype, float32, string
from regraft.ir.node import Tensor
from regraft.serde.tensor import tensor_to_proto
from regraft.v1.saved_model import signature_constants as keys
from regraft.v1.saved_model._tensor_info import build_tensor_info

__all__ = [
    "build_signature_def",
    "classification_signature_def",
    "is_valid_signature",
    "predict_signature_def",
    "regression_signature_def",
]


def build_signature_def(
    inputs: Mapping[str, Any] | None = None,
    outputs: Mapping[str, Any] | None = None,
    method_name: str | None = None,
    defaults: Mapping[str, Any] | None = None,
) -> Any:
    """A SignatureDef of TensorInfos by key.

    defaults  constant tensors for inputs that a caller may leave out. ValueError for one that is no constant
    """
    signature = proto.SignatureDef()
    for field, infos in ((signature.inputs, inputs), (signature.outputs, outputs)):
        for key, info in (infos or {}).items():
            field[key].CopyFrom(proto.as_ours(info, proto.TensorInfo))
    if method_name is not None:
        signature.method_name = method_name
    for key, default in (defaults or {}).items():
        if not isinstance(default, Tensor) or default.op.type != "Const":
            raise ValueError(f"the default of {key!r} must be a constant tensor, not {default!r}")
        tensor_to_proto(default.op.get_attr("value"), signature.defaults[key])
    return signature


def _infos(tensors: Mapping[str, Any]) -> dict[str, Any]:
    return {key: build_tensor_info(tensor) for key, tensor in tensors.items()}


def predict_signature_def(inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> Any:
    """The signature for prediction: tensors of any kind by key. ValueError where there are none."""
    if not inputs:
        raise ValueError("Prediction `inputs` cannot be None or empty.")
    if not outputs:
        raise ValueError("Prediction `outputs` cannot be None or empty.")
    return build_signature_def(_infos(inputs), _infos(outputs), keys.PREDICT_METHOD_NAME)


def regression_signature_def(examples: Any, predictions: Any) -> Any:
    """The signature for regression: serialized Examples in, float32 predictions out. ValueError for others."""
    _check("Regression", "examples", examples, string)
    _check("Regression", "predictions", predictions, float32)
    return build_signature_def(
        _infos({keys.REGRESS_INPUTS: examples}), _infos({keys.REGRESS_OUTPUTS: predictions}), keys.REGRESS_METHOD_NAME
    )


def classification_signature_def(examples: Any, classes: Any, scores: Any) -> Any:
    """The signature for classification: serialized Examples in, names of classes and float32 scores out.

    raises  ValueError for other dtypes, and where both `classes` and `scores` are None
    """
    _check("Classification", "examples", examples, string)
    if classes is None and scores is None:
        raise ValueError("Classification `classes` and `scores` cannot both be None.")
    outputs = {}
    if classes is not None:
        _check("Classification", "classes", classes, string)
        outputs[keys.CLASSIFY_OUTPUT_CLASSES] = classes
    if scores is not None:
        _check("Classification", "scores", scores, float32)
        outputs[keys.CLASSIFY_OUTPUT_SCORES] = scores
    return build_signature_def(_infos({keys.CLASSIFY_INPUTS: examples}), _infos(outputs), keys.CLASSIFY_METHOD_NAME)


def _check(kind: str, name: str, tensor: Any, dtype: Any) -> None:
    if tensor is None:
        raise ValueError(f"{kind} `{name}` cannot be None.")
    if not isinstance(tensor, Tensor):
        raise ValueError(f"{kind} `{name}` must be a Tensor, not a {type(tensor).__name__}.")
    if tensor.dtype.base is not dtype:
        raise ValueError(f"{kind} `{name}` must be of type {dtype.name}, not {tensor.dtype.name}.")


def is_valid_signature(signature_def: Any) -> bool:
    """Whether TensorFlow Serving can serve a signature."""
    if signature_def is None:
        return False
    inputs = {key: as_dtype(info.dtype) for key, info in signature_def.inputs.items()}
    outputs = {key: as_dtype(info.dtype) for key, info in signature_def.outputs.items()}
    method = signature_def.method_name
    if method == keys.PREDICT_METHOD_NAME:
        return bool(inputs and outputs)
    if method == keys.REGRESS_METHOD_NAME:
        return inputs == {keys.REGRESS_INPUTS: string} and outputs == {keys.REGRESS_OUTPUTS: float32}
    if method == keys.CLASSIFY_METHOD_NAME:
        allowed = {keys.CLASSIFY_OUTPUT_CLASSES: string, keys.CLASSIFY_OUTPUT_SCORES: float32}
        known = all(allowed.get(key) is dtype for key, dtype in outputs.items())
        return inputs == {keys.CLASSIFY_INPUTS: string} and bool(outputs) and known
    return False
