"""Carry out one job: train a run if it is not trained, and measure it if its stage is a split."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import orjson
from PIL import Image

from sgt_data.experiment.measure.answers import ValidationPart, mean_chance
from sgt_data.experiment.measure.caption_prompts import read_prompts
from sgt_data.experiment.measure.drawn_examples import (
    EXAMPLE_COUNT,
    DrawnExamples,
    to_pixels,
    write_drawn_examples,
)
from sgt_data.experiment.measure.fidelity import GeneratedTarget
from sgt_data.experiment.measure.generation import Scores, generation_scores
from sgt_data.experiment.measure.held_out import (
    QUESTION_FILES,
    HeldOutSample,
    read_held_out,
    read_questions,
)
from sgt_data.experiment.measure.make_scorer import make_scorer
from sgt_data.experiment.measure.measure_run import Drawn, FinishedRun, draw_targets, measure_run
from sgt_data.experiment.measure.run_result import Split, encode_result
from sgt_data.experiment.runs import Job
from sgt_data.files.writing import write_atomic
from sgt_data.training.batches import questions_file
from sgt_data.training.config import TrainConfig
from sgt_data.training.letterbox import letterboxed
from sgt_data.training.own_models import make_model
from sgt_data.training.train import train

PROMPTS_PER_TASK = 48
"""Captions of each task, and of each thing that is drawn, from which every run draws."""


def run_job(job: Job) -> None:
    """Train the run if it is not trained, measure it if its stage is a split, and write the result.

    Nothing is done where the result exists.
    """
    if job.result.exists():
        return
    run = _finished_run(job)
    if job.stage == "training" or job.stage == "tuning":
        write_atomic(str(job.result), orjson.dumps(list(run.curve)))
    else:
        _measure(job, run, job.stage)


def _finished_run(job: Job) -> FinishedRun:
    """The run of a job, trained; what it began with is measured where its curve needs it."""
    config = job.config
    if not job.arm.trained:
        return FinishedRun(job.arm, config, make_model(config).eval(), [])
    validation = _validation_part(config)
    base = _base_accuracy(config, validation) if job.stage in QUESTION_FILES else None
    trained = train(config, job.folder / job.name, validate=validation)
    return FinishedRun(job.arm, config, trained.model.eval(), trained.curve, base)


def _validation_part(config: TrainConfig) -> ValidationPart:
    return ValidationPart(
        read_questions(questions_file(config.data.questions, QUESTION_FILES["validation"]), config)
    )


def _base_accuracy(config: TrainConfig, validation: ValidationPart) -> float:
    """Accuracy of what training begins with; that of guessing, for random weights."""
    if config.model.init is not None:
        return validation(make_model(config).eval())
    return mean_chance(validation.questions)


def _measure(job: Job, run: FinishedRun, split: Split) -> None:
    config = job.config
    held_out = read_held_out(
        job.corpus,
        split,
        config,
        proxies=config.data.proxies if config.objective == "draw" else (),
        instance_proxy=job.instance_proxy,
        others=dict(job.measurement.further.questions),
    )
    drawn = Drawn(draw_targets(run.model, held_out, job.drawn_folder), _generation(job, run, split))
    result = measure_run(run, held_out, drawn, job.measurement.categories)
    for proxy, samples in held_out.samples.items():
        if samples:
            examples = _examples(samples, drawn.targets[proxy], config.model.picture)
            write_drawn_examples(job.examples_file(proxy), examples)
    write_atomic(str(job.result), encode_result(result))


def _generation(job: Job, run: FinishedRun, split: Split) -> Scores:
    """What the run draws of captions; nothing where there are none."""
    data = job.measurement.further.generation
    if data is None:
        return {}
    scorer = make_scorer(data, _home(job))
    prompts = read_prompts(data.captions, split, PROMPTS_PER_TASK, data.picture)
    return generation_scores(run.model, prompts, scorer, run.config.seed, job.captions_sheet)


def _home(job: Job) -> Path:
    """Folder of the experiment."""
    return job.folder.parent


def _examples(
    samples: Sequence[HeldOutSample], targets: Sequence[GeneratedTarget], side: int
) -> DrawnExamples:
    """The first pictures, targets and generated targets, side by side."""
    kept = list(zip(samples, targets, strict=True))[:EXAMPLE_COUNT]
    generated = [
        letterboxed(to_pixels(target.generated), side, Image.Resampling.NEAREST)
        for _, target in kept
    ]
    return DrawnExamples(
        np.concatenate([sample.picture for sample, _ in kept], axis=1),
        np.concatenate([sample.target for sample, _ in kept], axis=1),
        np.concatenate(generated, axis=1),
        tuple(sample.text for sample, _ in kept),
    )
