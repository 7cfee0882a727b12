"""Recurrent cells in one op, and a whole LSTM in one op, with their gradient ops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from regraft.base.errors import InvalidArgumentError
from regraft.opkit.arrays import lax, on_host, static_shape
from regraft.opkit.elementwise import quiet
from regraft.opkit.registry import op
from regraft.opkit.shapes import ShapeContext, Sizes, with_rank

# Where the gates stand in the columns of w and b: LSTMBlockCell and BlockLSTM have input, cell, forget, output;
# BlockLSTMV2 has input, forget, cell, output.
_ICFO = (0, 1, 2, 3)
_IFCO = (0, 2, 1, 3)


def _apply(name: str, x: Any) -> Any:
    return getattr(np, name)(x) if on_host(x) else getattr(lax, name)(x)


def _sigmoid(x: Any) -> Any:
    one = x.dtype.type(1)
    return one / (one + np.exp(-x)) if on_host(x) else lax.logistic(x)


def _dot(a: Any, b: Any, contract: tuple[int, int] = (1, 0)) -> Any:
    if on_host(a, b):
        return np.matmul(a.T if contract[0] == 0 else a, b.T if contract[1] == 1 else b)
    return lax.dot_general(a, b, (((contract[0],), (contract[1],)), ((), ())))


def _join(*parts: Any) -> Any:
    return np.concatenate(parts, 1) if on_host(*parts) else lax.concatenate(parts, 1)


def _row_sum(x: Any) -> Any:
    return np.sum(x, 0, dtype=x.dtype) if on_host(x) else lax.reduce_sum(x, (0,))


def _row(vector: Any) -> Any:
    """[cell] as [1, cell]."""
    return vector.reshape(1, -1)


def _clip(x: Any, limit: float) -> Any:
    if limit <= 0:
        return x
    low, high = x.dtype.type(-limit), x.dtype.type(limit)
    return np.minimum(np.maximum(x, low), high) if on_host(x) else lax.clamp(low, x, high)


def _gates(x: Any, order: tuple[int, ...]) -> list[Any]:
    """The input, cell, forget and output parts of [batch, 4 * cell]."""
    cell = static_shape(x)[1] // 4
    return [x[:, o * cell : (o + 1) * cell] for o in order]


def _in_order(gates: list[Any], order: tuple[int, ...]) -> Any:
    return _join(*(gates[order.index(position)] for position in range(4)))


class _Lstm:
    """The arithmetic of one step (Gers et al. 2000; peepholes: Gers and Schmidhuber 2000)."""

    def __init__(
        self, w: Any, wci: Any, wcf: Any, wco: Any, b: Any, peephole: bool, order: tuple[int, ...] = _ICFO
    ) -> None:
        self.w, self.b, self.peephole, self.order = w, b, peephole, order
        self.wci: Any = _row(wci) if peephole else None
        self.wcf: Any = _row(wcf) if peephole else None
        self.wco: Any = _row(wco) if peephole else None

    def check(self, x: Any, h: Any) -> None:
        """InvalidArgumentError unless w has the rows of [x, h] and four columns for each cell."""
        inputs, cell = static_shape(x)[-1], static_shape(h)[-1]
        if static_shape(self.w) != (inputs + cell, 4 * cell):
            raise InvalidArgumentError(
                f"w.dim_size(0) != input_size + cell_size or w.dim_size(1) != cell_size * 4: w is "
                f"{list(static_shape(self.w))}, input_size {inputs}, cell_size {cell}"
            )

    def forward(self, x: Any, cs: Any, h: Any, forget_bias: float, cell_clip: float) -> tuple[Any, ...]:
        """i, cs, f, o, ci, co, h from the step's input and the state before it."""
        i, ci, f, o = _gates(_dot(_join(x, h), self.w) + _row(self.b), self.order)
        if self.peephole:
            i, f = i + self.wci * cs, f + self.wcf * cs
        i, ci = _sigmoid(i), _apply("tanh", ci)
        f = _sigmoid(f + f.dtype.type(forget_bias))
        new = _clip(ci * i + f * cs, cell_clip)
        o = _sigmoid(o + self.wco * new if self.peephole else o)
        co = _apply("tanh", new)
        return i, new, f, o, ci, co, co * o

    def backward(self, cs_prev: Any, saved: Any, cs_grad: Any, h_grad: Any) -> tuple[Any, ...]:
        """The gradients towards cs_prev, the gates' sums, wci, wcf and wco. `saved` is what `forward` gave, less h."""
        i, cs, f, o, ci, co = saved
        one = i.dtype.type(1)
        do = o * (one - o) * h_grad * co
        dcs = (one - co * co) * h_grad * o + cs_grad
        if self.peephole:
            dcs = dcs + do * self.wco
        dci = (one - ci * ci) * dcs * i
        df = f * (one - f) * dcs * cs_prev
        di = i * (one - i) * dcs * ci
        before = dcs * f
        zero = i.dtype.type(0)
        weights = [_row_sum(d * s) for d, s in ((di, cs_prev), (df, cs_prev), (do, cs))]
        if self.peephole:
            before = before + di * self.wci + df * self.wcf
        else:
            weights = [v * zero for v in weights]
        return (before, _in_order([di, dci, df, do], self.order), *weights)


def _cell_shape(c: ShapeContext) -> list[Sizes]:
    x, cs = with_rank(c, c.input(0), 2), with_rank(c, c.input(1), 2)
    return [(x[0], cs[1])] * 7


@op("LSTMBlockCell", shape=_cell_shape)
@quiet
def lstm_block_cell(
    x: Any,
    cs_prev: Any,
    h_prev: Any,
    w: Any,
    wci: Any,
    wcf: Any,
    wco: Any,
    b: Any,
    *,
    forget_bias: float,
    cell_clip: float,
    use_peephole: bool,
) -> Any:
    """One step of an LSTM.

    x                [batch, input]
    cs_prev, h_prev  [batch, cell]: cell state and output before the step
    w, b             [input + cell, 4 * cell], [4 * cell]: input, cell, forget and output gate
    wci, wcf, wco    [cell]: peepholes, read if use_peephole
    cell_clip        limit of the cell state; none where it is not above 0
    returns          i, cs, f, o, ci, co, h, each [batch, cell]
    """
    lstm = _Lstm(w, wci, wcf, wco, b, use_peephole)
    lstm.check(x, h_prev)
    return lstm.forward(x, cs_prev, h_prev, forget_bias, cell_clip)


@lstm_block_cell.gradient
def _(b: Any, node: Any, *grads: Any) -> Any:
    """As tf.contrib had it; TensorFlow 2 has none."""
    x, cs_prev, h_prev, w, wci, wcf, wco, bias = node.inputs
    i, cs, f, o, ci, co, _ = node.outputs
    sizes = x.shape.with_rank(2).as_list()
    cell = cs_prev.shape.with_rank(2).as_list()[1]
    if sizes[1] is None or cell is None:
        raise ValueError("input_size from `x` and cell_size from `cs_prev` must be statically inferred.")
    rows = -1 if sizes[0] is None else sizes[0]
    inputs = (x, cs_prev, h_prev, w, wci, wcf, wco, bias, i, cs, f, o, ci, co, grads[1], grads[6])
    before, gates, dwci, dwcf, dwco = b.LSTMBlockCellGrad(*inputs, use_peephole=node.get_attr("use_peephole"))
    both = b.matmul(gates, w, transpose_b=True)
    dx = b.Slice(both, (0, 0), (rows, sizes[1]))
    dh = b.Slice(both, (0, sizes[1]), (rows, cell))
    dw = b.matmul(b.concat([x, h_prev], 1), gates, transpose_a=True)
    return [dx, before, dh, dw, dwci, dwcf, dwco, b.BiasAddGrad(gates)]


def _cell_gradient_shape(c: ShapeContext) -> list[Sizes]:
    x, cs = with_rank(c, c.input(0), 2), with_rank(c, c.input(1), 2)
    cell = cs[1]
    return [(x[0], cell), (x[0], None if cell is None else 4 * cell), *([(cell,)] * 3)]


@op("LSTMBlockCellGrad", shape=_cell_gradient_shape)
@quiet
def lstm_block_cell_grad(
    x: Any,
    cs_prev: Any,
    h_prev: Any,
    w: Any,
    wci: Any,
    wcf: Any,
    wco: Any,
    b: Any,
    i: Any,
    cs: Any,
    f: Any,
    o: Any,
    ci: Any,
    co: Any,
    cs_grad: Any,
    h_grad: Any,
    *,
    use_peephole: bool,
) -> Any:
    """The gradients of LSTMBlockCell towards cs_prev, the gates before their functions, wci, wcf and wco."""
    lstm = _Lstm(w, wci, wcf, wco, b, use_peephole)
    return lstm.backward(cs_prev, (i, cs, f, o, ci, co), cs_grad, h_grad)


# A whole sequence


def _scan(step: Callable[[Any, Any], Any], carry: Any, xs: tuple[Any, ...], reverse: bool = False) -> Any:
    """`lax.scan`, or the loop that it stands for on host arrays. Steps are (carry, slices) -> (carry, outputs)."""
    if not on_host(*xs, *carry):
        return lax.scan(step, carry, xs, reverse=reverse)
    steps = range(len(xs[0]))
    found: list[Any] = []
    for t in reversed(steps) if reverse else steps:
        carry, outputs = step(carry, tuple(x[t] for x in xs))
        found.append(outputs)
    if reverse:
        found.reverse()
    return carry, tuple(np.stack(column) for column in zip(*found, strict=True))


def _keep(mask: Any, x: Any) -> Any:
    """x where the scalar `mask` is 1; exact zeros where it is 0."""
    return (
        np.where(mask != 0, x, x.dtype.type(0))
        if on_host(mask, x)
        else lax.select(lax.broadcast(lax.ne(mask, mask.dtype.type(0)), x.shape), x, lax.full(x.shape, 0, x.dtype))
    )


def _steps(seq_len_max: Any, x: Any) -> Any:
    """1 for each step before seq_len_max, 0 for those behind."""
    count = static_shape(x)[0]
    number = np.arange(count, dtype=np.int64)
    if on_host(seq_len_max, x):
        return (number < seq_len_max).astype(np.int32)
    return lax.convert_element_type(lax.lt(number, lax.broadcast(seq_len_max, (count,))), np.int32)


def _forward(
    seq_len_max: Any, x: Any, cs: Any, h: Any, lstm: _Lstm, forget_bias: float, cell_clip: float
) -> tuple[Any, ...]:
    lstm.check(x, h)
    if static_shape(x)[0] == 0:
        return (np.zeros((0, *static_shape(cs)), x.dtype),) * 7

    def step(carry: Any, at: Any) -> Any:
        (x_t, inside), (cs_t, h_t) = at, carry
        outputs = tuple(_keep(inside, v) for v in lstm.forward(x_t, cs_t, h_t, forget_bias, cell_clip))
        return (outputs[1], outputs[6]), outputs

    return tuple(_scan(step, (cs, h), (x, _steps(seq_len_max, x)))[1])


def _block_shape(c: ShapeContext) -> list[Sizes]:
    x, b = with_rank(c, c.input(1), 3), with_rank(c, c.input(8), 1)
    cell = None if b[0] is None else b[0] // 4
    return [(x[0], x[1], cell)] * 7


@op("BlockLSTM", shape=_block_shape)
@quiet
def block_lstm(
    seq_len_max: Any,
    x: Any,
    cs_prev: Any,
    h_prev: Any,
    w: Any,
    wci: Any,
    wcf: Any,
    wco: Any,
    b: Any,
    *,
    forget_bias: float,
    cell_clip: float,
    use_peephole: bool,
) -> Any:
    """LSTMBlockCell over a sequence.

    seq_len_max  scalar: steps from there on are not run and give 0
    x            [time, batch, input]; all else as for LSTMBlockCell
    returns      i, cs, f, o, ci, co, h, each [time, batch, cell]
    """
    lstm = _Lstm(w, wci, wcf, wco, b, use_peephole)
    return _forward(seq_len_max, x, cs_prev, h_prev, lstm, forget_bias, cell_clip)


@op("BlockLSTMV2", shape=_block_shape)
@quiet
def block_lstm_v2(
    seq_len_max: Any,
    x: Any,
    cs_prev: Any,
    h_prev: Any,
    w: Any,
    wci: Any,
    wcf: Any,
    wco: Any,
    b: Any,
    *,
    cell_clip: float,
    use_peephole: bool,
) -> Any:
    """BlockLSTM with the gates in the order input, forget, cell, output, and no bias of the forget gate."""
    lstm = _Lstm(w, wci, wcf, wco, b, use_peephole, _IFCO)
    return _forward(seq_len_max, x, cs_prev, h_prev, lstm, 0.0, cell_clip)


def _block_gradient(b: Any, node: Any, *grads: Any) -> Any:
    # TensorFlow 2.21 adds BlockLSTMGrad for both ops, although V2 has its gates in another order.
    inputs = (*node.inputs, *node.outputs, grads[1], grads[6])
    return [None, *b.BlockLSTMGrad(*inputs, use_peephole=node.get_attr("use_peephole"))]


block_lstm.gradient(_block_gradient)
block_lstm_v2.gradient(_block_gradient)


def _block_gradient_shape(c: ShapeContext) -> list[Sizes]:
    ranks = (3, 2, 2, 2, 1, 1, 1, 1)
    return [with_rank(c, c.input(i + 1), rank) for i, rank in enumerate(ranks)]


def _before(first: Any, later: Any) -> Any:
    """The values of the step before each: `first`, then all of `later` but the last."""
    if on_host(first, later):
        return np.concatenate([first[None], later[:-1]])
    return lax.concatenate([lax.expand_dims(first, (0,)), later[:-1]], 0)


def _backward(seq_len_max: Any, x: Any, cs_prev: Any, h_prev: Any, lstm: _Lstm, saved: Any, grads: Any) -> Any:
    i, cs, f, o, ci, co, h = saved
    inputs, (w, bias) = static_shape(x)[2], (lstm.w, lstm.b)
    cell = static_shape(cs_prev)[1]
    zero = [np.zeros(static_shape(v), x.dtype) for v in (cs_prev, h_prev, w)] + [np.zeros(cell, x.dtype)] * 3
    zero.append(np.zeros(static_shape(bias), x.dtype))
    if static_shape(x)[0] == 0:
        return (x, *zero)

    def step(carry: Any, at: Any) -> Any:
        (dcs, dh, dw, *peepholes, db), (inside, x_t, cs_before, h_before, cs_grad, h_grad, *values) = carry, at
        before, gates, *weights = lstm.backward(cs_before, values, dcs + cs_grad, dh + h_grad)
        before, gates, *weights = (_keep(inside, v) for v in (before, gates, *weights))
        both = _dot(gates, w, (1, 1))
        dw = dw + _keep(inside, _dot(_join(x_t, h_before), gates, (0, 0)))
        peepholes = [total + more for total, more in zip(peepholes, weights, strict=True)]
        return (before, both[:, inputs:], dw, *peepholes, db + _row_sum(gates)), (both[:, :inputs],)

    xs = (_steps(seq_len_max, x), x, _before(cs_prev, cs), _before(h_prev, h), *grads, i, cs, f, o, ci, co)
    carry, (dx,) = _scan(step, tuple(zero), xs, reverse=True)
    return (dx, *carry)


def _block_grad_kernel(order: tuple[int, ...]) -> Callable[..., Any]:
    @quiet
    def kernel(
        seq_len_max: Any,
        x: Any,
        cs_prev: Any,
        h_prev: Any,
        w: Any,
        wci: Any,
        wcf: Any,
        wco: Any,
        b: Any,
        i: Any,
        cs: Any,
        f: Any,
        o: Any,
        ci: Any,
        co: Any,
        h: Any,
        cs_grad: Any,
        h_grad: Any,
        *,
        use_peephole: bool,
    ) -> Any:
        """The gradients towards x, cs_prev, h_prev, w, wci, wcf, wco and b."""
        lstm = _Lstm(w, wci, wcf, wco, b, use_peephole, order)
        saved = (i, cs, f, o, ci, co, h)
        return _backward(seq_len_max, x, cs_prev, h_prev, lstm, saved, (cs_grad, h_grad))

    return kernel


op("BlockLSTMGrad", shape=_block_gradient_shape)(_block_grad_kernel(_ICFO))
op("BlockLSTMGradV2", shape=_block_gradient_shape)(_block_grad_kernel(_IFCO))


# Gated recurrent units


def _gru_shape(c: ShapeContext) -> list[Sizes]:
    x, h = with_rank(c, c.input(0), 2), with_rank(c, c.input(1), 2)
    return [(x[0], h[1])] * 4


@op("GRUBlockCell", shape=_gru_shape)
@quiet
def gru_block_cell(x: Any, h_prev: Any, w_ru: Any, w_c: Any, b_ru: Any, b_c: Any) -> Any:
    """One step of a GRU (Cho et al. 2014).

    x, h_prev   [batch, input], [batch, cell]
    w_ru, b_ru  [input + cell, 2 * cell], [2 * cell]: reset and update gate
    w_c, b_c    [input + cell, cell], [cell]
    returns     r, u, c, h, each [batch, cell]
    """
    cell = static_shape(h_prev)[1]
    both = _sigmoid(_dot(_join(x, h_prev), w_ru) + _row(b_ru))
    r, u = both[:, :cell], both[:, cell:]
    c = _apply("tanh", _dot(_join(x, h_prev * r), w_c) + _row(b_c))
    return r, u, c, u * h_prev + (u.dtype.type(1) - u) * c


@gru_block_cell.gradient
def _(b: Any, node: Any, *grads: Any) -> Any:
    """As tf.contrib had it; TensorFlow 2 has none."""
    x, h_prev = node.inputs[:2]
    r, u, c, _ = node.outputs
    dx, dh, dc, dru = b.GRUBlockCellGrad(*node.inputs, r, u, c, grads[3])
    dw_ru = b.matmul(b.concat([x, h_prev], 1), dru, transpose_a=True)
    db_ru = b.BiasAddGrad(dru)
    dw_c = b.matmul(b.concat([x, h_prev * r], 1), dc, transpose_a=True)
    return [dx, dh, dw_ru, dw_c, db_ru, b.BiasAddGrad(dc)]


def _gru_gradient_shape(c: ShapeContext) -> list[Sizes]:
    x, h, w = (with_rank(c, c.input(i), 2) for i in (0, 1, 2))
    return [x, (x[0], h[1]), (x[0], h[1]), (x[0], w[1])]


@op("GRUBlockCellGrad", shape=_gru_gradient_shape)
@quiet
def gru_block_cell_grad(
    x: Any, h_prev: Any, w_ru: Any, w_c: Any, b_ru: Any, b_c: Any, r: Any, u: Any, c: Any, d_h: Any
) -> Any:
    """The gradients of GRUBlockCell towards x, h_prev, and the sums before the functions of c and of both gates."""
    one, inputs = u.dtype.type(1), static_shape(x)[1]
    dc = d_h * (one - u) * (one - c * c)
    du = d_h * (h_prev - c) * u * (one - u)
    through_c = _dot(dc, w_c, (1, 1))
    reset = through_c[:, inputs:]
    dru = _join(reset * h_prev * r * (one - r), du)
    through_gates = _dot(dru, w_ru, (1, 1))
    dx = through_gates[:, :inputs] + through_c[:, :inputs]
    return dx, through_gates[:, inputs:] + reset * r + d_h * u, dc, dru
