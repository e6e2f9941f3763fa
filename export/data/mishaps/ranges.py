"""The parameters of the mishaps: one set to train and tune with, another to evaluate with."""

from dataclasses import dataclass

Range = tuple[float, float]


@dataclass(frozen=True)
class Ranges:
    """Lowest and highest value of each parameter. Sizes are in pixels, shares are of the digit's height if not said.

    Patterns name the textures of a table, as `paper.table` draws them.
    """

    crop_threshold: Range  # gray levels that `findContours` counts as ink
    crop_scale: Range  # of an enlarged crop
    square_side: Range  # of a stretched crop
    small_side: Range  # longer side of a digit that is small on a 28 x 28 canvas
    page_side: Range  # longer side of a large page
    digit_height: Range  # on a drawing, a form or a photo
    page_scale: Range  # image side, in digit heights
    box_side: Range  # of a printed box, in digit heights
    box_count: Range  # boxes of a form
    line_width: Range
    line_gap: Range  # between the lines of ruled paper, in digit heights
    line_contrast: Range  # of a printed line, 0 to 1
    skew: Range  # of the paper, in degrees
    shadow: Range  # brightness in the shadow, 0 to 1
    shadow_blur: Range  # of its edge
    glare: Range  # of the light that is added, 0 to 1
    pattern_size: Range  # of a table, in pixels
    patterns: tuple[str, ...]
    thick_weight: Range  # added to each side of a stroke
    turn: Range  # degrees, to either side
    specks: Range  # their number
    impulse_share: Range  # of the pixels
    noise: Range  # standard deviation in gray levels
    stripe: Range  # width of a stripe, share of the image
    outline_width: Range
    faint: Range  # contrast of faint ink, 0 to 1
    blur: Range  # radius, share of the digit's height
    mark_gap: Range  # between the digit and a circle or a sign
    mark_width: Range  # of their lines
    sign_height: Range


TRAIN = Ranges(
    crop_threshold=(0, 90),
    crop_scale=(2, 9),
    square_side=(16, 80),
    small_side=(8, 18),
    page_side=(1000, 2000),
    digit_height=(60, 150),
    page_scale=(2.0, 4.0),
    box_side=(1.35, 2.2),
    box_count=(3, 7),
    line_width=(1, 3),
    line_gap=(0.35, 1.1),
    line_contrast=(0.25, 0.8),
    skew=(0, 2),
    shadow=(0.4, 0.75),
    shadow_blur=(0, 5),
    glare=(0.3, 0.7),
    pattern_size=(6, 24),
    patterns=("checks", "stripes", "grain"),
    thick_weight=(0.04, 0.08),
    turn=(10, 25),
    specks=(10, 60),
    impulse_share=(0.03, 0.18),
    noise=(10, 35),
    stripe=(0.06, 0.24),
    outline_width=(1, 2),
    faint=(0.1, 0.25),
    blur=(0.02, 0.07),
    mark_gap=(0.2, 0.4),
    mark_width=(0.05, 0.09),
    sign_height=(0.35, 0.55),
)

EVAL = Ranges(
    crop_threshold=(20, 127),
    crop_scale=(1.5, 12),
    square_side=(20, 120),
    small_side=(9, 16),
    page_side=(1200, 2400),
    digit_height=(50, 170),
    page_scale=(1.8, 4.5),
    box_side=(1.3, 2.5),
    box_count=(2, 8),
    line_width=(1, 4),
    line_gap=(0.3, 1.3),
    line_contrast=(0.2, 0.9),
    skew=(0, 3),
    shadow=(0.35, 0.7),
    shadow_blur=(0, 8),
    glare=(0.35, 0.75),
    pattern_size=(5, 30),
    patterns=("dots", "weave", "waves"),
    thick_weight=(0.05, 0.09),
    turn=(15, 25),
    specks=(15, 80),
    impulse_share=(0.05, 0.2),
    noise=(15, 40),
    stripe=(0.05, 0.25),
    outline_width=(1, 3),
    faint=(0.09, 0.2),
    blur=(0.03, 0.08),
    mark_gap=(0.15, 0.45),
    mark_width=(0.04, 0.1),
    sign_height=(0.3, 0.6),
)
