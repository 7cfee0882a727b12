"""Convolutions and products of a program in one call with what follows them; what does not change is made once.

XLA makes what follows a call of oneDNN's (a bias, the affine map of a batch norm, a residual, a ReLU) a pass of its
own over a map that has just left the cache: 38 of 205 ms of ResNet-50's inference. oneDNN adds, and cuts off at 0,
before it writes. A factor for each channel belongs into the filters, and to multiply those at each run would cost as
much as the pass. So they are multiplied ahead, where they follow from arguments that stay the same from run to run:
variables that the program only reads, and constants. What else follows from those alone, and takes no more room, is
made ahead too.

This works on the program as JAX traced it, a jaxpr, whose equations are evaluated again one by one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from regraft.opkit import onednn
from regraft.opkit.arrays import LazyModule, jax, lax

core: Any = LazyModule("jax.extend.core")

# How attention swaps the axes of a batch of products: [batch, heads, rows, columns], [batch, rows, heads, columns].
_SWAPPED = (0, 2, 1, 3)

# Where these stand in a program they cost nothing, and a slice of no more cells than this next to nothing.
_VIEWS = frozenset({"broadcast_in_dim", "expand_dims", "reshape", "slice", "squeeze"})
_SHORT_SLICE = 4096


@dataclass(frozen=True, eq=False)
class _Op:
    """Something to be computed.

    inputs   variables of the jaxpr, or `_New`
    outputs  what gets the results
    run      takes the values of the inputs, returns those of the outputs
    movable  may be done ahead: nothing else happens, and the results are no larger than the inputs
    view     costs nothing where it stands
    acts     something else happens: it must be done, whether or not anyone wants the results
    """

    inputs: tuple[Any, ...]
    outputs: tuple[Any, ...]
    run: Callable[..., Sequence[Any]]
    movable: bool
    view: bool = False
    acts: bool = False


class _New:
    """A value that the jaxpr does not have."""


class Fusion:
    """A traced program in two parts, both to be traced: `ahead`, what constant arguments alone decide, and `rest`.

    found    whether there was anything to fuse; else the program is best left as it was
    sources  places of the constant arguments that `ahead` takes
    taken    places of the arguments that `rest` takes
    """

    def __init__(self, closed: Any, constant: Collection[int], activations: bool) -> None:
        """
        closed       a ClosedJaxpr
        constant     places of the arguments that seldom change
        activations  whether ReLUs may be fused: oneDNN's make 0 of NaN
        """
        jaxpr = closed.jaxpr
        self._inputs, self._outputs = jaxpr.invars, jaxpr.outvars
        self._consts = dict(zip(jaxpr.constvars, closed.consts, strict=True))
        given = {*self._consts, *(jaxpr.invars[i] for i in constant)}
        plain = [_as_is(jaxpr, eqn) for eqn in jaxpr.eqns]
        chains = _Chains(jaxpr, given | _steady(plain, given).keys(), activations)
        self.found = bool(chains.found)
        ops = [op for place, eqn in enumerate(plain) for op in chains.ops(place, eqn)]
        made = _steady(ops, given)
        early = [op for op in ops if not made.keys().isdisjoint(op.outputs)]
        late = [op for op in ops if made.keys().isdisjoint(op.outputs)]
        results = {v for v in self._outputs if not _is_literal(v)}
        rest = _needed(late, results)
        # Each value that is handed over takes time: rather one filter than its rows.
        views = _needed([op for op in early if op.view], _read(rest) | results)
        self._rest = [*views, *rest]
        read = _read(self._rest) | results
        seen = {v for op in views for v in op.outputs}
        self._handed = [v for v in made if v in read and v not in seen]
        self._ahead = _needed(early, self._handed)
        used = _read(self._ahead)
        self.sources = tuple(i for i in sorted(constant) if jaxpr.invars[i] in used)
        self.taken = tuple(i for i, v in enumerate(jaxpr.invars) if v in read)

    def ahead(self, sources: Sequence[Any]) -> list[Any]:
        """What `rest` takes besides the arguments, from those at the places `sources`."""
        env = dict(self._consts)
        env.update(zip((self._inputs[i] for i in self.sources), sources, strict=True))
        _evaluate(self._ahead, env)
        return [env[v] for v in self._handed]

    def rest(self, arguments: Sequence[Any], made: Sequence[Any]) -> list[Any]:
        """The program's results, from its arguments at the places `taken` and what `ahead` gave."""
        env = dict(self._consts)
        env.update(zip((self._inputs[i] for i in self.taken), arguments, strict=True))
        env.update(zip(self._handed, made, strict=True))
        _evaluate(self._rest, env)
        return [v.val if _is_literal(v) else env[v] for v in self._outputs]


def _is_literal(atom: Any) -> bool:
    return isinstance(atom, core.Literal)


def _is_number(atom: Any, number: float) -> bool:
    return _is_literal(atom) and getattr(atom.val, "size", 1) == 1 and bool(atom.val == number)


def _evaluate(ops: Iterable[_Op], env: dict[Any, Any]) -> None:
    for op in ops:
        env.update(zip(op.outputs, op.run(*(env[a] for a in op.inputs)), strict=True))


def _as_is(jaxpr: Any, eqn: Any) -> _Op:
    """An equation of a jaxpr."""
    inputs = tuple(dict.fromkeys(v for v in eqn.invars if not _is_literal(v)))
    alone = jaxpr.replace(constvars=[], invars=list(inputs), outvars=list(eqn.outvars), eqns=[eqn])
    movable = not eqn.effects and _room(eqn.outvars) <= _room(inputs)
    kind = eqn.primitive.name
    view = kind in _VIEWS and (kind != "slice" or _room(eqn.outvars) <= _SHORT_SLICE)
    run = partial(jax.core.eval_jaxpr, alone, [])
    return _Op(inputs, tuple(eqn.outvars), run, movable, view, bool(eqn.effects))


def _room(variables: Iterable[Any]) -> int:
    return sum(v.aval.size for v in variables if hasattr(v.aval, "size"))


def _read(ops: Iterable[_Op]) -> set[Any]:
    """What the ops take, from each other or from elsewhere."""
    return {v for op in ops for v in op.inputs}


def _steady(ops: Iterable[_Op], constant: Collection[Any]) -> dict[Any, None]:
    """The results that follow from constants alone and may be made ahead, in order."""
    made: dict[Any, None] = {}
    for op in ops:
        if op.movable and all(a in constant or a in made for a in op.inputs):
            made.update(dict.fromkeys(op.outputs))
    return made


def _needed(ops: Sequence[_Op], wanted: Collection[Any]) -> list[_Op]:
    """Those of the ops that the wanted values need, and those that act, in order."""
    found, needed = [], set(wanted)
    for op in reversed(ops):
        if op.acts or not needed.isdisjoint(op.outputs):
            found.append(op)
            needed.update(op.inputs)
    return found[::-1]


class _Chain:
    """A call of oneDNN's, and what is done with its result, as long as oneDNN can do it.

    places  of the equations
    result  of the last one
    """

    def __init__(self, call: onednn.Call, eqn: Any, place: int, scalable: bool, activations: bool) -> None:
        """
        scalable     the filters are known ahead
        activations  ReLUs may be taken in
        """
        self._call, self._operands, self._scalable, self._activations = call, eqn.invars, scalable, activations
        self._swaps = False
        self.places, self.result = [place], eqn.outvars[0]
        self._affine: list[tuple[str, Any]] = []
        self._residual: Any = None
        self._activation = ""

    def take(self, place: int, eqn: Any, vector: Callable[[Any], Any], steady: Collection[Any]) -> bool:
        """Take in the equation that reads the result, if that can be.

        vector  the vector over the channels that a value repeats, or None
        steady  values that are known ahead
        """
        kind, result = eqn.primitive.name, eqn.outvars[0]
        other = next((a for a in eqn.invars if a is not self.result), None)
        fits: bool
        if kind == "reshape":
            fits = result.aval.shape[-1:] == self.result.aval.shape[-1:]
        elif kind == "max":
            fits = self._activations and not self._activation and _is_number(other, 0)
            self._activation = "RELU" if fits else self._activation
        elif kind == "min":
            fits = self._activation == "RELU" and _is_number(other, 6)
            self._activation = "RELU6" if fits else self._activation
        elif self._activation or other is None or _is_literal(other):
            fits = False
        elif kind in ("add", "sub", "mul") and (spread := vector(other)) is not None:
            fits = kind != "sub" or eqn.invars[0] is self.result
            if kind == "mul":
                fits = self._scalable and self._residual is None and spread in steady
            if fits:
                self._affine.append((kind, spread))
        else:
            fits = kind == "add" and self._residual is None and other.aval.shape == self.result.aval.shape
            self._residual = other if fits else self._residual
        if fits:
            self.places.append(place)
            self.result = result
        return fits

    def unswap(self, maker: Callable[[Any], Any], user: tuple[int, Any] | None) -> None:
        """Take in swaps of the middle axes of what a batch of products multiplies, and of its result.

        Attention has them. oneDNN does them at no cost; for XLA's CPU compiler they are passes of their own.

        maker  the equation that makes a value, or None
        user   the equation that alone reads the result, behind its place
        """
        first, second = (_swaps_middle(maker(v)) for v in self._operands)
        after = user if user is not None and _swaps_middle(user[1]) else None
        self._swaps = first or second or after is not None
        if not self._swaps:
            return
        self._call = self._call.swapping(first, second, after is not None)
        swaps = zip(self._operands, (first, second), strict=True)
        self._operands = [maker(v).invars[0] if swapped else v for v, swapped in swaps]
        if after is not None:
            place, eqn = after
            self.places.append(place)
            self.result = eqn.outvars[0]

    @property
    def worth(self) -> bool:
        """Whether there is something to be gained."""
        return bool(self._affine or self._activation or self._swaps) or self._residual is not None

    def ops(self) -> Iterator[_Op]:
        """The fused call, and before it what goes into it."""
        x, filters = self._operands
        bias: tuple[Any, ...] = ()
        if self._affine:
            scale, shift = _New(), _New()
            kinds, vectors = zip(*self._affine, strict=True)
            yield _Op(vectors, (scale, shift), lambda *values: _affine(kinds, values), True)
            bias = (shift,)
            if "mul" in kinds:
                scaled = _New()
                axis = self._call.filters_axis
                yield _Op(
                    (filters, scale),
                    (scaled,),
                    lambda f, s: (f * lax.broadcast_in_dim(s, f.shape, (axis,)),),
                    True,
                )
                filters = scaled
        residual = () if self._residual is None else (self._residual,)
        sizes = self.result.aval.shape

        def run(x: Any, filters: Any, *more: Any) -> Sequence[Any]:
            values = iter(more)
            out = self._call(
                x, filters, next(values) if bias else None, next(values) if residual else None, self._activation
            )
            return (lax.reshape(out, sizes),)

        yield _Op((x, filters, *bias, *residual), (self.result,), run, False)


def _swaps_middle(eqn: Any) -> bool:
    swaps = eqn is not None and eqn.primitive.name == "transpose" and tuple(eqn.params["permutation"]) == _SWAPPED
    return bool(swaps)


def _affine(kinds: Sequence[str], vectors: Sequence[Any]) -> tuple[Any, Any]:
    """x times the first result plus the second is x with each vector added, subtracted or multiplied, in order."""
    scale, shift = lax.full_like(vectors[0], 1), lax.full_like(vectors[0], 0)
    for kind, vector in zip(kinds, vectors, strict=True):
        if kind == "mul":
            scale, shift = scale * vector, shift * vector
        else:
            shift = shift + vector if kind == "add" else shift - vector
    return scale, shift


class _Chains:
    """The chains of a program: each step's result is used once, by the next.

    found  the chain that the equation at a place belongs to
    """

    def __init__(self, jaxpr: Any, steady: Collection[Any], activations: bool) -> None:
        """
        steady       values that are known ahead
        activations  ReLUs may be fused
        """
        self._makers = {v: eqn for eqn in jaxpr.eqns for v in eqn.outvars}
        uses = Counter(v for v in jaxpr.outvars if not _is_literal(v))
        users: dict[Any, int] = {}
        for place, eqn in enumerate(jaxpr.eqns):
            for v in eqn.invars:
                if not _is_literal(v):
                    uses[v] += 1
                    users[v] = place

        def reader(value: Any) -> tuple[int, Any] | None:
            """The equation that alone reads a value, behind its place."""
            place = users.get(value)
            return (place, jaxpr.eqns[place]) if place is not None and uses[value] == 1 else None

        ends: set[Any] = set()

        def maker(value: Any) -> Any:
            """The equation that makes a value, or None; none for what a chain ends with, which has taken it in."""
            return None if value in ends else self._makers.get(value)

        self.found: dict[int, _Chain] = {}
        for place, eqn in enumerate(jaxpr.eqns):
            call = onednn.call_of(eqn)
            if call is None:
                continue
            chain = _Chain(call, eqn, place, eqn.invars[1] in steady, activations)
            if call.batches:
                chain.unswap(maker, reader(chain.result))
            else:
                while (after := reader(chain.result)) is not None and after[0] not in self.found:
                    if not chain.take(*after, self._vector, steady):
                        break
            if chain.worth:
                self.found.update(dict.fromkeys(chain.places, chain))
                ends.add(chain.result)

    def _vector(self, value: Any) -> Any:
        """The vector that `value` repeats along its last axis, or None."""
        eqn = self._makers.get(value)
        if eqn is None or eqn.primitive.name != "broadcast_in_dim":
            return None
        source, rank = eqn.invars[0], value.aval.ndim
        last = rank > 1 and eqn.params["broadcast_dimensions"] == (rank - 1,)
        whole = last and not _is_literal(source) and source.aval.shape == value.aval.shape[-1:]
        return source if whole else None

    def ops(self, place: int, plain: _Op) -> Iterator[_Op]:
        """What stands for the equation at `place`, which `plain` evaluates as it is."""
        chain = self.found.get(place)
        if chain is None:
            yield plain
        elif place == chain.places[-1]:
            yield from chain.ops()
