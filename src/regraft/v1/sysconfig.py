"""tf.sysconfig: what building C++ against TensorFlow would need; Regraft has no C++ of its own."""

from __future__ import annotations

from typing import NoReturn

from regraft.base.errors import UnimplementedError

__all__ = ["get_build_info", "get_compile_flags", "get_include", "get_lib", "get_link_flags"]


def get_build_info() -> dict[str, object]:
    """What this build can do: no GPU library of its own; JAX brings them."""
    return {"is_cuda_build": False, "is_rocm_build": False, "is_tensorrt_build": False}


def _refuse(what: str) -> NoReturn:
    raise UnimplementedError(
        f"Regraft has no {what}: there is no C++ to build against",
        hint="write the op's kernel in NumPy or JAX, and register it with @regraft.register_op",
    )


def get_include() -> str:
    """UnimplementedError: there are no headers."""
    _refuse("headers")


def get_lib() -> str:
    """UnimplementedError: there is no library."""
    _refuse("shared library")


def get_compile_flags() -> list[str]:
    """UnimplementedError: there is nothing to compile with."""
    _refuse("compile flags")


def get_link_flags() -> list[str]:
    """UnimplementedError: there is nothing to link with."""
    _refuse("link flags")
