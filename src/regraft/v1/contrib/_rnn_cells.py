"""Recurrent cells of tf.contrib.rnn: variants of the LSTM, with layer normalisation, convolutions and others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from regraft.base import dtypes
from regraft.base.shapes import TensorShape
from regraft.v1 import _context
from regraft.v1._array import concat, split, stop_gradient
from regraft.v1._clip import clip_by_value
from regraft.v1._indexing import slice as slice_
from regraft.v1._indexing import where
from regraft.v1._linalg import matmul
from regraft.v1._math import cast, exp, sigmoid
from regraft.v1._nn_basic import bias_add, dropout
from regraft.v1._nn_conv import conv1d, conv2d, conv3d
from regraft.v1._random import random_uniform
from regraft.v1._rnn_cells import LayerRNNCell, LSTMStateTuple, RNNCell, tanh
from regraft.v1._variable_scope import get_variable, get_variable_scope, variable_scope
from regraft.v1.contrib._layers_norm import layer_norm
from regraft.v1.contrib._rnn_linear import Linear
from regraft.variables import initializers

__all__ = [
    "Conv1DLSTMCell",
    "Conv2DLSTMCell",
    "Conv3DLSTMCell",
    "ConvLSTMCell",
    "CoupledInputForgetGateLSTMCell",
    "IntersectionRNNCell",
    "LayerNormBasicLSTMCell",
    "NASCell",
    "PhasedLSTMCell",
    "UGRNNCell",
]


def _depth(inputs: Any) -> int:
    depth = inputs.shape.with_rank(2).as_list()[1]
    if depth is None:
        raise ValueError("Could not infer input size from inputs.get_shape()[-1]")
    return int(depth)


def _relu(x: Any) -> Any:
    return _context.builder().Relu(x)


def _normalised(value: Any, scope: str, gain: float, shift: float, dtype: Any) -> Any:
    """Layer normalisation with variables "gamma" and "beta" in `scope`."""
    shape = value.shape[-1:]
    with variable_scope(scope):
        get_variable("gamma", shape=shape, initializer=initializers.Constant(gain), dtype=dtype)
        get_variable("beta", shape=shape, initializer=initializers.Constant(shift), dtype=dtype)
    return layer_norm(value, reuse=True, scope=scope)


class _LSTM(RNNCell):
    """What has the state of an LSTM."""

    _num_units: int

    @property
    def state_size(self) -> Any:
        return LSTMStateTuple(self._num_units, self._num_units)

    @property
    def output_size(self) -> Any:
        return self._num_units


class CoupledInputForgetGateLSTMCell(_LSTM):
    """An LSTM whose input gate is 1 - the forget gate. The arguments are those of `tf.nn.rnn_cell.LSTMCell`.

    layer_norm, norm_gain, norm_shift  normalise the gates and the memory
    """

    def __init__(
        self,
        num_units: int,
        use_peepholes: bool = False,
        initializer: Any = None,
        num_proj: int | None = None,
        proj_clip: float | None = None,
        num_unit_shards: int = 1,
        num_proj_shards: int = 1,
        forget_bias: float = 1.0,
        state_is_tuple: bool = True,
        activation: Any = tanh,
        reuse: Any = None,
        layer_norm: bool = False,
        norm_gain: float = 1.0,
        norm_shift: float = 0.0,
    ) -> None:
        super().__init__(_reuse=reuse)
        self._num_units = num_units
        self._use_peepholes = use_peepholes
        self._num_proj = num_proj
        self._proj_clip = proj_clip
        self._num_unit_shards = num_unit_shards
        self._num_proj_shards = num_proj_shards
        self._forget_bias = forget_bias
        self._state_is_tuple = state_is_tuple
        self._activation = activation
        self._layer_norm = layer_norm
        self._norm = (norm_gain, norm_shift)

    @property
    def state_size(self) -> Any:
        sizes = LSTMStateTuple(self._num_units, self._num_proj or self._num_units)
        return sizes if self._state_is_tuple else sum(sizes)

    @property
    def output_size(self) -> Any:
        return self._num_proj or self._num_units

    def call(self, inputs: Any, state: Any) -> Any:  # type: ignore[override]  # takes a state
        units, out = self._num_units, self._num_units if self._num_proj is None else self._num_proj
        if self._state_is_tuple:
            c_prev, m_prev = state
        else:
            c_prev, m_prev = slice_(state, [0, 0], [-1, units]), slice_(state, [0, units], [-1, out])
        dtype = inputs.dtype
        kernel = sharded("W", [_depth(inputs) + out, 3 * units], dtype, self._num_unit_shards)
        bias = get_variable("B", shape=[3 * units], initializer=initializers.Zeros(), dtype=dtype)
        gates = matmul(concat([inputs, m_prev], 1), kernel)
        if not self._layer_norm:
            gates = bias_add(gates, bias)
        j, f, o = split(gates, 3, axis=1)
        if self._layer_norm:
            j, f, o = (
                _normalised(gate, scope, *self._norm, dtypes.float32)
                for gate, scope in ((j, "transform"), (f, "forget"), (o, "output"))
            )
        if self._use_peepholes:
            w_f = get_variable("W_F_diag", shape=[units], dtype=dtype)
            w_o = get_variable("W_O_diag", shape=[units], dtype=dtype)
            f = sigmoid(f + self._forget_bias + w_f * c_prev)
        else:
            f = sigmoid(f + self._forget_bias)
        c = f * c_prev + (1 - f) * self._activation(j)
        if self._layer_norm:
            c = _normalised(c, "state", *self._norm, dtypes.float32)
        m = sigmoid(o + w_o * c if self._use_peepholes else o) * self._activation(c)
        if self._num_proj is not None:
            m = matmul(m, sharded("W_P", [units, self._num_proj], dtype, self._num_proj_shards))
            if self._proj_clip is not None:
                m = clip_by_value(m, -self._proj_clip, self._proj_clip)
        return m, (LSTMStateTuple(c, m) if self._state_is_tuple else concat([c, m], 1))


def sharded(name: str, shape: list[int], dtype: Any, shards: int) -> Any:
    """Variables `name`_0, `name`_1, ... with the rows of a matrix, joined. ValueError for more of them than rows."""
    if shards > shape[0]:
        raise ValueError(f"Too many shards: shape={shape}, num_shards={shards}")
    least, more = divmod(shape[0], shards)
    parts = [get_variable(f"{name}_{i}", [least + (i < more), *shape[1:]], dtype=dtype) for i in range(shards)]
    if len(parts) == 1:
        return parts[0]
    graph = _context.get_default_graph()
    full = f"{get_variable_scope().name}/{name}/concat:0"
    for value in graph.get_collection("concatenated_variables"):
        if value.name == full:
            return value
    joined = concat(parts, 0, name=f"{name}/concat")
    graph.add_to_collection("concatenated_variables", joined)
    return joined


class LayerNormBasicLSTMCell(_LSTM):
    """An LSTM with layer normalisation of gates and memory, and dropout of what goes into the memory."""

    def __init__(
        self,
        num_units: int,
        forget_bias: float = 1.0,
        input_size: Any = None,
        activation: Any = tanh,
        layer_norm: bool = True,
        norm_gain: float = 1.0,
        norm_shift: float = 0.0,
        dropout_keep_prob: Any = 1.0,
        dropout_prob_seed: int | None = None,
        reuse: Any = None,
    ) -> None:
        super().__init__(_reuse=reuse)
        self._num_units = num_units
        self._activation = activation
        self._forget_bias = forget_bias
        self._keep_prob = dropout_keep_prob
        self._seed = dropout_prob_seed
        self._layer_norm = layer_norm
        self._norm = (norm_gain, norm_shift)

    def call(self, inputs: Any, state: Any) -> Any:  # type: ignore[override]  # takes a state
        c, h = state
        args = concat([inputs, h], 1)
        size, dtype = 4 * self._num_units, args.dtype
        gates = matmul(args, get_variable("kernel", [args.shape[-1], size], dtype=dtype))
        if not self._layer_norm:
            gates = bias_add(gates, get_variable("bias", [size], dtype=dtype))
        i, j, f, o = split(gates, 4, axis=1)
        if self._layer_norm:
            i, j, f, o = (
                _normalised(gate, scope, *self._norm, dtype)
                for gate, scope in ((i, "input"), (j, "transform"), (f, "forget"), (o, "output"))
            )
        g = self._activation(j)
        if not isinstance(self._keep_prob, float) or self._keep_prob < 1:
            g = dropout(g, self._keep_prob, seed=self._seed)
        new_c = c * sigmoid(f + self._forget_bias) + sigmoid(i) * g
        if self._layer_norm:
            new_c = _normalised(new_c, "state", *self._norm, dtype)
        new_h = self._activation(new_c) * sigmoid(o)
        return new_h, LSTMStateTuple(new_c, new_h)


class NASCell(LayerRNNCell):
    """The recurrent cell that neural architecture search found. Source: Zoph, Le, arXiv:1611.01578."""

    def __init__(
        self, num_units: int, num_proj: int | None = None, use_bias: bool = False, reuse: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(_reuse=reuse, **kwargs)
        self._num_units = num_units
        self._num_proj = num_proj
        self._use_bias = use_bias

    @property
    def state_size(self) -> Any:
        return LSTMStateTuple(self._num_units, self._num_proj or self._num_units)

    @property
    def output_size(self) -> Any:
        return self._num_proj or self._num_units

    def build(self, input_shape: Any) -> None:
        width = 8 * self._num_units
        self.recurrent_kernel = self.add_weight("recurrent_kernel", [self.output_size, width])
        self.kernel = self.add_weight("kernel", [self._depth(input_shape), width])
        if self._use_bias:
            self.bias = self.add_weight("bias", [width], initializer=initializers.Zeros())
        if self._num_proj is not None:
            self.projection_weights = self.add_weight("projection_weights", [self._num_units, self._num_proj])
        self.built = True

    def call(self, inputs: Any, state: Any) -> Any:  # type: ignore[override]  # takes a state
        c_prev, m_prev = state
        m_matrix = matmul(m_prev, self.recurrent_kernel)
        i_matrix = matmul(inputs, self.kernel)
        if self._use_bias:
            m_matrix = bias_add(m_matrix, self.bias)
        m, i = split(m_matrix, 8, axis=1), split(i_matrix, 8, axis=1)
        first = [
            sigmoid(i[0] + m[0]),
            _relu(i[1] + m[1]),
            sigmoid(i[2] + m[2]),
            _relu(i[3] * m[3]),
            tanh(i[4] + m[4]),
            sigmoid(i[5] + m[5]),
            tanh(i[6] + m[6]),
            sigmoid(i[7] + m[7]),
        ]
        second = [
            tanh(first[0] * first[1]),
            tanh(first[2] + first[3]),
            tanh(first[4] * first[5]),
            sigmoid(first[6] + first[7]),
        ]
        new_c = tanh(second[0] + c_prev) * second[1]
        new_m = tanh(new_c * tanh(second[2] + second[3]))
        if self._num_proj is not None:
            new_m = matmul(new_m, self.projection_weights)
        return new_m, LSTMStateTuple(new_c, new_m)


class UGRNNCell(RNNCell):
    """A recurrent cell with one gate between old and new. Source: Collins et al., arXiv:1611.09913."""

    def __init__(
        self,
        num_units: int,
        initializer: Any = None,
        forget_bias: float = 1.0,
        activation: Any = tanh,
        reuse: Any = None,
    ) -> None:
        super().__init__(_reuse=reuse)
        self._num_units = num_units
        self._initializer = initializer
        self._forget_bias = forget_bias
        self._activation = activation
        self._linear: Linear | None = None

    @property
    def state_size(self) -> Any:
        return self._num_units

    @property
    def output_size(self) -> Any:
        return self._num_units

    def call(self, inputs: Any, state: Any) -> Any:  # type: ignore[override]  # takes a state
        _depth(inputs)
        with variable_scope(get_variable_scope(), initializer=self._initializer):
            both = concat([inputs, state], 1)
            self._linear = self._linear or Linear(both, 2 * self._num_units, True)
            g, c = split(self._linear(both), 2, axis=1)
            c = self._activation(c)
            g = sigmoid(g + self._forget_bias)
            new = g * state + (1.0 - g) * c
        return new, new


class IntersectionRNNCell(RNNCell):
    """A cell that gates its state and its way past the layer. Source: Collins et al., arXiv:1611.09913.

    num_in_proj  given where inputs are of another size than the cell: they are projected. ValueError without it
    """

    def __init__(
        self,
        num_units: int,
        num_in_proj: int | None = None,
        initializer: Any = None,
        forget_bias: float = 1.0,
        y_activation: Any = _relu,
        reuse: Any = None,
    ) -> None:
        super().__init__(_reuse=reuse)
        self._num_units = num_units
        self._initializer = initializer
        self._forget_bias = forget_bias
        self._num_in_proj = num_in_proj
        self._y_activation = y_activation
        self._project: Linear | None = None
        self._linear: Linear | None = None

    @property
    def state_size(self) -> Any:
        return self._num_units

    @property
    def output_size(self) -> Any:
        return self._num_units

    def call(self, inputs: Any, state: Any) -> Any:  # type: ignore[override]  # takes a state
        n = self._num_units
        depth = _depth(inputs)
        with variable_scope(get_variable_scope(), initializer=self._initializer):
            if depth != n:
                if not self._num_in_proj:
                    raise ValueError(
                        "Must have input size == output size for Intersection RNN. To fix, num_in_proj should be set "
                        "to num_units at cell init."
                    )
                with variable_scope("in_projection"):
                    self._project = self._project or Linear(inputs, n, True)
                    inputs = self._project(inputs)
            both = concat([inputs, state], 1)
            self._linear = self._linear or Linear(both, 4 * n, True)
            matrix = self._linear(both)
            gh, h, gy, y = matrix[:, :n], matrix[:, n : 2 * n], matrix[:, 2 * n : 3 * n], matrix[:, 3 * n : 4 * n]
            h, y = tanh(h), self._y_activation(y)
            gh = sigmoid(gh + self._forget_bias)
            gy = sigmoid(gy + self._forget_bias)
            new_state = gh * state + (1.0 - gh) * h
            new_y = gy * inputs + (1.0 - gy) * y
        return new_y, new_state


class PhasedLSTMCell(_LSTM):
    """An LSTM whose units open in cycles; inputs are (times [batch, 1], [batch, depth]).

    Source: Neil, Pfeiffer, Liu, arXiv:1610.09513.
    """

    def __init__(
        self,
        num_units: int,
        use_peepholes: bool = False,
        leak: float = 0.001,
        ratio_on: float = 0.1,
        trainable_ratio_on: bool = True,
        period_init_min: float = 1.0,
        period_init_max: float = 1000.0,
        reuse: Any = None,
    ) -> None:
        super().__init__(_reuse=reuse)
        self._num_units = num_units
        self._use_peepholes = use_peepholes
        self._leak = leak
        self._ratio_on = ratio_on
        self._trainable_ratio_on = trainable_ratio_on
        self._periods = (period_init_min, period_init_max)
        self._linears: dict[str, Linear] = {}

    def _linear(self, scope: str, args: list[Any], size: int) -> Any:
        if scope not in self._linears:
            self._linears[scope] = Linear(args, size, True)
        return self._linears[scope](args)

    def call(self, inputs: Any, state: Any) -> Any:  # type: ignore[override]  # takes a state
        c_prev, h_prev = state
        time, x = inputs
        units = self._num_units
        peep = [c_prev] if self._use_peepholes else []
        with variable_scope("mask_gates") as opened:
            mask = sigmoid(self._linear(opened.name, [x, h_prev, *peep], 2 * units))
            input_gate, forget_gate = split(mask, 2, axis=1)
        with variable_scope("new_input") as opened:
            new_input = tanh(self._linear(opened.name, [x, h_prev], units))
        new_c = c_prev * forget_gate + input_gate * new_input
        peep = [new_c] if self._use_peepholes else []
        with variable_scope("output_gate") as opened:
            output_gate = sigmoid(self._linear(opened.name, [x, h_prev, *peep], units))
        new_h = tanh(new_c) * output_gate
        period = get_variable("period", [units], initializer=self._first_period)
        phase = get_variable("phase", [units], initializer=initializers.RandomUniform(0.0, period.initial_value))
        ratio_on = get_variable(
            "ratio_on",
            [units],
            initializer=initializers.Constant(self._ratio_on),
            trainable=self._trainable_ratio_on,
        )
        cycle = _cycle(time, phase, period)
        up = 2 * cycle / ratio_on
        down = 2 - up
        closed = self._leak * cycle
        k = where(cycle < ratio_on, down, closed)
        k = where(cycle < 0.5 * ratio_on, up, k)
        new_c = k * new_c + (1 - k) * c_prev
        new_h = k * new_h + (1 - k) * h_prev
        return new_h, LSTMStateTuple(new_c, new_h)

    def _first_period(self, shape: Any, dtype: Any = dtypes.float32, partition_info: Any = None) -> Any:
        b = _context.builder()
        low, high = (b.Log(limit) for limit in self._periods)
        return exp(random_uniform(shape, low, high, dtype))


def _cycle(time: Any, phase: Any, period: Any) -> Any:
    """Where in its cycle a unit is, from 0 to 1; gradients go to the time and the phase alone."""
    phase, period = cast(phase, time.dtype), cast(period, time.dtype)
    shifted = time - phase
    rest = stop_gradient(shifted % period - shifted) + shifted
    return cast(rest / period, dtypes.float32)


class ConvLSTMCell(RNNCell):
    """An LSTM with convolutions in place of products.

    conv_ndims       dimensions of a convolution: 1, 2 or 3
    input_shape      of an item: [..., channels]
    output_channels  of the state; with `skip_connection` outputs have those of the inputs too
    kernel_shape     of a convolution
    """

    def __init__(
        self,
        conv_ndims: int,
        input_shape: Any,
        output_channels: int,
        kernel_shape: Any,
        use_bias: bool = True,
        skip_connection: bool = False,
        forget_bias: float = 1.0,
        initializers: Any = None,
        name: str = "conv_lstm_cell",
    ) -> None:
        super().__init__(name=name)
        input_shape = list(input_shape)
        if conv_ndims != len(input_shape) - 1:
            raise ValueError(f"Invalid input_shape {input_shape} for conv_ndims={conv_ndims}.")
        self._conv_ndims = conv_ndims
        self._output_channels = output_channels
        self._kernel_shape = list(kernel_shape)
        self._use_bias = use_bias
        self._forget_bias = forget_bias
        self._skip_connection = skip_connection
        self._sizes = input_shape[:-1]
        self._total = output_channels + (input_shape[-1] if skip_connection else 0)

    @property
    def output_size(self) -> Any:
        return TensorShape([*self._sizes, self._total])

    @property
    def state_size(self) -> Any:
        size = TensorShape([*self._sizes, self._output_channels])
        return LSTMStateTuple(size, size)

    def call(self, inputs: Any, state: Any) -> Any:  # type: ignore[override]  # takes a state
        cell, hidden = state
        gates = self._convolved([inputs, hidden], 4 * self._output_channels)
        i, j, f, o = split(gates, 4, axis=self._conv_ndims + 1)
        new_cell = sigmoid(f + self._forget_bias) * cell
        new_cell += sigmoid(i) * tanh(j)
        output = tanh(new_cell) * sigmoid(o)
        if self._skip_connection:
            output = concat([output, inputs], axis=-1)
        return output, LSTMStateTuple(new_cell, output)

    def _convolved(self, args: list[Any], features: int) -> Any:
        shapes = [arg.shape.as_list() for arg in args]
        rank = len(shapes[0])
        if rank not in (3, 4, 5) or any(len(shape) != rank for shape in shapes):
            raise ValueError(f"Conv Linear expects 3D, 4D or 5D arguments, all of one rank: {shapes}")
        dtype = args[0].dtype
        depth = sum(shape[-1] for shape in shapes)
        kernel = get_variable("kernel", [*self._kernel_shape, depth, features], dtype=dtype)
        convolutions: dict[int, Callable[..., Any]] = {3: conv1d, 4: conv2d, 5: conv3d}
        strides: Any = 1 if rank == 3 else [1] * rank
        result = convolutions[rank](concat(args, rank - 1), kernel, strides, padding="SAME")
        if not self._use_bias:
            return result
        return result + get_variable(
            "biases", [features], dtype=dtype, initializer=initializers.Constant(0.0, dtype=dtype)
        )


class Conv1DLSTMCell(ConvLSTMCell):
    """`ConvLSTMCell` of one dimension."""

    def __init__(self, name: str = "conv_1d_lstm_cell", **kwargs: Any) -> None:
        super().__init__(conv_ndims=1, name=name, **kwargs)


class Conv2DLSTMCell(ConvLSTMCell):
    """`ConvLSTMCell` of two dimensions."""

    def __init__(self, name: str = "conv_2d_lstm_cell", **kwargs: Any) -> None:
        super().__init__(conv_ndims=2, name=name, **kwargs)


class Conv3DLSTMCell(ConvLSTMCell):
    """`ConvLSTMCell` of three dimensions."""

    def __init__(self, name: str = "conv_3d_lstm_cell", **kwargs: Any) -> None:
        super().__init__(conv_ndims=3, name=name, **kwargs)
