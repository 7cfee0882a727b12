"""The models by name. No TensorFlow is imported here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.models import cnn, lstm, mlp, resnet, transformer
from tests.models.model import Model

Builder = Callable[[Any, str], Model]
"""From a module with TensorFlow 1's names and an optimizer's name to the model in the default graph."""


def _of(module: Any, config: Any) -> Builder:
    return lambda tf, optimizer: module.build(tf, config, optimizer)


MODELS: dict[str, Builder] = {
    "mlp": _of(mlp, mlp.MlpConfig()),
    "cnn": _of(cnn, cnn.CnnConfig()),
    "transformer": _of(transformer, transformer.TransformerConfig()),
    "lstm": _of(lstm, lstm.LstmConfig()),
    "lstm_200": _of(lstm, lstm.LstmConfig(vocabulary=1000, embedding=200, hidden=200, layers=1, steps=200, batch=20)),
    "resnet50_slim": _of(resnet, resnet.ResNetConfig(width=8, classes=10, batch=4)),
    "resnet50": _of(resnet, resnet.ResNetConfig()),
    "resnet50_224": _of(resnet, resnet.ResNetConfig(image=224, batch=4)),
    "bert_base": _of(
        transformer,
        transformer.TransformerConfig(
            vocabulary=30522,
            hidden=768,
            layers=12,
            heads=12,
            intermediate=3072,
            positions=512,
            length=128,
            predictions=20,
            learning_rate=1e-4,
        ),
    ),
}
