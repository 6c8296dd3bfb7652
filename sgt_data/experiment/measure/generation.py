"""Whether what a model draws of a caption shows what the caption says.

Two kinds of drawings are scored: class maps, read exactly by the colours of the corpus, and
pictures, read by a segmenter that was trained on true ones. As in GenEval (Ghosh et al., NeurIPS
2023) a drawing is right or wrong, and the mean over tasks counts every task the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sgt_data.experiment.measure.accuracy import mean_accuracy
from sgt_data.experiment.measure.caption_checks import shows
from sgt_data.experiment.measure.caption_prompts import Kind, Prompt
from sgt_data.experiment.measure.drawn_examples import to_pixels
from sgt_data.experiment.measure.generation_scorer import Scorer
from sgt_data.experiment.measure.run_result import Marks
from sgt_data.experiment.measure.seen_things import SeenThing
from sgt_data.experiment.measure.shuffled_captions import shuffled_estimates
from sgt_data.scoring.intervals import Estimate, as_share, ratio_of_sums
from sgt_data.training.collation import as_pictures

MEAN = "mean"
"""Name of the mean over tasks."""

SHUFFLED = ", captions shuffled"
"""Behind the kind of drawings whose captions are those of other pictures."""

_BATCH = 64
_NOISE_SEED = 0
_GREY = 127

Scores = dict[str, dict[str, Estimate]]


def generation_scores(
    model: nn.Module, prompts: Sequence[Prompt], scorer: Scorer, seed: int
) -> Scores:
    """The share of prompts of which a model draws what they say, by kind and task.

    Usage, with the folders of an experiment:

        prompts = read_prompts(captions_folders, "validation", per_task=60)
        scorer = make_scorer(ScorerData(corpus, training, captions_folders, "semantic", 48), folder)
        result.generation = generation_scores(model, prompts, scorer, config.seed)

    Args:
        model: a `Learner`; it is set to evaluate.
        prompts: from `read_prompts`; the same for all runs.
        scorer: from `make_scorer`.
        seed: of the bootstrap. The noise from which a flow model draws is the same for all seeds.

    Returns:
        By kind (`class map`, `picture`) and by task of the prompts, and `mean` over the tasks, with
        95 % intervals over the prompts' pictures; and the same for the captions of other pictures
        (`class map, captions shuffled`, ...): what the model draws whatever the caption says.
        Pictures are left out where `scorer.picture_problem` says why.
    """
    drawings = draw_prompts(model, prompts, scorer.picture)
    things = things_of_drawings(prompts, drawings, scorer)
    shuffled = shuffled_scores(prompts, things, seed)
    return {
        **scores_of_things(prompts, things, seed),
        **{f"{kind}{SHUFFLED}": scores for kind, scores in shuffled.items()},
    }


def scores_of_things(
    prompts: Sequence[Prompt], things: Sequence[Sequence[SeenThing] | None], seed: int
) -> Scores:
    """The share of prompts whose drawings show what they say, by kind and task; see above."""
    return {
        kind: _estimates(marks, seed)
        for kind, marks in sorted(mark_drawings(prompts, things).items())
    }


def shuffled_scores(
    prompts: Sequence[Prompt], things: Sequence[Sequence[SeenThing] | None], seed: int
) -> Scores:
    """The share of prompts that hold of drawings made for other pictures, by kind and task."""
    scores: Scores = {}
    for kind in sorted({prompt.kind for prompt in prompts}):
        pairs = [
            (prompt, seen)
            for prompt, seen in zip(prompts, things, strict=True)
            if prompt.kind == kind and seen is not None
        ]
        if pairs:
            of_kind, seen_of_kind = zip(*pairs, strict=True)
            scores[kind] = shuffled_estimates(of_kind, seen_of_kind, seed, MEAN)
    return scores


@torch.inference_mode()
def draw_prompts(model: nn.Module, prompts: Sequence[Prompt], side: int) -> NDArray[np.uint8]:
    """What a model draws of prompts and grey pictures [n, S, S, 3] uint8 RGB.

    Args:
        model: a `Learner`.
        prompts: in an order that decides the noise of each.
        side: of the model's pictures, pixels.
    """
    model.eval()
    device = next(model.parameters()).device
    drawings = np.zeros((len(prompts), side, side, 3), np.uint8)
    torch.manual_seed(_NOISE_SEED)
    for start in range(0, len(prompts), _BATCH):
        texts = [prompt.line.text for prompt in prompts[start : start + _BATCH]]
        grey = np.full((side, side, 3), _GREY, np.uint8)
        pictures = as_pictures([grey] * len(texts)).to(device)
        drawn: Tensor = model.draw(pictures, texts)  # type: ignore[operator]
        for place, picture in enumerate(drawn.float().cpu().numpy(), start):
            drawings[place] = to_pixels(picture)
    return drawings


def true_drawings(prompts: Sequence[Prompt], side: int) -> NDArray[np.uint8]:
    """What the prompts describe, at the model's size [n, S, S, 3] uint8 RGB."""
    pixels = [prompt.true_pixels(side) for prompt in prompts]
    return np.stack(pixels) if pixels else np.zeros((0, side, side, 3), np.uint8)


def things_of_drawings(
    prompts: Sequence[Prompt], drawings: NDArray[np.uint8], scorer: Scorer
) -> list[list[SeenThing] | None]:
    """The things of each drawing; None for pictures where the scorer cannot read pictures."""
    things: list[list[SeenThing] | None] = [None] * len(prompts)
    kinds: dict[Kind, list[int]] = defaultdict(list)
    for place, prompt in enumerate(prompts):
        kinds[prompt.kind].append(place)
    for kind, places in kinds.items():
        if kind == "picture" and scorer.picture_problem is not None:
            continue
        read = scorer.things_of_maps if kind == "class map" else scorer.things_of_pictures
        for place, seen in zip(places, read(drawings[places]), strict=True):
            things[place] = seen
    return things


def mark_drawings(
    prompts: Sequence[Prompt], things: Sequence[Sequence[SeenThing] | None]
) -> dict[Kind, Marks]:
    """Right drawings and drawings per kind, task and picture."""
    marks: dict[Kind, dict[str, dict[str, tuple[int, int]]]] = {}
    for prompt, seen in zip(prompts, things, strict=True):
        if seen is not None:
            of_task = marks.setdefault(prompt.kind, {}).setdefault(prompt.line.task, {})
            right, count = of_task.get(prompt.line.key, (0, 0))
            of_task[prompt.line.key] = (right + shows(prompt.line, seen), count + 1)
    return dict(marks)


def _estimates(marks: Marks, seed: int) -> dict[str, Estimate]:
    estimates = {}
    for task, pictures in sorted(marks.items()):
        right, count = np.array(list(pictures.values()), float).T
        estimates[task] = as_share(ratio_of_sums(right, count, seed))
    return {**estimates, MEAN: mean_accuracy(marks, seed)}
