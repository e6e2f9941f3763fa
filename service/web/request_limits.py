"""Limits of the server in front of the app, which the description of the API states, too."""

MAX_URL_BYTES = 8_192
MAX_HEADER_BYTES = 32_768
"""Size limit for all headers of one request, names and values."""
