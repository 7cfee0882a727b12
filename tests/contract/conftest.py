"""Both libraries answer: what TensorFlow does as well runs twice, so that it confirms the expectations itself."""

from tests.saver.conftest import rg, session, tf, variables

__all__ = ["rg", "session", "tf", "variables"]
