"""The settings: read once from a mapping into one frozen dataclass."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from service.errors import SettingError

Number = TypeVar("Number", int, float)
Parser = Callable[[str, str], Any]

PACKAGE = Path(__file__).resolve().parent
WEIGHTS_DIR = (PACKAGE if (PACKAGE / "weights").is_dir() else PACKAGE.parent) / "weights"
"""Inside the installed package, or beside it in a source checkout."""

TYPO_SIMILARITY = 0.85
"""From this similarity on, the name of an unknown environment variable is taken for a misspelled setting."""

COMMON_VARIABLES = ("PAGER",)
"""Environment variables of many machines that resemble a setting."""


def _setting(default: Any, parse: Parser, description: str) -> Any:
    return field(default=default, metadata={"parse": parse, "description": description})


def _number(kind: Callable[[str], Number], least: Number, most: Number) -> Parser:
    name = "a whole number" if kind is int else "a number"

    def parse(key: str, text: str) -> Number:
        try:
            value = kind(text)
        except ValueError as error:
            raise SettingError(f"{key}={text!r} is not {name} between {least} and {most}.") from error
        if not least <= value <= most:
            raise SettingError(f"{key}={text!r} is not between {least} and {most}.")
        return value

    return parse


def _choice(*allowed: str) -> Parser:
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


def _keys(key: str, text: str) -> tuple[str, ...]:
    keys = _list(key, text)
    if not keys or keys == ("none",) or not all(KEY.fullmatch(item) for item in keys):
        raise SettingError(
            f"{key} is not a list of keys. A key is printable ASCII without blanks and commas, not none."
        )
    return keys


KEY = re.compile(r"[!-~]+")
LOG_LEVELS = ("critical", "error", "warning", "info", "debug")
LOG_FORMATS = ("text", "json")


@dataclass(frozen=True)
class Settings:
    """Each field is set by the environment variable of the same name in capitals."""

    host: str = _setting("0.0.0.0", _text, "address to listen on")  # noqa: S104 - a container's external address
    port: int = _setting(8000, _number(int, 0, 65_535), "port to listen on; 0: any free port")
    model: str = _setting("cnn-transformer", _text, "folder in WEIGHTS_DIR to serve")
    weights_dir: Path = _setting(WEIGHTS_DIR, _path, "folder of the models")  # noqa: RUF009 - it is a field
    cors_origins: tuple[str, ...] = _setting(("*",), _list, "origins that browsers may call from, by commas")
    health_status: str = _setting("ok", _text, "status that /health returns")
    max_upload_bytes: int = _setting(10_000_000, _number(int, 1_000, 1_000_000_000), "bytes of a request body")
    max_decoded_bytes: int = _setting(
        50_000_000, _number(int, 1_000, 10_000_000_000), "bytes of memory for decoding one image"
    )
    max_batch: int = _setting(64, _number(int, 1, 4_096), "images in one request")
    upload_timeout: float = _setting(30.0, _number(float, 0.05, 3_600.0), "seconds in which a body must arrive")
    memory_budget: int = _setting(
        0, _number(int, 0, 1_000_000_000_000), "bytes that all requests of a worker may hold; 0: from the memory limit"
    )
    queue_timeout: float = _setting(
        10.0, _number(float, 0.0, 3_600.0), "seconds that a request may wait for memory before it gets 503"
    )
    request_timeout: float = _setting(
        60.0, _number(float, 0.05, 7_200.0), "seconds in which a request must be answered"
    )
    header_timeout: float = _setting(
        10.0,
        _number(float, 0.05, 3_600.0),
        "seconds in which headers must arrive, or a client read a waiting response",
    )
    max_connections: int = _setting(1_000, _number(int, 1, 1_000_000), "connections that a worker keeps open")
    max_in_flight: int = _setting(
        256, _number(int, 1, 1_000_000), "requests of up to 32 KB that a worker handles at once; others get 503"
    )
    workers: int = _setting(0, _number(int, 0, 1_024), "processes; 0: one per CPU and 128 MB of memory")
    threads: int = _setting(
        0, _number(int, 0, 1_024), "large images that a worker decodes at once; 0: its share of the CPUs"
    )
    shutdown_delay: float = _setting(
        0.0, _number(float, 0.0, 3_600.0), "seconds after SIGTERM in which /ready returns 503 and the rest goes on"
    )
    drain_seconds: float = _setting(
        0.0, _number(float, 0.0, 3_600.0), "seconds then in which new predictions get 503, before listening ends"
    )
    log_level: str = _setting(
        "info", _choice(*LOG_LEVELS), f"{', '.join(LOG_LEVELS)}; up to info, one line per request is logged"
    )
    log_format: str = _setting("text", _choice(*LOG_FORMATS), "text, or json: one object per line")
    api_key: tuple[str, ...] = _setting((), _keys, "keys that requests need, by commas; probes and pages need none")
    page: str = _setting("on", _choice("on", "off"), "on, or off: GET / is the drawing page")

    @classmethod
    def from_mapping(cls, environ: Mapping[str, str]) -> "Settings":
        """Read the settings from `environ`. A missing or empty value means the default.

        Raises SettingError, naming the key and the value, if a value is invalid or contradicts another.
        """
        given = {
            item.name: item.metadata["parse"](item.name.upper(), environ[item.name.upper()])
            for item in fields(cls)
            if environ.get(item.name.upper())
        }
        settings = cls(**given)
        settings._check_consistency()
        return settings

    def _check_consistency(self) -> None:
        for name in ("upload_timeout", "queue_timeout"):
            if getattr(self, name) > self.request_timeout:
                raise SettingError(
                    f"{name.upper()}={getattr(self, name):g} is longer than REQUEST_TIMEOUT={self.request_timeout:g}."
                    f" Set it to at most {self.request_timeout:g}, or raise REQUEST_TIMEOUT."
                )
        if 0 < self.memory_budget < self.max_upload_bytes:
            raise SettingError(
                f"MEMORY_BUDGET={self.memory_budget} is less than MAX_UPLOAD_BYTES={self.max_upload_bytes}."
                " Raise it, or allow only smaller uploads."
            )


def describe_settings() -> str:
    """List every setting with its default and its meaning, one per line."""
    rows = [(item.name.upper(), _format(item.default), item.metadata["description"]) for item in fields(Settings)]
    return "\n".join(f"  {name:<18} {default:<16} {description}" for name, default, description in rows)


def misspelled_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables that look like a misspelled setting, each with the setting that it resembles."""
    names = [item.name.upper() for item in fields(Settings)]
    known = (*names, *COMMON_VARIABLES)
    matches = {key: get_close_matches(key, names, 1, TYPO_SIMILARITY) for key in environ if key not in known}
    return {key: match[0] for key, match in matches.items() if match}


def _format(default: Any) -> str:
    if isinstance(default, tuple):
        return ",".join(default) or "none"
    return default.name if isinstance(default, Path) else f"{default:g}" if isinstance(default, float) else str(default)
