"""TensorFlow 1's optimizers: which slots each keeps, and which op updates a variable with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from regraft.ir.node import Operation, Tensor
from regraft.opkit.builder import Builder
from regraft.opkit.slices import IndexedSlices
from regraft.train.optimizer import Hyperparameter, OneOp, Optimizer
from regraft.variables import ResourceVariable


class GradientDescentOptimizer(OneOp):
    """variable -= learning_rate * gradient."""

    def __init__(self, learning_rate: Hyperparameter, use_locking: bool = False, name: str = "GradientDescent") -> None:
        super().__init__(use_locking, name, learning_rate=learning_rate)

    def _dense(self, grad: Tensor, var: Any) -> Any:
        return self._apply("ApplyGradientDescent", [var], self._h("learning_rate", var), grad)

    def _resource_apply_sparse_duplicate_indices(self, grad: Tensor, var: Any, indices: Tensor) -> Any:
        b = Builder(self._graph)
        return b.op("ResourceScatterAdd", var.handle, indices, -grad * self._tensors["learning_rate"])  # type: ignore[operator]  # installed

    def _apply_sparse_duplicate_indices(self, grad: IndexedSlices, var: Any) -> Any:
        delta = IndexedSlices(
            grad.values * self._h("learning_rate", var),  # type: ignore[operator]  # installed
            grad.indices,
            grad.dense_shape,
        )
        return var.scatter_sub(delta, use_locking=self._use_locking)


class MomentumOptimizer(OneOp):
    """accumulator = momentum * accumulator + gradient; variable -= learning_rate * accumulator."""

    def __init__(
        self,
        learning_rate: Hyperparameter,
        momentum: Hyperparameter,
        use_locking: bool = False,
        name: str = "Momentum",
        use_nesterov: bool = False,
    ) -> None:
        super().__init__(use_locking, name, learning_rate=learning_rate, momentum=momentum)
        self._use_nesterov = use_nesterov

    def _create_slots(self, var_list: Sequence[Any]) -> None:
        for v in var_list:
            self._zeros_slot(v, "momentum", self._name)

    def _dense(self, grad: Tensor, var: Any) -> Any:
        rate, momentum = self._h("learning_rate", var), self._h("momentum", var)
        slots = [var, self.get_slot(var, "momentum")]
        return self._apply("ApplyMomentum", slots, rate, grad, momentum, use_nesterov=self._use_nesterov)

    def _sparse(self, grad: Tensor, var: Any, indices: Tensor) -> Any:
        rate, momentum = self._h("learning_rate", var), self._h("momentum", var)
        slots = [var, self.get_slot(var, "momentum")]
        return self._apply("SparseApplyMomentum", slots, rate, grad, indices, momentum, use_nesterov=self._use_nesterov)


class AdamOptimizer(Optimizer):
    """Adam (Kingma and Ba 2015), in the form just before section 2.1 of the paper: epsilon is their epsilon hat.

    Sparse gradients decay the moments of all rows, as if the gradient were dense.
    """

    def __init__(
        self,
        learning_rate: Hyperparameter = 0.001,
        beta1: Hyperparameter = 0.9,
        beta2: Hyperparameter = 0.999,
        epsilon: Hyperparameter = 1e-8,
        use_locking: bool = False,
        name: str = "Adam",
    ) -> None:
        super().__init__(use_locking, name)
        self._lr, self._beta1, self._beta2, self._epsilon = learning_rate, beta1, beta2, epsilon

    def _create_slots(self, var_list: Sequence[Any]) -> None:
        first = min(var_list, key=lambda v: v.name)
        self._create_non_slot_variable(self._beta1, "beta1_power", first)
        self._create_non_slot_variable(self._beta2, "beta2_power", first)
        for v in var_list:
            self._zeros_slot(v, "m", self._name)
            self._zeros_slot(v, "v", self._name)

    def _prepare(self) -> None:
        self._lr_t = self._tensor(self._lr, "learning_rate")
        self._beta1_t = self._tensor(self._beta1, "beta1")
        self._beta2_t = self._tensor(self._beta2, "beta2")
        self._epsilon_t = self._tensor(self._epsilon, "epsilon")

    def _powers(self) -> tuple[Any, Any]:
        return self._get_non_slot_variable("beta1_power"), self._get_non_slot_variable("beta2_power")

    def _dense(self, grad: Tensor, var: Any) -> Any:
        hyper = (*self._powers(), self._lr_t, self._beta1_t, self._beta2_t, self._epsilon_t)
        slots = [var, self.get_slot(var, "m"), self.get_slot(var, "v")]
        return self._apply("ApplyAdam", slots, *(self._cast(h, var) for h in hyper), grad)

    _apply_dense = _dense
    _resource_apply_dense = _dense

    def _rows(self, grad: Any, var: Any, indices: Tensor) -> Operation:
        b = Builder(self._graph)
        power1, power2 = (self._cast(p, var) for p in self._powers())
        lr, beta1, beta2, epsilon = (
            self._cast(t, var) for t in (self._lr_t, self._beta1_t, self._beta2_t, self._epsilon_t)
        )
        one_minus2: Any = 1 - power2  # type: ignore[operator]  # installed
        rate: Any = lr * b.op("Sqrt", one_minus2) / (1 - power1)  # type: ignore[operator]  # installed
        m = self.get_slot(var, "m")
        scaled = grad * (1 - beta1)  # type: ignore[operator]  # installed
        m_t = m.assign(m * beta1, use_locking=self._use_locking)
        with self._graph.control_dependencies([_write(m_t)]):
            m_t = self._scatter_add(m, indices, scaled)
        v = self.get_slot(var, "v")
        scaled = (grad * grad) * (1 - beta2)  # type: ignore[operator]  # installed
        v_t = v.assign(v * beta2, use_locking=self._use_locking)
        with self._graph.control_dependencies([_write(v_t)]):
            v_t = self._scatter_add(v, indices, scaled)
        root: Any = b.op("Sqrt", v_t)
        update = var.assign_sub(rate * m_t / (root + epsilon), use_locking=self._use_locking)
        return b.group(_write(update), m_t, v_t)

    def _scatter_add(self, slot: Any, indices: Tensor, values: Tensor) -> Any:
        b = Builder(self._graph)
        if not isinstance(slot, ResourceVariable):
            return b.op("ScatterAdd", slot._ref(), indices, values, use_locking=self._use_locking)
        with self._graph.control_dependencies([b.op("ResourceScatterAdd", slot.handle, indices, values)]):
            return slot.value()

    def _apply_sparse(self, grad: IndexedSlices, var: Any) -> Any:
        return self._rows(grad.values, var, grad.indices)

    def _resource_apply_sparse(self, grad: Tensor, var: Any, indices: Tensor) -> Any:
        return self._rows(grad, var, indices)

    def _finish(self, update_ops: Sequence[Any], name_scope: str) -> Operation:
        with self._graph.control_dependencies(update_ops):
            power1, power2 = self._powers()
            with self._graph.colocate_with(power1):
                after1 = power1.assign(power1 * self._beta1_t, use_locking=self._use_locking)
                after2 = power2.assign(power2 * self._beta2_t, use_locking=self._use_locking)
        return Builder(self._graph).group(*update_ops, _write(after1), _write(after2), name=name_scope)


def _write(assigned: Any) -> Operation:
    """The op that assigned what `assigned` reads."""
    op: Operation = assigned.op
    return op.control_inputs[0] if op.type == "ReadVariableOp" and op.control_inputs else op


class AdagradOptimizer(OneOp):
    """Adagrad (Duchi et al. 2011): rates fall with the sum of squared gradients."""

    def __init__(
        self,
        learning_rate: Hyperparameter,
        initial_accumulator_value: float = 0.1,
        use_locking: bool = False,
        name: str = "Adagrad",
    ) -> None:
        if initial_accumulator_value <= 0.0:
            raise ValueError(f"initial_accumulator_value must be positive: {initial_accumulator_value}")
        super().__init__(use_locking, name, learning_rate=learning_rate)
        self._initial_accumulator_value = initial_accumulator_value

    def _create_slots(self, var_list: Sequence[Any]) -> None:
        for v in var_list:
            dtype = v.dtype.base_dtype
            if v.get_shape().is_fully_defined():
                start: Any = _constant(v, self._initial_accumulator_value)
            else:
                start = _filled_like(v, self._initial_accumulator_value)
            self._get_or_make_slot_with_initializer(v, start, v.get_shape(), dtype, "accumulator", self._name)

    def _dense(self, grad: Tensor, var: Any) -> Any:
        slots = [var, self.get_slot(var, "accumulator")]
        return self._apply("ApplyAdagrad", slots, self._h("learning_rate", var), grad)

    def _sparse(self, grad: Tensor, var: Any, indices: Tensor) -> Any:
        slots = [var, self.get_slot(var, "accumulator")]
        return self._apply("SparseApplyAdagrad", slots, self._h("learning_rate", var), grad, indices)


def _ones(var: Any) -> Any:
    """An initializer that fills a shape with ones."""

    def start(shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        return Builder(var.graph).ones(shape, dtype)

    return start


def _constant(var: Any, value: float) -> Any:
    """An initializer that fills a shape with one value."""

    def start(shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        return Builder(var.graph).constant(value, dtype, shape)

    return start


def _filled_like(var: Any, value: float) -> Any:
    def start(shape: Any = None, dtype: Any = None, partition_info: Any = None) -> Tensor:
        b = Builder(var.graph)
        filled = b.cast(b.constant(value), var.dtype.base_dtype)
        return b.fill(b.shape(var), filled)

    return start


class AdadeltaOptimizer(OneOp):
    """Adadelta (Zeiler 2012)."""

    def __init__(
        self,
        learning_rate: Hyperparameter = 0.001,
        rho: Hyperparameter = 0.95,
        epsilon: Hyperparameter = 1e-8,
        use_locking: bool = False,
        name: str = "Adadelta",
    ) -> None:
        super().__init__(use_locking, name, lr=learning_rate, rho=rho, epsilon=epsilon)

    def _create_slots(self, var_list: Sequence[Any]) -> None:
        for v in var_list:
            self._zeros_slot(v, "accum", self._name)
            self._zeros_slot(v, "accum_update", self._name)

    def _slots_of(self, var: Any) -> list[Any]:
        return [var, self.get_slot(var, "accum"), self.get_slot(var, "accum_update")]

    def _dense(self, grad: Tensor, var: Any) -> Any:
        hyper = [self._h(n, var) for n in ("lr", "rho", "epsilon")]
        return self._apply("ApplyAdadelta", self._slots_of(var), *hyper, grad)

    def _sparse(self, grad: Tensor, var: Any, indices: Tensor) -> Any:
        hyper = [self._h(n, var) for n in ("lr", "rho", "epsilon")]
        return self._apply("SparseApplyAdadelta", self._slots_of(var), *hyper, grad, indices)


class RMSPropOptimizer(OneOp):
    """RMSProp (Hinton): rates fall with a moving average of squared gradients; `centered` takes their variance."""

    def __init__(
        self,
        learning_rate: Hyperparameter,
        decay: Hyperparameter = 0.9,
        momentum: Hyperparameter = 0.0,
        epsilon: Hyperparameter = 1e-10,
        use_locking: bool = False,
        centered: bool = False,
        name: str = "RMSProp",
    ) -> None:
        super().__init__(
            use_locking, name, learning_rate=learning_rate, decay=decay, momentum=momentum, epsilon=epsilon
        )
        self._centered = centered

    def _create_slots(self, var_list: Sequence[Any]) -> None:
        for v in var_list:
            if v.get_shape().is_fully_defined():
                start: Any = _ones(v)
            else:
                start = Builder(v.graph).ones_like(v)
            self._get_or_make_slot_with_initializer(v, start, v.get_shape(), v.dtype.base_dtype, "rms", self._name)
            if self._centered:
                self._zeros_slot(v, "mg", self._name)
            self._zeros_slot(v, "momentum", self._name)

    def _call_op(self, kind: str, var: Any, *rest: Any) -> Any:
        names = ("mg", "rms", "momentum") if self._centered else ("rms", "momentum")
        slots = [var, *(self.get_slot(var, n) for n in names)]
        hyper = [self._h(n, var) for n in ("learning_rate", "decay", "momentum", "epsilon")]
        return self._apply(f"{kind}{'CenteredRMSProp' if self._centered else 'RMSProp'}", slots, *hyper, *rest)

    def _dense(self, grad: Tensor, var: Any) -> Any:
        return self._call_op("Apply", var, grad)

    def _sparse(self, grad: Tensor, var: Any, indices: Tensor) -> Any:
        return self._call_op("SparseApply", var, grad, indices)
