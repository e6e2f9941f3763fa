# Pin it by digest for builds that can be repeated: python:3.13-slim@sha256:...
ARG BASE_IMAGE=python:3.13-slim

FROM ${BASE_IMAGE} AS build
RUN command -v strip \
    || { apt-get update -qq && apt-get install --yes -qq --no-install-recommends binutils; } \
    || echo "No strip: the libraries keep their symbols, and the image is some megabytes larger."
COPY requirements-serve.txt .
RUN python3 -m venv /opt/venv \
    && /opt/venv/bin/python -m pip install --no-cache-dir --no-compile --no-deps --require-hashes \
        --requirement requirements-serve.txt \
    && /opt/venv/bin/python -m pip uninstall --yes --quiet pip setuptools
WORKDIR /build
COPY weights weights
COPY service service
COPY examples examples
COPY deploy deploy
# Copies what serving needs to /image, and fails unless the copy serves the examples.
RUN /opt/venv/bin/python -m deploy.prune /image

FROM ${BASE_IMAGE}
ARG BASE_IMAGE
ARG VERSION=unknown
ARG REVISION=unknown
ARG MODEL_SHA256=unknown
LABEL org.opencontainers.image.title=digit-service \
    org.opencontainers.image.description="Reads handwritten digits over HTTP" \
    org.opencontainers.image.version=${VERSION} \
    org.opencontainers.image.revision=${REVISION} \
    org.opencontainers.image.base.name=${BASE_IMAGE} \
    digit-service.model.sha256=${MODEL_SHA256}
COPY --from=build /image /
WORKDIR /app
ENV PATH=/opt/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 1000:1000
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=10s --start-period=10s --retries=3 \
    CMD ["python3", "-I", "-S", "-E", "/app/probe.py"]
CMD ["env", "--block-signal=TERM,INT", "python3", "-m", "service"]
