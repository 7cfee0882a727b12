"""A linear model over numbers, words and crosses of them, its input from text lines."""

import os
import tempfile

import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

CITIES = ["Basel", "Bern", "Chur", "Zug"]
rng = np.random.RandomState(8)
lines = []
for _ in range(96):
    city, age = rng.randint(len(CITIES)), rng.randint(18, 80)
    price = 3.0 * city + 0.05 * age + (2.0 if city == 1 and age > 50 else 0.0) + rng.normal() * 0.1
    lines.append("%s,%d,%.4f" % (CITIES[city] if rng.rand() > 0.05 else "nowhere", age, price))

with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "train.csv")
    with tf.gfile.GFile(path, "w") as f:
        f.write("\n".join(lines) + "\n")

    def parse(line):
        city, age, price = tf.decode_csv(line, record_defaults=[[""], [0.0], [0.0]])
        return {"city": city, "age": age}, price

    dataset = tf.data.TextLineDataset(path).map(parse).shuffle(32, seed=3).repeat(2).batch(16)
    iterator = tf.data.make_initializable_iterator(dataset)
    features, price = iterator.get_next()

    age = tf.feature_column.numeric_column("age", normalizer_fn=lambda x: (x - 49.0) / 18.0)
    buckets = tf.feature_column.bucketized_column(tf.feature_column.numeric_column("age"), [30, 50, 65])
    city = tf.feature_column.categorical_column_with_vocabulary_list("city", CITIES, num_oov_buckets=1)
    crossed = tf.feature_column.crossed_column([city, buckets], hash_bucket_size=20)
    wide = tf.feature_column.linear_model(features, [age, buckets, city, crossed])
    deep_columns = [age, tf.feature_column.embedding_column(city, 3, initializer=tf.constant_initializer(0.1))]
    deep = tf.feature_column.input_layer(features, deep_columns)
    weights = tf.get_variable("deep", [4, 1], initializer=tf.zeros_initializer())
    predictions = tf.squeeze(wide + tf.matmul(deep, weights), 1)
    loss = tf.losses.mean_squared_error(price, predictions)
    train_op = tf.train.FtrlOptimizer(0.5, l2_regularization_strength=0.001).minimize(loss)

    with tf.Session() as sess:
        sess.run([tf.global_variables_initializer(), tf.tables_initializer()])
        sess.run(iterator.initializer)
        while True:
            try:
                print("loss", float(sess.run([loss, train_op])[0]))
            except tf.errors.OutOfRangeError:
                break
