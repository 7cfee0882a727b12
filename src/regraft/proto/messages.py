"""The message classes, made on first use; messages.pyi lists them for type checkers."""

from regraft.proto import pool


def __getattr__(name: str) -> object:
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        cls = pool.make_class(name, __name__)
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no message or enum {name!r}") from None
    globals()[name] = cls
    return cls


def __dir__() -> list[str]:
    return pool.top_level_names()
