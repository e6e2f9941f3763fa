#!/bin/sh
# Builds the container image with docker, podman or buildah, whichever is installed and works.
#   sh deploy/build_image.sh TAG [OPTION OF THE BUILD ...]
# BUILDER=podman chooses one, BASE_IMAGE=python:3.13-slim@sha256:... another base, MODEL=cnn the model in the labels.
set -eu
cd "$(dirname "$0")/.."
tag=$1
shift

find_builder() {
    if docker info >/dev/null 2>&1; then echo docker
    elif command -v podman >/dev/null; then echo podman
    elif command -v buildah >/dev/null; then echo buildah
    else echo "make: docker, podman and buildah are missing. Install one of them, or start docker." >&2; exit 1
    fi
}

builder=${BUILDER:-$(find_builder)}
[ "$builder" = docker ] || set -- --format docker "$@" # OCI's own format has no health check
contract=weights/${MODEL:-cnn-transformer}/contract.json
model=${contract%/*}/$(sed -n 's/^  "serves": "\(.*\)",$/\1/p' "$contract")
exec "$builder" build --tag "$tag" ${BASE_IMAGE:+--build-arg BASE_IMAGE="$BASE_IMAGE"} \
    --build-arg VERSION="$(sed -n 's/^__version__ = "\(.*\)"/\1/p' service/__init__.py)" \
    --build-arg REVISION="$(git describe --always --abbrev=40 --dirty --exclude "*" 2>/dev/null || echo unknown)" \
    --build-arg MODEL_SHA256="$(sha256sum "$model" | cut -d ' ' -f 1)" "$@" .
