"""Strings to numbers below a bound, by hashes that stay the same."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base.errors import InvalidArgumentError
from regraft.opkit.fingerprint import fingerprint64, murmur64, siphash
from regraft.opkit.registry import Runs, op
from regraft.opkit.shapes import same_as
from regraft.opkit.texts import each


@op("StringToHashBucketFast", shape=same_as(0), runs=Runs.HOST, no_gradient="an integer")
def string_to_hash_bucket_fast(input: Any, *, num_buckets: int) -> Any:
    """FarmHash's fingerprint of each string, modulo `num_buckets`."""
    return each(lambda s: fingerprint64(s) % num_buckets, input, np.int64)


@op("StringToHashBucketStrong", shape=same_as(0), runs=Runs.HOST, no_gradient="an integer")
def string_to_hash_bucket_strong(input: Any, *, num_buckets: int, key: tuple[int, ...]) -> Any:
    """SipHash of each string with a key of two numbers, modulo `num_buckets`."""
    if len(key) != 2:
        raise InvalidArgumentError(f"Key must have 2 elements, got {len(key)}")
    return each(lambda s: siphash(s, (key[0], key[1])) % num_buckets, input, np.int64)


@op("StringToHashBucket", shape=same_as(0), runs=Runs.HOST, no_gradient="an integer")
def string_to_hash_bucket(string_tensor: Any, *, num_buckets: int) -> Any:
    """The older hash of each string, modulo `num_buckets`."""
    return each(lambda s: murmur64(s) % num_buckets, string_tensor, np.int64)
