"""Networks in both directions, one upon the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from regraft.v1._array import concat
from regraft.v1._rnn import bidirectional_dynamic_rnn
from regraft.v1._rnn_static import static_bidirectional_rnn
from regraft.v1._variable_scope import variable_scope

__all__ = ["stack_bidirectional_dynamic_rnn", "stack_bidirectional_rnn"]


def _check(cells_fw: Any, cells_bw: Any, states_fw: Any, states_bw: Any) -> None:
    """ValueError where these are no lists of one length."""
    for cells, name in ((cells_fw, "fw"), (cells_bw, "bw")):
        if not cells:
            raise ValueError(f"Must specify at least one {name} cell for BidirectionalRNN.")
        if not isinstance(cells, list):
            raise ValueError(f"cells_{name} must be a list of RNNCells (one per layer).")
    if len(cells_fw) != len(cells_bw):
        raise ValueError("Forward and Backward cells must have the same depth.")
    for states, name in ((states_fw, "fw"), (states_bw, "bw")):
        if states is not None and (not isinstance(states, list) or len(states) != len(cells_fw)):
            raise ValueError(f"initial_states_{name} must be a list of state tensors (one per layer).")


def _stacked(
    layer: Callable[..., Any], cells_fw: Any, cells_bw: Any, inputs: Any, states_fw: Any, states_bw: Any, scope: Any
) -> Any:
    _check(cells_fw, cells_bw, states_fw, states_bw)
    last: list[tuple[Any, Any]] = []
    with variable_scope(scope or "stack_bidirectional_rnn"):
        for i, cells in enumerate(zip(cells_fw, cells_bw, strict=True)):
            first = (states_fw[i] if states_fw else None, states_bw[i] if states_bw else None)
            with variable_scope(f"cell_{i}") as cell_scope:
                inputs, *states = layer(*cells, inputs, *first, cell_scope)
            last.append((states[0], states[1]))
    return inputs, tuple(fw for fw, _ in last), tuple(bw for _, bw in last)


def stack_bidirectional_rnn(
    cells_fw: Any,
    cells_bw: Any,
    inputs: Any,
    initial_states_fw: Any = None,
    initial_states_bw: Any = None,
    dtype: Any = None,
    sequence_length: Any = None,
    scope: Any = None,
) -> Any:
    """(list of outputs, states forward, states backward) of layers of `tf.nn.static_bidirectional_rnn`.

    raises  ValueError for what is no list of cells, and lists of other lengths
    """

    def layer(fw: Any, bw: Any, values: Any, first_fw: Any, first_bw: Any, opened: Any) -> Any:
        return static_bidirectional_rnn(fw, bw, values, first_fw, first_bw, dtype, sequence_length, opened)

    return _stacked(layer, cells_fw, cells_bw, inputs, initial_states_fw, initial_states_bw, scope)


def stack_bidirectional_dynamic_rnn(
    cells_fw: Any,
    cells_bw: Any,
    inputs: Any,
    initial_states_fw: Any = None,
    initial_states_bw: Any = None,
    dtype: Any = None,
    sequence_length: Any = None,
    parallel_iterations: int | None = None,
    time_major: bool = False,
    scope: Any = None,
    swap_memory: bool = False,
) -> Any:
    """(outputs, states forward, states backward) of layers of `tf.nn.bidirectional_dynamic_rnn`.

    raises  ValueError for what is no list of cells, and lists of other lengths
    """

    def layer(fw: Any, bw: Any, values: Any, first_fw: Any, first_bw: Any, opened: Any) -> Any:
        outputs, states = bidirectional_dynamic_rnn(
            fw, bw, values, sequence_length, first_fw, first_bw, dtype, parallel_iterations, swap_memory, time_major
        )
        return concat(outputs, 2), *states

    return _stacked(layer, cells_fw, cells_bw, inputs, initial_states_fw, initial_states_bw, scope)
