"""Whether what a model draws of a caption shows what the caption says.

Two kinds of drawings are scored: class maps, read by the colours of the corpus, and pictures, read
by a segmenter that was trained on true ones. As in GenEval (Ghosh et al., NeurIPS 2023) a drawing
is right or wrong, and the mean over tasks counts every task the same.

With the folders of an experiment, where `scorer` is the same for all runs and `prompts` for all
runs of a split:

    scorer = make_scorer(ScorerData(corpus, drawable, captions, "semantic", 48), folder)
    prompts = read_prompts(captions, "validation", per_task=60, picture=48)
    sheet = folder / "generation.png"
    result.generation = generation_scores(model, prompts, scorer, config.seed, sheet)
    write_generation_bounds(path, generation_bounds(prompts, scorer, "validation"))
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sgt_data.experiment.measure.accuracy import mean_accuracy
from sgt_data.experiment.measure.caption_checks import shows
from sgt_data.experiment.measure.caption_prompts import KINDS, Kind, Prompt
from sgt_data.experiment.measure.drawn_examples import to_pixels
from sgt_data.experiment.measure.generation_scorer import Scorer
from sgt_data.experiment.measure.generation_sheet import write_generation_sheet
from sgt_data.experiment.measure.run_result import Marks
from sgt_data.experiment.measure.seen_things import Seen, SeenThing
from sgt_data.experiment.measure.shuffled_captions import SHUFFLED, shuffled_estimates
from sgt_data.scoring.intervals import Estimate, as_share, ratio_of_sums
from sgt_data.training.collation import as_pictures
from sgt_data.training.letterbox import GREY

MEAN = "mean"
"""Name of the mean over tasks."""

_BATCH = 64
_NOISE_SEED = 0

Pixels = NDArray[np.uint8]
"""[S, S, 3] RGB."""

Scores = dict[str, dict[str, Estimate]]
"""By kind of drawing and by task, with `mean` over the tasks."""


def generation_scores(
    model: nn.Module,
    prompts: Sequence[Prompt],
    scorer: Scorer,
    seed: int,
    sheet: Path | None = None,
) -> Scores:
    """`drawing_scores` of what a model draws of prompts, as a scorer reads it.

    Args:
        model: a `Learner`; it is set to evaluate.
        prompts: from `read_prompts`.
        scorer: from `make_scorer`.
        seed: of the bootstrap.
        sheet: a PNG that gets some of the drawings, see `write_generation_sheet`; None for none.

    Raises:
        CorpusError: a prompt names a category or a colour that no training picture shows.
    """
    drawings = draw_prompts(model, prompts)
    seen = things_of_drawings(prompts, drawings, scorer)
    if sheet is not None:
        write_generation_sheet(sheet, prompts, drawings, seen)
    return drawing_scores(prompts, seen, seed)


def drawing_scores(prompts: Sequence[Prompt], seen: Seen, seed: int) -> Scores:
    """The share of drawings that show what their captions say.

    Args:
        prompts: from `read_prompts`.
        seen: from `things_of_drawings`.
        seed: of the bootstrap.

    Returns:
        By kind (`class map`, `picture`) and by task of the prompts, and `mean` over the tasks, with
        95 % intervals over the prompts' pictures; and the same for the captions of other pictures
        (`class map, captions shuffled`, ...): what is drawn whatever the caption says. Drawings
        that are not scored are left out.
    """
    shuffled = shuffled_scores(prompts, seen, seed)
    return {
        **own_scores(prompts, seen, seed),
        **{f"{kind}{SHUFFLED}": scores for kind, scores in shuffled.items()},
    }


@torch.inference_mode()
def draw_prompts(model: nn.Module, prompts: Sequence[Prompt]) -> list[Pixels]:
    """What a model draws of the prompts and a grey picture, at the size of the true drawings.

    The noise from which a flow model starts is that of the prompt's place: the same for all models
    and seeds.

    Args:
        model: a `Learner`; it is set to evaluate.
        prompts: from `read_prompts`.
    """
    model.eval()
    device = next(model.parameters()).device
    torch.manual_seed(_NOISE_SEED)
    drawings: list[Pixels] = []
    for start in range(0, len(prompts), _BATCH):
        batch = prompts[start : start + _BATCH]
        grey = [np.full(prompt.true.shape, GREY, np.uint8) for prompt in batch]
        texts = [prompt.line.text for prompt in batch]
        drawn: Tensor = model.draw(as_pictures(grey).to(device), texts)  # type: ignore[operator]
        drawings += [to_pixels(picture) for picture in drawn.float().cpu().numpy()]
    return drawings


def things_of_drawings(
    prompts: Sequence[Prompt], drawings: Sequence[Pixels], scorer: Scorer
) -> Seen:
    """The things that each drawing shows.

    Pictures are not scored where `scorer.picture_problem` says why.

    Args:
        prompts: from `read_prompts`.
        drawings: of each, [S, S, 3] uint8 RGB.
        scorer: from `make_scorer`.

    Raises:
        CorpusError: a prompt names a category or a colour that no training picture shows.
    """
    scorer.check(prompt.line for prompt in prompts)
    seen: list[Sequence[SeenThing] | None] = [None] * len(prompts)
    for kind in KINDS:
        places = [place for place, prompt in enumerate(prompts) if prompt.kind == kind]
        if kind == "picture" and scorer.picture_problem is not None:
            continue
        read = scorer.things_of_maps if kind == "class map" else scorer.things_of_pictures
        for place, things in zip(places, read([drawings[n] for n in places]), strict=True):
            seen[place] = things
    return seen


def mark_drawings(prompts: Sequence[Prompt], seen: Seen) -> dict[Kind, Marks]:
    """Numbers of right drawings and of drawings per kind, task and picture."""
    marks: dict[Kind, dict[str, dict[str, tuple[int, int]]]] = {}
    for prompt, things in zip(prompts, seen, strict=True):
        if things is not None:
            line = prompt.line
            pictures = marks.setdefault(prompt.kind, {}).setdefault(line.task, {})
            right, count = pictures.get(line.key, (0, 0))
            pictures[line.key] = (right + shows(line, things), count + 1)
    return {**marks}


def own_scores(prompts: Sequence[Prompt], seen: Seen, seed: int) -> Scores:
    """The share of drawings that show what their own captions say."""
    scores: Scores = {}
    for kind, marks in mark_drawings(prompts, seen).items():
        by_task = {}
        for task, pictures in sorted(marks.items()):
            right, count = np.array(list(pictures.values()), float).T
            by_task[task] = as_share(ratio_of_sums(right, count, seed))
        scores[kind] = {**by_task, MEAN: mean_accuracy(marks, seed)}
    return scores


def shuffled_scores(prompts: Sequence[Prompt], seen: Seen, seed: int) -> Scores:
    """The share of drawings that show what the captions of other pictures of their task say."""
    scores: Scores = {}
    for kind in KINDS:
        pairs = [
            (prompt.line, things)
            for prompt, things in zip(prompts, seen, strict=True)
            if prompt.kind == kind and things is not None
        ]
        if pairs:
            scores[kind] = shuffled_estimates(pairs, seed, MEAN)
    return scores
