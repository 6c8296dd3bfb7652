"""What the experiments measure: against slow, independent computations, and with what would fool a
reader put in its way."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from numpy.typing import NDArray

from sgt_data.errors import CorpusError, RequestError
from sgt_data.experiment import test_split
from sgt_data.experiment.accuracy import (
    Asked,
    accuracy_per_task,
    chance_of,
    mark,
    mean_accuracy,
    paired_difference,
)
from sgt_data.experiment.attention import attention_per_layer, attention_shares
from sgt_data.experiment.config import digest_of
from sgt_data.experiment.fidelity import Generated, layout_fidelity
from sgt_data.experiment.intervals import Estimate, as_share, bootstrap, mean, over_seeds, ratio
from sgt_data.experiment.layout import (
    class_colours,
    class_layout,
    class_overlap,
    mask_iou,
    nearest_colours,
    sampled,
    segment_layout,
    segment_overlap,
)
from sgt_data.experiment.layout_depth import depth_error
from sgt_data.experiment.layout_edges import THRESHOLDS, edge_counts, edge_layout
from sgt_data.experiment.lift_off import lift_off
from sgt_data.experiment.probe_examples import (
    Examples,
    cell_weights,
    number_examples,
    thing_examples,
)
from sgt_data.experiment.probes import confused_pair, pair_probe, probe
from sgt_data.proxies.depth import DecodedDepth, inferno
from sgt_data.segmentation.target_png import DecodedSegmentation, encode_target

stats = pytest.importorskip("scipy.stats")
metrics = pytest.importorskip("sklearn.metrics")

COLOURS = {"ball": (255, 0, 0), "cone": (0, 255, 0), "ring": (0, 0, 255), "mug": (255, 255, 0)}


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def painted(labels: NDArray[Any], colours: Sequence[tuple[int, int, int]]) -> NDArray[np.float32]:
    """A generated picture [3, S, S] that shows a label map without fault."""
    table = np.array([(0, 0, 0), *colours], np.float32)
    return (table[labels] / 127.5 - 1).transpose(2, 0, 1)


def decoded_of(labels: NDArray[Any], names: Sequence[str], **facts: Any) -> DecodedSegmentation:
    segments = tuple(
        {"label": k, "color": list(COLOURS[name]), "category": name, "isthing": True, **facts}
        for k, name in enumerate(names, 1)
    )
    return DecodedSegmentation(labels.astype(np.uint16), segments)


# --- intervals -----------------------------------------------------------------------------------


def test_questions_of_one_picture_do_not_count_as_independent() -> None:
    """100 pictures with 20 questions each, all right or all wrong: the interval is that of 100
    throws, not of 2,000."""
    right = (rng().random(100) < 0.5) * 20.0
    found = ratio(right, np.full(100, 20.0), seed=0)
    binomial = stats.binomtest(int(right.sum() / 20), 100).proportion_ci(method="wilson")
    assert found.low == pytest.approx(binomial.low, abs=0.03)
    assert found.high == pytest.approx(binomial.high, abs=0.03)
    naive = 2 * 1.96 * (0.25 / 2000) ** 0.5
    assert found.high - found.low > 3 * naive


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """95 % of the time, within what 120 trials can tell, with unequal numbers of questions."""
    hits = 0
    for trial in range(120):
        draws = rng(trial)
        asked = draws.integers(1, 6, 60)
        skill = draws.beta(3, 2, 60)
        found = ratio(draws.binomial(asked, skill).astype(float), asked.astype(float), seed=trial)
        hits += found.low <= 0.6 <= found.high
    assert 0.88 <= hits / 120 <= 0.99


def test_intervals_agree_with_scipys_bootstrap() -> None:
    values = rng(3).exponential(size=80)
    ours = mean(values, seed=1)
    theirs = stats.bootstrap(
        (values,), np.mean, method="percentile", n_resamples=4000, rng=rng(5)
    ).confidence_interval
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.03)
    assert ours.value == pytest.approx(values.mean())


def test_intervals_are_the_same_each_time_and_differ_by_seed() -> None:
    values = rng(3).random(50)
    assert mean(values, seed=1) == mean(values, seed=1)
    assert mean(values, seed=1) != mean(values, seed=2)


def test_a_perfect_score_on_few_pictures_is_no_certainty() -> None:
    right = np.full(12, 3.0)
    found = as_share(ratio(right, right, seed=0))
    exact = stats.binomtest(12, 12).proportion_ci(method="exact")
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high))
    none = as_share(ratio(0 * right, right, seed=0))
    exact = stats.binomtest(0, 12).proportion_ci(method="exact")
    assert (none.low, none.high) == pytest.approx((exact.low, exact.high))


def test_one_picture_has_no_interval_and_none_has_no_value() -> None:
    assert mean(np.array([0.3]), seed=0) == Estimate(0.3, None, None, 1)
    with pytest.raises(ValueError, match="no pictures"):
        mean(np.array([]), seed=0)
    with pytest.raises(ValueError, match="is nan"):
        bootstrap(lambda weights: weights[:, 0] * np.nan, 3, seed=0)


def test_seeds_have_a_t_interval() -> None:
    values = [0.61, 0.58, 0.66, 0.6]
    found = over_seeds(values)
    low, high = stats.t.interval(0.95, 3, np.mean(values), stats.sem(values))
    assert (found.low, found.high) == pytest.approx((low, high))
    assert found.error == pytest.approx(stats.sem(values))
    assert over_seeds([0.5]).error is None


# --- accuracy ------------------------------------------------------------------------------------


def asked(pictures: int = 40) -> list[Asked]:
    draws = rng(1)
    found = []
    for key in range(pictures):
        for task, choices in (("count", ("1", "2", "3")), ("presence", ("yes", "no"))):
            found += [
                Asked(f"p{key}", task, str(draws.choice(choices)), choices)
                for _ in range(int(draws.integers(1, 4)))
            ]
    return found


def answers(questions: Sequence[Asked], skill: float, seed: int) -> list[str]:
    draws = rng(seed)
    return [
        one.answer if draws.random() < skill else str(draws.choice(one.choices))
        for one in questions
    ]


def test_accuracy_is_sklearns_and_its_mean_counts_tasks_the_same() -> None:
    questions = asked()
    given = answers(questions, 0.5, 2)
    marks = mark(questions, given)
    found = accuracy_per_task(questions, marks, seed=0)
    for task in ("count", "presence"):
        truth, said = zip(
            *((q.answer, a) for q, a in zip(questions, given, strict=True) if q.task == task),
            strict=True,
        )
        assert found[task].value == pytest.approx(metrics.accuracy_score(truth, said))
        assert found[task].count == len(truth)
        assert found[task].low < found[task].value < found[task].high
    assert mean_accuracy(marks, seed=0).value == pytest.approx(
        (found["count"].value + found["presence"].value) / 2
    )


def test_chance_is_what_guessing_scores() -> None:
    questions = asked(400)
    found = accuracy_per_task(questions, mark(questions, answers(questions, 0, 3)), seed=0)
    assert found["count"].chance == pytest.approx(1 / 3)
    assert found["presence"].chance == pytest.approx(1 / 2)
    for one in found.values():
        assert one.low - 0.01 <= one.chance <= one.high + 0.01
        assert one.commonest >= one.chance
    with pytest.raises(ValueError, match=r"'blue'.*not among"):
        chance_of([Asked("a", "t", "blue", ("red", "green"))])


def test_unbalanced_answers_show_what_a_constant_answer_scores() -> None:
    questions = [Asked(str(k), "t", "yes" if k < 90 else "no", ("yes", "no")) for k in range(100)]
    found = accuracy_per_task(questions, mark(questions, ["yes"] * 100), seed=0)["t"]
    assert found.value == found.commonest == 0.9
    assert found.chance == 0.5


def test_a_repeated_choice_is_one_choice() -> None:
    assert chance_of([Asked("a", "t", "x", ("x", "x", "y"))]) == 0.5


def test_as_many_answers_as_questions_are_needed() -> None:
    with pytest.raises(ValueError, match="1 answers to 2"):
        mark([Asked("a", "t", "x", ("x",))] * 2, ["x"])


def test_a_resample_that_lost_a_task_is_a_mean_of_the_rest() -> None:
    rare = [Asked("p0", "rare", "yes", ("yes", "no"))]
    many = [Asked(f"p{k}", "often", "yes", ("yes", "no")) for k in range(30)]
    found = mean_accuracy(mark(rare + many, ["yes"] + ["no"] * 30), seed=0)
    assert (found.value, found.low, found.high) == (0.5, 0.0, 0.5)


def test_a_paired_difference_is_sharper_than_two_intervals_apart() -> None:
    """Pictures that are hard for one arm are hard for the other."""
    questions = asked(150)
    ease = {f"p{k}": skill for k, skill in enumerate(rng(7).beta(0.6, 0.6, 150))}

    def run(bonus: float, seed: int) -> Any:
        draws, shared = rng(100 + seed), rng(9)
        given = []
        for one in questions:
            right = shared.random() < ease[one.key] or draws.random() < bonus
            wrong = next(choice for choice in one.choices if choice != one.answer)
            given.append(one.answer if right else wrong)
        return mark(questions, given)

    ours, theirs = [run(0.15, s) for s in range(3)], [run(0.0, 50 + s) for s in range(3)]
    found = paired_difference(ours, theirs, seed=0)
    means = [[mean_accuracy(one, 0) for one in arm] for arm in (ours, theirs)]
    assert found.value == pytest.approx(
        np.mean([one.value for one in means[0]]) - np.mean([one.value for one in means[1]])
    )
    assert 0 < found.low < found.value < found.high
    assert found.high - found.low < means[0][0].high - means[0][0].low
    assert (found.seeds, found.pictures) == (3, 150)


def test_no_difference_is_claimed_where_there_is_none() -> None:
    """Arms of the same skill: the interval holds 0 in nearly all of 40 comparisons."""
    questions = asked(60)
    held = 0
    for trial in range(40):
        arms = [
            [mark(questions, answers(questions, 0.4, 1000 * trial + 10 * arm + seed))
             for seed in range(3)]
            for arm in (1, 2)
        ]  # fmt: skip
        found = paired_difference(*arms, seed=trial)
        held += found.low <= 0 <= found.high
    assert held >= 36


def test_arms_that_were_asked_different_questions_are_not_compared() -> None:
    questions = asked(10)
    full = mark(questions, [one.answer for one in questions])
    part = mark(questions[1:], [one.answer for one in questions[1:]])
    with pytest.raises(ValueError, match="same questions"):
        paired_difference([full], [part], seed=0)
    with pytest.raises(ValueError, match="2 seeds of one arm against 1"):
        paired_difference([full, full], [full], seed=0)


def test_one_seed_says_that_it_is_one() -> None:
    questions = asked(30)
    arms = [mark(questions, answers(questions, skill, 5)) for skill in (0.9, 0.1)]
    found = paired_difference([arms[0]], [arms[1]], seed=0)
    assert (found.seeds, found.seed_error) == (1, None)
    assert found.low < found.value < found.high


# --- lift-off, attention -------------------------------------------------------------------------


def test_lift_off_is_where_accuracy_leaves_chance_for_good() -> None:
    noise = [(step, 0.33) for step in range(0, 100, 20)]
    fluke = [(100, 0.9), (120, 0.3), (140, 0.3), (160, 0.3)]
    rise = [(180, 0.5), (200, 0.6), (220, 0.7)]
    assert lift_off([*noise, *fluke, *rise], chance=0.33) == 200
    assert lift_off([*noise, *fluke], chance=0.33) is None
    assert lift_off([*noise, *rise, (240, 0.1), (260, 0.1), (280, 0.1)], chance=0.33) is None
    assert lift_off([], chance=0.33) is None


def test_attention_is_averaged_by_layer_over_pictures() -> None:
    shares = rng().random((3, 60))
    keys = [f"p{k // 3}" for k in range(60)]
    found = attention_per_layer(shares, keys, seed=0)
    assert [one.value for one in found] == pytest.approx(shares.mean(axis=1).tolist())
    assert all(one.count == 20 and one.low < one.value < one.high for one in found)
    assert attention_per_layer(np.empty((0, 60)), keys, seed=0) == ()
    with pytest.raises(ValueError, match="59 questions"):
        attention_per_layer(shares, keys[1:], seed=0)
    with pytest.raises(ValueError, match="0 to 1"):
        attention_per_layer(shares + 1, keys, seed=0)


def test_attention_is_gathered_from_any_learner() -> None:
    torch = pytest.importorskip("torch")

    class Fixed:
        def visual_attention(self, pictures: Any, texts: Sequence[str]) -> Any:
            return torch.stack([pictures[:, 0, 0, 0], pictures[:, 1, 0, 0]])

    pictures = torch.rand(5, 3, 2, 2)
    batches = [(pictures[:3], ["?"] * 3), (pictures[3:], ["?"] * 2)]
    found = attention_shares(Fixed(), batches)  # type: ignore[arg-type]
    assert found == pytest.approx(pictures[:, :2, 0, 0].T.numpy())


# --- probes --------------------------------------------------------------------------------------


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
    found = thing_examples(features, [decoded_of(labels, ["ball", "cone"])], ["a"])
    assert found.labels == ("ball", "cone")
    assert found.features[0] == pytest.approx(features[0, :2, :2].mean(axis=(0, 1)))
    assert found.features[1] == pytest.approx(features[0, 2:, 1:3].mean(axis=(0, 1)))


def test_only_things_large_enough_to_be_seen_are_probed() -> None:
    labels = np.zeros((40, 40), int)
    labels[0, 0], labels[10:30, 10:30], labels[35:, :] = 1, 2, 3
    one = decoded_of(labels, ["ball", "cone", "mug"])
    segments = (*one.segments[:2], {**one.segments[2], "isthing": False})
    decoded = DecodedSegmentation(one.labels, segments)
    found = thing_examples(rng().random((1, 4, 4, 2)), [decoded], ["a"])
    assert found.labels == ("cone",)


def test_numbers_are_read_from_mean_and_maximum_and_never_from_merged_individuals() -> None:
    features = rng().random((1, 2, 2, 3))
    decoded = decoded_of(np.ones((4, 4), int), ["ball", "cone"])
    found = number_examples(features, [decoded], ["a"])
    assert found.labels == ("2",)
    flat = features.reshape(4, 3)
    assert found.features[0] == pytest.approx([*flat.mean(axis=0), *flat.max(axis=0)])
    with pytest.raises(ValueError, match="picture a: its target merges"):
        number_examples(features, [decoded_of(np.ones((4, 4)), ["ball"], ids=[1, 2])], ["a"])


def cluster(
    names: Sequence[str], centres: NDArray[Any], count: int, noise: float, seed: int, prefix: str
) -> Examples:
    draws = rng(seed)
    which = draws.integers(len(names), size=count)
    features = centres[which] + draws.normal(scale=noise, size=(count, centres.shape[1]))
    keys = tuple(f"{prefix}{k // 3}" for k in range(count))
    return Examples(features, tuple(names[k] for k in which.tolist()), keys)


NAMES = ("ball", "cone", "cottage", "house")
CENTRES = np.array([[4, 0, 0, 0], [0, 4, 0, 0], [0, 0, 4, 0], [0, 0, 4, 0.8]])


def parts(noise: float = 0.5) -> tuple[Examples, Examples]:
    return (
        cluster(NAMES, CENTRES, 400, noise, 1, "train"),
        cluster(NAMES, CENTRES, 300, noise, 2, "test"),
    )


def test_a_probe_finds_what_is_there_as_well_as_sklearns_own_pipeline() -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    train, test = parts()
    found = probe(train, test, seed=0)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=found.strength, max_iter=2000))
    model.fit(train.features, train.labels)
    expected = np.mean(model.predict(test.features) == np.array(test.labels))
    assert found.accuracy.value == pytest.approx(expected)
    assert found.accuracy.low < expected < found.accuracy.high
    assert (found.train, found.test, found.accuracy.count) == (400, 300, 100)
    assert found.classes == NAMES


def test_a_probe_finds_nothing_where_nothing_is() -> None:
    train, test = parts()
    noise = [Examples(rng(k).normal(size=(len(p.labels), 4)), p.labels, p.keys)
             for k, p in enumerate((train, test))]  # fmt: skip
    found = probe(*noise, seed=0)
    assert found.accuracy.low <= found.chance + 0.02
    assert found.chance == pytest.approx(max(np.mean(np.array(test.labels) == n) for n in NAMES),
                                         abs=0.06)  # fmt: skip


def test_the_pair_is_the_one_that_is_taken_for_each_other_and_is_named() -> None:
    train, test = parts()
    assert confused_pair(train, seed=0) == ("cottage", "house")
    found = pair_probe(train, test, seed=0)
    assert found.classes == ("cottage", "house")
    assert found.test == sum(label in ("cottage", "house") for label in test.labels)
    assert 0.6 < found.accuracy.value < 0.95
    named = pair_probe(train, test, seed=0, pair=("ball", "cone"))
    assert named.classes == ("ball", "cone")
    assert named.accuracy.value > 0.98
    with pytest.raises(ValueError, match="no mug"):
        pair_probe(train, test, seed=0, pair=("ball", "mug"))


def test_test_pictures_have_no_say_in_what_is_chosen() -> None:
    train, test = parts()
    shuffled = Examples(test.features[::-1], test.labels, test.keys)
    one, other = probe(train, test, seed=0), probe(train, shuffled, seed=0)
    assert (one.strength, one.classes) == (other.strength, other.classes)
    with pytest.raises(ValueError, match="both parts of a probe, such as train0"):
        probe(train, Examples(test.features, test.labels, ("train0", *test.keys[1:])), seed=0)


def test_probes_refuse_what_cannot_be_told() -> None:
    train, test = parts()
    nothing = test.where(np.zeros(300, bool))
    with pytest.raises(ValueError, match="test part of a probe is empty"):
        probe(train, nothing, seed=0)
    with pytest.raises(ValueError, match="all are 'ball'"):
        probe(train.where(np.array(train.labels) == "ball"), test, seed=0)
    broken = Examples(train.features * np.nan, train.labels, train.keys)
    with pytest.raises(ValueError, match="not finite"):
        probe(broken, test, seed=0)


def test_features_that_do_not_vary_do_no_harm() -> None:
    train, test = parts()
    flat = [Examples(np.hstack((p.features, np.full((len(p.labels), 2), 7.3))), p.labels, p.keys)
            for p in (train, test)]  # fmt: skip
    assert probe(*flat, seed=0).accuracy.value == probe(train, test, seed=0).accuracy.value


# --- layout --------------------------------------------------------------------------------------


def test_pixels_go_to_the_nearest_stated_colour() -> None:
    colours = list(COLOURS.values())
    picture = rng(4).uniform(-1.2, 1.2, (3, 9, 9))
    found = nearest_colours(picture, colours)
    table = [(0, 0, 0), *colours]
    for row in range(9):
        for column in range(9):
            pixel = (np.clip(picture[:, row, column], -1, 1) + 1) * 127.5
            distances = [float(np.sum((pixel - np.array(one)) ** 2)) for one in table]
            assert found[row, column] == distances.index(min(distances))


def test_colours_of_classes_come_from_the_whole_corpus_and_outvote_shades() -> None:
    def facts(*pairs: tuple[str, list[int]]) -> dict[str, Any]:
        return {"segments": [{"category": name, "color": colour} for name, colour in pairs]}

    found = class_colours(
        [
            facts(("ring", [9, 0, 0]), ("ball", [0, 9, 0])),
            facts(("ball", [0, 9, 0]), ("ball", [0, 8, 0])),
            facts(("cone", [1, 1, 1])),
            {"type": "depth"},
            {"segments": [{"color": [5, 5, 5]}]},
        ]
    )
    assert found == {"ball": (0, 9, 0), "cone": (1, 1, 1), "ring": (9, 0, 0)}


def scenes(count: int, seed: int) -> list[tuple[NDArray[np.float32], DecodedSegmentation]]:
    """Generated pictures of drawn targets with class colours: blocks at fault, some of them in
    classes that are not there."""
    draws = rng(seed)
    found = []
    for _ in range(count):
        names = sorted(draws.choice(list(COLOURS), 2, replace=False).tolist())
        labels = np.zeros((24, 24), int)
        for label in (1, 2):
            top, left = draws.integers(0, 12, 2)
            labels[top : top + 10, left : left + 9] = label
        classes = np.array([0, *(list(COLOURS).index(name) + 1 for name in names)])
        shown = np.kron(classes[labels][1::2, 1::2], np.ones((2, 2), int))
        top, left = draws.integers(0, 16, 2)
        shown[top : top + 8, left : left + 8] = draws.integers(0, 5)
        picture = painted(shown, list(COLOURS.values())) + draws.normal(scale=0.1, size=(3, 24, 24))
        found.append((picture.astype(np.float32), decoded_of(labels, names)))
    return found


def slow_classes(pairs: Sequence[tuple[NDArray[Any], DecodedSegmentation]]) -> tuple[float, float]:
    """mIoU and PQ of classes, pixel by pixel."""
    colours = np.array([(0, 0, 0), *COLOURS.values()], float)
    shared, union = dict.fromkeys(COLOURS, 0), dict.fromkeys(COLOURS, 0)
    quality: dict[str, list[float]] = {name: [0.0, 0, 0, 0] for name in COLOURS}
    for picture, decoded in pairs:
        truth, found = {}, {}
        for row in range(24):
            for column in range(24):
                label = int(decoded.labels[row, column])
                if label:
                    name = decoded.segments[label - 1]["category"]
                    truth.setdefault(name, set()).add((row, column))
                pixel = (np.clip(picture[:, row, column].astype(float), -1, 1) + 1) * 127.5
                place = int(np.argmin(((colours - pixel) ** 2).sum(1)))
                if place:
                    found.setdefault(list(COLOURS)[place - 1], set()).add((row, column))
        for name in COLOURS:
            one, other = truth.get(name, set()), found.get(name, set())
            shared[name] += len(one & other)
            union[name] += len(one | other)
            iou = len(one & other) / len(one | other) if one | other else 0
            if iou > 0.5:
                quality[name][0] += iou
                quality[name][1] += 1
            else:
                quality[name][2] += bool(other)
                quality[name][3] += bool(one)
    ious = [shared[name] / union[name] for name in COLOURS if union[name]]
    return float(np.mean(ious)), float(
        np.mean([q[0] / (q[1] + q[2] / 2 + q[3] / 2) for q in quality.values()])
    )


def test_class_layout_is_that_of_a_slow_count() -> None:
    pairs = scenes(12, 1)
    found = class_layout([class_overlap(*pair, COLOURS) for pair in pairs], seed=0)
    assert (found["mIoU"].value, found["PQ"].value) == pytest.approx(slow_classes(pairs))
    assert found["mIoU"].low < found["mIoU"].value < found["mIoU"].high
    assert found["mIoU"].count == 12


def test_a_faultless_picture_scores_one_and_a_black_one_nothing() -> None:
    pairs = scenes(4, 2)
    classes = list(COLOURS)
    for perfect in (True, False):
        shown = []
        for _, decoded in pairs:
            table = [0, *(classes.index(one["category"]) + 1 for one in decoded.segments)]
            labels = np.array(table)[decoded.labels] * perfect
            shown.append(class_overlap(painted(labels, list(COLOURS.values())), decoded, COLOURS))
        found = class_layout(shown, seed=0)
        assert (found["mIoU"].value, found["PQ"].value) == (perfect, perfect)


def test_a_class_that_is_not_there_costs() -> None:
    labels = np.zeros((8, 8), int)
    labels[:4] = 1
    decoded = decoded_of(labels, ["ball"])
    honest = painted(labels, [COLOURS["ball"]])
    invented = painted(np.where(labels, 1, 2), [COLOURS["ball"], COLOURS["mug"]])
    scores = [
        class_layout([class_overlap(one, decoded, COLOURS)], seed=0)["mIoU"].value
        for one in (honest, invented)
    ]
    assert scores == [1.0, 0.5]
    with pytest.raises(CorpusError, match="'ball'"):
        class_overlap(honest, decoded, {"mug": COLOURS["mug"]})


def test_class_blind_segments_are_paired_by_overlap_whatever_their_colours() -> None:
    from scipy.optimize import linear_sum_assignment

    draws = rng(5)
    found = []
    expected = np.zeros(4)
    for _ in range(8):
        labels = np.kron(draws.integers(0, 4, (4, 4)), np.ones((6, 6), int))
        swapped = np.array([0, 2, 3, 1])[labels]
        swapped[draws.integers(0, 20) :, draws.integers(0, 20) :] = draws.integers(0, 4)
        decoded = decoded_of(labels, ["ball", "cone", "ring"])
        picture = painted(swapped, [COLOURS[name] for name in ("ball", "cone", "ring")])
        found.append(segment_overlap(picture, decoded))
        ious = np.array(
            [
                [
                    ((labels == a) & (swapped == b)).sum()
                    / max(1, ((labels == a) | (swapped == b)).sum())
                    for b in (1, 2, 3)
                ]
                for a in (1, 2, 3)
            ]
        )
        rows, columns = linear_sum_assignment(-ious)
        best = ious[rows, columns]
        sides = sum(int((one == k).any()) for one in (labels, swapped) for k in (1, 2, 3))
        hits = (ious > 0.5).sum()
        good = ious[ious > 0.5].sum()
        expected += (best.sum(), sides - (best > 0).sum(), good, hits + (sides - 2 * hits) / 2)
    sums = np.array(found).sum(axis=0)
    assert sums[2:] == pytest.approx(expected[2:])  # above one half there is but one way to pair
    assert sums[0] <= expected[0] + 1e-9
    assert sums[0] == pytest.approx(expected[0], rel=0.03)
    layout = segment_layout(found, seed=0)
    assert layout["PQ"].value == pytest.approx(expected[2] / expected[3])


def test_truth_is_sampled_as_targets_are_drawn() -> None:
    labels = rng().integers(0, 5, (10, 15))
    found = sampled(labels, 4, 6)
    for row in range(4):
        for column in range(6):
            at = int((row + 0.5) * 10 / 4), int((column + 0.5) * 15 / 6)
            assert found[row, column] == labels[at]


def test_a_referring_mask_is_measured_by_iou() -> None:
    truth, shown = np.zeros((2, 8, 8), bool)
    truth[2:6, 2:6], shown[2:6, 4:8] = True, True
    decoded = DecodedSegmentation(truth.astype(np.uint16), ({"label": 1, "color": [255] * 3},))
    assert mask_iou(painted(shown.astype(int), [(255, 255, 255)]), decoded) == 8 / 24


def slow_depth(levels: NDArray[Any], truth: NDArray[Any], low: float, high: float) -> float:
    design = np.stack((levels.ravel(), np.ones(levels.size)), axis=1)
    (scale, shift), *_ = np.linalg.lstsq(design, truth.ravel(), rcond=None)
    depth = 1 / np.clip(scale * levels + shift, low, high)
    return float(np.mean(np.abs(depth - 1 / truth) * truth))


@pytest.mark.parametrize("low", [0.5, 0.0])
def test_depth_error_is_that_after_least_squares(low: float) -> None:
    inverse = rng().uniform(low, 4.0, (12, 12)).astype(np.float32)
    decoded = DecodedDepth(inverse, low, 4.0, 0.01)
    levels = np.clip(inverse / 5 + rng(1).normal(scale=0.05, size=(12, 12)), 0, 1)
    picture = np.repeat(levels[None] * 2 - 1, 3, axis=0)
    floor = max(low, 4.0 / 100)
    truth = np.clip(inverse.astype(float), floor, 4.0)
    ours, flat = depth_error(picture, decoded)
    assert ours == pytest.approx(slow_depth(levels, truth, floor, 4.0))
    assert flat == pytest.approx(np.mean(np.abs(truth / truth.mean() - 1)))
    assert ours < flat


def test_scale_and_shift_of_generated_depth_do_not_matter_and_flat_depth_is_no_better() -> None:
    inverse = rng().uniform(1.0, 4.0, (12, 12)).astype(np.float32)
    decoded = DecodedDepth(inverse, 1.0, 4.0, 0.01)
    picture = np.repeat((inverse[None] / 8 - 0.3), 3, axis=0)
    assert depth_error(picture, decoded)[0] == pytest.approx(0, abs=1e-6)
    ours, flat = depth_error(np.full((3, 12, 12), 0.2), decoded)
    assert ours == flat
    with pytest.raises(CorpusError, match="inverse depth of -1"):
        depth_error(picture, DecodedDepth(inverse, -2.0, -1.0, 0.01))


def test_depth_in_inferno_is_read_by_its_colours() -> None:
    levels = np.arange(256).reshape(16, 16)
    decoded = DecodedDepth((1 + levels / 255).astype(np.float32), 1.0, 2.0, 1 / 255)
    picture = (inferno()[levels] / 127.5 - 1).transpose(2, 0, 1)
    assert depth_error(picture, decoded, "inferno")[0] == pytest.approx(0, abs=1e-6)


def test_edges_are_scored_within_a_pixel_against_a_distance_map() -> None:
    from scipy.ndimage import distance_transform_cdt

    draws = rng(8)
    pairs = [(draws.random((20, 20)), draws.random((20, 20)) < 0.1) for _ in range(3)]
    counts = [
        edge_counts(np.repeat(strength[None] * 2 - 1, 3, 0), np.repeat(truth[None] * 2.0 - 1, 3, 0))
        for strength, truth in pairs
    ]
    scores = []
    for threshold in THRESHOLDS:
        hits, edges, found, wanted = 0, 0, 0, 0
        for strength, truth in pairs:
            shown = strength >= threshold - 1e-12
            hits += (shown & (distance_transform_cdt(~truth, "chessboard") <= 1)).sum()
            found += (
                truth & (distance_transform_cdt(~shown, "chessboard") <= 1) & shown.any()
            ).sum()
            edges, wanted = edges + shown.sum(), wanted + truth.sum()
        precision, recall = hits / edges, found / wanted
        scores.append(2 * precision * recall / (precision + recall))
    assert edge_layout(counts, seed=0)["edge F"].value == pytest.approx(max(scores))
    black = [edge_counts(np.full((3, 20, 20), -1.0), np.full((3, 20, 20), 1.0))]
    assert edge_layout(black, seed=0)["edge F"].value == 0


def test_a_stored_target_is_measured_by_its_proxys_own_measure() -> None:
    labels = np.zeros((16, 16), np.uint16)
    labels[4:12, 4:12] = 1
    facts = {
        "type": "segmentation", "palette": "category", "size": {"width": 16, "height": 16},
        "segments": [{"label": 1, "color": [255, 0, 0], "category": "ball", "isthing": True}],
    }  # fmt: skip
    picture = painted(labels, [COLOURS["ball"]])
    target = encode_target(labels, np.array([[255, 0, 0]], np.uint8))
    one = Generated(picture, picture, target, facts)
    assert layout_fidelity([one], COLOURS, 0)["mIoU"].value == 1
    blind = Generated(picture, picture, target, {**facts, "palette": "distinct"})
    assert layout_fidelity([blind], {}, 0)["PQ"].value == 1
    plain = Generated(picture, -picture, target, {"type": "denoise"})
    assert layout_fidelity([plain], {}, 0)["L1"].value == pytest.approx(1)
    with pytest.raises(CorpusError, match="2 kinds"):
        layout_fidelity([one, plain], COLOURS, 0)


# --- the test split ------------------------------------------------------------------------------

CONFIG = {"steps": 800, "rate": 0.02}
RUNS = ["a-0", "a-1"]


def test_the_test_split_opens_for_the_frozen_configuration_alone(tmp_path: Path) -> None:
    folder = str(tmp_path)
    with pytest.raises(RequestError, match=r"config\.json is missing"):
        test_split.open_test(folder, CONFIG, RUNS, "2026-01-05")
    test_split.freeze(folder, CONFIG)
    with pytest.raises(RequestError, match=f"holds configuration {digest_of(CONFIG)}"):
        test_split.open_test(folder, {**CONFIG, "steps": 900}, RUNS, "2026-01-05")
    assert test_split.openings(folder) == []
    opening = test_split.open_test(folder, CONFIG, RUNS, "2026-01-05")
    assert opening.missing == RUNS
    record = orjson.loads((tmp_path / "test_opened.json").read_bytes())
    assert record[0]["digest"] == digest_of(CONFIG)
    assert record[0]["date"] == "2026-01-05"


def test_the_test_split_opens_once_and_says_when(tmp_path: Path) -> None:
    folder = str(tmp_path)
    digest = test_split.freeze(folder, CONFIG)
    test_split.open_test(folder, CONFIG, RUNS, "2026-01-05")
    test_split.seal(folder, digest, "a-0", b"zero")
    with pytest.raises(RequestError, match="has been measured"):
        test_split.seal(folder, digest, "a-0", b"better")
    with pytest.raises(RequestError, match="cannot be changed"):
        test_split.open_test(folder, CONFIG, [*RUNS, "lucky"], "2026-01-06")
    resumed = test_split.open_test(folder, CONFIG, RUNS, "2026-01-06")
    assert (resumed.missing, resumed.date, resumed.resumed) == (
        ["a-1"], "2026-01-05", ("2026-01-06",)
    )  # fmt: skip
    opening = test_split.seal(folder, digest, "a-1", b"one")
    with pytest.raises(RequestError, match="opened on 2026-01-05"):
        test_split.open_test(folder, CONFIG, RUNS, "2026-01-07")
    test_split.check_sealed(opening, "a-0", b"zero")
    with pytest.raises(CorpusError, match="not the one that was sealed"):
        test_split.check_sealed(opening, "a-0", b"better")


def test_what_the_test_split_showed_cannot_choose_the_next_configuration(tmp_path: Path) -> None:
    folder = str(tmp_path)
    test_split.freeze(folder, CONFIG)
    test_split.freeze(folder, {**CONFIG, "steps": 900})  # before the opening one may choose
    digest = test_split.freeze(folder, CONFIG)
    test_split.open_test(folder, CONFIG, RUNS, "2026-01-05")
    assert test_split.freeze(folder, CONFIG) == digest
    with pytest.raises(RequestError, match="take a new folder"):
        test_split.freeze(folder, {**CONFIG, "steps": 900})


def test_a_config_changed_by_hand_leaves_both_openings_on_record(tmp_path: Path) -> None:
    folder, changed = str(tmp_path), {**CONFIG, "steps": 900}
    test_split.freeze(folder, CONFIG)
    test_split.open_test(folder, CONFIG, RUNS, "2026-01-05")
    (tmp_path / "config.json").write_bytes(orjson.dumps(changed))
    test_split.open_test(folder, changed, RUNS, "2026-01-06")
    assert [one.date for one in test_split.openings(folder)] == ["2026-01-05", "2026-01-06"]


def test_a_damaged_record_opens_nothing(tmp_path: Path) -> None:
    folder = str(tmp_path)
    test_split.freeze(folder, CONFIG)
    (tmp_path / "test_opened.json").write_text("[{]")
    with pytest.raises(CorpusError, match=r"test_opened\.json is not a record"):
        test_split.open_test(folder, CONFIG, RUNS, "2026-01-05")
    with pytest.raises(ValueError, match="Invalid isoformat"):
        test_split.open_test(folder, CONFIG, RUNS, "yesterday")
