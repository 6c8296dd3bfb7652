"""Target, facts and words of a legend sample, from what is painted and what is named besides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, get_args

import numpy as np

from sgt_data.errors import AnnotationError
from sgt_data.foreign_errors import in_words
from sgt_data.legends.colours import Background, DrawnColour, draw_legend_colours
from sgt_data.legends.painted import LegendMap
from sgt_data.legends.reader import read_instruction
from sgt_data.legends.text import LegendForm, Scope, Written, write_legend
from sgt_data.prompts.colour_words import ColourForm, colour_text
from sgt_data.records import Category, DrawnTarget
from sgt_data.segmentation.target_png import encode_target

ColourForms = Literal["hex", "levels", "name", "mixed"]
"""The form of all colours of a legend, or another form for each."""

_Option = TypeVar("_Option", bound=str)


@dataclass(frozen=True, slots=True)
class Look:
    """How legends look.

    Attributes:
        background: colour of what a legend does not name.
        distance: least distance between two colours, RGB levels.
        forms: weights of the structures.
        colour_forms: weights of the forms of colours.
    """

    background: Background
    distance: float
    forms: Mapping[LegendForm, float]
    colour_forms: Mapping[ColourForms, float]


@dataclass(frozen=True, slots=True)
class Named:
    """What an entry of a legend names.

    Attributes:
        category: its category.
        name: in the instruction's words.
        scope: what the name means.
        label: in the target; 0 where the picture shows none.
    """

    category: Category
    name: str
    scope: Scope
    label: int


def draw_target(
    painted: LegendMap,
    absent: Sequence[Named],
    look: Look,
    vocabulary: Mapping[int, Category],
    rng: np.random.Generator,
) -> DrawnTarget:
    """Draw a target, whose facts lack what the proxy itself states.

    The order of the entries is random, so that the place of an entry says nothing.

    Args:
        painted: what the picture shows of the legend.
        absent: what it does not show; with `painted` at least one entry.
        look: how the legend looks.
        vocabulary: the source's categories by id.
        rng: draws order, forms and colours.
    """
    named = [
        *(
            Named(part.category, part.name, part.scope, label)
            for label, part in enumerate(painted.parts, 1)
        ),
        *absent,
    ]
    named = [named[place] for place in rng.permutation(len(named)).tolist()]
    form = _weighted(get_args(LegendForm), look.forms, rng)
    colour_form: ColourForms = _weighted(get_args(ColourForms), look.colour_forms, rng)
    forms = [_form(colour_form, rng) for _ in range(len(named) + 1)]
    background, *colours = draw_legend_colours(forms, look.background, look.distance, rng)
    words = _words(form, named, colours, background)
    table = np.zeros((len(painted.parts) + 1, 3), np.uint8)
    for entry, colour in zip(named, colours, strict=True):
        table[entry.label] = colour.rgb
    facts = {
        "unlabelled": list(background.rgb),
        "legend": {
            "form": form,
            "color_form": colour_form,
            "distance": look.distance,
            "background": {"color": list(background.rgb), "text": words["background"]},
            "entries": [
                _entry_facts(entry, colour) for entry, colour in zip(named, colours, strict=True)
            ],
        },
        "segments": painted.drawn.describe(painted.regions, table[1:], vocabulary),
    }
    return DrawnTarget(
        encode_target(painted.labels, table[1:], background.rgb), "png", facts,
        segments=len(painted.parts),
        categories=tuple(sorted({part.category.name for part in painted.parts})), words=words,
    )  # fmt: skip


def _words(
    form: LegendForm,
    named: Sequence[Named],
    colours: Sequence[DrawnColour],
    background: DrawnColour,
) -> dict[str, str]:
    """The legend and its background as texts, which are read again at once.

    Raises:
        AnnotationError: they are not read as they were meant.
    """
    written = [
        Written(entry.name, entry.scope, colour.rgb, colour.form)
        for entry, colour in zip(named, colours, strict=True)
    ]
    words = {
        "legend": write_legend(form, written),
        "background": colour_text(background.rgb, background.form),
    }
    try:
        read = read_instruction(f"{words['legend']} The background is {words['background']}.")
    except ValueError as why:
        raise AnnotationError(f"its legend cannot be read back: {in_words(why)}") from why
    meant = {entry.name: entry.colour for entry in written}
    if (dict(read.colours), read.background) != (meant, background.rgb):
        raise AnnotationError("its legend is not read back as it was written")
    return words


def _entry_facts(entry: Named, colour: DrawnColour) -> dict[str, Any]:
    return {
        "label": entry.label,
        "color": list(colour.rgb),
        "name": entry.name,
        "category_id": entry.category.id,
        "category": entry.category.name,
        "present": entry.label > 0,
        "individual": entry.scope == "individual",
        "color_form": colour.form,
    }


def _form(colour_form: ColourForms, rng: np.random.Generator) -> ColourForm:
    if colour_form != "mixed":
        return colour_form
    options: tuple[ColourForm, ...] = get_args(ColourForm)
    return options[int(rng.integers(len(options)))]


def _weighted(
    options: Sequence[_Option], weights: Mapping[_Option, float], rng: np.random.Generator
) -> _Option:
    """An option by weight; those without a weight are not drawn."""
    bounds = np.cumsum([weights.get(option, 0.0) for option in options])
    return options[int(np.searchsorted(bounds, rng.random() * bounds[-1], side="right"))]
