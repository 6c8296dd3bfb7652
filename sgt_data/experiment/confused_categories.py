"""The two categories that the probe `pair` tells apart: chosen once, and the same for every arm.

They are those that the model which all arms begin with confuses most on validation, so no arm's
training has an influence on the choice.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import orjson

from sgt_data.errors import CorpusError
from sgt_data.experiment.measure.held_out import read_held_out
from sgt_data.experiment.measure.split_probes import most_confused_categories
from sgt_data.files.writing import write_atomic
from sgt_data.foreign_errors import in_words
from sgt_data.training.config import TrainConfig
from sgt_data.training.own_models import make_model

FILE = "pair.json"
_SEED = 0


def choose_confused_categories(
    config: TrainConfig, corpus: str, instance_proxy: str | None, folder: Path
) -> tuple[str, str] | None:
    """Choose the two categories, or read them where the experiment's folder holds the choice.

    Args:
        config: configuration of any arm; its model and questions decide the choice.
        corpus: fsspec URL of the corpus.
        instance_proxy: a segmentation proxy that tells individuals apart; None for no choice.
        folder: folder of the experiment.

    Returns:
        Two categories; None where validation has too few things.

    Raises:
        CorpusError: the file of the choice is damaged.
    """
    path = folder / FILE
    model = orjson.loads(orjson.dumps(asdict(config.model)))
    if model["init_digest"] is not None:
        del model["init"]
    if path.exists():
        try:
            choice = orjson.loads(path.read_bytes())
            if choice["model"] == model:
                categories = choice["pair"]
                return None if categories is None else (categories[0], categories[1])
        except (orjson.JSONDecodeError, KeyError, TypeError, IndexError) as why:
            raise CorpusError(f"{path} names no pair of categories: {in_words(why)}") from why
    chosen = None
    if instance_proxy is not None:
        held_out = read_held_out(corpus, "validation", config, instance_proxy=instance_proxy)
        base = make_model(replace(config, seed=_SEED))
        chosen = most_confused_categories(base, held_out, _SEED)
    data = orjson.dumps({"model": model, "pair": chosen}, option=orjson.OPT_INDENT_2)
    write_atomic(str(path), data + b"\n")
    return chosen
