"""`regraft demo`: the main job on real files: open what TensorFlow wrote, run it, train on, save, reopen."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from regraft.demo import CHECKPOINT, IMAGES, META

_BATCH = 32


def run(steps: int) -> None:
    """Show the whole way once, with what it costs. Files go to a temporary folder."""
    import regraft.v1 as tf

    console = Console()
    started = time.perf_counter()
    with np.load(IMAGES) as data:
        images = data["images"].astype(np.float32)
        labels = data["labels"].astype(np.int64)
        train, held_out = data["train"], data["held_out"]

    def accuracy(session: tf.Session) -> float:
        graph = session.graph
        inputs = graph.get_collection("inputs")
        feeds = {inputs[0]: images[held_out], inputs[1]: labels[held_out]}
        return float(session.run(graph.get_collection("accuracy")[0], feeds))

    console.print(f"[bold]1.[/] import {META.name}, a graph that TensorFlow wrote, and restore {CHECKPOINT.name}")
    with tf.Graph().as_default() as graph, tf.Session(graph=graph) as session:
        saver = tf.train.import_meta_graph(str(META))
        saver.restore(session, str(CHECKPOINT))
        before = accuracy(session)
        console.print(
            f"   {len(graph.get_operations())} nodes; accuracy on {len(held_out)} held-out images: {before:.1%}"
        )

        console.print(f"[bold]2.[/] go on training where TensorFlow stopped, {steps} steps of {_BATCH} images")
        train_op = tf.get_collection("train_op")[0]
        loss = tf.get_collection("losses")[0]
        x, y, keep_prob = tf.get_collection("inputs")
        rng = np.random.default_rng(0)
        columns = (
            TextColumn("   "),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[loss]}"),
        )
        with Progress(*columns, console=console) as progress:
            task = progress.add_task("train", total=steps, loss="")
            shown = ""
            for step in range(steps):
                rows = rng.choice(train, _BATCH, replace=False)
                _, value = session.run([train_op, loss], {x: images[rows], y: labels[rows], keep_prob: 0.8})
                shown = f"loss {value:.3f}" if step % 20 == 0 else shown
                progress.update(task, advance=1, loss=shown)
        after = accuracy(session)
        console.print(f"   accuracy: {after:.1%}")

        with tempfile.TemporaryDirectory(prefix="regraft-demo-") as folder:
            prefix = str(saver.save(session, str(Path(folder) / "digits-cnn"), global_step=105 + steps))
            written = sorted(p.name for p in Path(folder).iterdir())
            console.print(f"[bold]3.[/] save: {', '.join(written)}")
            again = reopened(prefix, accuracy)
    console.print(f"[bold]4.[/] reopen it in a fresh graph; accuracy: {again:.1%}")
    if again != after or not after > before:
        raise SystemExit("the reopened model does not give the accuracy that was saved")
    console.print(f"{before:.1%} -> {after:.1%}, {time.perf_counter() - started:.1f} s in all")


def reopened(prefix: str, accuracy: Callable[[Any], float]) -> float:
    """The accuracy of the saved model, from its files alone."""
    import regraft.v1 as tf

    with tf.Graph().as_default() as graph, tf.Session(graph=graph) as session:
        tf.train.import_meta_graph(f"{prefix}.meta").restore(session, prefix)
        return accuracy(session)
