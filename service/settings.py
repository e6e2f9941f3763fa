"""The settings: read once from a mapping into one frozen dataclass."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from service.errors import SettingError

Number = TypeVar("Number", int, float)

PACKAGE = Path(__file__).resolve().parent


def default_weights_dir() -> Path:
    """Return the `weights` folder inside the installed package, or the one beside it in a source checkout."""
    packaged = PACKAGE / "weights"
    return packaged if packaged.is_dir() else PACKAGE.parent / "weights"


@dataclass(frozen=True)
class Settings:
    """Each field is set by the environment variable of the same name in capitals."""

    host: str = "0.0.0.0"  # noqa: S104 - a service in a container must listen on its external address
    port: int = 8000
    model: str = "cnn-transformer"
    weights_dir: Path = field(default_factory=default_weights_dir)
    cors_origins: tuple[str, ...] = ("*",)
    health_status: str = "ok"
    max_upload_bytes: int = 10_000_000
    max_decoded_bytes: int = 50_000_000  # memory for decoding one image
    max_batch: int = 64  # images in one request to /predict-batch
    upload_timeout: float = 30.0  # seconds until the whole body must have arrived
    workers: int = 0  # processes; 0: as many as the container has CPUs and memory for
    threads: int = 0  # expensive images that a worker decodes at once; 0: its share of the CPUs
    drain_seconds: float = 0.0  # seconds between a red /ready and the end of listening
    log_level: str = "info"

    @classmethod
    def from_mapping(cls, environ: Mapping[str, str]) -> "Settings":
        """Read the settings from `environ`. A missing or empty value means the default.

        Raises SettingError, naming the key and the value.
        """
        given = {name: environ[name.upper()] for name in cls.__dataclass_fields__ if environ.get(name.upper())}
        return cls(**{name: PARSERS[name](name.upper(), text) for name, text in given.items()})


def _number(kind: Callable[[str], Number], least: Number, most: Number) -> Callable[[str, str], Number]:
    def parse(key: str, text: str) -> Number:
        try:
            value = kind(text)
        except ValueError as error:
            raise SettingError(f"{key}={text!r} is not {kind.__name__} between {least} and {most}.") from error
        if not least <= value <= most:
            raise SettingError(f"{key}={text!r} is not between {least} and {most}.")
        return value

    return parse


def _choice(*allowed: str) -> Callable[[str, str], str]:
    def parse(key: str, text: str) -> str:
        if text not in allowed:
            raise SettingError(f"{key}={text!r} is not one of {', '.join(allowed)}.")
        return text

    return parse


def _text(_key: str, text: str) -> str:
    return text


def _path(_key: str, text: str) -> Path:
    return Path(text)


def _list(_key: str, text: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in text.split(",") if item.strip())


PARSERS: Mapping[str, Callable[[str, str], Any]] = {
    "host": _text,
    "port": _number(int, 0, 65_535),
    "model": _text,
    "weights_dir": _path,
    "cors_origins": _list,
    "health_status": _text,
    "max_upload_bytes": _number(int, 1_000, 1_000_000_000),
    "max_decoded_bytes": _number(int, 1_000, 10_000_000_000),
    "max_batch": _number(int, 1, 4_096),
    "upload_timeout": _number(float, 0.05, 3_600.0),
    "workers": _number(int, 0, 1_024),
    "threads": _number(int, 0, 1_024),
    "drain_seconds": _number(float, 0.0, 3_600.0),
    "log_level": _choice("critical", "error", "warning", "info", "debug"),
}
