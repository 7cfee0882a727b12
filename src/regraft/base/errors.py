"""TensorFlow's status classes as one exception tree.

Regraft raises them as `DataLossError("what was seen", where=("file x.index",), hint="what to do")`. Programs written
for TensorFlow build them as `DataLossError(node_def, op, message)`; both forms end in the same attributes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

OK = 0
CANCELLED = 1
UNKNOWN = 2
INVALID_ARGUMENT = 3
DEADLINE_EXCEEDED = 4
NOT_FOUND = 5
ALREADY_EXISTS = 6
PERMISSION_DENIED = 7
RESOURCE_EXHAUSTED = 8
FAILED_PRECONDITION = 9
ABORTED = 10
OUT_OF_RANGE = 11
UNIMPLEMENTED = 12
INTERNAL = 13
UNAVAILABLE = 14
DATA_LOSS = 15
UNAUTHENTICATED = 16


class OpError(Exception):
    """A failure with a status code, and with the op that met it where there is one.

    message  what was seen, where, and what instead
    op       the `Operation` that failed, or None
    node_def its NodeDef as TensorFlow programs hand it in, or None
    """

    code: ClassVar[int] = UNKNOWN

    def __init__(self, *args: Any, where: Sequence[str] = (), hint: str = "", op: Any = None) -> None:
        node_def = None
        if len(args) >= 3:
            node_def, op, message = args[:3]
        elif len(args) == 1:
            message = args[0]
        else:
            raise TypeError(
                f"{type(self).__name__} takes (message), or (node_def, op, message) as TensorFlow's do; got {len(args)}"
            )
        parts = [str(message), *(f"  at {place}" for place in where)]
        if hint:
            parts.append(f"  {hint}")
        self._message = "\n".join(parts)
        self._node_def = node_def
        self._op = op
        super().__init__(node_def, op, self._message)

    @property
    def message(self) -> str:
        return self._message

    @property
    def op(self) -> Any:
        return self._op

    @property
    def node_def(self) -> Any:
        return getattr(self._op, "node_def", None) if self._node_def is None else self._node_def

    @property
    def error_code(self) -> int:
        return self.code

    def __str__(self) -> str:
        return self._message

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (None, None, self._message))


class CancelledError(OpError):
    """The operation was stopped by its caller: a session or queue was closed under it."""

    code = CANCELLED


class UnknownError(OpError):
    """A failure that no other class describes."""

    code = UNKNOWN


class InvalidArgumentError(OpError):
    """An argument can never be right, whatever the state of the system."""

    code = INVALID_ARGUMENT


class DeadlineExceededError(OpError):
    """Time ran out before the operation was done."""

    code = DEADLINE_EXCEEDED


class NotFoundError(OpError):
    """A file, key, tensor, op or resource does not exist."""

    code = NOT_FOUND


class AlreadyExistsError(OpError):
    """Something that was to be made is there already."""

    code = ALREADY_EXISTS


class PermissionDeniedError(OpError):
    """The caller may not do this."""

    code = PERMISSION_DENIED


class ResourceExhaustedError(OpError):
    """Memory, disk or another resource ran out."""

    code = RESOURCE_EXHAUSTED


class FailedPreconditionError(OpError):
    """The system is not in the state that the operation needs: a variable without a value, a closed queue."""

    code = FAILED_PRECONDITION


class AbortedError(OpError):
    """The operation was given up, and may be tried again."""

    code = ABORTED


class OutOfRangeError(OpError):
    """Past the end: an exhausted iterator, a closed and empty queue."""

    code = OUT_OF_RANGE


class UnimplementedError(OpError):
    """Known, and not supported here."""

    code = UNIMPLEMENTED


class InternalError(OpError):
    """An invariant of Regraft itself is broken."""

    code = INTERNAL


class UnavailableError(OpError):
    """A service does not answer now, and may later."""

    code = UNAVAILABLE


class DataLossError(OpError):
    """Bytes are missing or are not the bytes that were written."""

    code = DATA_LOSS


class UnauthenticatedError(OpError):
    """The caller is not known to the service."""

    code = UNAUTHENTICATED


_BY_CODE: dict[int, type[OpError]] = {cls.code: cls for cls in OpError.__subclasses__()}


def exception_type_from_error_code(code: int) -> type[OpError]:
    """The class for a status code. KeyError for OK and unknown codes."""
    return _BY_CODE[code]


def error_code_from_exception_type(cls: type[OpError]) -> int:
    """The status code of a class of this module."""
    return cls.code
