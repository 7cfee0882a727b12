"""Hashes of strings that stay the same for ever, because models are trained on them.

fingerprint64  FarmHash's Fingerprint64 (Geoff Pike, 2014: https://github.com/google/farmhash)
murmur64       MurmurHash64A (Austin Appleby, public domain), with the seed of TensorFlow's older op
siphash        SipHash-2-4 (Aumasson and Bernstein, 2012), keyed
"""

from __future__ import annotations

from typing import Any

_MASK = (1 << 64) - 1
_K0 = 0xC3A5C85C97CB3127
_K1 = 0xB492B66FBE98F273
_K2 = 0x9AE16A3B2F90404F
_MURMUR_SEED = 0xDECAFCAFFE
_MURMUR = 0xC6A4A7935BD1E995

Pair = tuple[int, int]


def _word(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 8], "little")


def _turn(value: int, by: int) -> int:
    """Rotate right."""
    value &= _MASK
    return (value >> by) | (value << (64 - by)) & _MASK


def _fold(value: int) -> int:
    value &= _MASK
    return value ^ (value >> 47)


def _mix(u: int, v: int, factor: int) -> int:
    a = _fold((u ^ v) * factor)
    return _fold((v ^ a) * factor) * factor & _MASK


def fingerprint64(data: bytes) -> int:
    """A number below 2 ** 64."""
    size = len(data)
    if size <= 16:
        return _upto_16(data, size)
    if size <= 32:
        return _upto_32(data, size)
    if size <= 64:
        return _upto_64(data, size)
    return _long(data, size)


def _upto_16(data: bytes, size: int) -> int:
    factor = _K2 + size * 2
    if size >= 8:
        a, b = _word(data, 0) + _K2, _word(data, size - 8)
        return _mix((_turn(b, 37) * factor + a) & _MASK, (_turn(a, 25) + b) * factor & _MASK, factor)
    if size >= 4:
        head, tail = int.from_bytes(data[:4], "little"), int.from_bytes(data[-4:], "little")
        return _mix(size + (head << 3), tail, factor)
    if size:
        y = data[0] + (data[size >> 1] << 8)
        z = size + (data[-1] << 2)
        return _fold(y * _K2 ^ z * _K0) * _K2 & _MASK
    return _K2


def _ends(data: bytes, size: int, first: int, factor: int) -> tuple[int, int]:
    a, b = _word(data, 0) * first, _word(data, 8)
    c, d = _word(data, size - 8) * factor, _word(data, size - 16) * _K2
    return (_turn(a + b, 43) + _turn(c, 30) + d) & _MASK, (a + _turn(b + _K2, 18) + c) & _MASK


def _upto_32(data: bytes, size: int) -> int:
    factor = _K2 + size * 2
    return _mix(*_ends(data, size, _K1, factor), factor)


def _upto_64(data: bytes, size: int) -> int:
    factor = _K2 + size * 2
    y, other = _ends(data, size, _K2, factor)
    z = _mix(y, other, factor)
    a = _word(data, 0) * _K2
    e, f = _word(data, 16) * factor, _word(data, 24)
    g = (y + _word(data, size - 32)) * factor
    h = (z + _word(data, size - 24)) * factor
    return _mix((_turn(e + f, 43) + _turn(g, 30) + h) & _MASK, (e + _turn(f + a, 18) + g) & _MASK, factor)


def _lane(data: bytes, at: int, a: int, b: int) -> Pair:
    """Mix 32 bytes into two numbers."""
    w, x, y, z = (_word(data, at + 8 * i) for i in range(4))
    a += w
    b = _turn(b + a + z, 21)
    c = a
    a += x + y
    b += _turn(a, 44)
    return (a + z) & _MASK, (b + c) & _MASK


def _block(data: bytes, at: int, state: tuple[int, int, int, Pair, Pair], factor: int, extra: int) -> Any:
    x, y, z, v, w = state
    x = _turn(x + y + v[0] + _word(data, at + 8), 37) * factor
    y = _turn(y + v[1] + _word(data, at + 48), 42) * factor
    x = (x ^ w[1] * extra) & _MASK
    y = (y + v[0] * extra + _word(data, at + 40)) & _MASK
    z = _turn(z + w[0], 33) * factor & _MASK
    v = _lane(data, at, v[1] * factor, x + w[0])
    w = _lane(data, at + 32, z + w[1], y + _word(data, at + 16))
    return z, y, x, v, w


def _long(data: bytes, size: int) -> int:
    seed = 81
    y = (seed * _K1 + 113) & _MASK
    z = _fold(y * _K2 + 113) * _K2 & _MASK
    state = ((seed * _K2 + _word(data, 0)) & _MASK, y, z, (0, 0), (0, 0))
    end = (size - 1) // 64 * 64
    for at in range(0, end, 64):
        state = _block(data, at, state, _K1, 1)
    x, y, z, v, w = state
    factor = _K1 + ((z & 0xFF) << 1)
    w0 = w[0] + ((size - 1) & 63)
    v0 = v[0] + w0
    w0 += v0
    x, y, z, v, w = _block(data, size - 64, (x, y, z, (v0, v[1]), (w0, w[1])), factor, 9)
    first = _mix(v[0], w[0], factor) + _fold(y) * _K0 + z
    return _mix(first & _MASK, (_mix(v[1], w[1], factor) + x) & _MASK, factor)


def murmur64(data: bytes) -> int:
    """A number below 2 ** 64."""
    size = len(data)
    h = _MURMUR_SEED ^ (size * _MURMUR & _MASK)
    whole = size // 8 * 8
    for at in range(0, whole, 8):
        k = _word(data, at) * _MURMUR & _MASK
        k = (k ^ (k >> 47)) * _MURMUR & _MASK
        h = (h ^ k) * _MURMUR & _MASK
    if whole < size:
        h = (h ^ int.from_bytes(data[whole:], "little")) * _MURMUR & _MASK
    h = _fold(h) * _MURMUR
    return _fold(h)


def joined_fingerprint(first: int, second: int) -> int:
    """A number below 2 ** 64 for two such numbers in their order."""
    result = first ^ _MURMUR
    result ^= _fold(second * _MURMUR) * _MURMUR & _MASK
    return _fold(_fold(result * _MURMUR) * _MURMUR)


def siphash(data: bytes, key: tuple[int, int]) -> int:
    """A number below 2 ** 64. `key` is two numbers, taken modulo 2 ** 64."""
    k0, k1 = key[0] & _MASK, key[1] & _MASK
    v = [k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573]
    size = len(data)
    whole = size // 8 * 8
    words = [_word(data, at) for at in range(0, whole, 8)]
    words.append(int.from_bytes(data[whole:], "little") | (size & 0xFF) << 56)
    for word in words:
        v[3] ^= word
        _sip_rounds(v, 2)
        v[0] ^= word
    v[2] ^= 0xFF
    _sip_rounds(v, 4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def _sip_rounds(v: list[int], count: int) -> None:
    for _ in range(count):
        v[0] = (v[0] + v[1]) & _MASK
        v[1] = _turn(v[1], 51) ^ v[0]
        v[0] = _turn(v[0], 32)
        v[2] = (v[2] + v[3]) & _MASK
        v[3] = _turn(v[3], 48) ^ v[2]
        v[0] = (v[0] + v[3]) & _MASK
        v[3] = _turn(v[3], 43) ^ v[0]
        v[2] = (v[2] + v[1]) & _MASK
        v[1] = _turn(v[1], 47) ^ v[2]
        v[2] = _turn(v[2], 32)
