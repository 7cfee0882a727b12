"""Decoders of tf.contrib.legacy_seq2seq: lists of tensors in, lists of tensors out, one per step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from regraft.base import dtypes
from regraft.opkit import nest
from regraft.v1._array import concat, reshape, shape, stack, stop_gradient, zeros
from regraft.v1._graph import convert_to_tensor
from regraft.v1._math import cast
from regraft.v1._nn_basic import softmax
from regraft.v1._nn_conv import conv2d
from regraft.v1._nn_embedding import embedding_lookup
from regraft.v1._reduction import argmax, reduce_sum
from regraft.v1._rnn_cells import tanh
from regraft.v1._variable_scope import get_variable, get_variable_scope, variable_scope
from regraft.v1.contrib._rnn_linear import Linear
from regraft.v1.nn import xw_plus_b

__all__ = ["attention_decoder", "embedding_attention_decoder", "embedding_rnn_decoder", "rnn_decoder"]


def fed_back(embedding: Any, output_projection: Any, update_embedding: bool) -> Callable[[Any, int], Any]:
    """A loop function: the embedding of the likeliest class of the last output.

    output_projection  weights and bias that make logits of outputs, or None
    update_embedding   whether gradients go through
    """

    def loop_function(previous: Any, _: int) -> Any:
        if output_projection is not None:
            previous = xw_plus_b(previous, output_projection[0], output_projection[1])
        row = embedding_lookup(embedding, argmax(previous, 1))
        return row if update_embedding else stop_gradient(row)

    return loop_function


def check_projection(output_projection: Any, num_symbols: int, dtype: Any, weights: bool = True) -> None:
    """ValueError where the projection does not give `num_symbols` logits."""
    if output_projection is None:
        return
    if weights:
        convert_to_tensor(output_projection[0], dtype).shape.assert_is_compatible_with([None, num_symbols])
    convert_to_tensor(output_projection[1], dtype).shape.assert_is_compatible_with([num_symbols])


def rnn_decoder(
    decoder_inputs: Any, initial_state: Any, cell: Any, loop_function: Any = None, scope: Any = None
) -> Any:
    """(list of outputs, state) of a cell over a list of inputs.

    loop_function  function of the last output and the step that makes each input but the first
    """
    with variable_scope(scope or "rnn_decoder"):
        state: Any = initial_state
        outputs: list[Any] = []
        for i, value in enumerate(decoder_inputs):
            if loop_function is not None and outputs:
                with variable_scope("loop_function", reuse=True):
                    value = loop_function(outputs[-1], i)
            if i > 0:
                get_variable_scope().reuse_variables()
            output, state = cell(value, state)
            outputs.append(output)
    return outputs, state


def embedding_rnn_decoder(
    decoder_inputs: Any,
    initial_state: Any,
    cell: Any,
    num_symbols: int,
    embedding_size: int,
    output_projection: Any = None,
    feed_previous: bool = False,
    update_embedding_for_previous: bool = True,
    scope: Any = None,
) -> Any:
    """`rnn_decoder` over the embeddings of class numbers.

    output_projection  (weights, bias) that make logits of outputs, for `feed_previous`
    feed_previous      feed back the likeliest class; only the first input counts then
    raises             ValueError for a projection of another size
    """
    with variable_scope(scope or "embedding_rnn_decoder") as opened:
        check_projection(output_projection, num_symbols, opened.dtype)
        embedding = get_variable("embedding", [num_symbols, embedding_size])
        loop = fed_back(embedding, output_projection, update_embedding_for_previous) if feed_previous else None
        embedded = (embedding_lookup(embedding, i) for i in decoder_inputs)  # each where its step is
        return rnn_decoder(embedded, initial_state, cell, loop)


def attention_decoder(
    decoder_inputs: Any,
    initial_state: Any,
    attention_states: Any,
    cell: Any,
    output_size: int | None = None,
    num_heads: int = 1,
    loop_function: Any = None,
    dtype: Any = None,
    scope: Any = None,
    initial_state_attention: bool = False,
) -> Any:
    """`rnn_decoder` that attends to `attention_states` [batch, items, depth].

    output_size              the cell's where it is None
    num_heads                how many times to look at each step
    initial_state_attention  look before the first step; else that sees zeros
    raises                   ValueError for no input, no head, and depths that are not known
    """
    if not decoder_inputs:
        raise ValueError("Must provide at least 1 input to attention decoder.")
    if num_heads < 1:
        raise ValueError("With less than 1 heads, use a non-attention decoder.")
    length, size = attention_states.shape.as_list()[1:3]
    if size is None:
        raise ValueError(f"Shape[2] of attention_states must be known: {attention_states.shape}")
    output_size = cell.output_size if output_size is None else output_size
    with variable_scope(scope or "attention_decoder", dtype=dtype) as opened:
        dtype = opened.dtype
        batch_size = shape(decoder_inputs[0])[0]
        if length is None:
            length = shape(attention_states)[1]
        hidden = reshape(attention_states, [-1, length, 1, size])
        features, vectors = [], []
        for head in range(num_heads):
            kernel = get_variable(f"AttnW_{head}", [1, 1, size, size], dtype=dtype)
            features.append(conv2d(hidden, kernel, [1, 1, 1, 1], "SAME"))
            vectors.append(get_variable(f"AttnV_{head}", [size], dtype=dtype))

        def attend(query: Any) -> list[Any]:
            """What the query finds, by head."""
            if nest.is_nested(query):
                query = concat(nest.flatten(query), 1)
            found = []
            for head in range(num_heads):
                with variable_scope(f"Attention_{head}"):
                    y = cast(reshape(Linear(query, size, True)(query), [-1, 1, 1, size]), dtype)
                    score = reduce_sum(vectors[head] * tanh(features[head] + y), [2, 3])
                    weights = cast(softmax(cast(score, dtypes.float32)), dtype)
                    seen = reduce_sum(reshape(weights, [-1, length, 1, 1]) * hidden, [1, 2])
                    found.append(reshape(seen, [-1, size]))
            return found

        state: Any = initial_state
        outputs: list[Any] = []
        sizes = stack([batch_size, size])
        seen = [zeros(sizes, dtype=dtype) for _ in range(num_heads)]
        for tensor in seen:
            tensor.set_shape([None, size])
        if initial_state_attention:
            seen = attend(initial_state)
        for i, value in enumerate(decoder_inputs):
            if i > 0:
                get_variable_scope().reuse_variables()
            if loop_function is not None and outputs:
                with variable_scope("loop_function", reuse=True):
                    value = loop_function(outputs[-1], i)
            depth = value.shape.with_rank(2).as_list()[1]
            if depth is None:
                raise ValueError(f"Could not infer input size from input: {value.name}")
            parts = [cast(part, dtype) for part in [value, *seen]]
            output, state = cell(Linear(parts, depth, True)(parts), state)
            if i == 0 and initial_state_attention:
                with variable_scope(get_variable_scope(), reuse=True):
                    seen = attend(state)
            else:
                seen = attend(state)
            with variable_scope("AttnOutputProjection"):
                parts = [cast(output, dtype), *seen]
                outputs.append(Linear(parts, output_size, True)(parts))
    return outputs, state


def embedding_attention_decoder(
    decoder_inputs: Any,
    initial_state: Any,
    attention_states: Any,
    cell: Any,
    num_symbols: int,
    embedding_size: int,
    num_heads: int = 1,
    output_size: int | None = None,
    output_projection: Any = None,
    feed_previous: bool = False,
    update_embedding_for_previous: bool = True,
    dtype: Any = None,
    scope: Any = None,
    initial_state_attention: bool = False,
) -> Any:
    """`attention_decoder` over the embeddings of class numbers; see `embedding_rnn_decoder`."""
    output_size = cell.output_size if output_size is None else output_size
    check_projection(output_projection, num_symbols, dtype, weights=False)
    with variable_scope(scope or "embedding_attention_decoder", dtype=dtype):
        embedding = get_variable("embedding", [num_symbols, embedding_size])
        loop = fed_back(embedding, output_projection, update_embedding_for_previous) if feed_previous else None
        return attention_decoder(
            [embedding_lookup(embedding, i) for i in decoder_inputs],
            initial_state,
            attention_states,
            cell,
            output_size=output_size,
            num_heads=num_heads,
            loop_function=loop,
            initial_state_attention=initial_state_attention,
        )
