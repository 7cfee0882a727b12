"""tf.train.SyncReplicasOptimizer: workers hand in gradients; a queue runner of the chief applies their average."""

from __future__ import annotations

import logging
from typing import Any

from regraft.ir.graph_keys import GraphKeys
from regraft.ir.node import Operation, Tensor
from regraft.opkit.slices import IndexedSlices
from regraft.train.optimizer import Optimizer
from regraft.train.queue_runner import QueueRunner
from regraft.train.session_run_hook import SessionRunHook
from regraft.v1 import _context
from regraft.v1._accumulators import ConditionalAccumulator, SparseConditionalAccumulator
from regraft.v1._graph import name_scope
from regraft.v1._queues import FIFOQueue
from regraft.v1._session_manager import readiness
from regraft.v1._variables import assign, global_variables, report_uninitialized_variables
from regraft.variables import make_variable

_log = logging.getLogger("regraft")


class SyncReplicasOptimizer(Optimizer):
    """Applies the average of `replicas_to_aggregate` gradients as one step.

    A worker hands in its gradients, and waits for a token, which the chief's queue runner gives out after each step.
    One worker alone is a whole training program: the hook of `make_session_run_hook(True)` runs the chief's part.

    opt                   computes gradients and applies them
    total_num_replicas    how many workers there are; None for `replicas_to_aggregate`
    variable_averages     an ExponentialMovingAverage of `variables_to_average`, updated after each step
    """

    def __init__(
        self,
        opt: Optimizer,
        replicas_to_aggregate: int,
        total_num_replicas: int | None = None,
        variable_averages: Any = None,
        variables_to_average: Any = None,
        use_locking: bool = False,
        name: str = "sync_replicas",
    ) -> None:
        total = replicas_to_aggregate if total_num_replicas is None else total_num_replicas
        super().__init__(use_locking, name)
        _log.info("SyncReplicas: replicas_to_aggregate=%s; total_num_replicas=%s", replicas_to_aggregate, total)
        self._opt = opt
        self._replicas_to_aggregate = replicas_to_aggregate
        self._total_num_replicas = total
        self._tokens_per_step = max(total, replicas_to_aggregate)
        self._variable_averages = variable_averages
        self._variables_to_average = variables_to_average
        self._applied = False

    def compute_gradients(self, *args: Any, **kwargs: Any) -> list[tuple[Any, Any]]:
        """Those of the optimizer inside."""
        return self._opt.compute_gradients(*args, **kwargs)

    def apply_gradients(self, grads_and_vars: Any, global_step: Any = None, name: str | None = None) -> Any:
        """An operation that hands gradients in and waits for a token. ValueError without gradients or global step."""
        pairs = list(grads_and_vars)
        if not pairs:
            raise ValueError("Must supply at least one variable")
        if global_step is None:
            raise ValueError("Global step is required to check staleness")
        b = _context.builder()
        graph = b.graph
        self._global_step = global_step
        with graph.colocate_with(b.no_op()):
            local_step = make_variable(
                graph,
                0,
                trainable=False,
                collections=[GraphKeys.LOCAL_VARIABLES],
                dtype=global_step.dtype.base_dtype,
                name="sync_rep_local_step",
            )
        self._local_step = local_step
        self.local_step_init_op = assign(local_step, global_step)
        self.ready_for_local_init_op = report_uninitialized_variables(global_variables())
        with name_scope(None, self._name):
            handed_in: list[Operation] = []
            averages: list[tuple[Any, Any]] = []
            accumulators: list[tuple[Any, str]] = []
            for gradient, variable in pairs:
                with graph.device(variable.device):
                    if gradient is None:
                        averages.append((None, variable))
                        continue
                    given, average, accumulator = self._accumulated(gradient, variable)
                handed_in.append(given)
                averages.append((average, variable))
                accumulators.append((accumulator, variable.device))
            with graph.device(global_step.device), name_scope(""):
                update = self._opt.apply_gradients(averages, global_step)
            train_op = self._hand_out(handed_in, update)
            steps = []
            for accumulator, device in accumulators:
                with graph.device(device):
                    steps.append(accumulator.set_global_step(global_step, name="SetGlobalStep"))
            self.chief_init_op = b.group(self.local_step_init_op, *steps)
        self._applied = True
        return train_op

    def _accumulated(self, gradient: Any, variable: Any) -> tuple[Operation, Any, Any]:
        """The operation that hands a gradient in, the average, and the accumulator between them."""
        shared_name = variable.name + "/grad_accum"
        if isinstance(gradient, Tensor):
            dense = ConditionalAccumulator(gradient.dtype, variable.get_shape(), shared_name)
            given = dense.apply_grad(gradient, local_step=self._local_step)
            return given, dense.take_grad(self._replicas_to_aggregate), dense
        if not isinstance(gradient, IndexedSlices):
            raise ValueError("Unknown grad type!")
        sparse = SparseConditionalAccumulator(gradient.dtype, (), shared_name)
        given = sparse.apply_indexed_slices_grad(gradient, local_step=self._local_step)
        return given, sparse.take_indexed_slices_grad(self._replicas_to_aggregate), sparse

    def _hand_out(self, handed_in: list[Operation], update: Any) -> Any:
        """The queue of tokens: a worker takes one behind its gradients, the chief puts them in behind each step."""
        b, step = _context.builder(), self._global_step
        graph = b.graph
        with graph.device(step.device), name_scope(""):
            self._tokens = FIFOQueue(
                -1, step.dtype.base_dtype, shapes=(), name="sync_token_q", shared_name="sync_token_q"
            )
        with graph.device(step.device), name_scope(""):
            with graph.control_dependencies(handed_in):
                token = self._tokens.dequeue()
            train_op = assign(self._local_step, token)
            with graph.control_dependencies([update]):
                done = self._tokens.enqueue_many((b.fill([self._tokens_per_step], step),))
            if self._variable_averages is not None:
                with graph.control_dependencies([done]), name_scope(""):
                    done = self._variable_averages.apply(self._variables_to_average)
            self._chief_queue_runner = QueueRunner(self._tokens, [done])
        return train_op

    def get_chief_queue_runner(self) -> QueueRunner:
        """The queue runner with which the chief applies averages. ValueError before `apply_gradients`."""
        if not self._applied:
            raise ValueError("Should be called after apply_gradients().")
        return self._chief_queue_runner

    def get_init_tokens_op(self, num_tokens: int = -1) -> Operation:
        """An operation that puts the first tokens in the queue.

        num_tokens  -1 for `replicas_to_aggregate`
        raises      ValueError before `apply_gradients`, and for too few
        """
        if not self._applied:
            raise ValueError("get_init_tokens_op() should be called after apply_gradients().")
        needed = self._replicas_to_aggregate - self._total_num_replicas
        if num_tokens == -1:
            num_tokens = self._replicas_to_aggregate
        elif num_tokens < needed:
            raise ValueError(f"Too few tokens to finish the first step: {num_tokens} (given) vs {needed} (needed)")
        b = _context.builder()
        if num_tokens <= 0:
            return b.no_op(name="no_init_tokens")
        with b.graph.device(self._global_step.device), name_scope(""):
            return self._tokens.enqueue_many((b.fill([num_tokens], self._global_step),))

    def make_session_run_hook(self, is_chief: bool, num_tokens: int = -1) -> SessionRunHook:
        """A hook that initializes what the workers share, and starts the chief's queue runner."""
        return _Hook(self, is_chief, num_tokens)

    # What the optimizer inside keeps

    def get_slot(self, *args: Any, **kwargs: Any) -> Any:
        return self._opt.get_slot(*args, **kwargs)

    def get_slot_names(self) -> list[str]:
        return self._opt.get_slot_names()

    def variables(self) -> list[Any]:
        return self._opt.variables()


class _Hook(SessionRunHook):
    def __init__(self, sync_optimizer: SyncReplicasOptimizer, is_chief: bool, num_tokens: int) -> None:
        self._sync_optimizer = sync_optimizer
        self._is_chief = is_chief
        self._num_tokens = num_tokens

    def begin(self) -> None:
        optimizer = self._sync_optimizer
        if not optimizer._applied:
            raise ValueError("SyncReplicasOptimizer.apply_gradient should be called before using the hook.")
        self._local_init_op = optimizer.chief_init_op if self._is_chief else optimizer.local_step_init_op
        self._init_tokens_op = optimizer.get_init_tokens_op(self._num_tokens) if self._is_chief else None

    def after_create_session(self, session: Any, coord: Any) -> None:
        optimizer = self._sync_optimizer
        ready, message = readiness(
            optimizer.ready_for_local_init_op, session, "Model is not ready for SyncReplicasOptimizer local init."
        )
        if not ready:
            raise RuntimeError(
                "Init operations did not make model ready for SyncReplicasOptimizer local_init. "
                f"Init op: {self._local_init_op.name}, error: {message}"
            )
        session.run(self._local_init_op)
        if self._init_tokens_op is not None:
            session.run(self._init_tokens_op)
            optimizer.get_chief_queue_runner().create_threads(session, coord=coord, daemon=True, start=True)
