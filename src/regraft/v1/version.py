"""tf.version: which TensorFlow a program may take Regraft for.

Programs ask for the version to choose between the old and the new name of a function, and to refuse what they do not
know. Regraft has the API of the 1.x line, up to its last release, and answers with that.
"""

from __future__ import annotations

from regraft.ir.graph import PRODUCER

VERSION = __version__ = "1.15.5"
GIT_VERSION = __git_version__ = "v1.15.5-regraft"
GRAPH_DEF_VERSION = PRODUCER
GRAPH_DEF_VERSION_MIN_CONSUMER = 0
GRAPH_DEF_VERSION_MIN_PRODUCER = 0
