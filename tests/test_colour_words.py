"""Colours in instructions: each form is exact, and is read back to the same colour."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ImageColor

from sgt_data.errors import AnnotationError
from sgt_data.prompts.colour_words import colour_text, named_colours, parse_colour
from sgt_data.segmentation.drawn_colours import drawn_colours

LEVEL = st.integers(0, 255)


@given(st.tuples(LEVEL, LEVEL, LEVEL), st.sampled_from(["hex", "levels", "name"]))
def test_every_form_of_a_colour_is_read_back(colour: tuple[int, int, int], form: str) -> None:
    assert parse_colour(colour_text(colour, form)) == colour  # type: ignore[arg-type]


def test_names_are_those_of_css_and_each_is_its_very_colour() -> None:
    assert len(named_colours()) == 135
    for colour, name in named_colours().items():
        assert parse_colour(colour_text(colour, "name")) == colour
        assert ImageColor.getrgb(name.replace(" ", "")) == colour


def test_names_of_two_meanings_are_read_as_css_has_them_and_never_written() -> None:
    for name in ("gray", "green", "maroon", "purple"):  # X11 has other colours of these names
        colour = parse_colour(name)
        assert colour == ImageColor.getrgb(name)
        assert colour_text(colour, "name").startswith("#")


@pytest.mark.parametrize("text", ["#80408", "(1, 2, 256)", "reddish", "", "(1, 2)"])
def test_what_writes_no_colour_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"colour|level"):
        parse_colour(text)


def test_drawn_colours_keep_their_distance_from_each_other_and_from_the_background() -> None:
    black = np.zeros((1, 3), np.uint8)
    for seed in range(50):
        colours = drawn_colours(12, np.random.default_rng(seed), 64.0, black)
        every = np.concatenate((black, colours)).astype(float)
        gaps = np.sqrt(((every[:, None] - every[None]) ** 2).sum(2))
        assert gaps[~np.eye(13, dtype=bool)].min() >= 64
    with pytest.raises(AnnotationError, match="no colour is 200 levels"):
        drawn_colours(20, np.random.default_rng(0), 200.0, black)
