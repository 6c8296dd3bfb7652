"""Which two categories the fine-grained probe tells apart: the same ones for every arm.

They are those that a model with the weights it was drawn with confuses most on validation, so no
arm's training has a say.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import orjson

from sgt_data.errors import CorpusError
from sgt_data.experiment.measure.evaluate import most_confused
from sgt_data.experiment.measure.held_out import read_held_out
from sgt_data.experiment.runs import FILES
from sgt_data.files.writing import write_atomic
from sgt_data.training.batches import answers_of
from sgt_data.training.config import TrainConfig
from sgt_data.training.train import make_model

FILE = "pair.json"
_SEED = 0


def pair_of(
    config: TrainConfig, corpus: str, things: str | None, folder: Path
) -> tuple[str, str] | None:
    """The pair that an experiment's folder names, or else the one that is found now and kept there.

    Args:
        config: of any arm; its model and questions count.
        corpus, things: see `runs.Job`.
        folder: of the experiment.

    Returns:
        Two categories; None where validation has too little to tell.

    Raises:
        CorpusError: the file is damaged.
    """
    place = folder / FILE
    model = orjson.loads(orjson.dumps(asdict(config.model)))
    if place.exists():
        try:
            found = orjson.loads(place.read_bytes())
            if found["model"] == model:
                return None if found["pair"] is None else (found["pair"][0], found["pair"][1])
        except (orjson.JSONDecodeError, KeyError, TypeError, IndexError) as why:
            raise CorpusError(f"{place} names no pair of categories: {why!r}") from why
    pair = None
    if things is not None:
        held = read_held_out(
            corpus, config.data.questions, FILES["validation"], config.model.picture, (), things
        )
        untrained = make_model(replace(config, seed=_SEED), answers_of(config))
        pair = most_confused(untrained, held, _SEED)
    data = orjson.dumps({"model": model, "pair": pair}, option=orjson.OPT_INDENT_2)
    write_atomic(str(place), data + b"\n")
    return pair
