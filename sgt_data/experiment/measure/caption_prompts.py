"""Captions from which a trained model draws, chosen once for all runs.

The tasks are those of GenEval (Ghosh et al., NeurIPS 2023) that can be checked by counting things,
and by their places and colours.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from sgt_data.errors import CorpusError
from sgt_data.experiment.measure.caption_lines import (
    CaptionLine,
    caption_lines,
    captions_file,
)
from sgt_data.experiment.measure.held_out import QUESTION_FILES
from sgt_data.experiment.measure.run_result import Split
from sgt_data.seeds import derive_seed
from sgt_data.training.to_model import CAPTIONS, PICTURE, ToModel
from sgt_data.value_text import cut

PromptTask = Literal["one object", "two objects", "counting", "position", "colour"]
PROMPT_TASKS: tuple[PromptTask, ...] = get_args(PromptTask)

Kind = Literal["class map", "picture"]
"""What is drawn of a caption."""

KINDS: tuple[Kind, ...] = get_args(Kind)

_NAMED = {
    "one object": "one category",
    "two objects": "two categories",
    "counting": "one category and its count",
    "position": "two categories and a relation",
    "colour": "one category and its color",
}
"""What a caption of each task names."""

_SEED = 0
"""Seed of the choice, the same for all runs of all experiments."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A caption from which a model draws, with what it was written for.

    Attributes:
        line: the caption, and what it says.
        true: the stored picture or target that it describes, at the model's size [S, S, 3] uint8
            RGB.
    """

    line: CaptionLine
    true: NDArray[np.uint8]

    @property
    def kind(self) -> Kind:
        """What is drawn."""
        return "picture" if self.line.draws == PICTURE else "class map"


def read_prompts(
    captions: Sequence[str] | str, split: Split, per_task: int, picture: int
) -> tuple[Prompt, ...]:
    """The prompts of a split: so many of each task and of each thing that is drawn.

    No two of a task are about the same picture. Categories, counts, relations and colours come up
    as equally often as the captions permit. The choice depends on nothing but the captions. Class
    maps show no colours, so their captions of colours are left out; captions of other tasks
    (`scene`, `caption`) are left out too.

    Args:
        captions: a folder of `sgt-data captions`, or several.
        split: the split.
        per_task: the most prompts of a task; a split with fewer pictures has fewer.
        picture: side of the model's pictures, pixels.

    Raises:
        RequestError: a file of captions does not exist.
        CorpusError: a line is no caption; names the line, the field and what was found.
    """
    prompts: list[Prompt] = []
    to_model = ToModel(picture, blind=False)
    for folder in [captions] if isinstance(captions, str) else captions:
        file = captions_file(folder, QUESTION_FILES[split])
        groups: dict[tuple[str, int], list[CaptionLine]] = defaultdict(list)
        for line in caption_lines(file):
            if line.task in PROMPT_TASKS and (line.task != "colour" or line.draws == PICTURE):
                _check(line, file.where(line.row))
                groups[line.draws, PROMPT_TASKS.index(line.task)].append(line)
        for name in sorted(groups):
            prompts += [
                Prompt(line, to_model(file.read(CAPTIONS, line.row))["target"])
                for line in chosen_lines(groups[name], per_task)
            ]
    return tuple(prompts)


def chosen_lines(lines: Iterable[CaptionLine], count: int) -> list[CaptionLine]:
    """So many captions of a task, of different pictures and evenly of what they may say.

    Args:
        lines: captions of one task.
        count: the most.
    """
    strata: dict[str, list[CaptionLine]] = defaultdict(list)
    for line in sorted(lines, key=lambda line: (derive_seed(_SEED, *_identity(line)), line.row)):
        strata[_stratum(line)].append(line)
    queues = [iter(strata[name]) for name in sorted(strata)]
    chosen: dict[str, CaptionLine] = {}
    while queues and len(chosen) < count:
        for queue in list(queues):
            fresh = next((line for line in queue if line.key not in chosen), None)
            if fresh is None:
                queues.remove(queue)
            elif len(chosen) < count:
                chosen[fresh.key] = fresh
    return list(chosen.values())


def _identity(line: CaptionLine) -> tuple[str, ...]:
    """What names a caption, whether the picture or a class map is drawn of it."""
    return (line.key, line.task, *(str(thing) for thing in line.things), str(line.relation))


def _stratum(line: CaptionLine) -> str:
    """What tells the captions of a task apart: the count, the relation, the colour or the kinds."""
    if line.task == "counting":
        return str(line.things[0].count)
    if line.task == "position":
        return str(line.relation)
    if line.task == "colour":
        return str(line.things[0].colour)
    return " ".join(sorted(thing.category for thing in line.things))


def _check(line: CaptionLine, where: str) -> None:
    """Check that a caption says what its task is about."""
    first = line.things[0] if line.things else None
    says = {
        "one object": len(line.things) == 1,
        "two objects": len({thing.category for thing in line.things}) == 2,
        "counting": len(line.things) == 1 and first is not None and first.count is not None,
        "position": len(line.things) == 2 and line.relation is not None,
        "colour": len(line.things) == 1 and first is not None and first.colour is not None,
    }
    if not says[line.task]:
        raise CorpusError(
            f"{where}: task is {line.task}, and things is {cut(line.things)} with relation "
            f"{line.relation}; a caption of this task names {_NAMED[line.task]}"
        )
