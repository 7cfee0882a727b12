"""Cells around cells of tf.contrib.rnn: embeddings, projections, attention to the last states, highways."""

from __future__ import annotations

import math
from typing import Any

from regraft.opkit import nest
from regraft.v1._array import concat, expand_dims, reshape
from regraft.v1._graph import device, name_scope
from regraft.v1._indexing import slice as slice_
from regraft.v1._math import sigmoid
from regraft.v1._nn_basic import softmax
from regraft.v1._nn_conv import conv2d
from regraft.v1._nn_embedding import embedding_lookup
from regraft.v1._reduction import reduce_sum
from regraft.v1._rnn_cells import RNNCell, tanh
from regraft.v1._rnn_state import check_cell
from regraft.v1._variable_scope import get_variable, get_variable_scope, variable_scope
from regraft.v1.contrib._rnn_linear import Linear
from regraft.v1.nn import xw_plus_b
from regraft.variables import initializers

__all__ = [
    "AttentionCellWrapper",
    "CompiledWrapper",
    "EmbeddingWrapper",
    "HighwayWrapper",
    "InputProjectionWrapper",
    "OutputProjectionWrapper",
]


class _Around(RNNCell):
    """A cell around another, in a scope of its own."""

    def __init__(self, cell: Any, reuse: Any = None) -> None:
        super().__init__(_reuse=reuse)
        check_cell("cell", cell)
        self._cell = cell

    @property
    def state_size(self) -> Any:
        return self._cell.state_size

    @property
    def output_size(self) -> Any:
        return self._cell.output_size

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        with name_scope(type(self).__name__ + "ZeroState", values=[batch_size]):
            return self._cell.zero_state(batch_size, dtype)


class EmbeddingWrapper(_Around):
    """A cell whose inputs are the rows of an embedding for integers. ValueError for no classes and no size."""

    def __init__(
        self, cell: Any, embedding_classes: int, embedding_size: int, initializer: Any = None, reuse: Any = None
    ) -> None:
        super().__init__(cell, reuse)
        if embedding_classes <= 0 or embedding_size <= 0:
            raise ValueError(
                f"Both embedding_classes and embedding_size must be > 0: {embedding_classes}, {embedding_size}."
            )
        self._shape = [embedding_classes, embedding_size]
        self._initializer = initializer

    def call(self, inputs: Any, state: Any) -> Any:  # type: ignore[override]  # takes a state
        with device("/cpu:0"):
            wide = math.sqrt(3)  # a variance of 1
            initializer = self._initializer or get_variable_scope().initializer
            embedding = get_variable(
                "embedding",
                self._shape,
                initializer=initializer or initializers.RandomUniform(-wide, wide),
                dtype=(state[0] if isinstance(state, tuple) else state).dtype,
            )
            return self._cell(embedding_lookup(embedding, reshape(inputs, [-1])), state)


class InputProjectionWrapper(_Around):
    """A cell whose inputs are projected to `num_proj` columns, and go through `activation`."""

    def __init__(
        self, cell: Any, num_proj: int, activation: Any = None, input_size: Any = None, reuse: Any = None
    ) -> None:
        super().__init__(cell, reuse)
        self._num_proj = num_proj
        self._activation = activation
        self._linear: Linear | None = None

    def call(self, inputs: Any, state: Any) -> Any:  # type: ignore[override]  # takes a state
        self._linear = self._linear or Linear(inputs, self._num_proj, True)
        projected = self._linear(inputs)
        return self._cell(self._activation(projected) if self._activation else projected, state)


class OutputProjectionWrapper(_Around):
    """A cell whose outputs are projected to `output_size` columns. ValueError for none."""

    def __init__(self, cell: Any, output_size: int, activation: Any = None, reuse: Any = None) -> None:
        super().__init__(cell, reuse)
        if output_size < 1:
            raise ValueError(f"Parameter output_size must be > 0: {output_size}.")
        self._output_size = output_size
        self._activation = activation
        self._linear: Linear | None = None

    @property
    def output_size(self) -> Any:
        return self._output_size

    def call(self, inputs: Any, state: Any) -> Any:  # type: ignore[override]  # takes a state
        output, state = self._cell(inputs, state)
        self._linear = self._linear or Linear(output, self._output_size, True)
        projected = self._linear(output)
        return (self._activation(projected) if self._activation else projected), state


class HighwayWrapper(_Around):
    """A cell whose inputs go past it in part: input * carry + output * transform."""

    def __init__(self, cell: Any, couple_carry_transform_gates: bool = True, carry_bias_init: float = 1.0) -> None:
        super().__init__(cell)
        self._couple = couple_carry_transform_gates
        self._carry_bias_init = carry_bias_init

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> Any:
        """(output, new state) of one step; see `RNNCell`."""
        outputs, state = self._cell(inputs, state, scope=scope)
        nest.check_same(inputs, outputs)
        pairs = list(zip(nest.flatten(inputs), nest.flatten(outputs), strict=True))
        for i, o in pairs:
            i.shape.assert_is_compatible_with(o.shape)
        return nest.pack(inputs, [self._highway(i, o) for i, o in pairs]), state

    def _gate(self, name: str, value: Any, bias: float) -> Any:
        size = value.shape.with_rank(2).as_list()[1]
        weight = get_variable(f"{name}_w", [size, size])
        shift = get_variable(f"{name}_b", [size], initializer=initializers.Constant(bias))
        return sigmoid(xw_plus_b(value, weight, shift))

    def _highway(self, value: Any, out: Any) -> Any:
        carry = self._gate("carry", value, self._carry_bias_init)
        transform = 1 - carry if self._couple else self._gate("transform", value, -self._carry_bias_init)
        return value * carry + out * transform


class CompiledWrapper(_Around):
    """The cell itself. Regraft compiles what is worth it, whatever is said here."""

    def __init__(self, cell: Any, compile_stateful: bool = False) -> None:
        super().__init__(cell)

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> Any:
        """(output, new state) of one step; see `RNNCell`."""
        return self._cell(inputs, state, scope=scope)


class AttentionCellWrapper(_Around):
    """A cell that attends to its own last `attn_length` outputs.

    attn_size      size of an output; the cell's where it is None
    attn_vec_size  size in which queries and outputs are compared; attn_size where it is None
    input_size     size of the cell's inputs; that of this cell's where it is None
    raises         ValueError for no length, and for a cell with a tuple of states without `state_is_tuple`
    """

    def __init__(
        self,
        cell: Any,
        attn_length: int,
        attn_size: int | None = None,
        attn_vec_size: int | None = None,
        input_size: int | None = None,
        state_is_tuple: bool = True,
        reuse: Any = None,
    ) -> None:
        super().__init__(cell, reuse)
        if nest.is_nested(cell.state_size) and not state_is_tuple:
            raise ValueError(
                "Cell returns tuple of states, but the flag state_is_tuple is not set. State size is: "
                f"{cell.state_size}"
            )
        if attn_length <= 0:
            raise ValueError(f"attn_length should be greater than zero, got {attn_length}")
        self._state_is_tuple = state_is_tuple
        self._attn_length = attn_length
        self._attn_size = cell.output_size if attn_size is None else attn_size
        self._attn_vec_size = self._attn_size if attn_vec_size is None else attn_vec_size
        self._input_size = input_size
        self._linears: dict[str, Linear] = {}

    @property
    def state_size(self) -> Any:
        sizes = (self._cell.state_size, self._attn_size, self._attn_size * self._attn_length)
        return sizes if self._state_is_tuple else sum(sizes)

    @property
    def output_size(self) -> Any:
        return self._attn_size

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        return RNNCell.zero_state(self, batch_size, dtype)

    def _linear(self, name: str, args: Any, size: int) -> Any:
        if name not in self._linears:
            self._linears[name] = Linear(args, size, True)
        return self._linears[name](args)

    def call(self, inputs: Any, state: Any) -> Any:  # type: ignore[override]  # takes a state
        length, size = self._attn_length, self._attn_size
        if self._state_is_tuple:
            state, attns, memory = state
        else:
            whole, inner = state, self._cell.state_size
            state = slice_(whole, [0, 0], [-1, inner])
            attns = slice_(whole, [0, inner], [-1, size])
            memory = slice_(whole, [0, inner + size], [-1, size * length])
        memory = reshape(memory, [-1, length, size])
        width = self._input_size or inputs.shape.as_list()[1]
        inputs = self._linear("inputs", [inputs, attns], width)
        cell_output, new = self._cell(inputs, state)
        query = concat(nest.flatten(new), 1) if self._state_is_tuple else new
        attns, memory = self._attend(query, memory)
        with variable_scope("attn_output_projection"):
            output = self._linear("output", [cell_output, attns], size)
        memory = reshape(concat([memory, expand_dims(output, 1)], 1), [-1, length * size])
        whole = (new, attns, memory)
        return output, (whole if self._state_is_tuple else concat(list(whole), 1))

    def _attend(self, query: Any, memory: Any) -> tuple[Any, Any]:
        """What the query finds in the memory, and the memory without its oldest output."""
        length, size, vec = self._attn_length, self._attn_size, self._attn_vec_size
        with variable_scope("attention"):
            k = get_variable("attn_w", [1, 1, size, vec])
            v = get_variable("attn_v", [vec])
            hidden = reshape(memory, [-1, length, 1, size])
            features = conv2d(hidden, k, [1, 1, 1, 1], "SAME")
            y = reshape(self._linear("query", query, vec), [-1, 1, 1, vec])
            a = softmax(reduce_sum(v * tanh(features + y), [2, 3]))
            d = reduce_sum(reshape(a, [-1, length, 1, 1]) * hidden, [1, 2])
            attns = reshape(d, [-1, size])
            return attns, slice_(memory, [0, 1, 0], [-1, -1, -1])
