"""Iterators: how they begin, end, are shared and fed; the threads behind them; what is refused."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import regraft.v1 as tf
from regraft.base import errors


@pytest.fixture(autouse=True)
def graph() -> Any:
    with tf.Graph().as_default() as made:
        yield made


def taken(session: Any, tensor: Any) -> list[Any]:
    """All elements that are left."""
    found = []
    while True:
        try:
            found.append(session.run(tensor))
        except errors.OutOfRangeError:
            return [np.asarray(v).tolist() for v in found]


def working() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "regraft-prefetch"}


def test_the_end_says_so_and_lasts() -> None:
    element = tf.data.Dataset.range(1).make_one_shot_iterator().get_next()
    with tf.Session() as session:
        assert session.run(element) == 0
        for _ in range(2):
            with pytest.raises(errors.OutOfRangeError, match="End of sequence"):
                session.run(element)


def test_an_iterator_that_was_not_begun_says_so() -> None:
    element = tf.data.make_initializable_iterator(tf.data.Dataset.range(1)).get_next()
    with tf.Session() as session, pytest.raises(errors.FailedPreconditionError, match="not been initialized"):
        session.run(element)


def test_each_session_has_its_own_iterator() -> None:
    element = tf.data.Dataset.range(3).make_one_shot_iterator().get_next()
    with tf.Session() as one, tf.Session() as other:
        assert [one.run(element), one.run(element), other.run(element)] == [0, 1, 0]


def test_outputs_of_one_node_move_on_together() -> None:
    pairs = tf.data.Dataset.zip((tf.data.Dataset.range(3), tf.data.Dataset.range(10, 13)))
    a, b = pairs.make_one_shot_iterator().get_next()
    with tf.Session() as session:
        assert session.run([a, b]) == [0, 10]
        assert session.run(b) == 11
        assert session.run(a) == 2


def test_reinitializable_iterator() -> None:
    iterator = tf.data.Iterator.from_structure(tf.int64, tf.TensorShape([]))
    first = iterator.make_initializer(tf.data.Dataset.range(2))
    second = iterator.make_initializer(tf.data.Dataset.range(5, 8))
    element = iterator.get_next()
    with tf.Session() as session:
        for initializer, wanted in ((first, [0, 1]), (second, [5, 6, 7]), (first, [0, 1])):
            session.run(initializer)
            assert taken(session, element) == wanted


def test_an_initializer_of_another_structure_is_refused() -> None:
    iterator = tf.data.Iterator.from_structure(tf.int64, tf.TensorShape([2]))
    with pytest.raises(TypeError, match="Expected output shapes compatible with"):
        iterator.make_initializer(tf.data.Dataset.range(2))
    with pytest.raises(TypeError, match="Expected output types"):
        iterator.make_initializer(tf.data.Dataset.from_tensors([1.0, 2.0]))


def test_feedable_iterator() -> None:
    handle = tf.placeholder(tf.string, [])
    element = tf.data.Iterator.from_string_handle(handle, tf.int64, tf.TensorShape([])).get_next()
    small = tf.data.Dataset.range(3).make_one_shot_iterator()
    large = tf.data.make_initializable_iterator(tf.data.Dataset.range(100, 103))
    with tf.Session() as session:
        session.run(large.initializer)
        one, other = session.run([small.string_handle(), large.string_handle()])
        fed = [one, one, other, one, other]
        assert [int(session.run(element, {handle: h})) for h in fed] == [0, 1, 100, 2, 101]
        with pytest.raises(errors.InvalidArgumentError, match="no string handle of an iterator"):
            session.run(element, {handle: b"nonsense"})


def test_a_handle_of_another_structure_is_refused() -> None:
    handle = tf.placeholder(tf.string, [])
    element = tf.data.Iterator.from_string_handle(handle, tf.float32, tf.TensorShape([])).get_next()
    numbers = tf.data.Dataset.range(3).make_one_shot_iterator()
    with tf.Session() as session:
        given = session.run(numbers.string_handle())
        with pytest.raises(errors.InvalidArgumentError, match="Data type mismatch at component 0"):
            session.run(element, {handle: given})


def test_outputs_can_be_fed() -> None:
    element = tf.data.TextLineDataset("no such file").make_one_shot_iterator().get_next()
    with tf.Session() as session:
        assert session.run(tf.strings.length(element), {element: b"abc"}) == 3


def test_a_file_that_is_missing_says_how_to_give_another() -> None:
    element = tf.data.TFRecordDataset("no such file").make_one_shot_iterator().get_next()
    with tf.Session() as session, pytest.raises(errors.NotFoundError, match="No such file or directory") as raised:
        session.run(element)
    assert "assets_dir=" in str(raised.value)
    assert "IteratorGetNext" in str(raised.value)


def test_a_missing_file_is_found_among_the_assets(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "a.txt").write_text("1\n2\n")
    (tmp_path / "b.txt").write_text("3\n")
    names = ["/home/nobody/train/a.txt", "C:\\data\\b.txt"]
    element = tf.data.TextLineDataset(names).make_one_shot_iterator().get_next()
    with tf.Session(assets_dir=str(tmp_path)) as session:
        assert taken(session, element) == [b"1", b"2", b"3"]


def test_file_names_can_be_fed_to_the_initializer(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("1\n2\n")
    names = tf.placeholder(tf.string, [None])
    iterator = tf.data.make_initializable_iterator(tf.data.TextLineDataset(names))
    element = iterator.get_next()
    with tf.Session() as session:
        session.run(iterator.initializer, {names: [str(tmp_path / "a.txt")]})
        assert taken(session, element) == [b"1", b"2"]


def test_one_shot_iterators_refuse_state() -> None:
    dataset = tf.data.Dataset.from_tensors(tf.placeholder(tf.float32, []))
    with pytest.raises(ValueError, match="Cannot capture a placeholder"):
        dataset.make_one_shot_iterator()
    variable = tf.get_variable("v", [], use_resource=True)
    mapped = tf.data.Dataset.range(3).map(lambda x: variable)
    with pytest.raises(ValueError, match=r"Cannot capture a stateful node .*make_initializable_iterator"):
        mapped.make_one_shot_iterator()


@pytest.mark.parametrize("resource", [True, False])
def test_functions_see_variables_and_tables(resource: bool) -> None:
    with tf.variable_scope("", use_resource=resource):
        variable = tf.get_variable("v", [2], initializer=tf.ones_initializer())
    source = tf.data.Dataset.range(4).map(lambda x: tf.cast(x, tf.float32) * variable)
    iterator = tf.data.make_initializable_iterator(source)
    element = iterator.get_next()
    with tf.Session() as session:
        session.run(variable.initializer)
        session.run(iterator.initializer)
        assert session.run(element).tolist() == [0, 0]
        session.run(variable.assign([2, 3]))
        # A reference is read when the iterator begins, a resource with each element.
        assert session.run(element).tolist() == ([2, 3] if resource else [1, 1])


def test_an_element_and_an_update_of_a_variable_in_one_run() -> None:
    variable = tf.Variable(0.0)
    numbers = tf.data.Dataset.range(4).map(lambda x: tf.cast(x, tf.float32)).prefetch(1)
    update = variable.assign_add(numbers.make_one_shot_iterator().get_next())
    with tf.Session() as session:
        session.run(variable.initializer)
        for _ in range(4):
            session.run(update)
        assert session.run(variable) == 6


def test_threads_end_with_the_dataset_and_with_the_session() -> None:
    before = working()
    endless = tf.data.make_initializable_iterator(tf.data.Dataset.range(4).repeat().prefetch(2).map(lambda x: x))
    short = tf.data.Dataset.range(2).prefetch(5).make_one_shot_iterator().get_next()
    element = endless.get_next()
    with tf.Session() as session:
        assert taken(session, short) == [0, 1]
        for _ in range(3):
            session.run(endless.initializer)
            session.run(element)
        assert len(working() - before) <= 1  # what an iterator did before it began again has ended
    assert not working() - before


def test_slow_pure_functions_are_called_by_threads_in_order() -> None:
    """What comes behind an error comes all the same; the threads end with the session."""

    def slow(x: tf.Tensor) -> tf.Tensor:
        matrix = tf.fill([400, 400], tf.cast(x, tf.float64) / 400.0)
        return tf.check_numerics(tf.matmul(matrix, matrix)[0, 0] / tf.cast(x - 20, tf.float64), "twenty")

    source = tf.data.Dataset.range(40).map(slow, num_parallel_calls=2).repeat()
    element = source.make_one_shot_iterator().get_next()
    before = set(threading.enumerate())
    found: list[float] = []
    with tf.Session() as session:
        for _ in range(40):
            try:
                found.append(float(session.run(element)))
            except errors.InvalidArgumentError:
                found.append(-1.0)
        mapping = {t for t in set(threading.enumerate()) - before if t.name.startswith("regraft-map")}
    wanted = [i * i / 400 / (i - 20) if i != 20 else -1.0 for i in range(40)]
    np.testing.assert_allclose(found, wanted)
    assert mapping or os.cpu_count() == 1
    assert not any(thread.is_alive() for thread in mapping)


def test_a_blocked_run_ends_with_the_session() -> None:
    go_on = threading.Event()

    def slow() -> Any:
        yield 1
        go_on.wait(20)
        yield 2

    element = tf.data.Dataset.from_generator(slow, tf.int32).prefetch(1).make_one_shot_iterator().get_next()
    session = tf.Session()
    assert session.run(element) == 1
    failed: list[BaseException] = []

    def ask() -> None:
        try:
            session.run(element)
        except errors.CancelledError as e:
            failed.append(e)

    asking = threading.Thread(target=ask)
    asking.start()
    time.sleep(0.05)
    closing = threading.Thread(target=session.close)
    closing.start()
    asking.join(5)
    go_on.set()
    closing.join(5)
    assert failed
    assert not asking.is_alive()


def test_optionals() -> None:
    iterator = tf.data.make_initializable_iterator(tf.data.Dataset.range(1))
    optional = tf.data.experimental.get_next_as_optional(iterator)
    there, value = optional.has_value(), optional.get_value()
    with tf.Session() as session:
        session.run(iterator.initializer)
        assert session.run([there, value]) == [True, 0]
        assert not session.run(there)
        with pytest.raises(errors.InvalidArgumentError, match="does not have a value"):
            session.run(value)


def test_cardinality_and_single_element() -> None:
    dataset = tf.data.Dataset.range(7).batch(2)
    sizes = [dataset, dataset.repeat(), dataset.filter(lambda x: True), dataset.skip(1).take(2).concatenate(dataset)]
    counts = [tf.data.experimental.cardinality(d) for d in sizes]
    one = tf.data.experimental.get_single_element(dataset.take(1))
    many = tf.data.experimental.get_single_element(dataset)
    with tf.Session() as session:
        assert [int(n) for n in session.run(counts)] == [4, -1, -2, 6]
        assert session.run(one).tolist() == [0, 1]
        with pytest.raises(errors.InvalidArgumentError, match="more than one element"):
            session.run(many)


def test_structures_of_elements() -> None:
    dataset = tf.data.Dataset.from_tensors({"a": [1.0, 2.0], "b": (np.int32(1), "text")})
    assert dataset.output_types == {"a": tf.float32, "b": (tf.int32, tf.string)}
    assert dataset.output_shapes == {"a": tf.TensorShape([2]), "b": (tf.TensorShape([]), tf.TensorShape([]))}
    assert tf.data.get_output_classes(dataset)["a"] is tf.Tensor
    element = dataset.batch(3).make_one_shot_iterator().get_next()
    assert element["a"].shape.as_list() == [None, 2]


def test_contrib_data() -> None:
    source = tf.data.Dataset.range(5)
    element = source.apply(tf.contrib.data.batch_and_drop_remainder(2)).make_one_shot_iterator().get_next()
    window = source.apply(tf.contrib.data.sliding_window_batch(3, 2)).make_one_shot_iterator().get_next()
    with tf.Session() as session:
        assert taken(session, element) == [[0, 1], [2, 3]]
        assert taken(session, window) == [[0, 1, 2], [2, 3, 4]]


def test_map_functions_must_return_elements() -> None:
    with pytest.raises(TypeError, match="Unsupported return value"):
        tf.data.Dataset.range(2).map(lambda x: None)
    with pytest.raises(TypeError, match="must return a `Dataset`"):
        tf.data.Dataset.range(2).flat_map(lambda x: x)
    with pytest.raises(ValueError, match="scalar tensor"):
        tf.data.Dataset.range(2).filter(lambda x: x)


def test_orders_and_numbers_are_those_of_tensorflow() -> None:
    """Recorded with TensorFlow 2.21 on a CPU; `test_pipelines.py` asks TensorFlow itself where it is installed."""
    numbers = tf.data.Dataset.range(8)
    wanted = {
        numbers.shuffle(4, seed=7).repeat(2): [0, 4, 2, 3, 5, 6, 1, 7, 1, 3, 0, 4, 6, 7, 5, 2],
        numbers.shuffle(4, seed=7, reshuffle_each_iteration=False).repeat(2): [3, 4, 0, 5, 1, 7, 6, 2] * 2,
        numbers.take(5).apply(tf.data.experimental.shuffle_and_repeat(3, 2, seed=7)): [1, 2, 0, 3, 4, 1, 0, 3, 4, 2],
        tf.data.experimental.RandomDataset(seed=5).take(3): [3568415791, 2798973839, 2476249224],
    }
    uniform = numbers.take(3).map(lambda x: tf.random_uniform([], seed=3)).repeat(2).make_one_shot_iterator()
    elements = [dataset.make_one_shot_iterator().get_next() for dataset in wanted]
    drawn = uniform.get_next()
    with tf.Session() as session:
        assert [taken(session, element) for element in elements] == list(wanted.values())
        expected = [0.3869, 0.6633, 0.1958, 0.9422, 0.9181, 0.4796]
        np.testing.assert_allclose(taken(session, drawn), expected, atol=5e-5)


def test_records_are_written_and_read(tmp_path: Path) -> None:
    path = str(tmp_path / "a.records")
    source = tf.data.Dataset.from_tensor_slices(["x", "", "yz"])
    write = tf.data.experimental.TFRecordWriter(path, "GZIP").write(source)
    element = tf.data.TFRecordDataset(path, "GZIP").make_one_shot_iterator().get_next()
    with tf.Session() as session:
        session.run(write)
        assert taken(session, element) == [b"x", b"", b"yz"]


def test_a_damaged_record_is_an_error_behind_those_before_it(tmp_path: Path) -> None:
    from regraft.wire.tfrecord import frame

    path = tmp_path / "a.records"
    path.write_bytes(frame(b"good") + frame(b"bad")[:-1] + b"?")
    element = tf.data.TFRecordDataset(str(path)).make_one_shot_iterator().get_next()
    with tf.Session() as session:
        assert session.run(element) == b"good"
        with pytest.raises(errors.DataLossError, match="corrupted record"):
            session.run(element)


def test_a_function_that_reads_a_variable_beside_its_update() -> None:
    """The thread that reads ahead needs the lock that the update has."""
    scale = tf.get_variable("scale", [], initializer=tf.ones_initializer(), use_resource=True)
    numbers = tf.data.Dataset.range(50).map(lambda x: tf.cast(x, tf.float32) * scale).prefetch(3)
    iterator = tf.data.make_initializable_iterator(numbers)
    update = scale.assign_add(iterator.get_next() * 0.0)
    with tf.Session() as session:
        session.run(scale.initializer)
        session.run(iterator.initializer)
        assert len(taken(session, update)) == 50
