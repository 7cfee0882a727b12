"""The base of tf.layers: an object that makes its variables when it is first called, and keeps them."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterable
from typing import Any

from regraft.base import dtypes
from regraft.base.dtypes import as_dtype
from regraft.base.shapes import TensorShape
from regraft.ir.graph_keys import GraphKeys
from regraft.ir.node import Operation, Tensor
from regraft.opkit.constant import constant_value
from regraft.v1 import _context
from regraft.v1._array import shape
from regraft.v1._math import cast
from regraft.v1._variable_scope import get_variable, variable_scope
from regraft.variables import Variable, VariableAggregation, VariableSynchronization, initializers
from regraft.variables.scope import VariableScope

__all__ = ["InputSpec", "Layer"]


class InputSpec:
    """What a layer demands of its input: a rank, a least rank, and sizes of dimensions by axis."""

    def __init__(
        self,
        dtype: Any = None,
        shape: Any = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: dict[int, int] | None = None,
    ) -> None:
        self.dtype = dtype
        self.shape = shape
        self.ndim = ndim
        self.max_ndim = max_ndim
        self.min_ndim = min_ndim
        self.axes = axes or {}

    def check(self, tensor: Any, layer: str) -> None:
        """ValueError when `tensor` does not fit."""
        sizes = tensor.shape.sizes
        problem = ""
        if sizes is None:
            if self.ndim is not None or self.min_ndim is not None or self.max_ndim is not None:
                problem = "its rank is undefined, but the layer requires a defined rank"
        elif self.ndim is not None and len(sizes) != self.ndim:
            problem = f"expected ndim={self.ndim}, found ndim={len(sizes)}. Full shape received: {list(sizes)}"
        elif self.min_ndim is not None and len(sizes) < self.min_ndim:
            problem = f"expected min_ndim={self.min_ndim}, found ndim={len(sizes)}. Full shape received: {list(sizes)}"
        elif self.max_ndim is not None and len(sizes) > self.max_ndim:
            problem = f"expected max_ndim={self.max_ndim}, found ndim={len(sizes)}"
        else:
            for axis, size in self.axes.items():
                if sizes[axis] not in (None, size):
                    problem = (
                        f"expected axis {axis} of input shape to have value {size} but received shape {list(sizes)}"
                    )
        if problem:
            raise ValueError(f"Input 0 of layer {layer} is incompatible with the layer: {problem}")


def initializer_of(value: Any) -> Any:
    """An initializer from itself, its class, or its name."""
    if isinstance(value, str):
        found = "".join(part.capitalize() for part in value.split("_"))
        kind = getattr(initializers, found, None) or getattr(initializers, value, None)
        if kind is None:
            raise ValueError(f"Unknown initializer: {value}")
        return kind()
    return value() if isinstance(value, type) else value


def activation_of(value: Any) -> Any:
    """An activation function from itself or its name; None for none."""
    if value is None or value == "linear":
        return None
    if isinstance(value, str):
        from regraft.v1 import nn

        return getattr(nn, value)
    return value


def several(value: Any, count: int, name: str) -> tuple[int, ...]:
    """One number for each of `count` dimensions, from one for all or one for each. ValueError for anything else."""
    given = (value,) * count if isinstance(value, int) else tuple(value)
    if len(given) != count or any(not isinstance(v, int) and not hasattr(v, "__index__") for v in given):
        raise ValueError(f"The `{name}` argument must be a tuple of {count} integers. Received: {value}")
    return tuple(int(v) for v in given)


def known_bool(value: Any) -> bool | None:
    """A flag that may be a tensor: its value where that is known now, else None."""
    if isinstance(value, Tensor):
        known = constant_value(value)
        return None if known is None else bool(known)
    if isinstance(value, (bool, int)):
        return bool(value)
    return None


def smart_cond(flag: Any, then: Callable[[], Any], otherwise: Callable[[], Any]) -> Any:
    """`then()` or `otherwise()`, or a conditional where the flag is known only when it runs."""
    known = known_bool(flag)
    if known is not None:
        return then() if known else otherwise()
    from regraft.v1._control_flow import cond

    return cond(flag, then, otherwise)


class Layer:
    """A layer. A subclass defines `call(inputs)`, and `build(input_shape)` where it has variables.

    trainable             whether its variables go into TRAINABLE_VARIABLES
    name                  of its variable scope; the class's name, made unique, where it is None
    activity_regularizer  function of the output; its result, divided by the batch size, is a regularization loss
    """

    input_spec: InputSpec | None = None

    def __init__(
        self,
        trainable: bool = True,
        name: str | None = None,
        dtype: Any = None,
        activity_regularizer: Any = None,
        _scope: Any = None,
        _reuse: Any = None,
        **kwargs: Any,
    ) -> None:
        for key in kwargs:
            raise TypeError(f"{type(self).__name__}() got an unexpected keyword argument {key!r}")
        self.built = False
        self.trainable = trainable
        self.activity_regularizer = activity_regularizer
        self._dtype = None if dtype is None else as_dtype(dtype).base
        self._reuse = _reuse
        self._base_name = name or _snake_case(type(self).__name__)
        self._name = name or _numbered(self._base_name)
        self._trainable_weights: list[Any] = []
        self._non_trainable_weights: list[Any] = []
        self._losses: list[Any] = []
        self._updates: list[Any] = []
        self._current_scope: VariableScope | None = None
        self._scope: VariableScope | None = None
        self._input: Any = None
        self._output: Any = None
        if _scope:
            with variable_scope(_scope) as captured:
                self._scope = captured

    # What it has

    @property
    def name(self) -> str:
        """The name that was given, else that of the class with a number: "dense_1"."""
        return self._name

    @property
    def dtype(self) -> Any:
        return self._dtype

    @property
    def scope_name(self) -> str:
        """The variable scope's name. ValueError before the layer is called."""
        if self._scope is None:
            raise ValueError(
                f'No name available for layer scope because the layer "{self.name}" has not been used yet.'
            )
        return self._scope.name

    @property
    def graph(self) -> None:
        return None

    @property
    def trainable_weights(self) -> list[Any]:
        return list(self._trainable_weights) if self.trainable else []

    @property
    def non_trainable_weights(self) -> list[Any]:
        return (
            list(self._non_trainable_weights)
            if self.trainable
            else [*self._trainable_weights, *self._non_trainable_weights]
        )

    @property
    def weights(self) -> list[Any]:
        return [*self.trainable_weights, *self.non_trainable_weights]

    @property
    def trainable_variables(self) -> list[Any]:
        return self.trainable_weights

    @property
    def non_trainable_variables(self) -> list[Any]:
        return self.non_trainable_weights

    @property
    def variables(self) -> list[Any]:
        return self.weights

    @property
    def losses(self) -> list[Any]:
        return list(self._losses)

    @property
    def updates(self) -> list[Any]:
        return list(self._updates)

    @property
    def input(self) -> Any:
        return self._input

    @property
    def output(self) -> Any:
        return self._output

    @property
    def input_shape(self) -> Any:
        return self._input.shape

    @property
    def output_shape(self) -> Any:
        return self._output.shape

    def count_params(self) -> int:
        """The number of elements of all variables. ValueError before the layer is called."""
        if not self.built:
            raise ValueError(f"You tried to call `count_params` on layer {self.name}, but the layer isn't built.")
        return sum(v.shape.num_elements() for v in self.weights)

    def get_losses_for(self, inputs: Any) -> list[Any]:
        """The losses."""
        return self.losses

    def get_updates_for(self, inputs: Any) -> list[Any]:
        """The updates."""
        return self.updates

    def get_weights(self) -> list[Any]:
        """The values of all variables, in the default session."""
        return list(_session().run(self.weights)) if self.weights else []

    def set_weights(self, weights: Any) -> None:
        """Give all variables values, in the default session. ValueError for another number, or another shape."""
        if len(weights) != len(self.weights):
            raise ValueError(f"layer {self.name} has {len(self.weights)} variables, but got {len(weights)} values")
        for variable, value in zip(self.weights, weights, strict=True):
            if tuple(variable.shape.as_list()) != tuple(getattr(value, "shape", ())):
                raise ValueError(f"{variable.name} has the shape {variable.shape}, but got {value.shape}")
            variable.load(value, _session())

    # What a subclass defines

    def build(self, input_shape: Any) -> None:
        """Make the variables."""
        self.built = True

    def call(self, inputs: Any, **kwargs: Any) -> Any:
        """The output."""
        return inputs

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        raise NotImplementedError(f"{type(self).__name__} does not say the shape of its output")

    # What a subclass uses

    def add_weight(
        self,
        name: str,
        shape: Any = None,
        dtype: Any = None,
        initializer: Any = None,
        regularizer: Any = None,
        trainable: bool | None = None,
        constraint: Any = None,
        use_resource: bool | None = None,
        synchronization: Any = VariableSynchronization.AUTO,
        aggregation: Any = VariableAggregation.NONE,
        partitioner: Any = None,
        **kwargs: Any,
    ) -> Any:
        """A variable below the layer's scope, found where the scope says reuse, else made."""
        trainable = (synchronization is not VariableSynchronization.ON_READ) if trainable is None else trainable
        graph = _context.get_default_graph()
        before = {id(v) for v in graph.get_collection(GraphKeys.GLOBAL_VARIABLES)}
        kind = as_dtype(dtype or self._dtype or dtypes.float32)
        self._set_scope(None)
        assert self._scope is not None
        with variable_scope(self._scope, reuse=self.built or self._reuse, auxiliary_name_scope=False) as scope:
            self._current_scope = scope
            with graph.name_scope(scope.original_name_scope):
                variable = get_variable(
                    name,
                    shape=shape,
                    dtype=kind,
                    initializer=initializer_of(initializer),
                    trainable=trainable and self.trainable,
                    constraint=constraint,
                    partitioner=partitioner,
                    use_resource=use_resource or scope.use_resource,
                    synchronization=synchronization,
                    aggregation=aggregation,
                )
                parts = list(variable) if hasattr(variable, "_get_partitions") else [variable]
                if regularizer and not any(id(v) in before for v in parts):
                    self._regularize(name, parts, regularizer)
        if trainable and self.trainable:
            self._trainable_weights.extend(v for v in parts if v not in self._trainable_weights)
        else:
            self._non_trainable_weights.extend(v for v in parts if v not in self._non_trainable_weights)
        return variable

    def add_variable(self, *args: Any, **kwargs: Any) -> Any:
        """`add_weight`."""
        return self.add_weight(*args, **kwargs)

    def _regularize(self, name: str, parts: list[Any], regularizer: Any) -> None:
        graph = _context.get_default_graph()
        for part in parts:
            with graph.name_scope(name + "/Regularizer"):
                loss = regularizer(part)
            if loss is not None:
                self.add_loss(loss)

    def add_loss(self, losses: Any, inputs: Any = None) -> None:
        """Add to the layer's losses, and to the collection REGULARIZATION_LOSSES."""
        found = list(losses) if isinstance(losses, (list, tuple)) else [losses]
        made = [loss() if callable(loss) else loss for loss in found]
        made = [loss for loss in made if loss is not None]
        self._losses.extend(made)
        _collect(made, GraphKeys.REGULARIZATION_LOSSES)

    def add_update(self, updates: Any, inputs: Any = None) -> None:
        """Add operations to run with each training step; they go into the collection UPDATE_OPS."""
        for update in updates if isinstance(updates, (list, tuple)) else [updates]:
            made = update() if callable(update) else update
            self._updates.append(made if isinstance(made, Operation) else made.op)

    # Calling

    def _set_scope(self, scope: Any) -> None:
        if self._scope is not None:
            return
        if self._reuse:
            with variable_scope(self._base_name if scope is None else scope) as captured:
                self._scope = captured
        else:
            with variable_scope(scope, default_name=self._base_name) as captured:
                self._scope = captured

    def apply(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Call the layer."""
        return self(inputs, *args, **kwargs)

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """The output of `call`; the variables are made first where that is still to do."""
        self._set_scope(kwargs.pop("scope", None))
        assert self._scope is not None
        reuse = True if self.built else self._reuse
        with variable_scope(self._scope, reuse=reuse, auxiliary_name_scope=False) as scope:
            self._current_scope = scope
            graph = _context.get_default_graph()
            with graph.name_scope(scope.original_name_scope):
                inputs = _tensors(inputs)
                first = next(iter(_leaves(inputs)), None)
                if self.input_spec is not None and first is not None:
                    self.input_spec.check(first, self.name)
                if not self.built:
                    if self._dtype is None and first is not None:
                        self._dtype = as_dtype(first.dtype).base
                    self.build(_shapes(inputs))
                    self.built = True
                outputs = self.call(inputs, *args, **kwargs)
                self._regularize_activity(outputs)
        _collect(self._updates, GraphKeys.UPDATE_OPS)
        self._input, self._output = inputs, outputs
        return outputs

    def _regularize_activity(self, outputs: Any) -> None:
        if not self.activity_regularizer:
            return
        with _context.get_default_graph().name_scope("ActivityRegularizer"):
            for output in _leaves(outputs):
                loss = self.activity_regularizer(output)
                self.add_loss(loss / cast(shape(output)[0], loss.dtype))

    def __deepcopy__(self, memo: Any) -> Layer:
        made = type(self).__new__(type(self))
        memo[id(self)] = made
        for key, value in self.__dict__.items():
            made.__dict__[key] = value if _stays(value) else copy.deepcopy(value, memo)
        return made


def _stays(value: Any) -> bool:
    """Whether a copy of a layer has `value` itself: what belongs to a graph."""
    if isinstance(value, (list, tuple, dict)) and value:
        return _stays(next(iter(value.values() if isinstance(value, dict) else value)))
    return isinstance(value, (Tensor, Operation, Variable, VariableScope))


def _numbered(name: str) -> str:
    """`name` with a number that no other layer without a name of its own has in the default graph."""
    counts: list[dict[str, int]] = _context.get_default_graph().get_collection_ref(("__layer_names",))
    if not counts:
        counts.append({})
    counts[0][name] = counts[0].get(name, 0) + 1
    return f"{name}_{counts[0][name]}"


def _session() -> Any:
    session = _context.get_default_session()
    if session is None:
        raise ValueError("there is no default session: use `with session.as_default():`")
    return session


def _snake_case(name: str) -> str:
    split = re.sub("(.)([A-Z][a-z0-9]+)", r"\1_\2", name)
    found = re.sub("([a-z])([A-Z])", r"\1_\2", split).lower()
    return f"private{found}" if found[0] == "_" else found


def _leaves(value: Any) -> Iterable[Any]:
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _leaves(item)
    elif value is not None:
        yield value


def _tensors(value: Any) -> Any:
    if isinstance(value, (list, tuple)) and any(isinstance(v, Tensor) for v in _leaves(value)):
        return type(value)(_tensors(v) for v in value)
    return value if isinstance(value, Tensor) or hasattr(value, "indices") else _context.builder().convert(value)


def _shapes(value: Any) -> Any:
    return [_shapes(v) for v in value] if isinstance(value, (list, tuple)) else value.shape


def _collect(items: list[Any], name: str) -> None:
    collection = _context.get_default_graph().get_collection_ref(name)
    for item in items:
        if not any(item is other for other in collection):
            collection.append(item)
