"""Carry out one job: train a run if it is not trained, and measure it if its stage is a split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
import orjson
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from sgt_data.experiment.measure.answers import ValidationPart
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
    HeldOut,
    HeldOutSample,
    read_held_out,
    read_questions,
)
from sgt_data.experiment.measure.make_scorer import make_scorer
from sgt_data.experiment.measure.caption_prompts import read_prompts
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
    if job.stage in ("training", "tuning"):
        write_atomic(str(job.result), orjson.dumps(list(run.curve)))
        return
    run.model.eval()
    held_out = _held_out(job, QUESTION_FILES_OF[job.stage])
    drawn = Drawn(
        draw_targets(run.model, held_out, job.drawn_folder),
        _generation(job, run.model, held_out.split),
    )
    result = measure_run(run, held_out, drawn, job.measurement.categories)
    for proxy, samples in held_out.samples.items():
        if samples:
            examples = _drawn_examples(samples, drawn.targets[proxy], job.config.model.picture)
            write_drawn_examples(job.examples_file(proxy), examples)
    write_atomic(str(job.result), encode_result(result))
