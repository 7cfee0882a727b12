"""Checkpoints that TF2's `tf.train.Checkpoint` wrote, read by the names that variables had in their program."""

from __future__ import annotations

from regraft import proto
from regraft.base.errors import DataLossError
from regraft.checkpoint import CheckpointReader

_OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"


def object_graph_keys(reader: CheckpointReader) -> dict[str, str]:
    """The checkpoint's key of each variable by its full name; empty when the checkpoint is not object-based."""
    if not reader.has_tensor(_OBJECT_GRAPH):
        return {}
    try:
        graph = proto.parse(reader.get_tensor(_OBJECT_GRAPH).item(), proto.TrackableObjectGraph)
    except (proto.DecodeError, TypeError, ValueError) as e:
        raise DataLossError(
            f"{_OBJECT_GRAPH} is no serialized TrackableObjectGraph: {e}", where=(reader.prefix,)
        ) from e
    return {a.full_name: a.checkpoint_key for node in graph.nodes for a in node.attributes if a.full_name}
