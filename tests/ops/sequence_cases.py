"""Rows of `ops/sequence.py`."""

import numpy as np

from tests.ops.case import Case

# Hypotheses "abc", "b", "", "x" against the truths "ab", "", "b", missing.
GUESS = [np.array([[0, 0], [0, 1], [0, 2], [1, 0], [3, 0]]), np.array([1, 2, 3, 2, 9], np.int32), np.array([4, 3])]
TRUTH = [np.array([[0, 0], [0, 1], [2, 0]]), np.array([1, 2, 2], np.int32), np.array([3, 4])]
WORDS = [np.array([[0, 0, 0], [0, 0, 1]]), np.array([b"a", b"b"], object), np.array([1, 1, 2])]
STEPS = np.array([[[1, 2, 3]], [[4, 5, 6]], [[7, 8, 9]], [[-1, -1, -1]]], np.int32)
PARENTS = np.array([[[0, 0, 0]], [[0, 1, 1]], [[2, 1, 2]], [[-1, -1, -1]]], np.int32)
TEN = np.int32(10)

# Beam 0 ends at 7, whose parent is beam 2 (6), whose parent is beam 1 (2); and so on.
PATHS = [[[2, 2, 2]], [[6, 5, 6]], [[7, 8, 9]], [[10, 10, 10]]]
BY_HAND = "TensorFlow 2 has no GatherTree; followed by hand from the last step to the first"

CASES = [
    Case("EditDistance", [*GUESS, *TRUTH]),
    Case("EditDistance", [*GUESS, *TRUTH], {"normalize": False}),
    Case("EditDistance", [*WORDS, WORDS[0], WORDS[1][::-1], WORDS[2]]),
    Case("EditDistance", [*GUESS, *WORDS[:1], TRUTH[1][:2], WORDS[2]], fails="."),
    Case("GatherTree", [STEPS, PARENTS, np.array([3], np.int32), TEN],
         expected=[np.array(PATHS, np.int32)], why=BY_HAND),
    Case("GatherTree", [STEPS, PARENTS, np.array([2], np.int32), np.int32(5)],
         expected=[np.array([[[1, 2, 2]], [[4, 5, 6]], [[5, 5, 5]], [[5, 5, 5]]], np.int32)], why=BY_HAND),
    Case("GatherTree", [STEPS[:3], PARENTS[:3], np.array([0], np.int32), TEN],
         expected=[np.full((3, 1, 3), 10, np.int32)], why=BY_HAND),
]  # fmt: skip
