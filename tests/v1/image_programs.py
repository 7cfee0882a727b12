"""Programs of tf.image, a row each: `PROGRAMS[name](tf)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

PROGRAMS: dict[str, Callable[[Any], Any]] = {}


def program(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    PROGRAMS[function.__name__] = function
    return function


def _images(tf: Any) -> dict[str, Any]:
    return {
        "image": tf.placeholder(tf.float32, [8, 6, 3], name="image"),
        "batch": tf.placeholder(tf.uint8, [None, 8, 6, 3], name="batch"),
        "open": tf.placeholder(tf.uint8, [None, None, 3], name="open"),
        "any": tf.placeholder(tf.float32, name="any"),
    }


@program
def mirrored(tf: Any) -> None:
    for image in _images(tf).values():
        tf.image.flip_left_right(image)
        tf.image.flip_up_down(image)
        tf.image.random_flip_left_right(image, seed=3)
        tf.image.random_flip_up_down(image)
        tf.image.transpose_image(image)
        tf.image.transpose(image, name="mine")


@program
def turned(tf: Any) -> None:
    images = _images(tf)
    tf.image.rot90(images["image"])
    tf.image.rot90(images["batch"], 3, name="turn")
    tf.image.rot90(images["open"], tf.placeholder(tf.int32, []))


@program
def resized(tf: Any) -> None:
    images = _images(tf)
    for method in range(4):
        tf.image.resize_images(images["image"], [4, 4], method)
    tf.image.resize_images(images["image"], [8, 6])
    tf.image.resize_images(images["batch"], (16, 12), align_corners=True)
    tf.image.resize_images(images["open"], tf.placeholder(tf.int32, [2]), tf.image.ResizeMethod.NEAREST_NEIGHBOR)
    tf.image.resize(images["batch"], [16, 12], "bicubic", name="larger")
    tf.image.resize_images(images["open"], [20, 20], preserve_aspect_ratio=True)
    tf.image.resize_images(images["image"], [20, 20], preserve_aspect_ratio=True)
    tf.image.resize_bilinear(images["batch"], [4, 4], align_corners=True)
    tf.image.resize_nearest_neighbor(images["batch"], [4, 4], name="nearest")
    tf.image.resize_bicubic(images["batch"], [4, 4], half_pixel_centers=True)
    tf.image.resize_area(images["batch"], [4, 4])
    tf.image.resize_image_with_pad(images["image"], 10, 20)
    tf.image.resize_image_with_pad(images["open"], 10, 20, tf.image.ResizeMethod.AREA)


@program
def cropped_and_padded(tf: Any) -> None:
    images = _images(tf)
    size = tf.placeholder(tf.int32, [], name="size")
    tf.image.crop_to_bounding_box(images["image"], 1, 2, 4, 3)
    tf.image.crop_to_bounding_box(images["open"], 1, 2, 4, size)
    tf.image.pad_to_bounding_box(images["image"], 1, 2, 10, 9)
    tf.image.pad_to_bounding_box(images["batch"], 1, 2, 10, size)
    tf.image.pad_to_bounding_box(images["open"], 0, 0, 10, 9)
    tf.image.resize_image_with_crop_or_pad(images["image"], 5, 9)
    tf.image.resize_image_with_crop_or_pad(images["batch"], 9, 5)
    tf.image.resize_image_with_crop_or_pad(images["open"], 9, size)
    tf.image.resize_image_with_crop_or_pad(images["any"], 9, 5)
    tf.image.central_crop(images["image"], 0.5)
    tf.image.central_crop(images["batch"], 0.5)
    tf.image.central_crop(images["open"], 0.875)
    tf.image.central_crop(images["open"], 1.0)
    tf.random_crop(images["open"], [4, 4, 3], seed=1)
    tf.image.random_crop(images["image"], [4, 4, 3])


@program
def colors(tf: Any) -> None:
    for image in (_images(tf)[name] for name in ("image", "batch", "open")):
        tf.image.adjust_brightness(image, 0.2)
        tf.image.adjust_contrast(image, 2.0)
        tf.image.adjust_hue(image, 0.1)
        tf.image.adjust_saturation(image, 0.5, name="saturated")
        tf.image.adjust_gamma(image, 2.0)
        tf.image.random_brightness(image, max_delta=0.3)
        tf.image.random_contrast(image, lower=0.2, upper=1.8, seed=4)
        tf.image.random_hue(image, 0.2)
        tf.image.random_saturation(image, 0.5, 1.5)
        tf.image.per_image_standardization(image)
        tf.image.rgb_to_grayscale(image)
        tf.image.rgb_to_hsv(tf.to_float(image))
        tf.image.hsv_to_rgb(tf.to_float(image))
        tf.image.rgb_to_yiq(tf.to_float(image))
        tf.image.yuv_to_rgb(tf.image.rgb_to_yuv(tf.to_float(image)))
    tf.image.grayscale_to_rgb(tf.placeholder(tf.uint8, [8, 6, 1]))
    tf.image.grayscale_to_rgb(tf.placeholder(tf.float32, [None, None, 1]))
    tf.image.per_image_standardization(_images(tf)["any"])


@program
def types(tf: Any) -> None:
    for old in (tf.uint8, tf.int32, tf.float32, tf.uint16):
        image = tf.placeholder(old, [None, None, 3])
        for new in (tf.uint8, tf.int32, tf.float32, tf.float64):
            tf.image.convert_image_dtype(image, new)
            tf.image.convert_image_dtype(image, new, saturate=True, name="saturated")


@program
def coded(tf: Any) -> None:
    contents = tf.placeholder(tf.string, [], name="contents")
    tf.image.decode_jpeg(contents, channels=3)
    tf.image.decode_png(contents, dtype=tf.uint16)
    tf.image.decode_image(contents)
    tf.image.decode_image(contents, 3, tf.float64, expand_animations=False)
    tf.image.decode_gif(contents)
    tf.image.is_jpeg(contents)
    image = tf.placeholder(tf.uint8, [None, None, 3])
    tf.image.encode_jpeg(image, quality=80)
    tf.image.encode_png(image)
    tf.image.adjust_jpeg_quality(image, 50)
    tf.image.random_jpeg_quality(image, 20, 80)


@program
def boxes(tf: Any) -> None:
    images = tf.placeholder(tf.float32, [None, 8, 6, 3])
    where = tf.placeholder(tf.float32, [None, 4])
    scores = tf.placeholder(tf.float32, [None])
    tf.image.crop_and_resize(images, where, [0, 0], [4, 4])
    tf.image.crop_and_resize(images, boxes=where, box_ind=[0, 1], crop_size=[4, 4], method="nearest")
    tf.image.draw_bounding_boxes(images, tf.placeholder(tf.float32, [None, 2, 4]))
    tf.image.draw_bounding_boxes(images, tf.placeholder(tf.float32, [None, 2, 4]), colors=[[1.0, 0.0, 0.0]])
    tf.image.non_max_suppression(where, scores, 10)
    tf.image.non_max_suppression(where, scores, 10, 0.3, name="nms")
    tf.image.non_max_suppression_with_scores(where, scores, 10, soft_nms_sigma=0.5)
    tf.image.non_max_suppression_overlaps(tf.placeholder(tf.float32, [5, 5]), scores, 10)
    tf.image.combined_non_max_suppression(tf.ones([1, 5, 1, 4]), tf.ones([1, 5, 2]), 3, 4)
    tf.image.sample_distorted_bounding_box([8, 6, 3], tf.ones([1, 2, 4]), area_range=(0.05, 1.0), max_attempts=100)
    tf.image.sample_distorted_bounding_box([8, 6, 3], tf.ones([1, 2, 4]), seed=3, min_object_covered=0.5)
    tf.image.extract_glimpse(images, [3, 3], tf.zeros([7, 2]))
    tf.extract_image_patches(images, [1, 2, 2, 1], [1, 1, 1, 1], [1, 1, 1, 1], "SAME")
    one = [1, 1, 1, 1]
    tf.image.extract_image_patches(images, ksizes=[1, 2, 2, 1], strides=one, rates=one, padding="VALID")


@program
def quality(tf: Any) -> None:
    images = tf.placeholder(tf.float32, [None, 32, 32, 3], name="images")
    others = tf.placeholder(tf.float32, [None, 32, 32, 3], name="others")
    pixels = tf.placeholder(tf.uint8, [None, None, 3])
    tf.image.total_variation(images)
    tf.image.total_variation(tf.placeholder(tf.float32, [8, 8, 3]), name="tv")
    tf.image.psnr(images, others, max_val=1.0)
    tf.image.psnr(pixels, pixels, 255, name="ratio")
    tf.image.ssim(images, others, 1.0)
    tf.image.ssim(pixels, pixels, 255, filter_size=7)
    tf.image.ssim_multiscale(images, others, 1.0, power_factors=(0.5, 0.5), filter_size=5)
    tf.image.image_gradients(images)
    tf.image.sobel_edges(images)
