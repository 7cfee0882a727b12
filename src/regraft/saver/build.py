"""The save and restore sub-graph, node for node as TensorFlow builds it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from regraft import proto
from regraft.base.devices import DeviceSpec
from regraft.base.dtypes import string
from regraft.ir.attr import TensorValue
from regraft.ir.graph import Graph
from regraft.ir.node import Operation, Tensor
from regraft.opkit.builder import Builder
from regraft.saver import saveables as _saveables
from regraft.saver.saveables import SaveableObject as Saveable
from regraft.saver.saveables import graph_of, saveables_of
from regraft.variables import PartitionedVariable

V1 = 1
V2 = 2


class BaseSaverBuilder:
    """Builds a Saver's sub-graph with one restore op a tensor. Subclass it to save or restore in another way.

    write_version  the format that `save` writes; files of both are restored
    """

    SaveSpec = _saveables.SaveSpec
    SaveableObject = _saveables.SaveableObject
    VariableSaveable = _saveables.ReferenceVariableSaveable
    ResourceVariableSaveable = _saveables.ResourceVariableSaveable

    def __init__(self, write_version: int = V2) -> None:
        self._write_version = write_version

    def save_op(self, filename_tensor: Tensor, saveables: Sequence[Saveable]) -> Operation:
        """Add the op that writes the saveables to one file."""
        specs = [spec for saveable in saveables for spec in saveable.specs]
        tensors = [spec.tensor for spec in specs]
        names, slices = [s.name for s in specs], [s.slice_spec for s in specs]
        b = Builder(filename_tensor.graph)
        if self._write_version == V1:
            return b.operation("SaveSlices", filename_tensor, names, slices, tensors, name="save")
        if self._write_version == V2:
            return b.operation("SaveV2", filename_tensor, names, slices, tensors)
        raise RuntimeError(f"Unexpected write_version: {self._write_version}")

    def bulk_restore(
        self,
        filename_tensor: Tensor,
        saveables: Sequence[Saveable],
        preferred_shard: int,
        restore_sequentially: bool,
    ) -> list[Tensor]:
        """Add the ops that read the saveables' tensors; the tensors in order of the specs."""
        del preferred_shard, restore_sequentially
        found: list[Tensor] = []
        for saveable in saveables:
            # No device of its own, and none from outside either.
            with filename_tensor.graph.device(cpu_of(saveable.device) if saveable.device else None):
                found.extend(self.restore_op(filename_tensor, saveable, -1))
        return found

    def restore_op(self, filename_tensor: Tensor, saveable: Saveable, preferred_shard: int) -> list[Tensor]:
        """Add the ops that read one saveable's tensors."""
        b = Builder(filename_tensor.graph)
        return [
            b.op("RestoreV2", filename_tensor, [s.name], [s.slice_spec], dtypes=[s.dtype.base])[0]
            for s in saveable.specs
        ]

    def sharded_filename(self, filename_tensor: Tensor, shard: int, num_shards: Tensor) -> Tensor:
        name: Tensor = Builder(filename_tensor.graph).op("ShardedFilename", filename_tensor, shard, num_shards)
        return name

    # The whole sub-graph

    def build(
        self,
        names_to_saveables: Any,
        reshape: bool = False,
        sharded: bool = False,
        max_to_keep: int | None = 5,
        keep_checkpoint_every_n_hours: float = 10000.0,
        name: str | None = None,
        restore_sequentially: bool = False,
        filename: str = "model",
    ) -> Any:
        """Add the sub-graph for a list or dict of what is to be saved; returns its SaverDef. Arguments are Saver's.

        raises  what `saveables_of` raises
        """
        saveables = saveables_of(names_to_saveables)
        graph = graph_of(saveables)
        if graph is None:
            raise ValueError(f"none of these is an element of a graph: {names_to_saveables!r}")
        b = Builder(graph)
        with graph.name_scope("save" if name is None else name):
            filename_tensor = b.op("PlaceholderWithDefault", filename or "model", shape=(), name="filename")
            filename_tensor = b.op("PlaceholderWithDefault", filename_tensor, shape=(), name="Const")
            if sharded:
                groups = self._group_by_devices(saveables)
                if self._write_version == V1:
                    save_tensor = self._sharded_save_v1(filename_tensor, groups)
                else:
                    save_tensor = self._sharded_save(filename_tensor, groups)
                restore = self._sharded_restore(filename_tensor, groups, reshape, restore_sequentially)
            else:
                save_tensor = self._save(filename_tensor, saveables)
                restore = self._restore(filename_tensor, saveables, reshape, restore_sequentially)
        _make_wholes(graph)
        return proto.SaverDef(
            filename_tensor_name=filename_tensor.name,
            save_tensor_name=save_tensor.name,
            restore_op_name=restore.name,
            max_to_keep=max_to_keep or 0,
            sharded=sharded,
            keep_checkpoint_every_n_hours=keep_checkpoint_every_n_hours,
            version=self._write_version,
        )

    def _save(self, filename_tensor: Tensor, saveables: Sequence[Saveable]) -> Tensor:
        save = self.save_op(filename_tensor, saveables)
        return Builder(filename_tensor.graph).with_dependencies([save], filename_tensor)

    def _restore(
        self,
        filename_tensor: Tensor,
        saveables: Sequence[Saveable],
        reshape: bool,
        restore_sequentially: bool,
        preferred_shard: int = -1,
        name: str = "restore_all",
    ) -> Operation:
        graph = filename_tensor.graph
        b = Builder(graph)
        tensors = self.bulk_restore(filename_tensor, saveables, preferred_shard, restore_sequentially)
        assigns: list[Any] = []
        at = 0
        for saveable in saveables:
            shapes = [_target_shape(b, spec) for spec in saveable.specs] if reshape else None
            parts = tensors[at : at + len(saveable.specs)]
            at += len(saveable.specs)
            assigns.append(saveable.restore(parts, shapes))
        return b.group(*assigns, name=name)

    @staticmethod
    def _group_by_devices(saveables: Sequence[Saveable]) -> list[tuple[str, list[Saveable]]]:
        groups: dict[str, list[Saveable]] = {}
        for saveable in saveables:
            devices = {spec.device for spec in saveable.specs}
            if len(devices) != 1:
                raise ValueError(f"All tensors of a saveable object must be on the same device: {saveable.name}")
            groups.setdefault(DeviceSpec.from_string(devices.pop()).to_string(), []).append(saveable)
        return sorted(groups.items())

    def _sharded_save(self, checkpoint_prefix: Tensor, groups: Sequence[tuple[str, list[Saveable]]]) -> Tensor:
        graph = checkpoint_prefix.graph
        b = Builder(graph)
        with graph.device("/device:CPU:*"):
            matches = b.op("StaticRegexFullMatch", checkpoint_prefix, pattern="^s3://.*")
            part = b.op("Select", matches, _text(b, ".part"), _text(b, "_temp/part"))
            temporary = b.op("StringJoin", [checkpoint_prefix, part])
        num_shards = b.constant(len(groups), name="num_shards")
        prefixes, saves = [], []
        for shard, (device, saveables) in enumerate(groups):
            with graph.device(cpu_of(device)):
                name = self.sharded_filename(temporary, shard, num_shards)
                prefixes.append(name)
                saves.append(self._save(name, saveables))
        with graph.control_dependencies([s.op for s in saves]), graph.device(cpu_of(groups[-1][0])):
            merge = b.operation("MergeV2Checkpoints", prefixes, checkpoint_prefix, delete_old_dirs=True)
            with graph.control_dependencies([merge]):
                return b.identity(checkpoint_prefix)

    def _sharded_save_v1(self, filename_tensor: Tensor, groups: Sequence[tuple[str, list[Saveable]]]) -> Tensor:
        graph = filename_tensor.graph
        b = Builder(graph)
        num_shards = b.constant(len(groups), name="num_shards")
        saves = []
        for shard, (device, saveables) in enumerate(groups):
            with graph.device(device):
                saves.append(self._save(self.sharded_filename(filename_tensor, shard, num_shards), saveables))
        with graph.control_dependencies([s.op for s in saves]):
            spec: Tensor = b.op("ShardedFilespec", filename_tensor, num_shards)
        return spec

    def _sharded_restore(
        self,
        filename_tensor: Tensor,
        groups: Sequence[tuple[str, list[Saveable]]],
        reshape: bool,
        restore_sequentially: bool,
    ) -> Operation:
        graph = filename_tensor.graph
        shards = []
        for shard, (device, saveables) in enumerate(groups):
            with graph.device(device):
                shards.append(
                    self._restore(filename_tensor, saveables, reshape, restore_sequentially, shard, "restore_shard")
                )
        return Builder(graph).group(*shards, name="restore_all")


class BulkSaverBuilder(BaseSaverBuilder):
    """The default: one restore op for all tensors of a device."""

    def bulk_restore(
        self,
        filename_tensor: Tensor,
        saveables: Sequence[Saveable],
        preferred_shard: int,
        restore_sequentially: bool,
    ) -> list[Tensor]:
        specs = [spec for saveable in saveables for spec in saveable.specs]
        graph = filename_tensor.graph
        with graph.device("cpu:0"):
            found: list[Tensor] = Builder(graph).op(
                "RestoreV2",
                filename_tensor,
                [s.name for s in specs],
                [s.slice_spec for s in specs],
                dtypes=[s.dtype.base for s in specs],
            )
        return found


def _make_wholes(graph: Graph) -> None:
    """Collections name partitioned variables by a tensor; one that has none yet gets it now."""
    for key in graph.get_all_collection_keys():
        for item in graph.get_collection(key):
            if isinstance(item, PartitionedVariable) and graph.find(item.name) is None:
                item.as_tensor()


def _target_shape(b: Builder, spec: _saveables.SaveSpec) -> Any:
    tensor = spec.tensor
    return tensor.shape if tensor.shape.is_fully_defined() else b.shape(tensor)


def _text(b: Builder, text: str) -> Tensor:
    return b.const(TensorValue(string, np.array(text.encode(), object)))


def cpu_of(device: str) -> str:
    """The first CPU of the task that a device belongs to."""
    spec = DeviceSpec.from_string(device)
    return DeviceSpec(spec.job, spec.replica, spec.task, "CPU", 0).to_string()
