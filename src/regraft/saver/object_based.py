"""Checkpoints that TF2's `tf.train.Checkpoint` wrote, read by the names that variables had in their program."""

from __future__ import annotations

from regraft import proto
from regraft.checkpoint import CheckpointReader

_OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"


def object_graph_keys(reader: CheckpointReader) -> dict[str, str] | None:
    """The checkpoint key of each variable by its full name; None when the checkpoint is not object-based."""
    if not reader.has_tensor(_OBJECT_GRAPH):
        return None
    data: bytes = reader.get_tensor(_OBJECT_GRAPH).item()
    graph = proto.parse(data, proto.TrackableObjectGraph)
    return {a.full_name: a.checkpoint_key for node in graph.nodes for a in node.attributes if a.full_name}
