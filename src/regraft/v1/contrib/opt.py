"""tf.contrib.opt: Adam that leaves rows without a gradient alone, and weights that decay beside the gradient."""

from __future__ import annotations

from typing import Any

from regraft.ir.node import Tensor
from regraft.opkit.slices import IndexedSlices
from regraft.train.optimizer import Optimizer
from regraft.train.optimizers import AdamOptimizer, MomentumOptimizer
from regraft.v1 import _context
from regraft.v1._indexing import gather, unique
from regraft.v1._math import cast, sqrt
from regraft.v1._scatter import scatter_sub, scatter_update
from regraft.v1.contrib._missing import missing_from

__all__ = [
    "AdamWOptimizer",
    "DecoupledWeightDecayExtension",
    "LazyAdamOptimizer",
    "MomentumWOptimizer",
    "extend_with_decoupled_weight_decay",
]


class LazyAdamOptimizer(AdamOptimizer):
    """Adam whose moments of a row change only where the row has a gradient: faster for large embeddings, and not
    the same as Adam."""

    def _rows(self, grad: Any, var: Any, indices: Tensor) -> Any:
        kind = var.dtype.base_dtype
        power1, power2 = (cast(p, kind) for p in self._powers())
        rate, beta1, beta2, epsilon = (
            cast(t, kind) for t in (self._lr_t, self._beta1_t, self._beta2_t, self._epsilon_t)
        )
        rate = rate * sqrt(1 - power2) / (1 - power1)
        moments = []
        for name, beta, value in (("m", beta1, grad), ("v", beta2, grad * grad)):
            slot = self.get_slot(var, name)
            moved = beta * gather(slot, indices) + (1 - beta) * value
            moments.append(scatter_update(slot, indices, moved, use_locking=self._use_locking))
        m, v = (gather(moment, indices) for moment in moments)
        update = scatter_sub(var, indices, rate * m / (sqrt(v) + epsilon), use_locking=self._use_locking)
        return _context.builder().group(update, *moments)


class DecoupledWeightDecayExtension(Optimizer):
    """Put before an optimizer among the bases of a class: variables lose `weight_decay` of themselves in each step.

    weight_decay  a number, a tensor, or a function that gives one
    """

    def __init__(self, weight_decay: Any, **kwargs: Any) -> None:
        self._weight_decay = weight_decay
        self._decay_var_list: Any = None
        self._decay_tensor: Any = None
        super().__init__(**kwargs)

    def minimize(self, loss: Any, *args: Any, decay_var_list: Any = None, **kwargs: Any) -> Any:
        """`Optimizer.minimize`; `decay_var_list` are the variables that decay (all)."""
        self._decay_var_list = decay_var_list or None
        return super().minimize(loss, *args, **kwargs)

    def apply_gradients(
        self, grads_and_vars: Any, global_step: Any = None, name: str | None = None, decay_var_list: Any = None
    ) -> Any:
        """`Optimizer.apply_gradients`; `decay_var_list` are the variables that decay (all)."""
        self._decay_var_list = decay_var_list or self._decay_var_list
        return super().apply_gradients(grads_and_vars, global_step=global_step, name=name)

    def _prepare(self) -> None:
        decay = self._weight_decay() if callable(self._weight_decay) else self._weight_decay
        self._decay_tensor = _context.builder().convert(decay, name="weight_decay")
        super()._prepare()

    def _decays(self, var: Any) -> bool:
        return self._decay_var_list is None or any(var is other for other in self._decay_var_list)

    def _decayed(self, var: Any, indices: Any = None) -> Any:
        """A block of operations behind the decay of the variable, or of those of its rows that have a gradient."""
        done = []
        if self._decays(var):
            rate = cast(self._decay_tensor, var.dtype.base_dtype)
            if indices is None:
                done = [var.assign_sub(rate * var, use_locking=self._use_locking)]
            else:
                done = [scatter_sub(var, indices, rate * gather(var, indices), use_locking=self._use_locking)]
        return _context.get_default_graph().control_dependencies([getattr(d, "op", d) for d in done])

    def _apply_dense(self, grad: Tensor, var: Any) -> Any:
        with self._decayed(var):
            return super()._apply_dense(grad, var)

    def _resource_apply_dense(self, grad: Tensor, var: Any) -> Any:
        with self._decayed(var):
            return super()._resource_apply_dense(grad, var)

    def _apply_sparse_duplicate_indices(self, grad: IndexedSlices, var: Any) -> Any:
        with self._decayed(var, unique(grad.indices)[0]):
            return super()._apply_sparse_duplicate_indices(grad, var)

    def _resource_apply_sparse_duplicate_indices(self, grad: Tensor, var: Any, indices: Tensor) -> Any:
        with self._decayed(var, unique(indices)[0]):
            return super()._resource_apply_sparse_duplicate_indices(grad, var, indices)


def extend_with_decoupled_weight_decay(base_optimizer: type) -> type:
    """The class of the optimizer with a first argument `weight_decay`; see `DecoupledWeightDecayExtension`."""

    class OptimizerWithDecoupledWeightDecay(DecoupledWeightDecayExtension, base_optimizer):  # type: ignore[misc]  # the base is known only now
        def __init__(self, weight_decay: Any, *args: Any, **kwargs: Any) -> None:
            self._weight_decay = weight_decay
            self._decay_var_list = None
            super(DecoupledWeightDecayExtension, self).__init__(*args, **kwargs)

    return OptimizerWithDecoupledWeightDecay


class AdamWOptimizer(DecoupledWeightDecayExtension, AdamOptimizer):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2017)."""

    def __init__(
        self,
        weight_decay: Any,
        learning_rate: Any = 0.001,
        beta1: Any = 0.9,
        beta2: Any = 0.999,
        epsilon: Any = 1e-8,
        use_locking: bool = False,
        name: str = "AdamW",
    ) -> None:
        super().__init__(
            weight_decay,
            learning_rate=learning_rate,
            beta1=beta1,
            beta2=beta2,
            epsilon=epsilon,
            use_locking=use_locking,
            name=name,
        )


class MomentumWOptimizer(DecoupledWeightDecayExtension, MomentumOptimizer):
    """Momentum with decoupled weight decay."""

    def __init__(
        self,
        weight_decay: Any,
        learning_rate: Any,
        momentum: Any,
        use_locking: bool = False,
        name: str = "MomentumW",
        use_nesterov: bool = False,
    ) -> None:
        super().__init__(
            weight_decay,
            learning_rate=learning_rate,
            momentum=momentum,
            use_locking=use_locking,
            name=name,
            use_nesterov=use_nesterov,
        )


__getattr__ = missing_from("opt")
