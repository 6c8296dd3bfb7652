"""Measure a trained model on a split: answers, probes, drawn targets, attention."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sgt_data.experiment.measure.accuracy import accuracy_per_task, mark, mean_accuracy
from sgt_data.experiment.measure.attention import attention_per_layer, attention_shares
from sgt_data.experiment.measure.fidelity import Generated, layout_fidelity
from sgt_data.experiment.measure.held_out import AskedQuestion, HeldOut, Shown
from sgt_data.experiment.measure.intervals import Estimate
from sgt_data.experiment.measure.layout import class_colours
from sgt_data.experiment.measure.lift_off import lift_off, smoothed
from sgt_data.experiment.measure.probe_examples import Examples, number_examples, thing_examples
from sgt_data.experiment.measure.probes import confused_pair, pair_probe, probe
from sgt_data.experiment.measure.results import (
    CurveRow,
    ProbeResult,
    RunResult,
    Samples,
)
from sgt_data.seeds import derive_seed
from sgt_data.training.batches import as_pictures
from sgt_data.training.config import TrainConfig, digest_of, document_of
from sgt_data.training.train import Row

_BATCH = 128
_ATTENDED = 2000
"""Questions on which attention is measured, at most: evenly spread ones, tasks as they come."""


def measure(
    arm: str,
    x: float | str | None,
    config: TrainConfig,
    model: nn.Module,
    answers: Sequence[str],
    curve: Sequence[Row],
    pictures: int,
    held: HeldOut,
    split: Literal["validation", "test"],
    pair: tuple[str, str] | None = None,
) -> RunResult:
    """All that is measured of one run.

    Args:
        arm, x: see `RunResult`.
        config: of the run.
        model: a `Learner`, trained or not.
        answers: that it chooses from.
        curve: of its training; empty where it has none.
        pictures: distinct ones whose targets it drew in training.
        held: the split.
        pair: categories of the fine-grained probe; by default the most confused ones.
    """
    model.eval()
    with torch.inference_mode():
        given = [answers[number] for number in _answered(model, held)] if answers else []
        features = _features(model, held)
        attention = _attention(model, held, config.seed) if answers else ()
        layout = {
            proxy: layout_fidelity(
                generated(model, shown),
                class_colours(one.stored.facts for one in shown),
                config.seed,
            )
            for proxy, shown in held.drawn.items()
            if shown
        }
    asked = [one.asked for one in held.questions]
    marks = mark(asked, given or [""] * len(asked))
    accuracy = accuracy_per_task(asked, marks, config.seed)
    chance = sum(one.chance for one in accuracy.values()) / len(accuracy)
    logged = [(int(row["step"]), row["accuracy"]) for row in curve if "accuracy" in row]
    steps = int(curve[-1]["step"]) if curve else 0
    return RunResult(
        arm=arm,
        x=x,
        seed=config.seed,
        config=document_of(config),
        digest=digest_of(document_of(config)),
        split=split,
        accuracy=accuracy,
        mean=mean_accuracy(marks, config.seed),
        marks=marks,
        training_accuracy=smoothed([value for _, value in logged])[-1] if logged else None,
        lift_off=lift_off(logged, chance) if logged else None,
        samples=Samples(steps * config.questions, steps * config.drawings, pictures),
        seconds=curve[-1]["seconds"] if curve else 0.0,
        probes=_probes(held, features, config.seed, pair),
        layout=layout,
        attention=attention,
        curve=tuple(_curve_row(row) for row in curve),
    )


def most_confused(model: nn.Module, held: HeldOut, seed: int) -> tuple[str, str] | None:
    """The two categories that a probe on the model's features takes most often for each other, on
    the half of the split that probes are trained on; None where there is too little to tell."""
    model.eval()
    with torch.inference_mode():
        features = _features(model, held)
    train, _ = _halves(features)
    try:
        return confused_pair(_things(held, features, train), seed) if train else None
    except ValueError:  # too few things, or of one kind only
        return None


def _curve_row(row: Row) -> CurveRow:
    return int(row["step"]), row.get("answers"), row.get("drawings"), row.get("accuracy")


def _answered(model: nn.Module, held: HeldOut) -> list[int]:
    found: list[int] = []
    for pictures, texts in _question_batches(model, held.questions):
        scores: Tensor = model.answer(pictures, texts)  # type: ignore[operator]
        found += scores.argmax(1).tolist()
    return found


def _attention(model: nn.Module, held: HeldOut, seed: int) -> tuple[Estimate, ...]:
    some = held.questions[:: -(-len(held.questions) // _ATTENDED)]
    shares = attention_shares(model, _question_batches(model, some))  # type: ignore[arg-type]
    return attention_per_layer(shares, [one.asked.key for one in some], seed)


def _question_batches(
    model: nn.Module, questions: Sequence[AskedQuestion]
) -> Iterator[tuple[Tensor, Sequence[str]]]:
    for start in range(0, len(questions), _BATCH):
        some = questions[start : start + _BATCH]
        yield _on(model, [one.picture for one in some]), [one.text for one in some]


def _features(model: nn.Module, held: HeldOut) -> dict[str, NDArray[np.float64]]:
    """Of every picture whose things are known, by key."""
    pictures = {
        one.asked.key: one.picture for one in held.questions if one.asked.key in held.things
    }
    keys = sorted(pictures)
    found: dict[str, NDArray[np.float64]] = {}
    for start in range(0, len(keys), _BATCH):
        some = keys[start : start + _BATCH]
        grid: Tensor = model.features(_on(model, [pictures[key] for key in some]))  # type: ignore[operator]
        found |= dict(zip(some, grid.double().cpu().numpy(), strict=True))
    return found


@torch.inference_mode()
def generated(model: nn.Module, shown: Sequence[Shown]) -> list[Generated]:
    """What the model draws of samples, beside what is wanted."""
    torch.manual_seed(0)  # what flow starts from
    found = []
    for start in range(0, len(shown), _BATCH):
        some = shown[start : start + _BATCH]
        drawn: Tensor = model.draw(  # type: ignore[operator]
            _on(model, [one.picture for one in some]), [one.text for one in some]
        )
        wanted = as_pictures([one.target for one in some]).numpy()
        for picture, target, one in zip(drawn.float().cpu().numpy(), wanted, some, strict=True):
            found.append(Generated(picture, target, one.stored.target, one.stored.facts))
    return found


def _on(model: nn.Module, pixels: Sequence[NDArray[np.uint8]]) -> Tensor:
    """Pictures where the model is."""
    like = next(model.parameters())
    return as_pictures(pixels).to(like.device)


def _halves(features: Mapping[str, NDArray[np.float64]]) -> tuple[list[str], list[str]]:
    """Keys of the pictures that probes are trained on, and of those they are tested on."""
    halves: tuple[list[str], list[str]] = ([], [])
    for key in features:
        halves[derive_seed(0, "probe", key) % 2].append(key)
    return halves


def _things(
    held: HeldOut, features: Mapping[str, NDArray[np.float64]], keys: Sequence[str]
) -> Examples:
    grids = np.stack([features[key] for key in keys])
    return thing_examples(grids, [held.things[key] for key in keys], keys)


def _probes(
    held: HeldOut,
    features: Mapping[str, NDArray[np.float64]],
    seed: int,
    pair: tuple[str, str] | None,
) -> dict[str, ProbeResult]:
    """Probes trained on one half of the split's pictures, tested on the other; those for which the
    split has too little are left out."""
    halves = _halves(features)
    if not all(halves):
        return {}

    def things(keys: Sequence[str]) -> Examples:
        return _things(held, features, keys)

    def numbers(keys: Sequence[str]) -> Examples:
        grids = np.stack([features[key] for key in keys])
        return number_examples(grids, [held.things[key] for key in keys], keys)

    def each(examples: Callable[[Sequence[str]], Examples]) -> tuple[Examples, Examples]:
        return examples(halves[0]), examples(halves[1])

    wanted: dict[str, Callable[[], ProbeResult]] = {
        "shape": lambda: probe(*each(things), seed),
        "pair": lambda: pair_probe(*each(things), seed, pair),
        "number": lambda: probe(*each(numbers), seed),
    }
    found = {}
    for name, work in wanted.items():
        try:
            found[name] = work()
        except ValueError:  # too few things, or of one kind only: nothing to tell apart
            continue
    return found
