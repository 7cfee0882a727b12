"""tf.contrib.tensorboard.plugins.projector: which variables TensorBoard shows as clouds of points."""

from __future__ import annotations

import os
from typing import Any

from regraft import proto
from regraft.checkpoint import files

__all__ = ["EmbeddingInfo", "ProjectorConfig", "SpriteMetadata", "visualize_embeddings"]

EmbeddingInfo: Any = proto.EmbeddingInfo
ProjectorConfig: Any = proto.ProjectorConfig
SpriteMetadata: Any = proto.SpriteMetadata


def visualize_embeddings(summary_writer: Any, config: Any) -> None:
    """Write `projector_config.pbtxt` into the folder of a FileWriter (or into a folder).

    config  a ProjectorConfig; without checkpoint, TensorBoard takes the newest in the folder
    raises  ValueError where the writer has no folder
    """
    folder = summary_writer.get_logdir() if hasattr(summary_writer, "get_logdir") else summary_writer
    if not folder:
        raise ValueError("Summary writer must have a logdir")
    # TensorBoard's own class has another package than ours and TensorFlow's.
    text = proto.to_text(proto.ProjectorConfig.FromString(config.SerializeToString()))
    files.write_bytes(os.path.join(files.as_text(folder), "projector_config.pbtxt"), text.encode())
