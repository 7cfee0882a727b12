"""tf.saved_model.main_op: the operation that a SavedModel runs when it is loaded."""

from __future__ import annotations

from regraft.ir.node import Operation

__all__ = ["main_op", "main_op_with_restore"]


def main_op() -> Operation:
    """An operation that initializes all variables, local variables and tables of the default graph."""
    import regraft.v1 as tf

    init, init_local = tf.global_variables_initializer(), tf.local_variables_initializer()
    return tf.group(init, init_local, tf.tables_initializer())


def main_op_with_restore(restore_op_name: str) -> Operation:
    """`main_op`, and after it the operation of this name, which restores the variables."""
    import regraft.v1 as tf

    with tf.control_dependencies([main_op()]):
        return tf.group(tf.get_default_graph().get_operation_by_name(restore_op_name))
