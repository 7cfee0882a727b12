"""tf.test.TestCase: unittest's, with a graph, seeds and sessions for each test, and assertions about arrays."""

# ruff: noqa: PT009  these are the assertions of unittest
from __future__ import annotations

import contextlib
import random
import re
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from absl.testing import absltest

from regraft.base import dtypes, errors
from regraft.ir.graph import Graph
from regraft.ir.node import Tensor
from regraft.v1 import _context
from regraft.v1._session import Session

_SEED = 87654321
"""What the graph of each test is seeded with."""


class _Thread(threading.Thread):
    """A thread whose errors fail the test that joins it."""

    def __init__(self, target: Callable[..., Any], args: Any, kwargs: Any) -> None:
        super().__init__()
        self._job = (target, args or (), kwargs or {})
        self._failure: BaseException | None = None

    def run(self) -> None:
        target, args, kwargs = self._job
        try:
            target(*args, **kwargs)
        except BaseException as e:  # noqa: BLE001  raised again by `join`
            self._failure = e

    def join(self, timeout: float | None = None) -> None:
        super().join(timeout)
        if self._failure is not None:
            raise self._failure

    check_termination = join


class TestCase(absltest.TestCase):
    """A test of TensorFlow code. Each test begins with an empty default graph and the same seeds."""

    __test__ = False  # not collected from here; classes made from it are, see __init_subclass__

    def __init__(self, methodName: str = "runTest") -> None:
        super().__init__(methodName)
        self._session: Session | None = None
        self._folder: str | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.__test__ = cls.__dict__.get("__test__", True)

    def setUp(self) -> None:
        super().setUp()
        self._forget_session()
        random.seed(_SEED)
        np.random.seed(_SEED)
        _context.reset_default_graph()
        _context.get_default_graph().seed = _SEED

    def tearDown(self) -> None:
        self._forget_session()
        super().tearDown()

    def _forget_session(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None

    def get_temp_dir(self) -> str:
        """A folder of this test, the same in each call."""
        if self._folder is None:
            self._folder = tempfile.mkdtemp(prefix=f"{type(self).__name__}_")
        return self._folder

    # Sessions

    @contextlib.contextmanager
    def session(
        self, graph: Graph | None = None, config: Any = None, use_gpu: bool = True, force_gpu: bool = False
    ) -> Iterator[Session]:
        """A session of its own, the default one inside."""
        with Session(graph=graph, config=config) as sess:
            yield sess

    @contextlib.contextmanager
    def cached_session(
        self, graph: Graph | None = None, config: Any = None, use_gpu: bool = True, force_gpu: bool = False
    ) -> Iterator[Session]:
        """The session of this test: the same in each call, and open until the test ends.

        raises  ValueError when it was made for another graph
        """
        if self._session is None:
            self._session = Session(graph=graph, config=config)
        elif graph is not None and self._session.graph is not graph:
            raise ValueError(
                "The graph used to get the cached session is different than the one that was used to create the "
                "session. Maybe create a new session with self.session()"
            )
        sess = self._session
        with _context.graph_as_default(sess.graph), sess.as_default():
            yield sess

    def test_session(
        self, graph: Graph | None = None, config: Any = None, use_gpu: bool = True, force_gpu: bool = False
    ) -> contextlib.AbstractContextManager[Session]:
        """`cached_session`; with a graph, `session`."""
        if self.id().endswith(".test_session"):
            self.skipTest("a session, not a test: the name misled the loader")
        return (self.cached_session if graph is None else self.session)(graph, config)

    def evaluate(self, tensors: Any) -> Any:
        """The values of tensors, in the default session or that of this test."""
        sess = _context.get_default_session()
        if sess is not None:
            return sess.run(tensors)
        with self.cached_session() as sess:
            return sess.run(tensors)

    def checkedThread(self, target: Callable[..., Any], args: Any = None, kwargs: Any = None) -> _Thread:
        """A thread whose failure fails the test when it is joined."""
        return _Thread(target, args, kwargs)

    # Arrays

    def _array(self, value: Any) -> Any:
        if isinstance(value, Tensor) or hasattr(value, "_as_graph_element"):
            value = self.evaluate(value)
        if isinstance(value, (list, tuple)):
            value = [self._array(v) if isinstance(v, Tensor) else v for v in value]
        return value if isinstance(value, np.ndarray) else np.array(value)

    def assertAllEqual(self, a: Any, b: Any, msg: Any = None) -> None:
        """Both have one shape and equal elements; NaN equals NaN."""
        a, b = self._array(a), self._array(b)
        if b.ndim <= 3 or b.size < 500:
            self.assertEqual(a.shape, b.shape, f"Shape mismatch: expected {a.shape}, got {b.shape}. {msg or ''}")
        np.testing.assert_array_equal(a, b, err_msg=str(msg or ""))

    def assertNotAllEqual(self, a: Any, b: Any, msg: Any = None) -> None:
        try:
            self.assertAllEqual(a, b)
        except AssertionError:
            return
        raise AssertionError(f"The two values are equal at all elements. {msg or ''}")

    def assertAllClose(self, a: Any, b: Any, rtol: float = 1e-6, atol: float = 1e-6, msg: Any = None) -> None:
        """Two arrays, or two nests of them in lists, tuples and dicts, differ by no more than atol + rtol * |b|."""
        self._assert_close(a, b, rtol, atol, msg, "")

    def _assert_close(self, a: Any, b: Any, rtol: float, atol: float, msg: Any, path: str) -> None:
        a, b = (v._asdict() if hasattr(v, "_asdict") else v for v in (a, b))
        if isinstance(a, Mapping) or isinstance(b, Mapping):
            self.assertEqual(isinstance(a, Mapping), isinstance(b, Mapping), f"Can't compare dict to non-dict{path}")
            self.assertCountEqual(a.keys(), b.keys(), f"mismatched keys{path}")
            for key in a:
                self._assert_close(a[key], b[key], rtol, atol, msg, f"{path}[{key!r}]")
            return
        if isinstance(a, (list, tuple)) and not _numeric(a):
            self.assertEqual(len(a), len(b), f"Mismatched length{path}")
            for i, (x, y) in enumerate(zip(a, b, strict=True)):
                self._assert_close(x, y, rtol, atol, msg, f"{path}[{i}]")
            return
        a, b = self._array(a), self._array(b)
        self.assertEqual(a.shape, b.shape, f"Shape mismatch{path}: expected {a.shape}, got {b.shape}. {msg or ''}")
        np.testing.assert_allclose(
            a, b, rtol=rtol, atol=atol, err_msg=f"Mismatched value{path}. {msg or ''}", equal_nan=True
        )

    def assertAllCloseAccordingToType(
        self,
        a: Any,
        b: Any,
        rtol: float = 1e-6,
        atol: float = 1e-6,
        float_rtol: float = 1e-6,
        float_atol: float = 1e-6,
        half_rtol: float = 1e-3,
        half_atol: float = 1e-3,
        bfloat16_rtol: float = 1e-2,
        bfloat16_atol: float = 1e-2,
        msg: Any = None,
    ) -> None:
        """`assertAllClose` with the tolerance of the less exact of the two dtypes."""
        a, b = self._array(a), self._array(b)
        for names, r, t in (
            (("float32", "complex64"), float_rtol, float_atol),
            (("float16",), half_rtol, half_atol),
            (("bfloat16",), bfloat16_rtol, bfloat16_atol),
        ):
            if a.dtype.name in names or b.dtype.name in names:
                rtol, atol = max(rtol, r), max(atol, t)
        self.assertAllClose(a.astype(_wide(a)), b.astype(_wide(b)), rtol, atol, msg)

    def assertNotAllClose(self, a: Any, b: Any, rtol: float = 1e-6, atol: float = 1e-6, msg: Any = None) -> None:
        try:
            self.assertAllClose(a, b, rtol, atol)
        except AssertionError:
            return
        raise AssertionError(f"The two values are close at all elements. {msg or ''}")

    def assertAllGreater(self, a: Any, comparison_target: Any) -> None:
        self.assertGreater(np.min(self._array(a)), comparison_target)

    def assertAllGreaterEqual(self, a: Any, comparison_target: Any) -> None:
        self.assertGreaterEqual(np.min(self._array(a)), comparison_target)

    def assertAllLess(self, a: Any, comparison_target: Any) -> None:
        self.assertLess(np.max(self._array(a)), comparison_target)

    def assertAllLessEqual(self, a: Any, comparison_target: Any) -> None:
        self.assertLessEqual(np.max(self._array(a)), comparison_target)

    def assertAllInRange(
        self,
        target: Any,
        lower_bound: Any,
        upper_bound: Any,
        open_lower_bound: bool = False,
        open_upper_bound: bool = False,
    ) -> None:
        """All elements lie between two bounds, which belong to the range unless it is open there. NaN lies nowhere."""
        array = self._array(target)
        below = array <= lower_bound if open_lower_bound else array < lower_bound
        above = array >= upper_bound if open_upper_bound else array > upper_bound
        outside = below | above | (np.isnan(array) if array.dtype.kind in "fc" else False)
        places = np.argwhere(outside)[:10].tolist()
        self.assertFalse(np.any(outside), f"not in [{lower_bound}, {upper_bound}]: subscripts {places}")

    def assertAllInSet(self, target: Any, expected_set: Any) -> None:
        outside = set(np.unique(self._array(target)).tolist()) - set(expected_set)
        self.assertFalse(outside, f"not in {sorted(expected_set)}: {outside}")

    def assertNear(self, f1: float, f2: float, err: float, msg: Any = None) -> None:
        self.assertTrue(f1 == f2 or abs(f1 - f2) <= err, f"{f1!r} != {f2!r} +/- {err!r} ({msg or ''})")

    def assertArrayNear(self, farray1: Sequence[float], farray2: Sequence[float], err: float, msg: Any = None) -> None:
        self.assertEqual(len(farray1), len(farray2), msg)
        for f1, f2 in zip(farray1, farray2, strict=True):
            self.assertNear(float(f1), float(f2), err, msg)

    def assertNDArrayNear(self, ndarray1: Any, ndarray2: Any, err: float, msg: Any = None) -> None:
        """The distance of the two arrays is below `err`."""
        distance = float(np.linalg.norm(self._array(ndarray1) - self._array(ndarray2)))
        self.assertLess(distance, err, msg)

    def assertShapeEqual(self, input_a: Any, input_b: Any, msg: Any = None) -> None:
        a, b = (list(v.shape) if isinstance(v, np.ndarray) else v.get_shape().as_list() for v in (input_a, input_b))
        self.assertEqual(a, b, msg)

    def assertDTypeEqual(self, target: Any, expected_dtype: Any) -> None:
        found = target.dtype if hasattr(target, "dtype") else self._array(target).dtype
        self.assertEqual(dtypes.as_dtype(found).base, dtypes.as_dtype(expected_dtype).base)

    # Everything else

    def assertStartsWith(self, actual: str, expected_start: str, msg: Any = None) -> None:
        self.assertTrue(actual.startswith(expected_start), f"{actual!r} does not start with {expected_start!r} {msg}")

    def assertDeviceEqual(self, device1: Any, device2: Any, msg: Any = None) -> None:
        from regraft.base.devices import canonical

        self.assertEqual(canonical(str(device1 or "")), canonical(str(device2 or "")), msg)

    def assertProtoEquals(self, expected_message_maybe_ascii: Any, message: Any, msg: Any = None) -> None:
        """A message equals another one, or the one that a text spells."""
        from regraft import proto

        expected = expected_message_maybe_ascii
        if isinstance(expected, (str, bytes)):
            expected = proto.parse_text(expected.decode() if isinstance(expected, bytes) else expected, type(message))
        self.assertEqual(expected, message, msg)

    def assertProtoEqualsVersion(
        self, expected: str, actual: Any, producer: int | None = None, min_consumer: int = 0, msg: Any = None
    ) -> None:
        """A GraphDef equals the one that a text spells, to which today's version is added."""
        from regraft.ir.graph import PRODUCER

        versions = f"versions {{ producer: {PRODUCER if producer is None else producer}"
        versions += f" min_consumer: {min_consumer} }}" if min_consumer else " }"
        self.assertProtoEquals(f"{expected}\n{versions}", actual, msg)

    @contextlib.contextmanager
    def assertRaisesWithPredicateMatch(  # type: ignore[override]  # absl's takes a function to call
        self, exception_type: Any, expected_err_re_or_predicate: Any
    ) -> Iterator[None]:
        """The block raises an error of this type whose text matches the pattern, or for which the predicate holds."""
        wanted = expected_err_re_or_predicate
        try:
            yield
        except exception_type as e:
            met = wanted(e) if callable(wanted) else re.search(wanted, getattr(e, "message", None) or str(e))
            if not met:
                raise AssertionError(f"Exception of type {type(e).__name__}: {e} does not match {wanted!r}") from e
            return
        self.fail(f"{exception_type} not raised")

    def assertRaisesOpError(self, expected_err_re_or_predicate: Any) -> contextlib.AbstractContextManager[None]:
        """The block raises an error of a status class that matches."""
        return self.assertRaisesWithPredicateMatch(errors.OpError, expected_err_re_or_predicate)

    def assertRaisesIncompatibleShapesError(
        self, exception_type: Any = errors.InvalidArgumentError
    ) -> contextlib.AbstractContextManager[None]:
        return self.assertRaisesWithPredicateMatch(
            exception_type, r"Incompatible shapes|Dimensions must be equal|required broadcastable shapes"
        )


def _numeric(value: Any) -> bool:
    """Whether a list or tuple is an array written out."""
    try:
        return bool(np.array(value).dtype != object) and not any(isinstance(v, (np.ndarray, Tensor)) for v in value)
    except ValueError:
        return False


def _wide(array: Any) -> Any:
    """bfloat16 as float32, which NumPy compares."""
    return np.float32 if array.dtype.name == "bfloat16" else array.dtype
