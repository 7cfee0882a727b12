"""Whole models of tf.contrib.legacy_seq2seq: an encoder and a decoder over lists of tensors.

`feed_previous` is a bool, or a scalar bool tensor: then there are both decoders, and the run takes one of them.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from regraft.base import dtypes
from regraft.opkit import nest
from regraft.v1._array import concat, reshape, shape
from regraft.v1._control_flow import cond
from regraft.v1._nn_embedding import embedding_lookup
from regraft.v1._rnn_cells import RNNCell
from regraft.v1._rnn_static import static_rnn
from regraft.v1._variable_scope import get_variable, get_variable_scope, variable_scope
from regraft.v1.contrib._legacy_decoders import (
    check_projection,
    embedding_attention_decoder,
    embedding_rnn_decoder,
    fed_back,
    rnn_decoder,
)
from regraft.v1.contrib._rnn_wrappers import EmbeddingWrapper, OutputProjectionWrapper

__all__ = [
    "basic_rnn_seq2seq",
    "embedding_attention_seq2seq",
    "embedding_rnn_seq2seq",
    "embedding_tied_rnn_seq2seq",
    "one2many_rnn_seq2seq",
    "tied_rnn_seq2seq",
]


def _either(feed_previous: Any, decode: Callable[[bool], Any], count: int) -> tuple[list[Any], list[Any]]:
    """(the `count` outputs, the tensors of the state) of `decode` as the tensor `feed_previous` says."""

    def branch(on: bool) -> list[Any]:
        with variable_scope(get_variable_scope(), reuse=None if on else True):
            outputs, state = decode(on)
            return [*outputs, *nest.flatten(state)]

    results = cond(feed_previous, lambda: branch(True), lambda: branch(False))
    return results[:count], results[count:]


def basic_rnn_seq2seq(
    encoder_inputs: Any, decoder_inputs: Any, cell: Any, dtype: Any = dtypes.float32, scope: Any = None
) -> Any:
    """(list of outputs, state) of a decoder that begins with the encoder's last state; both with cells of their own."""
    with variable_scope(scope or "basic_rnn_seq2seq"):
        _, state = static_rnn(copy.deepcopy(cell), encoder_inputs, dtype=dtype)
        return rnn_decoder(decoder_inputs, state, cell)


def tied_rnn_seq2seq(
    encoder_inputs: Any,
    decoder_inputs: Any,
    cell: Any,
    loop_function: Any = None,
    dtype: Any = dtypes.float32,
    scope: Any = None,
) -> Any:
    """`basic_rnn_seq2seq` with one cell for both."""
    with variable_scope("combined_tied_rnn_seq2seq"):
        scope = scope or "tied_rnn_seq2seq"
        _, state = static_rnn(cell, encoder_inputs, dtype=dtype, scope=scope)
        get_variable_scope().reuse_variables()
        return rnn_decoder(decoder_inputs, state, cell, loop_function, scope)


def embedding_rnn_seq2seq(
    encoder_inputs: Any,
    decoder_inputs: Any,
    cell: Any,
    num_encoder_symbols: int,
    num_decoder_symbols: int,
    embedding_size: int,
    output_projection: Any = None,
    feed_previous: Any = False,
    dtype: Any = None,
    scope: Any = None,
) -> Any:
    """`basic_rnn_seq2seq` over class numbers; without a projection the outputs are logits of the decoder's classes."""
    with variable_scope(scope or "embedding_rnn_seq2seq") as opened:
        if dtype is None:
            dtype = opened.dtype
        else:
            opened.set_dtype(dtype)
        encoder = EmbeddingWrapper(copy.deepcopy(cell), num_encoder_symbols, embedding_size)
        _, first = static_rnn(encoder, encoder_inputs, dtype=dtype)
        if output_projection is None:
            cell = OutputProjectionWrapper(cell, num_decoder_symbols)

        def decode(on: bool, update: bool = False) -> Any:
            return embedding_rnn_decoder(
                decoder_inputs, first, cell, num_decoder_symbols, embedding_size, output_projection, on, update
            )

        if isinstance(feed_previous, bool):
            return decode(feed_previous, True)
        outputs, state = _either(feed_previous, decode, len(decoder_inputs))
        return outputs, nest.pack(first, state)


def embedding_tied_rnn_seq2seq(
    encoder_inputs: Any,
    decoder_inputs: Any,
    cell: Any,
    num_symbols: int,
    embedding_size: int,
    num_decoder_symbols: int | None = None,
    output_projection: Any = None,
    feed_previous: Any = False,
    dtype: Any = None,
    scope: Any = None,
) -> Any:
    """`tied_rnn_seq2seq` over class numbers, with one embedding for both sides."""
    with variable_scope(scope or "embedding_tied_rnn_seq2seq", dtype=dtype) as opened:
        dtype = opened.dtype
        check_projection(output_projection, num_symbols, dtype)
        embedding = get_variable("embedding", [num_symbols, embedding_size], dtype=dtype)
        sources = [embedding_lookup(embedding, i) for i in encoder_inputs]
        targets = [embedding_lookup(embedding, i) for i in decoder_inputs]
        if output_projection is None:
            cell = OutputProjectionWrapper(cell, num_symbols if num_decoder_symbols is None else num_decoder_symbols)

        def decode(on: bool, update: bool = False) -> Any:
            loop = fed_back(embedding, output_projection, update) if on else None
            return tied_rnn_seq2seq(sources, targets, cell, loop, dtype)

        if isinstance(feed_previous, bool):
            return decode(feed_previous, True)
        outputs, state = _either(feed_previous, decode, len(decoder_inputs))
        batch_size = next((d for d in (i.shape.as_list()[0] for i in encoder_inputs) if d is not None), None)
        form = cell.zero_state(shape(encoder_inputs[0])[0] if batch_size is None else batch_size, dtype)
        return outputs, nest.pack(form, state)


def embedding_attention_seq2seq(
    encoder_inputs: Any,
    decoder_inputs: Any,
    cell: Any,
    num_encoder_symbols: int,
    num_decoder_symbols: int,
    embedding_size: int,
    num_heads: int = 1,
    output_projection: Any = None,
    feed_previous: Any = False,
    dtype: Any = None,
    scope: Any = None,
    initial_state_attention: bool = False,
) -> Any:
    """`embedding_rnn_seq2seq` whose decoder attends to the encoder's outputs."""
    with variable_scope(scope or "embedding_attention_seq2seq", dtype=dtype) as opened:
        encoder = EmbeddingWrapper(copy.deepcopy(cell), num_encoder_symbols, embedding_size)
        encoded, first = static_rnn(encoder, encoder_inputs, dtype=opened.dtype)
        states = concat([reshape(e, [-1, 1, cell.output_size]) for e in encoded], 1)
        output_size = None
        if output_projection is None:
            cell = OutputProjectionWrapper(cell, num_decoder_symbols)
            output_size = num_decoder_symbols

        def decode(on: bool, update: bool = False) -> Any:
            return embedding_attention_decoder(
                decoder_inputs,
                first,
                states,
                cell,
                num_decoder_symbols,
                embedding_size,
                num_heads,
                output_size,
                output_projection,
                on,
                update,
                initial_state_attention=initial_state_attention,
            )

        if isinstance(feed_previous, bool):
            return decode(feed_previous, True)
        outputs, state = _either(feed_previous, decode, len(decoder_inputs))
        return outputs, nest.pack(first, state)


def one2many_rnn_seq2seq(
    encoder_inputs: Any,
    decoder_inputs_dict: Any,
    enc_cell: Any,
    dec_cells_dict: Any,
    num_encoder_symbols: int,
    num_decoder_symbols_dict: Any,
    embedding_size: int,
    feed_previous: Any = False,
    dtype: Any = None,
    scope: Any = None,
) -> Any:
    """(outputs, states) by name, of several decoders behind one encoder.

    raises  TypeError for no cell, ValueError where the names of cells and inputs differ
    """
    for cell in (enc_cell, *dec_cells_dict.values()):
        if not isinstance(cell, RNNCell):
            raise TypeError(f"not an RNNCell: {type(cell)}")
    if set(dec_cells_dict) != set(decoder_inputs_dict):
        raise ValueError("keys of dec_cells_dict != keys of decoder_inputs_dict")
    outputs: dict[str, Any] = {}
    states: dict[str, Any] = {}
    with variable_scope(scope or "one2many_rnn_seq2seq", dtype=dtype) as opened:
        encoder = EmbeddingWrapper(enc_cell, num_encoder_symbols, embedding_size)
        _, first = static_rnn(encoder, encoder_inputs, dtype=opened.dtype)
        for name, inputs in decoder_inputs_dict.items():
            count = num_decoder_symbols_dict[name]
            with variable_scope(f"one2many_decoder_{name}"):
                cell = OutputProjectionWrapper(dec_cells_dict[name], count)

                def decode(on: bool, inputs: Any = inputs, cell: Any = cell, count: int = count) -> Any:
                    return embedding_rnn_decoder(inputs, first, cell, count, embedding_size, feed_previous=on)

                if isinstance(feed_previous, bool):
                    outputs[name], states[name] = decode(feed_previous)
                else:
                    outputs[name], flat = _either(feed_previous, decode, len(inputs))
                    states[name] = nest.pack(first, flat)
    return outputs, states
