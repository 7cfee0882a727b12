"""How many threads work on one operation, and how many operations run at a time: settled once in a process.

XLA's CPU client and NumPy's BLAS have one pool each for the whole process. So its first session decides, as in
TensorFlow.
"""

from __future__ import annotations

import logging
import os
import threading
from typing import NamedTuple

from regraft.base.errors import InvalidArgumentError
from regraft.opkit.arrays import before_jax, jax

_log = logging.getLogger("regraft")

# XLA's client reads the first of these that is set when it is made; older ones know only the second.
_OF_CLIENT = ("PJRT_NPROC", "NPROC")


class Threads(NamedTuple):
    """intra: for one operation; inter: operations at a time. 0 for as many as there are cores."""

    intra: int
    inter: int


_lock = threading.Lock()
# What was asked for first, and what that came to.
_asked: tuple[int, int] | None = None
_settled = Threads(0, 0)


def settle(intra: int, inter: int) -> None:
    """Decide for this process, unless an earlier call has.

    intra  threads that share the work of an operation; 0 for TF_NUM_INTRAOP_THREADS, else for as many as cores
    inter  operations that run at a time; 0 for TF_NUM_INTEROP_THREADS, else for as many as cores; one where below 0

    raises  InvalidArgumentError for an `intra` below 0
    """
    global _asked, _settled
    if intra < 0:
        raise InvalidArgumentError(f"intra_op_parallelism_threads must not be negative, got {intra}")
    asked = (intra, inter)
    with _lock:
        if _asked is not None:
            if asked != _asked:
                _log.info("%s is not kept: the first session of this process settled on %s", Threads(*asked), _settled)
            return
        _asked = asked
        _settled = Threads(intra or _number("TF_NUM_INTRAOP_THREADS"), inter or _number("TF_NUM_INTEROP_THREADS"))
    if _settled.intra:
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

        threadpool_limits(_settled.intra, "blas")
        before_jax(_make_clients)


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def at_a_time() -> int:
    """How many operations, or calls of a dataset's function, may run at a time."""
    return max(_settled.inter, 1) if _settled.inter else cores()


def of_programs() -> int:
    """How many threads XLA's CPU client has, or will."""
    return _settled.intra or next((n for n in map(_number, _OF_CLIENT) if n), 0) or cores()


def _number(variable: str) -> int:
    text = os.environ.get(variable, "")
    return int(text) if text.isdecimal() else 0


def _make_clients() -> None:
    """Have JAX make its clients while the environment says how many threads they get."""
    count = of_programs()
    if _clients_exist():
        _log.warning(
            "intra_op_parallelism_threads=%d has no effect on compiled programs: JAX was used before the first session "
            "was made, and has its threads since then. Make the session first, or start the process with PJRT_NPROC=%d "
            "in its environment.",
            *(count, count),
        )
        return
    before = {name: os.environ.get(name) for name in _OF_CLIENT}
    os.environ.update(dict.fromkeys(_OF_CLIENT, str(count)))
    try:
        jax.devices()
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _clients_exist() -> bool:
    """Whether JAX has made its clients: it refuses to change this setting then."""
    count = jax.config.jax_num_cpu_devices
    try:
        jax.config.update("jax_num_cpu_devices", count + 2)
    except RuntimeError:
        return True
    jax.config.update("jax_num_cpu_devices", count)
    return False
