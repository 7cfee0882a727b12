"""Recurrent cells of tf.contrib.rnn that came late: groups, independent units, simple units, frequencies."""

from __future__ import annotations

from typing import Any

from regraft.base import dtypes
from regraft.v1 import _context
from regraft.v1._array import concat, shape, split, zeros
from regraft.v1._clip import clip_by_value
from regraft.v1._indexing import slice as slice_
from regraft.v1._layer import InputSpec, activation_of
from regraft.v1._linalg import matmul
from regraft.v1._math import add, multiply, sigmoid
from regraft.v1._nn_basic import bias_add
from regraft.v1._rnn_cells import LayerRNNCell, LSTMStateTuple, RNNCell, tanh
from regraft.v1._variable_scope import get_variable, get_variable_scope, variable_scope
from regraft.v1.contrib._rnn_cells import sharded
from regraft.v1.contrib._rnn_linear import Linear
from regraft.variables import initializers

__all__ = [
    "CFNCell",
    "GLSTMCell",
    "IndRNNCell",
    "IndyGRUCell",
    "IndyLSTMCell",
    "MinimalRNNCell",
    "SRUCell",
    "TimeFreqLSTMCell",
]


class _Units(LayerRNNCell):
    """A cell whose state and output are `num_units` wide."""

    def __init__(self, num_units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.input_spec = InputSpec(ndim=2)
        self._num_units = num_units

    @property
    def state_size(self) -> Any:
        return self._num_units

    @property
    def output_size(self) -> Any:
        return self._num_units

    def _recurrent(self, name: str, width: int) -> Any:
        """A weight for each unit by itself."""
        first = initializers.RandomUniform(minval=-1, maxval=1, dtype=self.dtype or dtypes.float32)
        return self.add_weight(name, [1, width], initializer=first)


class SRUCell(_Units):
    """A recurrent cell whose gates see the input alone. Source: Lei et al., arXiv:1709.02755."""

    def __init__(
        self, num_units: int, activation: Any = None, reuse: Any = None, name: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(num_units, _reuse=reuse, name=name, **kwargs)
        self._activation = activation or tanh

    def build(self, input_shape: Any) -> None:
        self._kernel = self.add_weight("kernel", [self._depth(input_shape), 4 * self._num_units])
        self._bias = self.add_weight("bias", [2 * self._num_units], initializer=initializers.Zeros)
        self.built = True

    def call(self, inputs: Any, state: Any) -> Any:  # type: ignore[override]  # takes a state
        new, forget, reset, passed = split(matmul(inputs, self._kernel), 4, axis=1)
        f, r = split(sigmoid(bias_add(concat([forget, reset], 1), self._bias)), 2, axis=1)
        c = f * state + (1.0 - f) * new
        return r * self._activation(c) + (1.0 - r) * passed, c


class IndRNNCell(_Units):
    """A `BasicRNNCell` whose units do not see each other. Source: Li et al., arXiv:1803.04831."""

    def __init__(
        self, num_units: int, activation: Any = None, reuse: Any = None, name: str | None = None, dtype: Any = None
    ) -> None:
        super().__init__(num_units, _reuse=reuse, name=name, dtype=dtype)
        self._activation = activation or tanh

    def build(self, input_shape: Any) -> None:
        self._kernel_w = self.add_weight("kernel_w", [self._depth(input_shape), self._num_units])
        self._kernel_u = self._recurrent("kernel_u", self._num_units)
        self._bias = self.add_weight("bias", [self._num_units], initializer=self._zeros())
        self.built = True

    def call(self, inputs: Any, state: Any) -> Any:  # type: ignore[override]  # takes a state
        output = self._activation(bias_add(matmul(inputs, self._kernel_w) + (state * self._kernel_u), self._bias))
        return output, output


class IndyGRUCell(_Units):
    """A `GRUCell` whose units do not see each other. Source: Gonnet, Deselaers, arXiv:1903.08023."""

    def __init__(
        self,
        num_units: int,
        activation: Any = None,
        reuse: Any = None,
        kernel_initializer: Any = None,
        bias_initializer: Any = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(num_units, _reuse=reuse, name=name, dtype=dtype)
        self._activation = activation or tanh
        self._kernel_initializer = kernel_initializer
        self._bias_initializer = bias_initializer

    def build(self, input_shape: Any) -> None:
        depth, units, given = self._depth(input_shape), self._num_units, self._bias_initializer
        kernel = self._kernel_initializer
        ones = initializers.Constant(1.0, dtype=self.dtype or dtypes.float32)
        self._gate_w = self.add_weight("gates/kernel_w", [depth, 2 * units], initializer=kernel)
        self._gate_u = self._recurrent("gates/kernel_u", 2 * units)
        self._gate_bias = self.add_weight("gates/bias", [2 * units], initializer=ones if given is None else given)
        self._candidate_w = self.add_weight("candidate/kernel", [depth, units], initializer=kernel)
        self._candidate_u = self._recurrent("candidate/kernel_u", units)
        self._candidate_bias = self.add_weight(
            "candidate/bias", [units], initializer=self._zeros() if given is None else given
        )
        self.built = True

    def call(self, inputs: Any, state: Any) -> Any:  # type: ignore[override]  # takes a state
        b = _context.builder()
        gates = matmul(inputs, self._gate_w) + (b.Tile(state, [1, 2]) * self._gate_u)
        r, u = split(sigmoid(bias_add(gates, self._gate_bias)), 2, axis=1)
        reset = r * state
        candidate = matmul(inputs, self._candidate_w) + (reset * self._candidate_u)
        c = self._activation(bias_add(candidate, self._candidate_bias))
        new = u * state + (1 - u) * c
        return new, new


class IndyLSTMCell(_Units):
    """A `BasicLSTMCell` whose units do not see each other. Source: Gonnet, Deselaers, arXiv:1903.08023."""

    def __init__(
        self,
        num_units: int,
        forget_bias: float = 1.0,
        activation: Any = None,
        reuse: Any = None,
        kernel_initializer: Any = None,
        bias_initializer: Any = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(num_units, _reuse=reuse, name=name, dtype=dtype)
        self._forget_bias = forget_bias
        self._activation = activation or tanh
        self._kernel_initializer = kernel_initializer
        self._bias_initializer = bias_initializer

    @property
    def state_size(self) -> Any:
        return LSTMStateTuple(self._num_units, self._num_units)

    def build(self, input_shape: Any) -> None:
        width, given = 4 * self._num_units, self._bias_initializer
        kernel = self._kernel_initializer
        self._kernel_w = self.add_weight("kernel_w", [self._depth(input_shape), width], initializer=kernel)
        self._kernel_u = self._recurrent("kernel_u", width)
        self._bias = self.add_weight("bias", [width], initializer=self._zeros() if given is None else given)
        self.built = True

    def call(self, inputs: Any, state: Any) -> Any:  # type: ignore[override]  # takes a state
        b = _context.builder()
        one = b.constant(1, dtypes.int32)
        c, h = state
        gates = matmul(inputs, self._kernel_w)
        gates += b.Tile(h, [1, 4]) * self._kernel_u
        i, j, f, o = split(bias_add(gates, self._bias), 4, axis=one)
        forget = b.constant(self._forget_bias, f.dtype)
        new_c = add(multiply(c, sigmoid(add(f, forget))), multiply(sigmoid(i), self._activation(j)))
        new_h = multiply(self._activation(new_c), sigmoid(o))
        return new_h, LSTMStateTuple(new_c, new_h)


class _Named(_Units):
    """A cell whose activation and initializers may be names."""

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "ones",
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(units, name=name, dtype=dtype, **kwargs)
        self.units = units
        self.activation = activation_of(activation) or (lambda x: x)
        self.kernel_initializer = kernel_initializer
        self.bias_initializer = bias_initializer


class MinimalRNNCell(_Named):
    """A cell with one gate over a layer of the input. Source: Chen, arXiv:1711.06788."""

    def build(self, input_shape: Any) -> None:
        self._inputs, units = self._depth(input_shape), self.units
        shape_of_kernel = [self._inputs + 2 * units, units]
        self.kernel = self.add_weight("kernel", shape_of_kernel, initializer=self.kernel_initializer)
        self.bias = self.add_weight("bias", [units], initializer=self.bias_initializer)
        self.built = True

    def call(self, inputs: Any, state: Any) -> Any:  # type: ignore[override]  # takes a state
        forward, gate = split(self.kernel, [self._inputs, 2 * self.units], axis=0)
        seen = self.activation(matmul(inputs, forward))
        u = sigmoid(bias_add(matmul(concat([seen, state], 1), gate), self.bias))
        new = u * state + (1 - u) * seen
        return new, new


class CFNCell(_Named):
    """A cell that comes to rest without input. Source: Laurent, von Brecht, arXiv:1612.06212."""

    def build(self, input_shape: Any) -> None:
        units = self.units
        self.kernel = self.add_weight(
            "kernel", [self._depth(input_shape), 3 * units], initializer=self.kernel_initializer
        )
        self.recurrent_kernel = self.add_weight(
            "recurrent_kernel", [units, 2 * units], initializer=self.kernel_initializer
        )
        self.bias = self.add_weight("bias", [2 * units], initializer=self.bias_initializer)
        self.built = True

    def call(self, inputs: Any, state: Any) -> Any:  # type: ignore[override]  # takes a state
        v, w = split(self.kernel, [2 * self.units, self.units], axis=1)
        gates = matmul(state, self.recurrent_kernel) + matmul(inputs, v)
        theta, eta = split(sigmoid(bias_add(gates, self.bias)), 2, axis=1)
        projected = matmul(inputs, w)
        new = theta * self.activation(state) + (1 - eta) * self.activation(projected)
        return new, new


class GLSTMCell(RNNCell):
    """An LSTM in groups of units that do not see each other. Source: Kuchaiev, Ginsburg, arXiv:1703.10722.

    raises  ValueError for numbers that the number of groups does not divide
    """

    def __init__(
        self,
        num_units: int,
        initializer: Any = None,
        num_proj: int | None = None,
        number_of_groups: int = 1,
        forget_bias: float = 1.0,
        activation: Any = tanh,
        reuse: Any = None,
    ) -> None:
        super().__init__(_reuse=reuse)
        for size, what in ((num_units, "num_units"), (num_proj or 0, "num_proj")):
            if size % number_of_groups:
                raise ValueError(f"{what} must be divisible by number_of_groups")
        self._num_units = num_units
        self._initializer = initializer
        self._num_proj = num_proj
        self._groups = number_of_groups
        self._forget_bias = forget_bias
        self._activation = activation
        self._linears: dict[Any, Linear] = {}

    @property
    def state_size(self) -> Any:
        return LSTMStateTuple(self._num_units, self._num_proj or self._num_units)

    @property
    def output_size(self) -> Any:
        return self._num_proj or self._num_units

    def _linear(self, key: Any, args: Any, size: int) -> Any:
        if key not in self._linears:
            self._linears[key] = Linear(args, size, False)
        return self._linears[key](args)

    def call(self, inputs: Any, state: Any) -> Any:  # type: ignore[override]  # takes a state
        c_prev, m_prev = state
        batch, depth = inputs.shape.as_list()
        batch = batch or shape(inputs)[0]
        if depth is None or depth % self._groups:
            raise ValueError(f"input size ({depth}) must be divisible by number_of_groups ({self._groups})")
        sizes = (depth // self._groups, self.output_size // self._groups)
        units = self._num_units // self._groups
        with variable_scope(get_variable_scope(), initializer=self._initializer):
            parts = []
            for group in range(self._groups):
                with variable_scope(f"group{group}"):
                    name = f"GLSTM_group{group}_input_generation"
                    seen = [
                        slice_(whole, [0, group * size], [batch, size], name=name)
                        for whole, size in zip((inputs, m_prev), sizes, strict=True)
                    ]
                    parts.append(split(self._linear(group, concat(seen, axis=1), 4 * units), 4, 1))
            zero = initializers.Constant(0.0, dtype=inputs.dtype)
            biases = [
                get_variable(f"bias_{gate}", [self._num_units], dtype=inputs.dtype, initializer=zero) for gate in "ijfo"
            ]
            i, j, f, o = (
                bias_add(concat(list(gate), axis=1), bias)
                for gate, bias in zip(zip(*parts, strict=True), biases, strict=True)
            )
        c = sigmoid(f + self._forget_bias) * c_prev + sigmoid(i) * tanh(j)
        m = sigmoid(o) * self._activation(c)
        if self._num_proj is not None:
            with variable_scope("projection"):
                m = self._linear("projection", m, self._num_proj)
        return m, LSTMStateTuple(c, m)


class TimeFreqLSTMCell(RNNCell):
    """An LSTM that goes along frequencies too, `feature_size` of them at a time, `frequency_skip` apart.

    Source: Li et al., ASRU 2015. The state is one tensor with memory and output of each step along the frequencies.
    """

    def __init__(
        self,
        num_units: int,
        use_peepholes: bool = False,
        cell_clip: float | None = None,
        initializer: Any = None,
        num_unit_shards: int = 1,
        forget_bias: float = 1.0,
        feature_size: int | None = None,
        frequency_skip: int = 1,
        reuse: Any = None,
    ) -> None:
        super().__init__(_reuse=reuse)
        self._num_units = num_units
        self._use_peepholes = use_peepholes
        self._cell_clip = cell_clip
        self._num_unit_shards = num_unit_shards
        self._forget_bias = forget_bias
        self._feature_size = feature_size
        self._frequency_skip = frequency_skip

    @property
    def output_size(self) -> Any:
        return self._num_units

    @property
    def state_size(self) -> Any:
        return 2 * self._num_units

    def _features(self, inputs: Any) -> list[Any]:
        size = inputs.shape.with_rank(2).as_list()[1]
        if size is None:
            raise ValueError("Cannot infer input_size from static shape inference.")
        width = self._feature_size
        if width is None:
            raise ValueError("TimeFreqLSTMCell needs a feature_size")
        count = (size - width) // self._frequency_skip + 1
        return [slice_(inputs, [0, at * self._frequency_skip], [-1, width]) for at in range(count)]

    def call(self, inputs: Any, state: Any) -> Any:  # type: ignore[override]  # takes a state
        units, dtype = self._num_units, inputs.dtype
        features = self._features(inputs)
        width = features[0].shape.as_list()[1] + 2 * units
        kernel = sharded("W", [width, 4 * units], dtype, self._num_unit_shards)
        bias = get_variable("B", shape=[4 * units], initializer=initializers.Zeros(), dtype=dtype)
        if self._use_peepholes:
            w_f, w_i, w_o = (get_variable(f"W_{gate}_diag", shape=[units], dtype=dtype) for gate in "FIO")
        below = zeros([inputs.shape.as_list()[0], units], dtype)
        states: Any = None
        outputs: Any = None
        for at, feature in enumerate(features):
            c_prev = slice_(state, [0, 2 * at * units], [-1, units])
            m_prev = slice_(state, [0, (2 * at + 1) * units], [-1, units])
            gates = bias_add(matmul(concat([feature, m_prev, below], 1), kernel), bias)
            i, j, f, o = split(gates, 4, axis=1)
            if self._use_peepholes:
                c = sigmoid(f + self._forget_bias + w_f * c_prev) * c_prev + sigmoid(i + w_i * c_prev) * tanh(j)
            else:
                c = sigmoid(f + self._forget_bias) * c_prev + sigmoid(i) * tanh(j)
            if self._cell_clip is not None:
                c = clip_by_value(c, -self._cell_clip, self._cell_clip)
            m = sigmoid(o + w_o * c if self._use_peepholes else o) * tanh(c)
            below = m
            states = concat([c, m] if states is None else [states, c, m], 1)
            outputs = m if outputs is None else concat([outputs, m], 1)
        return outputs, states
