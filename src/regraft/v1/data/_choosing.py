"""Elements of several datasets, chosen at random or by another dataset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from regraft.base import dtypes
from regraft.ir.node import Tensor
from regraft.v1 import _context
from regraft.v1.data import _functional, _nest, _structure
from regraft.v1.data._base import dataset
from regraft.v1.data._dataset import Dataset


def _directed(selector: Dataset, datasets: Sequence[Any], stops: bool) -> Dataset:
    spec = datasets[0].element_spec
    for i, other in enumerate(datasets[1:], 1):
        try:
            spec = _nest.map_structure(lambda a, b: a.common(b), spec, other.element_spec)
        except (TypeError, ValueError) as e:
            raise TypeError(
                f"Invalid `datasets`. `datasets` must have compatible element specs.\n Dataset 0 element_spec={spec}.\n"
                f"Dataset {i} element_spec={other.element_spec}."
            ) from e
    return dataset(
        "DirectedInterleaveDataset",
        selector._variant_tensor,
        [d._variant_tensor for d in datasets],
        stop_on_empty_dataset=stops,
        spec=spec,
    )


def sampled(
    datasets: Sequence[Any], weights: Any, seed: Any, stop_on_empty_dataset: bool, rerandomize: bool | None
) -> Dataset:
    """`Dataset.sample_from_datasets`."""
    if not datasets:
        raise ValueError("Invalid `datasets`. `datasets` should not be empty.")
    b = _context.builder()
    logits: Any
    if isinstance(weights, Dataset):
        numbers = Dataset.random(seed, rerandomize).batch(2)
        return _directed(_by_weights(weights, numbers), list(datasets), stop_on_empty_dataset)
    if weights is None:
        logits = [[1.0] * len(datasets)]
    else:
        if not isinstance(weights, Tensor):
            if len(datasets) != len(weights):
                raise ValueError(
                    "Invalid `weights`. `weights` should have the same length as `datasets` but got "
                    f"`len(weights)={len(weights)}` vs. `len(datasets)={len(datasets)}`."
                )
            kept = [(d, w) for d, w in zip(datasets, weights, strict=True) if w > 0]
            datasets, weights = zip(*kept, strict=True) if kept else ([datasets[0].take(0)], [1.0])
        chances = b.convert(list(weights) if isinstance(weights, tuple) else weights, name="weights")
        if chances.dtype.base not in (dtypes.float32, dtypes.float64):
            raise TypeError(
                "Invalid `weights`. `weights` type must be either `tf.float32` or `tf.float64` but is "
                f"{chances.dtype!r}."
            )
        logits = b.expand_dims(b.Log(chances, name="logits"), 0)
    if len(datasets) == 1:
        only: Dataset = datasets[0]
        return only

    def select_dataset_constant_logits(seed: Any) -> Any:
        return _drawn(logits, seed)

    selector = _functional.mapped(
        Dataset.random(seed, rerandomize).batch(2),
        select_dataset_constant_logits,
        use_inter_op_parallelism=False,
        preserve_cardinality=True,
    )
    return _directed(selector, list(datasets), stop_on_empty_dataset)


def _drawn(logits: Any, seed: Any) -> Any:
    b = _context.builder()
    number = b.op("StatelessMultinomial", logits, 1, seed, name="StatelessMultinomial")
    return b.op("Squeeze", number, squeeze_dims=[0, 1])


def _by_weights(weights: Dataset, numbers: Dataset) -> Dataset:
    """A selector whose chances another dataset gives."""

    def logits_of(*chances: Any) -> Any:
        return _context.builder().Log(chances, name="logits")

    def select_dataset_varying_logits(logits: Any, seed: Any) -> Any:
        return _drawn(logits, seed)

    pairs = Dataset.zip((weights.map(logits_of), numbers))
    found: Dataset = _functional.mapped(
        pairs, select_dataset_varying_logits, use_inter_op_parallelism=False, preserve_cardinality=True
    )
    return found


def chosen(datasets: Sequence[Any], choice_dataset: Any, stop_on_empty_dataset: bool) -> Dataset:
    """`Dataset.choose_from_datasets`."""
    if not datasets:
        raise ValueError("Invalid `datasets`. `datasets` should not be empty.")
    if not isinstance(choice_dataset, Dataset):
        raise TypeError(
            f"Invalid `choice_dataset`. `choice_dataset` should be a `tf.data.Dataset` but is {type(choice_dataset)}."
        )
    if not _structure.compatible(choice_dataset.element_spec, _structure.TensorSpec([], dtypes.int64)):
        raise TypeError(
            "Invalid `choice_dataset`. Elements of `choice_dataset` must be scalar `tf.int64` tensors but are "
            f"{choice_dataset.element_spec}."
        )
    selector = choice_dataset._same("RewriteDataset", "replicate_on_split")
    return _directed(selector, list(datasets), stop_on_empty_dataset)
