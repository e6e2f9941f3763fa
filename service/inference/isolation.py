"""Apply a step to images so that whatever it raises is an error of one image alone."""

import hashlib
import logging
import traceback
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from service.errors import ImageError, RequestError
from service.imaging.decode import EncodedImage
from service.inference.reading import FirstReading

In = TypeVar("In")
Out = TypeVar("Out")
RequestErrorType = TypeVar("RequestErrorType", bound=RequestError)

log = logging.getLogger("digit_service")


def map_valid(step: Callable[[In], Out], inputs: Iterable[In | RequestError]) -> list[Out | RequestError]:
    """Apply a step to each input. An error of this step or of an earlier one stays at its index."""
    return [value if isinstance(value, RequestError) else _result_or_error(step, value) for value in inputs]


def _result_or_error(step: Callable[[In], Out], value: In) -> Out | RequestError:
    try:
        return isolate(step, value)
    except RequestError as error:
        return release_frames(error)


def release_frames(error: RequestErrorType) -> RequestErrorType:
    """Return an error that is kept as a result without its traceback: its frames hold megabytes of pixels."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


def isolate(step: Callable[[In], Out], value: In) -> Out:
    """Apply a step to one image. Whatever it raises becomes an error of this image alone.

    An unexpected exception is a defect of this service: one log line tells its type, its place and the image. A
    traceback per request would let clients fill the log.
    """
    try:
        return step(value)
    except RequestError:
        raise
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        message = "Unexpected %s in %s:%d for image %s."
        log.error(message, type(error).__name__, place.filename, place.lineno, _fingerprint(value))  # noqa: TRY400
        raise ImageError("it could not be processed. Send it as an ordinary PNG or JPEG file.") from error


def _fingerprint(value: Any) -> str:
    """Identify an image in the log without showing it."""
    value = value.gray if isinstance(value, FirstReading) else value
    content = value.content if isinstance(value, EncodedImage) else bytes(value)
    return hashlib.sha256(content).hexdigest()[:16]
