"""Every exception that this service raises on purpose. Imports nothing of this project."""


class ServiceError(Exception):
    """The root of the tree. Its message is a sentence that says what to do next."""


class SettingError(ServiceError):
    """A setting has an invalid value."""


class ModelError(ServiceError):
    """The model on disk is not the one that its contract describes."""


class NotReadyError(ServiceError):
    """The service is starting or draining and accepts no images."""


class OverloadedError(ServiceError):
    """The service has no room for the request now."""


class RequestError(ServiceError):
    """The request is invalid. Its message is the response's detail."""


class UnknownModelError(RequestError):
    """The path names a model, or a version of it, that is not served."""


class UploadTooLargeError(RequestError):
    """The body is larger than MAX_UPLOAD_BYTES, or than the memory for all bodies."""


class UploadTimeoutError(RequestError):
    """The body did not arrive within UPLOAD_TIMEOUT seconds."""


class FileError(RequestError):
    """The command line cannot read a file from the disk or from its archive."""


class ImageError(RequestError):
    """The bytes are not a readable image of a digit: not an image, truncated, too large or blank."""

    def __str__(self) -> str:
        return f"Error processing image: {super().__str__()}"
