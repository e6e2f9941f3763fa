"""Write a file beside its final name, and rename it when it is complete."""

import os
from pathlib import Path

from service.errors import ServiceError


class Replacement:
    """A new version of a file. Until it is complete, the old version stays."""

    def __init__(self, path: Path) -> None:
        """Create the new file. Raises ServiceError if that is impossible."""
        self._path = path
        self.partial = path.with_name(f"{path.name}.partial")
        try:
            if path.is_dir():
                raise IsADirectoryError(None, "It is a folder")
            self.partial.touch()
        except OSError as error:
            raise ServiceError(f"{path} cannot be written ({error.strerror}).") from error

    def complete(self) -> None:
        """Give the new file its name."""
        os.replace(self.partial, self._path)  # noqa: PTH105 - one call that never leaves half of it
