"""Recurrent cells of one op, and networks of one op."""

from __future__ import annotations

from typing import Any

from regraft.base import dtypes
from regraft.base.shapes import TensorShape
from regraft.v1 import _context
from regraft.v1._array import concat, expand_dims, sequence_mask, shape, stack, transpose, unstack, zeros
from regraft.v1._graph import convert_to_tensor
from regraft.v1._layer import InputSpec, Layer
from regraft.v1._math import cast
from regraft.v1._reduction import reduce_max
from regraft.v1._rnn import dynamic_rnn
from regraft.v1._rnn_cells import LayerRNNCell, LSTMStateTuple
from regraft.v1._rnn_static import static_rnn
from regraft.variables import initializers

__all__ = [
    "FusedRNNCell",
    "FusedRNNCellAdaptor",
    "GRUBlockCell",
    "GRUBlockCellV2",
    "LSTMBlockCell",
    "LSTMBlockFusedCell",
    "LSTMBlockWrapper",
    "TimeReversedFusedRNN",
]

_PEEPHOLES = ("w_i_diag", "w_f_diag", "w_o_diag")


class LSTMBlockCell(LayerRNNCell):
    """An LSTM as one op. Its variables are those of `tf.nn.rnn_cell.LSTMCell`."""

    def __init__(
        self,
        num_units: int,
        forget_bias: float = 1.0,
        cell_clip: float | None = None,
        use_peephole: bool = False,
        dtype: Any = None,
        reuse: Any = None,
        name: str = "lstm_cell",
    ) -> None:
        super().__init__(_reuse=reuse, dtype=dtype, name=name)
        self.input_spec = InputSpec(ndim=2)
        self._num_units = num_units
        self._forget_bias = forget_bias
        self._use_peephole = use_peephole
        self._cell_clip = -1 if cell_clip is None else cell_clip

    @property
    def state_size(self) -> Any:
        return LSTMStateTuple(self._num_units, self._num_units)

    @property
    def output_size(self) -> Any:
        return self._num_units

    def build(self, input_shape: Any) -> None:
        self._weights = _lstm_weights(self, self._depth(input_shape), self._num_units, self._use_peephole)
        self.built = True

    def call(self, inputs: Any, state: Any) -> Any:  # type: ignore[override]  # takes a state
        if len(state) != 2:
            raise ValueError("Expecting state to be a tuple with length 2.")
        kernel, bias, *peepholes = self._weights
        if not peepholes:
            peepholes = [zeros([self._num_units], dtype=self.dtype)] * 3
        _, cs, _, _, _, _, h = _context.builder().LSTMBlockCell(
            inputs,
            *state,
            kernel,
            *peepholes,
            bias,
            forget_bias=self._forget_bias,
            cell_clip=self._cell_clip,
            use_peephole=self._use_peephole,
        )
        return h, LSTMStateTuple(cs, h)


def _lstm_weights(layer: Layer, depth: int, units: int, use_peephole: bool) -> list[Any]:
    """kernel, bias, and with peepholes their three vectors."""
    kernel = layer.add_weight("kernel", [depth + units, 4 * units])
    bias = layer.add_weight("bias", [4 * units], initializer=initializers.Constant(0.0))
    return [kernel, bias, *(layer.add_weight(name, [units]) for name in _PEEPHOLES if use_peephole)]


class GRUBlockCell(LayerRNNCell):
    """A gated recurrent unit as one op. `cell_size` is the older name of `num_units`: ValueError for both and none."""

    _names = ("w_ru", "b_ru", "w_c", "b_c")

    def __init__(
        self, num_units: int | None = None, cell_size: int | None = None, reuse: Any = None, name: str = "gru_cell"
    ) -> None:
        super().__init__(_reuse=reuse, name=name)
        if (cell_size is None) == (num_units is None):
            raise ValueError("Exactly one of num_units or cell_size must be provided.")
        self.input_spec = InputSpec(ndim=2)
        self._num_units: Any = cell_size if num_units is None else num_units

    @property
    def state_size(self) -> Any:
        return self._num_units

    @property
    def output_size(self) -> Any:
        return self._num_units

    def build(self, input_shape: Any) -> None:
        units, width = self._num_units, self._depth(input_shape) + self._num_units
        w_ru, b_ru, w_c, b_c = self._names
        self._gate_kernel = self.add_weight(w_ru, [width, 2 * units])
        self._gate_bias = self.add_weight(b_ru, [2 * units], initializer=initializers.Constant(1.0))
        self._candidate_kernel = self.add_weight(w_c, [width, units])
        self._candidate_bias = self.add_weight(b_c, [units], initializer=initializers.Constant(0.0))
        self.built = True

    def call(self, inputs: Any, state: Any) -> Any:  # type: ignore[override]  # takes a state
        size = state.shape.with_rank(2).as_list()[1]
        if size != self._num_units:
            raise ValueError(f"Shape of h_prev[1] incorrect: cell_size {self._num_units} vs {size}")
        _, _, _, new = _context.builder().GRUBlockCell(
            inputs, state, self._gate_kernel, self._candidate_kernel, self._gate_bias, self._candidate_bias
        )
        return new, new


class GRUBlockCellV2(GRUBlockCell):
    """`GRUBlockCell` with the variables of `tf.nn.rnn_cell.GRUCell`."""

    _names = ("gates/kernel", "gates/bias", "candidate/kernel", "candidate/bias")


class FusedRNNCell:
    """A network: `outputs, state = cell(inputs, initial_state, dtype, sequence_length, scope)`, time before batch."""

    def __call__(
        self,
        inputs: Any,
        initial_state: Any = None,
        dtype: Any = None,
        sequence_length: Any = None,
        scope: Any = None,
    ) -> Any:
        """Outputs [time, batch, depth], or a list of them where the inputs are one, and the last state."""
        raise NotImplementedError("Abstract method")


class FusedRNNCellAdaptor(FusedRNNCell):
    """A cell as a network, by `dynamic_rnn` or `static_rnn`."""

    def __init__(self, cell: Any, use_dynamic_rnn: bool = False) -> None:
        self._cell = cell
        self._use_dynamic_rnn = use_dynamic_rnn

    def __call__(
        self,
        inputs: Any,
        initial_state: Any = None,
        dtype: Any = None,
        sequence_length: Any = None,
        scope: Any = None,
    ) -> Any:
        """See `FusedRNNCell`."""
        is_list = isinstance(inputs, list)
        if self._use_dynamic_rnn:
            inputs = stack(inputs) if is_list else inputs
            outputs, state = dynamic_rnn(
                self._cell, inputs, sequence_length, initial_state, dtype, time_major=True, scope=scope
            )
            return (unstack(outputs) if is_list else outputs), state
        inputs = inputs if is_list else unstack(inputs)
        outputs, state = static_rnn(self._cell, inputs, initial_state, dtype, sequence_length, scope)
        return (outputs if is_list else stack(outputs)), state


class TimeReversedFusedRNN(FusedRNNCell):
    """A network that goes from the last step to the first."""

    def __init__(self, cell: Any) -> None:
        self._cell = cell

    def __call__(
        self,
        inputs: Any,
        initial_state: Any = None,
        dtype: Any = None,
        sequence_length: Any = None,
        scope: Any = None,
    ) -> Any:
        """See `FusedRNNCell`."""
        outputs, state = self._cell(
            _reversed(inputs, sequence_length),
            initial_state=initial_state,
            dtype=dtype,
            sequence_length=sequence_length,
            scope=scope,
        )
        return _reversed(outputs, sequence_length), state


def _reversed(value: Any, lengths: Any) -> Any:
    if isinstance(value, list):
        return list(reversed(value))
    b = _context.builder()
    if lengths is None:
        return b.ReverseV2(value, [0])
    return b.ReverseSequence(value, lengths, seq_dim=0, batch_dim=1)


class LSTMBlockWrapper(Layer):
    """A network that a subclass computes as a whole."""

    @property
    def num_units(self) -> int:
        """The size of an output."""
        raise NotImplementedError("Abstract method")

    def _call_cell(self, inputs: Any, cell_state: Any, output: Any, dtype: Any, sequence_length: Any) -> Any:
        """(states, outputs) of all steps."""
        raise NotImplementedError("Abstract method")

    def call(  # type: ignore[override]  # takes the arguments of a network
        self, inputs: Any, initial_state: Any = None, dtype: Any = None, sequence_length: Any = None
    ) -> Any:
        is_list = isinstance(inputs, list)
        if is_list:
            inputs = stack(inputs)
        sizes = inputs.shape.with_rank(3).as_list()
        if not sizes[2]:
            raise ValueError(f"Expecting inputs_shape[2] to be set: {inputs.shape}")
        batch_size = shape(inputs)[1] if sizes[1] is None else sizes[1]
        time_len = shape(inputs)[0] if sizes[0] is None else sizes[0]
        if initial_state is None:
            if dtype is None:
                raise ValueError("Either initial_state or dtype needs to be specified")
            initial_state = (zeros(stack([batch_size, self.num_units]), dtype=dtype),) * 2
        elif len(initial_state) != 2:
            raise ValueError("Expecting initial_state to be a tuple with length 2 or None")
        dtype = initial_state[0].dtype if dtype is None else dtype
        if sequence_length is None:
            states, outputs = self._call_cell(inputs, initial_state[0], initial_state[1], dtype, None)
            final = LSTMStateTuple(states[-1], outputs[-1])
        else:
            sequence_length = convert_to_tensor(sequence_length)
            states, outputs = self._call_cell(inputs, initial_state[0], initial_state[1], dtype, sequence_length)
            b = _context.builder()
            mask = transpose(sequence_mask(sequence_length, time_len, dtype=dtype), [1, 0])
            outputs *= b.Tile(expand_dims(mask, [-1]), [1, 1, self.num_units])
            with_first = [
                concat([expand_dims(first, [0]), rest], 0)
                for first, rest in zip(initial_state, (states, outputs), strict=True)
            ]
            final = LSTMStateTuple(
                *(b.GatherNd(rows, stack([sequence_length, b.range(batch_size)], axis=1)) for rows in with_first)
            )
        return (unstack(outputs) if is_list else outputs), final


class LSTMBlockFusedCell(LSTMBlockWrapper):
    """An LSTM over all steps as one op. Its variables are those of `tf.nn.rnn_cell.LSTMCell`."""

    def __init__(
        self,
        num_units: int,
        forget_bias: float = 1.0,
        cell_clip: float | None = None,
        use_peephole: bool = False,
        reuse: Any = None,
        dtype: Any = None,
        name: str = "lstm_fused_cell",
    ) -> None:
        super().__init__(_reuse=reuse, name=name, dtype=dtype)
        self.input_spec = InputSpec(ndim=3)
        self._num_units = num_units
        self._forget_bias = forget_bias
        self._cell_clip = -1 if cell_clip is None else cell_clip
        self._use_peephole = use_peephole

    @property
    def num_units(self) -> int:
        return self._num_units

    def build(self, input_shape: Any) -> None:
        depth = TensorShape(input_shape).as_list()[2] or 0
        self._weights = _lstm_weights(self, depth, self._num_units, self._use_peephole)
        self.built = True

    def _call_cell(self, inputs: Any, cell_state: Any, output: Any, dtype: Any, sequence_length: Any) -> Any:
        time_len = inputs.shape.as_list()[0]
        if time_len is None:
            time_len = shape(inputs)[0]
        kernel, bias, *peepholes = self._weights
        if not peepholes:
            peepholes = [zeros([self._num_units], dtype=dtype)] * 3
        longest = cast(time_len if sequence_length is None else reduce_max(sequence_length), dtypes.int64)
        _, states, _, _, _, _, outputs = _context.builder().BlockLSTM(
            longest,
            inputs,
            cell_state,
            output,
            kernel,
            *peepholes,
            bias,
            forget_bias=self._forget_bias,
            cell_clip=self._cell_clip,
            use_peephole=self._use_peephole,
        )
        return states, outputs
