"""Programs with queues, readers and queue runners. `test_graphs.py` builds each in both libraries."""

from __future__ import annotations


def queues(tf):
    q = tf.FIFOQueue(10, [tf.int32, tf.float32], shapes=[(), (2,)])
    q.enqueue([1, [1.0, 2.0]])
    q.enqueue_many([[1, 2], [[1.0, 2.0], [3.0, 4.0]]], name="several")
    a, b = q.dequeue()
    q.dequeue_many(3)
    q.dequeue_many(tf.placeholder(tf.int32, []))
    q.dequeue_up_to(4, name="rest")
    q.size()
    q.is_closed()
    q.close()
    q.close(cancel_pending_enqueues=True, name="stop")
    tf.add(tf.cast(a, tf.float32), b)


def queues_without_shapes(tf):
    q = tf.FIFOQueue(10, tf.string, shared_name="words", name="q")
    q.enqueue("a")
    q.enqueue_many([["a", "b"]])
    tf.identity(q.dequeue())


def queues_with_names(tf):
    q = tf.FIFOQueue(10, [tf.int32, tf.float32], shapes=[[], [2]], names=["i", "x"])
    q.enqueue({"x": [1.0, 2.0], "i": 3})
    taken = q.dequeue_many(2)
    tf.identity(taken["x"])


def other_queues(tf):
    for seed in (None, 3):
        q = tf.RandomShuffleQueue(10, 2, [tf.int64], shapes=[()], seed=seed)
        q.enqueue(5)
    tf.set_random_seed(4)
    tf.RandomShuffleQueue(10, 2, [tf.int64], shapes=[()], shared_name="shared")
    tf.RandomShuffleQueue(10, 2, [tf.int64], shapes=[()])
    q = tf.PaddingFIFOQueue(10, [tf.int64], shapes=[(None, 2)])
    tf.identity(q.dequeue_many(2))
    tf.identity(q.dequeue())
    q = tf.PriorityQueue(10, [tf.string], shapes=[()])
    q.enqueue([3, "a"])
    tf.identity(q.dequeue()[1])


def queue_in_a_scope_with_dependencies(tf):
    first = tf.constant(1)
    with tf.name_scope("input"), tf.control_dependencies([first]), tf.device("/gpu:0"):
        q = tf.queue.FIFOQueue(3, tf.int32)
        q.enqueue(1)
        tf.RandomShuffleQueue(3, 1, tf.int32)


def queue_of_several(tf):
    q1, q2 = (tf.FIFOQueue(3, [tf.int32, tf.int32], shapes=s) for s in ([(2,), ()], [(3,), ()]))
    q = tf.QueueBase.from_list(tf.placeholder(tf.int32, []), [q1, q2])
    tf.identity(q.dequeue()[1])


def readers(tf):
    q = tf.FIFOQueue(3, tf.string)
    for reader in (
        tf.TextLineReader(skip_header_lines=1),
        tf.WholeFileReader(),
        tf.IdentityReader(name="same"),
        tf.FixedLengthRecordReader(5, 1, 2, 3),
        tf.TFRecordReader(options=tf.python_io.TFRecordOptions(tf.python_io.TFRecordCompressionType.GZIP)),
        tf.LMDBReader(),
    ):
        if reader.reader_ref.dtype == tf.resource:
            _, value = reader.read(q)
            tf.identity(value)
            tf.identity(reader.read_up_to(q, 3)[1])
            reader.num_records_produced()
            reader.num_work_units_completed()
            reader.restore_state(reader.serialize_state())
            reader.reset()


def files(tf):
    tf.write_file(tf.constant("a"), tf.read_file("b"))
    tf.io.write_file("a", tf.io.read_file("b"))
    tf.matching_files(["a*", "b*"])
    tf.train.match_filenames_once("*.txt")


def producers(tf):
    tf.train.string_input_producer(["a", "b"], num_epochs=2, seed=1)
    tf.train.string_input_producer(tf.placeholder(tf.string, [None]), shuffle=False, capacity=5, name="names")
    tf.train.range_input_producer(10, num_epochs=1)
    tf.train.slice_input_producer([[1, 2, 3], tf.constant([[1.0], [2.0], [3.0]])], shuffle=False)
    tf.train.input_producer([[1, 2], [3, 4]], shared_name="rows", name="given")
    tf.train.input_producer(tf.placeholder(tf.float32), element_shape=[2])
    tf.train.limit_epochs(tf.constant(1.0), 3)


def batches(tf):
    x, y = tf.placeholder(tf.float32, [3]), tf.placeholder(tf.int32, [])
    tf.identity(tf.train.batch([x, y], 4, num_threads=2)[0])
    tf.identity(tf.train.batch({"x": x, "y": y}, 4, allow_smaller_final_batch=True, name="mine")["y"])
    tf.train.batch({"x": x}, 4)
    tf.train.batch([tf.placeholder(tf.float32, [None])], 4, dynamic_pad=True)
    tf.identity(tf.train.batch([tf.placeholder(tf.float32, [None, 3])], 4, enqueue_many=True, capacity=7))
    tf.train.batch([tf.placeholder(tf.float32)], 4, shapes=[[2]])
    tf.train.shuffle_batch([x, y], 4, capacity=20, min_after_dequeue=5, seed=3, num_threads=2)
    tf.train.batch_join([[x, y], [x + 1.0, y]], 4)
    tf.train.shuffle_batch_join([[x], [x + 1.0]], 4, capacity=20, min_after_dequeue=5)


def batches_of_what_is_kept(tf):
    x, keep = tf.placeholder(tf.float32, [3]), tf.placeholder(tf.bool, [])
    tf.train.maybe_batch([x], keep, 4)
    tf.train.maybe_batch([x], False, 4)
    tf.train.maybe_batch([tf.placeholder(tf.float32, [2, 3])], tf.placeholder(tf.bool, [2]), 4, enqueue_many=True)
    tf.train.maybe_shuffle_batch([x], 4, 20, 5, keep)
    tf.train.maybe_batch_join([[x], [x]], keep, 4)
    tf.train.maybe_shuffle_batch_join([[x], [x]], 4, 20, 5, keep)


def batches_of_sparse_tensors(tf):
    sparse = tf.sparse_placeholder(tf.float32, [4, 5])
    taken, _ = tf.train.batch([sparse, tf.placeholder(tf.float32, [2])], 4)
    tf.identity(taken.values)
    tf.train.batch([sparse], 4, enqueue_many=True)
    tf.train.shuffle_batch_join([[sparse], [sparse]], 4, 20, 5)
    tf.train.maybe_batch([sparse], tf.placeholder(tf.bool, []), 4)
    tf.train.maybe_batch([sparse], tf.placeholder(tf.bool, [4]), 4, enqueue_many=True)


def staging_areas(tf):
    area_class = _staging_area_of(tf)
    x, y = tf.placeholder(tf.float32, [2]), tf.placeholder(tf.int32, [])
    area = area_class([tf.float32, tf.int32], shapes=[[2], []], capacity=3)
    area.put([x, y])
    tf.identity(area.get()[0])
    tf.identity(area.peek(1)[1])
    area.size()
    area.clear()
    named = area_class([tf.float32, tf.int32], names=["x", "y"], shared_name="mine", memory_limit=100)
    named.put({"y": y, "x": x})
    with tf.device("/device:GPU:0"):
        tf.identity(named.get(name="taken")["y"])


def _staging_area_of(tf):
    """TensorFlow 2 has the class still, but not its place."""
    if tf.__name__.startswith("regraft"):
        return tf.contrib.staging.StagingArea
    from tensorflow.python.ops.data_flow_ops import StagingArea

    return StagingArea


PROGRAMS = {
    name: function
    for name, function in dict(globals()).items()
    if callable(function) and getattr(function, "__module__", None) == __name__ and not name.startswith("_")
}
