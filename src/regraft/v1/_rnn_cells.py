"""Recurrent cells of tf.nn.rnn_cell: one step of a network, with its variables."""

from __future__ import annotations

import collections
from typing import Any

from regraft.base import dtypes
from regraft.base.dtypes import as_dtype
from regraft.base.shapes import TensorShape
from regraft.ir.graph_keys import GraphKeys
from regraft.opkit import nest
from regraft.v1 import _context
from regraft.v1._array import concat, shape, split
from regraft.v1._clip import clip_by_value
from regraft.v1._graph import convert_to_tensor, name_scope
from regraft.v1._indexing import slice as slice_
from regraft.v1._layer import InputSpec, Layer, activation_of
from regraft.v1._linalg import matmul
from regraft.v1._math import add, multiply, sigmoid
from regraft.v1._nn_basic import bias_add
from regraft.v1._rnn_state import check_dtype, check_dtypes, zero_state
from regraft.v1._variable_scope import fixed_size_partitioner, get_variable_scope, variable_scope
from regraft.variables import initializers

__all__ = [
    "BasicLSTMCell",
    "BasicRNNCell",
    "GRUCell",
    "LSTMCell",
    "LSTMStateTuple",
    "LayerRNNCell",
    "MultiRNNCell",
    "RNNCell",
]


def tanh(x: Any) -> Any:
    """`tf.tanh`."""
    return _context.builder().Tanh(x)


class RNNCell(Layer):
    """A cell: `output, new_state = cell(inputs, state)`.

    A subclass has `state_size` and `output_size` (an int or shape, or a structure of these), and `call(inputs, state)`,
    which may make its variables with `tf.get_variable`, or in `build(input_shape)`.
    """

    def __init__(self, trainable: bool = True, name: str | None = None, dtype: Any = None, **kwargs: Any) -> None:
        super().__init__(trainable=trainable, name=name, dtype=dtype, **kwargs)

    @property
    def state_size(self) -> Any:
        """The sizes of the state, without the batch."""
        raise NotImplementedError("Abstract method")

    @property
    def output_size(self) -> Any:
        """The sizes of the output, without the batch."""
        raise NotImplementedError("Abstract method")

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> Any:
        """(output, new state) of one step.

        inputs  [batch, depth]
        state   [batch, size] for each size of `state_size`, in its structure
        scope   a variable scope for the cell's variables; the class's name where it is None
        """
        if scope is not None:
            with variable_scope(scope, custom_getter=self._found) as opened:
                return super().__call__(inputs, state, scope=opened)
        around = getattr(self, "_around", None)
        if around is None:
            around = self._around = variable_scope(get_variable_scope(), custom_getter=self._found)
        with around:
            return super().__call__(inputs, state)

    def __deepcopy__(self, memo: Any) -> RNNCell:
        around = self.__dict__.pop("_around", None)
        made: Any = super().__deepcopy__(memo)
        if around is not None:
            self._around = around
        return made  # type: ignore[no-any-return]  # of this class

    def _found(self, getter: Any, *args: Any, **kwargs: Any) -> Any:
        """A custom getter that lists the variables of the cell."""
        variable = getter(*args, **kwargs)
        first = next(iter(variable)) if hasattr(variable, "_get_partitions") else variable
        trainable = any(first is v for v in _context.get_default_graph().get_collection(GraphKeys.TRAINABLE_VARIABLES))
        known = self._trainable_weights if trainable else self._non_trainable_weights
        if all(variable is not v for v in known):
            known.append(variable)
        return variable

    def get_initial_state(self, inputs: Any = None, batch_size: Any = None, dtype: Any = None) -> Any:
        """`zero_state` for the batch and dtype of `inputs`, or for those that are given.

        raises  ValueError where neither tells them, or both and they differ
        """
        if inputs is not None:
            inputs = convert_to_tensor(inputs, name="inputs")
            known = inputs.shape.as_list()[0]
            if batch_size is not None and not hasattr(batch_size, "op") and known != batch_size:
                raise ValueError(
                    "batch size from input tensor is different from the input param. Input tensor batch: "
                    f"{known}, batch_size: {batch_size}"
                )
            if dtype is not None and inputs.dtype.base is not as_dtype(dtype).base:
                raise ValueError(
                    "dtype from input tensor is different from the input param. Input tensor dtype: "
                    f"{inputs.dtype}, dtype: {dtype}"
                )
            batch_size = known or shape(inputs)[0]
            dtype = inputs.dtype
        if batch_size is None or dtype is None:
            raise ValueError(
                "batch_size and dtype cannot be None while constructing initial state: "
                f"batch_size={batch_size}, dtype={dtype}"
            )
        return self.zero_state(batch_size, dtype)

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        """A state of zeros: [batch_size, size] for each size of `state_size`, in its structure."""
        with name_scope(type(self).__name__ + "ZeroState"):
            return zero_state(self.state_size, batch_size, dtype)


class LayerRNNCell(RNNCell):
    """A cell that makes its variables in `build`, as other layers do."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        check_dtype(self.dtype)

    def __call__(self, inputs: Any, state: Any, scope: Any = None, *args: Any, **kwargs: Any) -> Any:
        """(output, new state) of one step; see `RNNCell`."""
        return Layer.__call__(self, inputs, state, *args, scope=scope, **kwargs)

    def _depth(self, input_shape: Any) -> int:
        """The size of the last dimension. ValueError where it is not known, and for a dtype that is no float."""
        check_dtype(self.dtype)
        depth = TensorShape(input_shape).as_list()[-1]
        if depth is None:
            raise ValueError(f"Expected inputs.shape[-1] to be known, received shape: {input_shape}")
        return depth

    def _zeros(self) -> Any:
        return initializers.Zeros(dtype=self.dtype or dtypes.float32)


def _activation(given: Any) -> Any:
    return activation_of(given) or (lambda x: x) if given else tanh


class BasicRNNCell(LayerRNNCell):
    """output = state = activation(W [input, state] + b)."""

    def __init__(
        self,
        num_units: int,
        activation: Any = None,
        reuse: Any = None,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        kwargs.pop("input_size", None)  # without a meaning since TensorFlow 0.7
        super().__init__(_reuse=reuse, name=name, dtype=dtype, **kwargs)
        self.input_spec = InputSpec(ndim=2)
        self._num_units = num_units
        self._activation = _activation(activation)

    @property
    def state_size(self) -> Any:
        return self._num_units

    @property
    def output_size(self) -> Any:
        return self._num_units

    def build(self, input_shape: Any) -> None:
        depth = self._depth(input_shape)
        self._kernel = self.add_weight("kernel", [depth + self._num_units, self._num_units])
        self._bias = self.add_weight("bias", [self._num_units], initializer=self._zeros())
        self.built = True

    def call(self, inputs: Any, state: Any) -> Any:  # type: ignore[override]  # takes a state
        check_dtypes([inputs, state])
        output = self._activation(bias_add(matmul(concat([inputs, state], 1), self._kernel), self._bias))
        return output, output


class GRUCell(LayerRNNCell):
    """A gated recurrent unit: gates r and u, candidate c; state = u * state + (1 - u) * c."""

    def __init__(
        self,
        num_units: int,
        activation: Any = None,
        reuse: Any = None,
        kernel_initializer: Any = None,
        bias_initializer: Any = None,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        kwargs.pop("input_size", None)
        super().__init__(_reuse=reuse, name=name, dtype=dtype, **kwargs)
        self.input_spec = InputSpec(ndim=2)
        self._num_units = num_units
        self._activation = _activation(activation)
        self._kernel_initializer = kernel_initializer
        self._bias_initializer = bias_initializer

    @property
    def state_size(self) -> Any:
        return self._num_units

    @property
    def output_size(self) -> Any:
        return self._num_units

    def build(self, input_shape: Any) -> None:
        units, width = self._num_units, self._depth(input_shape) + self._num_units
        ones = initializers.Constant(1.0, dtype=self.dtype or dtypes.float32)
        given = self._bias_initializer
        kernel = self._kernel_initializer
        self._gate_kernel = self.add_weight("gates/kernel", [width, 2 * units], initializer=kernel)
        self._gate_bias = self.add_weight("gates/bias", [2 * units], initializer=ones if given is None else given)
        self._candidate_kernel = self.add_weight("candidate/kernel", [width, units], initializer=kernel)
        self._candidate_bias = self.add_weight(
            "candidate/bias", [units], initializer=self._zeros() if given is None else given
        )
        self.built = True

    def call(self, inputs: Any, state: Any) -> Any:  # type: ignore[override]  # takes a state
        check_dtypes([inputs, state])
        gates = bias_add(matmul(concat([inputs, state], 1), self._gate_kernel), self._gate_bias)
        r, u = split(sigmoid(gates), 2, axis=1)
        candidate = matmul(concat([inputs, r * state], 1), self._candidate_kernel)
        c = self._activation(bias_add(candidate, self._candidate_bias))
        new = u * state + (1 - u) * c
        return new, new


class LSTMStateTuple(collections.namedtuple("LSTMStateTuple", ("c", "h"))):
    """The state of an LSTM: memory `c`, and output `h`."""

    __slots__ = ()

    @property
    def dtype(self) -> Any:
        """The dtype of both. TypeError where they differ."""
        c, h = self
        if c.dtype != h.dtype:
            raise TypeError(f"Inconsistent dtypes for internal state: {c.dtype} vs {h.dtype}")
        return c.dtype


class BasicLSTMCell(LayerRNNCell):
    """A long short-term memory without options.

    forget_bias     added to the forget gate
    state_is_tuple  the state is an LSTMStateTuple; else `c` and `h` side by side in one tensor
    """

    def __init__(
        self,
        num_units: int,
        forget_bias: float = 1.0,
        state_is_tuple: bool = True,
        activation: Any = None,
        reuse: Any = None,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        kwargs.pop("input_size", None)
        super().__init__(_reuse=reuse, name=name, dtype=dtype, **kwargs)
        self.input_spec = InputSpec(ndim=2)
        self._num_units = num_units
        self._forget_bias = forget_bias
        self._state_is_tuple = state_is_tuple
        self._activation = _activation(activation)

    @property
    def state_size(self) -> Any:
        units = self._num_units
        return LSTMStateTuple(units, units) if self._state_is_tuple else 2 * units

    @property
    def output_size(self) -> Any:
        return self._num_units

    def build(self, input_shape: Any) -> None:
        depth = self._depth(input_shape)
        self._kernel = self.add_weight("kernel", [depth + self._num_units, 4 * self._num_units])
        self._bias = self.add_weight("bias", [4 * self._num_units], initializer=self._zeros())
        self.built = True

    def call(self, inputs: Any, state: Any) -> Any:  # type: ignore[override]  # takes a state
        check_dtypes([inputs, state])
        b = _context.builder()
        one = b.constant(1, dtypes.int32)
        c, h = state if self._state_is_tuple else split(state, 2, axis=one)
        gates = bias_add(matmul(concat([inputs, h], 1), self._kernel), self._bias)
        i, j, f, o = split(gates, 4, axis=one)
        forget = b.constant(self._forget_bias, f.dtype)
        new_c = add(multiply(c, sigmoid(add(f, forget))), multiply(sigmoid(i), self._activation(j)))
        new_h = multiply(self._activation(new_c), sigmoid(o))
        return new_h, (LSTMStateTuple(new_c, new_h) if self._state_is_tuple else concat([new_c, new_h], 1))


class LSTMCell(LayerRNNCell):
    """A long short-term memory.

    use_peepholes   the gates see the memory too
    cell_clip       the memory is kept within [-cell_clip, cell_clip]
    initializer     of the kernels
    num_proj        the output is projected to this size, and kept within [-proj_clip, proj_clip]
    num_unit_shards, num_proj_shards   parts of the kernels
    forget_bias, state_is_tuple        as BasicLSTMCell
    """

    def __init__(
        self,
        num_units: int,
        use_peepholes: bool = False,
        cell_clip: float | None = None,
        initializer: Any = None,
        num_proj: int | None = None,
        proj_clip: float | None = None,
        num_unit_shards: int | None = None,
        num_proj_shards: int | None = None,
        forget_bias: float = 1.0,
        state_is_tuple: bool = True,
        activation: Any = None,
        reuse: Any = None,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        kwargs.pop("input_size", None)
        super().__init__(_reuse=reuse, name=name, dtype=dtype, **kwargs)
        self.input_spec = InputSpec(ndim=2)
        self._num_units = num_units
        self._use_peepholes = use_peepholes
        self._cell_clip = cell_clip
        self._initializer = initializer
        self._num_proj = num_proj
        self._proj_clip = proj_clip
        self._num_unit_shards = num_unit_shards
        self._num_proj_shards = num_proj_shards
        self._forget_bias = forget_bias
        self._state_is_tuple = state_is_tuple
        self._activation = _activation(activation)

    @property
    def state_size(self) -> Any:
        sizes = LSTMStateTuple(self._num_units, self._num_proj or self._num_units)
        return sizes if self._state_is_tuple else sum(sizes)

    @property
    def output_size(self) -> Any:
        return self._num_proj or self._num_units

    def build(self, input_shape: Any) -> None:
        units, depth = self._num_units, self._depth(input_shape)
        out = units if self._num_proj is None else self._num_proj

        def weight(name: str, shape: list[int], shards: int | None = None) -> Any:
            parts = None if shards is None else fixed_size_partitioner(shards)
            return self.add_weight(name, shape, initializer=self._initializer, partitioner=parts)

        self._kernel = weight("kernel", [depth + out, 4 * units], self._num_unit_shards)
        self._bias = self.add_weight("bias", [4 * units], initializer=self._zeros())
        if self._use_peepholes:
            self._w_f_diag = weight("w_f_diag", [units])
            self._w_i_diag = weight("w_i_diag", [units])
            self._w_o_diag = weight("w_o_diag", [units])
        if self._num_proj is not None:
            self._proj_kernel = weight("projection/kernel", [units, out], self._num_proj_shards)
        self.built = True

    def call(self, inputs: Any, state: Any) -> Any:  # type: ignore[override]  # takes a state
        check_dtypes([inputs, state])
        units = self._num_units
        if self._state_is_tuple:
            c_prev, m_prev = state
        else:
            c_prev = slice_(state, [0, 0], [-1, units])
            m_prev = slice_(state, [0, units], [-1, units if self._num_proj is None else self._num_proj])
        if inputs.shape.with_rank(2).as_list()[1] is None:
            raise ValueError(f"Could not infer input size from inputs.get_shape()[-1]: {inputs.shape}")
        gates = bias_add(matmul(concat([inputs, m_prev], 1), self._kernel), self._bias)
        i, j, f, o = split(gates, 4, axis=1)
        if self._use_peepholes:
            kept = sigmoid(f + self._forget_bias + self._w_f_diag * c_prev) * c_prev
            c = kept + sigmoid(i + self._w_i_diag * c_prev) * self._activation(j)
        else:
            c = sigmoid(f + self._forget_bias) * c_prev + sigmoid(i) * self._activation(j)
        if self._cell_clip is not None:
            c = clip_by_value(c, -self._cell_clip, self._cell_clip)
        m = sigmoid(o + self._w_o_diag * c if self._use_peepholes else o) * self._activation(c)
        if self._num_proj is not None:
            m = matmul(m, self._proj_kernel)
            if self._proj_clip is not None:
                m = clip_by_value(m, -self._proj_clip, self._proj_clip)
        return m, (LSTMStateTuple(c, m) if self._state_is_tuple else concat([c, m], 1))


class MultiRNNCell(RNNCell):
    """Cells one upon the other: the output of each is the input of the next.

    cells           a list of cells
    state_is_tuple  the state is the tuple of their states; else these side by side in one tensor
    raises          ValueError for no cell, TypeError for no list
    """

    def __init__(self, cells: Any, state_is_tuple: bool = True) -> None:
        super().__init__()
        if not cells:
            raise ValueError("Must specify at least one cell for MultiRNNCell.")
        if not nest.is_nested(cells):
            raise TypeError(f"cells must be a list or tuple, but received: {cells}.")
        self._cells = cells
        self._state_is_tuple = state_is_tuple
        if not state_is_tuple and any(nest.is_nested(c.state_size) for c in cells):
            raise ValueError(
                "Some cells return tuples of states, but the flag state_is_tuple is not set. "
                f"State sizes are: {[c.state_size for c in cells]}"
            )

    @property
    def state_size(self) -> Any:
        sizes = tuple(cell.state_size for cell in self._cells)
        return sizes if self._state_is_tuple else sum(sizes)

    @property
    def output_size(self) -> Any:
        return self._cells[-1].output_size

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        with name_scope(type(self).__name__ + "ZeroState"):
            if self._state_is_tuple:
                return tuple(cell.zero_state(batch_size, dtype) for cell in self._cells)
            return super().zero_state(batch_size, dtype)

    def _weights_of_cells(self, kind: str) -> list[Any]:
        return [w for cell in self._cells if isinstance(cell, Layer) for w in getattr(cell, kind)]

    @property
    def trainable_weights(self) -> list[Any]:
        return self._weights_of_cells("trainable_weights") if self.trainable else []

    @property
    def non_trainable_weights(self) -> list[Any]:
        frozen = [] if self.trainable else self._weights_of_cells("trainable_weights")
        return [*frozen, *self._weights_of_cells("non_trainable_weights")]

    def call(self, inputs: Any, state: Any) -> Any:  # type: ignore[override]  # takes a state
        at = 0
        states = []
        for i, cell in enumerate(self._cells):
            with variable_scope(f"cell_{i}"):
                if self._state_is_tuple:
                    if not nest.is_nested(state):
                        raise ValueError(
                            f"Expected state to be a tuple of length {len(self.state_size)}, but received: {state}"
                        )
                    part = state[i]
                else:
                    part = slice_(state, [0, at], [-1, cell.state_size])
                    at += cell.state_size
                inputs, new = cell(inputs, part)
                states.append(new)
        return inputs, (tuple(states) if self._state_is_tuple else concat(states, 1))
