"""Settings are read once from a mapping, and an error names the key and the value."""

from pathlib import Path
from typing import Any

import pytest

from service.errors import SettingError
from service.settings import Settings, describe_settings, misspelled_settings
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
        ("MEMORY_BUDGET", "50000000", 50_000_000),
        ("QUEUE_TIMEOUT", "0", 0.0),
        ("REQUEST_TIMEOUT", "90", 90.0),
        ("HEADER_TIMEOUT", "5", 5.0),
        ("MAX_CONNECTIONS", "100", 100),
        ("MAX_IN_FLIGHT", "100", 100),
        ("WORKERS", "2", 2),
        ("THREADS", "2", 2),
        ("DRAIN_SECONDS", "1.5", 1.5),
        ("LOG_LEVEL", "debug", "debug"),
        ("LOG_FORMAT", "json", "json"),
        ("API_KEY", "new-key, old-key", ("new-key", "old-key")),
    ],
)
def test_setting_is_read_from_its_variable(key: str, text: str, value: Any) -> None:
    """Set only the field whose name is the variable's in lower case."""
    settings = Settings.from_mapping({key: text})
    assert getattr(settings, key.lower()) == value
    changed = {name for name in Settings.__dataclass_fields__ if getattr(settings, name) != getattr(Settings(), name)}
    assert changed == {key.lower()}


def test_help_lists_every_setting_with_its_default() -> None:
    """Give one line per setting: name, default and meaning."""
    lines = describe_settings().splitlines()
    assert [line.split()[0] for line in lines] == [name.upper() for name in Settings.__dataclass_fields__]
    assert "PORT               8000             port to listen on" in describe_settings()
    assert all(len(line.split()) > 3 for line in lines)


@pytest.mark.parametrize(
    ("environ", "error"),
    [
        ({"UPLOAD_TIMEOUT": "61"}, "UPLOAD_TIMEOUT=61 is longer than REQUEST_TIMEOUT=60. Set it to at most 60"),
        ({"REQUEST_TIMEOUT": "5"}, "UPLOAD_TIMEOUT=30 is longer than REQUEST_TIMEOUT=5."),
        ({"QUEUE_TIMEOUT": "90"}, "QUEUE_TIMEOUT=90 is longer than REQUEST_TIMEOUT=60."),
        ({"MEMORY_BUDGET": "9000000"}, "MEMORY_BUDGET=9000000 is less than MAX_UPLOAD_BYTES=10000000."),
    ],
)
def test_contradictory_settings_are_rejected(environ: dict[str, str], error: str) -> None:
    """Name both settings with their values, and what is allowed."""
    with pytest.raises(SettingError, match=error):
        Settings.from_mapping(environ)


def test_misspelled_setting_is_found() -> None:
    """Suggest the setting that an unknown variable resembles, and ignore variables that resemble none."""
    environ = {
        "PAGER": "less",
        "MAX_BATCHES": "3",
        "WORKER": "2",
        "PORT": "1",
        "HOSTNAME": "a",
        "PATH": "/bin",
        "HOME": "/",
        "LANG": "C",
    }
    assert misspelled_settings(environ) == {"MAX_BATCHES": "MAX_BATCH", "WORKER": "WORKERS"}


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
        ("LOG_FORMAT", "xml"),
    ],
)
def test_invalid_value_is_named_with_its_key(key: str, value: str) -> None:
    """Raise SettingError with key and value, instead of guessing, clipping or ignoring."""
    with pytest.raises(SettingError, match=f"{key}='{value}' is not "):
        Settings.from_mapping({key: value})


@pytest.mark.parametrize("value", ["none", " ", ",", "two words", "schl\u00fcssel", "a,b\tc"])
def test_invalid_key_is_not_shown(value: str) -> None:
    """Reject keys that are empty or that no header can carry, without showing them: errors end up in logs."""
    with pytest.raises(SettingError, match="API_KEY is not a list of keys") as error:
        Settings.from_mapping({"API_KEY": value})
    assert value.strip(" ,") in ("", "none") or value not in str(error.value)
