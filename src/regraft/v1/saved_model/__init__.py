"""tf.saved_model: graphs with their variables, assets and signatures in one folder, written and read."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from regraft.v1.saved_model import builder as builder
from regraft.v1.saved_model import constants as constants
from regraft.v1.saved_model import loader as loader
from regraft.v1.saved_model import main_op as main_op
from regraft.v1.saved_model import signature_constants as signature_constants
from regraft.v1.saved_model import signature_def_utils as signature_def_utils
from regraft.v1.saved_model import tag_constants as tag_constants
from regraft.v1.saved_model._tensor_info import build_tensor_info as build_tensor_info
from regraft.v1.saved_model._tensor_info import get_tensor_from_tensor_info as get_tensor_from_tensor_info
from regraft.v1.saved_model.builder import SavedModelBuilder as Builder
from regraft.v1.saved_model.loader import load as load
from regraft.v1.saved_model.loader import maybe_saved_model_directory as maybe_saved_model_directory
from regraft.v1.saved_model.main_op import main_op_with_restore as main_op_with_restore
from regraft.v1.saved_model.signature_def_utils import build_signature_def as build_signature_def
from regraft.v1.saved_model.signature_def_utils import classification_signature_def as classification_signature_def
from regraft.v1.saved_model.signature_def_utils import is_valid_signature as is_valid_signature
from regraft.v1.saved_model.signature_def_utils import predict_signature_def as predict_signature_def
from regraft.v1.saved_model.signature_def_utils import regression_signature_def as regression_signature_def

contains_saved_model = maybe_saved_model_directory

_CONSTANTS = (constants, signature_constants, tag_constants)


def simple_save(
    session: Any, export_dir: Any, inputs: Mapping[str, Any], outputs: Mapping[str, Any], legacy_init_op: Any = None
) -> None:
    """Write the session's graph and variables, tagged for serving, with one signature for prediction.

    inputs, outputs  tensors by key
    legacy_init_op   the operation to run when it is loaded
    """
    import regraft.v1 as tf

    made = Builder(export_dir)
    signature = predict_signature_def(inputs, outputs)
    made.add_meta_graph_and_variables(
        session,
        tags=[tag_constants.SERVING],
        signature_def_map={signature_constants.DEFAULT_SERVING_SIGNATURE_DEF_KEY: signature},
        assets_collection=tf.get_collection(tf.GraphKeys.ASSET_FILEPATHS),
        main_op=legacy_init_op,
        clear_devices=True,
    )
    made.save()


def __getattr__(name: str) -> Any:
    if name == "utils":
        return _module("_tensor_info")
    if name.isupper():
        for module in _CONSTANTS:
            if hasattr(module, name):
                return getattr(module, name)
    raise AttributeError(f"tf.saved_model.{name} is missing in Regraft")


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"{__name__}.{name}")
