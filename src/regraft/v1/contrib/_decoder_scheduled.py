"""Scheduled sampling: now the truth, now what the decoder gave. Source: Bengio et al., arXiv:1506.03099."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from regraft.base import dtypes
from regraft.v1 import _context
from regraft.v1._array import concat, shape
from regraft.v1._control_flow import cond
from regraft.v1._graph import convert_to_tensor, name_scope
from regraft.v1._indexing import gather_nd, where
from regraft.v1._math import cast
from regraft.v1._reduction import reduce_all, reduce_any
from regraft.v1._rnn import transpose_batch_time
from regraft.v1.contrib._decoder_inputs import TrainingHelper, embedding_function, time_steps
from regraft.v1.contrib._sampling import bernoulli_sample, categorical_sample

__all__ = ["ScheduledEmbeddingTrainingHelper", "ScheduledOutputTrainingHelper"]


def _probability(value: Any) -> Any:
    tensor = convert_to_tensor(value, name="sampling_probability")
    if tensor.shape.rank not in (0, 1):
        raise ValueError(f"sampling_probability must be either a scalar or a vector. saw shape: {tensor.shape}")
    return tensor


def _positions(chosen: Any) -> Any:
    return cast(where(chosen), dtypes.int32)


def _scattered(sizes: Any, where_one: Any, one: Any, where_other: Any, other: Any) -> Any:
    """A tensor of these sizes with rows of one tensor here, and of another there."""
    b = _context.builder()
    return b.ScatterNd(where_one, one, sizes) + b.ScatterNd(where_other, other, sizes)


class ScheduledEmbeddingTrainingHelper(TrainingHelper):
    """A `TrainingHelper` that feeds back the embedding of a class drawn from the outputs, now and then.

    embedding             a function of ids, or a matrix
    sampling_probability  how often: a number for all sequences, or one for each. ValueError for other shapes
    """

    def __init__(
        self,
        inputs: Any,
        sequence_length: Any,
        embedding: Any,
        sampling_probability: Any,
        time_major: bool = False,
        seed: int | None = None,
        scheduling_seed: int | None = None,
        name: str | None = None,
    ) -> None:
        with name_scope(name, "ScheduledEmbeddingSamplingWrapper", [embedding, sampling_probability]):
            self._embedding_fn = embedding_function(embedding)
            self._sampling_probability = _probability(sampling_probability)
            self._seed = seed
            self._scheduling_seed = scheduling_seed
            super().__init__(inputs, sequence_length, time_major, name)

    def sample(self, time: Any, outputs: Any, state: Any = None, name: str | None = None, **unused: Any) -> Any:
        with name_scope(name, "ScheduledEmbeddingTrainingHelperSample", [time, outputs, state]):
            chosen = bernoulli_sample(
                probs=self._sampling_probability,
                dtype=dtypes.bool_,
                sample_shape=self.batch_size,
                seed=self._scheduling_seed,
            )
            drawn = categorical_sample(logits=outputs, seed=self._seed)
            return where(chosen, drawn, _context.builder().Fill([self.batch_size], -1))

    def next_inputs(
        self, time: Any, outputs: Any, state: Any, sample_ids: Any = None, name: str | None = None, **unused: Any
    ) -> Any:
        with name_scope(name, "ScheduledEmbeddingTrainingHelperNextInputs", [time, outputs, state, sample_ids]):
            finished, truth, state = super().next_inputs(time, outputs, state, sample_ids, name)

            def mixed() -> Any:
                drawn, kept = _positions(sample_ids > -1), _positions(sample_ids <= -1)
                ids = gather_nd(sample_ids, drawn)
                true_rows = gather_nd(truth, kept)
                rows = self._embedding_fn(ids)
                return _scattered(shape(truth), drawn, rows, kept, true_rows)

            return finished, cond(reduce_all(finished), lambda: truth, mixed), state


class ScheduledOutputTrainingHelper(TrainingHelper):
    """A `TrainingHelper` that feeds back the outputs, now and then.

    next_inputs_fn        makes inputs of outputs; they are taken as they are where it is None
    auxiliary_inputs      what is joined to the inputs of every step
    sampling_probability  as `ScheduledEmbeddingTrainingHelper`
    """

    def __init__(
        self,
        inputs: Any,
        sequence_length: Any,
        sampling_probability: Any,
        time_major: bool = False,
        seed: int | None = None,
        next_inputs_fn: Callable[[Any], Any] | None = None,
        auxiliary_inputs: Any = None,
        name: str | None = None,
    ) -> None:
        with name_scope(name, "ScheduledOutputTrainingHelper", [inputs, auxiliary_inputs, sampling_probability]):
            self._sampling_probability = _probability(sampling_probability)
            self._auxiliary = None
            if auxiliary_inputs is not None:
                inputs = convert_to_tensor(inputs, name="inputs")
                auxiliary_inputs = convert_to_tensor(auxiliary_inputs, name="auxiliary_inputs")
                inputs = concat((inputs, auxiliary_inputs), -1)
                if not time_major:
                    auxiliary_inputs = transpose_batch_time(auxiliary_inputs)
                self._auxiliary = time_steps(auxiliary_inputs)
            self._seed = seed
            self._next_inputs_fn = next_inputs_fn
            super().__init__(inputs, sequence_length, time_major, name)

    def sample(self, time: Any, outputs: Any, state: Any = None, name: str | None = None, **unused: Any) -> Any:
        with name_scope(name, "ScheduledOutputTrainingHelperSample", [time, outputs, state]):
            return bernoulli_sample(probs=self._sampling_probability, sample_shape=self.batch_size, seed=self._seed)

    def _with_auxiliary(self, time: Any, outputs: Any, rows: Any = None) -> Any:
        if self._auxiliary is None:
            return outputs
        more = self._auxiliary.read(time + 1)
        return concat((outputs, more if rows is None else gather_nd(more, rows)), -1)

    def next_inputs(
        self, time: Any, outputs: Any, state: Any, sample_ids: Any = None, name: str | None = None, **unused: Any
    ) -> Any:
        with name_scope(name, "ScheduledOutputTrainingHelperNextInputs", [time, outputs, state, sample_ids]):
            finished, truth, state = super().next_inputs(time, outputs, state, sample_ids, name)
            chosen = cast(sample_ids, dtypes.bool_)
            b = _context.builder()

            def mixed() -> Any:
                if self._next_inputs_fn is None:
                    return where(chosen, self._with_auxiliary(time, outputs), truth)
                drawn = _positions(chosen)
                kept = _positions(b.LogicalNot(chosen))
                given = gather_nd(outputs, drawn)
                true_rows = gather_nd(truth, kept)
                rows = self._with_auxiliary(time, self._next_inputs_fn(given), drawn)
                return _scattered(shape(truth), drawn, rows, kept, true_rows)

            over = reduce_all(finished)
            none = b.LogicalNot(reduce_any(chosen))
            return finished, cond(b.LogicalOr(over, none), lambda: truth, mixed), state
