"""Ceiling and floor of the scores of drawings: what true drawings reach, and what chance does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import orjson
from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked

from sgt_data.errors import CorpusError
from sgt_data.experiment.measure.caption_prompts import Prompt
from sgt_data.experiment.measure.generation import (
    own_scores,
    shuffled_scores,
    things_of_drawings,
)
from sgt_data.experiment.measure.generation_scorer import GATE, Scorer
from sgt_data.experiment.measure.run_result import Split
from sgt_data.files.writing import write_atomic
from sgt_data.foreign_errors import in_words
from sgt_data.scoring.intervals import STRICT, Estimate

BOUNDS_FILE = "generation_bounds.json"
"""Name of the file, in the folder of a split's results."""

BOUNDS_VERSION = 1

_SEED = 0
"""Seed of the bootstrap; the bounds are the same for all runs."""


@checked(frozen=True, slots=True, config=STRICT)
class GenerationBounds:
    """Ceiling and floor of a split's scores, and how well pictures are read.

    Attributes:
        split: the split.
        ceiling: by kind and task, the score of the stored pictures and class maps themselves.
            Things that touch, or that another one cuts in two, cost here what they cost a model.
        floor: by kind and task, the share of captions that hold of what is stored for others.
        mean_iou: mean IoU of the segmenter of pictures, over categories, on validation.
        ious: IoU by category.
        gate: the mean IoU that is needed.
        picture_problem: why pictures are not scored; None where they are.
    """

    split: Split
    ceiling: Mapping[str, Mapping[str, Estimate]]
    floor: Mapping[str, Mapping[str, Estimate]]
    mean_iou: float
    ious: Mapping[str, float]
    gate: float
    picture_problem: str | None


def generation_bounds(prompts: Sequence[Prompt], scorer: Scorer, split: Split) -> GenerationBounds:
    """Ceiling and floor of the scores of a split's prompts."""
    seen = things_of_drawings(prompts, [prompt.true for prompt in prompts], scorer)
    return GenerationBounds(
        split,
        own_scores(prompts, seen, _SEED),
        shuffled_scores(prompts, seen, _SEED),
        scorer.mean_iou,
        dict(scorer.ious),
        GATE,
        scorer.picture_problem,
    )


def write_generation_bounds(path: Path, bounds: GenerationBounds) -> None:
    """Write the bounds of a split as JSON."""
    document = {"version": BOUNDS_VERSION, "bounds": bounds}
    options = orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    write_atomic(str(path), orjson.dumps(document, option=options))


def read_generation_bounds(path: Path) -> GenerationBounds | None:
    """The bounds of a split; None where the file does not exist.

    Raises:
        CorpusError: the file is damaged, or of another version.
    """
    if not path.exists():
        return None
    try:
        document = orjson.loads(path.read_bytes())
        if not isinstance(document, dict) or document.get("version") != BOUNDS_VERSION:
            raise ValueError(f"its version is not {BOUNDS_VERSION}")
        return _ADAPTER.validate_python(document.get("bounds"))
    except (OSError, ValueError, ValidationError) as why:
        raise CorpusError(
            f"{path} holds no bounds of scores of drawings: {in_words(why)}; remove it, and the "
            "experiment writes it again"
        ) from why


_ADAPTER: TypeAdapter[GenerationBounds] = TypeAdapter(GenerationBounds)
