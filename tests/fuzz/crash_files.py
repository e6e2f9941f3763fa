"""The inputs that have crashed a target, one file each. Their names begin with the target."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FOLDER = Path(__file__).parent / "crashes"


def crash_files() -> list[Path]:
    """Return the kept inputs."""
    return sorted(path for path in FOLDER.iterdir() if path.suffix != ".md")


@contextmanager
def keep(target: str, data: bytes) -> Iterator[None]:
    """Keep an input if it raises an exception, which goes on its way."""
    try:
        yield
    except Exception:
        write(target, data)
        raise


def write(target: str, data: bytes) -> None:
    """Write an input into the folder, under its target and hash."""
    (FOLDER / f"{target}-crash-{hashlib.sha1(data, usedforsecurity=False).hexdigest()}").write_bytes(data)
