"""`warm_start`: variables that start from a checkpoint, chosen by patterns over their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from regraft.base.errors import UnimplementedError
from regraft.checkpoint.management import load_checkpoint
from regraft.ir.graph import Graph
from regraft.ir.graph_keys import GraphKeys
from regraft.saver.init_from import init_from_checkpoint
from regraft.saver.object_based import object_graph_keys
from regraft.variables import Variable


class VocabInfo(NamedTuple):
    """How the rows of an embedding move from the order of one vocabulary file to that of another."""

    new_vocab: str
    new_vocab_size: int
    num_oov_buckets: int
    old_vocab: str
    old_vocab_size: int = -1
    backup_initializer: Any = None
    axis: int = 0


def warm_start(
    graph: Graph,
    ckpt_to_initialize_from: Any,
    vars_to_warm_start: str | Sequence[Any] | None = ".*",
    var_name_to_vocab_info: Mapping[str, VocabInfo] | None = None,
    var_name_to_prev_var_name: Mapping[str, str] | None = None,
) -> None:
    """Let variables start from the values in a checkpoint: their initializers become restore ops.

    vars_to_warm_start         a pattern over the names of trainable variables, a list of patterns over those of all
                               variables, or a list of variables; None for all trainable ones
    var_name_to_prev_var_name  the names in the checkpoint where they differ

    raises  ValueError for a name that fits no variable, for what is missing in the checkpoint, and for other arguments;
            UnimplementedError for vocabularies: the rows of an embedding are not moved
    """
    if var_name_to_vocab_info:
        raise UnimplementedError(
            f"warm_start with a VocabInfo (for {sorted(var_name_to_vocab_info)}) is not supported",
            hint="load the tensor with tf.train.load_variable, move its rows, and assign it",
        )
    groups = _by_name(_chosen(graph, vars_to_warm_start))
    previous = dict(var_name_to_prev_var_name or _object_names(ckpt_to_initialize_from, groups))
    unused = previous.keys() - groups.keys()
    if unused:
        raise ValueError(
            "You provided the following variables in var_name_to_prev_var_name that were not used: "
            f"{unused}.  Perhaps you misspelled them?  Here is the list of viable variable names: {groups.keys()}"
        )
    together: dict[str, Any] = {}
    for name, parts in groups.items():
        key = previous.get(name) or name
        if key in together:  # one tensor for two variables takes two turns
            init_from_checkpoint(graph, ckpt_to_initialize_from, together)
            together = {}
        together[key] = parts[0] if len(parts) == 1 else parts
    if together:
        init_from_checkpoint(graph, ckpt_to_initialize_from, together)


def _chosen(graph: Graph, wanted: str | Sequence[Any] | None) -> list[Any]:
    if wanted is None or isinstance(wanted, str):
        return graph.get_collection(GraphKeys.TRAINABLE_VARIABLES, wanted)
    if not isinstance(wanted, list):
        raise ValueError(f"`vars_to_warm_start must be a `list` or `str`.  Given type is {type(wanted)}")
    if all(isinstance(item, str) for item in wanted):
        return [v for item in wanted for v in graph.get_collection(GraphKeys.GLOBAL_VARIABLES, item)]
    if all(isinstance(item, Variable) for item in wanted):
        return wanted
    raise ValueError(
        "If `vars_to_warm_start` is a list, it must be all `Variable` or all `str`.  "
        f"Given types are {[type(item) for item in wanted]}"
    )


def _by_name(variables: Sequence[Any]) -> dict[str, list[Any]]:
    """The variables by name; the parts of a partitioned one stand under its name together."""
    groups: dict[str, list[Any]] = {}
    for variable in variables:
        info = variable._save_slice_info
        groups.setdefault(variable.op.name if info is None else info.full_name, []).append(variable)
    return groups


def _object_names(path: Any, names: Mapping[str, Any]) -> dict[str, str]:
    """The keys of variables in an object-based checkpoint. ValueError where it lacks one."""
    with load_checkpoint(path) as reader:
        keys = object_graph_keys(reader)
    if not keys:
        return {}
    missing = names.keys() - keys.keys()
    if missing:
        raise ValueError(
            "Attempting to warm-start from an object-based checkpoint, but found that the checkpoint did not contain "
            f"values for all variables. The following variables were missing: {missing}"
        )
    return {name: keys[name] for name in names}
