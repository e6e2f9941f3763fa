#!/bin/sh
# Read a digit with curl: sh predict.sh IMAGE [URL]
# Sends the key in API_KEY, if it is set.
# Retries 503 up to three times, each after the seconds that the service asks for in Retry-After.
set -eu

image=${1:?"Name an image: sh predict.sh IMAGE [URL]"}
url=${2:-http://localhost:8000}

fail() {
    echo "predict.sh: $1" >&2
    exit 1
}

[ -f "$image" ] || fail "$image is not a file."
body=$(mktemp)
trap 'rm -f "$body"' EXIT

# The type application/octet-stream lets the service judge by the bytes.
status=$(curl --silent --show-error --output "$body" --write-out '%{http_code}' \
    --connect-timeout 5 --max-time 30 --retry 3 --retry-max-time 60 \
    ${API_KEY:+--header "X-API-Key: $API_KEY"} \
    --header 'Content-Type: application/octet-stream' --data-binary "@$image" "${url%/}/predict") ||
    fail "no response from $url. Is the service running?"

[ "$status" = 200 ] || fail "$status $(cat "$body")"
cat "$body"
echo
