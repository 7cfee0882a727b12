"""Programs of tf.contrib give what they give in TensorFlow; see tests/golden/PROVENANCE.md."""

from __future__ import annotations

import numpy as np
import pytest

import regraft.v1
from tests.golden.read import GOLDEN
from tests.v1.contrib_runs import RUNS, results


@pytest.mark.parametrize("name", RUNS)
def test_same_results(name):
    wanted = np.load(GOLDEN / "contrib" / "runs.npz")
    for i, value in enumerate(results(regraft.v1, name)):
        np.testing.assert_allclose(value, wanted[f"{name}:{i}"], rtol=1e-4, atol=1e-5)
