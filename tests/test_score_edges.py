"""Drawn edges: thin lines, and pixels matched one to one, against scipy's matching."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from painted import rng

from sgt_data.pictures.grey_png import encode_rough
from sgt_data.scoring.dense_measures import dense_measure
from sgt_data.scoring.edge_fidelity import THRESHOLDS
from sgt_data.scoring.edge_matching import matched_counts
from sgt_data.scoring.edge_measure import EdgeMeasure
from sgt_data.scoring.measure import ScoredSample
from sgt_data.scoring.thin_edges import thin_edges

pytest.importorskip("scipy")


def sample_of(levels: NDArray[np.uint8]) -> ScoredSample:
    height, width = levels.shape
    facts = {"type": "edge", "method": "sobel", "size": {"width": width, "height": height}}
    return ScoredSample("k", encode_rough(levels), facts)


def in_grey(levels: NDArray[Any]) -> NDArray[np.uint8]:
    return np.repeat(levels[..., None], 3, axis=2).astype(np.uint8)


def a_box(side: int = 64, at: int = 16) -> NDArray[np.uint8]:
    levels = np.zeros((side, side), np.uint8)
    levels[at:-at, [at, -at - 1]] = levels[[at, -at - 1], at:-at] = 255
    return levels


@pytest.mark.parametrize("reach", [0.0, 1.0, 2.5, 5.4])
def test_matchings_are_the_largest_there_are_at_every_threshold(reach: float) -> None:
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import maximum_bipartite_matching
    from scipy.spatial.distance import cdist

    for seed in range(4):
        draws = rng(seed)
        strength = draws.random((24, 31)) * (draws.random((24, 31)) < 0.2)
        strength[::2] = np.round(strength[::2] * 20) / 20  # at the thresholds themselves
        true_edges = draws.random((24, 31)) < 0.12
        counts = matched_counts(strength, true_edges, THRESHOLDS, reach, rounds=1000)
        few = matched_counts(strength, true_edges, THRESHOLDS, reach)
        assert (few <= counts).all()
        assert (few[0] >= 0.98 * counts[0]).all()
        for number, threshold in enumerate(THRESHOLDS):
            drawn, true = np.argwhere(strength >= threshold), np.argwhere(true_edges)
            pairs = 0
            if len(drawn):
                near = csr_matrix(cdist(drawn, true) <= reach)
                pairs = int((maximum_bipartite_matching(near) >= 0).sum())
            assert counts[:, number].tolist() == [pairs, len(drawn), pairs, len(true)]


def test_nothing_drawn_and_nothing_true_match_nothing() -> None:
    nothing, some = np.zeros((9, 9)), rng().random((9, 9))
    assert not matched_counts(nothing, some > 0.5, THRESHOLDS, 2.0)[:3].any()
    assert not matched_counts(some, nothing > 0, THRESHOLDS, 2.0)[[0, 2, 3]].any()
    assert (
        EdgeMeasure().quality(
            EdgeMeasure().picture(in_grey(nothing), sample_of(nothing.astype(np.uint8)))
        )
        == 1.0
    )


@pytest.mark.parametrize("thickness", [1, 2, 3, 4])
def test_a_line_of_any_thickness_becomes_one_pixel_wide(thickness: int) -> None:
    for turned in (False, True):
        levels = np.zeros((40, 40))
        levels[18 : 18 + thickness] = 0.8
        lines = thin_edges(levels.T if turned else levels)
        across = (lines > 0).sum(axis=1 if turned else 0)
        assert (across[5:-5] == 1).all()
        assert set(np.unique(lines)) == {0.0, 0.8}


def test_a_slanted_ridge_keeps_its_middle() -> None:
    rows, columns = np.mgrid[:60, :60]
    away = (rows - 2 * columns + 30) / 5**0.5
    lines = thin_edges(np.exp(-(away**2) / 8)) > 0
    inside = lines[5:-5, 5:-5]
    assert inside.any(axis=1).all()
    assert np.abs(away[5:-5, 5:-5][inside]).max() < 1


def test_a_copy_is_faultless_and_a_black_drawing_scores_nothing() -> None:
    draws, measure = rng(3), EdgeMeasure()
    rows = []
    for _ in range(3):
        levels = np.kron(draws.integers(0, 256, (8, 8)), np.ones((8, 8))).astype(np.uint8)
        sample = sample_of(levels)
        rows.append(measure.picture(in_grey(levels), sample))
        assert measure.quality(rows[-1]) == 1.0
        assert measure.quality(measure.absent(sample)) == 0.0
    overall = measure.overall(rows, 0)
    assert [overall[name].value for name in ("ODS F", "OIS F", "edge F", "L1")] == [1, 1, 1, 0]
    assert dense_measure(sample.facts) == measure


def test_a_moved_line_is_matched_within_the_tolerance_only() -> None:
    """0.0075 of the diagonal of 400x400 pixels is 4.2 pixels."""

    def line(at: int) -> NDArray[np.uint8]:
        levels = np.zeros((400, 400), np.uint8)
        levels[:, at] = 255
        return levels

    measure = EdgeMeasure()
    scores = [
        measure.overall([measure.picture(in_grey(line(at)), sample_of(line(200)))], 0)
        for at in (204, 205)
    ]
    assert [score["ODS F"].value for score in scores] == [1.0, 0.0]
    assert [score["edge F"].value for score in scores] == [0.0, 0.0]


def test_a_line_drawn_twice_is_matched_once() -> None:
    """By distance alone both lines are right; one to one, half of the pixels have no partner."""
    target, twice = np.zeros((2, 200, 200), np.uint8)
    target[:, 100] = twice[:, 98] = twice[:, 102] = 255
    measure = EdgeMeasure(pair_distance=0.02)
    score = measure.overall([measure.picture(in_grey(twice), sample_of(target))], 0)
    assert score["ODS F"].value == pytest.approx(2 / 3)


def test_ois_takes_each_pictures_own_threshold() -> None:
    measure, target = EdgeMeasure(), a_box()
    noise = np.where(rng(1).random(target.shape) < 0.03, 255, 0)
    faint = np.maximum(target * 0.2, noise * 0.1)  # best at 0.15
    strong = np.maximum(target * 0.9, noise * 0.6)  # best at 0.65
    rows = [measure.picture(in_grey(drawing), sample_of(target)) for drawing in (faint, strong)]
    overall = measure.overall(rows, 0)
    assert overall["OIS F"].value > 0.98 > overall["ODS F"].value


def test_a_drawing_of_another_size_is_brought_to_the_targets() -> None:
    target = a_box(128, 32)
    drawing = in_grey(np.kron(target, np.ones((2, 2))))
    measure = EdgeMeasure()
    assert measure.quality(measure.picture(drawing, sample_of(target))) > 0.99
    at_drawing = EdgeMeasure(compare_at="drawing").picture(drawing, sample_of(target))
    assert measure.quality(at_drawing) > 0.99


def test_wrong_parameters_are_refused() -> None:
    with pytest.raises(ValueError, match="pair_distance is -1"):
        EdgeMeasure(pair_distance=-1)
    with pytest.raises(ValueError, match="true_edge is 0"):
        EdgeMeasure(true_edge=0)
