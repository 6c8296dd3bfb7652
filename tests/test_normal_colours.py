"""Normals as colours: what a colour states, and how far rounding can move a vector."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgt_data.errors import RequestError
from sgt_data.pictures.normal_colours import (
    CONVENTIONS,
    ROUNDING,
    colours_of_normals,
    directions_of,
    is_unit_colour,
    normals_of_colours,
)

_component = st.floats(-1, 1, width=32)


def _every_colour() -> np.ndarray:
    """All colours [256 * 256, 256, 3]."""
    return np.stack(np.meshgrid(*3 * [np.arange(256, dtype=np.uint8)], indexing="ij"), -1).reshape(
        65536, 256, 3
    )


def _degrees(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    cosine = np.einsum("...k,...k", left.astype(np.float64), right.astype(np.float64))
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))


def test_axes_have_the_colours_of_the_stated_rule() -> None:
    axes = np.array([[[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, 0, 1]]], np.float32)
    assert colours_of_normals(axes).tolist() == [
        [[255, 128, 128], [0, 128, 128], [128, 255, 128], [128, 128, 255]]
    ]
    assert colours_of_normals(axes, "dsine")[0, 0].tolist() == [0, 128, 128]
    assert directions_of("nyuv2") == ("left", "up", "towards the viewer")
    assert directions_of(("right", "down", "towards the viewer"))[1] == "down"


@given(x=_component, y=_component, z=_component)
def test_rounding_moves_a_vector_by_less_than_0_4_degrees(x: float, y: float, z: float) -> None:
    length = float(np.sqrt(x * x + y * y + z * z))
    if length < 1e-3:
        return
    vectors = np.array([[[x, y, z]]]) / length
    for convention in CONVENTIONS:
        colours = colours_of_normals(vectors.astype(np.float32), convention)
        assert is_unit_colour(colours).all()
        decoded = normals_of_colours(colours, convention)
        assert float(_degrees(decoded, vectors).max()) <= np.degrees(ROUNDING) + 1e-4


def test_every_colour_decodes_to_a_unit_vector_or_to_none_near_black() -> None:
    rgb = _every_colour()[::3]
    vectors = normals_of_colours(rgb)
    none = np.isnan(vectors).any(axis=-1)
    assert np.allclose(np.linalg.norm(vectors[~none], axis=-1), 1, atol=1e-6)
    stated = rgb.astype(float) / 127.5 - 1
    nearer_to_black = np.linalg.norm(stated + 1, axis=-1) < abs(np.linalg.norm(stated, axis=-1) - 1)
    assert (none == nearer_to_black).all()
    assert none[0, 0]
    assert not (none & is_unit_colour(rgb)).any()


def test_unknown_conventions_and_directions_are_refused() -> None:
    with pytest.raises(RequestError, match=r"convention: .*marigld.*marigold"):
        directions_of("marigld")  # type: ignore[arg-type]
    with pytest.raises(RequestError, match="allowed: right, left"):
        directions_of(("up", "up", "towards the viewer"))
    with pytest.raises(RequestError, match="found 1 directions"):
        directions_of(("up",))
