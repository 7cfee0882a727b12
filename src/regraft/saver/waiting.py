"""Waiting for checkpoints that another process writes."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

from regraft.checkpoint.management import latest_checkpoint

_log = logging.getLogger("regraft")


def wait_for_new_checkpoint(
    checkpoint_dir: Any, last_checkpoint: str | None = None, seconds_to_sleep: float = 1, timeout: float | None = None
) -> str | None:
    """The newest checkpoint of a folder, as soon as it is another than `last_checkpoint`.

    timeout  seconds after which the answer is None; None waits for ever
    """
    _log.info("Waiting for new checkpoint at %s", checkpoint_dir)
    stop = None if timeout is None else time.time() + timeout
    while True:
        found = latest_checkpoint(checkpoint_dir)
        if found is not None and found != last_checkpoint:
            _log.info("Found new checkpoint at %s", found)
            return found
        if stop is not None and time.time() + seconds_to_sleep > stop:
            return None
        time.sleep(seconds_to_sleep)


def checkpoints_iterator(
    checkpoint_dir: Any,
    min_interval_secs: float = 0,
    timeout: float | None = None,
    timeout_fn: Callable[[], bool] | None = None,
) -> Iterator[str]:
    """Each new checkpoint of a folder as it appears.

    min_interval_secs  at least so much time between two
    timeout            seconds to wait for the next; then the iteration ends, unless `timeout_fn` says otherwise
    timeout_fn         asked after each checkpoint and each timeout: whether there will be no more
    """
    last: str | None = None
    while True:
        found = wait_for_new_checkpoint(checkpoint_dir, last, timeout=timeout)
        if found:
            start = time.time()
            last = found
            yield found
            left = start + min_interval_secs - time.time()
            if left > 0:
                time.sleep(left)
        elif timeout_fn is None:
            _log.info("Timed-out waiting for a checkpoint.")
            return
        if timeout_fn is not None and timeout_fn():
            _log.info("Done. No new checkpoints will be generated.")
            return
