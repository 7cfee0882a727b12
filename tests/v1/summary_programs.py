"""Programs of tf.summary, a row each: `PROGRAMS[name](tf)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

PROGRAMS: dict[str, Callable[[Any], Any]] = {}


def program(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    PROGRAMS[function.__name__] = function
    return function


@program
def every_kind(tf: Any) -> None:
    x = tf.placeholder(tf.float32, [None, 4], name="x")
    tf.summary.scalar("loss", tf.reduce_mean(x))
    tf.summary.histogram("weights", x)
    tf.summary.image("images", tf.reshape(x, [-1, 2, 2, 1]), max_outputs=2)
    tf.summary.audio("sounds", x, 44100.0, max_outputs=1)
    tf.summary.text("words", tf.constant(["a", "b"]))
    tf.summary.tensor_summary("tensor", x, summary_description="what", display_name="shown")
    tf.summary.merge_all()


@program
def names_and_families(tf: Any) -> None:
    with tf.name_scope("outer"):
        tf.summary.scalar("a b:c", 1.0)
        tf.summary.scalar("/d", 2.0, family="my family")
        tf.summary.scalar("d", 2.0, family="my family")
        tf.summary.histogram("e", [1.0], family="f", collections=["mine"])
    tf.summary.merge([tf.summary.scalar("g", 3.0, collections=[])], name="merged", collections=["mine"])
    tf.summary.merge_all("mine", name="all")
    tf.summary.merge_all(scope="outer")


@program
def in_a_condition(tf: Any) -> None:
    x = tf.placeholder(tf.float32, [], name="x")
    tf.cond(x > 0, lambda: tf.summary.scalar("p", x), lambda: tf.summary.scalar("n", x))
