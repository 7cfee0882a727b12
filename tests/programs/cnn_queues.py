"""A convolutional network fed from binary files by queues, to the end of its epochs."""

import os
import sys
import tempfile

import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

flags = tf.app.flags
flags.DEFINE_integer("batch_size", 32, "Images in a batch.")
flags.DEFINE_integer("num_epochs", 2, "Passes over the files.")
FLAGS = flags.FLAGS
IMAGE = 64


def write_records(folder, data):
    images = data["images"].reshape(-1, IMAGE).astype(np.uint8)[:320]
    labels = data["labels"].astype(np.uint8)[:320]
    records = np.concatenate([labels[:, None], images], axis=1)
    names = []
    for i in range(2):
        names.append(os.path.join(folder, "digits_%d.bin" % i))
        records[i * 160 : (i + 1) * 160].tofile(names[-1])
    return names


def inputs(filenames):
    with tf.name_scope("input"):
        queue = tf.train.string_input_producer(filenames, num_epochs=FLAGS.num_epochs, shuffle=False)
        reader = tf.FixedLengthRecordReader(record_bytes=IMAGE + 1)
        _, value = reader.read(queue)
        record = tf.decode_raw(value, tf.uint8)
        label = tf.cast(record[0], tf.int32)
        image = tf.cast(tf.reshape(tf.slice(record, [1], [IMAGE]), [8, 8, 1]), tf.float32) / 16.0
        return tf.train.batch([image, label], batch_size=FLAGS.batch_size, num_threads=1, capacity=200)


def inference(images):
    with tf.variable_scope("conv1"):
        kernel = tf.get_variable("w", [3, 3, 1, 16], initializer=tf.truncated_normal_initializer(stddev=0.1, seed=1))
        biases = tf.get_variable("b", [16], initializer=tf.constant_initializer(0.0))
        conv = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(images, kernel, [1, 1, 1, 1], padding="SAME"), biases))
    pool = tf.nn.max_pool(conv, ksize=[1, 3, 3, 1], strides=[1, 2, 2, 1], padding="SAME")
    norm = tf.nn.lrn(pool, 4, bias=1.0, alpha=0.001 / 9.0, beta=0.75)
    flat = tf.reshape(norm, [FLAGS.batch_size, -1])
    with tf.variable_scope("softmax"):
        size = flat.get_shape()[1].value if hasattr(flat.get_shape()[1], "value") else flat.get_shape()[1]
        weights = tf.get_variable("w", [size, 10], initializer=tf.truncated_normal_initializer(stddev=0.05, seed=2))
        return tf.matmul(flat, weights) + tf.get_variable("b", [10], initializer=tf.zeros_initializer())


def main(argv):
    with tempfile.TemporaryDirectory() as folder, tf.Graph().as_default():
        images, labels = inputs(write_records(folder, np.load(argv[1])))
        logits = inference(images)
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))
        global_step = tf.Variable(0, name="global_step", trainable=False)
        train_op = tf.train.MomentumOptimizer(0.05, 0.9).minimize(loss, global_step=global_step)
        init_op = tf.group(tf.global_variables_initializer(), tf.local_variables_initializer())
        with tf.Session() as sess:
            sess.run(init_op)
            coord = tf.train.Coordinator()
            threads = tf.train.start_queue_runners(sess=sess, coord=coord)
            try:
                while not coord.should_stop():
                    _, loss_value = sess.run([train_op, loss])
                    print("loss", float(loss_value))
            except tf.errors.OutOfRangeError:
                print("Done training for %d epochs, %d steps." % (FLAGS.num_epochs, sess.run(global_step)))
            finally:
                coord.request_stop()
            coord.join(threads)


if __name__ == "__main__":
    tf.app.run(main=main, argv=sys.argv)
