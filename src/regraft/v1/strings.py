"""tf.strings: functions of strings. Those that are one op come from the table."""

from __future__ import annotations

from regraft.v1 import _plain
from regraft.v1._strings import format as format
from regraft.v1._strings import join as join
from regraft.v1._strings import length as length
from regraft.v1._strings import reduce_join as reduce_join
from regraft.v1._strings import regex_full_match as regex_full_match
from regraft.v1._strings import regex_replace as regex_replace
from regraft.v1._strings import split as split
from regraft.v1._strings import substr as substr
from regraft.v1._strings import to_hash_bucket as to_hash_bucket
from regraft.v1._strings import to_number as to_number
from regraft.v1._strings import unsorted_segment_join as unsorted_segment_join

__getattr__ = _plain.attribute_of("strings")
