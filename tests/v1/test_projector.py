"""The file with which a program tells TensorBoard's projector what to show."""

from __future__ import annotations

import regraft.v1 as tf


def test_config_is_written_beside_the_events(tmp_path):
    projector = tf.contrib.tensorboard.plugins.projector
    config = projector.ProjectorConfig()
    embedding = config.embeddings.add()
    embedding.tensor_name = "words:0"
    embedding.metadata_path = "labels.tsv"
    embedding.sprite.single_image_dim.extend([28, 30])
    with tf.Graph().as_default(), tf.summary.FileWriter(str(tmp_path)) as writer:
        projector.visualize_embeddings(writer, config)
    lines = (tmp_path / "projector_config.pbtxt").read_text().split()
    assert " ".join(lines) == (
        'embeddings { tensor_name: "words:0" metadata_path: "labels.tsv" '
        "sprite { single_image_dim: 28 single_image_dim: 30 } }"
    )
