"""Everything that the build step raises on purpose."""


class ExportError(Exception):
    """The root. Its text is one sentence that says what is wrong and what to do next."""


class DataError(ExportError):
    """MNIST is missing, truncated or not the original."""


class CheckpointError(ExportError):
    """The checkpoint does not exist or does not fit the architecture."""


class ParityError(ExportError):
    """The ONNX file does not answer as the checkpoint does."""
