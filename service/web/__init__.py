"""HTTP: routes, request bodies and error responses, on Starlette."""
