"""Linear probes: they find what is there as scikit-learn's own pipeline does, else nothing."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from painted import decoded_of, rng

from sgt_data.experiment.measure.accuracy import AskedQuestion
from sgt_data.experiment.measure.balanced_accuracy import balanced_accuracy
from sgt_data.experiment.measure.held_out import HeldOut, HeldOutQuestion
from sgt_data.experiment.measure.model_outputs import picture_features
from sgt_data.experiment.measure.probe_examples import (
    ProbeExamples,
    cell_weights,
    number_examples,
    pool_picture,
    thing_examples,
)
from sgt_data.experiment.measure.probes import confused_categories, probe, two_category_probe
from sgt_data.segmentation.target_png import DecodedSegmentation


def test_cells_weigh_masks_by_their_exact_area() -> None:
    """Against the mask blown up so that cells fall on pixels."""
    mask = rng(2).random((10, 10)) < 0.4
    big = np.kron(mask, np.ones((3, 4))).astype(float)
    expected = big.reshape(3, 10, 4, 10).mean(axis=(1, 3))
    assert cell_weights(mask, 3, 4) == pytest.approx(expected)


@pytest.mark.parametrize("shape", [(10, 7), (7, 10), (4, 10)])
def test_a_mask_lies_in_the_middle_of_the_square_that_the_model_saw(shape: tuple[int, int]) -> None:
    """Pictures are not squashed: the padding around them is no part of anything."""
    mask = np.ones(shape, bool)
    padding = [((10 - side) // 2, (10 - side + 1) // 2) for side in shape]
    big = np.kron(np.pad(mask, padding), np.ones((2, 2))).astype(float)
    if any(side % 2 for side in shape):  # half a pixel before, half a pixel after
        big = np.zeros((20, 20))
        high, wide = shape
        big[10 - high : 10 + high, 10 - wide : 10 + wide] = 1
    expected = big.reshape(5, 4, 5, 4).mean(axis=(1, 3))
    assert cell_weights(mask, 5, 5) == pytest.approx(expected)


def test_a_things_features_are_those_under_its_mask() -> None:
    labels = np.zeros((8, 8), int)
    labels[:4, :4], labels[4:, 2:6] = 1, 2
    grid = rng().random((4, 4, 5)).astype(np.float32)
    pooled = {"a": pool_picture(grid, decoded_of(labels, ["ball", "cone"]))}
    examples = thing_examples(pooled, ["a"])
    assert examples.labels == ("ball", "cone") and examples.keys == ("a", "a")
    assert examples.features[0] == pytest.approx(grid[:2, :2].mean(axis=(0, 1)))
    assert examples.features[1] == pytest.approx(grid[2:, 1:3].mean(axis=(0, 1)))


def test_only_things_large_enough_to_be_seen_are_probed() -> None:
    labels = np.zeros((40, 40), int)
    labels[0, 0], labels[10:30, 10:30], labels[35:, :] = 1, 2, 3
    all_things = decoded_of(labels, ["ball", "cone", "mug"])
    segments = (*all_things.segments[:2], {**all_things.segments[2], "isthing": False})
    decoded = DecodedSegmentation(all_things.labels, segments)
    grid = rng().random((4, 4, 2))
    pooled = {"a": pool_picture(grid, decoded), "b": pool_picture(grid, decoded_of(labels * 0, []))}
    assert thing_examples(pooled, ["a", "b"]).labels == ("cone",)


def test_numbers_are_read_from_mean_and_maximum_and_never_from_merged_individuals() -> None:
    grid = rng().random((2, 2, 3))
    merged = decoded_of(np.ones((4, 4)), ["ball"], ids=[1, 2])
    pooled = {
        "a": pool_picture(grid, decoded_of(np.ones((4, 4), int), ["ball", "cone"])),
        "b": pool_picture(grid, merged),
    }
    examples = number_examples(pooled, ["a"])
    assert examples.labels == ("2",)
    flat = grid.reshape(4, 3)
    assert examples.features[0] == pytest.approx([*flat.mean(axis=0), *flat.max(axis=0)])
    with pytest.raises(ValueError, match="picture b: its target merges"):
        number_examples(pooled, ["a", "b"])


def test_no_feature_grid_outlives_its_batch() -> None:
    """300 grids of 16 x 16 x 64 numbers are 20 MB as float32, those of a batch 8 MB; what is kept
    of them is below 1 MB."""
    torch = pytest.importorskip("torch")
    living = []

    class Wide(torch.nn.Linear):  # type: ignore[misc, name-defined]
        def features(self, pictures: Any) -> Any:
            grids = torch.rand(len(pictures), 16, 16, 64)
            living.append(weakref.ref(grids))
            assert sum(grid() is not None for grid in living) <= 2
            return grids

    picture = np.zeros((8, 8, 3), np.uint8)
    keys = [f"p{number}" for number in range(300)]
    questions = tuple(
        HeldOutQuestion("?", picture, AskedQuestion(key, "t", "a", ("a", "b"))) for key in keys
    )
    decoded = decoded_of(np.ones((8, 8), int), ["ball"])
    held_out = HeldOut("validation", questions, {}, dict.fromkeys(keys, decoded), {})
    features = picture_features(Wide(1, 1), held_out)
    assert len(living) == 3 and all(grid() is None for grid in living)
    assert {picture.whole.dtype for picture in features.values()} == {np.dtype(np.float32)}
    kept = sum(each.whole.nbytes + each.things.nbytes for each in features.values())
    assert len(features) == 300 and kept < 2**20


def test_balanced_accuracy_is_sklearns_and_its_interval_is_over_pictures() -> None:
    from sklearn.metrics import balanced_accuracy_score

    draws = rng(4)
    truth = draws.choice(["2", "3", "4"], size=600, p=[0.8, 0.15, 0.05])
    guess = np.where(draws.random(600) < 0.6, truth, "2")
    keys = [f"p{number // 3}" for number in range(600)]
    result = balanced_accuracy(guess == truth, truth.tolist(), keys, seed=0)
    assert result.value == pytest.approx(balanced_accuracy_score(truth, guess))
    assert result.low < result.value < result.high and result.count == 200
    chosen = draws.integers(200, size=(400, 200))
    rows = np.arange(600).reshape(200, 3)
    values = [
        balanced_accuracy_score(truth[rows[each].ravel()], guess[rows[each].ravel()])
        for each in chosen
    ]
    assert (result.low, result.high) == pytest.approx(np.quantile(values, (0.025, 0.975)), abs=0.02)
    always = balanced_accuracy(truth == "2", truth.tolist(), keys, seed=0)
    assert always.value == pytest.approx(1 / 3)


def test_a_balanced_probe_gains_nothing_from_the_most_frequent_class() -> None:
    """As scikit-learn's own pipeline with weights of classes; noise is at 1 / classes."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    def part(seed: int, prefix: str, signal: float) -> ProbeExamples:
        draws = rng(seed)
        labels = draws.choice(["2", "3", "4"], size=500, p=[0.85, 0.1, 0.05])
        features = draws.normal(size=(500, 3)) + signal * (labels == "4")[:, None]
        return ProbeExamples(
            features, tuple(labels.tolist()), tuple(f"{prefix}{n}" for n in range(500))
        )

    train, test = part(1, "a", 1.5), part(2, "b", 1.5)
    result = probe(train, test, seed=0, balanced=True)
    model = make_pipeline(
        StandardScaler(),
        LogisticRegression(C=result.strength, max_iter=2000, class_weight="balanced"),
    ).fit(train.features, train.labels)
    expected = balanced_accuracy_score(test.labels, model.predict(test.features))
    assert result.accuracy.value == pytest.approx(expected) and result.chance == pytest.approx(
        1 / 3
    )
    assert result.accuracy.low > result.chance
    nothing = probe(part(3, "a", 0), part(4, "b", 0), seed=0, balanced=True)
    assert nothing.accuracy.low < nothing.chance < nothing.accuracy.high
    assert probe(part(3, "a", 0), part(4, "b", 0), seed=0).accuracy.value > 0.8


def cluster(
    names: Sequence[str], centres: NDArray[Any], count: int, noise: float, seed: int, prefix: str
) -> ProbeExamples:
    draws = rng(seed)
    which = draws.integers(len(names), size=count)
    features = centres[which] + draws.normal(scale=noise, size=(count, centres.shape[1]))
    keys = tuple(f"{prefix}{k // 3}" for k in range(count))
    return ProbeExamples(features, tuple(names[k] for k in which.tolist()), keys)


NAMES = ("ball", "cone", "cottage", "house")
CENTRES = np.array([[4, 0, 0, 0], [0, 4, 0, 0], [0, 0, 4, 0], [0, 0, 4, 0.8]])


def parts(noise: float = 0.5) -> tuple[ProbeExamples, ProbeExamples]:
    return (
        cluster(NAMES, CENTRES, 400, noise, 1, "train"),
        cluster(NAMES, CENTRES, 300, noise, 2, "test"),
    )


def test_a_probe_finds_what_is_there_as_well_as_sklearns_own_pipeline() -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    train, test = parts()
    result = probe(train, test, seed=0)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=result.strength, max_iter=2000))
    model.fit(train.features, train.labels)
    expected = np.mean(model.predict(test.features) == np.array(test.labels))
    assert result.accuracy.value == pytest.approx(expected)
    assert result.accuracy.low < expected < result.accuracy.high
    assert (result.train, result.test, result.accuracy.count) == (400, 300, 100)
    assert result.classes == NAMES


def test_a_probe_finds_nothing_where_nothing_is() -> None:
    train, test = parts()
    noise = [ProbeExamples(rng(k).normal(size=(len(p.labels), 4)), p.labels, p.keys)
             for k, p in enumerate((train, test))]  # fmt: skip
    result = probe(*noise, seed=0)
    assert result.accuracy.low <= result.chance + 0.02
    assert result.chance == pytest.approx(max(np.mean(np.array(test.labels) == n) for n in NAMES),
                                         abs=0.06)  # fmt: skip


def test_the_pair_is_the_one_that_is_taken_for_each_other_and_is_named() -> None:
    train, test = parts()
    assert confused_categories(train, seed=0) == ("cottage", "house")
    result = two_category_probe(train, test, seed=0)
    assert result.classes == ("cottage", "house")
    assert result.test == sum(label in ("cottage", "house") for label in test.labels)
    assert 0.6 < result.accuracy.value < 0.95
    named = two_category_probe(train, test, seed=0, categories=("ball", "cone"))
    assert named.classes == ("ball", "cone")
    assert named.accuracy.value > 0.98
    with pytest.raises(ValueError, match="no mug"):
        two_category_probe(train, test, seed=0, categories=("ball", "mug"))


def test_test_pictures_have_no_say_in_what_is_chosen() -> None:
    train, test = parts()
    shuffled = ProbeExamples(test.features[::-1], test.labels, test.keys)
    first, second = probe(train, test, seed=0), probe(train, shuffled, seed=0)
    assert (first.strength, first.classes) == (second.strength, second.classes)
    with pytest.raises(ValueError, match="both parts of a probe, such as train0"):
        probe(train, ProbeExamples(test.features, test.labels, ("train0", *test.keys[1:])), seed=0)


def test_probes_refuse_what_cannot_be_told() -> None:
    train, test = parts()
    nothing = test.where(np.zeros(300, bool))
    with pytest.raises(ValueError, match="test part of a probe is empty"):
        probe(train, nothing, seed=0)
    with pytest.raises(ValueError, match="all are 'ball'"):
        probe(train.where(np.array(train.labels) == "ball"), test, seed=0)
    broken = ProbeExamples(train.features * np.nan, train.labels, train.keys)
    with pytest.raises(ValueError, match="not finite"):
        probe(broken, test, seed=0)


def test_features_that_do_not_vary_do_no_harm() -> None:
    train, test = parts()
    flat = [
        ProbeExamples(np.hstack((part.features, np.full((len(part.labels), 2), 7.3))), part.labels,
                      part.keys)
        for part in (train, test)
    ]  # fmt: skip
    assert probe(*flat, seed=0).accuracy.value == probe(train, test, seed=0).accuracy.value
