"""Measure a finished run on a split: answers, probes, generated targets, generation, attention."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from sgt_data.experiment.measure.accuracy import accuracy_per_task, mean_accuracy
from sgt_data.experiment.measure.answers import marks_of, spread_out
from sgt_data.experiment.measure.attention import attention_per_layer, attention_shares
from sgt_data.experiment.measure.drawn_targets import write_drawn_targets
from sgt_data.experiment.measure.fidelity import GeneratedTarget, layout_fidelity
from sgt_data.experiment.measure.held_out import HeldOut, HeldOutQuestion
from sgt_data.experiment.measure.lift_off import lift_off, smoothed
from sgt_data.experiment.measure.model_outputs import (
    generate_targets,
    picture_features,
    question_batches,
)
from sgt_data.experiment.measure.run_result import (
    CurveRow,
    LayerAttention,
    RunResult,
    Samples,
    TestSet,
)
from sgt_data.experiment.measure.split_probes import probe_split
from sgt_data.experiment.measure.validation_curve import plateau_of, validation_curve
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
        curve: rows logged in training; empty for an untrained model.
        base: mean accuracy, on the questions of the validation curve, of the model that training
            began from; None where nothing was trained.
    """

    arm: Arm
    config: TrainConfig
    model: nn.Module
    curve: Sequence[Row]
    base: float | None = None


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a run drew for a split.

    Attributes:
        targets: by proxy, the targets that it generated.
        generation: by what is drawn of captions and by task, the share that shows what they say.
    """

    targets: Mapping[str, Sequence[GeneratedTarget]]
    generation: Mapping[str, Mapping[str, Estimate]]


def measure_run(
    run: FinishedRun,
    held_out: HeldOut,
    drawn: Drawn,
    categories: tuple[str, str] | None = None,
) -> RunResult:
    """Measure a run on a split.

    Args:
        run: the run; its model is in evaluation mode.
        held_out: the split.
        drawn: what the run drew.
        categories: the two categories of the probe `pair`; None for those that this model confuses
            most.
    """
    config, model = run.config, run.model
    asked = _test_set(model, held_out.questions, config.seed)
    logged = [row["accuracy"] for row in run.curve if "accuracy" in row]
    steps = int(run.curve[-1]["step"]) if run.curve else 0
    measured = validation_curve(run.curve)
    document = document_of(config)
    return RunResult(
        arm=run.arm.name,
        x=run.arm.x,
        seed=config.seed,
        config=document,
        digest=digest_of(document),
        split=held_out.split,
        accuracy=asked.accuracy,
        mean=asked.mean,
        marks=asked.marks,
        training_accuracy=smoothed(logged)[-1] if logged else None,
        lift_off=lift_off(measured, run.base) if run.base is not None else None,
        samples=Samples(steps * config.questions, steps * config.drawings, run.arm.pictures),
        seconds=run.curve[-1]["seconds"] if run.curve else 0.0,
        probes=probe_split(picture_features(model, held_out), config.seed, categories),
        layout=_layout(held_out, drawn, config.seed),
        generation=drawn.generation,
        others={
            name: _test_set(model, questions, config.seed)
            for name, questions in held_out.others.items()
        },
        attention=_attention(model, held_out, config.seed),
        plateau=plateau_of(measured),
        validation_curve=measured,
        curve=tuple(_curve_row(row) for row in run.curve),
    )


def draw_targets(
    model: nn.Module, held_out: HeldOut, folder: Path | None = None
) -> dict[str, list[GeneratedTarget]]:
    """The targets that a model draws for a split, by proxy.

    Args:
        model: in evaluation mode.
        held_out: the split.
        folder: where they are kept, by proxy; None keeps none.
    """
    targets = {}
    for proxy, samples in held_out.samples.items():
        if samples:
            targets[proxy] = generate_targets(model, samples)
            if folder is not None:
                write_drawn_targets(folder / proxy, samples, targets[proxy])
    return targets


def _test_set(model: nn.Module, questions: Sequence[HeldOutQuestion], seed: int) -> TestSet:
    """Answers to questions of all tasks, with their accuracy."""
    marks = marks_of(model, questions)
    asked = [question.asked for question in questions]
    return TestSet(accuracy_per_task(asked, marks, seed), mean_accuracy(marks, seed), marks)


def _layout(held_out: HeldOut, drawn: Drawn, seed: int) -> dict[str, dict[str, Estimate]]:
    return {
        proxy: layout_fidelity(
            targets, class_colours(each.stored.facts for each in held_out.samples[proxy]), seed
        )
        for proxy, targets in drawn.targets.items()
    }


def _attention(model: nn.Module, held_out: HeldOut, seed: int) -> tuple[LayerAttention, ...]:
    questions = spread_out(held_out.questions, _ATTENDED)
    shares, uniform = attention_shares(model, question_batches(model, questions))  # type: ignore[arg-type]
    keys = [question.asked.key for question in questions]
    return attention_per_layer(shares, uniform, keys, seed)


def _curve_row(row: Row) -> CurveRow:
    return int(row["step"]), row.get("answers"), row.get("drawings"), row.get("accuracy")
