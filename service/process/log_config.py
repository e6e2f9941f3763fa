"""The logging of the server's own messages: text as uvicorn writes it, or one JSON object per line."""

import copy
import json
import logging
from datetime import UTC, datetime
from typing import Any

from uvicorn.config import LOGGING_CONFIG

LOGGERS = ("uvicorn.error", "digit_service", "asyncio")
"""The server (uvicorn's and this project's part), the predictor, and the event loop."""


class JsonFormatter(logging.Formatter):
    """Formats a record as one JSON object with the keys of the access log."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line. A traceback is a string at key `exception`."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"time": time, "level": record.levelname.lower(), "message": record.getMessage()}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, separators=(",", ":"))


def format_message(log_format: str, level: str, message: str) -> str:
    """Return one line for a message from before the logging is configured."""
    if log_format != "json":
        return f"digit-service: {message}"
    record = logging.makeLogRecord({"levelname": level, "msg": message})
    return JsonFormatter().format(record)


def log_config(log_format: str, log_level: str) -> dict[str, Any]:
    """Return the configuration for `logging.config.dictConfig`. log_format: text or json. log_level: in lower case."""
    config = copy.deepcopy(LOGGING_CONFIG)
    if log_format == "json":
        config["formatters"]["default"] = {"()": JsonFormatter}
    config["loggers"]["digit_service"] = {"handlers": ["default"], "level": log_level.upper(), "propagate": False}
    config["loggers"]["asyncio"] = {"handlers": ["default"], "propagate": False}
    return config
