"""`/predict-number` reads all digits of a line; `/predict-image?explain=true` says what the network saw and where."""

import base64
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps
from starlette.testclient import TestClient

from tests.images import SEVEN, encode, line_of

NUMBERS = ["407", "10", "2024", "358", "96", "7" * 32]


def post(client: TestClient, image: Image.Image, image_format: str = "PNG") -> dict[str, Any]:
    response = client.post("/predict-number", files={"file": ("number", encode(image, image_format))})
    assert response.status_code == 200
    return dict(response.json())


@pytest.mark.parametrize("number", NUMBERS)
def test_number_is_read_from_left_to_right(client: TestClient, number: str) -> None:
    """Respond with the number, the product of the confidences, and one entry per digit."""
    response = post(client, line_of(number))
    assert response["number"] == number
    assert [digit["digit"] for digit in response["digits"]] == [int(digit) for digit in number]
    assert [digit.keys() for digit in response["digits"]] == [{"digit", "confidence", "box"}] * len(number)
    product = np.prod([digit["confidence"] for digit in response["digits"]])
    assert response["confidence"] == pytest.approx(product, abs=2e-3)


def tight_crop(number: str, gap: int = 30) -> Image.Image:
    """Crop a line to its ink: every digit lies along the border."""
    line = line_of(number, gap)
    return line.crop(ImageOps.invert(line).getbbox())


@pytest.mark.parametrize("gap", [8, 60])
@pytest.mark.parametrize("number", ["407", "10", "2024", "35", "96"])
def test_tight_crop_is_read(client: TestClient, number: str, gap: int) -> None:
    """Read all digits of a line without a margin, on paper and on a blackboard."""
    crop = tight_crop(number, gap)
    assert post(client, crop)["number"] == number
    assert post(client, ImageOps.invert(crop))["number"] == number


@pytest.mark.parametrize("pen", [1, 2, 4, 8])
@pytest.mark.parametrize("number", ["417", "11", "4741"])
def test_thin_pen_is_read(client: TestClient, number: str, pen: int) -> None:
    """Read digits of 150 pixels, drawn with a pen of a few pixels, with confidence."""
    response = post(client, _straight_lines(number, pen))
    assert response["number"] == number
    assert response["confidence"] > 0.5


def _straight_lines(number: str, pen: int) -> Image.Image:
    """Draw digits that have only straight strokes: 1, 4 and 7."""
    strokes = {
        "1": [[(0, 0), (0, 150)]],
        "4": [[(55, 0), (0, 95), (90, 95)], [(65, 50), (65, 150)]],
        "7": [[(0, 0), (90, 0), (40, 150)]],
    }
    page = Image.new("L", (140 * len(number) + 60, 250), 255)
    for index, digit in enumerate(number):
        for points in strokes[digit]:
            ImageDraw.Draw(page).line([(60 + 140 * index + x, 50 + y) for x, y in points], 20, pen)
    return page


def test_image_may_be_the_body(client: TestClient) -> None:
    """Accept an image as the body, as `/predict` does."""
    response = client.post("/predict-number", content=encode(line_of("42")), headers={"Content-Type": "image/png"})
    assert response.json()["number"] == "42"


@pytest.mark.parametrize("scale", [1, 5])
def test_boxes_are_in_pixels_of_the_image(client: TestClient, scale: int) -> None:
    """Give left, top, width and height of each digit in pixels of the image as it was sent, however large."""
    line = line_of("407", gap=40)
    ink = np.asarray(line) < 128
    response = post(client, line.resize((line.width * scale, line.height * scale)))
    for digit in response["digits"]:
        left, top, width, height = (round(side / scale) for side in digit["box"])
        inside = ink[max(0, top - 3) : top + height + 3, max(0, left - 3) : left + width + 3]
        columns = np.flatnonzero(inside.any(axis=0))
        assert abs(columns[-1] - columns[0] + 1 - width) <= 4
    lefts = [digit["box"][0] for digit in response["digits"]]
    assert lefts == sorted(lefts)


@pytest.mark.parametrize(("elongation", "number"), [(120, "407"), (140, "0")])
def test_no_line_is_searched_in_a_long_strip(client: TestClient, elongation: int, number: str) -> None:
    """Read the most prominent digit of a strip that is longer than any line of digits."""
    line = line_of("407")
    strip = Image.new("L", (elongation * line.height // 2, line.height // 2), 255)
    strip.paste(line.crop((0, line.height // 4, line.width, line.height * 3 // 4)))
    assert post(client, strip)["number"] == number


@pytest.mark.parametrize(("orientation", "turn"), [(6, Image.Transpose.ROTATE_90), (3, Image.Transpose.ROTATE_180)])
def test_boxes_are_those_of_the_upright_image(client: TestClient, orientation: int, turn: Image.Transpose) -> None:
    """Read a photo that its EXIF data turns, and give the same boxes as for the upright one."""
    line = line_of("407").resize((1_600, 1_000))
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = BytesIO()
    line.transpose(turn).save(file, "JPEG", exif=exif)
    turned = client.post("/predict-number", files={"file": ("number", file.getvalue())}).json()
    upright = post(client, line, "JPEG")
    assert turned["number"] == upright["number"] == "407"
    for one, other in zip(turned["digits"], upright["digits"], strict=True):
        assert np.abs(np.array(one["box"]) - other["box"]).max() <= 16


def test_one_digit_gets_the_prediction_of_predict(client: TestClient) -> None:
    """Respond with the same digit and confidence as `/predict`."""
    single = client.post("/predict", files={"file": ("seven", encode(SEVEN))}).json()
    response = post(client, SEVEN)
    assert response["number"] == str(single["digit"])
    assert response["confidence"] == response["digits"][0]["confidence"] == single["confidence"]


@pytest.mark.parametrize("left", [False, True])
def test_edge_of_the_page_is_no_digit(client: TestClient, left: bool) -> None:
    """Read one digit beside a dark stripe along the border, as high as the image, as `/predict` does."""
    image = line_of("4")
    ImageDraw.Draw(image).rectangle((0, 0, 12, image.height) if left else (image.width - 12, 0, image.width, 999), 60)
    single = client.post("/predict", files={"file": ("four", encode(image))}).json()
    response = post(client, image)
    assert (response["number"], response["confidence"]) == ("4", single["confidence"])


def test_dots_and_dashes_are_left_out(client: TestClient) -> None:
    """Read a date without the dots between its numbers."""
    date = np.asarray(line_of("3105", gap=60)).copy()
    for left in (160, 290):
        date[138:146, left : left + 8] = 0
    assert post(client, Image.fromarray(date))["number"] == "3105"


@pytest.mark.parametrize("scale", [0.5, 1, 3])
@pytest.mark.parametrize("pen", [1, 2, 4, 6])
@pytest.mark.parametrize("number", ["4075", "40213"])
def test_digits_in_boxes_are_read(client: TestClient, number: str, pen: int, scale: float) -> None:
    """Read a post code in the printed boxes of a form, which share their sides."""
    code = np.asarray(line_of(number, gap=50)).copy()
    columns = np.flatnonzero((code < 128).any(axis=0))
    groups = np.split(columns, np.flatnonzero(np.diff(columns) > 1) + 1)
    edges = [int(groups[0][0]) - 25, *(int(group[-1]) + 25 for group in groups)]
    for edge in edges:
        code[25:175, edge : edge + pen] = 90
    for top in (25, 175 - pen):
        code[top : top + pen, edges[0] : edges[-1] + pen] = 90
    size = (round(scale * code.shape[1]), round(scale * code.shape[0]))
    response = post(client, Image.fromarray(code).resize(size))
    assert response["number"] == number
    assert response["confidence"] > 0.5


def test_one_tall_digit_is_kept(client: TestClient) -> None:
    """Read a 1 that is higher than the digit beside it at both ends."""
    page = Image.new("L", (300, 200), 255)
    page.paste(line_of("4").crop((40, 50, 160, 150)), (20, 50))
    ImageDraw.Draw(page).line((210, 20, 210, 180), 0, 10)
    assert post(client, page)["number"] == "41"


def test_too_many_digits_are_rejected(client: TestClient) -> None:
    """Say how many digits are allowed."""
    response = client.post("/predict-number", files={"file": ("number", encode(line_of("7" * 33)))})
    assert response.status_code == 400
    assert "more than 32 digits" in response.json()["detail"]


def test_blank_image_is_rejected(client: TestClient) -> None:
    """Respond as `/predict` does."""
    blank = encode(SEVEN.point(lambda _: 255))
    response = client.post("/predict-number", files={"file": ("number", blank)})
    assert response.status_code == 400
    assert "no digit found" in response.json()["detail"]


@pytest.mark.parametrize("number", ["42", "407", "1999"])
@pytest.mark.parametrize("gap", [8, 30, 90])
def test_one_of_several_digits_gets_a_low_confidence(client: TestClient, number: str, gap: int) -> None:
    """Answer `/predict` with one of the digits, but not with a confidence above 0.9, also without a margin."""
    for image in (line_of(number, gap), tight_crop(number, gap)):
        response = client.post("/predict", files={"file": ("number", encode(image))}).json()
        assert response["confidence"] <= 0.9


def test_explanation_shows_what_the_network_saw_and_where(client: TestClient) -> None:
    """Add the 28 x 28 input as a PNG data URL, and the digit's box, if the query asks for them."""
    files = {"image": ("seven", encode(SEVEN))}
    explained = client.post("/predict-image?explain=true", files=files).json()
    plain = client.post("/predict-image", files=files).json()
    assert explained.keys() == {*plain.keys(), "input", "box"}
    assert {key: explained[key] for key in plain} == plain
    kind, _, data = explained["input"].partition(",")
    image = Image.open(BytesIO(base64.b64decode(data)))
    assert (kind, image.size, image.mode) == ("data:image/png;base64", (28, 28), "L")
    assert image.getextrema() == (0, 255)
    assert np.abs(np.array(explained["box"]) - [34, 21, 52, 82]).max() <= 1


@pytest.mark.parametrize("number", ["7", "407"])
def test_explanation_shows_what_the_network_saw_of_each_digit(client: TestClient, number: str) -> None:
    """Add each digit's probabilities and 28 x 28 input to `/predict-number`, if the query asks for them."""
    image = encode(line_of(number))
    explained = client.post("/predict-number?explain=true", files={"file": ("number", image)}).json()
    plain = client.post("/predict-number", files={"file": ("number", image)}).json()
    assert explained["number"] == plain["number"] == number
    for digit, unexplained in zip(explained["digits"], plain["digits"], strict=True):
        assert digit.keys() == {"digit", "confidence", "box", "probabilities", "input"}
        assert {key: digit[key] for key in unexplained} == unexplained
        assert digit["probabilities"][digit["digit"]] == digit["confidence"]
        assert Image.open(BytesIO(base64.b64decode(digit["input"].partition(",")[2]))).size == (28, 28)


@pytest.mark.parametrize("query", ["", "?explain=false", "?explain=", "?other=true"])
def test_no_key_is_added_unasked(client: TestClient, query: str) -> None:
    """Respond with the usual keys."""
    response = client.post(f"/predict-image{query}", files={"image": ("seven", encode(SEVEN))})
    assert response.json().keys() == {"digit", "confidence", "probabilities"}
