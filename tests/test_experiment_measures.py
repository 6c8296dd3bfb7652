"""Intervals, accuracy and attention: against slow, independent computations, and with
what would fool a reader put in its way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from painted import rng

from sgt_data.experiment.measure.accuracy import (
    AskedQuestion,
    accuracy_per_task,
    chance_accuracy,
    mark_answers,
    mean_accuracy,
)
from sgt_data.experiment.measure.attention import attention_per_layer, attention_shares
from sgt_data.scoring.intervals import (
    Estimate,
    as_share,
    bootstrap,
    mean_over_pictures,
    ratio_of_sums,
)

stats = pytest.importorskip("scipy.stats")
metrics = pytest.importorskip("sklearn.metrics")


# --- intervals -----------------------------------------------------------------------------------


def test_questions_of_one_picture_do_not_count_as_independent() -> None:
    """100 pictures with 20 questions each, all right or all wrong: the interval is that of 100
    throws, not of 2,000."""
    right = (rng().random(100) < 0.5) * 20.0
    share = ratio_of_sums(right, np.full(100, 20.0), seed=0)
    binomial = stats.binomtest(int(right.sum() / 20), 100).proportion_ci(method="wilson")
    assert share.low == pytest.approx(binomial.low, abs=0.03)
    assert share.high == pytest.approx(binomial.high, abs=0.03)
    naive = 2 * 1.96 * (0.25 / 2000) ** 0.5
    assert share.high - share.low > 3 * naive


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """95 % of the time, within what 120 trials can tell, with unequal numbers of questions."""
    hits = 0
    for trial in range(120):
        draws = rng(trial)
        asked = draws.integers(1, 6, 60)
        skill = draws.beta(3, 2, 60)
        share = ratio_of_sums(
            draws.binomial(asked, skill).astype(float), asked.astype(float), seed=trial
        )
        hits += share.low <= 0.6 <= share.high
    assert 0.88 <= hits / 120 <= 0.99


def test_intervals_agree_with_scipys_bootstrap() -> None:
    values = rng(3).exponential(size=80)
    ours = mean_over_pictures(values, seed=1)
    theirs = stats.bootstrap(
        (values,), np.mean, method="percentile", n_resamples=4000, rng=rng(5)
    ).confidence_interval
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.03)
    assert ours.value == pytest.approx(values.mean())


def test_intervals_are_the_same_each_time_and_differ_by_seed() -> None:
    values = rng(3).random(50)
    assert mean_over_pictures(values, seed=1) == mean_over_pictures(values, seed=1)
    assert mean_over_pictures(values, seed=1) != mean_over_pictures(values, seed=2)


def test_a_perfect_score_on_few_pictures_is_no_certainty() -> None:
    right = np.full(12, 3.0)
    perfect = as_share(ratio_of_sums(right, right, seed=0))
    exact = stats.binomtest(12, 12).proportion_ci(method="exact")
    assert (perfect.low, perfect.high) == pytest.approx((exact.low, exact.high))
    none = as_share(ratio_of_sums(0 * right, right, seed=0))
    exact = stats.binomtest(0, 12).proportion_ci(method="exact")
    assert (none.low, none.high) == pytest.approx((exact.low, exact.high))


def test_one_picture_has_no_interval_and_none_has_no_value() -> None:
    assert mean_over_pictures(np.array([0.3]), seed=0) == Estimate(0.3, None, None, 1)
    with pytest.raises(ValueError, match="no pictures"):
        mean_over_pictures(np.array([]), seed=0)
    with pytest.raises(ValueError, match="is nan"):
        bootstrap(lambda weights: weights[:, 0] * np.nan, 3, seed=0)


# --- accuracy ------------------------------------------------------------------------------------


def asked(pictures: int = 40) -> list[AskedQuestion]:
    draws = rng(1)
    questions = []
    for key in range(pictures):
        for task, choices in (("count", ("1", "2", "3")), ("presence", ("yes", "no"))):
            questions += [
                AskedQuestion(f"p{key}", task, str(draws.choice(choices)), choices)
                for _ in range(int(draws.integers(1, 4)))
            ]
    return questions


def answers(questions: Sequence[AskedQuestion], skill: float, seed: int) -> list[str]:
    draws = rng(seed)
    return [
        question.answer if draws.random() < skill else str(draws.choice(question.choices))
        for question in questions
    ]


def test_accuracy_is_sklearns_and_its_mean_counts_tasks_the_same() -> None:
    questions = asked()
    given = answers(questions, 0.5, 2)
    marks = mark_answers(questions, given)
    accuracies = accuracy_per_task(questions, marks, seed=0)
    for task in ("count", "presence"):
        truth, answered = zip(
            *((q.answer, a) for q, a in zip(questions, given, strict=True) if q.task == task),
            strict=True,
        )
        assert accuracies[task].value == pytest.approx(metrics.accuracy_score(truth, answered))
        assert accuracies[task].count == len(truth)
        assert accuracies[task].low < accuracies[task].value < accuracies[task].high
    assert mean_accuracy(marks, seed=0).value == pytest.approx(
        (accuracies["count"].value + accuracies["presence"].value) / 2
    )


def test_chance_is_what_guessing_scores() -> None:
    questions = asked(400)
    accuracies = accuracy_per_task(
        questions, mark_answers(questions, answers(questions, 0, 3)), seed=0
    )
    assert accuracies["count"].chance == pytest.approx(1 / 3)
    assert accuracies["presence"].chance == pytest.approx(1 / 2)
    for accuracy in accuracies.values():
        assert accuracy.low - 0.01 <= accuracy.chance <= accuracy.high + 0.01
        assert accuracy.commonest >= accuracy.chance
    with pytest.raises(ValueError, match=r"'blue'.*not among"):
        chance_accuracy([AskedQuestion("a", "t", "blue", ("red", "green"))])


def test_unbalanced_answers_show_what_a_constant_answer_scores() -> None:
    questions = [
        AskedQuestion(str(k), "t", "yes" if k < 90 else "no", ("yes", "no")) for k in range(100)
    ]
    accuracy = accuracy_per_task(questions, mark_answers(questions, ["yes"] * 100), seed=0)["t"]
    assert accuracy.value == accuracy.commonest == 0.9
    assert accuracy.chance == 0.5


def test_a_repeated_choice_is_one_choice() -> None:
    assert chance_accuracy([AskedQuestion("a", "t", "x", ("x", "x", "y"))]) == 0.5


def test_as_many_answers_as_questions_are_needed() -> None:
    with pytest.raises(ValueError, match="1 answers to 2"):
        mark_answers([AskedQuestion("a", "t", "x", ("x",))] * 2, ["x"])


def test_a_resample_that_lost_a_task_is_a_mean_of_the_rest() -> None:
    rare = [AskedQuestion("p0", "rare", "yes", ("yes", "no"))]
    many = [AskedQuestion(f"p{k}", "often", "yes", ("yes", "no")) for k in range(30)]
    accuracy = mean_accuracy(mark_answers(rare + many, ["yes"] + ["no"] * 30), seed=0)
    assert (accuracy.value, accuracy.low, accuracy.high) == (0.5, 0.0, 0.5)


# --- attention -----------------------------------------------------------------------------------


def test_attention_is_averaged_by_layer_over_pictures_and_stands_beside_even_attention() -> None:
    shares, uniform = rng().random((3, 60)), np.linspace(0.2, 0.6, 60)
    keys = [f"p{k // 3}" for k in range(60)]
    layers = attention_per_layer(shares, uniform, keys, seed=0)
    assert [layer.share.value for layer in layers] == pytest.approx(shares.mean(axis=1).tolist())
    assert all(layer.share.count == 20 for layer in layers)
    assert all(layer.share.low < layer.share.value < layer.share.high for layer in layers)
    assert [layer.uniform for layer in layers] == pytest.approx([0.4] * 3)
    assert attention_per_layer(np.empty((0, 60)), uniform * 0, keys, seed=0) == ()


def test_attention_that_cannot_be_is_refused() -> None:
    shares, uniform, keys = rng().random((3, 60)), np.full(60, 0.5), ["p"] * 60
    with pytest.raises(ValueError, match="59 questions"):
        attention_per_layer(shares, uniform, keys[1:], seed=0)
    with pytest.raises(ValueError, match=r"baselines \(59,\)"):
        attention_per_layer(shares, uniform[1:], keys, seed=0)
    for wrong in (shares + 1, -shares, shares * np.nan):
        with pytest.raises(ValueError, match="0 to 1"):
            attention_per_layer(wrong, uniform, keys, seed=0)
    for wrong in (uniform * 0, uniform + 1, uniform * np.nan):
        with pytest.raises(ValueError, match="even attention"):
            attention_per_layer(shares, wrong, keys, seed=0)


def test_attention_is_gathered_from_any_learner() -> None:
    torch = pytest.importorskip("torch")
    from sgt_data.training.learner import VisualAttention

    class Fixed:
        def visual_attention(self, pictures: Any, texts: Sequence[str]) -> Any:
            shares = torch.stack([pictures[:, 0, 0, 0], pictures[:, 1, 0, 0]])
            return VisualAttention(shares, pictures[:, 2, 0, 0])

    pictures = torch.rand(5, 3, 2, 2)
    batches = [(pictures[:3], ["?"] * 3), (pictures[3:], ["?"] * 2)]
    shares, uniform = attention_shares(Fixed(), batches)  # type: ignore[arg-type]
    assert shares == pytest.approx(pictures[:, :2, 0, 0].T.numpy())
    assert uniform == pytest.approx(pictures[:, 2, 0, 0].numpy())


@pytest.mark.parametrize("words", [0, 1, 30])
def test_the_bundled_model_attends_to_no_padding(words: int) -> None:
    """Attention without training is nearly even; its baseline counts the words that there are."""
    torch = pytest.importorskip("torch")
    from sgt_data.training.model import make

    torch.manual_seed(0)
    model = make({"picture": 32, "width": 32}).eval()
    texts = ["a " * words, "a " * 30]
    attention = model.visual_attention(torch.zeros(2, 3, 32, 32), texts)
    assert attention.uniform.tolist() == pytest.approx([16 / (17 + words), 16 / 47])
    alone = model.visual_attention(torch.zeros(1, 3, 32, 32), texts[:1])
    assert attention.shares[:, 0].tolist() == pytest.approx(alone.shares[:, 0].tolist(), abs=1e-5)
