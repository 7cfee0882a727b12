"""Fixtures for all tests, and the environment that they and the processes they start run in."""

import logging
import os
import sys
from collections.abc import Iterator

import pytest

from tests.models.fixtures import written_model

for name, value in {
    "JAX_NUMPY_DTYPE_PROMOTION": "strict",  # TensorFlow never promotes types, so no kernel may lean on it
    "JAX_PLATFORMS": "cpu",
    "REGRAFT_CACHE_DIR": "",  # no program from an earlier run, and none left behind
    "OMP_NUM_THREADS": "1",  # the test processes share the cores already
    "TF_CPP_MIN_LOG_LEVEL": "3",
}.items():
    os.environ.setdefault(name, value)


@pytest.fixture(autouse=True)
def loggers_apart() -> Iterator[None]:
    """`tf.logging` puts our logger below TensorFlow's, whose level the oracle lowers: not beyond one test."""
    yield
    made = sys.modules.get("regraft.v1.logging")
    if made is not None:
        made.get_logger.cache_clear()
        logging.getLogger("regraft").parent = logging.getLogger()


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Two processes for all tests; none for a part, where starting them costs more than they save."""
    return 2 if config.args_source is pytest.Config.ArgsSource.TESTPATHS else 0


__all__ = ["written_model"]
