"""How images differ, and how they change from pixel to pixel."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from regraft.base import dtypes
from regraft.v1._array import concat, expand_dims, identity, pad, reshape, shape, size, stack, unstack, zeros
from regraft.v1._assertion import Assert
from regraft.v1._control_flow import cond
from regraft.v1._image_color import convert_image_dtype
from regraft.v1._math import abs as absolute
from regraft.v1._math import cast, equal, not_equal
from regraft.v1._math import pow as power
from regraft.v1._nn_basic import softmax
from regraft.v1._nn_conv import depthwise_conv2d
from regraft.v1._nn_pool import avg_pool
from regraft.v1._opening import on, opened
from regraft.v1._reduction import reduce_all, reduce_any, reduce_mean, reduce_prod, reduce_sum

__all__ = [
    "image_gradients",
    "psnr",
    "sobel_edges",
    "ssim",
    "ssim_multiscale",
    "total_variation",
]

# Within an image


def total_variation(images: Any, name: str | None = None) -> Any:
    """The sum of absolute differences of neighbouring pixels; one for each image of a batch."""
    with opened(name, "total_variation"):
        ndims = images.shape.rank
        if ndims == 3:
            below = images[1:, :, :] - images[:-1, :, :]
            beside = images[:, 1:, :] - images[:, :-1, :]
            axes = None
        elif ndims == 4:
            below = images[:, 1:, :, :] - images[:, :-1, :, :]
            beside = images[:, :, 1:, :] - images[:, :, :-1, :]
            axes = [1, 2, 3]
        else:
            raise ValueError("'images' must be either 3 or 4-dimensional.")
        return reduce_sum(absolute(below), axis=axes) + reduce_sum(absolute(beside), axis=axes)


def image_gradients(image: Any) -> tuple[Any, Any]:
    """(dy, dx) of a batch of images: the next pixel less this one; 0 at the end. ValueError for another rank."""
    if image.shape.rank != 4:
        raise ValueError(f"image_gradients expects a 4D tensor [batch_size, h, w, d], not {image.shape}.")
    sizes = shape(image)
    batch, height, width, depth = unstack(sizes)
    dy = image[:, 1:, :, :] - image[:, :-1, :, :]
    dx = image[:, :, 1:, :] - image[:, :, :-1, :]
    row = stack([batch, 1, width, depth])
    dy = reshape(concat([dy, zeros(row, image.dtype)], 1), sizes)
    column = stack([batch, height, 1, depth])
    dx = reshape(concat([dx, zeros(column, image.dtype)], 2), sizes)
    return dy, dx


def sobel_edges(image: Any) -> Any:
    """[batch, height, width, channels, 2]: Sobel's dy and dx."""
    b = on(image)
    sizes = shape(image)
    down = np.array([[-1, -2, -1], [0, 0, 0], [1, 2, 1]])
    kernels = b.constant(np.stack([down, down.T], axis=-1)[:, :, None, :], image.dtype.base)
    kernels = b.Tile(kernels, [1, 1, sizes[-1], 1], name="sobel_filters")
    padded = pad(image, [[0, 0], [1, 1], [1, 1], [0, 0]], mode="REFLECT")
    output = depthwise_conv2d(padded, kernels, [1, 1, 1, 1], "VALID")
    output = reshape(output, concat([sizes, [2]], 0))
    output.set_shape(image.shape.concatenate([2]))
    return output


# Between images


def _pair(img1: Any, img2: Any) -> tuple[Any, Any, list[Any]]:
    """(shape, shape, checks) of two images that must fit together. ValueError where they are known not to."""
    first, second = img1.shape.with_rank_at_least(3), img2.shape.with_rank_at_least(3)
    first[-3:].assert_is_compatible_with(second[-3:])
    if first.rank is not None and second.rank is not None:
        outer = zip(reversed(first.as_list()[:-3]), reversed(second.as_list()[:-3]), strict=False)
        if any(a != b and 1 not in (a, b) and None not in (a, b) for a, b in outer):
            raise ValueError(f"Two images are not compatible: {first} and {second}")
    b = on(img1, img2)
    shape1, shape2 = b.ShapeN([img1, img2])
    enough = Assert(b.GreaterEqual(size(shape1), 3), [shape1, shape2], summarize=10)
    alike = Assert(reduce_all(equal(shape1[-3:], shape2[-3:])), [shape1, shape2], summarize=10)
    return shape1, shape2, [enough, alike]


def psnr(a: Any, b: Any, max_val: Any, name: str | None = None) -> Any:
    """The peak signal to noise ratio of images in decibels; `max_val` is the distance of black from white."""
    with opened(name, "PSNR", a, b) as (builder, _):
        max_val = convert_image_dtype(cast(max_val, a.dtype), dtypes.float32)
        a = convert_image_dtype(a, dtypes.float32)
        b = convert_image_dtype(b, dtypes.float32)
        error = reduce_mean(builder.SquaredDifference(a, b), [-3, -2, -1])
        peak = 20 * builder.Log(max_val) / builder.Log(10.0)
        ratio = builder.Sub(peak, np.float32(10 / math.log(10)) * builder.Log(error), name="psnr")
        _, _, checks = _pair(a, b)
        with builder.graph.control_dependencies(checks):
            return identity(ratio)


def _gaussian(b: Any, length: Any, sigma: Any) -> Any:
    """[length, length, 1, 1]: the weights of a window."""
    at = cast(b.Range(0, length, 1, name="range"), sigma.dtype)
    at -= cast(length - 1, sigma.dtype) / 2.0
    g = b.Square(at)
    g *= -0.5 / b.Square(sigma)
    g = reshape(g, shape=[1, -1]) + reshape(g, shape=[-1, 1])
    g = softmax(reshape(g, shape=[1, -1]))
    return reshape(g, shape=[length, length, 1, 1])


def _similarity(
    img1: Any, img2: Any, max_val: Any, filter_size: Any, filter_sigma: Any, k1: float, k2: float, as_map: bool = False
) -> tuple[Any, Any]:
    """(structural similarity, contrast and structure alone) of each channel."""
    b = on(img1, img2)
    length = b.constant(filter_size, dtypes.int32)
    sigma = b.constant(filter_sigma, img1.dtype.base)
    shape1, shape2 = b.ShapeN([img1, img2])
    checks = [Assert(reduce_all(b.GreaterEqual(s[-3:-1], length)), [s, length], summarize=8) for s in (shape1, shape2)]
    with b.graph.control_dependencies(checks):
        img1 = identity(img1)
    kernel = _gaussian(b, length, sigma)
    kernel = b.Tile(kernel, [1, 1, shape1[-1], 1])

    def smooth(x: Any) -> Any:
        sizes = shape(x)
        x = reshape(x, shape=concat([[-1], sizes[-3:]], 0))
        y = depthwise_conv2d(x, kernel, strides=[1, 1, 1, 1], padding="VALID")
        return reshape(y, concat([sizes[:-3], shape(y)[1:]], 0))

    c1 = (k1 * max_val) ** 2
    c2 = (k2 * max_val) ** 2
    mean1, mean2 = smooth(img1), smooth(img2)
    product = mean1 * mean2 * 2.0
    squares = b.Square(mean1) + b.Square(mean2)
    luminance = (product + c1) / (squares + c1)
    both = smooth(img1 * img2) * 2.0
    alone = smooth(b.Square(img1) + b.Square(img2))
    c2 *= 1.0  # TensorFlow's place for a compensation
    structure = (both - product + c2) / (alone - squares + c2)
    if as_map:
        return luminance * structure, structure
    axes = b.constant([-3, -2], dtypes.int32)
    return reduce_mean(luminance * structure, axes), reduce_mean(structure, axes)


def _floats(b: Any, img1: Any, img2: Any, max_val: Any) -> tuple[Any, Any, Any, Any, Any]:
    img1, img2 = b.convert(img1, name="img1"), b.convert(img2, name="img2")
    shape1, shape2, checks = _pair(img1, img2)
    with b.graph.control_dependencies(checks):
        img1 = identity(img1)
    max_val = convert_image_dtype(cast(max_val, img1.dtype), dtypes.float32)
    img1 = convert_image_dtype(img1, dtypes.float32)
    return img1, convert_image_dtype(img2, dtypes.float32), max_val, shape1, shape2


def ssim(
    img1: Any,
    img2: Any,
    max_val: Any,
    filter_size: Any = 11,
    filter_sigma: Any = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
    return_index_map: bool = False,
) -> Any:
    """The structural similarity of images (Wang and others 2004), at most 1; `return_index_map` for each place."""
    with opened(None, "SSIM", img1, img2) as (b, _):
        img1, img2, max_val, _, _ = _floats(b, img1, img2, max_val)
        found, _ = _similarity(img1, img2, max_val, filter_size, filter_sigma, k1, k2, return_index_map)
        return reduce_mean(found, [-1])


_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


def ssim_multiscale(
    img1: Any,
    img2: Any,
    max_val: Any,
    power_factors: Any = _WEIGHTS,
    filter_size: Any = 11,
    filter_sigma: Any = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
) -> Any:
    """`ssim` over several scales, each half of the last (Wang and others 2003), weighted by `power_factors`."""
    with opened(None, "MS-SSIM", img1, img2) as (b, _):
        img1, img2, max_val, shape1, shape2 = _floats(b, img1, img2, max_val)
        images = [img1, img2]
        heads = [s[:-3] for s in (shape1, shape2)]
        tails = [s[-3:] for s in (shape1, shape2)]
        divisor = b.constant([2, 2, 1], dtypes.int32)
        relu = b.Relu
        parts = []
        whole: Any = None
        for k in range(len(power_factors)):
            with opened(None, f"Scale{k}", images):
                if k:
                    images, tails = _halved(b, images, heads, tails, divisor)
                whole, part = _similarity(images[0], images[1], max_val, filter_size, filter_sigma, k1, k2)
                parts.append(relu(part))
        factors = stack([*parts[:-1], relu(whole)], axis=-1)
        return reduce_mean(reduce_prod(power(factors, power_factors), [-1]), [-1])


def _halved(b: Any, images: list[Any], heads: list[Any], tails: list[Any], divisor: Any) -> tuple[list[Any], list[Any]]:
    flat = [reshape(x, concat([[-1], t], 0)) for x, t in zip(images, tails, strict=True)]
    remainder = tails[0] % divisor

    def padded() -> list[Any]:
        amount = pad(expand_dims(remainder, -1), [[1, 0], [1, 0]])
        return [pad(x, amount, mode="SYMMETRIC") for x in flat]

    even = cond(reduce_any(not_equal(remainder, 0)), padded, lambda: flat)
    small = [avg_pool(x, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="VALID") for x in even]
    tails = [x[1:] for x in b.ShapeN(small)]
    return [reshape(x, concat([h, t], 0)) for x, h, t in zip(small, heads, tails, strict=True)], tails
