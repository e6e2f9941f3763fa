"""The sections of docs/gallery.md: which pictures they show, and why some are misread."""

from collections.abc import Sequence
from dataclasses import dataclass

from docs.draw_alternatives import code_in_boxes, date_with_dots, house_number
from docs.gallery_pictures import Picture, blank, example, line, mishap, number, outlier, scene
from examples.draw import EXAMPLES
from export.data.mishaps.forms import FORMS
from export.data.outliers import EVAL_DRAWINGS

INTRODUCTION = """\
# Gallery

What the served `cnn-transformer` reads from pictures, right and wrong. Each cell of a contact sheet shows a picture,
the 28 x 28 input that the network saw, the answer with its confidence, and a name.

Programs drew all pictures. The digits are pen strokes in the forms of `export/data/strokes.py`, with random slant,
jitter and width; the network has learned from other drawings of the same forms. None is from MNIST. The
[model card](../weights/cnn-transformer/README.md) says how many of its digits are misread.

`python -m docs.draw_gallery` reads all pictures again and writes this page. A test compares the answers. The second
decimal of a confidence depends on the processor, and so does an answer with a low one."""


@dataclass(frozen=True)
class Section:
    """Pictures that are shown together.

    is_number: whether all digits of a line are read, as by `/predict-number`, or one, as by `/predict`.
    """

    key: str
    title: str
    text: str
    pictures: Sequence[Picture]
    is_number: bool = False

    @property
    def file(self) -> str:
        """The name of the contact sheet."""
        return f"gallery-{self.key}.png"

    @property
    def box(self) -> tuple[int, int]:
        """Width and height of each picture on the contact sheet."""
        return (166, 64) if self.is_number else (96, 96)


LONG_FLAG = "The flag of this 1 is as long as the roof of a 7 ([FAQ](faq.md#why-is-my-1-read-as-a-7))."

EXAMPLES_SECTION = Section(
    "examples",
    "Examples",
    "The files in [examples/](../examples).",
    [example(one.name) for one in EXAMPLES],
)

SCENES = Section(
    "scenes",
    "Drawings and photos",
    "The first ten pictures of the generator, not selected.",
    [scene(f"picture {seed}", seed) for seed in range(10)],
)

MISHAPS = Section(
    "mishaps",
    "Mishaps",
    """\
One picture of each form of mishap that `make evaluate` measures, not selected. Where the first reading is doubtful, the
input is an [alternative](preprocessing.md#alternatives) of it.""",
    [mishap(form, seed) for seed, form in enumerate(FORMS)],
)

NUMBERS = Section(
    "numbers",
    "Numbers",
    """\
Read as `/predict-number` reads them, with one input per digit. The first three are those of
[preprocessing](preprocessing.md#numbers). The other nine are not selected: a program wrote them with gaps, touching or
overlapping, each digit with another pen. Of two digits that overlap one is lost, often with a high confidence.""",
    [
        line("house number", "407", house_number),
        line("date", "241295", date_with_dots),
        line("code in boxes", "40213", code_in_boxes),
        number("line 0", 0),
        number("line 1", 1),
        number("line 2", 2, "The 3 and the first 6 overlap, and are read as one digit."),
        number("line 3", 3, "The 1 overlaps the 7."),
        number("line 4", 4),
        number("line 5", 5, "The second 1 overlaps the 7, and only the 0 is read."),
        number("line 6", 6),
        number("line 7", 7),
        number("line 8", 8),
    ],
    is_number=True,
)

OUTLIERS = Section(
    "outliers",
    "No digits",
    """\
Two pictures of each kind of outlier, not selected, and a blank page. A picture is rejected if nothing stands out in it.
Otherwise only a low confidence says that it shows no digit, and it is high if the picture resembles one.""",
    [
        *[outlier(f"{kind} {seed + 1}", kind, seed) for kind in EVAL_DRAWINGS for seed in range(2)],
        blank("blank page"),
    ],
)

ERRORS = Section(
    "errors",
    "Errors",
    """\
Selected from 1,860 mishaps (60 of each form) and 240 drawings and photos, of which 49 were misread, 33 of them a 1 as a
7. The last three are outliers with a high confidence, selected from 60 of each kind.""",
    [
        mishap("crop stretched to a square", 14, LONG_FLAG),
        mishap("stripes along edges", 47, LONG_FLAG),
        scene("photo", 148, "This 1 is bent like an arch."),
        mishap("thick pen", 42, "The flag of the 1 runs into its stem."),
        mishap("salt and pepper, 28 x 28", 53, "The filter against specks thins the strokes, and the loop opens."),
        mishap("outlines, 28 x 28", 12, "Both sides of the stem are taken for strokes."),
        mishap("page on a patterned table", 47, "The flag of the 1 is filled and looks like the loop of a 9."),
        mishap("crossed by a line", 33, "The line is taken for a part of the digit."),
        mishap("1.5 to 3% of a page", 42, "The digit is so small that nothing stands out from the page."),
        outlier("look-alike", "look-alikes", 0, "A q is written as many people write a 9."),
        outlier("shape", "shapes", 4, "A ring is a 0."),
        outlier("scribble", "scribbles", 24, "It has the strokes of a 6."),
    ],
)

SECTIONS = (EXAMPLES_SECTION, SCENES, MISHAPS, NUMBERS, OUTLIERS, ERRORS)
