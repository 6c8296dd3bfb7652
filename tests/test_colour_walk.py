"""The colour walk of metric depth is that of `hilbertmap`; every distance comes back from it."""

from __future__ import annotations

import hilbertmap
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sgt_data.geometry.colour_walk import (
    CORNERS,
    POINTS,
    fraction_of_metres,
    metres_of_fraction,
    walk_colours,
    walk_fractions,
    walk_table,
)

SHAPES = [(-3.0, 10 / 3), (-3.0, 1.0), (-2.0, 10 / 3), (-1.5, 40.0), (-8.0, 0.25)]


@pytest.mark.parametrize(("lam", "c"), SHAPES)
def test_colours_of_distances_are_those_of_hilbertmap(lam: float, c: float) -> None:
    metres = np.concatenate([[0.0], np.geomspace(1e-4, 1e5, 20_001)])
    theirs = hilbertmap.depth_to_rgb(metres, lam, c) * 255
    ours = walk_colours(fraction_of_metres(metres, lam, c))
    assert np.abs(ours - theirs).max() <= 0.5 + 1e-6


def test_every_point_of_the_walk_is_decoded_as_hilbertmap_decodes_it() -> None:
    table = walk_table()
    assert len(np.unique(table, axis=0)) == POINTS == 1786
    assert (np.abs(np.diff(table.astype(int), axis=0)).sum(axis=1) == 1).all()
    expected = np.arange(POINTS) / (POINTS - 1)
    assert (walk_fractions(table) == expected).all()
    assert np.abs(hilbertmap.project(table / 255) - expected).max() < 1e-12
    assert [tuple(table[255 * at].tolist()) for at in range(8)] == [rgb for _, rgb in CORNERS]


def nearest(rgb: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Squared distance of colours to the nearest point of the walk, by looking at all points."""
    apart = rgb[:, None].astype(np.int64) - walk_table()[None].astype(np.int64)
    return (apart**2).sum(axis=-1).min(axis=-1)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_any_colour_is_projected_onto_the_nearest_point(seed: int) -> None:
    rgb = np.random.default_rng(seed).integers(0, 256, (200, 3), np.uint8)
    ours = walk_fractions(rgb)
    apart = rgb.astype(np.int64) - walk_colours(ours).astype(np.int64)
    assert ((apart**2).sum(axis=-1) == nearest(rgb)).all()
    # hilbertmap's floats break ties between two edges either way
    tied = np.abs(ours - hilbertmap.project(rgb / 255)) > 1e-9
    theirs = walk_colours(hilbertmap.project(rgb[tied] / 255)).astype(np.int64)
    assert (((rgb[tied].astype(np.int64) - theirs) ** 2).sum(axis=-1) == nearest(rgb[tied])).all()
    assert tied.mean() < 0.05


@pytest.mark.parametrize(("lam", "c"), SHAPES)
def test_fractions_and_metres_are_inverse_and_reach_both_ends(lam: float, c: float) -> None:
    metres = c * np.geomspace(1e-3, 10, 1000)
    fractions = fraction_of_metres(metres, lam, c)
    assert (np.diff(fractions) > 0).all() and fractions[0] > 0 and fractions[-1] < 1
    assert metres_of_fraction(fractions, lam, c) == pytest.approx(metres, rel=1e-6)
    ends = fraction_of_metres(np.array([0.0, np.inf, np.nan]), lam, c)
    assert ends[:2].tolist() == [0, 1] and np.isnan(ends[2])
    assert metres_of_fraction(np.array([0.0, 1.0]), lam, c).tolist() == [0, np.inf]


def test_a_shape_and_leading_axes_are_kept() -> None:
    fractions = np.linspace(0, 1, 24).reshape(2, 3, 4)
    colours = walk_colours(fractions)
    assert colours.shape == (2, 3, 4, 3) and colours.dtype == np.uint8
    assert np.abs(walk_fractions(colours) - fractions).max() <= 0.5 / (POINTS - 1) + 1e-12
    assert walk_fractions(colours[::-1, :, ::2]).shape == (2, 3, 2)
