"""tf.debugging: assertions and checks. Those that are one op come from the table."""

from __future__ import annotations

from regraft.v1 import _plain
from regraft.v1._assertion import Assert as Assert
from regraft.v1._checks import assert_equal as assert_equal
from regraft.v1._checks import assert_greater as assert_greater
from regraft.v1._checks import assert_greater_equal as assert_greater_equal
from regraft.v1._checks import assert_integer as assert_integer
from regraft.v1._checks import assert_less as assert_less
from regraft.v1._checks import assert_less_equal as assert_less_equal
from regraft.v1._checks import assert_near as assert_near
from regraft.v1._checks import assert_negative as assert_negative
from regraft.v1._checks import assert_non_negative as assert_non_negative
from regraft.v1._checks import assert_non_positive as assert_non_positive
from regraft.v1._checks import assert_none_equal as assert_none_equal
from regraft.v1._checks import assert_positive as assert_positive
from regraft.v1._checks import assert_proper_iterable as assert_proper_iterable
from regraft.v1._checks import assert_rank as assert_rank
from regraft.v1._checks import assert_rank_at_least as assert_rank_at_least
from regraft.v1._checks import assert_rank_in as assert_rank_in
from regraft.v1._checks import assert_same_float_dtype as assert_same_float_dtype
from regraft.v1._checks import assert_scalar as assert_scalar
from regraft.v1._checks import assert_type as assert_type
from regraft.v1._checks import is_numeric_tensor as is_numeric_tensor
from regraft.v1._numerics import assert_all_finite as assert_all_finite
from regraft.v1._numerics import is_non_decreasing as is_non_decreasing
from regraft.v1._numerics import is_strictly_increasing as is_strictly_increasing


def get_log_device_placement() -> bool:
    """False: no placement is logged."""
    return False


def set_log_device_placement(enabled: bool) -> None:
    """Nothing: operations run wherever they can, and no placement is logged."""


__getattr__ = _plain.attribute_of("debugging")
