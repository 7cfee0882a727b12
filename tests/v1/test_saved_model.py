"""SavedModels: what TensorFlow writes we load, what we write TensorFlow loads, and the refusals are the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import regraft.v1
from tests.oracle import available, tensorflow

pytestmark = [
    pytest.mark.skipif(not available(), reason="TensorFlow is not installed"),
    pytest.mark.filterwarnings("ignore"),  # TensorFlow's
]


def write(tf: Any, folder: Path, vocabulary: Path, as_text: bool = False, init: str = "main_op") -> None:
    """A linear model with a vocabulary as an asset, tagged twice: to serve, and to train."""
    with tf.Graph().as_default(), tf.Session() as sess:
        x = tf.placeholder(tf.float32, [None, 2], name="x")
        w = tf.get_variable("w", initializer=np.array([[1.0], [2.0]], np.float32))
        y = tf.matmul(x, w, name="y")
        path = tf.constant(str(vocabulary), name="path")
        kept = tf.get_variable("kept", initializer="", trainable=False, collections=["kept"])
        init_op = tf.group(tf.assign(kept, path), name="remember")
        sess.run(tf.global_variables_initializer())
        builder = tf.saved_model.builder.SavedModelBuilder(str(folder))
        signature = tf.saved_model.signature_def_utils.predict_signature_def({"in": x}, {"out": y})
        builder.add_meta_graph_and_variables(
            sess, [tf.saved_model.tag_constants.SERVING], {"serving_default": signature}, [path], **{init: init_op}
        )
        builder.add_meta_graph([tf.saved_model.tag_constants.TRAINING, "more"], {"other": signature})
        builder.save(as_text)


def read(tf: Any, folder: Path, scope: str | None = None) -> tuple[Any, ...]:
    with tf.Graph().as_default() as graph, tf.Session() as sess:
        meta = tf.saved_model.loader.load(sess, {"serve"}, str(folder), import_scope=scope)
        signature = meta.signature_def["serving_default"]
        prefix = f"{scope}/" if scope else ""
        x = graph.get_tensor_by_name(prefix + signature.inputs["in"].name)
        y = graph.get_tensor_by_name(prefix + signature.outputs["out"].name)
        kept = sess.run(f"{prefix}kept:0")
        return sess.run(y, {x: [[3.0, 4.0]]}).tolist(), kept.decode(), signature.method_name


@pytest.fixture
def vocabulary(tmp_path: Path) -> Path:
    path = tmp_path / "words.txt"
    path.write_text("a\nb\n")
    return path


@pytest.mark.parametrize("as_text", [False, True])
@pytest.mark.parametrize("ours_writes", [False, True])
def test_one_writes_the_other_loads(tmp_path, vocabulary, as_text, ours_writes):
    writer, reader = (regraft.v1, tensorflow()) if ours_writes else (tensorflow(), regraft.v1)
    folder = tmp_path / "model"
    write(writer, folder, vocabulary, as_text)
    assert (folder / "assets/words.txt").read_text() == "a\nb\n"
    assert (folder / ("saved_model.pbtxt" if as_text else "saved_model.pb")).exists()
    moved = tmp_path / "elsewhere"
    folder.rename(moved)
    y, kept, method = read(reader, moved, scope=None if as_text else "into")
    assert y == [[11.0]]
    assert kept == str(moved / "assets/words.txt")
    assert method == "tensorflow/serving/predict"


def test_the_message_is_tensorflows(tmp_path, vocabulary):
    messages = []
    for tf in (tensorflow(), regraft.v1):
        folder = tmp_path / tf.__name__
        write(tf, folder, vocabulary)
        messages.append(regraft.v1.saved_model.loader.parse_saved_model(folder))
    theirs, ours = messages
    assert ours.saved_model_schema_version == theirs.saved_model_schema_version
    assert len(ours.meta_graphs) == len(theirs.meta_graphs) == 2
    for mine, wanted in zip(ours.meta_graphs, theirs.meta_graphs, strict=True):
        assert mine.meta_info_def.tags == wanted.meta_info_def.tags
        assert mine.signature_def == wanted.signature_def
        assert mine.saver_def == wanted.saver_def
        assert [n.name for n in mine.graph_def.node] == [n.name for n in wanted.graph_def.node]
        assert set(mine.collection_def) == set(wanted.collection_def)
        for key in ("saved_model_assets", "saved_model_main_op"):
            assert mine.collection_def[key] == wanted.collection_def[key]


def test_the_legacy_init_op_runs_too(tmp_path, vocabulary):
    write(tensorflow(), tmp_path / "model", vocabulary)
    message = regraft.v1.saved_model.loader.parse_saved_model(tmp_path / "model")
    collections = message.meta_graphs[0].collection_def
    collections["legacy_init_op"].CopyFrom(collections["saved_model_main_op"])
    del collections["saved_model_main_op"]
    (tmp_path / "model/saved_model.pb").write_bytes(message.SerializeToString())
    assert read(regraft.v1, tmp_path / "model")[1] == str(tmp_path / "model/assets/words.txt")


def test_simple_save_and_predictor(tmp_path):
    tf = regraft.v1
    with tf.Graph().as_default(), tf.Session() as sess:
        x = tf.placeholder(tf.float32, [None])
        v = tf.get_variable("v", initializer=2.0)
        sess.run(tf.global_variables_initializer())
        tf.saved_model.simple_save(sess, tmp_path / "model", {"x": x}, {"y": x * v, "z": x + v})
    predict = tf.contrib.predictor.from_saved_model(str(tmp_path / "model"))
    found = predict({"x": [1.0, 3.0]})
    assert {key: value.tolist() for key, value in found.items()} == {"y": [2.0, 6.0], "z": [3.0, 5.0]}
    with pytest.raises(ValueError, match="unexpected keys.*'q'"):
        predict({"q": 1})
    theirs = tensorflow()
    with theirs.Graph().as_default(), theirs.Session() as sess:
        theirs.saved_model.load(sess, ["serve"], str(tmp_path / "model"))
        assert sess.run("mul:0", {"Placeholder:0": [5.0]}).tolist() == [10.0]


def test_assets_of_one_name_get_numbers(tmp_path):
    tf = regraft.v1
    paths = []
    for folder, text in (("a", "one"), ("b", "two"), ("c", "one")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "words").write_text(text)
        paths.append(str(tmp_path / folder / "words"))
    with tf.Graph().as_default() as graph, tf.Session() as sess:
        builder = tf.saved_model.Builder(str(tmp_path / "model"))
        builder.add_meta_graph_and_variables(sess, [], assets_collection=[tf.constant(path) for path in paths])
        names = [item.value for item in graph.get_collection("saved_model_assets")]
    assert [b"words_1" in name for name in names] == [False, True, False]
    assert (tmp_path / "model/assets/words").read_text() == "one"
    assert (tmp_path / "model/assets/words_1").read_text() == "two"


def refusals(tf: Any, folder: Path) -> list[str]:
    """The class of each error."""
    found = []

    def attempt(action: Any) -> None:
        with pytest.raises(Exception) as e:
            action()
        found.append(type(e.value).__name__)

    utils, saved_model = tf.saved_model.signature_def_utils, tf.saved_model
    with tf.Graph().as_default(), tf.Session() as sess:
        x = tf.constant(1.0)
        text = tf.constant("a")
        (folder / "full").mkdir()
        (folder / "full/file").write_text("")
        attempt(lambda: saved_model.Builder(str(folder / "full")))
        builder = saved_model.Builder(str(folder / "new"))
        info = saved_model.build_tensor_info(x)
        attempt(lambda: builder.add_meta_graph(["a"]))
        empty = type(info)()
        attempt(
            lambda: builder.add_meta_graph_and_variables(
                sess, ["a"], {"s": saved_model.build_signature_def({"x": empty})}
            )
        )
        good = saved_model.build_signature_def({"x": info})
        attempt(lambda: builder.add_meta_graph_and_variables(sess, ["a"], {"__saved_model_init_op": good}))
        attempt(lambda: builder.add_meta_graph_and_variables(sess, ["a"], assets_collection=["path"]))
        attempt(lambda: builder.add_meta_graph_and_variables(sess, ["a"], assets_collection=[tf.identity(text)]))
        attempt(lambda: builder.add_meta_graph_and_variables(sess, ["a"], assets_collection=[x]))
        attempt(lambda: builder.add_meta_graph_and_variables(sess, ["a"], main_op="x"))
        builder.add_meta_graph_and_variables(sess, ["a"])
        attempt(lambda: builder.add_meta_graph_and_variables(sess, ["a"]))
        builder.save()
        attempt(lambda: saved_model.load(sess, ["b"], str(folder / "new")))
        attempt(lambda: saved_model.load(sess, ["b"], str(folder / "none")))
        attempt(lambda: utils.predict_signature_def({}, {"a": x}))
        attempt(lambda: utils.regression_signature_def(x, x))
        attempt(lambda: utils.classification_signature_def(text, None, None))
        attempt(lambda: saved_model.get_tensor_from_tensor_info(empty))
        info.name = "absent:0"
        attempt(lambda: saved_model.get_tensor_from_tensor_info(info))
    return found


def test_refusals(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert refusals(regraft.v1, tmp_path / "a") == refusals(tensorflow(), tmp_path / "b")


def test_signatures_that_serving_takes():
    def verdicts(tf: Any) -> list[bool]:
        utils = tf.saved_model.signature_def_utils
        with tf.Graph().as_default():
            text, number = tf.constant("a"), tf.constant(1.0)
            made = [
                utils.predict_signature_def({"a": text}, {"b": number}),
                utils.regression_signature_def(text, number),
                utils.classification_signature_def(text, text, number),
                utils.classification_signature_def(text, None, number),
                tf.saved_model.build_signature_def(method_name="tensorflow/serving/predict"),
                tf.saved_model.build_signature_def(method_name="mine"),
            ]
            wrong = utils.regression_signature_def(text, number)
            wrong.outputs["more"].CopyFrom(wrong.outputs["outputs"])
        return [utils.is_valid_signature(s) for s in [*made, wrong, None]]

    assert verdicts(regraft.v1) == verdicts(tensorflow()) == [True, True, True, True, False, False, False, False]


def test_constants_are_tensorflows():
    theirs, ours = tensorflow().saved_model, regraft.v1.saved_model
    for module in ("constants", "signature_constants", "tag_constants"):
        for name in (n for n in dir(getattr(theirs, module)) if n.isupper()):
            assert getattr(getattr(ours, module), name) == getattr(getattr(theirs, module), name)
            assert getattr(ours, name) == getattr(theirs, name)
