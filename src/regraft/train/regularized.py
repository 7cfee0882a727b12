"""Optimizers that regularize as they go: FTRL, the proximal ones, and Adagrad with dual averaging."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from regraft.ir.node import Tensor
from regraft.opkit.builder import Builder
from regraft.train.optimizer import Hyperparameter, OneOp
from regraft.variables import ResourceVariable


class FtrlOptimizer(OneOp):
    """Follow the regularized leader (McMahan et al. 2013), with optional L2 shrinkage."""

    def __init__(
        self,
        learning_rate: Hyperparameter,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        use_locking: bool = False,
        name: str = "Ftrl",
        accum_name: str | None = None,
        linear_name: str | None = None,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float | None = None,
    ) -> None:
        for label, value in (
            ("initial_accumulator_value", initial_accumulator_value),
            ("l1_regularization_strength", l1_regularization_strength),
            ("l2_regularization_strength", l2_regularization_strength),
            ("l2_shrinkage_regularization_strength", l2_shrinkage_regularization_strength),
        ):
            if value < 0.0:
                raise ValueError(f"{label} {value} needs to be positive or zero")
        if learning_rate_power > 0.0:
            raise ValueError(f"learning_rate_power {learning_rate_power} needs to be negative or zero")
        super().__init__(use_locking, name)
        self._learning_rate = learning_rate
        self._learning_rate_power = learning_rate_power
        self._initial_accumulator_value = initial_accumulator_value
        self._l1, self._l2, self._beta = l1_regularization_strength, l2_regularization_strength, beta or 0.0
        self._shrinkage = l2_shrinkage_regularization_strength
        self._accum_name, self._linear_name = accum_name, linear_name

    def _create_slots(self, var_list: Sequence[Any]) -> None:
        def start(shape: Any, dtype: Any = None, partition_info: Any = None) -> Any:
            ones: Any = Builder(self._graph).ones(shape, dtype)
            return ones * self._initial_accumulator_value

        for v in var_list:
            own = self._accum_name or self._name
            self._get_or_make_slot_with_initializer(v, start, v.shape, v.dtype.base_dtype, "accum", own)
            self._zeros_slot(v, "linear", self._linear_name or self._name)

    def _prepare(self) -> None:
        b = Builder(self._graph)
        self._tensors = {
            "learning_rate": self._tensor(self._learning_rate, "learning_rate"),
            "l1": self._tensor(self._l1, "l1_regularization_strength"),
        }
        rate: Any = b.op("Maximum", self._learning_rate, 1e-36)
        adjusted = self._l2 + self._beta / (2.0 * rate)
        self._tensors["l2"] = self._tensor(adjusted, "adjusted_l2_regularization_strength")
        self._tensor(self._beta, "beta")
        self._tensors["shrinkage"] = self._tensor(self._shrinkage, "l2_shrinkage_regularization_strength")
        self._tensors["power"] = self._tensor(self._learning_rate_power, "learning_rate_power")

    def _call_op(self, kind: str, var: Any, *gradient: Any) -> Any:
        slots = [var, self.get_slot(var, "accum"), self.get_slot(var, "linear")]
        shrinks = self._shrinkage > 0.0
        names = ["learning_rate", "l1", "l2", *(["shrinkage"] if shrinks else []), "power"]
        version = "V2" if shrinks else ""
        return self._apply(f"{kind}Ftrl{version}", slots, *gradient, *(self._h(n, var) for n in names))

    def _dense(self, grad: Tensor, var: Any) -> Any:
        return self._call_op("Apply", var, grad)

    def _sparse(self, grad: Tensor, var: Any, indices: Tensor) -> Any:
        return self._call_op("SparseApply", var, grad, indices)


class _Proximal(OneOp):
    """What both proximal optimizers share: their ops take hyperparameters as they are, cast only beside sparse ones."""

    _names = ("learning_rate", "l1_regularization_strength", "l2_regularization_strength")
    _kind = ""

    def _slots_of(self, var: Any) -> list[Any]:
        return [var]

    def _dense(self, grad: Tensor, var: Any) -> Any:
        return self._apply(f"Apply{self._kind}", self._slots_of(var), *(self._tensors[n] for n in self._names), grad)

    def _sparse(self, grad: Tensor, var: Any, indices: Tensor) -> Any:
        cast = isinstance(var, ResourceVariable)
        hyper = [self._h(n, var) if cast else self._tensors[n] for n in self._names]
        return self._apply(f"SparseApply{self._kind}", self._slots_of(var), *hyper, grad, indices)


class ProximalGradientDescentOptimizer(_Proximal):
    """Gradient descent with an L1 and L2 proximal step (Duchi and Singer 2009)."""

    _kind = "ProximalGradientDescent"

    def __init__(
        self,
        learning_rate: Hyperparameter,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        use_locking: bool = False,
        name: str = "ProximalGradientDescent",
    ) -> None:
        super().__init__(
            use_locking,
            name,
            learning_rate=learning_rate,
            l1_regularization_strength=l1_regularization_strength,
            l2_regularization_strength=l2_regularization_strength,
        )


class ProximalAdagradOptimizer(_Proximal):
    """Adagrad with an L1 and L2 proximal step (Duchi and Singer 2009)."""

    _kind = "ProximalAdagrad"

    def __init__(
        self,
        learning_rate: Hyperparameter,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        use_locking: bool = False,
        name: str = "ProximalAdagrad",
    ) -> None:
        if initial_accumulator_value <= 0.0:
            raise ValueError(f"initial_accumulator_value must be positive: {initial_accumulator_value}")
        super().__init__(
            use_locking,
            name,
            learning_rate=learning_rate,
            l1_regularization_strength=l1_regularization_strength,
            l2_regularization_strength=l2_regularization_strength,
        )
        self._initial_accumulator_value = initial_accumulator_value

    def _create_slots(self, var_list: Sequence[Any]) -> None:
        for v in var_list:
            self._constant_slot(v, self._initial_accumulator_value, "accumulator")

    def _slots_of(self, var: Any) -> list[Any]:
        return [var, self.get_slot(var, "accumulator")]


class AdagradDAOptimizer(OneOp):
    """Adagrad with dual averaging (Duchi et al. 2011), for sparse linear models.

    global_step  counts the steps; the update divides by it
    """

    def __init__(
        self,
        learning_rate: Hyperparameter,
        global_step: Any,
        initial_gradient_squared_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        use_locking: bool = False,
        name: str = "AdagradDA",
    ) -> None:
        if initial_gradient_squared_accumulator_value <= 0.0:
            raise ValueError(
                "initial_gradient_squared_accumulator_value must be positive: "
                f"{initial_gradient_squared_accumulator_value}"
            )
        super().__init__(use_locking, name)
        self._learning_rate = learning_rate
        self._global_step = global_step
        self._initial = initial_gradient_squared_accumulator_value
        self._l1, self._l2 = l1_regularization_strength, l2_regularization_strength

    def _create_slots(self, var_list: Sequence[Any]) -> None:
        for v in var_list:
            with v.graph.colocate_with(v):
                b = Builder(v.graph)
                values = [b.constant(c, v.dtype.base_dtype, v.get_shape()) for c in (0.0, self._initial)]
            self._get_or_make_slot(v, values[0], "gradient_accumulator", self._name)
            self._get_or_make_slot(v, values[1], "gradient_squared_accumulator", self._name)

    def _prepare(self) -> None:
        rate = self._tensor(self._learning_rate, "learning_rate")
        self._tensors = {"learning_rate": rate}
        with self._graph.colocate_with(rate):
            step: Any = Builder(self._graph).identity(self._global_step)
            self._step: Any = step + 1

    def _call_op(self, kind: str, var: Any, *gradient: Any) -> Any:
        b = Builder(self._graph)
        slots = [var, self.get_slot(var, "gradient_accumulator"), self.get_slot(var, "gradient_squared_accumulator")]
        with self._graph.device(var.device or None) if var.device else self._graph.device(""):
            step = b.identity(self._step)
        dtype = var.dtype.base_dtype
        rate = self._h("learning_rate", var)
        return self._apply(kind, slots, *gradient, rate, b.cast(self._l1, dtype), b.cast(self._l2, dtype), step)

    def _dense(self, grad: Tensor, var: Any) -> Any:
        return self._call_op("ApplyAdagradDA", var, grad)

    def _sparse(self, grad: Tensor, var: Any, indices: Tensor) -> Any:
        return self._call_op("SparseApplyAdagradDA", var, grad, indices)
