"""Cells around cells: dropout, residual connections, devices."""

from __future__ import annotations

import hashlib
import numbers
from collections.abc import Callable
from typing import Any

from regraft.base.shapes import TensorShape
from regraft.opkit import nest
from regraft.opkit.constant import literal_value
from regraft.v1 import nest as nest_names
from regraft.v1._array import concat
from regraft.v1._graph import convert_to_tensor, device, name_scope
from regraft.v1._math import divide, floor
from regraft.v1._nn_basic import dropout
from regraft.v1._random import random_uniform
from regraft.v1._rnn_cells import LSTMStateTuple, RNNCell
from regraft.v1._rnn_state import check_cell
from regraft.v1._tensor_array import TensorArray

__all__ = ["DeviceWrapper", "DropoutWrapper", "ResidualWrapper"]


class _Wrapper(RNNCell):
    """A cell around `cell`, in its variable scope. TypeError where that is no cell."""

    def __init__(self, cell: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        check_cell("cell", cell)
        self.cell = cell

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> Any:
        """(output, new state) of one step; see `RNNCell`."""
        return self._wrapped(inputs, state, lambda i, s: self.cell(i, s, scope=scope))

    def _wrapped(self, inputs: Any, state: Any, cell: Callable[[Any, Any], Any]) -> Any:
        raise NotImplementedError

    @property
    def wrapped_cell(self) -> Any:
        return self.cell

    @property
    def state_size(self) -> Any:
        return self.cell.state_size

    @property
    def output_size(self) -> Any:
        return self.cell.output_size

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        with name_scope(type(self).__name__ + "ZeroState"):
            return self.cell.zero_state(batch_size, dtype)


def _without_memory(state: Any) -> Any:
    """The parts of a state that dropout changes: not the memory of an LSTM, and no TensorArray."""
    if isinstance(state, LSTMStateTuple):
        return LSTMStateTuple(c=False, h=True)
    return not isinstance(state, TensorArray)


class DropoutWrapper(_Wrapper):
    """Dropout before, behind and inside a cell.

    input_keep_prob, output_keep_prob, state_keep_prob  how likely an element stays: a number, or a scalar tensor
    variational_recurrent         one choice for all steps of a run; needs `dtype`, and for inputs `input_size`
    seed                          of the random numbers
    dropout_state_filter_visitor  function of a part of the state: which of its elements dropout may change
    raises                        ValueError for a probability outside of [0, 1], or an argument that is missing
    """

    def __init__(
        self,
        cell: Any,
        input_keep_prob: Any = 1.0,
        output_keep_prob: Any = 1.0,
        state_keep_prob: Any = 1.0,
        variational_recurrent: bool = False,
        input_size: Any = None,
        dtype: Any = None,
        seed: Any = None,
        dropout_state_filter_visitor: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(cell, dtype=dtype, **kwargs)
        if dropout_state_filter_visitor is not None and not callable(dropout_state_filter_visitor):
            raise TypeError(f"dropout_state_filter_visitor must be callable. Received: {dropout_state_filter_visitor}")
        self._filter = dropout_state_filter_visitor or _without_memory
        self._seed = seed
        with name_scope("DropoutWrapperInit"):
            self._input_keep_prob = _probability("input_keep_prob", input_keep_prob)
            self._state_keep_prob = _probability("state_keep_prob", state_keep_prob)
            self._output_keep_prob = _probability("output_keep_prob", output_keep_prob)
        self._variational_recurrent = variational_recurrent
        self._noise: dict[str, Any] = {}
        if not variational_recurrent:
            return
        if dtype is None:
            raise ValueError("When variational_recurrent=True, dtype must be provided")
        if not isinstance(self._input_keep_prob, numbers.Real) or self._input_keep_prob < 1.0:
            if input_size is None:
                raise ValueError(
                    "When variational_recurrent=True and input_keep_prob < 1.0 or is unknown, input_size must be "
                    "provided"
                )
            self._noise["input"] = self._make_noise("input", input_size, dtype)
        self._noise["state"] = self._make_noise("state", cell.state_size, dtype)
        self._noise["output"] = self._make_noise("output", cell.output_size, dtype)

    def _make_noise(self, salt: str, sizes: Any, dtype: Any) -> Any:
        def noise(i: int, size: Any) -> Any:
            shape = concat(([1], TensorShape(size).as_list()), 0)  # one for all of the batch
            return random_uniform(shape, seed=self._gen_seed(salt, i), dtype=dtype)

        return _numbered(sizes, noise, sizes)

    def _gen_seed(self, salt: str, index: int) -> int | None:
        if self._seed is None:
            return None
        digest = hashlib.md5(f"{self._seed}{salt}_{index}".encode(), usedforsecurity=False)
        return int(digest.hexdigest()[:8], 16) & 0x7FFFFFFF

    def _dropped(self, values: Any, salt: str, keep: Any, chosen: Any = None) -> Any:
        """The values with dropout where `chosen` has no False."""
        chosen = values if chosen is None else chosen

        def plain(i: int, go: Any, value: Any) -> Any:
            if go is False:
                return value
            return dropout(value, rate=1.0 - keep, seed=self._gen_seed(salt, i))

        def repeated(i: int, go: Any, value: Any, noise: Any) -> Any:
            if go is False:
                return value
            stays = floor(keep + noise)
            result = divide(value, keep) * stays
            result.set_shape(value.shape)
            return result

        if self._variational_recurrent:
            return _numbered(chosen, repeated, chosen, values, self._noise[salt])
        return _numbered(chosen, plain, chosen, values)

    def _wrapped(self, inputs: Any, state: Any, cell: Callable[[Any, Any], Any]) -> Any:
        if _drops(self._input_keep_prob):
            inputs = self._dropped(inputs, "input", self._input_keep_prob)
        output, state = cell(inputs, state)
        if _drops(self._state_keep_prob):
            chosen = nest_names.get_traverse_shallow_structure(self._filter, state)
            state = self._dropped(state, "state", self._state_keep_prob, chosen)
        if _drops(self._output_keep_prob):
            output = self._dropped(output, "output", self._output_keep_prob)
        return output, state


def _drops(keep: Any) -> bool:
    return not isinstance(keep, float) or keep < 1


def _probability(name: str, value: Any) -> Any:
    tensor = convert_to_tensor(value)
    known = literal_value(tensor)
    if known is None:
        return tensor
    if known < 0 or known > 1:
        raise ValueError(f"Parameter {name} must be between 0 and 1. Received {known}")
    return float(known)


def _numbered(structure: Any, function: Callable[..., Any], *inputs: Any) -> Any:
    """`function(i, *parts)` for the i-th place of the structure, in its form."""
    columns = [nest_names.flatten_up_to(structure, tree) for tree in inputs]
    results = [function(i, *row) for i, row in enumerate(zip(*columns, strict=True))]
    return nest_names.fill(structure, results)


class ResidualWrapper(_Wrapper):
    """A cell whose inputs are added to its outputs, or go with them into `residual_fn(inputs, outputs)`."""

    def __init__(self, cell: Any, residual_fn: Callable[[Any, Any], Any] | None = None, **kwargs: Any) -> None:
        super().__init__(cell, **kwargs)
        self._residual_fn = residual_fn

    def _wrapped(self, inputs: Any, state: Any, cell: Callable[[Any, Any], Any]) -> Any:
        outputs, state = cell(inputs, state)
        if self._residual_fn is not None:
            return self._residual_fn(inputs, outputs), state
        nest.check_same(inputs, outputs)
        pairs = list(zip(nest.flatten(inputs), nest.flatten(outputs), strict=True))
        for i, o in pairs:
            i.shape.assert_is_compatible_with(o.shape)
        return nest.pack(inputs, [i + o for i, o in pairs]), state


class DeviceWrapper(_Wrapper):
    """A cell whose operations stand on a device."""

    def __init__(self, cell: Any, device: Any, **kwargs: Any) -> None:
        super().__init__(cell, **kwargs)
        self._device = device

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        with name_scope(type(self).__name__ + "ZeroState"), device(self._device):
            return self.cell.zero_state(batch_size, dtype)

    def _wrapped(self, inputs: Any, state: Any, cell: Callable[[Any, Any], Any]) -> Any:
        with device(self._device):
            return cell(inputs, state)
