"""What functions of images check and ask first: ranks, sizes, conditions known now or only when the graph runs."""

from __future__ import annotations

from typing import Any

from regraft.base.shapes import TensorShape
from regraft.ir.node import Tensor
from regraft.v1._array import expand_dims, rank, shape, squeeze, unstack
from regraft.v1._assertion import Assert
from regraft.v1._checks import assert_equal, assert_greater_equal, assert_positive
from regraft.v1._graph_control import with_dependencies
from regraft.variables import ResourceVariable, Variable

__all__: list[str] = []


def is_tensor(value: Any) -> bool:
    """Whether a number is known only when the graph runs."""
    return isinstance(value, (Tensor, Variable, ResourceVariable))


def demand(condition: Any, message: str) -> list[Any]:
    """Operations that check `condition`: an Assert for a tensor, else none. ValueError where it is False."""
    if is_tensor(condition):
        return [Assert(condition, [message])]
    if not condition:
        raise ValueError(message)
    return []


def dimensions(image: Any, ndims: int) -> list[Any]:
    """The sizes: numbers where they are known, tensors elsewhere."""
    if image.shape.is_fully_defined():
        return list(image.shape.as_list())
    static = image.shape.with_rank(ndims).as_list()
    dynamic = unstack(shape(image), ndims)
    return [d if s is None else s for s, d in zip(static, dynamic, strict=True)]


def image_checks(image: Any) -> list[Any]:
    """Operations that check for at least three dimensions, of which the last three are not empty; see `checked`."""
    try:
        known = image.shape.with_rank(3) if image.shape.rank is None else image.shape.with_rank_at_least(3)
    except ValueError:
        raise ValueError(f"'image' (shape {image.shape}) must be at least three-dimensional.") from None
    inner = known[-3:]
    if 0 in inner.as_list():
        raise ValueError(f"inner 3 dims of 'image.shape' must be > 0: {known}")
    if inner.is_fully_defined():
        return []
    return [
        assert_positive(shape(image)[-3:], ["inner 3 dims of 'image.shape' must be > 0."]),
        assert_greater_equal(rank(image), 3, message="'image' must be at least three-dimensional."),
    ]


def checked(image: Any) -> Any:
    """The image behind its `image_checks`. ValueError for what is no image."""
    return with_dependencies(image_checks(image), image)


def checked_grayscale(image: Any) -> Any:
    """The image behind a check for one channel. ValueError where it is known to have more."""
    try:
        known = image.shape.with_rank(2) if image.shape.rank is None else image.shape.with_rank_at_least(2)
    except ValueError:
        raise ValueError(f"A grayscale image (shape {image.shape}) must be at least two-dimensional.") from None
    checks: list[Any] = []
    if not known.is_fully_defined():
        one = "Last dimension of a grayscale image should be size 1."
        checks = [
            assert_equal(shape(image)[-1], 1, message=one),
            assert_greater_equal(rank(image), 3, message="A grayscale image must be at least two-dimensional."),
        ]
    elif known.as_list()[-1] != 1:
        raise ValueError("Last dimension of a grayscale image should be size 1.")
    return with_dependencies(checks, image)


def as_batch(image: Any) -> tuple[Any, bool]:
    """(a batch of images, whether it was one already). ValueError for other ranks than 3, 4 and unknown."""
    ndims = image.shape.rank
    if ndims == 4:
        return image, True
    if ndims not in (3, None):
        raise ValueError(f"'image' (shape {image.shape}) must have either 3 or 4 dimensions.")
    batch = expand_dims(image, 0)
    if ndims is None:
        batch.set_shape([None] * 4)
    return batch, False


def as_before(images: Any, was_batch: bool) -> Any:
    """The batch, or its only image where it was made of one."""
    return images if was_batch else squeeze(images, axis=[0])


def known_sizes(*sizes: Any) -> TensorShape:
    """The shape of these sizes, unknown where they are tensors."""
    return TensorShape([None if is_tensor(s) else s for s in sizes])
