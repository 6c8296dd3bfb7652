"""Measure a finished run on a split: answers, probes, generated targets, attention."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from sgt_data.experiment.measure.accuracy import accuracy_per_task, mark_answers, mean_accuracy
from sgt_data.experiment.measure.attention import attention_per_layer, attention_shares
from sgt_data.experiment.measure.drawn_targets import write_drawn_targets
from sgt_data.experiment.measure.fidelity import layout_fidelity
from sgt_data.experiment.measure.held_out import HeldOut
from sgt_data.experiment.measure.lift_off import lift_off, smoothed
from sgt_data.experiment.measure.model_outputs import (
    answer_numbers,
    generate_targets,
    picture_features,
    question_batches,
)
from sgt_data.experiment.measure.run_result import CurveRow, RunResult, Samples
from sgt_data.experiment.measure.split_probes import probe_split
from sgt_data.experiment.plan.arms import Arm
from sgt_data.scoring.intervals import Estimate
from sgt_data.scoring.layout_fidelity import class_colours
from sgt_data.training.config import TrainConfig, digest_of, document_of
from sgt_data.training.train import Row

_ATTENDED = 2000
"""Largest number of questions on which attention is measured; they are evenly spread."""


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """A run that can be measured.

    Attributes:
        arm: arm of the run.
        config: configuration of the run, with its seed.
        model: a `Learner`, trained or not.
        answers: the answers that the model chooses from; empty for a model that answers nothing.
        curve: rows logged in training; empty for an untrained model.
    """

    arm: Arm
    config: TrainConfig
    model: nn.Module
    answers: Sequence[str]
    curve: Sequence[Row]


def measure_run(
    run: FinishedRun,
    held_out: HeldOut,
    categories: tuple[str, str] | None = None,
    drawn_folder: Path | None = None,
) -> RunResult:
    """Measure a run on a split.

    Args:
        run: the run.
        held_out: the split.
        categories: the two categories of the probe `pair`; None for those that this model confuses
            most.
        drawn_folder: where generated targets are kept, by proxy; None keeps none.
    """
    config, model = run.config, run.model
    model.eval()
    given, attention = [""] * len(held_out.questions), tuple[Estimate, ...]()
    if run.answers:
        given = [run.answers[number] for number in answer_numbers(model, held_out.questions)]
        attention = _attention(model, held_out, config.seed)
    questions = [question.asked for question in held_out.questions]
    marks = mark_answers(questions, given)
    accuracy = accuracy_per_task(questions, marks, config.seed)
    chance = sum(task.chance for task in accuracy.values()) / len(accuracy)
    logged = [(int(row["step"]), row["accuracy"]) for row in run.curve if "accuracy" in row]
    steps = int(run.curve[-1]["step"]) if run.curve else 0
    document = document_of(config)
    return RunResult(
        arm=run.arm.name,
        x=run.arm.x,
        seed=config.seed,
        config=document,
        digest=digest_of(document),
        split=held_out.split,
        accuracy=accuracy,
        mean=mean_accuracy(marks, config.seed),
        marks=marks,
        training_accuracy=smoothed([value for _, value in logged])[-1] if logged else None,
        lift_off=lift_off(logged, chance) if logged else None,
        samples=Samples(steps * config.questions, steps * config.drawings, run.arm.pictures),
        seconds=run.curve[-1]["seconds"] if run.curve else 0.0,
        probes=probe_split(held_out, picture_features(model, held_out), config.seed, categories),
        layout=_layout(model, held_out, config.seed, drawn_folder),
        attention=attention,
        curve=tuple(_curve_row(row) for row in run.curve),
    )


def _layout(
    model: nn.Module, held_out: HeldOut, seed: int, drawn_folder: Path | None
) -> dict[str, dict[str, Estimate]]:
    layout = {}
    for proxy, samples in held_out.samples.items():
        if not samples:
            continue
        targets = generate_targets(model, samples)
        if drawn_folder is not None:
            write_drawn_targets(drawn_folder / proxy, samples, targets)
        classes = class_colours(sample.stored.facts for sample in samples)
        layout[proxy] = layout_fidelity(targets, classes, seed)
    return layout


def _attention(model: nn.Module, held_out: HeldOut, seed: int) -> tuple[Estimate, ...]:
    questions = held_out.questions[:: -(-len(held_out.questions) // _ATTENDED)]
    shares = attention_shares(model, question_batches(model, questions))  # type: ignore[arg-type]
    return attention_per_layer(shares, [question.asked.key for question in questions], seed)


def _curve_row(row: Row) -> CurveRow:
    return int(row["step"]), row.get("answers"), row.get("drawings"), row.get("accuracy")
