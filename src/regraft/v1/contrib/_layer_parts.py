"""What the layers of tf.contrib.layers share: named outputs, collections of variables, how variables are named."""

from __future__ import annotations

from collections import OrderedDict, namedtuple
from collections.abc import Callable
from typing import Any

from regraft.base.shapes import TensorShape
from regraft.ir.node import Tensor
from regraft.opkit.constant import constant_value as _known
from regraft.v1 import _context
from regraft.v1._layer import smart_cond as smart_cond
from regraft.v1.contrib._variables import model_variable
from regraft.variables import Variable

NamedOutputs = namedtuple("NamedOutputs", ["name", "outputs"])


def collect_named_outputs(collections: Any, alias: str, outputs: Any) -> Any:
    """Add `outputs` to collections, where there are any, with the scope as a name to find it by; returns `outputs`."""
    if collections:
        append_tensor_alias(outputs, alias)
        _context.get_default_graph().add_to_collections(collections, outputs)
    return outputs


def append_tensor_alias(tensor: Any, alias: str) -> Any:
    """Give the tensor one name more."""
    tensor.aliases = [*getattr(tensor, "aliases", ()), alias.removesuffix("/")]
    return tensor


def get_tensor_aliases(tensor: Any) -> list[str]:
    """The names that `append_tensor_alias` gave, else the tensor's own, without ":0"."""
    found = getattr(tensor, "aliases", None)
    return list(found) if found is not None else [tensor.name.removesuffix(":0")]


def gather_tensors_aliases(tensors: Any) -> list[str]:
    """The aliases of all."""
    return [alias for tensor in tensors for alias in get_tensor_aliases(tensor)]


def convert_collection_to_dict(collection: Any, clear_collection: bool = False) -> OrderedDict[str, Any]:
    """The tensors of a collection by their aliases."""
    graph = _context.get_default_graph()
    found = OrderedDict((alias, t) for t in graph.get_collection(collection) for alias in get_tensor_aliases(t))
    if clear_collection:
        graph.clear_collection(collection)
    return found


def constant_value(value_or_tensor_or_var: Any, dtype: Any = None) -> Any:
    """The value where it is known without running; None for a variable. ValueError for None and for another dtype."""
    value = value_or_tensor_or_var
    if value is None:
        raise ValueError("value_or_tensor_or_var cannot be None")
    if isinstance(value, (Tensor, Variable)) and dtype and value.dtype != dtype:
        raise ValueError(f"It has the wrong type {value.dtype} instead of {dtype}")
    if isinstance(value, Variable):
        return None
    return _known(value) if isinstance(value, Tensor) else value


def get_variable_collections(variables_collections: Any, name: str) -> Any:
    """The collections for the variable `name`: those for all, or its entry of a dict."""
    return variables_collections.get(name) if isinstance(variables_collections, dict) else variables_collections


def known_dimension(shape: Any, axis: int, min_rank: int = 1) -> int:
    """The size of a dimension. ValueError where it is not known, or the rank is too low."""
    sizes = TensorShape(shape).sizes
    if sizes is None:
        raise ValueError("dims of shape must be known but is None")
    if len(sizes) < min_rank:
        raise ValueError(f"rank of shape must be at least {min_rank} not: {len(sizes)}")
    found = sizes[axis]
    if found is None:
        raise ValueError(f"dimension {axis} of shape must be known but is None: {shape}")
    return found


def last_dimension(shape: Any, min_rank: int = 1) -> int:
    """The size of the last dimension. ValueError where it is not known."""
    return known_dimension(shape, -1, min_rank)


def channel_dimension(shape: Any, data_format: str, min_rank: int = 1) -> int:
    """The number of channels. ValueError where it is not known."""
    return known_dimension(shape, 1 if data_format == "channels_first" else -1, min_rank)


def two_element_tuple(int_or_tuple: Any) -> tuple[int, int]:
    """Two numbers from one for both, or from a pair. ValueError for anything else."""
    if isinstance(int_or_tuple, int):
        return int_or_tuple, int_or_tuple
    if isinstance(int_or_tuple, (list, tuple, TensorShape)) and len(int_or_tuple) == 2:
        return int(int_or_tuple[0]), int(int_or_tuple[1])
    raise ValueError(f"Must be an int or a list with 2 elements, not {int_or_tuple!r}")


def n_positive_integers(n: int, value: Any) -> tuple[int, ...]:
    """`n` positive numbers from one for all, or from a sequence of as many. ValueError for anything else."""
    found = (value,) * n if isinstance(value, int) else tuple(value)
    if len(found) != n:
        raise ValueError(f"Expected sequence of {n} positive integers, but received {value!r}")
    for v in found:
        if int(v) < 1:
            raise ValueError(f"expected positive integer, but received {v}")
    return tuple(int(v) for v in found)


def check_data_format(data_format: Any, allowed: tuple[str, str]) -> str:
    """ "channels_first" or "channels_last". ValueError for a format that is not allowed."""
    if data_format not in allowed:
        raise ValueError(f"data_format has to be either {allowed[0]} or {allowed[1]}.")
    return "channels_first" if data_format.startswith("NC") else "channels_last"


def variable_getter(rename: dict[str, str] | None = None) -> Callable[..., Any]:
    """A custom getter that makes model variables, and gives some of them other names ("kernel" to "weights")."""

    def get(getter: Any, name: str, *args: Any, **kwargs: Any) -> Any:
        scope, slash, last = name.rpartition("/")
        for unused in ("reuse", "constraint", "validate_shape", "custom_getter"):
            kwargs.pop(unused, None)
        return model_variable(scope + slash + (rename or {}).get(last, last), *args, custom_getter=getter, **kwargs)

    return get


def add_to_collections_once(variable: Any, collections_set: Any, name: str) -> None:
    """Put a variable, or all its parts, into the collections that are meant for `name`."""
    graph = _context.get_default_graph()
    parts = list(variable) if hasattr(variable, "_get_partitions") else [variable]
    for collection in get_variable_collections(collections_set, name) or ():
        there = graph.get_collection_ref(collection)
        there.extend(part for part in parts if not any(part is other for other in there))


def finished(
    outputs: Any,
    scope: Any,
    outputs_collections: Any,
    activation_fn: Any = None,
    normalizer_fn: Any = None,
    normalizer_params: Any = None,
) -> Any:
    """How layers end: normalised, activated, and collected under the name of their scope."""
    if normalizer_fn is not None:
        outputs = normalizer_fn(outputs, **(normalizer_params or {}))
    if activation_fn is not None:
        outputs = activation_fn(outputs)
    return collect_named_outputs(outputs_collections, scope if isinstance(scope, str) else scope.name, outputs)
