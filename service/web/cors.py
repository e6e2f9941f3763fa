"""Cross-origin requests: which pages may call the service."""

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response

from service.web.error_response import error_response

BODY_HEADERS = ("content-length", "content-type")


class CrossOriginMiddleware(CORSMiddleware):
    """Starlette's middleware, which rejects a preflight request as every request is rejected: `{"detail": …}`."""

    def preflight_response(self, request_headers: Headers) -> Response:
        """Respond to a preflight request; with 400 if its origin or its method is not allowed."""
        response = super().preflight_response(request_headers)
        if response.status_code < 400:
            return response
        headers = {name: value for name, value in response.headers.items() if name not in BODY_HEADERS}
        detail = f"{bytes(response.body).decode()}. Allowed methods: {', '.join(self.allow_methods)}."
        return error_response(response.status_code, detail, headers)
