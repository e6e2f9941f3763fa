"""Everything that this service raises on purpose. Imports nothing of ours."""


class ServiceError(Exception):
    """The root. Its text is one sentence that says what to do next."""


class SettingError(ServiceError):
    """A setting has a value that cannot be used."""


class ModelError(ServiceError):
    """The model on disk is not the one that its contract describes."""


class NotReadyError(ServiceError):
    """The service is starting or draining, and takes no pictures now."""


class RequestError(ServiceError):
    """The client sent something that cannot be answered; its text is the answer's detail."""


class UploadTooLargeError(RequestError):
    """More bytes than MAX_UPLOAD_BYTES."""


class UploadTimeoutError(RequestError):
    """The body did not arrive within UPLOAD_TIMEOUT seconds."""


class ImageError(RequestError):
    """The bytes are no picture that can be read: not an image, truncated, too large or blank."""

    def __str__(self) -> str:
        return f"Error processing image: {super().__str__()}"
