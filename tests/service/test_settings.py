"""Settings come from a mapping, once, and an error names the key and the value."""

import pytest

from service.errors import SettingError
from service.settings import PARSERS, Settings


def test_defaults_hold_where_nothing_is_set() -> None:
    """An empty environment, or empty values, give the defaults."""
    assert Settings.from_mapping({}) == Settings()
    assert Settings.from_mapping({"PORT": "", "MODEL": ""}) == Settings()


def test_each_setting_is_read_from_its_variable() -> None:
    """The variable's name is the field's in capitals."""
    settings = Settings.from_mapping(
        {"PORT": "5000", "HEALTH_STATUS": "healthy", "CORS_ORIGINS": "https://a.example, https://b.example"}
    )
    assert settings.port == 5000
    assert settings.health_status == "healthy"
    assert settings.cors_origins == ("https://a.example", "https://b.example")


def test_every_field_has_a_parser() -> None:
    """A field without one could not be set."""
    assert set(PARSERS) == set(Settings.__dataclass_fields__)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("PORT", "eighty"),
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("MAX_UPLOAD_BYTES", "1e6"),
        ("MAX_DECODED_BYTES", "0"),
        ("UPLOAD_TIMEOUT", "0"),
        ("UPLOAD_TIMEOUT", "nan"),
        ("DRAIN_SECONDS", "inf"),
        ("LOG_LEVEL", "loud"),
    ],
)
def test_a_bad_value_is_an_error_that_names_key_and_value(key: str, value: str) -> None:
    """Nothing is guessed, clipped or ignored."""
    with pytest.raises(SettingError, match=f"{key}='{value}'"):
        Settings.from_mapping({key: value})
