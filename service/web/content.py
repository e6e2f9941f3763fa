"""Responses that stay the same: sent from memory, with an ETag by which clients keep a copy."""

import hashlib
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

CHUNK_BYTES = 16_384


class Content:
    """A body and its headers. Clients may keep it, and ask before each use whether it has changed."""

    def __init__(self, body: bytes, media_type: str, headers: Mapping[str, str]) -> None:
        self._body = body
        self._media_type = media_type
        self._etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        self._headers = {**headers, "ETag": self._etag, "Cache-Control": "no-cache"}

    def respond(self, request: Request) -> Response:
        """Respond with the body, or with 304 if the client's copy is the same.

        A 304 has the same headers: the client replaces those of its copy, its Content-Security-Policy included.
        """
        if self._is_known(request.headers.get("if-none-match", "")):
            return Response(status_code=304, headers=self._headers)
        return ChunkedResponse(self._body, headers={**self._headers, "Content-Type": self._media_type})

    def _is_known(self, if_none_match: str) -> bool:
        tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
        return self._etag in tags or tags == ["*"]


class ChunkedResponse(Response):
    """Sends a large body in chunks, each when the client has read most of the last: the server buffers only one."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - an ASGI app
        """Send the response."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        for start in range(0, len(self.body), CHUNK_BYTES):
            end = start + CHUNK_BYTES
            chunk = {"body": self.body[start:end], "more_body": end < len(self.body)}
            await send({"type": "http.response.body", **chunk})
