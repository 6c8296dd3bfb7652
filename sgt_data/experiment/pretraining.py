"""Stage 0: pretrain a model on captions, questions and drawings, and measure whether it answers.

FOLDER/
  config.json curve.jsonl checkpoints/ tensorboard/   the run, as `train` writes it
  learnt-pictures.parquet                             the pictures that it may have learnt from
  gate.json                                           its answers, and whether it may go on
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from sgt_data.errors import RequestError
from sgt_data.experiment.arithmetic_share import write_arithmetic_share
from sgt_data.experiment.learnt_pictures import write_learnt_pictures
from sgt_data.experiment.measure.answers import (
    ValidationPart,
    marks_of,
    mean_chance,
    mean_of_tasks,
    spread_out,
)
from sgt_data.experiment.measure.held_out import HeldOutQuestion, read_questions
from sgt_data.experiment.pretraining_gate import Gate, read_gate, verdict, write_gate
from sgt_data.files.output_place import check_output
from sgt_data.files.urls import Location
from sgt_data.progress import ProgressTo
from sgt_data.result import Result
from sgt_data.subsets.open_corpus import open_corpus
from sgt_data.training.batches import questions_file
from sgt_data.training.checkpoint import CHECKPOINTS, newest_path
from sgt_data.training.config import TrainConfig, digest_of, document_of
from sgt_data.training.initial_weights import with_init_digest
from sgt_data.training.train import Trained, train

ARITHMETIC_SHARE = 0.1
"""Arithmetic questions for each question about pictures, as in the plans of experiments: without
some in training, arithmetic could not be a negative control."""


@dataclass(slots=True, kw_only=True, repr=False)
class Pretrained(Result):
    """The result of stage 0.

    Attributes:
        complete: the run came to its end and passed its gate.
        trained: the run.
        gate: what was measured of it.
        reused: whether all of it lay in the folder already.
    """

    trained: Trained
    gate: Gate
    reused: bool


def pretrain(config: TrainConfig, output: Location, *, progress: ProgressTo = False) -> Pretrained:
    """Pretrain a model and measure its gate, or reuse a finished run of the same configuration.

    Args:
        config: what is trained; `data.questions` is a folder of questions with validation.
        output: folder of the run.
        progress: as of `train`.

    Raises:
        RequestError: the configuration does not fit, the folder is another run's or of another
            corpus, or the questions have no validation.
        CorpusError: a sample or a file of the folder is damaged.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise RequestError("stage pretrain runs in one process; start it without torchrun")
    opened = open_corpus(config.data.corpus)
    folder = Path(check_output(output, [opened.url, *config.data.places]))
    config = with_init_digest(_with_arithmetic(config, folder))
    corpus = {"name": opened.header.name, **opened.header.fingerprints}
    earlier = _finished_gate(folder, config, corpus)
    validation = read_questions(questions_file(config.data.questions, "val"), config)
    trained = train(config, folder, progress=progress, validate=ValidationPart(validation))
    gate = earlier
    if gate is None:
        write_learnt_pictures(folder, opened)
        gate = _measured(trained, config, validation, corpus)
        write_gate(folder, gate)
    notes = [] if earlier is None else [f"{folder} holds this very run; nothing was trained"]
    return Pretrained(
        complete=gate.passed, notes=notes, trained=trained, gate=gate, reused=earlier is not None
    )


def _with_arithmetic(config: TrainConfig, folder: Path) -> TrainConfig:
    """The configuration with arithmetic questions, which lie beside the folder of the run."""
    beside = folder.with_name(f"{folder.name}-arithmetic")
    file = write_arithmetic_share(
        beside, questions_file(config.data.questions), ARITHMETIC_SHARE, seed=0
    )
    more = [*config.data.more_questions, *([] if file is None else [file])]
    return replace(config, data=replace(config.data, more_questions=more))


def _finished_gate(folder: Path, config: TrainConfig, corpus: dict[str, str]) -> Gate | None:
    """The gate of a folder that holds this very run, finished and measured."""
    gate, path = read_gate(folder), newest_path(folder / CHECKPOINTS)
    if gate is None or path is None:
        return None
    if gate.config != digest_of(document_of(config)):
        return None  # `train` names the fields that differ
    if any(corpus.get(name, digest) != digest for name, digest in gate.corpus.items()):
        raise RequestError(
            f"{folder} was pretrained on another corpus, which lay at {config.data.corpus}; take "
            "another folder"
        )
    return gate if gate.checkpoint == sha256(path.read_bytes()).hexdigest() else None


def _measured(
    trained: Trained,
    config: TrainConfig,
    validation: Sequence[HeldOutQuestion],
    corpus: dict[str, str],
) -> Gate:
    """Measure a run on validation and on as many questions of training."""
    asked = read_questions(questions_file(config.data.questions), config, most=len(validation))
    validation = spread_out(validation, len(asked))
    trained.model.eval()
    accuracies = [mean_of_tasks(marks_of(trained.model, part)) for part in (validation, asked)]
    passed, reason = verdict(*accuracies)
    return Gate(
        validation=accuracies[0],
        training=accuracies[1],
        chance=mean_chance(validation),
        questions=len(validation),
        passed=passed,
        reason=reason,
        checkpoint=sha256(trained.checkpoint.read_bytes()).hexdigest(),
        config=digest_of(document_of(config)),
        corpus=corpus,
    )
