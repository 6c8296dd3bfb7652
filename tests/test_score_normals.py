"""Drawn surface normals: angles against the dot product, pooled over pixels as numpy does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from painted import rng

from sgt_data.errors import CorpusError
from sgt_data.geometry.axes_text import axes_text
from sgt_data.pictures.normal_colours import colours_of_normals, directions_of
from sgt_data.pictures.rgb_png import encode_rgb
from sgt_data.scoring.dense_measures import dense_measure
from sgt_data.scoring.measure import ScoredSample
from sgt_data.scoring.normals_measure import BIN, NormalsMeasure

Vectors = NDArray[np.float32]


def vectors(seed: int, shape: tuple[int, int] = (24, 33), gaps: bool = True) -> Vectors:
    """Unit vectors that face the viewer, with a corner that has none."""
    drawn = rng(seed).normal(size=(*shape, 3))
    drawn[..., 2] = np.abs(drawn[..., 2]) + 0.1
    drawn /= np.linalg.norm(drawn, axis=-1, keepdims=True)
    if gaps:
        drawn[:5, :7] = np.nan
    return drawn.astype(np.float32)


def sample_of(normals: Vectors, convention: Any = "ours") -> ScoredSample:
    directions = directions_of(convention)
    facts = {
        "type": "normals",
        "size": {"width": normals.shape[1], "height": normals.shape[0]},
        "directions": dict(zip(("red", "green", "blue"), directions, strict=True)),
        "convention": convention if isinstance(convention, str) else "stated",
        "invalid_color": [0, 0, 0],
        "instruction": {"words": {"axes": axes_text(directions, rng())}},
    }
    return ScoredSample("k", encode_rgb(colours_of_normals(normals, convention)), facts)


def slow_angles(drawn: NDArray[np.uint8], target: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Degrees at the pixels whose target is not black, by the dot product."""
    counts = target.any(axis=-1)
    first, second = (each[counts] / 127.5 - 1 for each in (drawn, target))
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    return np.asarray(np.degrees(np.arccos(np.clip((first * second).sum(1) / lengths, -1, 1))))


@pytest.mark.parametrize("convention", ["ours", "dsine", ("left", "down", "away from the viewer")])
def test_angles_are_pooled_over_the_pixels_of_all_pictures(convention: Any) -> None:
    rows, angles, measure = [], [], NormalsMeasure()
    for seed, shape in ((0, (24, 33)), (1, (12, 9)), (2, (40, 8))):
        target = vectors(seed, shape)
        noisy = vectors(seed, shape, gaps=False) + rng(seed).normal(scale=0.3, size=(*shape, 3))
        noisy /= np.linalg.norm(noisy, axis=-1, keepdims=True)
        drawing = colours_of_normals(noisy.astype(np.float32), convention)
        rows.append(measure.picture(drawing, sample_of(target, convention)))
        angles.append(slow_angles(drawing, colours_of_normals(target, convention)))
    pooled = np.concatenate(angles)
    overall = measure.overall(rows, 0)
    assert overall["mean angle"].value == pytest.approx(pooled.mean(), abs=1e-3)
    assert overall["median angle"].value == pytest.approx(np.median(pooled), abs=BIN)
    for degrees in (11.25, 22.5, 30):
        assert overall[f"below {degrees:g}"].value == pytest.approx((pooled < degrees).mean())
    assert overall["mean angle"].low < overall["mean angle"].value < overall["mean angle"].high


def test_an_interval_resamples_pictures_with_all_their_pixels() -> None:
    """Of two pictures, a quarter of the resamples is the one alone, a quarter the other."""
    target, measure = vectors(0, gaps=False), NormalsMeasure()
    sample = sample_of(target)
    good = measure.picture(colours_of_normals(target), sample)
    overall = measure.overall([good, measure.absent(sample)], 0)
    ends = [(overall[name].low, overall[name].high) for name in ("mean angle", "median angle")]
    assert ends == [(0, 180), (0, 180)]
    assert (overall["below 30"].low, overall["below 30"].high) == (0, 1)


def test_a_copy_is_faultless_and_a_missing_drawing_points_away() -> None:
    target = vectors(0)
    sample = sample_of(target)
    measure = dense_measure(sample.facts)
    copy, absent = measure.picture(colours_of_normals(target), sample), measure.absent(sample)
    best, worst = measure.overall([copy], 0), measure.overall([absent], 0)
    assert [estimate.value for estimate in best.values()] == [0, 0, 1, 1, 1]
    assert [estimate.value for estimate in worst.values()] == [180, 180, 0, 0, 0]
    assert (measure.quality(copy), measure.quality(absent)) == (1, 0)


def test_flipped_axes_cost_what_they_turn() -> None:
    """A drawing in the convention of DSINE for an instruction that asks for ours."""
    target = vectors(0, gaps=False)
    angles = np.degrees(2 * np.arcsin(np.abs(target[..., 0])))
    row = NormalsMeasure().picture(colours_of_normals(target, "dsine"), sample_of(target))
    assert row.total / row.pixels == pytest.approx(angles.mean(), abs=0.05)


def test_black_where_there_is_a_normal_counts_as_pointing_away() -> None:
    target = vectors(0)
    drawing = colours_of_normals(target)
    drawing[10:12] = 0
    row = NormalsMeasure().picture(drawing, sample_of(target))
    assert row.pixels == 24 * 33 - 5 * 7
    assert row.total == pytest.approx(180 * 2 * 33)


def test_a_drawing_of_another_size_is_sampled_and_never_blended() -> None:
    target = vectors(0)
    drawing = np.kron(colours_of_normals(target), np.ones((3, 3, 1), np.uint8))
    for measure in (NormalsMeasure(), NormalsMeasure(compare_at="drawing")):
        assert measure.picture(drawing, sample_of(target)).total == 0


def test_targets_without_a_normal_are_named() -> None:
    nothing = sample_of(np.full((4, 5, 3), np.nan, np.float32))
    row = NormalsMeasure().picture(np.zeros((4, 5, 3), np.uint8), nothing)
    with pytest.raises(CorpusError, match="none of the 1 targets of normals has a normal"):
        NormalsMeasure().overall([row], 0)
    with pytest.raises(CorpusError, match="not describe a target of normals"):
        NormalsMeasure().picture(
            np.zeros((4, 5, 3), np.uint8), ScoredSample("k", nothing.target, {"type": "normals"})
        )
