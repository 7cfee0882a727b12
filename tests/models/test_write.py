"""The written models themselves: the files are whole and the reference results are worth comparing with."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tests.models.fixtures import WrittenModel


@pytest.mark.parametrize("name", ["mlp", "cnn", "transformer", "lstm"])
def test_reference_moves(written_model: Callable[..., WrittenModel], name: str) -> None:
    model = written_model(name)
    assert model.losses.shape == (6,)
    assert np.isfinite(model.losses).all()
    assert np.abs(np.diff(model.losses)).max() > 0.01 * model.losses[0]
    assert len(model.training_feeds) == 5
    assert not np.allclose(model.losses, model.dropout_losses, rtol=1e-3)
    assert model.outputs
    assert all(np.isfinite(value).all() for value in model.outputs.values())


def test_queue_pipeline_reads_every_row(written_model: Callable[..., WrittenModel]) -> None:
    model = written_model("queue_pipeline")
    np.testing.assert_array_equal(model.reference["ids"], [*range(30), *range(30)])
    assert model.losses.shape == (8,)
