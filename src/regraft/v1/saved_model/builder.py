"""tf.saved_model.builder: a session's graph and variables into a SavedModel."""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from regraft import proto
from regraft.checkpoint import files
from regraft.ir.node import Operation, Tensor
from regraft.metagraph.meta_file import write_proto_file
from regraft.saver.saver import saveable_variables
from regraft.v1 import _context
from regraft.v1._saver import Saver
from regraft.v1.saved_model import constants

__all__ = ["SavedModelBuilder"]

_log = logging.getLogger("regraft")


class SavedModelBuilder:
    """Builds a SavedModel in a folder that is empty, or not there yet.

    First `add_meta_graph_and_variables`, then `add_meta_graph` for each further graph with the same variables, at last
    `save`. AssertionError for a folder that holds something, and for calls out of this order.
    """

    def __init__(self, export_dir: Any) -> None:
        self._export_dir = files.as_text(export_dir)
        self._saved_model = proto.SavedModel(saved_model_schema_version=constants.SAVED_MODEL_SCHEMA_VERSION)
        self._has_variables = False
        self._copied: set[str] = set()
        if files.exists(self._export_dir) and files.files_in(self._export_dir):
            raise AssertionError(
                f"Export directory {self._export_dir} already exists, and isn't empty. Choose another, or remove what "
                "it holds."
            )
        files.make_folders(self._export_dir)

    def add_meta_graph_and_variables(
        self,
        sess: Any,
        tags: Iterable[str],
        signature_def_map: Mapping[str, Any] | None = None,
        assets_collection: Iterable[Any] | None = None,
        legacy_init_op: Any = None,
        clear_devices: bool = False,
        main_op: Any = None,
        strip_default_attrs: bool = False,
        saver: Any = None,
    ) -> None:
        """Add the default graph, and write the session's variables.

        tags               what the graph is for; `load` asks for them
        signature_def_map  SignatureDefs by key
        assets_collection  constant tensors that hold the paths of files, which are copied into the SavedModel
        main_op            the operation to run when the graph is loaded; `legacy_init_op` is its older name
        saver              what writes the variables; a new one for all variables without it

        raises  AssertionError, KeyError for signatures that are none; TypeError for assets and init ops that are none
        """
        if self._has_variables:
            raise AssertionError(
                "Graph state including variables and assets has already been saved. Please invoke `add_meta_graph()` "
                "instead."
            )
        signatures = _checked(signature_def_map or {})
        self._add_collections(assets_collection, main_op or legacy_init_op)
        folder = os.path.join(self._export_dir, constants.VARIABLES_DIRECTORY)
        files.make_folders(folder)
        saver = saver or _new_saver()
        path = os.path.join(folder, constants.VARIABLES_FILENAME)
        saver.save(sess, path, write_meta_graph=False, write_state=False)
        self._add(saver, tags, signatures, clear_devices, strip_default_attrs)
        self._has_variables = True

    def add_meta_graph(
        self,
        tags: Iterable[str],
        signature_def_map: Mapping[str, Any] | None = None,
        assets_collection: Iterable[Any] | None = None,
        legacy_init_op: Any = None,
        clear_devices: bool = False,
        main_op: Any = None,
        strip_default_attrs: bool = False,
        saver: Any = None,
    ) -> None:
        """Add the default graph, whose variables were written before. Arguments as above."""
        if not self._has_variables:
            raise AssertionError(
                "Graph state including variables and assets has not been saved yet. Please invoke "
                "`add_meta_graph_and_variables()` first."
            )
        signatures = _checked(signature_def_map or {})
        self._add_collections(assets_collection, main_op or legacy_init_op)
        self._add(saver or _new_saver(), tags, signatures, clear_devices, strip_default_attrs)

    def save(self, as_text: bool = False) -> str:
        """Write the file of the SavedModel, binary or text; returns its path."""
        name = constants.SAVED_MODEL_FILENAME_PBTXT if as_text else constants.SAVED_MODEL_FILENAME_PB
        path = write_proto_file(self._saved_model, os.path.join(self._export_dir, name), as_text)
        _log.info("SavedModel written to: %s", path)
        return path

    def _add(
        self,
        saver: Any,
        tags: Iterable[str],
        signatures: Mapping[str, Any],
        clear_devices: bool,
        strip_default_attrs: bool,
    ) -> None:
        message = saver.export_meta_graph(clear_devices=clear_devices, strip_default_attrs=strip_default_attrs)
        message.meta_info_def.tags.extend(tags)
        for key, signature in signatures.items():
            message.signature_def[key].CopyFrom(signature)
        self._saved_model.meta_graphs.add().CopyFrom(message)

    def _add_collections(self, assets: Iterable[Any] | None, main_op: Any) -> None:
        graph = _context.get_default_graph()
        sources: dict[str, str] = {}
        for tensor in assets or ():
            source = _asset_path(tensor)
            name = _asset_name(source, sources)
            graph.add_to_collection(constants.ASSETS_KEY, _packed(name, tensor))
            sources[name] = source
        self._copy_assets(sources)
        if main_op is None:
            return
        if not isinstance(main_op, Operation):
            raise TypeError(f"Expected {main_op} to be an Operation but got type {type(main_op)} instead.")
        for key in (constants.MAIN_OP_KEY, constants.LEGACY_INIT_OP_KEY):
            if graph.get_collection(key):
                raise ValueError(f"Graph already contains one or more main ops under the collection {key}.")
        graph.add_to_collection(constants.MAIN_OP_KEY, main_op)

    def _copy_assets(self, sources: Mapping[str, str]) -> None:
        folder = os.path.join(self._export_dir, constants.ASSETS_DIRECTORY)
        if sources:
            files.make_folders(folder)
        for name, source in sources.items():
            target = os.path.join(folder, name)
            if files.exists(source) and source != target and target not in self._copied:
                files.copy(source, target)
                self._copied.add(target)


def _new_saver() -> Saver:
    return Saver(saveable_variables(_context.get_default_graph()), sharded=True, allow_empty=True)


def _checked(signatures: Mapping[str, Any]) -> dict[str, Any]:
    """The signatures as ours. AssertionError for a tensor without name or dtype, KeyError for a reserved key."""
    for key in (constants.INIT_OP_SIGNATURE_KEY, constants.TRAIN_OP_SIGNATURE_KEY):
        if key in signatures:
            raise KeyError(f'SignatureDef map key "{key}" is reserved. Please use a different key.')
    checked = {key: proto.as_ours(value, proto.SignatureDef) for key, value in signatures.items()}
    for signature in checked.values():
        for infos in (signature.inputs, signature.outputs):
            for key, info in infos.items():
                _check_tensor_info(key, info)
    return checked


def _check_tensor_info(key: str, info: Any) -> None:
    kind = info.WhichOneof("encoding")
    if kind is None:
        raise AssertionError(
            f"Invalid `tensor_info` {key!r}: {info}. All TensorInfo protos used in the SignatureDefs must have one of "
            "the 'encoding' fields (e.g., name or coo_sparse) set."
        )
    if kind != "composite_tensor" and not info.dtype:
        raise AssertionError(
            f"Invalid `tensor_info` {key!r}: {info}. All TensorInfo protos used in the SignatureDefs must have the "
            "dtype field set."
        )


def _asset_path(tensor: Any) -> str:
    """The path that a constant tensor holds. TypeError for any other tensor, ValueError for an empty path."""
    if not isinstance(tensor, Tensor):
        raise TypeError(f"Asset path tensor {tensor} must be a Tensor.")
    if tensor.op.type != "Const":
        raise TypeError(f"Asset path tensor {tensor} must be of type constant. Has type {tensor.op.type} instead.")
    value = tensor.op.get_attr("value").array
    if tensor.dtype.name != "string":
        raise TypeError(f"Asset path tensor {tensor} must be of dtype string. Has type {tensor.dtype.name} instead.")
    if value.size != 1:
        raise TypeError(f"Asset path tensor {tensor} must be a scalar.")
    path: str = value.reshape(()).item().decode()
    if not path:
        raise ValueError(f"Asset filepath tensor {tensor} is invalid: it is empty.")
    return path


def _asset_name(source: str, known: Collection[str] | Mapping[str, str]) -> str:
    """The name of an asset in the SavedModel: its own, with a number behind it where another file has that."""
    assert isinstance(known, Mapping)
    base = name = os.path.basename(source)
    if base in known and known[base] != source and files.read_bytes(known[base]) != files.read_bytes(source):
        number = 1
        while name in known:
            name = f"{base}_{number}"
            number += 1
    return name


def _packed(name: str, tensor: Tensor) -> Any:
    """An AssetFileDef in a google.protobuf.Any, under the name that TensorFlow gives it."""
    asset = proto.AssetFileDef(filename=name)
    asset.tensor_info.name = tensor.name
    item = proto.CollectionDef().any_list.value.add()
    item.type_url = "type.googleapis.com/tensorflow.AssetFileDef"
    item.value = asset.SerializeToString()
    return item
