"""Philox against its authors' known answers, and its counters."""

import numpy as np
import pytest

from regraft.opkit import random

# Random123, kat_vectors: counter, key, and the block that `philox4x32 10` makes of them.
KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("counter", "key", "block"), KNOWN)
def test_philox_gives_the_known_answers(counter: tuple[int, ...], key: tuple[int, ...], block: tuple[int, ...]) -> None:
    got = random.blocks(np.array(key, np.uint32), np.array(counter, np.uint32), 1)
    assert got.tolist() == [list(block)]


@pytest.mark.parametrize(
    ("counter", "blocks", "after"),
    [
        ((0, 0, 0, 0), 5, (5, 0, 0, 0)),
        ((0xFFFFFFFF, 0, 0, 0), 1, (0, 1, 0, 0)),
        ((0xFFFFFFFE, 0xFFFFFFFF, 7, 0), 3, (1, 0, 8, 0)),
        ((0, 0, 0, 0), 3 << 40, (0, 768, 0, 0)),
        ((0xFFFFFFFF,) * 4, 1, (0, 0, 0, 0)),
    ],
)
def test_counters_carry(counter: tuple[int, ...], blocks: int, after: tuple[int, ...]) -> None:
    assert random.skip(np.array(counter, np.uint32), blocks).tolist() == list(after)


def test_counters_carry_when_traced() -> None:
    import jax

    with jax.enable_x64(True):
        got = jax.jit(lambda c: random.skip(c, 3))(np.array([0xFFFFFFFE, 0xFFFFFFFF, 7, 0], np.uint32))
    assert got.tolist() == [1, 0, 8, 0]


def test_a_generator_reserves_one_draw_behind_the_other() -> None:
    rng = random.Rng(*random.initial_state(1, 2))
    assert rng.reserve(10).tolist() == [0, 0, 2, 0]
    assert rng.reserve(1).tolist() == [10, 0, 2, 0]
    assert rng.drawn == 11


def test_negative_seeds_are_read_as_64_bits() -> None:
    key, counter = random.initial_state(-1, -(2**63))
    assert key.tolist() == [0xFFFFFFFF, 0xFFFFFFFF]
    assert counter.tolist() == [0, 0, 0, 0x80000000]


def test_blocks_do_not_depend_on_how_many_are_asked_for() -> None:
    key, counter = random.initial_state(3, 4)
    many = random.blocks(key, counter, 40_000)
    assert (many[-3:] == random.blocks(key, random.skip(counter, 39_997), 3)).all()


def test_single_samples_are_the_words_of_the_blocks_in_order() -> None:
    key, counter = random.initial_state(3, 4)
    words = random.blocks(key, counter, 1000).reshape(-1)
    samples = random.SingleSamples(key, counter)
    got = np.concatenate([samples.take(n) for n in (1, 2, 1000, 7, 2000)])
    assert (got == words[:3010]).all()
