"""Every exception that the export raises on purpose. Imports nothing of this project."""


class ExportError(Exception):
    """The root of the tree. Its message is a sentence that says what is wrong and what to do next."""


class DataError(ExportError):
    """A dataset is missing, truncated or not the original."""


class CheckpointError(ExportError):
    """The checkpoint does not exist or does not fit the architecture."""


class NotExportedError(ExportError):
    """A model has no served files."""


class ParityError(ExportError):
    """The ONNX file does not compute the same logits as the checkpoint."""
