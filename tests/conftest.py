"""Fixtures for all tests."""

from tests.models.fixtures import written_model

__all__ = ["written_model"]
