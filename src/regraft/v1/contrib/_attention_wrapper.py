"""A cell that attends to memories: AttentionWrapper and its state."""

from __future__ import annotations

import collections
from collections.abc import Callable
from typing import Any

from regraft.base import dtypes
from regraft.base.shapes import TensorShape
from regraft.ir.node import Tensor
from regraft.opkit import nest
from regraft.v1 import _context
from regraft.v1 import nest as nest_names
from regraft.v1._array import concat, expand_dims, identity, rank, shape, size, squeeze, zeros
from regraft.v1._assertion import Assert
from regraft.v1._checks import assert_equal
from regraft.v1._graph import control_dependencies, name_scope
from regraft.v1._layers_core import Dense
from regraft.v1._linalg import matmul
from regraft.v1._math import equal
from regraft.v1._reduction import reduce_all
from regraft.v1._rnn_cells import RNNCell
from regraft.v1._rnn_state import check_cell, zero_state
from regraft.v1._tensor_array import TensorArray
from regraft.v1.contrib._attention import AttentionMechanism

__all__ = ["AttentionWrapper", "AttentionWrapperState"]

_NOT_TILED = "  Are you using the BeamSearchDecoder?  "


class AttentionWrapperState(
    collections.namedtuple(
        "AttentionWrapperState",
        ("cell_state", "attention", "time", "alignments", "alignment_history", "attention_state"),
    )
):
    """The state of an `AttentionWrapper`.

    cell_state         of the cell
    attention          what the last query found
    time               the number of steps
    alignments         the last weights; of each mechanism where there are several
    alignment_history  a TensorArray of the weights of all steps, or ()
    attention_state    of the mechanism, or of each
    """

    __slots__ = ()

    def clone(self, **kwargs: Any) -> Any:
        """The state with other parts, which must have the shapes of the old ones. ValueError where they do not."""
        return nest_names.map_structure(_with_same_shape, self, self._replace(**kwargs))


def _with_same_shape(old: Any, new: Any) -> Any:
    """`new`, checked where it runs if its shape or that of `old` is not known."""
    if not isinstance(old, Tensor) or not isinstance(new, Tensor):
        return new
    with name_scope(f"{new.op.name}/", values=[old, new]):
        if old.shape.is_fully_defined():
            if new.shape.is_fully_defined():
                if new.shape.as_list() != old.shape.as_list():
                    raise ValueError(f"Invalid shape for tensor {new.name}, expected {old.shape}, got {new.shape}.")
                return new
            wanted: Any = old.shape
        else:
            wanted = shape(old, name="expected_shape")
        with name_scope(f"{new.op.name}/", values=[new]):
            with control_dependencies([_has_shape(new, wanted)]):
                result = identity(new)
            if not isinstance(wanted, Tensor):
                result.set_shape(wanted)
            return result


def _has_shape(tensor: Any, wanted: Any) -> Any:
    wanted = wanted if isinstance(wanted, Tensor) else wanted.as_list()
    b = _context.builder()
    with name_scope("assert_shape", values=[tensor]) as scope:
        found = shape(tensor, name="actual")
        with name_scope("is_shape", values=[tensor]) as inner:
            count = size(wanted)
            with name_scope("is_rank", values=[tensor]) as innermost:
                expected = b.convert(count, name="expected")
                same_rank = equal(expected, rank(tensor, name="actual"), name=innermost)
            with name_scope("shape_tensor_equal", values=[wanted, found]) as innermost:
                any_size = equal(wanted, -1)
                same = b.LogicalOr(any_size, equal(wanted, found, "equal"), name="exclude_partial_shape")
                same = reduce_all(same, name=innermost)
            holds = b.LogicalAnd(same_rank, same, name=inner)
        return Assert(holds, [f"Wrong shape for {tensor.name} [expected] [actual].", wanted, found], name=scope)


def _attended(mechanism: Any, cell_output: Any, attention_state: Any, attention_layer: Any) -> tuple[Any, Any, Any]:
    """(what the query finds, its weights, the next state of the mechanism)."""
    alignments, attention_state = mechanism(cell_output, state=attention_state)
    context = squeeze(matmul(expand_dims(alignments, 1), mechanism.values), [1])
    if attention_layer is not None:
        context = attention_layer(concat([cell_output, context], 1))
    return context, alignments, attention_state


class AttentionWrapper(RNNCell):
    """A cell that sees, beside its inputs, what its last output found in one memory or several.

    attention_mechanism   a mechanism, or a list of them
    attention_layer_size  size to which output and what was found are projected, for each mechanism; what was found goes
                          on as it is where it is None
    alignment_history     keep the weights of all steps in the state
    cell_input_fn         makes the cell's inputs of inputs and attention; side by side where it is None
    output_attention      the output is the attention; else that of the cell
    initial_cell_state    the state that `zero_state` begins with; zeros where it is None
    attention_layer       layers in place of those of `attention_layer_size`
    attention_fn          (mechanism, cell output, its state, layer): attention, weights, next state of the mechanism
    raises                TypeError for what is no cell, mechanism or function; ValueError for sizes and layers that do
                          not go with the mechanisms
    """

    def __init__(
        self,
        cell: Any,
        attention_mechanism: Any,
        attention_layer_size: Any = None,
        alignment_history: bool = False,
        cell_input_fn: Callable[[Any, Any], Any] | None = None,
        output_attention: bool = True,
        initial_cell_state: Any = None,
        name: str | None = None,
        attention_layer: Any = None,
        attention_fn: Callable[..., Any] | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        check_cell("cell", cell)
        self._is_multi = isinstance(attention_mechanism, (list, tuple))
        mechanisms = attention_mechanism if self._is_multi else (attention_mechanism,)
        for mechanism in mechanisms:
            if not isinstance(mechanism, AttentionMechanism):
                raise TypeError(
                    "attention_mechanism must be an AttentionMechanism or list of multiple AttentionMechanism "
                    f"instances, saw type: {type(mechanism).__name__}"
                )
        if cell_input_fn is not None and not callable(cell_input_fn):
            raise TypeError(f"cell_input_fn must be callable, saw type: {type(cell_input_fn).__name__}")
        self._cell = cell
        self._attention_mechanisms = mechanisms
        self._cell_input_fn = cell_input_fn or (lambda inputs, attention: concat([inputs, attention], -1))
        self._attention_fn = attention_fn or _attended
        self._output_attention = output_attention
        self._alignment_history = alignment_history
        self._attention_layers, self._attention_layer_size = self._layers(attention_layer_size, attention_layer)
        with name_scope(name, "AttentionWrapperInit"):
            self._initial_cell_state = None
            if initial_cell_state is not None:
                last = nest.flatten(initial_cell_state)[-1]
                said = (
                    f"When constructing AttentionWrapper {self._base_name}: Non-matching batch sizes between the "
                    f"memory (encoder output) and initial_cell_state.{_NOT_TILED}You may need to tile your initial "
                    "state via the tf.contrib.seq2seq.tile_batch function with argument multiple=beam_width."
                )
                self._initial_cell_state = self._checked(
                    initial_cell_state, last.shape.as_list()[0] or shape(last)[0], said, "check_initial_cell_state"
                )

    def _layers(self, sizes: Any, layers: Any) -> tuple[Any, Any]:
        """(a layer for each mechanism or None, the size of the attention)."""
        mechanisms = self._attention_mechanisms
        if sizes is not None and layers is not None:
            raise ValueError("Only one of attention_layer_size and attention_layer should be set")
        if sizes is None and layers is None:
            return None, sum(mechanism.values.shape.as_list()[-1] for mechanism in mechanisms)
        given = layers if sizes is None else sizes
        given = tuple(given) if isinstance(given, (list, tuple)) else (given,)
        if len(given) != len(mechanisms):
            what = (
                "attention_layer must contain exactly one layer"
                if sizes is None
                else ("attention_layer_size must contain exactly one integer")
            )
            raise ValueError(f"If provided, {what} per attention_mechanism, saw: {len(given)} vs {len(mechanisms)}")
        if sizes is not None:
            made = tuple(
                Dense(units, name="attention_layer", use_bias=False, dtype=mechanism.dtype)
                for units, mechanism in zip(given, mechanisms, strict=True)
            )
            return made, sum(given)
        depths = [self._cell.output_size + m.values.shape.as_list()[-1] for m in mechanisms]
        shapes = [layer.compute_output_shape([None, d]) for layer, d in zip(given, depths, strict=True)]
        return given, sum(TensorShape(s).as_list()[-1] for s in shapes)

    def _checked(self, state: Any, batch_size: Any, message: str, name: str) -> Any:
        """The state once the number of its rows is known to be that of the memories."""
        checks = [assert_equal(batch_size, m.batch_size, message=message) for m in self._attention_mechanisms]
        with control_dependencies(checks):
            return nest.map_structure(lambda s: identity(s, name=name), state)

    def _one_or_all(self, items: Any) -> Any:
        every = tuple(items)
        return every if self._is_multi else every[0]

    @property
    def output_size(self) -> Any:
        return self._attention_layer_size if self._output_attention else self._cell.output_size

    @property
    def state_size(self) -> Any:
        mechanisms = self._attention_mechanisms
        return AttentionWrapperState(
            cell_state=self._cell.state_size,
            time=TensorShape([]),
            attention=self._attention_layer_size,
            alignments=self._one_or_all(m.alignments_size for m in mechanisms),
            attention_state=self._one_or_all(m.state_size for m in mechanisms),
            alignment_history=self._one_or_all(
                m.alignments_size if self._alignment_history else () for m in mechanisms
            ),
        )

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        mechanisms = self._attention_mechanisms
        with name_scope(type(self).__name__ + "ZeroState", values=[batch_size]):
            state = self._initial_cell_state
            if state is None:
                state = self._cell.get_initial_state(batch_size=batch_size, dtype=dtype)
            said = (
                f"When calling zero_state of AttentionWrapper {self._base_name}: Non-matching batch sizes between the "
                f"memory (encoder output) and the requested batch size.{_NOT_TILED}If so, make sure your encoder "
                "output has been tiled to beam_width via tf.contrib.seq2seq.tile_batch, and the batch_size= argument "
                "passed to zero_state is batch_size * beam_width."
            )
            state = self._checked(state, batch_size, said, "checked_cell_state")
            alignments = [m.initial_alignments(batch_size, dtype) for m in mechanisms]
            return AttentionWrapperState(
                cell_state=state,
                time=zeros([], dtype=dtypes.int32),
                attention=zero_state(self._attention_layer_size, batch_size, dtype),
                alignments=self._one_or_all(alignments),
                attention_state=self._one_or_all(m.initial_state(batch_size, dtype) for m in mechanisms),
                alignment_history=self._one_or_all(
                    TensorArray(dtype, size=0, dynamic_size=True, element_shape=a.shape)
                    if self._alignment_history
                    else ()
                    for a in alignments
                ),
            )

    def call(self, inputs: Any, state: Any) -> Any:  # type: ignore[override]  # takes a state
        if not isinstance(state, AttentionWrapperState):
            raise TypeError(
                f"Expected state to be instance of AttentionWrapperState. Received type {type(state)} instead."
            )
        cell_output, cell_state = self._cell(self._cell_input_fn(inputs, state.attention), state.cell_state)
        said = (
            f"When applying AttentionWrapper {self.name}: Non-matching batch sizes between the memory (encoder output) "
            f"and the query (decoder output).{_NOT_TILED}You may need to tile your memory input via the "
            "tf.contrib.seq2seq.tile_batch function with argument multiple=beam_width."
        )
        rows = cell_output.shape.as_list()[0] or shape(cell_output)[0]
        cell_output = self._checked(cell_output, rows, said, "checked_cell_output")
        states = state.attention_state if self._is_multi else [state.attention_state]
        histories = state.alignment_history if self._is_multi else [state.alignment_history]
        found = []
        for i, mechanism in enumerate(self._attention_mechanisms):
            layer = self._attention_layers[i] if self._attention_layers else None
            attention, alignments, following = self._attention_fn(mechanism, cell_output, states[i], layer)
            history = histories[i].write(state.time, alignments) if self._alignment_history else ()
            found.append((attention, alignments, following, history))
        attentions, alignments, states, histories = zip(*found, strict=True)
        attention = concat(list(attentions), 1)
        new = AttentionWrapperState(
            time=state.time + 1,
            cell_state=cell_state,
            attention=attention,
            attention_state=self._one_or_all(states),
            alignments=self._one_or_all(alignments),
            alignment_history=self._one_or_all(histories),
        )
        return (attention if self._output_attention else cell_output), new
