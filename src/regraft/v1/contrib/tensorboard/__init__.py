"""tf.contrib.tensorboard: what TensorBoard's plugins read."""

from regraft.v1.contrib.tensorboard import plugins as plugins
