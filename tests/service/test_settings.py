"""Settings are read once from a mapping, and an error names the key and the value."""

from pathlib import Path
from typing import Any

import pytest

from service.errors import SettingError
from service.settings import PARSERS, Settings
from tests.conftest import WEIGHTS


@pytest.mark.parametrize("environ", [{}, {"PORT": "", "MODEL": ""}, {"port": "5000", "PATH": "/bin"}])
def test_missing_or_empty_value_means_the_default(environ: dict[str, str]) -> None:
    """Return the defaults for an empty mapping, for empty values and for other variables."""
    assert Settings.from_mapping(environ) == Settings()


def test_weights_of_a_checkout_are_found() -> None:
    """Default to the `weights` folder beside the package, if there is none inside it."""
    assert Settings().weights_dir == WEIGHTS


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("HOST", "::1", "::1"),
        ("PORT", "5000", 5000),
        ("MODEL", "cnn", "cnn"),
        ("WEIGHTS_DIR", "/srv/weights", Path("/srv/weights")),
        ("CORS_ORIGINS", "https://a.example, https://b.example,", ("https://a.example", "https://b.example")),
        ("HEALTH_STATUS", "healthy", "healthy"),
        ("MAX_UPLOAD_BYTES", "1000", 1_000),
        ("MAX_DECODED_BYTES", "1000", 1_000),
        ("MAX_BATCH", "4096", 4_096),
        ("UPLOAD_TIMEOUT", "0.5", 0.5),
        ("WORKERS", "2", 2),
        ("THREADS", "2", 2),
        ("DRAIN_SECONDS", "1.5", 1.5),
        ("LOG_LEVEL", "debug", "debug"),
    ],
)
def test_setting_is_read_from_its_variable(key: str, text: str, value: Any) -> None:
    """Set only the field whose name is the variable's in lower case."""
    settings = Settings.from_mapping({key: text})
    assert getattr(settings, key.lower()) == value
    changed = {name for name in Settings.__dataclass_fields__ if getattr(settings, name) != getattr(Settings(), name)}
    assert changed == {key.lower()}


def test_every_field_has_a_parser() -> None:
    """Parse every field. One without a parser could not be set."""
    assert set(PARSERS) == set(Settings.__dataclass_fields__)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("PORT", "eighty"),
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("MAX_UPLOAD_BYTES", "1e6"),
        ("MAX_DECODED_BYTES", "0"),
        ("MAX_BATCH", "0"),
        ("UPLOAD_TIMEOUT", "0"),
        ("UPLOAD_TIMEOUT", "nan"),
        ("DRAIN_SECONDS", "inf"),
        ("LOG_LEVEL", "loud"),
    ],
)
def test_invalid_value_is_named_with_its_key(key: str, value: str) -> None:
    """Raise SettingError with key and value, instead of guessing, clipping or ignoring."""
    with pytest.raises(SettingError, match=f"{key}='{value}' is not "):
        Settings.from_mapping({key: value})
