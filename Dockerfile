ARG BASE_IMAGE=python:3.13-slim

FROM ${BASE_IMAGE} AS build
COPY requirements-serve.txt .
RUN python3 -m venv /opt/venv \
    && /opt/venv/bin/python -m pip install --no-cache-dir --no-deps --require-hashes --requirement requirements-serve.txt \
    && /opt/venv/bin/python -m pip uninstall --yes --quiet pip setuptools
# A read-only container could not keep byte code, and would compile it at every start.
COPY service /app/service
RUN python3 -m compileall -q /app/service

FROM ${BASE_IMAGE}
ARG VERSION=unknown
LABEL org.opencontainers.image.title=digit-service org.opencontainers.image.version=${VERSION}
RUN useradd --uid 1000 --create-home appuser
COPY --from=build /opt/venv /opt/venv
WORKDIR /app
COPY weights weights
COPY --from=build /app/service service
ENV PATH=/opt/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER appuser
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=10s --retries=3 \
    CMD ["python3", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ.get('PORT', '8000') + '/health', timeout=9)"]
CMD ["env", "--block-signal=TERM,INT", "python3", "-m", "service"]
