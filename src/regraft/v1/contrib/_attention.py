"""Attention: how well the items of a memory fit a query."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from regraft.base import dtypes
from regraft.base.dtypes import as_dtype
from regraft.opkit import nest
from regraft.v1 import _context
from regraft.v1._array import (
    concat,
    expand_dims,
    ones,
    ones_like,
    rank,
    reshape,
    sequence_mask,
    shape,
    squeeze,
    transpose,
    zeros,
)
from regraft.v1._checks import assert_positive
from regraft.v1._clip import clip_by_value
from regraft.v1._functional import scan
from regraft.v1._graph import control_dependencies, convert_to_tensor, name_scope
from regraft.v1._indexing import one_hot, where
from regraft.v1._layer import Layer
from regraft.v1._layers_core import Dense
from regraft.v1._linalg import matmul
from regraft.v1._math import cast, exp, rsqrt, sigmoid
from regraft.v1._nn_basic import softmax
from regraft.v1._random import random_normal
from regraft.v1._reduction import argmax, cumprod, cumsum, reduce_sum
from regraft.v1._rnn_cells import tanh
from regraft.v1._rnn_state import zero_state
from regraft.v1._variable_scope import get_variable, variable_scope
from regraft.variables import initializers

__all__ = [
    "AttentionMechanism",
    "BahdanauAttention",
    "BahdanauMonotonicAttention",
    "LuongAttention",
    "LuongMonotonicAttention",
    "hardmax",
    "monotonic_attention",
    "safe_cumprod",
]


class AttentionMechanism:
    """`alignments, next_state = mechanism(query, state)`: weights [batch, items] of the items of the memory."""

    @property
    def alignments_size(self) -> Any:
        """The number of items."""
        raise NotImplementedError

    @property
    def state_size(self) -> Any:
        """The size of the state."""
        raise NotImplementedError


class _OverMemory(AttentionMechanism):
    """A mechanism over a memory [batch, items, ...], whose items behind `memory_sequence_length` do not count.

    raises  TypeError for layers that are none, ValueError for a memory whose depth is not known
    """

    def __init__(
        self,
        query_layer: Any,
        memory: Any,
        probability_fn: Callable[..., Any],
        memory_sequence_length: Any = None,
        memory_layer: Any = None,
        check_inner_dims_defined: bool = True,
        score_mask_value: Any = None,
        custom_key_value_fn: Callable[..., Any] | None = None,
        name: str | None = None,
    ) -> None:
        for layer, kind in ((query_layer, "query_layer"), (memory_layer, "memory_layer")):
            if layer is not None and not isinstance(layer, Layer):
                raise TypeError(f"{kind} is not a Layer: {type(layer).__name__}")
        if not callable(probability_fn):
            raise TypeError(f"probability_fn must be callable, saw type: {type(probability_fn).__name__}")
        self._query_layer = query_layer
        self._memory_layer = memory_layer
        self.dtype = memory_layer.dtype
        if score_mask_value is None:
            score_mask_value = as_dtype(self.dtype).numpy.type(-np.inf)

        def probabilities(score: Any, previous: Any) -> Any:
            return probability_fn(_masked(score, memory_sequence_length, score_mask_value), previous)

        self._probability_fn = probabilities
        with name_scope(name, "BaseAttentionMechanismInit", nest.flatten(memory)):
            self._values = _prepared(memory, memory_sequence_length, check_inner_dims_defined)
            self._keys = memory_layer(self._values) if memory_layer else self._values
            if custom_key_value_fn is not None:
                self._keys, self._values = custom_key_value_fn(self._keys, self._values)
            sizes = self._keys.shape.as_list()
            self._batch_size = sizes[0] or shape(self._keys)[0]
            self._alignments_size = sizes[1] or shape(self._keys)[1]

    @property
    def memory_layer(self) -> Any:
        return self._memory_layer

    @property
    def query_layer(self) -> Any:
        return self._query_layer

    @property
    def values(self) -> Any:
        """The memory."""
        return self._values

    @property
    def keys(self) -> Any:
        """What queries are compared with."""
        return self._keys

    @property
    def batch_size(self) -> Any:
        return self._batch_size

    @property
    def alignments_size(self) -> Any:
        return self._alignments_size

    @property
    def state_size(self) -> Any:
        return self._alignments_size

    def initial_alignments(self, batch_size: Any, dtype: Any) -> Any:
        """The weights before the first query: zeros."""
        return zero_state(self._alignments_size, batch_size, dtype)

    def initial_state(self, batch_size: Any, dtype: Any) -> Any:
        """The state before the first query."""
        return self.initial_alignments(batch_size, dtype)

    def _projected(self, query: Any) -> Any:
        return self._query_layer(query) if self._query_layer else query

    def _aligned(self, score: Any, state: Any) -> tuple[Any, Any]:
        alignments = self._probability_fn(score, state)
        return alignments, alignments


def _prepared(memory: Any, lengths: Any, check_inner_dims_defined: bool) -> Any:
    """The memory with zeros behind the lengths."""
    memory = nest.map_structure(lambda m: convert_to_tensor(m, name="memory"), memory)
    if lengths is not None:
        lengths = convert_to_tensor(lengths, name="memory_sequence_length")
    for m in nest.flatten(memory) if check_inner_dims_defined else ():
        if not m.shape[2:].is_fully_defined():
            raise ValueError(f"Expected memory {m.name} to have fully defined inner dims, but saw shape: {m.shape}")
    if lengths is None:
        return memory
    first = nest.flatten(memory)[0]
    mask = sequence_mask(lengths, maxlen=shape(first)[1], dtype=first.dtype)

    def masked(m: Any) -> Any:
        found = m.shape.rank
        more = ones((rank(m) if found is None else found) - 2, dtype=dtypes.int32)
        return m * reshape(mask, concat((shape(mask), more), 0))

    return nest.map_structure(masked, memory)


def _masked(score: Any, lengths: Any, value: Any) -> Any:
    """The score with `value` behind the lengths, which must be positive."""
    if lengths is None:
        return score
    said = "All values in memory_sequence_length must be greater than zero."
    with control_dependencies([assert_positive(lengths, message=said)]):
        mask = sequence_mask(lengths, maxlen=shape(score)[1])
    return where(mask, score, value * ones_like(score))


def _dense(units: int, name: str, dtype: Any) -> Any:
    return Dense(units, name=name, use_bias=False, dtype=dtypes.float32 if dtype is None else dtype)


def _without_state(probability_fn: Any) -> Callable[[Any, Any], Any]:
    function = softmax if probability_fn is None else probability_fn
    return lambda score, _: function(score)


class _Luong(_OverMemory):
    _num_units: int
    _scale: bool

    def _score(self, query: Any) -> Any:
        g = None
        if self._scale:
            g = get_variable("attention_g", dtype=query.dtype, initializer=initializers.Ones, shape=())
        depth, units = query.shape.as_list()[-1], self._keys.shape.as_list()[-1]
        if depth != units or depth is None:
            raise ValueError(
                "Incompatible or unknown inner dimensions between query and keys.  "
                f"Query ({query}) has units: {depth}.  Keys ({self._keys}) have units: {units}.  "
                f"Perhaps you need to set num_units to the keys' dimension ({units})?"
            )
        score = squeeze(matmul(expand_dims(query, 1), self._keys, transpose_b=True), [1])
        return score if g is None else g * score


class LuongAttention(_Luong):
    """The product of query and keys. Source: Luong, Pham, Manning, arXiv:1508.04025.

    num_units               depth of the keys, which must be that of queries
    memory_sequence_length  [batch]; items behind it do not count
    scale                   a factor is learnt
    probability_fn          makes weights of scores; softmax where it is None
    """

    def __init__(
        self,
        num_units: int,
        memory: Any,
        memory_sequence_length: Any = None,
        scale: bool = False,
        probability_fn: Any = None,
        score_mask_value: Any = None,
        dtype: Any = None,
        custom_key_value_fn: Any = None,
        name: str = "LuongAttention",
    ) -> None:
        super().__init__(
            None,
            memory,
            _without_state(probability_fn),
            memory_sequence_length,
            _dense(num_units, "memory_layer", dtype),
            score_mask_value=score_mask_value,
            custom_key_value_fn=custom_key_value_fn,
            name=name,
        )
        self._num_units = num_units
        self._scale = scale

    def __call__(self, query: Any, state: Any) -> tuple[Any, Any]:
        with variable_scope(None, "luong_attention", [query]):
            score = self._score(query)
        return self._aligned(score, state)


class _Bahdanau(_OverMemory):
    _num_units: int
    _normalize: bool

    def _score(self, query: Any) -> Any:
        query = self._projected(query)
        v = get_variable("attention_v", [self._num_units], dtype=query.dtype)
        if not self._normalize:
            return reduce_sum(v * tanh(self._keys + expand_dims(query, 1)), [2])
        first = initializers.Constant(math.sqrt(1.0 / self._num_units))
        g = get_variable("attention_g", dtype=query.dtype, initializer=first, shape=())
        zero = initializers.Zeros()
        bias = get_variable("attention_b", [self._num_units], dtype=query.dtype, initializer=zero)
        query = expand_dims(query, 1)
        normed = g * v * rsqrt(reduce_sum(_context.builder().Square(v)))
        return reduce_sum(normed * tanh(self._keys + query + bias), [2])


class BahdanauAttention(_Bahdanau):
    """A layer over query and keys. Source: Bahdanau, Cho, Bengio, arXiv:1409.0473.

    num_units  depth in which query and keys are compared
    normalize  the layer's weights are normalised; the other arguments are those of `LuongAttention`
    """

    def __init__(
        self,
        num_units: int,
        memory: Any,
        memory_sequence_length: Any = None,
        normalize: bool = False,
        probability_fn: Any = None,
        score_mask_value: Any = None,
        dtype: Any = None,
        custom_key_value_fn: Any = None,
        name: str = "BahdanauAttention",
    ) -> None:
        super().__init__(
            _dense(num_units, "query_layer", dtype),
            memory,
            _without_state(probability_fn),
            memory_sequence_length,
            _dense(num_units, "memory_layer", dtype),
            score_mask_value=score_mask_value,
            custom_key_value_fn=custom_key_value_fn,
            name=name,
        )
        self._num_units = num_units
        self._normalize = normalize

    def __call__(self, query: Any, state: Any) -> tuple[Any, Any]:
        with variable_scope(None, "bahdanau_attention", [query]):
            score = self._score(query)
        return self._aligned(score, state)


def hardmax(logits: Any, name: str | None = None) -> Any:
    """One where the logits of a row are largest, else zero."""
    with name_scope(name, "Hardmax", [logits]):
        logits = convert_to_tensor(logits, name="logits")
        depth = logits.shape.as_list()[-1]
        return one_hot(argmax(logits, -1), shape(logits)[-1] if depth is None else depth, dtype=logits.dtype)


# Monotonic attention


def safe_cumprod(x: Any, *args: Any, **kwargs: Any) -> Any:
    """`tf.cumprod` of numbers in [0, 1] by the sum of their logarithms, whose gradients stay finite."""
    with name_scope(None, "SafeCumprod", [x]):
        x = convert_to_tensor(x, name="x")
        tiny = np.finfo(x.dtype.as_numpy_dtype).tiny
        return exp(cumsum(_context.builder().Log(clip_by_value(x, tiny, 1)), *args, **kwargs))


def monotonic_attention(p_choose_i: Any, previous_attention: Any, mode: str) -> Any:
    """Weights of a memory that is gone through from the first item to the last. Source: Raffel, arXiv:1704.00784.

    p_choose_i          [batch, items] how likely it is to stop at an item
    previous_attention  [batch, items] the last weights
    mode                "recursive" and "parallel" (the expected weights, exact or fast), or "hard" for choices 0 and 1
    raises              ValueError for another mode
    """
    p: Any = convert_to_tensor(p_choose_i, name="p_choose_i")
    previous = convert_to_tensor(previous_attention, name="previous_attention")
    if mode == "recursive":
        batch = p.shape.as_list()[0] or shape(p)[0]
        shifted = concat([ones((batch, 1)), 1 - p[:, :-1]], 1)
        kept = scan(
            lambda x, yz: reshape(yz[0] * x + yz[1], (batch,)),
            [transpose(shifted), transpose(previous)],
            zeros((batch,)),
        )
        return p * transpose(kept)
    if mode == "parallel":
        left = safe_cumprod(1 - p, axis=1, exclusive=True)
        return p * left * cumsum(previous / clip_by_value(left, 1e-10, 1.0), axis=1)
    if mode == "hard":
        p *= cumsum(previous, axis=1)
        return p * cumprod(1 - p, axis=1, exclusive=True)
    raise ValueError("mode must be 'recursive', 'parallel', or 'hard'.")


def _monotonic(score: Any, previous: Any, sigmoid_noise: float, mode: str, seed: int | None = None) -> Any:
    if sigmoid_noise > 0:
        score += sigmoid_noise * random_normal(shape(score), dtype=score.dtype, seed=seed)
    p = cast(score > 0, score.dtype) if mode == "hard" else sigmoid(score)
    return monotonic_attention(p, previous, mode)


class _Monotonic(_OverMemory):
    _score_bias_init: Any

    def initial_alignments(self, batch_size: Any, dtype: Any) -> Any:
        """The weights before the first query: all on the first item."""
        return one_hot(zeros((batch_size,), dtype=dtypes.int32), self._alignments_size, dtype=dtype)

    def _biased(self, score: Any, dtype: Any) -> Any:
        return score + get_variable("attention_score_bias", dtype=dtype, initializer=self._score_bias_init)


class BahdanauMonotonicAttention(_Monotonic, _Bahdanau):
    """`BahdanauAttention` that goes through the memory from the first item to the last; see `monotonic_attention`.

    sigmoid_noise    standard deviation of what is added to scores while training
    score_bias_init  the first value of what is learnt to be added to scores
    """

    def __init__(
        self,
        num_units: int,
        memory: Any,
        memory_sequence_length: Any = None,
        normalize: bool = False,
        score_mask_value: Any = None,
        sigmoid_noise: float = 0.0,
        sigmoid_noise_seed: int | None = None,
        score_bias_init: float = 0.0,
        mode: str = "parallel",
        dtype: Any = None,
        name: str = "BahdanauMonotonicAttention",
    ) -> None:
        super().__init__(
            _dense(num_units, "query_layer", dtype),
            memory,
            functools.partial(_monotonic, sigmoid_noise=sigmoid_noise, mode=mode, seed=sigmoid_noise_seed),
            memory_sequence_length,
            _dense(num_units, "memory_layer", dtype),
            score_mask_value=score_mask_value,
            name=name,
        )
        self._num_units = num_units
        self._normalize = normalize
        self._score_bias_init = score_bias_init

    def __call__(self, query: Any, state: Any) -> tuple[Any, Any]:
        with variable_scope(None, "bahdanau_monotonic_attention", [query]):
            score = self._score(query)
            score = self._biased(score, score.dtype)
        return self._aligned(score, state)


class LuongMonotonicAttention(_Monotonic, _Luong):
    """`LuongAttention` that goes through the memory from the first item to the last; see the one of Bahdanau."""

    def __init__(
        self,
        num_units: int,
        memory: Any,
        memory_sequence_length: Any = None,
        scale: bool = False,
        score_mask_value: Any = None,
        sigmoid_noise: float = 0.0,
        sigmoid_noise_seed: int | None = None,
        score_bias_init: float = 0.0,
        mode: str = "parallel",
        dtype: Any = None,
        name: str = "LuongMonotonicAttention",
    ) -> None:
        super().__init__(
            None,
            memory,
            functools.partial(_monotonic, sigmoid_noise=sigmoid_noise, mode=mode, seed=sigmoid_noise_seed),
            memory_sequence_length,
            _dense(num_units, "memory_layer", dtype),
            score_mask_value=score_mask_value,
            name=name,
        )
        self._num_units = num_units
        self._scale = scale
        self._score_bias_init = score_bias_init

    def __call__(self, query: Any, state: Any) -> tuple[Any, Any]:
        with variable_scope(None, "luong_monotonic_attention", [query]):
            score = self._biased(self._score(query), query.dtype)
        return self._aligned(score, state)
