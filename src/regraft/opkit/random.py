"""Random bits as TensorFlow's CPU kernels draw them: Philox4x32-10, its counters, and its layout of outputs.

Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3" (SC 2011). A generator is a 64-bit key and a 128-bit
counter, held as uint32 words, low word first. Block i is the cipher of counter + i: four uint32 samples.

A stateful node owns one counter. Each run reserves a number of blocks that depends on the size of its output alone, far
more than it uses, and the next run starts behind them. All functions work on NumPy arrays and on traced ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base.errors import InvalidArgumentError, UnimplementedError
from regraft.opkit.arrays import jnp, lax, on_host, shape_text, static_shape

PHILOX, AUTO = 1, 3
"""The algorithm's number among a stateless op's inputs, and the one that leaves the choice to the device."""

_MULTIPLY = (0xD2511F53, 0xCD9E8D57)
_WEYL = (0x9E3779B9, 0xBB67AE85)
_ROUNDS = 10
_LOW = (1 << 32) - 1
# Blocks that the host encrypts at a time, so that the words stay in the cache.
_CHUNK = 1 << 13
_SCRAMBLE_KEY = (0x3EC8F720, 0x02461E29)

# The four words of counters or blocks, each in the low half of uint64.
Lanes = tuple[Any, Any, Any, Any]


class Rng:
    """The generator of one node in one run.

    key      uint32 [2]
    counter  uint32 [4], where the next draw starts
    drawn    blocks reserved so far in this run
    """

    __slots__ = ("counter", "drawn", "key")

    def __init__(self, key: Any, counter: Any) -> None:
        self.key = key
        self.counter = counter
        self.drawn = 0

    def reserve(self, blocks: int) -> Any:
        """Set `blocks` blocks aside: the counter of the first one."""
        start = self.counter
        self.counter = skip(start, blocks)
        self.drawn += blocks
        return start


def initial_state(seed: int, seed2: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """(key, counter) of a node with these attributes before its first run.

    Where both are 0 TensorFlow seeds from the system: hand in two random 64-bit integers in their place.
    """
    return _words(seed, 2), np.concatenate([np.zeros(2, np.uint32), _words(seed2, 2)])


def _words(value: int, count: int) -> np.ndarray[Any, Any]:
    value = int(value)
    return np.array([(value >> (32 * i)) & _LOW for i in range(count)], np.uint32)


def stateless_state(seed: Any) -> tuple[Any, Any]:
    """(key, counter) for the two seeds of a stateless op: the seeds are encrypted under a fixed key."""
    if static_shape(seed) != (2,):
        raise InvalidArgumentError(f"seed must have shape [2], not {shape_text(seed)}")
    xp = np if on_host(seed) else jnp
    seed = seed.astype(np.int64) if seed.dtype != np.uint64 else seed
    wide = xp.asarray(seed).astype(np.uint64)
    counter = split64(xp, wide)
    wide_words = counter.astype(np.uint64)
    lanes = wide_words[:1], wide_words[1:2], wide_words[2:3], wide_words[3:]
    words = _encrypt(xp, np.array(_SCRAMBLE_KEY, np.uint32), lanes)
    mixed = xp.concatenate(words)
    zero = xp.zeros(2, np.uint32)
    return mixed[:2], xp.concatenate([zero, mixed[2:]])


def keyed_state(key: Any, counter: Any, alg: Any) -> tuple[Any, Any]:
    """(key, counter) as uint32 words from those of a stateless op, uint64 [1] and uint64 [2].

    raises UnimplementedError unless `alg` is Philox, or leaves the choice
    """
    if int(alg) not in (PHILOX, AUTO):
        raise UnimplementedError(f"Unsupported algorithm id: {int(alg)}; Regraft has Philox (1, or 3 to choose)")
    if static_shape(key) != (1,) or len(static_shape(counter)) != 1 or static_shape(counter)[0] < 2:
        raise InvalidArgumentError(
            "Philox takes a key of shape [1] and a counter of shape [2], "
            f"got {shape_text(key)} and {shape_text(counter)}"
        )
    xp = np if on_host(key, counter) else jnp
    return split64(xp, xp.asarray(key)), split64(xp, xp.asarray(counter)[:2])


def split64(xp: Any, wide: Any) -> Any:
    """uint64 [n] as uint32 [2 n], low words first."""
    low = (wide & np.uint64(_LOW)).astype(np.uint32)
    high = (wide >> np.uint64(32)).astype(np.uint32)
    return xp.stack([low, high], axis=-1).reshape(-1)


def join64(words: Any) -> Any:
    """uint32 [..., 2 n] as uint64 [..., n], low words first."""
    return words[..., 0::2].astype(np.uint64) | (words[..., 1::2].astype(np.uint64) << np.uint64(32))


def skip(counter: Any, blocks: Any) -> Any:
    """The counter `blocks` blocks on, modulo 2^128."""
    xp = np if on_host(counter, blocks) else jnp
    step = np.uint64(blocks) if isinstance(blocks, int) else xp.asarray(blocks).astype(np.uint64)
    return xp.stack([word.astype(np.uint32) for word in _counters(counter, step)], axis=-1)


def _counters(counter: Any, offsets: Any) -> Lanes:
    """The words of `counter + offsets`, modulo 2^128, in uint64 lanes."""
    low, high = (
        counter[..., 2 * i].astype(np.uint64) | (counter[..., 2 * i + 1].astype(np.uint64) << np.uint64(32))
        for i in (0, 1)
    )
    with np.errstate(over="ignore"):
        moved = low + offsets
        high = high + (moved < low).astype(np.uint64)
    return moved, moved >> np.uint64(32), high, high >> np.uint64(32)


def _encrypt(xp: Any, key: Any, lanes: Lanes) -> list[Any]:
    """The words of the blocks, uint32, for counters in uint64 lanes."""
    k0, k1 = key[0].astype(np.uint64), key[1].astype(np.uint64)
    if xp is np:
        return [word.astype(np.uint32) for word in _rounds(_ROUNDS, *lanes, k0, k1)[:4]]
    # A loop keeps XLA from fusing the cipher into whatever reads its words: for each element of the output it would run
    # all rounds again, and four times over. Two rounds a turn cost the least on CPUs.
    start = [word.astype(np.uint32) for word in (*lanes, k0, k1)]
    return list(lax.fori_loop(0, _ROUNDS // 2, _two_rounds, start)[:4])


def _two_rounds(turn: Any, state: list[Any]) -> list[Any]:
    return [word.astype(np.uint32) for word in _rounds(2, *(word.astype(np.uint64) for word in state))]


def _rounds(count: int, a: Any, b: Any, c: Any, d: Any, k0: Any, k1: Any) -> tuple[Any, ...]:
    """The words of the block and of the key after so many rounds.

    A word is the low half of a uint64 lane; what stands in the upper half means nothing, before and after.
    """
    w0, w1 = (np.uint64(w) for w in _WEYL)
    m0, m1 = (np.uint64(m) for m in _MULTIPLY)
    shift, low = np.uint64(32), np.uint64(_LOW)
    with np.errstate(over="ignore"):
        for _ in range(count):
            p, q = (a & low) * m0, (c & low) * m1
            a, b, c, d = (q >> shift) ^ b ^ k0, q, (p >> shift) ^ d ^ k1, p
            k0, k1 = (k0 + w0) & low, (k1 + w1) & low
    return a, b, c, d, k0, k1


def blocks_at(key: Any, counter: Any, offsets: Any) -> Any:
    """The blocks at `counter + offsets`: uint32 [..., 4] for offsets [...]."""
    if not on_host(key, counter, offsets):
        lanes = _counters(jnp.asarray(counter), jnp.asarray(offsets).astype(np.uint64))
        return jnp.stack(_encrypt(jnp, key, lanes), axis=-1)
    offsets = np.asarray(offsets, np.uint64)
    flat = offsets.reshape(-1)
    out = np.empty((flat.size, 4), np.uint32)
    for at in range(0, flat.size, _CHUNK):
        part = slice(at, at + _CHUNK)
        for i, word in enumerate(_encrypt(np, key, _counters(counter, flat[part]))):
            out[part, i] = word
    return out.reshape((*offsets.shape, 4))


def blocks(key: Any, counter: Any, count: int, stride: int = 1) -> Any:
    """`count` blocks, `stride` apart, from `counter`: uint32 [count, 4]."""
    xp = np if on_host(key, counter) else jnp
    offsets = xp.arange(count, dtype=np.uint64)
    return blocks_at(key, counter, offsets if stride == 1 else offsets * np.uint64(stride))


def samples(key: Any, counter: Any, count: int) -> Any:
    """The first `count` samples from `counter` on, for what takes each by itself: uint32 [count].

    Traced, every sample runs the cipher of its block: four times the work of `blocks`, and still a third of its time on
    CPUs, for it fuses with what reads the samples, and neither words nor loops go through memory.
    """
    if on_host(key, counter):
        return blocks(key, counter, -(-count // 4)).reshape(-1)[:count]
    at = lax.iota(np.uint64, count)
    lanes = _counters(jnp.asarray(counter), at >> np.uint64(2))
    a, b, c, d = _rounds(_ROUNDS, *lanes, key[0].astype(np.uint64), key[1].astype(np.uint64))[:4]
    which = at & np.uint64(3)
    word = lax.select(which < 2, lax.select(which == 0, a, b), lax.select(which == 2, c, d))
    return lax.convert_element_type(word, np.uint32)


class SingleSamples:
    """One 32-bit sample after another from a generator on the host, each block's words in order."""

    def __init__(self, key: Any, counter: Any) -> None:
        self._key, self._counter = key, counter
        self._taken = 0
        self._words: np.ndarray[Any, Any] = np.empty(0, np.uint32)
        self._at = 0

    def _refill(self, count: int) -> None:
        blocks_wanted = max(256, -(-count // 4))
        fresh = blocks_at(
            self._key, self._counter, np.arange(self._taken, self._taken + blocks_wanted, dtype=np.uint64)
        )
        self._taken += blocks_wanted
        self._words = np.concatenate([self._words[self._at :], fresh.reshape(-1)])
        self._at = 0

    def take(self, count: int) -> np.ndarray[Any, Any]:
        """The next `count` samples, uint32."""
        if self._at + count > self._words.size:
            self._refill(count)
        out = self._words[self._at : self._at + count]
        self._at += count
        return out

    def double(self) -> float:
        """A double in [0, 1) from the next two samples."""
        high, low = self.take(2).tolist()
        return float((high & 0xFFFFF) << 32 | low) / float(1 << 52)

    def below(self, limit: int) -> int:
        """A uniform integer below `limit`; samples that would favour low integers are passed over."""
        odd = 0 if limit & (limit - 1) == 0 else (1 << 32) % limit
        while True:
            sample = int(self.take(1)[0])
            if sample >= odd:
                return sample % limit

    def single(self) -> np.float32:
        """A float32 in [0, 1) from the next sample."""
        return np.float32(int(self.take(1)[0]) & 0x7FFFFF) / np.float32(1 << 23)


def uniform_from(words: Any, dtype: np.dtype[Any]) -> Any:
    """Floats in [0, 1) from samples [..., n]: one for each sample, or for each pair where `dtype` is float64.

    The low bits of a sample are the mantissa of a number in [1, 2), from which 1 is taken.
    """
    xp = np if on_host(words) else jnp
    if dtype == np.float64:
        high = words[..., 0::2].astype(np.uint64) & np.uint64(0xFFFFF)
        bits = (high << np.uint64(32)) | words[..., 1::2].astype(np.uint64) | np.uint64(1023 << 52)
        return _reinterpret(xp, bits, np.dtype(np.float64)) - np.float64(1)
    if dtype == np.float32:
        bits = (words & np.uint32(0x7FFFFF)) | np.uint32(127 << 23)
        return _reinterpret(xp, bits, dtype) - np.float32(1)
    mantissa, one = (10, 15 << 10) if dtype == np.float16 else (7, 127 << 7)
    bits = (words & np.uint32((1 << mantissa) - 1)).astype(np.uint16) | np.uint16(one)
    return _reinterpret(xp, bits, dtype) - dtype.type(1)


def _reinterpret(xp: Any, bits: Any, dtype: np.dtype[Any]) -> Any:
    if xp is np:
        return bits.view(dtype)
    from regraft.opkit.arrays import lax

    return lax.bitcast_convert_type(bits, dtype)


def normal_pairs(words: Any, dtype: np.dtype[Any]) -> Any:
    """Standard normals from samples by Box and Muller: float32 [..., n] from [..., n], or float64 [..., n / 2].

    Every pair of uniforms gives a sine and a cosine, in this order. float32 goes through float64, so that host and
    accelerators round as the C library does.
    """
    wide = np.dtype(np.float64)
    kind = wide if dtype == wide else np.dtype(np.float32)
    xp = np if on_host(words) else jnp
    uniform = uniform_from(words, kind)
    radius, angle = uniform[..., 0::2], uniform[..., 1::2]
    radius = xp.maximum(radius, kind.type(1e-7))
    if kind == wide:
        scale = xp.sqrt(-2.0 * xp.log(radius))
        turn = 2 * np.pi * angle
        pair = (xp.sin(turn) * scale, xp.cos(turn) * scale)
    else:
        log = xp.log(radius.astype(wide)).astype(kind)
        scale = xp.sqrt(np.float32(-2) * log)
        turn = (2 * np.pi * angle.astype(wide)).astype(kind).astype(wide)
        pair = (xp.sin(turn).astype(kind) * scale, xp.cos(turn).astype(kind) * scale)
    return xp.stack(pair, axis=-1).reshape((*words.shape[:-1], -1))
