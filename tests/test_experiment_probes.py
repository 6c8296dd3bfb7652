"""Linear probes: they find what is there as scikit-learn's own pipeline does, else nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from painted import decoded_of, rng

from sgt_data.experiment.measure.probe_examples import (
    ProbeExamples,
    cell_weights,
    number_examples,
    thing_examples,
)
from sgt_data.experiment.measure.probes import confused_categories, probe, two_category_probe
from sgt_data.segmentation.target_png import DecodedSegmentation


def test_cells_weigh_masks_by_their_exact_area() -> None:
    """Against the mask blown up so that cells fall on pixels."""
    mask = rng(2).random((10, 7)) < 0.4
    big = np.kron(mask, np.ones((3, 4))).astype(float)
    expected = big.reshape(3, 10, 4, 7).mean(axis=(1, 3))
    assert cell_weights(mask, 3, 4) == pytest.approx(expected)


def test_a_things_features_are_those_under_its_mask() -> None:
    labels = np.zeros((8, 8), int)
    labels[:4, :4], labels[4:, 2:6] = 1, 2
    features = rng().random((1, 4, 4, 5))
    examples = thing_examples(features, [decoded_of(labels, ["ball", "cone"])], ["a"])
    assert examples.labels == ("ball", "cone")
    assert examples.features[0] == pytest.approx(features[0, :2, :2].mean(axis=(0, 1)))
    assert examples.features[1] == pytest.approx(features[0, 2:, 1:3].mean(axis=(0, 1)))


def test_only_things_large_enough_to_be_seen_are_probed() -> None:
    labels = np.zeros((40, 40), int)
    labels[0, 0], labels[10:30, 10:30], labels[35:, :] = 1, 2, 3
    all_things = decoded_of(labels, ["ball", "cone", "mug"])
    segments = (*all_things.segments[:2], {**all_things.segments[2], "isthing": False})
    decoded = DecodedSegmentation(all_things.labels, segments)
    examples = thing_examples(rng().random((1, 4, 4, 2)), [decoded], ["a"])
    assert examples.labels == ("cone",)


def test_numbers_are_read_from_mean_and_maximum_and_never_from_merged_individuals() -> None:
    features = rng().random((1, 2, 2, 3))
    decoded = decoded_of(np.ones((4, 4), int), ["ball", "cone"])
    examples = number_examples(features, [decoded], ["a"])
    assert examples.labels == ("2",)
    flat = features.reshape(4, 3)
    assert examples.features[0] == pytest.approx([*flat.mean(axis=0), *flat.max(axis=0)])
    with pytest.raises(ValueError, match="picture a: its target merges"):
        number_examples(features, [decoded_of(np.ones((4, 4)), ["ball"], ids=[1, 2])], ["a"])


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
