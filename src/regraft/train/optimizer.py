"""Optimizer: gradients for variables, slots beside them, and the op that applies one to the other.

A subclass says which slots it keeps and which op updates a variable, by four methods: `_create_slots`, `_prepare`,
`_apply_dense`, `_apply_sparse` (and `_resource_apply_dense`, `_resource_apply_sparse` for resource variables). Programs
written for TensorFlow subclass it the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from regraft.base import dtypes
from regraft.gradients import gradients
from regraft.ir.graph import Graph
from regraft.ir.graph_keys import GraphKeys
from regraft.ir.node import Operation, Tensor
from regraft.opkit.builder import Builder
from regraft.opkit.slices import IndexedSlices
from regraft.train import slots
from regraft.variables import PartitionedVariable, ResourceVariable, Variable

Hyperparameter = float | Tensor | Callable[[], Any]


class Optimizer:
    """The base of all optimizers.

    use_locking  kept in the ops; updates never interleave here
    name         the scope of the ops that apply gradients, and part of the slots' names
    """

    GATE_NONE = 0
    GATE_OP = 1
    GATE_GRAPH = 2

    def __init__(self, use_locking: bool, name: str, use_own_namescope_for_non_slot_vars: bool = False) -> None:
        if not name:
            raise ValueError("Must specify the optimizer name")
        self._use_locking = use_locking
        self._name = name
        self._slots: dict[str, dict[Any, Any]] = {}
        self._non_slot_dict: dict[tuple[str, Graph], Any] = {}

    def get_name(self) -> str:
        return self._name

    def minimize(
        self,
        loss: Any,
        global_step: Any = None,
        var_list: Any = None,
        gate_gradients: int = GATE_OP,
        aggregation_method: int | None = None,
        colocate_gradients_with_ops: bool = False,
        name: str | None = None,
        grad_loss: Any = None,
    ) -> Any:
        """An operation that changes `var_list` (all trainable variables) by one step against the gradient of `loss`.

        global_step  a variable that each step adds 1 to
        raises       ValueError when no variable has a gradient
        """
        pairs = self.compute_gradients(
            loss, var_list, gate_gradients, aggregation_method, colocate_gradients_with_ops, grad_loss
        )
        if all(g is None for g, _ in pairs):
            raise ValueError(
                "No gradients provided for any variable, check your graph for ops that do not support gradients, "
                f"between variables {[str(v) for _, v in pairs]} and loss {loss}."
            )
        return self.apply_gradients(pairs, global_step=global_step, name=name)

    def compute_gradients(
        self,
        loss: Any,
        var_list: Any = None,
        gate_gradients: int = GATE_OP,
        aggregation_method: int | None = None,
        colocate_gradients_with_ops: bool = False,
        grad_loss: Any = None,
    ) -> list[tuple[Any, Any]]:
        """(gradient, variable) for each of `var_list`; the gradient is None where the loss does not depend on it."""
        if gate_gradients not in (self.GATE_NONE, self.GATE_OP, self.GATE_GRAPH):
            raise ValueError(
                "gate_gradients must be one of: Optimizer.GATE_NONE, Optimizer.GATE_OP, Optimizer.GATE_GRAPH. "
                f"Not {gate_gradients}"
            )
        self._assert_valid_dtypes([loss])
        if grad_loss is not None:
            self._assert_valid_dtypes([grad_loss])
        graph: Graph = loss.graph
        variables = _flat(
            var_list
            if var_list is not None
            else graph.get_collection(GraphKeys.TRAINABLE_VARIABLES)
            + graph.get_collection(GraphKeys.TRAINABLE_RESOURCE_VARIABLES)
        )
        variables += graph.get_collection(GraphKeys._STREAMING_MODEL_PORTS)
        if not variables:
            raise ValueError("No variables to optimize.")
        targets = [_target(v) for v in variables]
        grads = gradients(
            graph,
            loss,
            targets,
            grad_ys=grad_loss,
            gate_gradients=gate_gradients == self.GATE_OP,
            aggregation_method=aggregation_method,
            colocate_gradients_with_ops=colocate_gradients_with_ops,
        )
        if gate_gradients == self.GATE_GRAPH:
            from regraft.gradients.engine import gated

            grads = gated(Builder(graph), grads)
        pairs = list(zip(grads, variables, strict=True))
        self._assert_valid_dtypes([v for g, v in pairs if g is not None and v.dtype.base_dtype is not dtypes.resource])
        return pairs

    def apply_gradients(self, grads_and_vars: Any, global_step: Any = None, name: str | None = None) -> Any:
        """An operation that applies the gradients; an update of `global_step` comes last."""
        pairs = [(g, v) for g, v in grads_and_vars]
        if not pairs:
            raise ValueError("No variables provided.")
        variables = [v for g, v in pairs if g is not None]
        if not variables:
            raise ValueError(f"No gradients provided for any variable: {[str(v) for _, v in pairs]}.")
        graph: Graph = variables[0].graph
        self._graph = graph
        b = Builder(graph)
        pairs = [(_as_gradient(b, g), v) for g, v in pairs]
        with graph.control_dependencies(None):
            self._create_slots(variables)
        updates: list[Any] = []
        with graph.name_scope(name or self._name) as scope:
            self._prepare()
            for grad, variable in pairs:
                if grad is None:
                    continue
                with graph.name_scope(f"update_{variable.op.name}"), graph.colocate_with(variable):
                    updates.append(self._update(grad, variable))
            if global_step is None:
                applied = self._finish(updates, scope)
            else:
                with graph.control_dependencies([self._finish(updates, "update")]), graph.colocate_with(global_step):
                    applied = _count(b, global_step, scope)
        if isinstance(applied, Tensor):
            applied = applied.op
        train_ops = graph.get_collection_ref(GraphKeys.TRAIN_OP)
        if applied not in train_ops:
            train_ops.append(applied)
        return applied

    def _update(self, grad: Any, variable: Any) -> Any:
        sparse = isinstance(grad, IndexedSlices)
        constraint = getattr(variable, "constraint", None)
        if sparse and constraint is not None:
            raise RuntimeError("Cannot use a constraint function on a sparse variable.")
        if isinstance(variable, ResourceVariable):
            if sparse:
                return self._resource_apply_sparse_duplicate_indices(grad.values, variable, grad.indices)
            update = self._resource_apply_dense(grad, variable)
        elif isinstance(variable, Variable):
            if sparse:
                return self._apply_sparse_duplicate_indices(grad, variable)
            update = self._apply_dense(grad, variable)
        else:
            raise NotImplementedError(f"Trying to update a Tensor {variable}")
        if constraint is None:
            return update
        with self._graph.control_dependencies([update]):
            return variable.assign(constraint(variable))

    # Slots

    def get_slot(self, var: Any, name: str) -> Any:
        """The slot `name` of a variable, or None."""
        return self._slots.get(name, {}).get(_key(var))

    def get_slot_names(self) -> list[str]:
        return sorted(self._slots)

    def variables(self) -> list[Any]:
        """All variables that the optimizer itself keeps, in order of their names."""
        own = list(self._non_slot_dict.values()) + [v for d in self._slots.values() for v in d.values()]
        return sorted(own, key=lambda v: v.name)

    def _zeros_slot(self, var: Any, slot_name: str, op_name: str) -> Any:
        found = self._slots.setdefault(slot_name, {})
        if _key(var) not in found:
            found[_key(var)] = slots.create_zeros_slot(var.graph, var, op_name)
        return found[_key(var)]

    def _get_or_make_slot(self, var: Any, val: Any, slot_name: str, op_name: str) -> Any:
        found = self._slots.setdefault(slot_name, {})
        if _key(var) not in found:
            found[_key(var)] = slots.create_slot(var.graph, var, val, op_name)
        return found[_key(var)]

    def _get_or_make_slot_with_initializer(
        self, var: Any, initializer: Any, shape: Any, dtype: Any, slot_name: str, op_name: str
    ) -> Any:
        found = self._slots.setdefault(slot_name, {})
        if _key(var) not in found:
            found[_key(var)] = slots.create_slot_with_initializer(var.graph, var, initializer, shape, dtype, op_name)
        return found[_key(var)]

    def _create_non_slot_variable(self, initial_value: Any, name: str, colocate_with: Any) -> Any:
        from regraft.variables import make_variable

        key = (name, colocate_with.graph)
        if key not in self._non_slot_dict:
            graph = colocate_with.graph
            with graph.colocate_with(colocate_with):
                self._non_slot_dict[key] = make_variable(
                    graph,
                    initial_value,
                    name=name,
                    trainable=False,
                    use_resource=isinstance(colocate_with, ResourceVariable),
                )
        return self._non_slot_dict[key]

    def _get_non_slot_variable(self, name: str, graph: Graph | None = None) -> Any:
        return self._non_slot_dict.get((name, graph or self._graph))

    # What subclasses add

    def _assert_valid_dtypes(self, tensors: Sequence[Any]) -> None:
        valid = self._valid_dtypes()
        for t in tensors:
            if t.dtype.base_dtype not in valid:
                raise ValueError(
                    f"Invalid type {t.dtype.base_dtype.name} for {t.name}, expected: {[d.name for d in valid]}."
                )

    def _valid_dtypes(self) -> tuple[Any, ...]:
        return (dtypes.half, dtypes.bfloat16, dtypes.float32, dtypes.float64, dtypes.complex64, dtypes.complex128)

    def _create_slots(self, var_list: Sequence[Any]) -> None:
        """Make the slots that the variables lack."""

    def _prepare(self) -> None:
        """Turn hyperparameters into tensors, inside the scope of the updates."""

    def _apply_dense(self, grad: Tensor, var: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} has no dense update for reference variables")

    def _resource_apply_dense(self, grad: Tensor, var: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} has no dense update for resource variables")

    def _apply_sparse(self, grad: IndexedSlices, var: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} has no sparse update for reference variables")

    def _resource_apply_sparse(self, grad: Tensor, var: Any, indices: Tensor) -> Any:
        raise NotImplementedError(f"{type(self).__name__} has no sparse update for resource variables")

    def _apply_sparse_duplicate_indices(self, grad: IndexedSlices, var: Any) -> Any:
        values, indices = _summed(Builder(self._graph), grad.values, grad.indices)
        return self._apply_sparse(IndexedSlices(values, indices, grad.dense_shape), var)

    def _resource_apply_sparse_duplicate_indices(self, grad: Tensor, var: Any, indices: Tensor) -> Any:
        values, unique = _summed(Builder(self._graph), grad, indices)
        return self._resource_apply_sparse(values, var, unique)

    def _finish(self, update_ops: Sequence[Any], name_scope: str) -> Operation:
        return Builder(self._graph).group(*update_ops, name=name_scope)

    def _call_if_callable(self, param: Any) -> Any:
        return param() if callable(param) else param

    # Small tools for subclasses

    def _tensor(self, value: Any, name: str) -> Tensor:
        """A hyperparameter as a tensor of that name."""
        return Builder(self._graph).convert(self._call_if_callable(value), name=name)

    def _apply(self, op_type: str, variables: Sequence[Any], *inputs: Any, **attrs: Any) -> Any:
        """Add the training op `op_type` (with `Resource` before `Apply` or `SparseApply` for resource variables).

        variables  the variable and its slots, which come first among the op's inputs
        inputs     the rest; hyperparameters are cast to the variable's dtype, None stands for nothing
        """
        b = Builder(self._graph)
        var = variables[0]
        resource = isinstance(var, ResourceVariable)
        name = ("Resource" if resource else "") + op_type
        handles = [v.handle if resource else v._ref() for v in variables]
        out = b.op(name, *handles, *inputs, use_locking=self._use_locking, **attrs)
        return out.op if isinstance(out, Tensor) else out

    def _cast(self, value: Tensor, var: Any) -> Tensor:
        return Builder(self._graph).cast(value, var.dtype.base_dtype)


class OneOp(Optimizer):
    """An optimizer whose whole update is one op, dense or sparse, alike for both kinds of variables.

    hyper  the tensors to make in `_prepare`, by name
    """

    def __init__(self, use_locking: bool, name: str, **hyper: Any) -> None:
        super().__init__(use_locking, name)
        self._hyper = hyper
        self._tensors: dict[str, Tensor] = {}

    def _prepare(self) -> None:
        self._tensors = {name: self._tensor(value, name) for name, value in self._hyper.items()}

    def _dense(self, grad: Tensor, var: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} has no dense update")

    def _sparse(self, grad: Tensor, var: Any, indices: Tensor) -> Any:
        raise NotImplementedError(f"{type(self).__name__} has no sparse update")

    def _h(self, name: str, var: Any) -> Tensor:
        return self._cast(self._tensors[name], var)

    def _apply_dense(self, grad: Tensor, var: Any) -> Any:
        return self._dense(grad, var)

    def _resource_apply_dense(self, grad: Tensor, var: Any) -> Any:
        return self._dense(grad, var)

    def _apply_sparse(self, grad: IndexedSlices, var: Any) -> Any:
        return self._sparse(grad.values, var, grad.indices)

    def _resource_apply_sparse(self, grad: Tensor, var: Any, indices: Tensor) -> Any:
        return self._sparse(grad, var, indices)

    def _constant_slot(self, var: Any, value: float, slot_name: str) -> None:
        """A slot that starts with one value everywhere."""
        with var.graph.colocate_with(var):
            start = Builder(var.graph).constant(value, var.dtype.base_dtype, var.get_shape())
        self._get_or_make_slot(var, start, slot_name, self._name)


def _key(var: Any) -> Any:
    return (var.graph, var.op.name)


def _flat(items: Any) -> list[Any]:
    if isinstance(items, PartitionedVariable):
        return list(items)
    if isinstance(items, (list, tuple)):
        return [v for item in items for v in _flat(item)]
    return [items]


def _target(variable: Any) -> Any:
    """What to differentiate by: the reference, the handle, or the tensor itself."""
    if isinstance(variable, ResourceVariable):
        return variable.handle
    if isinstance(variable, Variable):
        return variable._ref()
    if isinstance(variable, Tensor):
        return variable
    raise NotImplementedError(f"Trying to optimize unsupported type {variable!r}")


def _as_gradient(b: Builder, grad: Any) -> Any:
    if grad is None or isinstance(grad, (Tensor, IndexedSlices)):
        return grad
    try:
        return b.convert(grad)
    except (TypeError, ValueError) as e:
        raise TypeError(f"Gradient must be convertible to a Tensor or IndexedSlices, or None: {grad!r}") from e


def _count(b: Builder, global_step: Any, scope: str) -> Any:
    if isinstance(global_step, ResourceVariable):
        one = b.convert(1, global_step.dtype.base_dtype)
        return b.op("AssignAddVariableOp", global_step.handle, one, name=scope)
    target = global_step._ref() if isinstance(global_step, Variable) else global_step
    return b.op("AssignAdd", target, 1, name=scope)


def _summed(b: Builder, values: Tensor, indices: Tensor) -> tuple[Tensor, Tensor]:
    """Slices of which each index occurs once."""
    unique, positions = b.op("Unique", indices)
    count = b.shape(unique)[0]  # type: ignore[index]  # tensors are sliced as TensorFlow slices them
    return b.op("UnsortedSegmentSum", values, positions, count), unique
