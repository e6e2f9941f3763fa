"""What schemathesis sends where the description asks for an image: it cannot invent one that shows a digit."""

import base64

import schemathesis
from hypothesis import strategies

from tests.images import SEVEN, encode

PNG = encode(SEVEN)
JPEG = encode(SEVEN, "JPEG")

schemathesis.openapi.media_type("image/png", strategies.just(PNG))
schemathesis.openapi.media_type("image/jpeg", strategies.just(JPEG))
schemathesis.openapi.format(
    "byte", strategies.sampled_from([base64.b64encode(image).decode() for image in (PNG, JPEG)])
)
