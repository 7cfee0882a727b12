"""Every row of every op table, against real TensorFlow: values on both tiers, static shapes, and the gradient graph."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from regraft.base import dtypes
from regraft.base.errors import InvalidArgumentError
from regraft.gradients import gradients
from regraft.opkit import registry
from regraft.opkit.call import bind_kernel
from tests.ops import both
from tests.ops.case import Case
from tests.ops.tables import rows
from tests.oracle import available, tensorflow

pytestmark = pytest.mark.skipif(not available(), reason="TensorFlow, the oracle, is not installed")

ROWS = [pytest.param(case, id=f"{family}-{case.label}") for family, case in rows()]

# Relative to the largest magnitude of an output.
TOLERANCE = {
    "float64": 1e-10,
    "complex128": 1e-10,
    "float32": 1e-5,
    "complex64": 1e-5,
    "float16": 2e-3,
    "bfloat16": 1.6e-2,
}


def expected(case: Case) -> list[list[Any]]:
    """For each run: the outputs that are no refs, then the variables in the order in which the op writes them."""
    if case.expected is not None:
        return [case.expected]
    tf = tensorflow()
    spec = registry.lookup(case.op)
    built = both.in_tensorflow(case)
    with built.graph.as_default(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        setup, after = [], []
        for i, variable in built.variables.items():
            value = built.values[i]
            ref = variable.dtype._is_ref_dtype
            if value is not None:
                assign = tf.raw_ops.Assign if ref else tf.raw_ops.AssignVariableOp
                key = {"ref": variable} if ref else {"resource": variable}
                setup.append(assign(**key, value=tf.constant(value)))
            if _argument(case, i) in spec.writes:
                dtype = tf.as_dtype((both._dtype_of_missing(case) if value is None else both.type_of(value)).enum)
                read = tf.identity(variable) if ref else tf.raw_ops.ReadVariableOp(resource=variable, dtype=dtype)
                after.append(read)
        fetches = [t for t in built.node.outputs if not t.dtype._is_ref_dtype] or built.node
        feeds = {t: v for t, v in zip(built.inputs, built.values, strict=True) if t.op.type == "Placeholder"}
        config = tf.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
        config.graph_options.rewrite_options.disable_meta_optimizer = True
        with tf.Session(graph=built.graph, config=config) as session:
            session.run(setup)
            out = []
            for _ in range(case.runs):
                # Copies: TensorFlow takes an aligned array as it is, and an in-place op then writes into it.
                values = session.run(fetches, {t: v.copy() for t, v in feeds.items()})
                out.append([*(values or []), *session.run(after)])
    return out


def _argument(case: Case, flat: int) -> str:
    return both._flat(case)[flat][0].name


def ours(case: Case, compiled: bool) -> list[list[Any]]:
    """The same from our kernel: on NumPy arrays, or traced and compiled with all inputs but the static ones traced."""
    spec = registry.lookup(case.op)
    assert spec is not None
    built = both.in_regraft(case)
    run = bind_kernel(spec, built.node)
    values = list(built.values)
    written = [i for i in built.variables if _argument(case, i) in spec.writes]
    state = _random_state(case) if spec.random else None
    out = []
    for _ in range(case.runs):
        if compiled or spec.lax:
            results, state = _jitted(case, spec, built.node, run, values, state)
        else:
            context: dict[str, Any] = {}
            if state is not None:
                from regraft.opkit.random import Rng

                context["rng"] = Rng(*state)
            results = run(*values, **context)
            if state is not None:
                state = (context["rng"].key, context["rng"].counter)
        new, outputs = list(results[: len(written)]), list(results[len(written) :])
        for i, value in zip(written, new, strict=True):
            values[i] = value
        out.append([*outputs, *new])
    return out


def _random_state(case: Case) -> Any:
    from regraft.opkit.random import initial_state

    return initial_state(case.attrs.get("seed", 0), case.attrs.get("seed2", 0))


def _jitted(case: Case, spec: Any, node: Any, run: Any, values: list[Any], state: Any) -> Any:
    import jax

    fixed = spec.static_inputs(node)
    static = {i for i in range(len(values)) if _argument(case, i) in fixed or values[i] is None}
    traced = [i for i in range(len(values)) if i not in static and not _is_text(values[i])]

    def program(arrays: list[Any], rng_state: Any) -> Any:
        inputs = list(values)
        for i, array in zip(traced, arrays, strict=True):
            inputs[i] = array
        if rng_state is None:
            return run(*inputs), None
        from regraft.opkit.random import Rng

        rng = Rng(*rng_state)
        return run(*inputs, rng=rng), (rng.key, rng.counter)

    with jax.enable_x64(True):
        results, state = jax.jit(program)([values[i] for i in traced], state)
        return [np.asarray(r) for r in results], state


def _is_text(value: Any) -> bool:
    return value is not None and value.dtype.kind in "OSU"


def check(case: Case, got: list[list[Any]], wanted: list[list[Any]]) -> None:
    assert len(got) == len(wanted)
    for run, (outputs, references) in enumerate(zip(got, wanted, strict=True)):
        assert len(outputs) == len(references), f"{len(outputs)} outputs, TensorFlow has {len(references)}"
        for i, (value, reference) in enumerate(zip(outputs, references, strict=True)):
            if case.outputs and i not in case.outputs:
                continue
            # A string by itself: NumPy's own type for it drops zeros at its end.
            one = np.asarray(reference, object) if isinstance(reference, bytes) else np.asarray(reference)
            compare(np.asarray(value), one, case.rtol, f"run {run}, output {i}")


def compare(value: Any, reference: Any, rtol: float | None, where: str) -> None:
    if reference.dtype.kind in "OSU":
        assert value.shape == reference.shape, where
        assert value.tolist() == reference.tolist(), where
        return
    assert value.dtype == reference.dtype, f"{where}: dtype {value.dtype}, TensorFlow has {reference.dtype}"
    assert value.shape == reference.shape, f"{where}: shape {value.shape}, TensorFlow has {reference.shape}"
    name = reference.dtype.name
    if name not in TOLERANCE:
        np.testing.assert_array_equal(value, reference, err_msg=where)
        return
    wide = np.complex128 if reference.dtype.kind == "c" else np.float64
    value, reference = value.astype(wide), reference.astype(wide)
    finite = np.abs(reference[np.isfinite(reference)])
    scale = finite.max() if finite.size else 0.0
    tolerance = TOLERANCE[name] if rtol is None else rtol
    np.testing.assert_allclose(value, reference, rtol=0, atol=tolerance * max(scale, 1e-30), err_msg=where)


@pytest.mark.parametrize("case", ROWS)
def test_row(case: Case) -> None:
    """One test a row, so that TensorFlow is asked once for its values."""
    spec = registry.lookup(case.op)
    assert spec is not None
    if case.fails is not None:
        with stage("refused by both"):
            refused(case)
    elif spec.kernel is not None and not spec.session:
        wanted = expected(case)
        with stage("interpreted"):
            check(case, ours(case, compiled=False), wanted)
        if case.compiled and spec.runs is registry.Runs.XLA and not spec.checks:
            with stage("compiled"):
                check(case, ours(case, compiled=True), wanted)
    for mode in case.modes or (both.KNOWN, both.CONSTANTS, both.PARTIAL, both.UNKNOWN_RANK):
        with stage(f"static shapes, inputs {mode}"):
            same_shapes(case, mode)
        if case.grad and mode != both.KNOWN:
            with stage(f"gradient graph, inputs {mode}"):
                same_gradients(case, mode)


@contextlib.contextmanager
def stage(name: str) -> Iterator[None]:
    """Say in an error which part of the row it comes from."""
    try:
        yield
    except BaseException as e:
        e.add_note(f"in: {name}")
        raise


def refused(case: Case) -> None:
    tf = tensorflow()
    assert case.fails is not None
    try:
        built = both.in_tensorflow(case, both.UNKNOWN_RANK)
    except ValueError:
        with pytest.raises(ValueError, match="."):
            both.in_regraft(case, both.UNKNOWN_RANK)
        return
    feeds = {t: v for t, v in zip(built.inputs, built.values, strict=True) if t.op.type == "Placeholder"}
    with tf.Session(graph=built.graph) as session, pytest.raises(tf.errors.InvalidArgumentError, match=case.fails):
        session.run(built.node.outputs or built.node, feeds)
    mine = both.in_regraft(case, both.UNKNOWN_RANK)
    with pytest.raises(InvalidArgumentError, match=case.fails):
        bind_kernel(registry.lookup(case.op), mine.node)(*mine.values)


def same_shapes(case: Case, mode: str) -> None:
    if case.expected is not None:
        shapes = [t.shape for t in both.in_regraft(case, both.KNOWN).node.outputs]
        if case.shapes == "looser":
            assert all(s.is_compatible_with(np.shape(e)) for s, e in zip(shapes, case.expected, strict=True))
        else:
            assert [s.sizes for s in shapes] == [np.shape(e) for e in case.expected]
        return
    try:
        theirs = both.in_tensorflow(case, mode)
    except ValueError:
        with pytest.raises(ValueError, match="."):
            both.in_regraft(case, mode)
        return
    mine = both.in_regraft(case, mode)
    assert len(mine.node.outputs) == len(theirs.node.outputs)
    for i, (a, b) in enumerate(zip(mine.node.outputs, theirs.node.outputs, strict=True)):
        assert a.dtype.enum == b.dtype.as_datatype_enum, f"output {i}"
        known = None if b.shape.rank is None else tuple(b.shape.as_list())
        if case.shapes == "looser":
            assert a.shape.is_compatible_with(known), f"output {i}: {a.shape}, TensorFlow has {b.shape}"
        else:
            assert a.shape.sizes == known, f"output {i}: {a.shape}, TensorFlow has {b.shape}"


def same_gradients(case: Case, mode: str) -> None:
    tf = tensorflow()
    try:
        theirs = both.in_tensorflow(case, mode)
    except ValueError:
        return  # TensorFlow builds no such node of an input of unknown rank
    mine = both.in_regraft(case, mode)
    wrt = case.grad_wrt or [i for i, t in enumerate(mine.inputs) if differentiable(t.dtype)]
    ys, xs = [t for t in mine.node.outputs if differentiable(t.dtype)], [mine.inputs[i] for i in wrt]
    with theirs.graph.as_default():
        try:
            reference = tf.gradients(
                [t for t in theirs.node.outputs if differentiable(dtypes.as_dtype(t.dtype.as_datatype_enum))],
                [theirs.inputs[i] for i in wrt],
            )
        except ValueError:
            with pytest.raises(ValueError, match="."):
                gradients(mine.graph, ys, xs)
            return
    result = gradients(mine.graph, ys, xs)
    names = [None if r is None else r.name for r in reference]
    wanted, got = both.describe_tensorflow(theirs.graph), both.describe_ours(mine.graph)
    assert list(got) == list(wanted)
    for name in wanted:
        assert got[name] == wanted[name], name
    assert [None if r is None else r.name for r in result] == names


def differentiable(dtype: dtypes.DType) -> bool:
    return dtype.is_floating or dtype.base is dtypes.resource
